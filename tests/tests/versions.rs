//! Today's client and relays of other minor versions (WIRE §8). Other clients and today's relay are
//! in `server/tests/versions.rs`.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::HashSet;

use bytes::Bytes;
use sotto_client::view::Delivery as Progress;
use sotto_net::quic;
use sotto_net::wire::{ClientFrame, Refusal, Refused};
use sotto_tests::{Conduct, Desk, Liar, Stream};
use tempfile::tempdir;

/// Frames of kinds that nobody knows yet: an empty one, and one of a hundred bytes.
fn unknown() -> Bytes {
    let empty = [0, 0, 0, 1, 200];
    let long = [&[0, 0, 0, 101, 255][..], &[0xff; 100]].concat();
    Bytes::from([&empty[..], &long].concat())
}

/// Alice and Bob talk through a relay that answers each request in its own way first.
fn talk(
    minor: u16,
    mut first: impl FnMut(&ClientFrame, &sotto_tests::Words) -> Conduct + Send + 'static,
) {
    let dir = tempdir().unwrap();
    let liar = Liar::start();
    liar.ledger(|ledger| ledger.minor = minor);
    liar.lie(move |_, frame, words| first(frame, words));
    let alice = Desk::open_only(&dir.path().join("one"), Some(liar.invite()), "alice");
    let bob = Desk::open_only(&dir.path().join("two"), Some(liar.invite()), "bob");
    alice.write("alice", "bob", "hi");
    bob.read("bob", "alice", &["hi"]);
    bob.write("bob", "alice", "hello");
    alice.read("alice", "bob", &["hi", "hello"]);
    alice.wait_messages("alice", "bob", "read", |messages| {
        let own = messages.iter().find(|message| message.is_mine)?;
        (own.delivery == Progress::Read).then_some(())
    });
    assert_eq!(liar.logins().len(), 2, "each kept its one connection");
}

#[test]
fn a_client_passes_over_the_frames_of_a_relay_of_a_later_minor() {
    talk(quic::MINOR_VERSION + 1, |_, words| {
        words.say(Stream::Control, unknown());
        words.say(Stream::Delivery, unknown());
        Conduct::Honest
    });
}

#[test]
fn a_client_takes_an_unknown_refusal_as_one_for_now() {
    let mut refused = HashSet::new();
    talk(quic::MINOR_VERSION + 1, move |frame, words| {
        let (request, what) = match frame {
            ClientFrame::Send(send) => (send.request, send.id.0.to_vec()),
            ClientFrame::TakeBundle(take) => (take.request, take.device.0.to_vec()),
            ClientFrame::PublishPrekeys(publication) => {
                let signed = publication.signed.as_ref();
                (publication.request, signed.unwrap().record.to_vec())
            }
            _ => return Conduct::Honest,
        };
        if !refused.insert(what) {
            return Conduct::Honest;
        }
        words.reply(Refused {
            request,
            reason: Refusal::Other(999),
            retry_after_millis: 1,
        });
        Conduct::Silent
    });
}

#[test]
fn a_client_talks_to_a_relay_of_minor_0() {
    talk(0, |frame, _| {
        // What came with later minors is not said to it.
        let is_later = matches!(
            frame,
            ClientFrame::SendEphemeral(_)
                | ClientFrame::LeaveMark(_)
                | ClientFrame::WithdrawPrekeys(_)
        );
        assert!(!is_later, "{frame:?}");
        Conduct::Honest
    });
}
