//! A program run under strace, which writes down what the program does with files, and makes
//! calls fail on demand.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::storage::call::Call;

/// Every call that changes a file or a folder, or makes a change durable.
const STORAGE: &str = "open,openat,openat2,creat,write,writev,pwrite64,pwritev,pwritev2,\
    truncate,ftruncate,fallocate,fsync,fdatasync,sync,syncfs,sync_file_range,msync,mmap,\
    rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,\
    copy_file_range,sendfile,splice";
/// Bytes of one argument that are written down: far more than any store writes at once.
const ARGUMENT_BYTES: &str = "16777216";

/// What a program did, in one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A call on something in the folder that is watched.
    Call(Call),
    /// A line that the program wrote into its file of marks.
    Mark(String),
}

/// Whether strace is there. Without it the test says that it is skipped, or fails where `CI` is
/// `true`.
///
/// # Panics
/// When it is not there and must be.
#[expect(clippy::print_stdout, reason = "a test that is skipped has to say so")]
pub fn is_installed() -> bool {
    let version = Command::new("strace")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    let is_installed = version.is_ok_and(|status| status.success());
    if !is_installed {
        let is_needed = std::env::var("CI").is_ok_and(|value| value == "true");
        assert!(!is_needed, "strace is not installed, and CI must not skip");
        println!("skipped: strace is not installed");
    }
    is_installed
}

/// Runs a program to its end and writes into `log` what it did, with these files only if any are
/// named. Each fault is one of strace's expressions for `inject`; its counts are those of each
/// thread.
///
/// # Errors
/// When strace cannot be started.
pub fn run(
    program: &Command,
    faults: &[String],
    only: &[PathBuf],
    log: &Path,
) -> io::Result<ExitStatus> {
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-y", "-xx", "-s", ARGUMENT_BYTES, "--seccomp-bpf"])
        .args(["-e", "signal=none", "-o"])
        .arg(log);
    let mut calls = STORAGE.to_owned();
    for fault in faults {
        // A call is made to fail only if it is written down.
        calls = format!("{calls},{}", fault.split(':').next().unwrap_or_default());
        strace.args(["-e", &format!("inject={fault}")]);
    }
    strace.args(["-e", &format!("trace={calls}")]);
    for path in only {
        strace.arg("-P").arg(path);
    }
    strace.arg(program.get_program()).args(program.get_args());
    for (name, value) in program.get_envs() {
        match value {
            Some(value) => strace.env(name, value),
            None => strace.env_remove(name),
        };
    }
    strace.stdout(Stdio::null()).stderr(Stdio::null()).status()
}

/// Reads what strace wrote: what concerns this folder, and the lines of this file of marks.
///
/// # Errors
/// When the file cannot be read, or a line is of no known form.
pub fn read(log: &Path, folder: &Path, marks: &Path) -> io::Result<Vec<Event>> {
    let mut events = Vec::new();
    let mut unfinished: HashMap<String, (usize, String)> = HashMap::new();
    for (number, line) in BufReader::new(File::open(log)?).lines().enumerate() {
        let line = line?;
        let unknown = || io::Error::other(format!("line {number} of strace is of no known form"));
        let (process, text) = line.split_once(' ').ok_or_else(unknown)?;
        let text = text.trim_start();
        if text.starts_with("+++ exited with ") || text.starts_with("+++ killed by ") {
            continue;
        }
        if let Some(start) = text.strip_suffix(" <unfinished ...>") {
            let before = unfinished.insert(process.to_owned(), (number, start.to_owned()));
            before.is_none().then_some(()).ok_or_else(unknown)?;
            continue;
        }
        let call = if let Some(resumed) = text.strip_prefix("<... ") {
            let (name, rest) = resumed.split_once(" resumed>").ok_or_else(unknown)?;
            let (began, start) = unfinished.remove(process).ok_or_else(unknown)?;
            start
                .starts_with(&format!("{name}("))
                .then_some(())
                .ok_or_else(unknown)?;
            Call::parse(&format!("{start}{rest}"), began, number)
        } else {
            Call::parse(text, number, number)
        };
        let Some(call) = call.map_err(io::Error::other)? else {
            continue;
        };
        if call.descriptor(0).is_some_and(|(_, path)| path == marks) && call.name == "write" {
            let mark = call.bytes(1).map(|bytes| String::from_utf8(bytes.to_vec()));
            let mark = mark.and_then(Result::ok).ok_or_else(unknown)?;
            let mark = mark.strip_suffix('\n').ok_or_else(unknown)?;
            events.push(Event::Mark(mark.to_owned()));
        } else if call.touches(folder) {
            events.push(Event::Call(call));
        }
    }
    Ok(events)
}
