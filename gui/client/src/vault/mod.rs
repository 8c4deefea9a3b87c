//! The vault of one identity: everything that the client keeps, encrypted, in one database with
//! one writer (PROTOCOL §7).
//!
//! The only place that knows SQLite. A [`Vault::commit`] is one transaction: session, message,
//! outbox and cursor change together or not at all, and it returns when they are durable.

mod assistant;
mod backup;
mod copy;
mod export;
mod folder;
mod keyring;
mod read;
mod search;
mod target;
mod write;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Once;

use data_encoding::HEXLOWER;
use rand::CryptoRng;
use rusqlite::{Connection, OpenFlags};
use sotto_crypto::{
    Argon2Cost, Identity, MasterKey, RecoveryCode, UnlockError, VaultHeader, VaultHeaderError,
    VaultSecret, VaultSlot,
};
use thiserror::Error;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

pub(crate) use self::assistant::AssistantSettings;
pub(crate) use self::backup::{OpenBackup, Protection};
pub(crate) use self::copy::{Progress, Reader};
pub(crate) use self::export::Export;
pub(crate) use self::folder::{Folder, exists, move_away, remove};
pub(crate) use self::keyring::Entry as KeyringEntry;
pub(crate) use self::search::Hit;
pub(crate) use self::target::Target;
pub(crate) use self::write::Committed;
use crate::core::effects::ChatRecord;

/// What each version added to the one before. A new vault goes through all of them, an older one
/// through those that it lacks; what was released is not changed any more.
const SCHEMAS: [&str; 4] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
];

/// Why the vault did not do what was asked. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(crate) enum VaultError {
    /// Another process has the profile open.
    #[error("profile is open in another process")]
    OpenElsewhere,
    /// A file cannot be read or written.
    #[error("vault cannot be read or written")]
    Unreadable,
    /// There is no room.
    #[error("disk is full")]
    Full,
    /// A newer version of the program wrote it.
    #[error("vault has a newer version")]
    Newer,
    /// It does not hold what it must.
    #[error("vault is damaged")]
    Damaged,
    /// Header or key file are missing, or do not belong to the database.
    #[error("key of the vault is missing")]
    KeyMissing,
    /// The passphrase or the recovery code is wrong.
    #[error("passphrase or recovery code is wrong")]
    WrongSecret,
}

impl From<io::Error> for VaultError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            _ => Self::Unreadable,
        }
    }
}

impl From<rusqlite::Error> for VaultError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi};
        // Without a code: a value of another type than the schema's.
        let Some(error) = error.sqlite_error() else {
            return Self::Damaged;
        };
        match error.code {
            ErrorCode::DiskFull => Self::Full,
            // The memory beside the database is a file too.
            _ if error.extended_code == ffi::SQLITE_IOERR_SHMSIZE => Self::Full,
            ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => Self::Damaged,
            _ => Self::Unreadable,
        }
    }
}

impl From<VaultHeaderError> for VaultError {
    fn from(error: VaultHeaderError) -> Self {
        match error {
            VaultHeaderError::Newer { .. } => Self::Newer,
            VaultHeaderError::Memory => Self::Unreadable,
            _ => Self::Damaged,
        }
    }
}

/// What lies in a profile's folder.
pub(crate) enum Found {
    /// No vault yet.
    Nothing(Folder),
    /// A vault that a person or the keyring has to open.
    Locked(LockedVault),
    /// A vault whose key lies beside it.
    Open(Vault),
}

/// Locks the folder and looks what is there; opens a vault whose key lies beside it.
///
/// # Errors
/// See [`VaultError`].
pub(crate) fn find(path: &Path) -> Result<Found, VaultError> {
    let folder = Folder::lock(path)?;
    if !folder.has_vault()? {
        return Ok(Found::Nothing(folder));
    }
    let header = folder.read_header()?;
    if !header.has(VaultSlot::KeyFile) {
        return Ok(Found::Locked(LockedVault { folder, header }));
    }
    let key = folder.read_key()?;
    let master = header
        .unlock(&VaultSecret::KeyFile(&key))
        .map_err(|_| VaultError::KeyMissing)?;
    Ok(Found::Open(Vault::open(folder, header, master)?))
}

