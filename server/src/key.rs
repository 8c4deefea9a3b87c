//! The relay's key on disk.

use std::path::{Path, PathBuf};
use std::{fs, io};

use sotto_net::{RelayKey, RelayKeyError};
use thiserror::Error;

use crate::folder;

/// Name of the key's file in the relay's folder: PKCS #8 in DER, mode 0600.
const FILE: &str = "relay.key";

/// Why the relay's key cannot be had.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The file can neither be read nor written.
    #[error("the relay's key file cannot be read or written")]
    File(#[source] io::Error),
    /// The file holds something else, or no key can be made.
    #[error("the relay's key cannot be used")]
    Key(#[from] RelayKeyError),
}

/// Where the key of the relay in this folder lies.
pub fn relay_key_path(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// Copies the key of the relay in one folder into another, which is made if it is missing.
///
/// # Errors
/// See [`KeyFileError`]; a key that is there already is not replaced.
pub fn back_up_key(dir: &Path, to: &Path) -> Result<(), KeyFileError> {
    let path = relay_key_path(dir);
    let missing = || KeyFileError::File(io::ErrorKind::NotFound.into());
    let key = read(&path)?.ok_or_else(missing)?;
    folder::make(to).map_err(KeyFileError::File)?;
    folder::write_new(&relay_key_path(to), &key.to_pkcs8()).map_err(KeyFileError::File)
}

/// The key of the relay in this folder; made, and stored durably with mode 0600, if there is
/// none. An existing file is never replaced, so that the invites to this relay stay good.
///
/// # Errors
/// See [`KeyFileError`].
pub fn relay_key(dir: &Path) -> Result<RelayKey, KeyFileError> {
    let path = relay_key_path(dir);
    if let Some(key) = read(&path)? {
        return Ok(key);
    }
    folder::make(dir).map_err(KeyFileError::File)?;
    let key = RelayKey::generate()?;
    match folder::write_new(&path, &key.to_pkcs8()) {
        Ok(()) => Ok(key),
        // Another process was faster: its key is the relay's.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read(&path)?.ok_or(KeyFileError::File(error))
        }
        Err(error) => Err(KeyFileError::File(error)),
    }
}

fn read(path: &Path) -> Result<Option<RelayKey>, KeyFileError> {
    match fs::read(path) {
        Ok(der) => Ok(Some(RelayKey::from_pkcs8(&der)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeyFileError::File(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_a_key_once_and_reads_it_again() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("relay");
        let pin = relay_key(&dir).unwrap().pin();
        assert_eq!(relay_key(&dir).unwrap().pin(), pin);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 1, "no draft is left");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_the_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("relay");
        relay_key(&dir).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&relay_key_path(&dir)), 0o600);
    }

    #[test]
    fn refuses_a_damaged_key_and_leaves_it_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = relay_key_path(dir.path());
        fs::write(&path, b"no key").unwrap();
        assert!(matches!(relay_key(dir.path()), Err(KeyFileError::Key(_))));
        assert_eq!(fs::read(&path).unwrap(), b"no key");
    }
}
