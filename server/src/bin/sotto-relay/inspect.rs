//! What can be asked of a relay's folder without running the relay.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use sotto_relay::{Inspection, back_up_key, noted_invites};

use crate::picture::qr;
use crate::words;

const DAY_SECS: u64 = 24 * 60 * 60;

#[derive(Debug, Args)]
pub(crate) struct Folder {
    /// The relay's folder
    #[arg(long, value_name = "FOLDER", env = "SOTTO_RELAY_DATA")]
    data: PathBuf,
}

impl Folder {
    /// The links alone for scripts, and the first as a picture for a person.
    pub(crate) fn invite(self) -> Result<(), String> {
        let invites = noted_invites(&self.data).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!(
                "no relay has run on {} yet. Start it once with: sotto-relay serve.",
                self.data.display()
            ),
            _ => words::folder(&self.data, &error),
        })?;
        let mut out = io::stdout().lock();
        let links: Vec<_> = invites.iter().map(ToString::to_string).collect();
        let mut text = links.join("\n") + "\n";
        if let Some(invite) = invites.first().filter(|_| out.is_terminal()) {
            text = format!("{text}\n{}\n", qr(invite));
        }
        out.write_all(text.as_bytes())
            .map_err(|error| words::output(&error))
    }

    pub(crate) fn status(self) -> Result<(), String> {
        let words = |error| words::store(&self.data, &error);
        let inspection = Inspection::open(&self.data).map_err(words)?;
        let usage = inspection.usage().map_err(words)?;
        let state = if inspection.is_in_use() {
            "running"
        } else {
            "stopped"
        };
        let age = usage.oldest_stored_secs.map_or_else(String::new, |secs| {
            let days = now_secs().saturating_sub(secs) / DAY_SECS;
            format!(", the oldest {days} days old")
        });
        let text = format!(
            "relay {state}\nmailboxes {}\nwaiting {} envelopes, {} KiB{age}\n",
            usage.mailboxes,
            usage.envelopes,
            usage.bytes.div_ceil(1024),
        );
        let out = io::stdout().lock().write_all(text.as_bytes());
        out.map_err(|error| words::output(&error))
    }

    pub(crate) fn check(self) -> Result<(), String> {
        let inspection = Inspection::open(&self.data);
        inspection
            .and_then(|inspection| inspection.check())
            .map_err(|error| words::store(&self.data, &error))?;
        let out = io::stdout().lock().write_all(b"sound\n");
        out.map_err(|error| words::output(&error))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    #[command(flatten)]
    folder: Folder,

    /// A folder that does not exist yet, or is empty
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
}

impl Backup {
    pub(crate) fn run(self) -> Result<(), String> {
        let Self { folder, to } = self;
        if !is_empty(&to) {
            return Err(format!(
                "{} is not empty. Name a new folder with --to; nothing was changed.",
                to.display()
            ));
        }
        let inspection =
            Inspection::open(&folder.data).map_err(|error| words::store(&folder.data, &error))?;
        back_up_key(&folder.data, &to).map_err(|error| words::key(&to, &error))?;
        inspection
            .back_up(&to)
            .and_then(|()| Inspection::open(&to)?.check())
            .map_err(|error| words::store(&to, &error))?;
        let text = format!("backed up and checked: {}\n", to.display());
        let out = io::stdout().lock().write_all(text.as_bytes());
        out.map_err(|error| words::output(&error))
    }
}

/// Whether there is nothing at this path, or an empty folder.
fn is_empty(path: &Path) -> bool {
    match std::fs::read_dir(path) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    }
}

fn now_secs() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
