//! One system call as strace writes it down, read strictly: an unknown form is an error.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;

/// What an argument of a call is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Argument {
    /// An open file with its path, or the folder that relative paths start from.
    Descriptor {
        /// Its number; none for the current folder.
        number: Option<i64>,
        /// Where it was when it was opened.
        path: PathBuf,
    },
    /// Bytes, or a path.
    Bytes(Arc<[u8]>),
    /// A number, flags, a structure: as it was written.
    Other(String),
}

/// A call that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its name.
    pub name: String,
    /// Its arguments.
    pub arguments: Vec<Argument>,
    /// What it returned, or the name of its error.
    pub outcome: Result<i64, String>,
    /// Whether strace made it fail.
    pub is_injected: bool,
    /// The line on which it began.
    pub began: usize,
    /// The line on which it ended.
    pub ended: usize,
}

impl Call {
    /// Reads `name(arguments) = outcome`; none for a call that never returned.
    ///
    /// # Errors
    /// The text, when it is of no known form.
    pub fn parse(text: &str, began: usize, ended: usize) -> Result<Option<Self>, String> {
        let unknown = || format!("unknown form of a call: {}", shortened(text));
        let (name, rest) = text.split_once('(').ok_or_else(unknown)?;
        let (inside, outcome) = rest.rsplit_once(" = ").ok_or_else(unknown)?;
        let inside = inside.trim_end().strip_suffix(')').ok_or_else(unknown)?;
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(unknown());
        }
        if outcome.trim() == "?" {
            return Ok(None);
        }
        Ok(Some(Self {
            name: name.to_owned(),
            arguments: arguments(inside).ok_or_else(unknown)?,
            is_injected: outcome.ends_with("(INJECTED)"),
            outcome: result(outcome).ok_or_else(unknown)?,
            began,
            ended,
        }))
    }

    /// Whether it names something in this folder.
    pub fn touches(&self, folder: &Path) -> bool {
        self.arguments.iter().any(|argument| match argument {
            Argument::Descriptor { path, .. } => path.starts_with(folder),
            Argument::Bytes(bytes) => path(bytes).starts_with(folder),
            // A structure may hold a path that is not looked for: no harm, if it is none of ours.
            Argument::Other(text) => text.contains('"') && text.contains(&hex(folder)),
        })
    }

    /// The argument at this place, as a path.
    pub fn path(&self, place: usize) -> Option<PathBuf> {
        match self.arguments.get(place)? {
            Argument::Bytes(bytes) => Some(path(bytes)),
            _ => None,
        }
    }

    /// The argument at this place, as bytes.
    pub fn bytes(&self, place: usize) -> Option<&Arc<[u8]>> {
        match self.arguments.get(place)? {
            Argument::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The argument at this place, as an open file's number and path.
    pub fn descriptor(&self, place: usize) -> Option<(i64, &Path)> {
        match self.arguments.get(place)? {
            Argument::Descriptor { number, path } => Some(((*number)?, path)),
            _ => None,
        }
    }

    /// The argument at this place, as it was written.
    pub fn other(&self, place: usize) -> Option<&str> {
        match self.arguments.get(place)? {
            Argument::Other(text) => Some(text),
            _ => None,
        }
    }

    /// The argument at this place, as a size or an offset.
    pub fn size(&self, place: usize) -> Option<usize> {
        self.other(place)?.parse().ok()
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    OsString::from_vec(bytes.to_vec()).into()
}

fn hex(path: &Path) -> String {
    let digits = HEXLOWER.encode(path.as_os_str().as_encoded_bytes());
    let mut text = String::with_capacity(2 * digits.len());
    for (place, digit) in digits.chars().enumerate() {
        if place % 2 == 0 {
            text.push_str("\\x");
        }
        text.push(digit);
    }
    text
}

fn shortened(text: &str) -> String {
    text.chars().take(300).collect()
}

/// Bytes of which each is written as `\xff`.
fn decode(text: &str) -> Option<Vec<u8>> {
    let digits = text.replace("\\x", "");
    (digits.len() * 2 == text.len()).then_some(())?;
    HEXLOWER.decode(digits.as_bytes()).ok()
}

fn arguments(mut rest: &str) -> Option<Vec<Argument>> {
    let mut arguments = Vec::new();
    while !rest.is_empty() {
        let (argument, length) = if let Some(quoted) = rest.strip_prefix('"') {
            let length = quoted.find('"')?;
            // Bytes that were cut short are followed by dots, which is no known form.
            let bytes = decode(quoted.get(..length)?)?;
            (Argument::Bytes(bytes.into()), length + 2)
        } else {
            let length = end(rest)?;
            (plain(rest.get(..length)?)?, length)
        };
        arguments.push(argument);
        rest = rest.get(length..)?;
        if !rest.is_empty() {
            rest = rest.strip_prefix(", ").filter(|rest| !rest.is_empty())?;
        }
    }
    Some(arguments)
}

/// Where the first argument ends: at a comma that is in no brackets.
fn end(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' | b'(' | b'<' => depth += 1,
            b']' | b'}' | b')' | b'>' => depth = depth.checked_sub(1)?,
            b',' if depth == 0 => return Some(at),
            _ => {}
        }
    }
    (depth == 0).then_some(text.len())
}

fn plain(text: &str) -> Option<Argument> {
    let Some((number, rest)) = text.split_once('<') else {
        return Some(Argument::Other(text.to_owned()));
    };
    let is_number = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty();
    if !is_number && number != "AT_FDCWD" {
        return Some(Argument::Other(text.to_owned()));
    }
    let rest = rest.strip_suffix("(deleted)").unwrap_or(rest);
    let name = rest.strip_suffix('>')?;
    // Pipes and sockets have a name in plain letters.
    let path = decode(name).map_or_else(|| PathBuf::from(name), |bytes| path(&bytes));
    Some(Argument::Descriptor {
        number: number.parse().ok(),
        path,
    })
}

fn result(text: &str) -> Option<Result<i64, String>> {
    let mut words = text.split_whitespace();
    let value = words.next()?;
    if value == "-1" {
        return Some(Err(words.next()?.to_owned()));
    }
    let value = value.split_once('<').map_or(value, |(number, _)| number);
    value
        .strip_prefix("0x")
        .map_or_else(
            || value.parse().ok(),
            |digits| i64::from_str_radix(digits, 16).ok(),
        )
        .map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Option<Call>, String> {
        Call::parse(text, 1, 2)
    }

    #[test]
    fn reads_a_write_with_its_file_bytes_and_place() {
        let text = r#"pwrite64(7<\x2f\x61>, "\x00\x2c\x22", 3, 4096) = 3"#;
        let call = parse(text).unwrap().unwrap();
        assert_eq!(call.name, "pwrite64");
        assert_eq!(call.descriptor(0), Some((7, Path::new("/a"))));
        assert_eq!(call.bytes(1).unwrap()[..], [0, 0x2c, 0x22]);
        assert_eq!((call.size(2), call.size(3)), (Some(3), Some(4096)));
        assert_eq!((call.outcome, call.is_injected), (Ok(3), false));
    }

    #[test]
    fn reads_what_was_opened_mapped_and_made_to_fail() {
        let text = r#"openat(AT_FDCWD<\x2f>, "\x2f\x61", O_RDWR|O_CREAT, 0600) = 5<\x2f\x61>"#;
        let call = parse(text).unwrap().unwrap();
        assert_eq!(call.path(1), Some(PathBuf::from("/a")));
        assert_eq!(
            (call.other(2), &call.outcome),
            (Some("O_RDWR|O_CREAT"), &Ok(5))
        );
        let text = r"mmap(NULL, 10, PROT_READ, MAP_SHARED, 5<\x2f\x61>(deleted), 0) = 0x7f00";
        let call = parse(text).unwrap().unwrap();
        assert_eq!((call.outcome, call.arguments.len()), (Ok(0x7f00), 6));
        let text = r"fdatasync(5<\x2f\x61>) = -1 EIO (Input/output error) (INJECTED)";
        let call = parse(text).unwrap().unwrap();
        assert_eq!(
            (call.outcome, call.is_injected),
            (Err("EIO".to_owned()), true)
        );
        let text = r#"writev(5<\x2f\x61>, [{iov_base="\x61", iov_len=1}], 1) = 1"#;
        let call = parse(text).unwrap().unwrap();
        assert!(call.touches(Path::new("/a")) && call.arguments.len() == 3);
        assert_eq!(parse("exit_group(0) = ?"), Ok(None));
    }

    #[test]
    fn refuses_bytes_that_were_cut_short_and_unknown_forms() {
        for text in [
            r#"write(5<\x2f>, "\x00\x2c"..., 30) = 30"#,
            r#"write(5<\x2f>, "plain", 5) = 5"#,
            r#"write(5<\x2f>, "\x00", 1)"#,
            r#"write(5<\x2f>, "\x00", 1) = nonsense"#,
            "what is this",
            "write(5, [1) = 1",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
