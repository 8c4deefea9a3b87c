//! The certificate that a relay shows to those who know it by its host, from files that are renewed
//! by somebody else.

use std::error::Error as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sotto_net::{CertificateSlot, PublicCertificate, PublicCertificateError};
use thiserror::Error;
use tokio::sync::Notify;
use tokio::time::{Instant, interval_at};
use zeroize::Zeroizing;

/// How often the files are read again without being asked.
const RENEWAL_INTERVAL: Duration = Duration::from_hours(1);
/// Chains have a few KiB; of more, no more is read.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Where certificate and key lie, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the relay's own certificate first.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why there is no certificate.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateFileError {
    /// A file cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(PathBuf, #[source] io::Error),
    /// The files hold something else.
    #[error("the certificate cannot be used")]
    Unusable(#[from] PublicCertificateError),
    /// It is not said for which host the relay has it.
    #[error("a certificate needs a public name")]
    NoPublicName,
}

/// A certificate in files, and where the running relay finds it.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: CertificateFiles,
    host: String,
    slot: CertificateSlot,
    asked: Notify,
}

impl Certificate {
    /// Reads the files for the first time.
    pub(crate) fn open(
        files: CertificateFiles,
        host: String,
    ) -> Result<Self, CertificateFileError> {
        let slot = CertificateSlot::default();
        slot.set(read(&files, &host)?);
        Ok(Self {
            files,
            host,
            slot,
            asked: Notify::new(),
        })
    }

    /// The name that it is for.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Where the endpoint finds it.
    pub(crate) fn slot(&self) -> &CertificateSlot {
        &self.slot
    }

    /// Has the files read again soon.
    pub(crate) fn renew(&self) {
        self.asked.notify_one();
    }

    /// Reads the files again whenever it is asked to, and every hour. While they cannot be used,
    /// the certificate so far goes on: it is as good as it was.
    pub(crate) async fn keep_fresh(&self) {
        let mut hours = interval_at(Instant::now() + RENEWAL_INTERVAL, RENEWAL_INTERVAL);
        loop {
            tokio::select! {
                () = self.asked.notified() => {}
                _ = hours.tick() => {}
            }
            let (files, host) = (self.files.clone(), self.host.clone());
            let Ok(read) = tokio::task::spawn_blocking(move || read(&files, &host)).await else {
                continue;
            };
            match read.map(|certificate| self.slot.set(certificate)) {
                Ok(true) => tracing::info!("shows the new certificate"),
                Ok(false) => {}
                Err(error) => {
                    let reason = error.source().map(ToString::to_string);
                    tracing::warn!(%error, reason, "the certificate so far stays");
                }
            }
        }
    }
}

fn read(files: &CertificateFiles, host: &str) -> Result<PublicCertificate, CertificateFileError> {
    let bytes = |path: &Path| {
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
            .map_err(|error| CertificateFileError::Unreadable(path.to_owned(), error))?;
        Ok::<_, CertificateFileError>(bytes)
    };
    let (chain, key) = (bytes(&files.chain)?, Zeroizing::new(bytes(&files.key)?));
    Ok(PublicCertificate::from_pem(&chain, &key, host)?)
}
