//! Watches that no key is used twice with one nonce.

use std::cell::RefCell;
use std::collections::HashSet;

type KeyAndNonce = ([u8; 32], [u8; 12]);

thread_local! {
    static SEEN: RefCell<Option<HashSet<KeyAndNonce>>> = const { RefCell::new(None) };
}

/// While it lives, a key and nonce that were used before on this thread are a failed test.
pub(crate) struct SealWatch(());

impl SealWatch {
    pub(crate) fn start() -> Self {
        SEEN.set(Some(HashSet::new()));
        Self(())
    }

    /// Number of seals so far.
    pub(crate) fn count(&self) -> usize {
        let Self(()) = self;
        SEEN.with_borrow(|seen| seen.as_ref().map_or(0, HashSet::len))
    }
}

impl Drop for SealWatch {
    fn drop(&mut self) {
        SEEN.set(None);
    }
}

/// Called by every seal of this crate.
pub(crate) fn note(key: &[u8; 32], nonce: &[u8; 12]) {
    SEEN.with_borrow_mut(|seen| {
        if let Some(seen) = seen {
            assert!(
                seen.insert((*key, *nonce)),
                "a key and nonce were used twice"
            );
        }
    });
}
