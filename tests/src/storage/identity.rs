//! What may happen to an identity as a whole: it is made, gets other secrets, a backup is made of it,
//! it is deleted and restored.
//!
//! The notes are lines: `to` and a state before it is brought about, `at` and the state when that was
//! confirmed; the same with `backup` in place of a state.

use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use sotto_client::view::{Body, JobState, Notice, ProfileId, ProfileState};
use sotto_client::{
    Argon2Cost, Command, Environment, OpenAtStart, Passphrase, RecoveryCode, identities, restore,
};

use crate::storage::cut::Witness;
use crate::storage::recording::Notes;
use crate::{Desk, ask};

const WHO: &str = "guest";
const PEER: &str = "alice";
const BACKUP: &str = "guest.sotto";
/// In place of a passphrase where there is none.
const NO_PASSPHRASE: &str = "-";

/// How an identity is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct State {
    passphrase: String,
    has_code: bool,
    messages: usize,
}

/// As [`State`]; none if there is no identity.
type Being = Option<State>;

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passphrase,
            has_code,
            messages,
        } = self;
        write!(f, "{passphrase} {has_code} {messages}")
    }
}

impl State {
    fn parse(text: &str) -> Option<Being> {
        if text == "nothing" {
            return Some(None);
        }
        let mut words = text.split(' ');
        Some(Some(Self {
            passphrase: words.next()?.to_owned(),
            has_code: words.next()?.parse().ok()?,
            messages: words.next()?.parse().ok()?,
        }))
    }
}

fn code() -> RecoveryCode {
    RecoveryCode::generate(&mut StdRng::seed_from_u64(1))
}

fn home(disk: &Path) -> PathBuf {
    disk.join("home")
}

/// A client that has opened nobody.
fn desk(disk: &Path) -> Desk {
    Desk::start(
        &home(disk),
        None,
        OpenAtStart::Only(ProfileId::new("nobody")),
    )
}

/// The secret as a person types it.
fn typed(passphrase: &str) -> Passphrase {
    let is_none = passphrase == NO_PASSPHRASE;
    Passphrase::new(if is_none { "" } else { passphrase }.to_owned())
}

/// An identity to which everything happens.
struct Life<'a> {
    disk: &'a Path,
    desk: Desk,
    notes: &'a Notes,
    state: State,
}

impl Life<'_> {
    /// Brings about what was changed in `state`.
    fn step(&mut self, work: impl FnOnce(&mut Self)) {
        let state = self.state.to_string();
        self.notes.note(&format!("to {state}"));
        work(self);
        self.notes.note(&format!("at {state}"));
    }

    /// Gives a command, and waits until the person is told of its end.
    fn command(&self, command: Command, told: Notice) {
        self.desk.command(WHO, command);
        self.desk.wait(WHO, "an end of it", |view| {
            (view.notice == Some(told)).then_some(())
        });
        self.desk.command(WHO, Command::DismissNotice);
        self.desk.wait(WHO, "nothing told", |view| {
            view.notice.is_none().then_some(())
        });
    }

    fn set_passphrase(&mut self, new: &str) {
        let current = typed(&self.state.passphrase);
        new.clone_into(&mut self.state.passphrase);
        let new = typed(new);
        self.step(|it| {
            it.command(
                Command::SetPassphrase { current, new },
                Notice::PassphraseSet,
            );
        });
    }

    fn set_code(&mut self, new: Option<RecoveryCode>) {
        let current = typed(&self.state.passphrase);
        self.state.has_code = new.is_some();
        self.step(|it| {
            it.command(
                Command::SetRecoveryCode { current, new },
                Notice::RecoveryCodeSet,
            );
        });
    }

    fn write(&mut self) {
        let text = self.state.messages.to_string();
        self.state.messages += 1;
        self.step(|it| {
            let sent = it.desk.client().send_text(&ProfileId::new(WHO), PEER, text);
            ask(sent).expect("a message is taken");
        });
    }

    fn back_up(&mut self, passphrase: &str) {
        self.notes.note("to backup");
        let command = Command::BackUp {
            to: self.disk.join(BACKUP),
            replaces: false,
            passphrase: typed(passphrase),
            code: None,
        };
        self.desk.command(WHO, command);
        self.desk.wait(WHO, "a backup", |view| {
            let job = view.job.as_ref()?;
            matches!(job.state, JobState::Done { .. }).then_some(())
        });
        self.notes.note("at backup");
    }
}

/// Carries out everything that may happen to an identity.
///
/// # Panics
/// When something cannot be done.
pub fn carry_out(disk: &Path, notes: &Notes) {
    let state = State {
        passphrase: "one".to_owned(),
        has_code: false,
        messages: 0,
    };
    let mut life = Life {
        disk,
        desk: desk(disk),
        notes,
        state,
    };
    life.step(|it| {
        let made = it
            .desk
            .client_mut()
            .create(&identities::person(WHO), typed("one"));
        made.expect("an identity");
        it.desk.wait_ready(WHO);
    });
    life.write();
    life.set_passphrase("two");
    life.set_code(Some(code()));
    life.set_passphrase("three");
    life.set_passphrase(NO_PASSPHRASE);
    life.write();
    life.set_passphrase("four");
    life.set_code(None);
    life.back_up("five");
    life.desk.client_mut().remove(&ProfileId::new(WHO)).wait();
    notes.note("to nothing");
    identities::delete(&home(disk), WHO).expect("it is deleted");
    notes.note("at nothing");
    "five".clone_into(&mut life.state.passphrase);
    life.step(|it| {
        bring_back(&home(it.disk), &it.disk.join(BACKUP)).expect("it is restored");
    });
}

