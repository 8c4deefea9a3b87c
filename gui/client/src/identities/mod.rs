//! The identities in a data folder: listed without being opened, made, and deleted.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sotto_crypto::{Argon2Cost, Identity};
use sotto_net::people::{WELL_KNOWN, is_handle};
use sotto_net::wire::NAME_BYTES_MAX;
use thiserror::Error;

use crate::client::{Person, well_known_people};
use crate::environment::Environment;
use crate::vault::{self, Folder, Found, Vault, VaultError};

/// Identities on one computer. Each has a thread and a connection while it is in use.
pub const IDENTITIES_MAX: usize = 64;
/// A folder that is being deleted starts with this, and is nobody's any more.
const DELETED: &str = ".deleted-";
/// The folder in which one is being restored.
const RESTORING: &str = ".restoring";

/// Why an identity was not made or deleted. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A handle has 1 to 64 lower-case letters, digits, and inner dots, dashes and underscores.
    #[error("it is no handle")]
    Handle,
    /// A display name has 1 to 64 bytes and no control characters.
    #[error("it is no name")]
    Name,
    /// There is one with this handle here.
    #[error("the handle is taken here")]
    Taken,
    /// There is none with this handle here.
    #[error("there is no such identity")]
    Missing,
    /// There are too many.
    #[error("there are too many identities")]
    TooMany,
    /// Another process uses it.
    #[error("the identity is open elsewhere")]
    OpenElsewhere,
    /// There is no room on the disk.
    #[error("the disk is full")]
    Full,
    /// A file or folder cannot be read or written.
    #[error("the folder cannot be read or written")]
    Unreadable,
    /// The system gives no thread.
    #[error("no thread can be started")]
    Thread,
}

impl From<io::Error> for IdentityError {
    fn from(error: io::Error) -> Self {
        VaultError::from(error).into()
    }
}

impl From<VaultError> for IdentityError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::OpenElsewhere => Self::OpenElsewhere,
            VaultError::Full => Self::Full,
            _ => Self::Unreadable,
        }
    }
}

/// Where an identity's profile is kept.
pub(crate) fn folder(data_dir: &Path, handle: &str) -> PathBuf {
    profiles(data_dir).join(handle)
}

/// Where an identity is kept while it is restored.
pub(crate) fn restoring(data_dir: &Path) -> PathBuf {
    profiles(data_dir).join(RESTORING)
}

fn profiles(data_dir: &Path) -> PathBuf {
    data_dir.join("profiles")
}

/// The handles that have a vault here, in the order of the alphabet after the well-known ones.
/// Links, and folders whose name is no handle, are passed over.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(data_dir: &Path) -> Result<Vec<String>, IdentityError> {
    let entries = match fs::read_dir(profiles(data_dir)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut handles = Vec::new();
    for entry in entries {
        let entry = entry?;
        // The type of the entry itself: that of a link is not that of what it points to.
        let is_folder = entry.file_type()?.is_dir();
        if let Ok(handle) = entry.file_name().into_string()
            && is_folder
            && is_handle(&handle)
            && vault::exists(&entry.path())
        {
            handles.push(handle);
        }
    }
    let place = |handle: &String| WELL_KNOWN.iter().position(|(known, _)| known == handle);
    handles.sort_by_cached_key(|handle| (place(handle).unwrap_or(usize::MAX), handle.clone()));
    handles.truncate(IDENTITIES_MAX);
    Ok(handles)
}

/// The person behind a handle as far as that is known without opening the vault: the name of
/// anybody but the well-known people is the handle until then.
pub fn person(handle: &str) -> Person {
    let known = well_known_people();
    known
        .into_iter()
        .find(|person| person.handle == handle)
        .unwrap_or_else(|| Person {
            handle: handle.to_owned(),
            name: handle.to_owned(),
        })
}

