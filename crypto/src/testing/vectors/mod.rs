//! Frozen vectors: `tests/vectors/*.json`, whose README.md describes their layout.
//!
//! Each file is made here from fixed randomness, and what is made must be what lies frozen in the
//! repository. `SOTTO_WRITE_VECTORS=1 cargo test -p sotto-crypto vectors` writes the files anew;
//! that is a change of the protocol.

mod at_rest;
mod conversation;
mod derivations;
mod group;
mod handshake;
mod identities;

use std::path::Path;

use rand::{TryCryptoRng, TryRng};
use serde_json::{Value, json};

use super::{FixedRng, to_hex};

/// Compares what was made with the frozen file.
fn check(name: &str, made: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let path = folder.join(name);
    if std::env::var_os("SOTTO_WRITE_VECTORS").is_some() {
        let text = serde_json::to_string_pretty(made).unwrap();
        std::fs::write(&path, text + "\n").unwrap();
    }
    let frozen: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(frozen == *made, "{name} is not what this code makes");
}

#[test]
fn vectors_refuse_more_than_they_accept() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    let mut counts = [0, 0];
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            for (count, list) in counts.iter_mut().zip(["cases", "refused"]) {
                let cases = file[list].as_array().unwrap();
                // What follows from the packets of a conversation is no case of its own.
                *count += cases.iter().filter(|case| case["do"] != "open").count();
            }
        }
    }
    assert!(counts[1] > counts[0] && counts[0] > 0, "{counts:?}");
}

fn hex(bytes: impl AsRef<[u8]>) -> Value {
    to_hex(bytes.as_ref()).into()
}

/// A way to spoil bytes.
#[derive(Clone)]
enum Change {
    /// Exclusive or with one byte.
    Flip { at: usize, with: u8 },
    /// Other bytes from a place on.
    Put { at: usize, bytes: Vec<u8> },
    /// Only so many bytes of the front.
    Cut { bytes: usize },
    /// More at the end.
    Append { bytes: Vec<u8> },
    /// Some left out.
    Remove { at: usize, bytes: usize },
}

impl Change {
    fn flip(at: usize) -> Self {
        Self::Flip { at, with: 1 }
    }

    fn apply(&self, base: &[u8]) -> Vec<u8> {
        let mut changed = base.to_vec();
        match self {
            Self::Flip { at, with } => changed[*at] ^= with,
            Self::Put { at, bytes } => changed[*at..*at + bytes.len()].copy_from_slice(bytes),
            Self::Cut { bytes } => changed.truncate(*bytes),
            Self::Append { bytes } => changed.extend(bytes),
            Self::Remove { at, bytes } => drop(changed.drain(*at..*at + *bytes)),
        }
        changed
    }

    fn json(&self) -> Value {
        match self {
            Self::Flip { at, with } => json!({"flip": {"at": at, "with": hex([*with])}}),
            Self::Put { at, bytes } => json!({"put": {"at": at, "bytes": hex(bytes)}}),
            Self::Cut { bytes } => json!({"cut": bytes}),
            Self::Append { bytes } => json!({"append": hex(bytes)}),
            Self::Remove { at, bytes } => json!({"remove": {"at": at, "bytes": bytes}}),
        }
    }
}

/// The changes, each with what it is called, applied to `base`; `refusal` says what comes of it.
fn refusals(
    of: &str,
    base: &[u8],
    changes: impl IntoIterator<Item = (&'static str, Change)>,
    mut refusal: impl FnMut(&[u8]) -> String,
) -> Vec<Value> {
    changes
        .into_iter()
        .map(|(what, change)| {
            let reason = refusal(&change.apply(base));
            json!({"of": of, "what": what, "change": change.json(), "refusal": reason})
        })
        .collect()
}

/// The name of an error, or a failed test.
fn named<T, E: std::fmt::Debug>(outcome: Result<T, E>) -> String {
    match outcome {
        Ok(_) => panic!("accepted"),
        Err(error) => format!("{error:?}"),
    }
}

/// Fixed randomness that notes what was taken of it.
struct Recorder {
    rng: FixedRng,
    taken: Vec<u8>,
}

impl Recorder {
    fn new(seed: u64) -> Self {
        Self {
            rng: super::rng(seed),
            taken: Vec::new(),
        }
    }

    /// What was taken since the last call.
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.taken)
    }
}

impl TryRng for Recorder {
    words_from_bytes!();

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.rng.try_fill_bytes(bytes)?;
        self.taken.extend_from_slice(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Recorder {}
