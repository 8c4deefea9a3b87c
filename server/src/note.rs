//! The invites that a relay leaves in its folder, for whoever asks later.

use std::path::Path;
use std::{fs, io};

use sotto_net::Invite;

/// Name of the file: a line for each invite, as a link.
const FILE: &str = "invite";

/// Notes the invites of the relay in this folder, in one step.
///
/// # Errors
/// When the folder cannot be written.
pub fn note_invites(dir: &Path, invites: &[Invite]) -> io::Result<()> {
    let path = dir.join(FILE);
    let new = path.with_extension("new");
    let links: Vec<_> = invites.iter().map(ToString::to_string).collect();
    fs::write(&new, links.join("\n") + "\n")?;
    fs::rename(new, path)
}

/// The invites that were noted last.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] when none were, [`io::ErrorKind::InvalidData`] when they are none.
pub fn noted_invites(dir: &Path) -> io::Result<Vec<Invite>> {
    let text = fs::read_to_string(dir.join(FILE))?;
    text.lines()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_invites_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let missing = noted_invites(dir.path()).map_err(|error| error.kind());
        assert_eq!(missing.err(), Some(io::ErrorKind::NotFound));
        let pin = sotto_net::RelayPin([7; 32]);
        for port in [1, 2] {
            let invites = [
                Invite::to_host("relay.example", port, pin).unwrap(),
                Invite::by_roots("relay.example", port).unwrap(),
            ];
            note_invites(dir.path(), &invites).unwrap();
            assert_eq!(noted_invites(dir.path()).unwrap(), invites);
        }
        fs::write(dir.path().join(FILE), "nonsense").unwrap();
        let wrong = noted_invites(dir.path()).map_err(|error| error.kind());
        assert_eq!(wrong.err(), Some(io::ErrorKind::InvalidData));
    }
}