fn bring_back(home: &Path, backup: &Path) -> Result<String, String> {
    let environment = Environment::system();
    let go_on = |_, _| ControlFlow::Continue(());
    restore(home, backup, "five", Argon2Cost::FLOOR, &environment, go_on)
        .map_err(|error| error.to_string())
}

/// How an identity must be.
#[derive(Debug, Clone, Default)]
pub struct Certainty {
    /// As it is for certain; none at the start.
    now: Being,
    /// As it may be already.
    next: Option<Being>,
    /// Passphrases that opened it once.
    old: Vec<String>,
    /// A backup of this state is wished for, and there.
    backup: Option<(State, bool)>,
}

impl Certainty {
    fn read(&mut self, mark: &str) -> Option<()> {
        match mark {
            "to backup" => self.backup = Some((self.now.clone()?, false)),
            "at backup" => self.backup.as_mut()?.1 = true,
            _ => {
                let (word, state) = mark.split_once(' ')?;
                let state = State::parse(state)?;
                if word == "to" {
                    self.next = Some(state);
                    return Some(());
                }
                self.next = None;
                let before = std::mem::replace(&mut self.now, state).map(|it| it.passphrase);
                let now = self.now.as_ref().map(|it| &it.passphrase);
                self.old.extend(before.filter(|it| Some(it) != now));
            }
        }
        Some(())
    }

    fn look(&self, disk: &Path, chance: &mut StdRng) -> Result<(), String> {
        let may_be = [Some(&self.now), self.next.as_ref()];
        let may_be: Vec<&Being> = may_be.into_iter().flatten().collect();
        // Ends what a cut has interrupted.
        drop(desk(disk));
        let here = identities::list(&home(disk)).map_err(|error| error.to_string())?;
        if here.is_empty() {
            let is_right = may_be.contains(&&None);
            return is_right.then_some(()).ok_or("it is gone".to_owned());
        }
        let may_be: Vec<&State> = may_be.into_iter().flatten().collect();
        let is_old = |it: &&String| !may_be.iter().any(|state| state.passphrase == **it);
        let old: Vec<&String> = self.old.iter().filter(is_old).collect();
        if chance.random_range(0..3) == 0
            && let Some(old) = old.choose(chance)
            && let Some((_, true)) = open(disk, typed(old))?
        {
            return Err(format!("{old:?} opens it still"));
        }
        for state in &may_be {
            let secret = if state.has_code && chance.random_range(0..4) == 0 {
                code().to_text()
            } else {
                typed(&state.passphrase)
            };
            let Some((desk, was_locked)) = open(disk, secret)? else {
                continue;
            };
            let history = desk.client().history(&ProfileId::new(WHO), PEER, None, 9);
            let history = ask(history).map_err(|error| error.to_string())?;
            let is_whole = (0..).zip(&history).all(|(number, entry)| {
                let number: usize = number;
                entry.message.body == Body::Text(number.to_string())
            });
            let is = |state: &&&State| {
                let is_locked = state.passphrase != NO_PASSPHRASE;
                is_locked == was_locked
                    && state.has_code == desk.view(WHO).has_recovery_code
                    && state.messages == history.len()
            };
            let is_right = is_whole && may_be.iter().any(|state| is(&state));
            return is_right
                .then_some(())
                .ok_or(format!("it holds {history:?}, and may be {may_be:?}"));
        }
        Err(format!("nothing opens it; it may be {may_be:?}"))
    }

    /// A file with the backup's name is the whole of it.
    fn look_at_backup(&self, disk: &Path, chance: &mut StdRng) -> Result<(), String> {
        let file = disk.join(BACKUP);
        let Some((state, is_certain)) = &self.backup else {
            return Ok(());
        };
        if !file.exists() {
            let is_right = !is_certain;
            return is_right.then_some(()).ok_or("no backup".to_owned());
        }
        // It takes longer than everything else together.
        if *is_certain && chance.random_range(0..8) > 0 {
            return Ok(());
        }
        let elsewhere = disk.join("elsewhere");
        bring_back(&home(&elsewhere), &file)?;
        let restored = Self {
            now: Some(State {
                passphrase: "five".to_owned(),
                has_code: false,
                ..state.clone()
            }),
            ..Self::default()
        };
        restored.look(&elsewhere, chance)
    }
}

/// Opens the identity with this secret, if that is the right one; says whether it took one.
fn open(disk: &Path, secret: Passphrase) -> Result<Option<(Desk, bool)>, String> {
    let mut desk = desk(disk);
    let added = desk.client_mut().add(&identities::person(WHO));
    added.map_err(|error| error.to_string())?;
    let mut secret = Some(secret);
    loop {
        let is_tried = secret.is_none();
        let state = desk.wait(WHO, "a vault", |view| match &view.state {
            ProfileState::Opening | ProfileState::Closed => None,
            ProfileState::Locked { wrong, checking } if *checking || *wrong != is_tried => None,
            state => Some(state.clone()),
        });
        match state {
            ProfileState::Ready => return Ok(Some((desk, is_tried))),
            ProfileState::Locked { .. } => match secret.take() {
                Some(secret) => desk.command(WHO, Command::Unlock(secret)),
                None => return Ok(None),
            },
            state => return Err(format!("it is {state:?}")),
        }
    }
}

impl Witness for Certainty {
    fn note(&mut self, mark: &str) {
        self.read(mark).expect("a note of this process");
    }

    fn check(&self, folder: &Path, chance: &mut StdRng) -> Result<(), String> {
        self.look_at_backup(folder, chance)?;
        self.look(folder, chance)
    }
}
