//! How a command ends without success.

use std::io::{self, Write as _};
use std::process::ExitCode;

/// Why a command did not do what was asked, with the sentence for it. The codes are documented, and
/// scripts rely on them.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Code 1: it cannot be done.
    Failed(String),
    /// Code 2: what was typed or given is wrong. Nothing was changed.
    Usage(String),
    /// Code 3: the relay did not answer in time. What was to be sent is kept.
    Late(String),
    /// Code 4: the identity cannot be opened now: it is open elsewhere, or the passphrase is
    /// missing or wrong.
    Locked(String),
    /// Whoever read the output has gone; there is nobody to tell.
    Unread,
}

impl Failure {
    /// Says it, and gives the exit code.
    pub(crate) fn end(self) -> ExitCode {
        let (code, sentence) = match self {
            Self::Failed(sentence) => (1, sentence),
            Self::Usage(sentence) => (2, sentence),
            Self::Late(sentence) => (3, sentence),
            Self::Locked(sentence) => (4, sentence),
            Self::Unread => return ExitCode::SUCCESS,
        };
        say(&sentence);
        ExitCode::from(code)
    }
}

/// Says it on standard error.
pub(crate) fn say(sentence: &str) {
    // Nothing is left to do when even standard error is gone.
    drop(writeln!(io::stderr(), "sotto-cli: {sentence}"));
}
