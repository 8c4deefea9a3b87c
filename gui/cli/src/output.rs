//! Standard output: whole lines at once, nothing in them that a terminal would obey, and no panic
//! when nobody reads.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use crate::failure::Failure;
use crate::words;

/// Writes and flushes.
pub(crate) fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Unread,
        _ => Failure::Failed(words::output(&error)),
    })
}

/// Writes lines, all of them at once.
pub(crate) fn lines(lines: impl Iterator<Item = String>) -> Result<(), Failure> {
    let text: String = lines.map(|line| line + "\n").collect();
    write(text.as_bytes())
}

/// Writes a line.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// A text that others chose, for a person: controls and what reorders text are written as
/// `\u{…}`, and further lines are indented, so that none of them looks like one of ours.
pub(crate) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => plain.push_str("\n    "),
            '\t' => plain.push(c),
            c if is_obeyed(c) => {
                // Writing to a string cannot fail.
                let _infallible = write!(plain, "\\u{{{:x}}}", u32::from(c));
            }
            c => plain.push(c),
        }
    }
    plain
}

/// A JSON text without the controls that JSON itself allows; they stand in its strings only.
pub(crate) fn plain_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if is_obeyed(c) {
            let _infallible = write!(plain, "\\u{:04x}", u32::from(c));
        } else {
            plain.push(c);
        }
    }
    plain
}

/// Whether a terminal does something at this character rather than show it. All of them have at
/// most four hex digits.
fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0x061C | 0x200E..=0x200F | 0x2028..=0x202E | 0x2066..=0x2069)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[2J\r\u{7f}\u{9b}31m\u{202e}b\n\tc";

    #[test]
    fn nothing_that_a_terminal_obeys_is_left_in_a_text() {
        assert_eq!(
            plain(HOSTILE),
            "a\\u{1b}[2J\\u{d}\\u{7f}\\u{9b}31m\\u{202e}b\n    \tc"
        );
        assert_eq!(plain("مرحبا 👩‍👩‍👧‍👦 ß"), "مرحبا 👩‍👩‍👧‍👦 ß");
    }

    #[test]
    fn json_stays_what_it_was() {
        let json = serde_json::to_string(HOSTILE).unwrap();
        let plain = plain_json(&json);
        assert!(!plain.chars().any(is_obeyed), "{plain:?}");
        let read: String = serde_json::from_str(&plain).unwrap();
        assert_eq!(read, HOSTILE);
    }
}
