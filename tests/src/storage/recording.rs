//! A task that was carried out by a process of its own, under strace.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use tempfile::TempDir;

use crate::storage::cut::{Cuts, Witness, scratch};
use crate::storage::strace::{self, Event};

/// Names task, disk and notes to the process that carries the task out.
const VARIABLES: [&str; 3] = ["SOTTO_TASK", "SOTTO_DISK", "SOTTO_NOTES"];

/// What a process says about itself. Each note has its place among what the process does.
#[derive(Debug)]
pub struct Notes(File);

impl Notes {
    /// Writes a line.
    ///
    /// # Panics
    /// When it cannot.
    pub fn note(&self, line: &str) {
        let line = format!("{line}\n");
        // One call, so that the line has one place in the order.
        let written = (&self.0).write(line.as_bytes()).expect("a note is written");
        assert_eq!(written, line.len(), "a note is written in whole");
    }
}

/// What a process did to an empty disk, and the disk as it left it.
#[derive(Debug)]
pub struct Recording {
    folder: TempDir,
    /// In the order in which it happened.
    pub events: Vec<Event>,
}

impl Recording {
    /// Starts this test program again, with its test `process` alone, and makes calls fail as
    /// [`strace::run`] does: those that every program makes with these files of the disk only.
    ///
    /// # Errors
    /// When strace cannot do it, or the process did not end well.
    pub fn make(task: &str, faults: &[String], files: &[PathBuf]) -> io::Result<Self> {
        let folder = scratch()?;
        let disk = folder.path().join("disk");
        let (notes, log) = (folder.path().join("notes"), folder.path().join("strace"));
        fs::create_dir(&disk)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--exact", "process", "--ignored"]);
        let [task_name, disk_name, notes_name] = VARIABLES;
        command
            .env(task_name, task)
            .env(disk_name, &disk)
            .env(notes_name, &notes);
        // Every program opens and reads libraries before it comes to its own files.
        let mut only = Vec::new();
        let is_common = |fault: &String| fault.starts_with("openat:") || fault.starts_with("pread");
        if faults.iter().any(is_common) {
            only.extend(files.iter().map(|file| disk.join(file)));
            only.push(notes.clone());
        }
        let status = strace::run(&command, faults, &only, &log)?;
        if !status.success() {
            return Err(io::Error::other(format!("the process ended with {status}")));
        }
        let events = strace::read(&log, &disk, &notes)?;
        Ok(Self { folder, events })
    }

    /// The task's disk.
    pub fn disk(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Keeps everything for a person to look at.
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }

    /// Cuts the power all along, and gives what the process did.
    ///
    /// # Panics
    /// When a promise was broken. Says which, and where the recording is.
    #[expect(
        clippy::print_stdout,
        reason = "how much was tried belongs to a test's output"
    )]
    #[expect(clippy::panic, reason = "this is how a test fails")]
    pub fn cut(self, cuts: &Cuts, witness: &impl Witness) -> Vec<Event> {
        let started = Instant::now();
        match cuts.run(&self.events, &self.disk(), witness) {
            Ok(tally) => println!(
                "{} events, {} cuts, {} folders, {:?}",
                self.events.len(),
                tally.moments,
                tally.folders,
                started.elapsed()
            ),
            Err(error) => {
                let kept = self.keep();
                panic!("{cuts}: {error}; see {}", kept.display());
            }
        }
        self.events
    }
}

/// The process: has the task carried out that the environment names, on this disk.
///
/// # Panics
/// When the environment names none.
pub fn process(carry_out: impl FnOnce(&str, &Path, Notes)) {
    let [task, disk, notes] = VARIABLES.map(|name| std::env::var(name).expect("a variable"));
    let notes = Notes(File::create(notes).expect("a file for notes"));
    carry_out(&task, Path::new(&disk), notes);
}