/// A vault that waits for its passphrase or recovery code, or for the key from the keyring.
pub(crate) struct LockedVault {
    folder: Folder,
    header: VaultHeader,
}

impl LockedVault {
    /// Whether a recovery code opens the vault.
    pub(crate) fn has_recovery_code(&self) -> bool {
        self.header.has(VaultSlot::RecoveryCode)
    }

    /// Whether a passphrase opens the vault.
    pub(crate) fn has_passphrase(&self) -> bool {
        self.header.has(VaultSlot::Passphrase)
    }

    /// Where in the keyring the key lies, if it lies there.
    pub(crate) fn keyring_entry(&self) -> Option<KeyringEntry> {
        KeyringEntry::of(&self.header)
    }

    /// Opens the vault with the key from the keyring. The second half of an error gives the locked
    /// vault back when it was another key.
    pub(crate) fn unlock_with(self, key: &Key) -> Result<Vault, (VaultError, Option<Self>)> {
        match self.header.unlock(&VaultSecret::Keyring(key)) {
            Ok(master) => {
                Vault::open(self.folder, self.header, master).map_err(|error| (error, None))
            }
            Err(_) => Err((VaultError::WrongSecret, Some(self))),
        }
    }

    /// Opens the vault with its passphrase or recovery code; with a passphrase it takes about a
    /// second, by design. The second half of an error gives the locked vault back when the secret
    /// was wrong.
    pub(crate) fn unlock(self, secret: &str) -> Result<Vault, (VaultError, Option<Self>)> {
        match unlock(&self.header, secret) {
            Ok((master, _)) => {
                Vault::open(self.folder, self.header, master).map_err(|error| (error, None))
            }
            Err(VaultError::WrongSecret) => Err((VaultError::WrongSecret, Some(self))),
            Err(error) => Err((error, None)),
        }
    }
}

/// The master key, for what a person typed, and what that was: a recovery code or a passphrase.
fn unlock(header: &VaultHeader, secret: &str) -> Result<(MasterKey, VaultSlot), VaultError> {
    if let Ok(code) = secret.parse::<RecoveryCode>()
        && let Ok(master) = header.unlock(&VaultSecret::RecoveryCode(&code))
    {
        return Ok((master, VaultSlot::RecoveryCode));
    }
    header
        .unlock(&VaultSecret::Passphrase(secret))
        .map(|master| (master, VaultSlot::Passphrase))
        .map_err(|error| match error {
            UnlockError::Wrong | UnlockError::NoSlot => VaultError::WrongSecret,
            _ => VaultError::Unreadable,
        })
}

/// An open vault.
pub(crate) struct Vault {
    folder: Folder,
    header: VaultHeader,
    master: MasterKey,
    database: Connection,
}

