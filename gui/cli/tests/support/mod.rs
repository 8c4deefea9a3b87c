//! The real program with real folders and a real relay.

#![allow(dead_code, reason = "each test file uses another part of this")]

pub(crate) mod side;

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};
use sotto_tests::Host;
use tempfile::TempDir;

/// Whatever has not happened by then never will.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A relay, and a folder for each person.
pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) host: Host,
}

impl World {
    /// A relay and these identities, each in a folder of its own and known to the relay.
    pub(crate) fn new(handles: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::start(&dir.path().join("relay"));
        let world = Self { dir, host };
        for handle in handles {
            world.ok(handle, &["identity", "create", handle]);
            world.ok(handle, &["receive"]);
        }
        world
    }

    /// Lets two people be contacts of each other, with nothing unread.
    pub(crate) fn acquaint(&self, one: &str, other: &str) {
        for (from, to) in [(one, other), (other, one)] {
            self.ok(from, &["send", to, "hello"]);
        }
        for who in [one, other] {
            self.ok(who, &["receive"]);
        }
    }

    pub(crate) fn folder(&self, handle: &str) -> PathBuf {
        self.dir.path().join(handle)
    }

    /// The program as this person runs it.
    pub(crate) fn cli<S: AsRef<OsStr>>(&self, handle: &str, args: &[S]) -> Command {
        let mut command = cli(&self.folder(handle));
        command
            .args(args)
            .env("SOTTO_RELAY", self.host.invite().to_string());
        command
    }

    /// What it writes when it succeeds.
    pub(crate) fn ok<S: AsRef<OsStr>>(&self, handle: &str, args: &[S]) -> String {
        succeed(&mut self.cli(handle, args))
    }

