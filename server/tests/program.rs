//! The program `sotto-relay` as a person or a script runs it.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets the unexpected fails there"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rcgen::{CertificateParams, KeyPair};
use sotto_net::Invite;

fn serve(data: &Path, listen: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sotto-relay"));
    command
        .args(["serve", "--listen", listen, "--data"])
        .arg(data)
        .env_remove("SOTTO_LOG")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A relay that runs, and is killed when the test ends in whatever way.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn line(&mut self, start: &str) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        let rest = line
            .strip_prefix(start)
            .map(|rest| rest.trim_end().to_owned());
        rest.unwrap_or_else(|| panic!("{line:?} does not start with {start:?}"))
    }

    /// Sends a signal, and gives what was still written and whether it ended well.
    fn end(mut self, signal: &str) -> (String, bool) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (rest, self.child.wait().unwrap().success())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn it_says_where_it_listens_and_how_to_reach_it_and_drains_on_a_signal() {
    let folder = tempfile::tempdir().unwrap();
    let mut pins = Vec::new();
    for signal in ["-TERM", "-INT"] {
        let mut relay = Running::start(serve(folder.path(), "127.0.0.1:0"));
        let address: SocketAddr = relay.line("listening ").parse().unwrap();
        let invite: Invite = relay.line("invite ").parse().unwrap();
        assert_eq!(invite.authority(), address.to_string());
        assert_ne!(address.port(), 0);
        pins.push(invite.pin().unwrap());
        let (rest, ended_well) = relay.end(signal);
        assert_eq!(rest, "", "nothing else is written where scripts read");
        assert!(ended_well, "{signal}");
    }
    assert_eq!(pins.first(), pins.last(), "an invite outlives a restart");
}

#[test]
fn the_public_name_stands_in_the_invite() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = serve(folder.path(), "127.0.0.1:0");
    command.args(["--public-name", "relay.example.org"]);
    let mut relay = Running::start(command);
    let address: SocketAddr = relay.line("listening ").parse().unwrap();
    let invite: Invite = relay.line("invite ").parse().unwrap();
    let expected = format!("relay.example.org:{}", address.port());
    assert_eq!(invite.authority(), expected);
}

/// Writes a certificate for a host, by nobody in particular, and its key.
fn certify(folder: &Path, host: &str) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.join("certificate.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// A relay for relay.example.org, with the certificate and the key of these names.
fn serve_certified(folder: &Path, certificate: &str, key: &str) -> Command {
    let mut command = serve(folder, "127.0.0.1:0");
    command
        .args(["--public-name", "relay.example.org", "--certificate"])
        .arg(folder.join(certificate))
        .arg("--certificate-key")
        .arg(folder.join(key));
    command
}

#[test]
fn a_certificate_gives_a_second_invite_and_is_renewed_on_a_hangup() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path(), "relay.example.org");
    let command = serve_certified(folder.path(), "certificate.pem", "key.pem");
    let mut relay = Running::start(command);
    let address: SocketAddr = relay.line("listening ").parse().unwrap();
    let pinned = relay.line("invite ");
    assert!(pinned.contains("?pin="), "{pinned}");
    let public = relay.line("invite ");
    let port = address.port();
    assert_eq!(public, format!("sotto://relay.example.org:{port}?roots"));
    let noted = output("invite", folder.path(), &[]);
    assert_eq!(noted, format!("{pinned}\n{public}\n"));

    let mut log = BufReader::new(relay.child.stderr.take().unwrap()).lines();
    let mut hang_up = || {
        let pid = relay.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &pid]).status().unwrap();
        assert!(sent.success());
        log.next().unwrap().unwrap()
    };
    std::fs::write(folder.path().join("key.pem"), "no key").unwrap();
    assert!(hang_up().contains("the certificate so far stays"));
    certify(folder.path(), "relay.example.org");
    assert!(hang_up().contains("shows the new certificate"));
    let (_, ended_well) = relay.end("-TERM");
    assert!(ended_well);
}

