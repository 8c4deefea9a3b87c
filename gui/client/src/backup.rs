//! An identity taken elsewhere: what may go wrong, and how it is restored.

use std::io;
use std::ops::ControlFlow;
use std::path::Path;

use sotto_crypto::Argon2Cost;
use sotto_net::people::is_handle;
use thiserror::Error;

use crate::environment::Environment;
use crate::identities::{self, IDENTITIES_MAX};
use crate::vault::{Folder, Found, OpenBackup, find};

/// Why nothing was written or restored. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is a file of this name, and it was not asked to be replaced.
    #[error("there is a file of this name")]
    Exists,
    /// The file would lie among the vaults.
    #[error("it cannot be in the folder of the vaults")]
    Inside,
    /// Neither a passphrase nor a recovery code was given to protect it.
    #[error("a backup needs a passphrase or a recovery code")]
    NoSecret,
    /// The file is something else.
    #[error("it is no backup")]
    NotBackup,
    /// A newer version of the program wrote it.
    #[error("the backup has a newer version")]
    Newer,
    /// The passphrase or recovery code is wrong.
    #[error("passphrase or recovery code is wrong")]
    WrongSecret,
    /// The backup is not whole.
    #[error("the backup is damaged")]
    Damaged,
    /// There is an identity with its handle here.
    #[error("there is an identity with this handle")]
    Taken,
    /// There are too many identities here.
    #[error("there are too many identities")]
    TooMany,
    /// Another process uses the identity, or restores one.
    #[error("the identity is open elsewhere")]
    OpenElsewhere,
    /// There is no room on the disk.
    #[error("the disk is full")]
    Full,
    /// A file or folder cannot be read or written.
    #[error("a file cannot be read or written")]
    File,
    /// The vault cannot be read, or is damaged.
    #[error("the vault cannot be read")]
    Vault,
    /// What was written could not be read again.
    #[error("what was written could not be read again")]
    Unverified,
    /// It was asked to stop.
    #[error("it was stopped")]
    Cancelled,
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::File,
        }
    }
}

/// Restores an identity into a data folder that has none with its handle, which is given back. It is
/// opened by the secret that opens the backup: a passphrase or a recovery code. Takes seconds, and
/// longer with many messages.
///
/// It is a new life of the identity: sessions are started anew, and what no peer has confirmed is
/// sent again. The one of which the backup was made must not go on beside it: each would miss what
/// the other gets.
///
/// `progress` hears how much of how much is done, and says whether to go on; all of it is done when
/// what was read is still to be looked through.
///
/// # Errors
/// See [`BackupError`].
pub fn restore(
    data_dir: &Path,
    backup: &Path,
    secret: &str,
    cost: Argon2Cost,
    environment: &Environment,
    mut progress: impl FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<String, BackupError> {
    let scratch = Folder::lock(&identities::restoring(data_dir))?;
    let restored = (|| {
        let database = scratch.new_database()?;
        let opened = OpenBackup::open(backup, secret, &database, &mut progress)?;
        let here = identities::list(data_dir).map_err(|_| BackupError::File)?;
        if !is_handle(&opened.handle) {
            return Err(BackupError::Damaged);
        }
        if here.contains(&opened.handle) {
            return Err(BackupError::Taken);
        }
        if here.len() >= IDENTITIES_MAX {
            return Err(BackupError::TooMany);
        }
        // A vault that another process has made since is found here.
        let Found::Nothing(folder) = find(&identities::folder(data_dir, &opened.handle))? else {
            return Err(BackupError::Taken);
        };
        opened.install(&database, &folder, secret, cost, &mut environment.rng())
    })();
    drop(scratch);
    if identities::tidy(data_dir).is_err() {
        tracing::warn!("what is left of a restoration could not be removed");
    }
    restored
}
