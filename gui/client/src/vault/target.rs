//! A file outside the profiles' folders that is written completely or not at all.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::Builder;

use super::folder::sync_dir;
use crate::backup::BackupError;

/// Where something is written.
pub(crate) struct Target {
    pub(crate) path: PathBuf,
    /// Whether a file of this name goes.
    pub(crate) replaces: bool,
}

impl Target {
    /// Whether it may be written; `profiles` is the folder of all profiles.
    pub(super) fn check(&self, profiles: &Path) -> Result<(), BackupError> {
        if fs::canonicalize(self.folder())?.starts_with(fs::canonicalize(profiles)?) {
            return Err(BackupError::Inside);
        }
        if !self.replaces && self.path.symlink_metadata().is_ok() {
            return Err(BackupError::Exists);
        }
        Ok(())
    }

    /// Writes under another name, synchronises, has it verified, and gives it its name. What is not
    /// complete is gone again. Gives the size, in bytes.
    pub(super) fn write(
        &self,
        profiles: &Path,
        fill: impl FnOnce(&mut File) -> Result<(), BackupError>,
        verify: impl FnOnce(&Path) -> Result<(), BackupError>,
    ) -> Result<u64, BackupError> {
        // Made for its owner only.
        let mut new = Builder::new()
            .prefix(".sotto-")
            .suffix(".new")
            .tempfile_in(self.folder())?;
        fill(new.as_file_mut())?;
        new.as_file().sync_all()?;
        let bytes = new.as_file().metadata()?.len();
        verify(new.path())?;
        // Not every file system can refuse to replace when it renames.
        self.check(profiles)?;
        new.persist(&self.path).map_err(|failed| failed.error)?;
        sync_dir(self.folder())?;
        Ok(bytes)
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }
}
