//! Keys in the system's keyring: the Keychain, the Credential Manager, or a Secret Service.
//!
//! What is asked of it may take as long as a person takes to answer the system's own question. So it
//! is asked on a thread of its own, and over a new connection each time: a keyring that was not there
//! at the start may be there later.

use std::sync::mpsc;
use std::thread;

use data_encoding::HEXLOWER;
use keyring_core::api::CredentialStoreApi as _;
use sotto_crypto::{VaultHeader, VaultSlot};
use tokio::sync::oneshot;
use zeroize::Zeroizing;

#[cfg(target_os = "macos")]
use apple_native_keyring_store::keychain::Store;
#[cfg(target_os = "windows")]
use windows_native_keyring_store::Store;
#[cfg(not(any(target_os = "macos", target_os = "windows")))]
use zbus_secret_service_keyring_store::Store;

use super::Key;

const SERVICE: &str = "Sotto";

/// Where in the keyring a vault's key lies.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry(String);

impl Entry {
    /// That of a vault's header, if its key lies in the keyring.
    pub(super) fn of(header: &VaultHeader) -> Option<Self> {
        let name = header.slot_name(VaultSlot::Keyring)?;
        Some(Self(HEXLOWER.encode(&name)))
    }

    /// Asks for the key. Nothing comes when there is no keyring, when it stays closed, or when it
    /// has no such key.
    pub(crate) fn read(self) -> oneshot::Receiver<Key> {
        let (answer, answered) = oneshot::channel();
        self.on_a_thread("read", move |entry| {
            let secret = Zeroizing::new(entry.get_secret()?);
            if let Ok(key) = <[u8; 32]>::try_from(secret.as_slice()) {
                // Whoever asked may have gone.
                drop(answer.send(Key::new(key)));
            }
            Ok(())
        });
        answered
    }

    /// Stores the key. Nothing comes when that fails; if nobody waits for it any more, the key is
    /// taken out again.
    pub(super) fn write(self, key: Key) -> oneshot::Receiver<()> {
        let (answer, answered) = oneshot::channel();
        self.on_a_thread("write", move |entry| {
            entry.set_secret(key.as_slice())?;
            match answer.send(()) {
                Ok(()) => Ok(()),
                Err(()) => entry.delete_credential(),
            }
        });
        answered
    }

    /// Removes the key, which opens nothing any more; the end of that can be waited for.
    pub(super) fn remove(self) -> mpsc::Receiver<()> {
        let (answer, answered) = mpsc::channel();
        self.on_a_thread("remove", move |entry| {
            entry.delete_credential()?;
            // Mostly nobody waits.
            answer.send(()).unwrap_or_default();
            Ok(())
        });
        answered
    }

    fn on_a_thread(
        self,
        what: &'static str,
        work: impl FnOnce(keyring_core::Entry) -> keyring_core::Result<()> + Send + 'static,
    ) {
        let run = move || {
            let entry = Store::new().and_then(|store| store.build(SERVICE, &self.0, None));
            // The text of an error may quote what was stored, so its kind is all that is told.
            match entry.and_then(work) {
                Ok(()) => {}
                Err(keyring_core::Error::NoEntry) => tracing::warn!(what, "no key in the keyring"),
                Err(keyring_core::Error::NoStorageAccess(_)) => {
                    tracing::warn!(what, "the keyring is locked");
                }
                Err(_) => tracing::warn!(what, "the keyring does not work"),
            }
        };
        // Without a thread nothing comes, as from a keyring that is not there.
        if let Err(error) = thread::Builder::new().name("keyring".into()).spawn(run) {
            tracing::warn!(%error, "no thread for the keyring");
        }
    }
}
