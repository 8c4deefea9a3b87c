//! `sotto-cli backup`, `restore` and `export`: an identity in one file and back again, and a chat in
//! the clear.

use std::io::{self, IsTerminal as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use sotto_client::view::{JobState, ProfileState};
use sotto_client::{Argon2Cost, BackupError, Command, Environment, RecoveryCode};

use crate::chat::find;
use crate::failure::Failure;
use crate::options::{Backup, Common, Export, Restore};
use crate::session::{self, Network, Session};
use crate::{output, passphrase, words};

pub(crate) async fn back_up(common: &Common, backup: Backup) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let code = backup
        .code
        .then(|| RecoveryCode::generate(&mut rand::rng()));
    let passphrase = match (&backup.its_passphrase, &code) {
        (Some(path), _) => passphrase::read(path)?,
        (None, Some(_)) => passphrase::none(),
        (None, None) => passphrase::prompt_twice("New passphrase of the backup: ")?,
    };
    let spoken = code.as_ref().map(RecoveryCode::to_text);
    let command = Command::BackUp {
        to: backup.file.clone(),
        replaces: backup.replace,
        passphrase,
        code,
    };
    carry_out(&session, command, &backup.file).await?;
    match spoken {
        Some(code) => output::line(&code),
        None => Ok(()),
    }
}

pub(crate) async fn export(common: &Common, export: Export) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let command = Command::Export {
        chat: find(&session, &export.peer).await?.id,
        format: export.format.into(),
        zone: jiff::tz::TimeZone::system(),
        to: export.file.clone(),
        replaces: export.replace,
    };
    carry_out(&session, command, &export.file).await
}

/// Has a file written, and waits until it is there.
async fn carry_out(session: &Session, command: Command, file: &Path) -> Result<(), Failure> {
    let begun = session.host.client.perform(&session.id, command);
    session.ask(begun, "").await?;
    let mut progress = Percent::default();
    let ended = session.host.wait(&session.id, |view| {
        if view.state != ProfileState::Ready {
            return Some(Err(BackupError::Cancelled));
        }
        match view.job.as_ref()?.state {
            JobState::Running { done, total } => {
                progress.show(done, total);
                None
            }
            JobState::Done { .. } => Some(Ok(())),
            JobState::Failed(error) => Some(Err(error)),
        }
    });
    let ended = ended.await?;
    progress.end();
    ended.map_err(|error| words::backup(file, error))
}

/// Brings an identity back, and writes its handle.
pub(crate) fn restore(common: &Common, restore: &Restore) -> Result<(), Failure> {
    let data_dir = session::data_dir(common)?;
    let secret = match passphrase::given(common)? {
        Some(secret) => secret,
        None => passphrase::prompt("Passphrase or recovery code of the backup: ")?,
    };
    let mut progress = Percent::default();
    let restored = sotto_client::restore(
        &data_dir,
        &restore.file,
        &secret,
        Argon2Cost::DEFAULT,
        &Environment::system(),
        |done, total| {
            progress.show(done, total);
            ControlFlow::Continue(())
        },
    );
    progress.end();
    let handle = restored.map_err(|error| words::backup(&restore.file, error))?;
    output::line(&handle)
}

/// How much is done, for somebody who watches.
#[derive(Default)]
struct Percent(Option<u64>);

impl Percent {
    fn show(&mut self, done: u64, total: u64) {
        let percent = done.saturating_mul(100).checked_div(total).unwrap_or(0);
        if io::stderr().is_terminal() && self.0 != Some(percent) {
            self.0 = Some(percent);
            // Whether anybody sees it changes nothing.
            drop(write!(io::stderr(), "\r{percent:3} %"));
        }
    }

    fn end(&self) {
        if self.0.is_some() {
            drop(write!(io::stderr(), "\r     \r"));
        }
    }
}
