//! The files of a profile, and the lock that keeps a second process away from them.
//!
//! ```text
//! profiles/<handle>/        0700
//!   lock                    held while the profile is open
//!   vault.header            slots that wrap the master key (PROTOCOL §7)
//!   vault.key     0600      only without a passphrase: the secret of the header's slot
//!   vault.db                SQLCipher; comes last when a profile is made
//!   backup.db.new           while a backup is made
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sotto_crypto::VaultHeader;
use tempfile::TempPath;
use zeroize::Zeroizing;

use super::keyring::Entry;
use super::{Key, VaultError};

/// How long the keyring is waited for when an identity goes for good.
const KEYRING_WAIT: Duration = Duration::from_secs(3);

const LOCK: &str = "lock";
const HEADER: &str = "vault.header";
const KEY: &str = "vault.key";
const DATABASE: &str = "vault.db";
const NEW_DATABASE: &str = "vault.db.new";
const SCRATCH: &str = "backup.db.new";

/// The folder of one profile, locked for this process.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if there is none, and locks it.
    ///
    /// # Errors
    /// [`VaultError::OpenElsewhere`] when another process holds it; [`VaultError::Unreadable`]
    /// when it cannot be used, or it or a file in it is a link: what that leads to is not ours.
    pub(crate) fn lock(path: &Path) -> Result<Self, VaultError> {
        refuse_link(path)?;
        make_private_dir(path)?;
        for name in [LOCK, HEADER, KEY, DATABASE] {
            refuse_link(&path.join(name))?;
        }
        let lock = private_file(&path.join(LOCK))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(VaultError::OpenElsewhere),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes what a backup has left that was interrupted.
    pub(super) fn remove_scratch(&self) -> Result<(), VaultError> {
        Ok(remove_file(&self.path.join(SCRATCH))?)
    }

    /// Whether a vault lies here. Until its database is in place it is none.
    pub(super) fn has_vault(&self) -> Result<bool, VaultError> {
        Ok(self.database().try_exists()?)
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Where a new database is written; what an earlier try left there is gone.
    pub(crate) fn new_database(&self) -> Result<PathBuf, VaultError> {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            remove_file(&self.path.join(format!("{NEW_DATABASE}{suffix}")))?;
        }
        // SQLite would make it with the process's default mode.
        private_file(&self.path.join(NEW_DATABASE))?;
        Ok(self.path.join(NEW_DATABASE))
    }

    /// Puts the new database in place: from now on there is a vault.
    pub(super) fn install_database(&self) -> Result<(), VaultError> {
        let new = self.path.join(NEW_DATABASE);
        File::open(&new)?.sync_all()?;
        fs::rename(new, self.database())?;
        sync_dir(&self.path)?;
        sync_dir(parent(&self.path))?;
        Ok(())
    }

    pub(super) fn read_header(&self) -> Result<VaultHeader, VaultError> {
        read_header(&self.path)
    }

    pub(super) fn write_header(&self, header: &VaultHeader) -> Result<(), VaultError> {
        self.replace(HEADER, &header.encode())
    }

    pub(super) fn read_key(&self) -> Result<Key, VaultError> {
        let bytes = match fs::read(self.path.join(KEY)) {
            Ok(bytes) => Zeroizing::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(VaultError::KeyMissing);
            }
            Err(error) => return Err(error.into()),
        };
        let key = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| VaultError::KeyMissing)?;
        Ok(Key::new(key))
    }

    pub(super) fn write_key(&self, key: &[u8; 32]) -> Result<(), VaultError> {
        self.replace(KEY, key)
    }

    pub(super) fn remove_key(&self) -> Result<(), VaultError> {
        remove_file(&self.path.join(KEY))?;
        sync_dir(&self.path)?;
        Ok(())
    }

    /// Replaces a file in one step: a power cut leaves the old or the new one.
    fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), VaultError> {
        let new = self.path.join(format!("{name}.new"));
        remove_file(&new)?;
        let mut file = private_file(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(new, self.path.join(name))?;
        sync_dir(&self.path)?;
        Ok(())
    }
}

fn read_header(folder: &Path) -> Result<VaultHeader, VaultError> {
    /// A header is a few hundred bytes; more is not read.
    const HEADER_BYTES_MAX: u64 = 64 * 1024;
    let path = folder.join(HEADER);
    match fs::metadata(&path) {
        Ok(meta) if meta.len() > HEADER_BYTES_MAX => Err(VaultError::Damaged),
        Ok(_) => Ok(VaultHeader::parse(&fs::read(&path)?)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(VaultError::KeyMissing),
        Err(error) => Err(error.into()),
    }
}

/// An empty file in a profile's folder for a database that is gone again soon.
pub(super) fn scratch(folder: &Path) -> io::Result<TempPath> {
    let path = folder.join(SCRATCH);
    remove_file(&path)?;
    private_file(&path)?;
    TempPath::try_from_path(path)
}

/// Whether a vault lies in this folder.
pub(crate) fn exists(path: &Path) -> bool {
    path.join(DATABASE).is_file()
}

/// Moves a profile's folder that nobody uses, durably.
///
/// # Errors
/// [`VaultError::OpenElsewhere`] when somebody does.
pub(crate) fn move_away(path: &Path, to: &Path) -> Result<(), VaultError> {
    let folder = Folder::lock(path)?;
    // There, a folder with an open file in it cannot be moved, so that the move itself fails when
    // somebody opens the profile now.
    #[cfg(windows)]
    drop(folder);
    fs::rename(path, to)?;
    if let Some(parent) = path.parent() {
        sync_dir(parent)?;
    }
    #[cfg(not(windows))]
    drop(folder);
    Ok(())
}

/// Removes a profile's folder for good: first what opens the database, durably, then the rest. A key
/// in the keyring goes too, if the keyring is there and open.
///
/// # Errors
/// When something cannot be removed.
pub(crate) fn remove(path: &Path) -> Result<(), VaultError> {
    let header = read_header(path).ok();
    for name in [KEY, HEADER] {
        remove_file(&path.join(name))?;
        remove_file(&path.join(format!("{name}.new")))?;
    }
    sync_dir(path)?;
    if let Some(entry) = header.as_ref().and_then(Entry::of) {
        // Without its header it opens nothing.
        entry
            .remove()
            .recv_timeout(KEYRING_WAIT)
            .unwrap_or_default();
    }
    Ok(fs::remove_dir_all(path)?)
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn refuse_link(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => Err(io::ErrorKind::InvalidInput.into()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Opens a file for writing, made with mode 0600.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder, which is for its owner only whoever made it, and those above it.
fn make_private_dir(path: &Path) -> io::Result<()> {
    make_missing_dirs(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Makes a folder and those above it, as far as they are missing, for their owner only and durably:
/// what is synchronised in a folder is lost with the name of the folder.
fn make_missing_dirs(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    make_missing_dirs(parent(path))?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => sync_dir(parent(path)),
    }
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes renames in a folder durable, where the system knows such a thing.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
