//! A backup: one file with everything of an identity that outlives its sessions (PROTOCOL §7.3).

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write as _};
use std::path::Path;

use rand::rngs::StdRng;
use sotto_crypto::{
    Argon2Cost, MasterKey, RecoveryCode, VaultHeader, VaultHeaderError, VaultSecret, VaultSlot,
};
use zeroize::Zeroizing;

use super::copy::{Extent, Progress, Reader, connect_alone, verify};
use super::folder::{Folder, scratch};
use super::target::Target;
use super::{DatabaseKey, VaultError, connect, key_text, migrate, unlock, version_of};
use crate::backup::BackupError;
use crate::command::Passphrase;

const MAGIC: &[u8; 8] = b"SottoBak";
const VERSION: u8 = 1;
const FRONT_BYTES: usize = 8 + 1 + 4;
/// A header with all slots takes 545 bytes.
const HEADER_BYTES_MAX: usize = 1024;
/// The size of SQLCipher's pages, of which a database has whole ones.
const PAGE_BYTES: u64 = 4096;
/// What is copied between two looks at whether to go on, in bytes.
const STRETCH_BYTES: usize = 1024 * 1024;

impl From<VaultError> for BackupError {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::OpenElsewhere => Self::OpenElsewhere,
            VaultError::Full => Self::Full,
            VaultError::Newer => Self::Newer,
            VaultError::Damaged | VaultError::KeyMissing => Self::Damaged,
            VaultError::WrongSecret => Self::WrongSecret,
            VaultError::Unreadable => Self::File,
        }
    }
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        VaultError::from(error).into()
    }
}

impl From<VaultHeaderError> for BackupError {
    fn from(error: VaultHeaderError) -> Self {
        VaultError::from(error).into()
    }
}

/// What opens a backup.
pub(crate) struct Protection {
    /// Empty for none.
    pub(crate) passphrase: Passphrase,
    pub(crate) code: Option<RecoveryCode>,
    pub(crate) cost: Argon2Cost,
}

impl Protection {
    fn header(&self, master: &MasterKey, rng: &mut StdRng) -> Result<VaultHeader, BackupError> {
        let passphrase =
            (!self.passphrase.is_empty()).then(|| VaultSecret::Passphrase(&self.passphrase));
        let code = self.code.as_ref().map(VaultSecret::RecoveryCode);
        let mut secrets = passphrase.into_iter().chain(code);
        let first = secrets.next().ok_or(BackupError::NoSecret)?;
        let mut header = VaultHeader::create(master, &first, self.cost, rng)?;
        for secret in secrets {
            header.set(master, &secret, rng)?;
        }
        Ok(header)
    }

    /// One of the secrets, as a person types it.
    fn typed(&self) -> Passphrase {
        match &self.code {
            Some(code) if self.passphrase.is_empty() => code.to_text(),
            _ => self.passphrase.clone(),
        }
    }
}

impl Reader {
    /// Writes a backup, and opens it as its restoration would before it gets its name. Gives its size.
    pub(crate) fn back_up(
        &self,
        handle: &str,
        target: &Target,
        protection: &Protection,
        rng: &mut StdRng,
        progress: &mut Progress<'_>,
    ) -> Result<u64, BackupError> {
        target.check(self.profiles())?;
        let master = MasterKey::generate(rng);
        let header = protection.header(&master, rng)?;
        let database = scratch(&self.folder)?;
        let extent = self.copy(handle, &database, &master.database_key(), progress)?;
        let fill = |file: &mut File| {
            let mut file = BufWriter::new(file);
            file.write_all(&front(&header))?;
            io::copy(&mut File::open(&database)?, &mut file)?;
            file.flush()?;
            database.close()?;
            Ok(())
        };
        let verify = |written: &Path| {
            let again = scratch(&self.folder)?;
            let mut go_on = |_, _| progress(1, 1);
            match OpenBackup::open(written, &protection.typed(), &again, &mut go_on) {
                Ok(opened) if opened.extent == extent && opened.handle == handle => Ok(()),
                Err(error @ (BackupError::Full | BackupError::Cancelled)) => Err(error),
                _ => Err(BackupError::Unverified),
            }
        };
        target.write(self.profiles(), fill, verify)
    }
}

/// A backup that was opened with the right secret, and its database, which lies elsewhere now.
pub(crate) struct OpenBackup {
    /// Whose it is.
    pub(crate) handle: String,
    key: DatabaseKey,
    slot: VaultSlot,
    extent: Extent,
}

