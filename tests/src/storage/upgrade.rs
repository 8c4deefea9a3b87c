//! A vault of an older version, which is opened and brought up to date.

use std::fs::{self, File};
use std::path::Path;

use rand::rngs::StdRng;
use sotto_client::view::{ProfileId, ProfileState};

use crate::storage::cut::Witness;
use crate::storage::recording::Notes;
use crate::{Desk, ask};

/// The vaults of older versions.
const OLD_VAULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../gui/client/tests/vaults");
/// Whose they are, and with whom they talked.
const PEOPLE: (&str, &str) = ("alice", "bob");

/// Puts a vault of this version on the disk, and opens it.
///
/// # Panics
/// When there is none, or it does not open.
pub fn carry_out(version: &str, disk: &Path, notes: &Notes) {
    let profile = disk.join("profiles").join(PEOPLE.0);
    fs::create_dir_all(&profile).expect("a folder");
    let old = Path::new(OLD_VAULTS).join(format!("version-{version}"));
    for name in ["vault.header", "vault.key", "vault.db"] {
        let bytes = fs::read(old.join(name)).expect("a file of an old vault");
        fs::write(profile.join(name), bytes).expect("a file");
        sync(&profile.join(name));
    }
    profile
        .ancestors()
        .take_while(|folder| folder.starts_with(disk))
        .for_each(sync);
    notes.note("there");
    Desk::open_only(disk, None, PEOPLE.0).wait_ready(PEOPLE.0);
}

fn sync(path: &Path) {
    let file = File::open(path).expect("a file");
    file.sync_all().expect("it is kept");
}

/// What the vault holds, whatever its version is by now.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contents {
    is_there: bool,
}

impl Witness for Contents {
    fn note(&mut self, _mark: &str) {
        self.is_there = true;
    }

    fn check(&self, folder: &Path, _chance: &mut StdRng) -> Result<(), String> {
        if !self.is_there {
            return Ok(());
        }
        let (who, peer) = PEOPLE;
        let desk = Desk::open_only(folder, None, who);
        desk.wait(who, "a vault that opens", |view| match &view.state {
            ProfileState::Ready => Some(Ok(())),
            ProfileState::Opening | ProfileState::Closed => None,
            state => Some(Err(format!("it is {state:?}"))),
        })?;
        let history = desk.client().history(&ProfileId::new(who), peer, None, 9);
        let history = ask(history).map_err(|error| error.to_string())?;
        let messages: Vec<_> = history.into_iter().map(|it| it.message.into()).collect();
        let draft = desk.chat(who, peer).draft;
        let texts = crate::texts(&messages);
        let is_right = texts == ["from Bob", "to Bob", "unread", "not sealed yet"]
            && draft == "half a thought";
        is_right
            .then_some(())
            .ok_or(format!("it holds {texts:?} and the draft {draft:?}"))
    }
}
