//! Lines in and out. Standard input and output block, so each has a thread, and a short queue.

use std::io::{self, BufRead, Read as _};
use std::thread;

use tokio::sync::{mpsc, oneshot};

use crate::failure::Failure;
use crate::output;

/// The longest line that is read, in bytes: a text of the largest size, all of it escaped, fits.
const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Lines that wait in either direction. Beyond that, whoever writes or reads waits.
const LINES_MAX: usize = 16;

/// What standard input gives.
pub(crate) enum Input {
    /// A line without its end.
    Line(Vec<u8>),
    /// A line of more than [`LINE_BYTES_MAX`], which was passed over.
    TooLong,
    /// Nothing more.
    End,
}

/// Standard input, line by line.
pub(crate) struct Lines(mpsc::Receiver<Input>);

impl Lines {
    pub(crate) fn start() -> io::Result<Self> {
        let (sender, lines) = mpsc::channel(LINES_MAX);
        let reader = move || {
            let mut input = io::stdin().lock();
            while let Some(line) = read(&mut input) {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        };
        thread::Builder::new()
            .name("input".to_owned())
            .spawn(reader)?;
        Ok(Self(lines))
    }

    /// The next line. Cancelling loses nothing.
    pub(crate) async fn next(&mut self) -> Input {
        self.0.recv().await.unwrap_or(Input::End)
    }
}

/// The next line that is not blank; `None` at the end.
fn read(input: &mut impl BufRead) -> Option<Input> {
    loop {
        let mut line = Vec::new();
        let mut bounded = input.by_ref().take(LINE_BYTES_MAX as u64 + 1);
        // What cannot be read is over.
        let bytes = bounded.read_until(b'\n', &mut line).ok()?;
        if bytes == 0 {
            return None;
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() > LINE_BYTES_MAX {
            pass_over(input);
            return Some(Input::TooLong);
        }
        if !line.trim_ascii().is_empty() {
            return Some(Input::Line(line));
        }
    }
}

/// Reads to the end of the line without keeping it.
fn pass_over(input: &mut impl BufRead) {
    while let Ok(bytes) = input.fill_buf() {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let length = end.map_or(bytes.len(), |place| place + 1);
        input.consume(length);
        if end.is_some() || length == 0 {
            return;
        }
    }
}

/// Standard output, line by line.
pub(crate) struct Output {
    lines: mpsc::Sender<String>,
    ended: oneshot::Receiver<Result<(), Failure>>,
}

/// Nobody reads any more.
#[derive(Debug)]
pub(crate) struct Unread;

impl Output {
    pub(crate) fn start() -> io::Result<Self> {
        let (lines, mut receiver) = mpsc::channel::<String>(LINES_MAX);
        let (end, ended) = oneshot::channel();
        let writer = move || {
            let mut written = Ok(());
            while let Some(line) = receiver.blocking_recv() {
                written = output::line(&line);
                if written.is_err() {
                    break;
                }
            }
            drop(receiver);
            // Nobody waits for it after a signal.
            drop(end.send(written));
        };
        thread::Builder::new()
            .name("output".to_owned())
            .spawn(writer)?;
        Ok(Self { lines, ended })
    }

    pub(crate) async fn put(&self, line: String) -> Result<(), Unread> {
        self.lines.send(line).await.map_err(|_| Unread)
    }

    /// Waits until everything is written.
    pub(crate) async fn finish(self) -> Result<(), Failure> {
        drop(self.lines);
        self.ended.await.unwrap_or(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_bound_and_what_is_longer_is_passed_over() {
        let longest = "a".repeat(LINE_BYTES_MAX);
        let text = format!("one\n\n  \r\n{longest}\n{longest}b\n{longest}{longest}\nlast");
        let mut input = io::BufReader::with_capacity(7, text.as_bytes());
        let mut read = || match read(&mut input) {
            None => "end".to_owned(),
            Some(Input::Line(line)) => String::from_utf8(line).unwrap(),
            Some(_) => "too long".to_owned(),
        };
        assert_eq!(read(), "one");
        assert_eq!(read(), longest);
        assert_eq!(read(), "too long");
        assert_eq!(read(), "too long");
        assert_eq!(read(), "last");
        assert_eq!(read(), "end");
    }
}
