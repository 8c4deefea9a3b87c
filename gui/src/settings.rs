//! How the window should look next time: one small file beside the profiles, nothing secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sotto::Theme;

/// Settings of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The colours.
    pub(crate) theme: Theme,
    path: PathBuf,
    /// As the file has them.
    written: Theme,
}

impl Settings {
    /// Reads the file; what it does not say, or nobody understands, is as usual.
    pub(crate) fn read(data_dir: &Path) -> Self {
        let path = data_dir.join("settings");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let theme = text
            .lines()
            .find_map(|line| Theme::named(line.strip_prefix("theme = ")?.trim()))
            .unwrap_or_default();
        Self {
            theme,
            path,
            written: theme,
        }
    }

    /// Writes the file if something changed, the whole of it or nothing.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        if self.theme == self.written {
            return Ok(());
        }
        let new = self.path.with_extension("new");
        fs::write(&new, format!("theme = {}\n", self.theme.name()))?;
        fs::rename(new, &self.path)?;
        self.written = self.theme;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = Settings::read(dir.path());
        assert_eq!(settings.theme, Theme::Dark);
        settings.theme = Theme::Light;
        settings.write().unwrap();
        assert_eq!(Settings::read(dir.path()).theme, Theme::Light);
        fs::write(dir.path().join("settings"), [0xff, b'x']).unwrap();
        assert_eq!(Settings::read(dir.path()).theme, Theme::Dark);
    }
}