/// Who is shown: the identities that are here, the well-known ones first; and of those the ones that
/// were not made yet, unless they were `deleted`, or somebody else was made.
///
/// # Errors
/// When the folder cannot be read.
pub fn people(data_dir: &Path, deleted: &[String]) -> Result<Vec<Person>, IdentityError> {
    let handles = list(data_dir)?;
    let known = well_known_people();
    let (known_handles, others): (Vec<String>, Vec<String>) = handles
        .into_iter()
        .partition(|handle| known.iter().any(|person| person.handle == *handle));
    let is_shown = |person: &Person| {
        let is_wanted = others.is_empty() && !deleted.contains(&person.handle);
        is_wanted || known_handles.contains(&person.handle)
    };
    let known = known.into_iter().filter(is_shown);
    Ok(known
        .chain(others.iter().map(|handle| person(handle)))
        .collect())
}

/// Whether a text can be a display name: 1 to 64 bytes, not white space alone, and no control
/// characters.
pub fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
}

/// Checks that a person could be added to those whose handles these are.
///
/// # Errors
/// [`IdentityError::Handle`], [`IdentityError::Name`], [`IdentityError::Taken`] or
/// [`IdentityError::TooMany`].
pub fn check(person: &Person, taken: &[&str]) -> Result<(), IdentityError> {
    if !is_handle(&person.handle) {
        return Err(IdentityError::Handle);
    }
    if !is_name(&person.name) {
        return Err(IdentityError::Name);
    }
    if taken.contains(&&*person.handle) {
        return Err(IdentityError::Taken);
    }
    if taken.len() >= IDENTITIES_MAX {
        return Err(IdentityError::TooMany);
    }
    Ok(())
}

/// Checks that an identity could be made, without making it.
///
/// # Errors
/// See [`IdentityError`].
pub fn check_new(data_dir: &Path, person: &Person) -> Result<(), IdentityError> {
    let taken = list(data_dir)?;
    let taken: Vec<&str> = taken.iter().map(|it| &**it).collect();
    check(person, &taken)
}

/// Makes an identity, with a vault that `passphrase` protects unless it is empty. Takes seconds,
/// because of the RSA key. Without relay: the handle is claimed when the identity is first
/// connected.
///
/// # Errors
/// See [`IdentityError`].
pub fn create(
    data_dir: &Path,
    person: &Person,
    passphrase: &str,
    cost: Argon2Cost,
    environment: &Environment,
) -> Result<(), IdentityError> {
    check_new(data_dir, person)?;
    let folder = match vault::find(&folder(data_dir, &person.handle)) {
        Ok(Found::Nothing(folder)) => folder,
        // Made by another process since the look into the folder.
        Ok(_) => return Err(IdentityError::Taken),
        Err(error) => return Err(error.into()),
    };
    let mut rng = environment.rng();
    let identity = Identity::generate(&mut rng).map_err(|_| IdentityError::Unreadable)?;
    let protection = (!passphrase.is_empty()).then_some((passphrase, cost));
    Vault::create(folder, &identity, &person.name, &[], protection, &mut rng)?;
    Ok(())
}

/// Deletes an identity for good: its keys, its messages and everything else. Its handle stays with
/// its keys at the relays that know it, so that nobody else can take it there.
///
/// A crash leaves either all of it or nothing that could be opened.
///
/// # Errors
/// See [`IdentityError`].
pub fn delete(data_dir: &Path, handle: &str) -> Result<(), IdentityError> {
    if !list(data_dir)?.iter().any(|it| it == handle) {
        return Err(IdentityError::Missing);
    }
    let gone = profiles(data_dir).join(format!("{DELETED}{handle}"));
    // What an earlier deletion left behind is in the way.
    finish_deletions(data_dir)?;
    vault::move_away(&folder(data_dir, handle), &gone)?;
    vault::remove(&gone)?;
    Ok(())
}

/// Removes what deletions and restorations have left that a crash has interrupted.
pub(crate) fn tidy(data_dir: &Path) -> Result<(), IdentityError> {
    let restoring = restoring(data_dir);
    if restoring.is_dir() && Folder::lock(&restoring).is_ok() {
        vault::remove(&restoring)?;
    }
    finish_deletions(data_dir)
}

/// Ends deletions that a crash has interrupted.
fn finish_deletions(data_dir: &Path) -> Result<(), IdentityError> {
    let entries = match fs::read_dir(profiles(data_dir)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let is_gone = name.to_str().and_then(|name| name.strip_prefix(DELETED));
        if is_gone.is_some_and(is_handle) && entry.file_type()?.is_dir() {
            vault::remove(&entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