#[test]
fn it_tells_a_person_what_is_wrong_with_a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path(), "elsewhere.example");
    std::fs::write(folder.path().join("empty.pem"), "").unwrap();
    let other = tempfile::tempdir_in(folder.path()).unwrap();
    certify(other.path(), "relay.example.org");
    let other = other.path().join("certificate.pem");
    let other = other.to_str().unwrap();
    for (certificate, key, word) in [
        ("missing.pem", "key.pem", "missing.pem"),
        (other, "missing.pem", "missing.pem"),
        ("empty.pem", "key.pem", "--certificate holds"),
        (other, "empty.pem", "--certificate-key holds"),
        (other, "key.pem", "does not belong"),
        ("certificate.pem", "key.pem", "another host"),
    ] {
        let words = failure(&mut serve_certified(folder.path(), certificate, key), 1);
        assert!(words.contains(word), "{word}: {words}");
        assert_eq!(words.lines().count(), 1, "{words}");
    }
    let mut half = serve(folder.path(), "127.0.0.1:0");
    let words = failure(half.args(["--certificate", other]), 1);
    assert!(words.contains("go together"), "{words}");
    let mut nameless = serve(folder.path(), "127.0.0.1:0");
    nameless.args(["--certificate", other, "--certificate-key", other]);
    let words = failure(&mut nameless, 1);
    assert!(words.contains("--public-name"), "{words}");
}

/// What a relay that cannot start leaves behind.
fn failure(command: &mut Command, code: i32) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let words = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(code), "{words}");
    assert_eq!(stdout, b"", "nothing is announced");
    words
}

#[test]
fn it_tells_a_person_why_it_cannot_start() {
    let folder = tempfile::tempdir().unwrap();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let words = failure(&mut serve(folder.path(), &address), 1);
    assert!(
        words.contains(&address) && words.contains("--listen"),
        "{words}"
    );

    let mut relay = Running::start(serve(folder.path(), "127.0.0.1:0"));
    relay.line("listening ");
    let words = failure(&mut serve(folder.path(), "127.0.0.1:0"), 1);
    let path = folder.path().display().to_string();
    assert!(words.contains(&path) && words.contains("--data"), "{words}");
    drop(relay);

    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let words = failure(&mut serve(&file, "127.0.0.1:0"), 1);
    assert!(words.contains("cannot be used"), "{words}");

    let mut misnamed = serve(folder.path(), "127.0.0.1:0");
    let words = failure(misnamed.args(["--public-name", "not a host"]), 1);
    assert!(words.contains("--public-name"), "{words}");

    let words = failure(&mut serve(folder.path(), "nonsense"), 2);
    assert!(words.contains("nonsense"), "{words}");
}

#[test]
fn options_come_before_the_environment_and_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("relay.toml");
    std::fs::write(
        &file,
        "mailbox-mib = 7\nbundles-per-hour = 8\nconnections = 9\n",
    )
    .unwrap();
    let mut command = serve(folder.path(), "127.0.0.1:0");
    command
        .arg("--config")
        .arg(&file)
        .args(["--print-config", "--connections", "11"])
        .env("SOTTO_RELAY_BUNDLES_PER_HOUR", "10");
    let output = command.output().unwrap();
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).unwrap();
    for line in [
        "mailbox-mib = 7",
        "bundles-per-hour = 10",
        "connections = 11",
        "listen = \"127.0.0.1:0\"",
        "envelope-days = 30",
    ] {
        assert!(printed.lines().any(|it| it == line), "{line}: {printed}");
    }
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing was started");

    // What was printed is a configuration.
    std::fs::write(&file, &printed).unwrap();
    let mut command = serve(folder.path(), "127.0.0.1:0");
    let mut relay = Running::start({
        command.arg("--config").arg(&file);
        command
    });
    relay.line("listening ");
    drop(relay);

    for (text, word) in [
        ("listen = 5\n", "line 1"),
        ("# a note\nmailboxmib = 5\n", "mailboxmib"),
        ("seed = \n", "line 1"),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut command = serve(folder.path(), "127.0.0.1:0");
        let words = failure(command.arg("--config").arg(&file), 1);
        assert!(
            words.contains(word) && words.contains("relay.toml"),
            "{words}"
        );
        assert_eq!(words.lines().count(), 1, "{words}");
    }
}

