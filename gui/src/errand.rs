//! What the window wants done that is neither a command to a profile nor a frame's work.

use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;

use sotto_client::identities::IdentityError;
use sotto_client::view::ProfileId;
use sotto_client::{BackupError, Passphrase, Person, RecoveryCode};

/// A wish for whoever holds client and files; each but the last two is answered by a [`Report`].
pub enum Errand {
    /// Make a recovery code to be shown.
    MakeCode,
    /// Make an identity; its passphrase is empty for none.
    Create(Person, Passphrase),
    /// Close an identity and delete it for good.
    Delete(ProfileId),
    /// Restore an identity from a backup, unless one is being restored.
    Restore {
        /// The backup.
        from: PathBuf,
        /// What opens it.
        secret: Passphrase,
    },
    /// Stop the restoration.
    EndRestore,
    /// Let the person choose a file.
    Choose(FileChoice),
}

impl fmt::Debug for Errand {
    /// Leaves out names, paths and passphrases.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MakeCode => "MakeCode",
            Self::Create(_, _) => "Create",
            Self::Delete(_) => "Delete",
            Self::Restore { from: _, secret: _ } => "Restore",
            Self::EndRestore => "EndRestore",
            Self::Choose(_) => "Choose",
        })
    }
}

/// A file to be chosen in a dialog of the system.
pub struct FileChoice {
    /// What the dialog is about.
    pub title: &'static str,
    /// Where it begins.
    pub begin: PathBuf,
    /// Whether the file is to be written.
    pub is_new: bool,
    /// Takes the file, or that the person has chosen none. Dropped without either, it says that
    /// there is no such dialog. The next frame hears of it.
    pub reply: SyncSender<Option<PathBuf>>,
}

impl fmt::Debug for FileChoice {
    /// Leaves out the path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            title,
            begin: _,
            is_new,
            reply: _,
        } = self;
        f.debug_struct("FileChoice")
            .field("title", title)
            .field("is_new", is_new)
            .finish_non_exhaustive()
    }
}

/// What has become of an [`Errand`].
#[derive(Debug)]
pub enum Report {
    /// The code.
    Code(RecoveryCode),
    /// The new identity is in the model from now on.
    Created(Result<ProfileId, IdentityError>),
    /// The identity is gone, or still there.
    Deleted(ProfileId, Result<(), IdentityError>),
    /// So much of so much of a backup is read.
    Restoring {
        /// Done.
        done: u64,
        /// Of this.
        total: u64,
    },
    /// The identity with this handle is on the disk again. If it is not in the model, it will be
    /// after the next start.
    Restored(Result<ProfileId, BackupError>),
}