impl Vault {
    /// A new vault, protected by a passphrase if one is given. There is none before the last step
    /// of this.
    ///
    /// # Errors
    /// When it cannot be written; the next try starts from nothing.
    pub(crate) fn create(
        folder: Folder,
        identity: &Identity,
        name: &str,
        chats: &[ChatRecord],
        protection: Option<(&str, Argon2Cost)>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<Self, VaultError> {
        let master = MasterKey::generate(rng);
        let header = if let Some((passphrase, cost)) = protection {
            folder.remove_key()?;
            VaultHeader::create(&master, &VaultSecret::Passphrase(passphrase), cost, rng)?
        } else {
            let key = random_key(rng);
            folder.write_key(&key)?;
            let secret = VaultSecret::KeyFile(&key);
            VaultHeader::create(&master, &secret, Argon2Cost::DEFAULT, rng)?
        };
        folder.write_header(&header)?;
        let path = folder.new_database()?;
        {
            let mut database = connect(&path, &master.database_key())?;
            let transaction = database.transaction()?;
            migrate(&transaction, 0)?;
            write::insert_profile(&transaction, identity, name, chats)?;
            transaction.commit()?;
            database.close().map_err(|(_, error)| error)?;
        }
        folder.install_database()?;
        Self::open(folder, header, master)
    }

    fn open(folder: Folder, header: VaultHeader, master: MasterKey) -> Result<Self, VaultError> {
        let mut database = connect(&folder.database(), &master.database_key())?;
        let version = version_of(&database)?;
        database.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
        if version < SCHEMAS.len() {
            let transaction = database.transaction()?;
            migrate(&transaction, version)?;
            transaction.commit()?;
        }
        folder.remove_scratch()?;
        if !header.has(VaultSlot::KeyFile) {
            // Left over when the power failed while a passphrase was being set.
            folder.remove_key()?;
        }
        Ok(Self {
            folder,
            header,
            master,
            database,
        })
    }

    /// Whether a passphrase protects the vault.
    pub(crate) fn has_passphrase(&self) -> bool {
        self.header.has(VaultSlot::Passphrase)
    }

    /// Whether a recovery code opens the vault.
    pub(crate) fn has_recovery_code(&self) -> bool {
        self.header.has(VaultSlot::RecoveryCode)
    }

    /// Whether its key lies in the keyring.
    pub(crate) fn has_keyring(&self) -> bool {
        self.header.has(VaultSlot::Keyring)
    }

    /// Whether a person has to open the vault again once it is closed.
    pub(crate) fn locks(&self) -> bool {
        !self.header.has(VaultSlot::KeyFile) && !self.has_keyring()
    }

    /// Sets, changes or (with an empty `new`) removes the passphrase; takes about a second. From then
    /// on the keyring opens the vault no more. The slot is rewritten, the database is not. In place of the passphrase so far, `current` may be
    /// the recovery code.
    ///
    /// # Errors
    /// [`VaultError::WrongSecret`] when `current` is neither.
    pub(crate) fn set_passphrase(
        &mut self,
        current: &str,
        new: &str,
        cost: Argon2Cost,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), VaultError> {
        if self.locks() {
            unlock(&self.header, current)?;
        }
        if new.is_empty() && self.header.has(VaultSlot::KeyFile) {
            // The key that lies there opens this header, and another one would not.
            return Ok(());
        }
        // At every moment one of the headers can be opened with what lies beside it.
        let key = random_key(rng);
        let secret = if new.is_empty() {
            self.folder.write_key(&key)?;
            VaultSecret::KeyFile(&key)
        } else {
            VaultSecret::Passphrase(new)
        };
        let header = if self.has_recovery_code() {
            // The code stays what it is, and with it the salt and the cost.
            let mut header = self.header.clone();
            set_alone(&mut header, &self.master, &secret, rng)?;
            header
        } else {
            VaultHeader::create(&self.master, &secret, cost, rng)?
        };
        self.set_header(header)
    }

    /// Prepares that the keyring opens the vault, in place of a passphrase or a key file: stores a
    /// new key there.
    ///
    /// # Errors
    /// [`VaultError::WrongSecret`] when `current` is neither the passphrase nor the recovery code.
    pub(crate) fn move_to_keyring(
        &self,
        current: &str,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<KeyringMove, VaultError> {
        if self.locks() {
            unlock(&self.header, current)?;
        }
        let key = random_key(rng);
        let mut header = self.header.clone();
        set_alone(&mut header, &self.master, &VaultSecret::Keyring(&key), rng)?;
        let entry = KeyringEntry::of(&header).ok_or(VaultError::Damaged)?;
        Ok(KeyringMove {
            stored: entry.write(key),
            header,
        })
    }

    /// The second half of [`move_to_keyring`](Self::move_to_keyring), once the key is stored. In
    /// between, nothing else that opens the vault was changed.
    pub(crate) fn end_move(&mut self, prepared: KeyringMove) -> Result<(), VaultError> {
        self.set_header(prepared.header)
    }

    /// Puts another header in place. What opened the one so far, and does not open this one, goes.
    fn set_header(&mut self, header: VaultHeader) -> Result<(), VaultError> {
        self.folder.write_header(&header)?;
        let before = KeyringEntry::of(&self.header);
        let entry = KeyringEntry::of(&header);
        self.header = header;
        if let Some(before) = before.filter(|before| Some(before) != entry.as_ref()) {
            // It may take its time: it opens nothing.
            drop(before.remove());
        }
        if !self.header.has(VaultSlot::KeyFile) {
            self.folder.remove_key()?;
        }
        Ok(())
    }

    /// Sets or changes the recovery code, or removes it; the other way to open the vault stays.
    ///
    /// # Errors
    /// [`VaultError::WrongSecret`] when `current` is not the passphrase or the code so far.
    pub(crate) fn set_recovery_code(
        &mut self,
        current: &str,
        new: Option<&RecoveryCode>,
        rng: &mut (impl CryptoRng + ?Sized),
    ) -> Result<(), VaultError> {
        if self.locks() {
            unlock(&self.header, current)?;
        }
        let mut header = self.header.clone();
        match new {
            Some(code) => header.set(&self.master, &VaultSecret::RecoveryCode(code), rng)?,
            // Whoever has nothing else would have nothing left.
            None if self.locks() && !self.has_passphrase() => {
                return Err(VaultError::WrongSecret);
            }
            None => header.remove(VaultSlot::RecoveryCode),
        }
        self.set_header(header)
    }
}

/// A header whose key is on its way into the keyring. Dropped before that has ended, it leaves the
/// keyring as it was.
pub(crate) struct KeyringMove {
    header: VaultHeader,
    stored: oneshot::Receiver<()>,
}

impl KeyringMove {
    /// Waits until the key is stored; whether it is. Cancelling loses nothing.
    pub(crate) async fn is_stored(&mut self) -> bool {
        (&mut self.stored).await.is_ok()
    }
}

/// The secret of a slot that holds a key file's or the keyring's key.
pub(crate) type Key = Zeroizing<[u8; 32]>;

fn random_key(rng: &mut (impl CryptoRng + ?Sized)) -> Key {
    let mut key = Key::new([0; 32]);
    rng.fill_bytes(&mut *key);
    key
}

/// Lets `secret`, and beside it only the recovery code so far, open what this header opens.
fn set_alone(
    header: &mut VaultHeader,
    master: &MasterKey,
    secret: &VaultSecret<'_>,
    rng: &mut (impl CryptoRng + ?Sized),
) -> Result<(), VaultError> {
    header.set(master, secret, rng)?;
    for slot in [
        VaultSlot::Passphrase,
        VaultSlot::KeyFile,
        VaultSlot::Keyring,
    ] {
        if slot != secret.slot() {
            header.remove(slot);
        }
    }
    Ok(())
}

/// Brings a database from this version to the newest; within the caller's transaction.
fn migrate(database: &Connection, version: usize) -> Result<(), VaultError> {
    for schema in SCHEMAS.iter().skip(version) {
        database.execute_batch(schema)?;
    }
    let newest = i64::try_from(SCHEMAS.len()).unwrap_or(i64::MAX);
    database.pragma_update(None, "user_version", newest)?;
    Ok(())
}

/// Makes the cipher ready, once in a process. SQLite lets a second thread go on before the first one
/// has done that (`SQLITE_EXTRA_INIT` runs outside its lock), and what it opens then fails.
fn prepare_cipher() {
    static READY: Once = Once::new();
    // Should this fail, so will what follows, and say why.
    READY.call_once(|| drop(Connection::open_in_memory()));
}

/// The version of a database's schema. It is put in place with its tables: 0 never was one.
fn version_of(database: &Connection) -> Result<usize, VaultError> {
    let version: i64 = database.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    match usize::try_from(version) {
        Ok(version) if version > SCHEMAS.len() => Err(VaultError::Newer),
        Ok(version) if version > 0 => Ok(version),
        _ => Err(VaultError::Damaged),
    }
}

/// A database's raw key.
type DatabaseKey = Zeroizing<[u8; 32]>;

/// A raw key as SQLCipher reads it.
fn key_text(key: &DatabaseKey) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(67));
    text.push_str("x'");
    HEXLOWER.encode_append(key.as_slice(), &mut text);
    text.push('\'');
    text
}

/// Opens a database with its raw key.
fn connect(path: &Path, key: &DatabaseKey) -> Result<Connection, VaultError> {
    prepare_cipher();
    let database = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    // What does not fit is said once, by the error; SQLCipher would write it to standard error too.
    let mut pragma = Zeroizing::new(String::with_capacity(256));
    pragma.push_str("PRAGMA cipher_log_level = NONE; PRAGMA key = \"");
    pragma.push_str(&key_text(key));
    pragma.push_str("\"; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;");
    database.execute_batch(&pragma)?;
    database.set_prepared_statement_cache_capacity(64);
    search::prepare(&database)?;
    // Fails with NotADatabase when the key does not fit the file.
    database.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(database)
}
