//! A relay that says too much (R18): what a client holds of it is bounded. In a program of its own,
//! one test at a time, because the memory of the whole process is looked at.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use sotto_client::Command;
use sotto_client::view::{Delivery as Progress, EXCERPT_BYTES_MAX, Notice, RelayState};
use sotto_net::frame::put_frame;
use sotto_net::wire::{
    ClientFrame, Delivery, DeliveryFrame, Entry, EnvelopeId, Ephemeral, PrekeysLow, Presence,
    Refusal, Refused, RelayFrame,
};
use sotto_tests::{Conduct, Desk, Liar, Stream, bytes};
use tempfile::tempdir;

/// What the process may grow by, in KiB: the windows of a few connections and a batch of the
/// largest envelopes, on both sides, with room; far below what is said to it.
const GROWTH_KIB_MAX: u64 = 64 * 1024;

fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn status_kib(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Measures by how much the process grows at most while something happens.
struct Growth(u64);

impl Growth {
    fn start() -> Self {
        // The peak starts over (proc_pid_clear_refs(5)).
        fs::write("/proc/self/clear_refs", "5").unwrap();
        Self(status_kib("VmRSS"))
    }

    fn check(&self, what: &str) {
        let kib = status_kib("VmHWM").saturating_sub(self.0);
        assert!(kib < GROWTH_KIB_MAX, "{what}: {kib} KiB");
    }
}

fn talking(dir: &Path, liar: &Liar) -> (Desk, Desk) {
    let alice = Desk::open_only(&dir.join("one"), Some(liar.invite()), "alice");
    let bob = Desk::open_only(&dir.join("two"), Some(liar.invite()), "bob");
    alice.write("alice", "bob", "hi");
    bob.read("bob", "alice", &["hi"]);
    (alice, bob)
}

/// A frame of a kind that nobody knows, with this payload.
fn unknown(payload: usize) -> Bytes {
    let mut frame = BytesMut::new();
    let length = u32::try_from(payload + 1).unwrap();
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(&[250]);
    frame.resize(frame.len() + payload, 7);
    frame.freeze()
}

fn entry(handle: &str, name: &str) -> RelayFrame {
    let entry = Entry {
        request: 0,
        handle: handle.to_owned(),
        name: name.to_owned(),
        identity: None,
    };
    entry.into()
}

fn joined(frames: impl IntoIterator<Item = RelayFrame>) -> Bytes {
    let mut bytes = BytesMut::new();
    for frame in frames {
        put_frame(&frame, &mut bytes);
    }
    bytes.freeze()
}

#[test]
fn r18_floods_of_news_and_envelopes_are_bounded_and_hold_up_nothing() {
    let _alone = alone();
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    let device = liar.ledger(|ledger| ledger.device("bob")).unwrap();
    let growth = Growth::start();

    let ephemeral = DeliveryFrame::from(Ephemeral {
        body: Bytes::from(vec![7; 4096]),
    });
    std::thread::scope(|scope| {
        let flood = scope.spawn(|| {
            let said = liar.flood("alice", Stream::Delivery, bytes(&ephemeral), 25_000);
            assert_eq!(said, 25_000);
        });
        // In the middle of 100 MiB, wishes are heard.
        alice.write("alice", "bob", "in between");
        bob.read("bob", "alice", &["hi", "in between"]);
        flood.join().unwrap();
    });
    growth.check("ephemeral envelopes");

    for stream in [Stream::Control, Stream::Delivery] {
        assert_eq!(liar.flood("alice", stream, unknown(16_000), 4_000), 4_000);
    }
    growth.check("unknown kinds");

    let news = |online| RelayFrame::from(Presence { device, online });
    let low = RelayFrame::from(PrekeysLow { left: 0 });
    let block = joined([news(true), news(false), low]);
    assert_eq!(liar.flood("alice", Stream::Control, block, 20_000), 20_000);
    growth.check("presence and prekeys");

    let names = joined((0..500).map(|number| entry("diana", &format!("Diana {number}"))));
    liar.words("alice").say(Stream::Control, names);
    let handles = joined((0..500).map(|number| entry(&format!("n{number}"), "Nobody")));
    liar.words("alice").say(Stream::Control, handles);
    alice.chat("alice", "n499");
    growth.check("entries");

    let device = liar.ledger(|ledger| ledger.device("alice")).unwrap();
    for number in 0..300_u128 {
        let id = EnvelopeId(number.to_be_bytes());
        let body = Bytes::from(vec![7; 64 * 1024]);
        let delivery: Delivery = liar.ledger(|ledger| ledger.put(device, id, body));
        liar.words("alice").deliver(delivery);
    }
    alice.wait("alice", "that nothing of it opens", |view| {
        (view.notice == Some(Notice::Unopened { messages: 300 })).then_some(())
    });
    // The relay, which is in this process, keeps what it has not been told to forget.
    growth.check("junk");
    alice.command("alice", Command::DismissNotice);

    bob.write("bob", "alice", "and on");
    alice.read("alice", "bob", &["hi", "in between", "and on"]);
}

#[test]
fn r18_a_relay_that_refuses_without_reading_is_given_up() {
    let _alone = alone();
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    let (alice, bob) = talking(dir.path(), &liar);
    let device = liar.ledger(|ledger| ledger.device("bob")).unwrap();
    liar.lie(move |_, frame, _| match frame {
        ClientFrame::Send(send) if send.targets.iter().any(|it| it.0 == device) => Conduct::Silent,
        _ => Conduct::Honest,
    });
    let long = "x".repeat(40_000);
    let mut texts = vec!["hi".to_owned()];
    for number in 0..60 {
        let text = format!("{number} {long}");
        alice.write("alice", "bob", &text);
        texts.push(text);
    }
    alice.wait_messages("alice", "bob", "all of them", |messages| {
        (messages.len() == texts.len()).then_some(())
    });
    let growth = Growth::start();
    liar.be_deaf();
    // Every number that a request may have, so that each is sent again and again.
    let refusals = joined((1..=2_000).map(|request| {
        let refused = Refused {
            request,
            reason: Refusal::RateLimited,
            retry_after_millis: 1,
        };
        refused.into()
    }));
    let logins = liar.logins().len();
    let said = liar.flood("alice", Stream::Control, refusals, 2_000);
    assert!(said < 2_000, "it was listened to until the end");
    liar.wait_logins(logins + 1);
    growth.check("answers that nobody waits for");
    liar.be_honest();
    let shown = |text: &String| text.get(..EXCERPT_BYTES_MAX).unwrap_or(text).to_owned();
    let texts: Vec<String> = texts.iter().map(shown).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bob.read("bob", "alice", &texts);
    alice.wait_messages("alice", "bob", "all of them read", |messages| {
        let is_read =
            |it: &std::sync::Arc<sotto_client::view::Message>| it.delivery == Progress::Read;
        messages.iter().all(is_read).then_some(())
    });
    alice.wait("alice", "the relay", |view| {
        (view.relay == RelayState::Connected).then_some(())
    });
}
