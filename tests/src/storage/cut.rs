//! A power cut after every storage operation of a recorded program.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::storage::disk::Disk;
use crate::storage::strace::Event;
use crate::storage::variable;

/// What a program has said about itself up to a moment, and whether a folder keeps it.
pub trait Witness: Clone + Send + Sync {
    /// Takes note of a line that the program wrote.
    fn note(&mut self, mark: &str);

    /// Opens what a power cut has left in this folder, which may be changed.
    ///
    /// # Errors
    /// What is not as it was promised.
    fn check(&self, folder: &Path, chance: &mut StdRng) -> Result<(), String>;
}

/// Power cuts in the course of one recorded program.
#[derive(Debug, Clone, Copy)]
pub struct Cuts {
    /// Decides what is kept.
    pub seed: u64,
    /// Ways to leave what is not certain, after each operation.
    pub variants: usize,
    /// Of so many operations one is followed by a cut; 1 for every one.
    pub stride: usize,
}

impl fmt::Display for Cuts {
    /// The environment that makes the same cuts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            seed,
            variants,
            stride,
        } = self;
        write!(
            f,
            "SOTTO_SEED={seed} SOTTO_CUTS={variants} SOTTO_STRIDE={stride}"
        )
    }
}

/// How much was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Moments.
    pub moments: usize,
    /// Folders that were built and opened.
    pub folders: usize,
}

impl Cuts {
    /// Cuts whose chance is `SOTTO_SEED`, of as many variants and as close to each other as
    /// `SOTTO_CUTS` and `SOTTO_STRIDE` say: 2 and `stride` unless given.
    pub fn new(stride: usize) -> Self {
        let number = |name| variable(name).and_then(|number| usize::try_from(number).ok());
        Self {
            seed: variable("SOTTO_SEED").unwrap_or_else(rand::random),
            variants: number("SOTTO_CUTS").unwrap_or(2),
            stride: number("SOTTO_STRIDE").unwrap_or(stride),
        }
    }

    /// Cuts the power after every operation on `root`, and has each folder checked.
    ///
    /// # Errors
    /// The first moment at which a promise was broken, or a call that is not known.
    pub fn run<W: Witness>(
        &self,
        events: &[Event],
        root: &Path,
        witness: &W,
    ) -> Result<Tally, String> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|_| scope.spawn(|| self.work(events, root, witness.clone(), &next)))
                .collect();
            let mut tally = Tally::default();
            for worker in workers {
                let part = worker
                    .join()
                    .map_err(|_| "a check has panicked".to_owned())??;
                tally.moments += part.moments;
                tally.folders += part.folders;
            }
            Ok(tally)
        })
    }

    /// Goes through all events, and cuts at those moments that no other thread has taken.
    fn work(
        &self,
        events: &[Event],
        root: &Path,
        mut witness: impl Witness,
        next: &AtomicUsize,
    ) -> Result<Tally, String> {
        let mut disk = Disk::new(root, is_volatile, self.seed);
        let mut tally = Tally::default();
        let mut mine = next.fetch_add(1, Ordering::Relaxed);
        let mut moment = 0;
        for (at, event) in events.iter().enumerate() {
            match event {
                Event::Mark(mark) => witness.note(mark),
                Event::Call(call) => disk.apply(call)?,
            }
            // Marks change no disk: the strictest moment is that after the last of them.
            if matches!(events.get(at + 1), Some(Event::Mark(_))) || !self.is_chosen(event, at) {
                continue;
            }
            if moment == mine {
                tally.moments += 1;
                tally.folders += self.cut(&disk, &witness, at).inspect_err(|_| {
                    // The others have nothing left to do.
                    next.store(usize::MAX / 2, Ordering::Relaxed);
                })?;
                mine = next.fetch_add(1, Ordering::Relaxed);
            }
            moment += 1;
        }
        Ok(tally)
    }

    /// Whether the power is cut after this event: always where a program has made a promise.
    fn is_chosen(&self, event: &Event, at: usize) -> bool {
        let mut chance = StdRng::seed_from_u64(self.seed ^ at as u64);
        match event {
            Event::Mark(_) => true,
            Event::Call(_) => chance.random_range(0..self.stride.max(1)) == 0,
        }
    }

    fn cut(&self, disk: &Disk, witness: &impl Witness, at: usize) -> Result<usize, String> {
        let variants = if disk.is_settled() { 1 } else { self.variants };
        for variant in 0..variants {
            let seed = (at as u64) << 16 ^ variant as u64;
            let mut chance = StdRng::seed_from_u64(self.seed.wrapping_add(seed));
            let folder = scratch().map_err(|error| error.to_string())?;
            disk.cut(folder.path(), &mut chance)
                .map_err(|error| error.to_string())?;
            witness.check(folder.path(), &mut chance).map_err(|error| {
                format!("a power cut after event {at}, variant {variant}: {error}")
            })?;
        }
        Ok(variants)
    }
}

/// Whether a file is not kept over a power cut: locks, and what SQLite's connections share.
fn is_volatile(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.ends_with(b"-shm") || name.ends_with(b"lock")
}

/// A folder for files that nobody needs afterwards, in memory where the system offers it.
///
/// # Errors
/// When none can be made.
pub fn scratch() -> std::io::Result<tempfile::TempDir> {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    }
}
