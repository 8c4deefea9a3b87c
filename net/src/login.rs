//! Login by a signature over this very connection (PROTOCOL §8, WIRE §4).

use ed25519_dalek::{Signature, VerifyingKey};

use crate::quic::{self, Connection};
use crate::relay_key::RelayPin;
use crate::relay_trust::RelayId;
use crate::wire::{DeviceKey, SignatureBytes};

/// What a device signs first of all.
const LABEL: &[u8] = b"Sotto/1 relay-auth";
/// Label of the TLS exporter.
const EXPORTER_LABEL: &[u8] = b"EXPORTER-sotto-auth-v1";

/// A secret of one connection, 32 bytes, the same on both ends and on no other connection.
pub type Exporter = [u8; 32];

/// The id under which the client at the other end knows the relay with this pin: the name that it
/// asked for in the handshake says whether it wants to see the pinned key or a certificate.
pub fn relay_id(connection: &Connection, pin: RelayPin) -> RelayId {
    match quic::server_name(connection) {
        Some(host) if host != quic::SERVER_NAME => RelayId::of_host(&host),
        _ => pin.into(),
    }
}

/// The exporter value of this connection, with the relay's id as context.
///
/// `None` when the connection is already gone.
pub fn exporter(connection: &Connection, relay: impl Into<RelayId>) -> Option<Exporter> {
    let mut value = [0; 32];
    connection
        .export_keying_material(&mut value, EXPORTER_LABEL, relay.into().as_bytes())
        .ok()?;
    Some(value)
}

/// ``LP(label) || LP(relay) || LP(device) || LP(exporter)``, with `LP(x)` = length as u32
/// big-endian, then x: the message under a login's signature.
fn message(relay: RelayId, device: DeviceKey, exporter: &Exporter) -> Vec<u8> {
    let mut message = Vec::with_capacity(130);
    for part in [LABEL, relay.as_bytes(), &device.0, exporter] {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(part);
    }
    message
}

/// Whether `proof` shows that the other end of the connection with this exporter holds the
/// device's key. Strict verification: no malleable signature, no key of small order.
pub fn proves(
    proof: &SignatureBytes,
    relay: impl Into<RelayId>,
    device: DeviceKey,
    exporter: &Exporter,
) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(&device.0) else {
        return false;
    };
    let signature = Signature::from_components(proof.r, proof.s);
    key.verify_strict(&message(relay.into(), device, exporter), &signature)
        .is_ok()
}

/// A 64-byte signature in its two halves.
impl From<[u8; 64]> for SignatureBytes {
    fn from(bytes: [u8; 64]) -> Self {
        let signature = Signature::from_bytes(&bytes);
        Self {
            r: *signature.r_bytes(),
            s: *signature.s_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    const RELAY: RelayId = RelayId([1; 32]);
    const EXPORTER: Exporter = [2; 32];

    fn login() -> (DeviceKey, SignatureBytes) {
        let key = SigningKey::from_bytes(&[3; 32]);
        let device = DeviceKey(key.verifying_key().to_bytes());
        let proof = key.sign(&message(RELAY, device, &EXPORTER)).to_bytes();
        (device, proof.into())
    }

    #[test]
    fn accepts_the_holder_on_its_own_connection_only() {
        let (device, proof) = login();
        assert!(proves(&proof, RELAY, device, &EXPORTER));
        assert!(
            !proves(&proof, RELAY, device, &[9; 32]),
            "another connection"
        );
        assert!(
            !proves(&proof, RelayId([9; 32]), device, &EXPORTER),
            "another relay"
        );
        let other = DeviceKey(SigningKey::from_bytes(&[4; 32]).verifying_key().to_bytes());
        assert!(!proves(&proof, RELAY, other, &EXPORTER), "another device");
        assert!(
            !proves(&proof, RELAY, DeviceKey([0; 32]), &EXPORTER),
            "a weak key"
        );
    }
}
