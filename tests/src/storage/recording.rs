//! A load that was carried out by a process of its own, under strace.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use tempfile::TempDir;

use crate::storage::cut::scratch;
use crate::storage::ledger::STORE;
use crate::storage::load::{self, Load};
use crate::storage::strace::{self, Event};

/// Names load, disk and notes to the process that carries the load out.
const VARIABLES: [&str; 3] = ["SOTTO_LOAD", "SOTTO_DISK", "SOTTO_NOTES"];

/// Files of the store.
const FILES: [&str; 5] = [
    "relay.lock",
    "relay.db",
    "relay.db-journal",
    "relay.db-wal",
    "relay.db-shm",
];

/// What a process did to an empty disk, and the disk as it left it.
#[derive(Debug)]
pub struct Recording {
    folder: TempDir,
    /// In the order in which it happened.
    pub events: Vec<Event>,
}

impl Recording {
    /// Starts this test program again, with its test `process` alone, and makes calls fail as
    /// [`strace::run`] does.
    ///
    /// # Errors
    /// When strace cannot do it, or the process did not end well.
    pub fn make(load: Load, faults: &[String]) -> io::Result<Self> {
        let folder = scratch()?;
        let disk = folder.path().join("disk");
        let (notes, log) = (folder.path().join("notes"), folder.path().join("strace"));
        fs::create_dir(&disk)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "process", "--ignored"]);
        let [load_name, disk_name, notes_name] = VARIABLES;
        command
            .env(load_name, load.to_text())
            .env(disk_name, &disk)
            .env(notes_name, &notes);
        // Every program opens and reads libraries before it comes to its own files.
        let mut only = Vec::new();
        let is_common = |fault: &String| fault.starts_with("openat:") || fault.starts_with("pread");
        if faults.iter().any(is_common) {
            let store = disk.join(STORE);
            only.extend(FILES.iter().map(|file| store.join(file)));
            only.extend([store, notes.clone()]);
        }
        let status = strace::run(&command, faults, &only, &log)?;
        if !status.success() {
            return Err(io::Error::other(format!("the process ended with {status}")));
        }
        let events = strace::read(&log, &disk, &notes)?;
        Ok(Self { folder, events })
    }

    /// The load's disk.
    pub fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Keeps everything for a person to look at.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}

/// The process: carries out the load that the environment names.
///
/// # Panics
/// When the environment names none.
pub fn process() {
    let [load, disk, notes] = VARIABLES.map(|name| std::env::var(name).expect("a variable"));
    let load = Load::from_text(&load).expect("a load");
    load::carry_out(load, &Path::new(&disk).join(STORE), Path::new(&notes));
}
