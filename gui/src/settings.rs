//! What the window remembers: one small file beside the profiles, nothing secret.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sotto::Theme;

/// The longest time after which identities are locked: a day.
const LOCK_MINUTES_MAX: u64 = 24 * 60;

/// Settings of the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The colours.
    pub(crate) theme: Theme,
    /// Lock identities when nobody was there for this long, in whole minutes.
    pub(crate) lock_after: Option<Duration>,
    /// Those of the well-known people who were deleted and do not come back by themselves.
    pub(crate) deleted: Vec<String>,
    path: PathBuf,
}

impl Settings {
    /// Reads the file; what it does not say, or nobody understands, is as usual.
    pub(crate) fn read(data_dir: &Path) -> Self {
        let path = data_dir.join("settings");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let (found, value) = line.split_once(" = ")?;
                (found == name).then_some(value.trim())
            })
        };
        let minutes = value("lock_after_minutes").and_then(|minutes| minutes.parse().ok());
        let minutes = minutes.filter(|minutes| (1..=LOCK_MINUTES_MAX).contains(minutes));
        let deleted = value("deleted").unwrap_or_default().split_whitespace();
        Self {
            theme: value("theme").and_then(Theme::named).unwrap_or_default(),
            lock_after: minutes.map(Duration::from_mins),
            deleted: deleted.map(ToOwned::to_owned).collect(),
            path,
        }
    }

    /// Writes the file, the whole of it or nothing.
    pub(crate) fn write(&self) -> io::Result<()> {
        let mut lines = vec![format!("theme = {}\n", self.theme.name())];
        if let Some(span) = self.lock_after {
            let minutes = span.as_secs() / 60;
            lines.push(format!("lock_after_minutes = {minutes}\n"));
        }
        if !self.deleted.is_empty() {
            lines.push(format!("deleted = {}\n", self.deleted.join(" ")));
        }
        let new = self.path.with_extension("new");
        fs::write(&new, lines.concat())?;
        fs::rename(new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let usual = Settings::read(dir.path());
        assert_eq!((usual.theme, usual.lock_after), (Theme::Dark, None));
        usual.write().unwrap();
        assert_eq!(Settings::read(dir.path()), usual);
        let other = Settings {
            theme: Theme::Light,
            lock_after: Some(Duration::from_mins(15)),
            deleted: vec!["diana".to_owned(), "bob".to_owned()],
            ..usual.clone()
        };
        other.write().unwrap();
        assert_eq!(Settings::read(dir.path()), other);
    }

    #[test]
    fn what_nobody_understands_is_as_usual() {
        let dir = tempfile::tempdir().unwrap();
        let usual = Settings::read(dir.path());
        for text in [
            &[0xff, b'x'][..],
            b"theme = ultraviolet\nlock_after_minutes = 0\n",
            b"lock_after_minutes = 99999999999999999999\n",
            b"lock_after_minutes = 1441\nlock_after_minutes\n",
        ] {
            fs::write(dir.path().join("settings"), text).unwrap();
            assert_eq!(Settings::read(dir.path()), usual);
        }
    }
}
