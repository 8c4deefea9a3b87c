//! `sotto-relay health`: whether a relay is ready, for containers and scripts that have no HTTP.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use clap::Args;

use crate::words;

/// How long the relay may take to answer; longer than its store may.
const PATIENCE: Duration = Duration::from_secs(6);
/// The longest answer that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 4 * 1024;

#[derive(Debug, Args)]
pub(crate) struct Health {
    /// The relay's admin port, as it was told with serve --admin
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "SOTTO_RELAY_ADMIN",
        default_value = "127.0.0.1:9433"
    )]
    admin: SocketAddr,
}

impl Health {
    pub(crate) fn run(self) -> Result<(), String> {
        let answer = ask(self.admin).map_err(|error| words::admin(self.admin, &error))?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let is_ready = head.split(' ').nth(1) == Some("200");
        if !is_ready {
            return Err(words::not_ready(body.trim()));
        }
        let out = io::stdout().lock().write_all(body.as_bytes());
        out.map_err(|error| words::output(&error))
    }
}

/// One question in HTTP/1.0, and everything that is answered.
fn ask(admin: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&admin, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /readyz HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES_MAX).read_to_string(&mut answer)?;
    Ok(answer)
}
