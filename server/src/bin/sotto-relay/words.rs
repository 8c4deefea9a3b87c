//! Errors in a person's words: one sentence, and the remedy.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use sotto_net::PublicCertificateError;
use sotto_relay::{CertificateFileError, KeyFileError, SpawnError, StoreError};

pub(crate) fn key(data: &Path, error: &KeyFileError) -> String {
    match error {
        KeyFileError::Key(_) => format!(
            "the file relay.key in {} is no relay key. Put the right one back; without it, all \
             invites to this relay are void.",
            data.display()
        ),
        KeyFileError::File(error) => folder(data, error),
        _ => format!("{error}."),
    }
}

pub(crate) fn store(data: &Path, error: &StoreError) -> String {
    let data_dir = data.display();
    match error {
        StoreError::Folder(error) => folder(data, error),
        StoreError::InUse => {
            format!("another relay uses the folder {data_dir}. Stop it, or name another --data.")
        }
        StoreError::Newer { .. } => format!(
            "the mailboxes in {data_dir} were written by a newer version of this program. \
             Nothing was changed; use that version."
        ),
        StoreError::Damaged => format!(
            "relay.db in {data_dir} is damaged or not a relay's. Nothing was changed; put a \
             backup in its place, or move it away to start with empty mailboxes."
        ),
        StoreError::Database(error) => database(data, error),
        other => format!("the mailboxes in {data_dir} cannot be used: {other}."),
    }
}

/// The disk is full, say, or may not be written.
fn database(data: &Path, error: &dyn std::error::Error) -> String {
    format!(
        "the mailboxes in {} cannot be read or written: {error}. See that the disk has room and \
         may be written, or name another folder with --data.",
        data.display()
    )
}

pub(crate) fn folder(data: &Path, error: &io::Error) -> String {
    let data = data.display();
    format!("the folder {data} cannot be used: {error}. Name another one with --data.")
}

pub(crate) fn spawn(data: &Path, error: &SpawnError) -> String {
    match error {
        SpawnError::Store(error) => database(data, error),
        SpawnError::AddressInUse(address) => format!(
            "another program uses {address}. Stop it, or choose another port with --listen."
        ),
        SpawnError::Listen(address, error) => {
            format!("cannot listen on {address}: {error}. Choose another one with --listen.")
        }
        SpawnError::AdminExposed(address) => format!(
            "--admin {address} would show the relay's metrics to the network. Choose an address of \
             this machine alone, such as 127.0.0.1:9433."
        ),
        SpawnError::Admin(address, error) => {
            format!("cannot listen on {address}: {error}. Choose another one with --admin.")
        }
        SpawnError::PublicName(_) => {
            "--public-name is no host name. It looks like relay.example.org.".to_owned()
        }
        SpawnError::Certificate(error) => certificate(error),
        other => format!("the relay cannot start: {other}."),
    }
}

fn certificate(error: &CertificateFileError) -> String {
    match error {
        CertificateFileError::Unreadable(path, error) => format!(
            "{} cannot be read: {error}. See that it is there and that this user may read it.",
            path.display()
        ),
        CertificateFileError::NoPublicName => "--certificate is for a host name, and none was \
             given. Name it with --public-name."
            .to_owned(),
        CertificateFileError::Unusable(PublicCertificateError::Host) => {
            "the certificate is for another host than --public-name. Name a host that stands in \
             the certificate, or another --certificate."
                .to_owned()
        }
        CertificateFileError::Unusable(PublicCertificateError::Key) => {
            "--certificate-key holds no private key in PEM. Name the file that belongs to the \
             certificate."
                .to_owned()
        }
        CertificateFileError::Unusable(PublicCertificateError::Mismatch) => {
            "--certificate-key does not belong to --certificate. Name the two that were made \
             together."
                .to_owned()
        }
        _ => "--certificate holds no certificate in PEM. Name the file with the whole chain."
            .to_owned(),
    }
}

/// Certificate and key belong together.
pub(crate) fn half_a_certificate() -> String {
    "--certificate and --certificate-key go together. Give both, or neither.".to_owned()
}

/// No relay answers about its health.
pub(crate) fn admin(address: SocketAddr, error: &io::Error) -> String {
    format!(
        "no relay answers at {address}: {error}. Start it with --admin {address}, or name its \
         address with --admin."
    )
}

/// A relay answers, and is not ready.
pub(crate) fn not_ready(why: &str) -> String {
    match why {
        "" => {
            "what answers there is no relay's admin port. Name the right one with --admin.".into()
        }
        why => format!("not ready: {why}."),
    }
}

/// Standard output is gone.
pub(crate) fn output(error: &io::Error) -> String {
    format!("nothing can be written to standard output: {error}.")
}

/// No folder was named.
pub(crate) fn no_data() -> String {
    "no folder for the relay's key and mailboxes was named. Name one with --data, or as data in the \
     configuration."
        .to_owned()
}
