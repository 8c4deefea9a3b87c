//! What all stored records have in common (PROTOCOL §9).

use thiserror::Error;

use crate::codec::Reader;

/// Why bytes from storage are not a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StoredError {
    /// The bytes are not a record of this kind.
    #[error("malformed stored record")]
    Malformed,
    /// The record was written by a later version of the program.
    #[error("stored record of version {version}")]
    Newer {
        /// The version found.
        version: u8,
    },
}

impl StoredError {
    /// A reader behind the version byte, which every record starts with.
    pub(crate) fn reader(bytes: &[u8], known: u8) -> Result<Reader<'_>, Self> {
        let mut reader = Reader::new(bytes);
        match reader.u8() {
            Some(version) if version == known => Ok(reader),
            Some(version) if version > known => Err(Self::Newer { version }),
            _ => Err(Self::Malformed),
        }
    }
}
