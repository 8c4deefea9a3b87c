//! A vault with many messages: `cargo bench -p sotto-client --bench vault [-- MESSAGES]` (a million
//! unless given).
//!
//! It is made as one of version 1 by bare SQLCipher, and then used through the client: what is
//! timed is what a window sees, from a command to the snapshot. Figures are medians.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "a benchmark prints its table, and fails when it cannot measure"
)]

#[path = "vault/bare.rs"]
mod bare;

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use sotto_client::view::{ChatId, ProfileId, ProfileState, ProfileView, SearchState};
use sotto_client::{
    Argon2Cost, Client, Command, Config, Environment, OpenAtStart, Query, well_known_people,
};
use tokio::sync::watch;

/// Turns of each row.
const ROUNDS: usize = 9;
/// Messages that are sent, each in a transaction.
const SENT: i64 = 1_000;
/// Snapshots come at most every 16 ms: after this the next one comes at once.
const FRAME: Duration = Duration::from_millis(20);

/// A client with one open profile.
struct Desk {
    client: Client,
    rung: Receiver<()>,
    _relay: watch::Sender<Option<sotto_net::Invite>>,
}

impl Desk {
    fn open(data_dir: &Path) -> Self {
        let (bell, rung) = channel();
        let (relay, receiver) = watch::channel(None);
        let config = Config {
            data_dir: data_dir.to_owned(),
            people: well_known_people(),
            open: OpenAtStart::Only(ProfileId::new("alice")),
            relay: receiver,
            passphrase_cost: Argon2Cost::FLOOR,
            environment: Environment::system(),
        };
        // Nobody listens any more when the client ends.
        let ring = move || bell.send(()).unwrap_or_default();
        let desk = Self {
            client: Client::start(&config, ring).expect("threads"),
            rung,
            _relay: relay,
        };
        desk.wait(|view| view.state == ProfileState::Ready);
        desk
    }

    fn wait(&self, is_there: impl Fn(&ProfileView) -> bool) {
        loop {
            let model = self.client.snapshot();
            let view = model.profile(&ProfileId::new("alice")).expect("a profile");
            if is_there(view) {
                return;
            }
            assert!(
                !matches!(view.state, ProfileState::Failed(_)),
                "{:?}",
                view.state
            );
            self.rung.recv().expect("a snapshot");
        }
    }

    fn command(&self, mut command: Command) {
        while let Err(busy) = self.client.send(&ProfileId::new("alice"), command) {
            command = busy.0;
            self.rung.recv().expect("a snapshot");
        }
    }

    fn timed(&self, command: Command, is_there: impl Fn(&ProfileView) -> bool) -> Duration {
        sleep(FRAME);
        let started = Instant::now();
        self.command(command);
        self.wait(is_there);
        started.elapsed()
    }
}

fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'));
    let messages: i64 = arguments.next().map_or(1_000_000, |word| {
        word.parse().expect("a number of messages")
    });
    let dir = tempfile::tempdir().expect("a folder");
    let folder = sample(dir.path());
    let filled = bare::fill(&folder, messages);
    println!("{messages} messages");
    rate("bare SQLCipher, one transaction", messages, filled);
    let started = Instant::now();
    drop(Desk::open(dir.path()));
    rate("brought to the newest version", messages, started.elapsed());
    let size: u64 = fs::metadata(folder.join("vault.db")).expect("a file").len();
    println!("{:<52}{:>12.1} MB", "size of the vault", size as f64 / 1e6);

    row(
        "opened",
        rounds(|| {
            let started = Instant::now();
            let desk = Desk::open(dir.path());
            let taken = started.elapsed();
            drop(desk);
            taken
        }),
    );
    let desk = Desk::open(dir.path());
    row(
        "first page of a chat with a tenth of the messages",
        pages(&desk),
    );
    for text in [
        "wo",
        "th",
        "e",
        "wo sa",
        "\"wo sa\"",
        "wo in:bob",
        "wo from:me",
        "thumixan",
        "thum",
        "from:bob",
        "after:2021-01-01 before:2021-02-01",
        "wo before:2020-10-01",
        "\"qu qu qu qu\"",
    ] {
        let query = Query::parse(text, &TimeZone::UTC).expect("a query");
        let mut hits = 0;
        let taken = rounds(|| {
            desk.timed(Command::EndSearch, |view| view.search.is_none());
            desk.timed(Command::Search(query.clone()), |view| {
                view.search
                    .as_ref()
                    .is_some_and(|results| results.state != SearchState::Running)
            })
        });
        desk.wait(|view| view.search.is_some());
        if let Some(view) = desk.client.snapshot().profile(&ProfileId::new("alice")) {
            hits = view.search.as_ref().map_or(0, |results| results.hits.len());
        }
        row(&format!("looked for {text} ({hits} hits)"), taken);
    }
    drop(desk);
    commits(dir.path());
}

/// Messages that are stored one by one, by the client and by bare SQLCipher, in turns.
fn commits(data_dir: &Path) {
    let folder = |name: &str| data_dir.join(name);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..3 {
        let dir = folder(&format!("ours{round}"));
        fs::create_dir(&dir).expect("a folder");
        sample(&dir);
        let desk = Desk::open(&dir);
        let mut sentences = bare::Sentences::new();
        let started = Instant::now();
        for _ in 0..SENT {
            let text = sentences.next();
            desk.command(Command::SendText {
                chat: ChatId(1),
                text,
                answers: None,
            });
        }
        let last = SENT + 4;
        desk.wait(|view| {
            let row = view.chats.iter().find(|row| row.id == ChatId(1));
            row.and_then(|row| row.last.as_ref())
                .is_some_and(|message| message.key.0 == last)
        });
        ours.push(started.elapsed());
        let dir = folder(&format!("bare{round}"));
        fs::create_dir(&dir).expect("a folder");
        bare.push(bare::add(&sample(&dir), SENT));
    }
    rate("messages sent, a transaction each", SENT, median(ours));
    rate("bare SQLCipher, a transaction each", SENT, median(bare));
}

/// A vault of version 1 in a data folder; gives its own folder.
fn sample(data_dir: &Path) -> std::path::PathBuf {
    let folder = data_dir.join("profiles/alice");
    fs::create_dir_all(&folder).expect("a folder");
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vaults/version-1");
    for name in ["vault.header", "vault.key", "vault.db"] {
        fs::copy(sample.join(name), folder.join(name)).expect("a copy");
    }
    folder
}

fn pages(desk: &Desk) -> Duration {
    rounds(|| {
        let show = |chat| Command::ShowChat { chat, around: None };
        let is_shown = |chat| {
            move |view: &ProfileView| view.timeline.as_ref().is_some_and(|it| it.chat == chat)
        };
        desk.timed(show(ChatId(2)), is_shown(ChatId(2)));
        desk.timed(show(ChatId(1)), is_shown(ChatId(1)))
    })
}

fn rounds(mut turn: impl FnMut() -> Duration) -> Duration {
    median((0..ROUNDS).map(|_| turn()).collect())
}

fn median(mut taken: Vec<Duration>) -> Duration {
    taken.sort();
    taken[taken.len() / 2]
}

fn row(name: &str, taken: Duration) {
    println!("{name:<52}{:>12.2} ms", taken.as_secs_f64() * 1e3);
}

fn rate(name: &str, messages: i64, taken: Duration) {
    let secs = taken.as_secs_f64();
    println!(
        "{name:<52}{:>12.0} per second ({secs:.1} s)",
        messages as f64 / secs
    );
}
