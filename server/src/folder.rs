//! Files that only their owner may read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// Bytes of a file that are read and written again at once.
const RENEWED_BYTES: usize = 1 << 20;

/// Makes the folder with mode 0700 if it is missing, durably; an existing one stays as it is.
pub(crate) fn make(path: &Path) -> io::Result<()> {
    // A relative path of one name lies in the current folder, whose name is empty here.
    let Some(parent) = path.parent().filter(|_| !path.is_dir()) else {
        return Ok(());
    };
    make(parent)?;
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Another process was faster.
        Err(_) if path.is_dir() => Ok(()),
        made => made,
    }?;
    // Without this, a power cut may take the folder with all that was confirmed in it. Where it
    // fails there is no folder, so that the next start tries it again.
    sync(parent).inspect_err(|_| drop(fs::remove_dir(path)))
}

/// Opens a file for writing, made with mode 0600 if it is missing.
pub(crate) fn open_private(path: &Path) -> io::Result<File> {
    private().create(true).truncate(false).open(path)
}

/// Writes a file with mode 0600 that is there in whole or not at all, and that replaces nothing.
///
/// Fails with [`io::ErrorKind::AlreadyExists`] when the path exists.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let written = (|| {
        let mut file = private().create_new(true).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::hard_link(&draft, path)
    })();
    let removed = fs::remove_file(&draft);
    written.and(removed)?;
    sync(path.parent().unwrap_or(path))
}

/// Writes a file's bytes once more where they are, and makes them durable; nothing where there is
/// no file. After a synchronisation that failed, the system shows bytes that may never have
/// reached the disk, and later ones leave them out.
pub(crate) fn renew(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    let mut bytes = Vec::with_capacity(RENEWED_BYTES);
    loop {
        let at = file.stream_position()?;
        bytes.clear();
        let length = (&mut file)
            .take(RENEWED_BYTES as u64)
            .read_to_end(&mut bytes)?;
        if length == 0 {
            return file.sync_all();
        }
        file.seek(SeekFrom::Start(at))?;
        file.write_all(&bytes)?;
    }
}

/// Makes names in this folder durable, where folders can be synchronised.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    if cfg!(unix) {
        File::open(folder)?.sync_all()
    } else {
        Ok(())
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options
}
