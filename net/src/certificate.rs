//! A certificate that others vouch for, for those who know a relay by its host (WIRE §1).

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::client::verify_server_name;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use thiserror::Error;

use crate::quic;

/// Why a certificate cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PublicCertificateError {
    /// There is no certificate, or one that cannot be read.
    #[error("not a certificate chain in PEM")]
    Chain,
    /// There is no private key, or one that cannot be read.
    #[error("not a private key in PEM")]
    Key,
    /// The key belongs to another certificate.
    #[error("the key does not belong to the certificate")]
    Mismatch,
    /// The certificate is for other names.
    #[error("the certificate is for another host")]
    Host,
}

/// A chain of certificates, and the private key of the first. Secret.
#[derive(Clone)]
pub struct PublicCertificate(Arc<CertifiedKey>);

impl PublicCertificate {
    /// Reads the chain, the relay's own certificate first, and its key, both in PEM. Who issued
    /// it, and until when it is good, is for clients to judge.
    ///
    /// # Errors
    /// See [`PublicCertificateError`].
    pub fn from_pem(chain: &[u8], key: &[u8], host: &str) -> Result<Self, PublicCertificateError> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<_, _>>()
            .map_err(|_| PublicCertificateError::Chain)?;
        let own = chain.first().ok_or(PublicCertificateError::Chain)?;
        let own = ParsedCertificate::try_from(own).map_err(|_| PublicCertificateError::Chain)?;
        let host = ServerName::try_from(host).map_err(|_| PublicCertificateError::Host)?;
        verify_server_name(&own, &host).map_err(|_| PublicCertificateError::Host)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| PublicCertificateError::Key)?;
        match CertifiedKey::from_der(chain.clone(), key, &quic::provider()) {
            Ok(certified) => Ok(Self(Arc::new(certified))),
            Err(rustls::Error::InconsistentKeys(_)) => Err(PublicCertificateError::Mismatch),
            Err(_) => Err(PublicCertificateError::Key),
        }
    }
}

impl PartialEq for PublicCertificate {
    /// Whether both have the same chain, and so the same key.
    fn eq(&self, other: &Self) -> bool {
        self.0.cert == other.0.cert
    }
}

impl fmt::Debug for PublicCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicCertificate")
    }
}

/// Where a running relay finds the certificate to show; empty at first.
#[derive(Debug, Clone, Default)]
pub struct CertificateSlot(Arc<ArcSwapOption<PublicCertificate>>);

impl CertificateSlot {
    /// Shows this one from now on. Says whether it is another one than before; connections that
    /// there are stay.
    pub fn set(&self, certificate: PublicCertificate) -> bool {
        let certificate = Arc::new(certificate);
        let before = self.0.swap(Some(Arc::clone(&certificate)));
        before != Some(certificate)
    }

    pub(crate) fn certified(&self) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.load().as_ref()?.0))
    }
}
