//! The invite that a relay leaves in its folder, for whoever asks later.

use std::path::Path;
use std::{fs, io};

use sotto_net::Invite;

/// Name of the file: the invite as a link, and a line end.
const FILE: &str = "invite";

/// Notes the invite of the relay in this folder, in one step.
///
/// # Errors
/// When the folder cannot be written.
pub fn note_invite(dir: &Path, invite: &Invite) -> io::Result<()> {
    let path = dir.join(FILE);
    let new = path.with_extension("new");
    fs::write(&new, format!("{invite}\n"))?;
    fs::rename(new, path)
}

/// The invite that was noted last.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] when none was, [`io::ErrorKind::InvalidData`] when it is none.
pub fn noted_invite(dir: &Path) -> io::Result<Invite> {
    let text = fs::read_to_string(dir.join(FILE))?;
    text.parse()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_invite_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let missing = noted_invite(dir.path()).map_err(|error| error.kind());
        assert_eq!(missing.err(), Some(io::ErrorKind::NotFound));
        let pin = sotto_net::RelayPin([7; 32]);
        for port in [1, 2] {
            let invite = Invite::to(([127, 0, 0, 1], port).into(), pin);
            note_invite(dir.path(), &invite).unwrap();
            assert_eq!(noted_invite(dir.path()).unwrap(), invite);
        }
        fs::write(dir.path().join(FILE), "nonsense").unwrap();
        let wrong = noted_invite(dir.path()).map_err(|error| error.kind());
        assert_eq!(wrong.err(), Some(io::ErrorKind::InvalidData));
    }
}