impl OpenBackup {
    /// Opens a backup, puts its database into the file at `database`, and looks at all of it.
    pub(crate) fn open(
        backup: &Path,
        secret: &str,
        database: &Path,
        progress: &mut Progress<'_>,
    ) -> Result<Self, BackupError> {
        let file = File::open(backup)?;
        let bytes = file.metadata()?.len();
        let mut file = BufReader::new(file);
        let (header, front_bytes) = read_front(&mut file)?;
        let body = bytes.saturating_sub(front_bytes);
        if body == 0 || body % PAGE_BYTES != 0 {
            return Err(BackupError::Damaged);
        }
        let (master, slot) = unlock(&header, secret)?;
        let key = master.database_key();
        take_body(&mut file, body, database, progress)?;
        let extent = verify(database, &key)?;
        if progress(body, body).is_break() {
            return Err(BackupError::Cancelled);
        }
        let connection = connect(database, &key)?;
        let handle = connection.query_row("SELECT handle FROM backup", [], |row| row.get(0))?;
        Ok(Self {
            handle,
            key,
            slot,
            extent,
        })
    }

    /// Begins a new life in this folder, which has no vault, with keys of its own. Gives the handle.
    pub(crate) fn install(
        self,
        database: &Path,
        folder: &Folder,
        secret: &str,
        cost: Argon2Cost,
        rng: &mut StdRng,
    ) -> Result<String, BackupError> {
        let code = secret.parse().ok();
        let code = code.filter(|_| self.slot == VaultSlot::RecoveryCode);
        let passphrase = if code.is_some() { "" } else { secret };
        let protection = Protection {
            passphrase: Passphrase::new(passphrase.to_owned()),
            code,
            cost,
        };
        let master = MasterKey::generate(rng);
        let header = protection.header(&master, rng)?;
        {
            let mut connection = connect_alone(database, &self.key)?;
            let version = version_of(&connection)?;
            let transaction = connection.transaction()?;
            migrate(&transaction, version)?;
            transaction.execute_batch("DROP TABLE backup")?;
            transaction.commit()?;
            let mut pragma = Zeroizing::new(String::with_capacity(128));
            pragma.push_str("PRAGMA rekey = \"");
            pragma.push_str(&key_text(&master.database_key()));
            pragma.push('"');
            connection.execute_batch(&pragma)?;
            connection.close().map_err(|(_, error)| error)?;
        }
        if verify(database, &master.database_key())? != self.extent {
            return Err(BackupError::Unverified);
        }
        folder.remove_key()?;
        folder.write_header(&header)?;
        fs::rename(database, folder.new_database()?)?;
        folder.install_database()?;
        Ok(self.handle)
    }
}

fn front(header: &VaultHeader) -> Vec<u8> {
    let header = header.encode();
    let length = u32::try_from(header.len()).unwrap_or(u32::MAX);
    [MAGIC, &[VERSION][..], &length.to_be_bytes(), &header].concat()
}

/// The header in front of a backup's database, and how many bytes there are before that.
fn read_front(file: &mut impl Read) -> Result<(VaultHeader, u64), BackupError> {
    let mut front = [0; FRONT_BYTES];
    read_exact(file, &mut front, BackupError::NotBackup)?;
    let [magic @ .., version, a, b, c, d] = front;
    if magic != *MAGIC {
        return Err(BackupError::NotBackup);
    }
    match version {
        VERSION => {}
        0 => return Err(BackupError::Damaged),
        _ => return Err(BackupError::Newer),
    }
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
    if length > HEADER_BYTES_MAX {
        return Err(BackupError::Damaged);
    }
    let mut header = vec![0; length];
    read_exact(file, &mut header, BackupError::Damaged)?;
    let header = VaultHeader::parse(&header)?;
    Ok((header, (FRONT_BYTES + length) as u64))
}

/// Fills the buffer, or says what it means that there is less.
fn read_exact(
    file: &mut impl Read,
    buffer: &mut [u8],
    less: BackupError,
) -> Result<(), BackupError> {
    file.read_exact(buffer).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => less,
        _ => error.into(),
    })
}

fn take_body(
    file: &mut impl Read,
    bytes: u64,
    to: &Path,
    progress: &mut Progress<'_>,
) -> Result<(), BackupError> {
    let mut to = File::options().write(true).open(to)?;
    let mut stretch = vec![0; STRETCH_BYTES];
    let mut done = 0;
    while done < bytes {
        if progress(done, bytes).is_break() {
            return Err(BackupError::Cancelled);
        }
        let length = (bytes - done).min(STRETCH_BYTES as u64);
        let part = stretch.get_mut(..usize::try_from(length).unwrap_or(0));
        let part = part.unwrap_or_default();
        read_exact(file, part, BackupError::Damaged)?;
        to.write_all(part)?;
        done += length;
    }
    to.sync_all()?;
    Ok(())
}