/// What a command that works prints.
fn output(command: &str, folder: &Path, more: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_sotto-relay"))
        .arg(command)
        .arg("--data")
        .arg(folder)
        .args(more)
        .output()
        .unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{command}: {words}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_folder_tells_its_state_and_a_backup_of_a_running_relay_is_a_relay() {
    let folder = tempfile::tempdir().unwrap();
    let (data, copy) = (folder.path().join("relay"), folder.path().join("copy"));
    let mut relay = Running::start(serve(&data, "127.0.0.1:0"));
    relay.line("listening ");
    let invite: Invite = relay.line("invite ").parse().unwrap();
    assert_eq!(output("invite", &data, &[]), format!("{invite}\n"));
    let status = output("status", &data, &[]);
    assert_eq!(
        status,
        "relay running\nmailboxes 0\nwaiting 0 envelopes, 0 KiB\n"
    );
    assert_eq!(output("check", &data, &[]), "sound\n");
    let to = copy.to_str().unwrap();
    output("backup", &data, &["--to", to]);
    drop(relay);
    assert!(output("status", &data, &[]).starts_with("relay stopped\n"));

    // The copy is the same relay, and nothing is ever copied over it.
    let mut relay = Running::start(serve(&copy, "127.0.0.1:0"));
    relay.line("listening ");
    let again: Invite = relay.line("invite ").parse().unwrap();
    assert_eq!(again.pin().unwrap(), invite.pin().unwrap());
    let mut backup = Command::new(env!("CARGO_BIN_EXE_sotto-relay"));
    backup
        .args(["backup", "--data"])
        .arg(&data)
        .args(["--to", to]);
    let words = failure(&mut backup, 1);
    assert!(
        words.contains("--to") && words.contains("not empty"),
        "{words}"
    );
}

#[test]
fn a_folder_without_a_sound_relay_is_told_from_one_with() {
    let folder = tempfile::tempdir().unwrap();
    let command = |command: &str| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_sotto-relay"));
        program.args([command, "--data"]).arg(folder.path());
        program
    };
    for name in ["invite", "status", "check"] {
        let words = failure(&mut command(name), 1);
        let path = folder.path().display().to_string();
        assert!(words.contains(&path), "{name}: {words}");
    }
    let mut relay = Running::start(serve(folder.path(), "127.0.0.1:0"));
    relay.line("listening ");
    relay.end("-TERM");
    // Bytes in the middle of the database, in a page that holds something.
    let path = folder.path().join("relay.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let damaged = 4096 + 8..4096 + 64;
    bytes[damaged].fill(0xff);
    std::fs::write(&path, &bytes).unwrap();
    let words = failure(&mut command("check"), 1);
    assert!(words.contains("damaged"), "{words}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "nothing was changed");
}

#[test]
fn a_script_can_ask_whether_it_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let health = |admin: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sotto-relay"));
        command.args(["health", "--admin", admin]);
        command
    };
    let mut command = serve(folder.path(), "127.0.0.1:0");
    command.args(["--admin", "127.0.0.1:0"]);
    let mut relay = Running::start(command);
    relay.line("listening ");
    relay.line("invite ");
    let admin = relay.line("admin ");
    let Output { status, stdout, .. } = health(&admin).output().unwrap();
    assert!(status.success());
    assert_eq!(stdout, b"ready\n");
    relay.end("-TERM");
    let words = failure(&mut health(&admin), 1);
    assert!(
        words.contains(&admin) && words.contains("--admin"),
        "{words}"
    );

    // A relay that drains, and something else.
    for (answer, expected) in [
        (
            "HTTP/1.1 503 Service Unavailable\r\n\r\nthe relay is draining\n",
            "draining",
        ),
        ("220 mail.example.org ESMTP\r\n", "--admin"),
    ] {
        let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = other.local_addr().unwrap().to_string();
        let answering = std::thread::spawn(move || {
            let (mut stream, _) = other.accept().unwrap();
            let mut question = [0; 4];
            stream.read_exact(&mut question).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            // Until the other side has read it.
            drop(stream.read_to_end(&mut Vec::new()));
        });
        let words = failure(&mut health(&address), 1);
        assert!(words.contains(expected), "{words}");
        answering.join().unwrap();
    }

    let mut exposed = serve(folder.path(), "127.0.0.1:0");
    let words = failure(exposed.args(["--admin", "0.0.0.0:9433"]), 1);
    assert!(words.contains("127.0.0.1:9433"), "{words}");
    assert_eq!(words.lines().count(), 1, "{words}");
}

#[cfg(target_os = "linux")]
#[test]
fn systemd_is_told_when_it_listens_and_when_it_drains() {
    use std::os::unix::net::UnixDatagram;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let deadline = std::time::Duration::from_mins(1);
    socket.set_read_timeout(Some(deadline)).unwrap();
    let told = || {
        let mut bytes = [0; 64];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let mut command = serve(&folder.path().join("relay"), "127.0.0.1:0");
    command.env("NOTIFY_SOCKET", &path);
    let mut relay = Running::start(command);
    assert_eq!(told(), "READY=1\n");
    relay.line("listening ");
    relay.line("invite ");
    relay.end("-TERM");
    assert_eq!(told(), "STOPPING=1\n");
}
