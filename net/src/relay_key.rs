//! The relay's own key, and the pin by which clients know it (WIRE §1).

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, SerialNumber};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// SHA-256 of the relay's public key (its `SubjectPublicKeyInfo`), 32 bytes. Names the relay.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RelayPin(pub [u8; 32]);

impl RelayPin {
    /// The pin of a public key, given as DER `SubjectPublicKeyInfo`.
    pub fn of(spki: &[u8]) -> Self {
        Self(Sha256::digest(spki).into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the 43 characters that [`fmt::Display`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }
}

/// 43 characters, base64url without padding.
impl fmt::Display for RelayPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

impl fmt::Debug for RelayPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, ..] = self.0;
        write!(f, "RelayPin({a:02x}{b:02x}…)")
    }
}

/// Why a relay key cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RelayKeyError {
    /// Not an Ed25519 key in PKCS #8.
    #[error("not an Ed25519 key in PKCS #8")]
    Malformed,
    /// The system has no randomness, or the certificate cannot be written.
    #[error("the key cannot be made")]
    Unavailable,
}

/// The relay's Ed25519 key. Secret.
pub struct RelayKey {
    pair: KeyPair,
}

impl RelayKey {
    /// A new key from the system's randomness.
    ///
    /// # Errors
    /// [`RelayKeyError::Unavailable`] when there is none.
    pub fn generate() -> Result<Self, RelayKeyError> {
        let pair = KeyPair::generate_for(&PKCS_ED25519).map_err(|_| RelayKeyError::Unavailable)?;
        Ok(Self { pair })
    }

    /// Reads a key from its PKCS #8 form (DER).
    ///
    /// # Errors
    /// [`RelayKeyError::Malformed`] when it is none.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, RelayKeyError> {
        let der = PrivatePkcs8KeyDer::from(der.to_vec());
        let pair = KeyPair::from_pkcs8_der_and_sign_algo(&der, &PKCS_ED25519)
            .map_err(|_| RelayKeyError::Malformed)?;
        Ok(Self { pair })
    }

    /// The key in PKCS #8 (DER). Secret.
    pub fn to_pkcs8(&self) -> Vec<u8> {
        self.pair.serialize_der()
    }

    /// The pin that clients check.
    pub fn pin(&self) -> RelayPin {
        use rcgen::PublicKeyData as _;
        RelayPin::of(&self.pair.subject_public_key_info())
    }

    /// For other uses of the key: ``HMAC-SHA-256`` under its PKCS #8 form, with the label that
    /// keeps these uses apart already in it.
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    pub(crate) fn mac(&self, label: &[u8]) -> Hmac<Sha256> {
        <Hmac<Sha256> as KeyInit>::new_from_slice(self.pair.serialized_der())
            .expect("a key of any length")
            .chain_update(label)
    }

    /// The key for TLS, with a self-signed certificate of fixed size.
    pub(crate) fn certified(
        &self,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, RelayKeyError> {
        let mut params = CertificateParams::new(vec![crate::quic::SERVER_NAME.to_owned()])
            .map_err(|_| RelayKeyError::Unavailable)?;
        params.serial_number = Some(SerialNumber::from(1u64));
        let certificate = params
            .self_signed(&self.pair)
            .map_err(|_| RelayKeyError::Unavailable)?;
        let key = PrivatePkcs8KeyDer::from(self.pair.serialize_der());
        CertifiedKey::from_der(vec![certificate.der().clone()], key.into(), provider)
            .map_err(|_| RelayKeyError::Unavailable)
    }
}

impl fmt::Debug for RelayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pair: _ } = self;
        write!(f, "RelayKey({:?})", self.pin())
    }
}
