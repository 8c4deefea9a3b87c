//! The signed, versioned, hash-chained list of an account's devices (PROTOCOL §2.3).

use ed25519_dalek::SigningKey;

use crate::codec::{Reader, Writer, length_u32};
use crate::ids::DeviceId;
use crate::kdf;
use crate::signature::{self, SIGNATURE_BYTES};

/// Devices of one account. Keeps an encoded identity below its 4,096 bytes.
pub(crate) const DEVICES_MAX: usize = 64;
const SIGNED_LABEL: &[u8] = b"Sotto/1 device list";
const HASH_LABEL: &[u8] = b"Sotto/1 device list hash";

/// Which devices speak for an account, as its key signed it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct DeviceList {
    version: u32,
    /// Hash of the list with the version before; zeros in version 1.
    previous: [u8; 32],
    /// Ascending by device number.
    devices: Vec<(u32, DeviceId)>,
    signature: [u8; SIGNATURE_BYTES],
}

impl DeviceList {
    /// Version 1 with its only device.
    pub(crate) fn first(account_key: &SigningKey, number: u32, device: DeviceId) -> Self {
        let mut list = Self {
            version: 1,
            previous: [0; 32],
            devices: vec![(number, device)],
            signature: [0; SIGNATURE_BYTES],
        };
        let account = account_key.verifying_key().to_bytes();
        list.signature = signature::sign(account_key, &[SIGNED_LABEL, &account, &list.content()]);
        list
    }

    /// The list after this one, with other devices.
    #[cfg(test)]
    pub(crate) fn next(&self, account_key: &SigningKey, devices: &[(u32, DeviceId)]) -> Self {
        let account = account_key.verifying_key().to_bytes();
        let mut list = Self {
            version: self.version + 1,
            previous: self.hash(&account),
            devices: devices.to_vec(),
            signature: [0; SIGNATURE_BYTES],
        };
        list.signature = signature::sign(account_key, &[SIGNED_LABEL, &account, &list.content()]);
        list
    }

    /// ``version || previous || count || (number || device id)*``
    fn content(&self) -> Vec<u8> {
        let writer = Writer::with_capacity(40 + self.devices.len() * 36)
            .u32(self.version)
            .raw(&self.previous)
            .u32(length_u32(self.devices.len()));
        self.devices
            .iter()
            .fold(writer, |writer, (number, device)| {
                writer.u32(*number).raw(device.as_bytes())
            })
            .public()
    }

    /// The content, then the signature: 104 bytes and 36 for each device.
    pub(crate) fn encode(&self) -> Vec<u8> {
        Writer::default()
            .raw(&self.content())
            .raw(&self.signature)
            .public()
    }

    /// Takes a list off `reader` and checks its form, not yet its signature.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let version = reader.u32()?;
        let previous = reader.array()?;
        let count = usize::try_from(reader.u32()?).ok()?;
        if count == 0 || count > DEVICES_MAX {
            return None;
        }
        let mut devices = Vec::with_capacity(count);
        for _ in 0..count {
            devices.push((reader.u32()?, DeviceId::from_bytes(reader.array()?)));
        }
        let ascending = devices.is_sorted_by(|(a, _), (b, _)| a < b);
        let starts_a_chain = previous == [0; 32];
        let signature = reader.array()?;
        (ascending && version > 0 && starts_a_chain == (version == 1)).then_some(Self {
            version,
            previous,
            devices,
            signature,
        })
    }

    /// Whether the account's key signed exactly this list.
    pub(crate) fn is_signed_by(&self, account_key: &[u8; 32]) -> bool {
        let parts = [SIGNED_LABEL, account_key, &self.content()];
        signature::verify(account_key, &parts, &self.signature)
    }

    pub(crate) fn contains(&self, number: u32, device: DeviceId) -> bool {
        self.devices.contains(&(number, device))
    }

    /// What the next version carries as its `previous`.
    pub(crate) fn hash(&self, account_key: &[u8; 32]) -> [u8; 32] {
        kdf::hash(&[HASH_LABEL, account_key, &self.content()])
    }

    /// Whether this list may take the place of `older`: the same list, the next one of its chain,
    /// or a later one whose links in between are not known here.
    pub(crate) fn may_follow(&self, older: &Self, account_key: &[u8; 32]) -> bool {
        match self.version.checked_sub(older.version) {
            None => false,
            Some(0) => self.content() == older.content(),
            Some(1) => self.previous == older.hash(account_key),
            Some(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[1; 32])
    }

    fn next(older: &DeviceList, device: u8) -> DeviceList {
        let new = (older.version + 1, DeviceId::from_bytes([device; 32]));
        older.next(&key(), &[&older.devices[..], &[new]].concat())
    }

    fn read(bytes: &[u8]) -> Option<DeviceList> {
        let mut reader = Reader::new(bytes);
        let list = DeviceList::read(&mut reader)?;
        reader.finish()?;
        Some(list)
    }

    #[test]
    fn a_chain_of_lists_is_followed_and_a_fork_is_not() {
        let account = key().verifying_key().to_bytes();
        let first = DeviceList::first(&key(), 1, DeviceId::from_bytes([1; 32]));
        let second = next(&first, 2);
        let fork = next(&first, 3);
        assert!(read(&second.encode()).is_some_and(|list| list.is_signed_by(&account)));
        assert!(second.may_follow(&first, &account));
        assert!(first.may_follow(&first, &account));
        assert!(!first.may_follow(&second, &account), "rollback");
        assert!(
            !fork.may_follow(&second, &account),
            "another list of the same version"
        );
        assert!(
            !next(&fork, 4).may_follow(&second, &account),
            "a link of another chain"
        );
    }

    #[test]
    fn refuses_lists_that_are_not_canonical() {
        let first = DeviceList::first(&key(), 1, DeviceId::from_bytes([1; 32]));
        let mut twice = next(&first, 2);
        twice.devices[1].0 = 1;
        assert!(read(&twice.encode()).is_none(), "the same number twice");
        let mut rootless = first.clone();
        rootless.version = 2;
        assert!(
            read(&rootless.encode()).is_none(),
            "version 2 without a link"
        );
        let mut empty = first.clone();
        empty.devices.clear();
        assert!(read(&empty.encode()).is_none());
        let mut crowded = first;
        crowded.devices = (0..65)
            .map(|number| (number, DeviceId::from_bytes([1; 32])))
            .collect();
        assert!(read(&crowded.encode()).is_none());
    }
}
