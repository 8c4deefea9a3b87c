//! Handles: what is one, and those of the four people that a relay knows unless told otherwise.

use crate::wire::NAME_BYTES_MAX;

/// Handle and display name of each, in the order in which they are shown. Only their names are
/// known here: their keys are made where they live.
pub const WELL_KNOWN: [(&str, &str); 4] = [
    ("alice", "Alice"),
    ("bob", "Bob"),
    ("charlie", "Charlie"),
    ("diana", "Diana"),
];

/// Whether a text is a handle (WIRE §3): lower-case letters, digits, and inner dots, dashes and
/// underscores. A handle is a file name everywhere, and never starts with a dot or a dash.
pub fn is_handle(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    bytes.len() <= NAME_BYTES_MAX
        && bytes.first().copied().is_some_and(is_plain)
        && bytes.last().copied().is_some_and(is_plain)
        && bytes
            .iter()
            .all(|&byte| is_plain(byte) || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_handles_from_other_names() {
        let longest = "a".repeat(NAME_BYTES_MAX);
        for handle in ["a", "alice", "0", "a.b-c_d", longest.as_str()] {
            assert!(is_handle(handle), "{handle}");
        }
        let too_long = "a".repeat(NAME_BYTES_MAX + 1);
        for other in [
            "",
            ".",
            "..",
            "a.",
            ".a",
            "-a",
            "a/b",
            "a\\b",
            "A",
            "ä",
            "a b",
            "a\n",
            "chat:1",
            too_long.as_str(),
        ] {
            assert!(!is_handle(other), "{other:?}");
        }
    }
}