    /// JSON objects that it writes.
    pub(crate) fn json<S: AsRef<OsStr>>(&self, handle: &str, args: &[S]) -> Vec<Value> {
        let text = self.ok(handle, args);
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// The program with this folder, and nothing else from outside.
pub(crate) fn cli(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sotto-cli"));
    for name in ["SOTTO_RELAY", "SOTTO_IDENTITY", "SOTTO_LOG"] {
        command.env_remove(name);
    }
    command
        .env("SOTTO_DATA_DIR", data_dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{command:?}: {words}");
    assert_eq!(words, "", "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one sentence with which it fails.
pub(crate) fn fail(command: &mut Command, code: i32) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let words = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{command:?}: {words}");
    assert_eq!(String::from_utf8(stdout).unwrap(), "", "{command:?}");
    assert_eq!(words.lines().count(), 1, "{command:?}: {words}");
    assert!(words.starts_with("sotto-cli: "), "{words}");
    words
}

/// Gives the program something to read.
pub(crate) fn with_input(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let written = child.stdin.take().unwrap().write_all(input);
    // It may have ended before it has read everything.
    drop(written);
    child.wait_with_output().unwrap()
}

/// `sotto-cli rpc`, killed when the test ends in whatever way.
pub(crate) struct Rpc {
    pub(crate) child: Child,
    input: Option<ChildStdin>,
    lines: Lines,
    /// Notifications that came before an answer that was waited for.
    pub(crate) news: Vec<Value>,
    next_id: u64,
}

impl Rpc {
    pub(crate) fn start(world: &World, handle: &str) -> Self {
        Self::start_with(world, handle, None)
    }

    /// As [`Rpc::start`]; if there is a fault, under strace, which carries it out from beside.
    pub(crate) fn start_with(world: &World, handle: &str, fault: Option<&str>) -> Self {
        let mut command = world.cli(handle, &["rpc"]);
        if let Some(fault) = fault {
            let call = fault.split(':').next().unwrap_or_default();
            let (trace, inject) = (format!("trace={call}"), format!("inject={fault}"));
            let program = command;
            command = Command::new("strace");
            command
                .args(["-D", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null"])
                .args(["-e", "signal=none", "-e", &trace, "-e", &inject])
                .stdout(Stdio::piped());
            // With the files of the vault only.
            let vault = world.folder(handle).join("profiles").join(handle);
            for name in ["vault.db", "vault.db-wal"] {
                command.arg("-P").arg(vault.join(name));
            }
            command.arg(program.get_program()).args(program.get_args());
            for (name, value) in program.get_envs() {
                match value {
                    Some(value) => command.env(name, value),
                    None => command.env_remove(name),
                };
            }
        }
        command.stdin(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let out = child.stdout.take().unwrap();
        Self {
            input: child.stdin.take(),
            lines: Lines::of(out),
            child,
            news: Vec::new(),
            next_id: 1,
        }
    }

    /// Writes a line as it is; false when nobody reads it any more.
    pub(crate) fn put(&mut self, line: &str) -> bool {
        let input = self.input.as_mut().unwrap();
        input.write_all(format!("{line}\n").as_bytes()).is_ok()
    }

    /// The next line; `None` at the end.
    pub(crate) fn line(&mut self) -> Option<Value> {
        let line = self.lines.line()?;
        Some(serde_json::from_str(&line).unwrap())
    }

    /// Asks without waiting for the answer; gives the id.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        let call = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.put(&call.to_string());
        id
    }

    /// Calls a method; gives the whole answer.
    pub(crate) fn answer(&mut self, method: &str, params: &Value) -> Value {
        let id = self.ask(method, params);
        loop {
            let line = self.line().unwrap();
            if line["id"] == id {
                return line;
            }
            self.news.push(line);
        }
    }

    pub(crate) fn call(&mut self, method: &str, params: &Value) -> Value {
        let answer = self.answer(method, params);
        assert!(answer["error"].is_null(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Waits for a notification.
    pub(crate) fn hear(&mut self, is_meant: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.news.iter().position(&is_meant) {
            return self.news.remove(place);
        }
        loop {
            let line = self.line().unwrap();
            if is_meant(&line) {
                return line;
            }
            self.news.push(line);
        }
    }

    /// Waits until the identity is connected.
    pub(crate) fn connected(&mut self) {
        let deadline = std::time::Instant::now() + DEADLINE;
        loop {
            let identities = self.call("identities", &json!({}));
            if identities[0]["relay"] == "connected" {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "{identities}");
            std::thread::yield_now();
        }
    }

    /// Ends the input; gives what was still said, and whether it ended well.
    pub(crate) fn end(mut self) -> (Vec<Value>, bool) {
        self.input = None;
        let rest = std::iter::from_fn(|| self.line()).collect();
        let ended_well = self.child.wait().unwrap().success();
        (rest, ended_well)
    }
}

impl Drop for Rpc {
    /// `kill -9`.
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a program writes, line by line.
pub(crate) struct Lines(Receiver<String>);

impl Lines {
    /// Reads whole lines on a thread; one that was cut off by a kill is none.
    fn of(out: impl Read + Send + 'static) -> Self {
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut out = BufReader::new(out);
            let mut line = String::new();
            while out.read_line(&mut line).unwrap_or(0) > 0 && line.ends_with('\n') {
                line.pop();
                if sender.send(std::mem::take(&mut line)).is_err() {
                    return;
                }
            }
        });
        Self(lines)
    }

    /// The next line; `None` at the end.
    pub(crate) fn line(&self) -> Option<String> {
        match self.0.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(mpsc::RecvTimeoutError::Disconnected) => None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("nothing was said in time"),
        }
    }
}

/// A program that runs beside a test, killed when the test ends in whatever way.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// Its standard output.
    pub(crate) out: Lines,
    /// Its standard error.
    pub(crate) words: Lines,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        Self {
            out: Lines::of(child.stdout.take().unwrap()),
            words: Lines::of(child.stderr.take().unwrap()),
            child,
        }
    }

    /// Waits until it has ended; says whether that was well and without a word.
    pub(crate) fn end(mut self) -> bool {
        let is_silent = self.words.line().is_none();
        self.child.wait().unwrap().success() && is_silent
    }
}

impl Drop for Running {
    /// `kill -9`.
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends a signal.
#[cfg(unix)]
pub(crate) fn signal(child: &Child, name: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args([name, &pid]).status().unwrap();
    assert!(sent.success());
}
