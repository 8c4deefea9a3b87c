//! How much a mailbox holds.

use bytes::Bytes;

/// Envelopes and bytes of their bodies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) envelopes: u64,
    pub(super) bytes: u64,
}

impl Load {
    pub(super) fn of(body: &Bytes) -> Self {
        Self {
            envelopes: 1,
            bytes: body.len() as u64,
        }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.envelopes = self.envelopes.saturating_add(other.envelopes);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    pub(super) fn subtract(&mut self, other: Self) {
        self.envelopes = self.envelopes.saturating_sub(other.envelopes);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }
}
