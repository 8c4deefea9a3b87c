//! Where a passphrase comes from: a file, a descriptor or a prompt, and never the command line,
//! which every process of the computer can read.

use std::fmt::Display;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sotto_client::Passphrase;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::options::Common;
use crate::words;

/// The longest passphrase that is read, in bytes.
const PASSPHRASE_BYTES_MAX: usize = 4096;

/// Refuses to read a passphrase where something else is to be read.
pub(crate) fn not_from_stdin(common: &Common) -> Result<(), Failure> {
    match common.passphrase_fd {
        Some(0) => Err(Failure::Usage(words::passphrase_stdin())),
        _ => Ok(()),
    }
}

/// What the options name, if they name something.
pub(crate) fn given(common: &Common) -> Result<Option<Passphrase>, Failure> {
    let path = match (&common.passphrase_file, common.passphrase_fd) {
        (Some(path), _) => path.clone(),
        // Elsewhere than on Unix there is no such file, and that is said.
        (None, Some(number)) => PathBuf::from(format!("/dev/fd/{number}")),
        (None, None) => return Ok(None),
    };
    read(&path).map(Some)
}

/// The passphrase of an identity that needs one.
pub(crate) fn ask(common: &Common, handle: &str) -> Result<Passphrase, Failure> {
    match given(common)? {
        Some(passphrase) => Ok(passphrase),
        None => prompt(&format!("Passphrase of {handle}: ")),
    }
}

/// A new passphrase, typed twice.
pub(crate) fn choose(common: &Common, handle: &str) -> Result<Passphrase, Failure> {
    if let Some(passphrase) = given(common)? {
        return Ok(passphrase);
    }
    prompt_twice(&format!("New passphrase of {handle}: "))
}

/// A new passphrase from the terminal.
pub(crate) fn prompt_twice(text: &str) -> Result<Passphrase, Failure> {
    let passphrase = prompt(text)?;
    if passphrase.is_empty() {
        return Err(Failure::Usage(words::passphrase_empty()));
    }
    if prompt("Again: ")? != passphrase {
        return Err(Failure::Usage(words::passphrases_differ()));
    }
    Ok(passphrase)
}

/// No passphrase.
pub(crate) fn none() -> Passphrase {
    Zeroizing::new(String::new())
}

pub(crate) fn prompt(text: &str) -> Result<Passphrase, Failure> {
    let typed = rpassword::prompt_password(text);
    let typed = typed.map_err(|_| Failure::Locked(words::no_prompt()))?;
    Ok(Zeroizing::new(typed))
}

/// The first line of a file, and nothing beyond it: a descriptor may have more for others.
#[expect(
    clippy::unbuffered_bytes,
    reason = "a buffer would hold more than the line, and be left behind"
)]
pub(crate) fn read(path: &Path) -> Result<Passphrase, Failure> {
    let fail = |error: &dyn Display| Failure::Usage(words::passphrase_file(path, error));
    let file = File::open(path).map_err(|error| fail(&error))?;
    // Grown, the buffer would leave copies behind.
    let mut line = Zeroizing::new(Vec::with_capacity(PASSPHRASE_BYTES_MAX));
    for byte in file.bytes() {
        match byte.map_err(|error| fail(&error))? {
            b'\n' => break,
            _ if line.len() == PASSPHRASE_BYTES_MAX => {
                return Err(Failure::Usage(words::passphrase_length(path)));
            }
            byte => line.push(byte),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    match std::str::from_utf8(&line) {
        Ok("") => Err(Failure::Usage(words::passphrase_length(path))),
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(fail(&"it is not UTF-8")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_the_first_line_of_a_file_whatever_follows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let read = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            read(&path).ok().map(|passphrase| passphrase.to_string())
        };
        let longest = "x".repeat(PASSPHRASE_BYTES_MAX);
        assert_eq!(read(b"gr\xc3\xbcn\r\n\xff").unwrap(), "grün");
        assert_eq!(read(b" a b \n\xff").unwrap(), " a b ");
        assert_eq!(read(longest.as_bytes()).unwrap(), longest);
        assert_eq!(read(format!("{longest}x").as_bytes()), None);
        for none in [&b""[..], b"\n", b"\r\nx", b"\xff\n"] {
            assert_eq!(read(none), None);
        }
    }
}
