//! Vault headers and stored records (PROTOCOL §7, §9).

use serde_json::json;

use super::handshake::{accept, prekeys, start};
use super::{Change, Recorder, check, hex, named, refusals};
use crate::master_key::MasterKey;
use crate::testing::alice;
use crate::{Argon2Cost, Identity, PrekeySecret, Session, VaultHeader, VaultSecret};

#[test]
fn vectors_vault() {
    let mut random = Recorder::new(61);
    let master = MasterKey::from_bytes([0x2a; 32]);
    let secrets = [
        (
            "passphrase",
            VaultSecret::Passphrase("correct horse, größer"),
        ),
        ("key_file", VaultSecret::KeyFile(&[7; 32])),
        ("keyring", VaultSecret::Keyring(&[9; 32])),
    ];
    let headers = secrets.each_ref().map(|(_, secret)| {
        VaultHeader::create(&master, secret, Argon2Cost::FLOOR, &mut random).unwrap()
    });
    let cases = [0, 1, 2].map(|index| {
        let (kind, secret) = &secrets[index];
        let header = &headers[index];
        assert_eq!(header.unlock(secret).unwrap().as_bytes(), master.as_bytes());
        json!({
            (*kind): match secret {
                VaultSecret::Passphrase(passphrase) => (*passphrase).into(),
                VaultSecret::KeyFile(key) | VaultSecret::Keyring(key) => hex(key),
                VaultSecret::RecoveryCode(code) => code.to_text().as_str().into(),
            },
            "header": hex(header.encode()),
            "master_key": hex(master.as_bytes()),
            "database_key": hex(master.database_key().as_slice()),
        })
    });
    let bytes = headers[1].encode();
    let unlock = |bytes: &[u8]| match VaultHeader::parse(bytes) {
        Err(error) => format!("{error:?}"),
        Ok(header) => named(header.unlock(&secrets[1].1)),
    };
    let put = |at, value: u32| Change::Put {
        at,
        bytes: value.to_be_bytes().to_vec(),
    };
    let mut refused = refusals(
        "header 1",
        &bytes,
        [
            ("magic", Change::flip(0)),
            (
                "version 2",
                Change::Put {
                    at: 8,
                    bytes: vec![2],
                },
            ),
            (
                "version 0",
                Change::Put {
                    at: 8,
                    bytes: vec![0],
                },
            ),
            ("memory below 64 MiB", put(9, 64 * 1024 - 1)),
            ("memory above 1 GiB", put(9, 1024 * 1024 + 1)),
            ("two passes", put(13, 2)),
            ("eleven passes", put(13, 11)),
            ("no lane", put(17, 0)),
            ("five lanes", put(17, 5)),
            ("more memory", put(9, 128 * 1024)),
            ("salt", Change::flip(21)),
            ("no slot", put(53, 0)),
            ("nine slots", put(53, 9)),
            ("the kind of the slot", Change::flip(57)),
            ("nonce", Change::flip(58)),
            ("wrapped key", Change::flip(70)),
            (
                "cut by one byte",
                Change::Cut {
                    bytes: bytes.len() - 1,
                },
            ),
            ("a trailing byte", Change::Append { bytes: vec![0] }),
        ],
        unlock,
    );
    let wrong = headers[1].unlock(&VaultSecret::KeyFile(&[8; 32]));
    refused.push(json!({"of": "header 1", "what": "another key file", "refusal": named(wrong)}));
    let wrong = headers[0].unlock(&VaultSecret::KeyFile(&[7; 32]));
    refused.push(json!({"of": "header 0", "what": "no such slot", "refusal": named(wrong)}));
    check("vault.json", &json!({"cases": cases, "refused": refused}));
}

/// Records whose meaning PROTOCOL §9 lays down; those of sessions in the middle of a conversation
/// are in `conversation.json`.
#[test]
#[expect(clippy::too_many_lines, reason = "tables")]
fn vectors_stored() {
    let mut random = Recorder::new(62);
    let started = start(true, &mut random)
        .seal(b"", 1_000, &mut random)
        .unwrap();
    let accepted = accept(&started.output).unwrap().session;
    let [signed, _] = prekeys();
    let cases = json!([
        {"kind": "identity", "record": hex(alice().to_stored())},
        {"kind": "prekey", "record": hex(signed.to_stored())},
        {"kind": "session", "record": hex(started.next.to_stored())},
        {"kind": "session", "record": hex(accepted.to_stored())},
    ]);
    let version = |byte| Change::Put {
        at: 0,
        bytes: vec![byte],
    };
    let prekey = signed.to_stored();
    let mut refused = refusals(
        "record 1",
        &prekey,
        [
            ("version 0", version(0)),
            ("version 2", version(2)),
            (
                "kind",
                Change::Put {
                    at: 1,
                    bytes: vec![3],
                },
            ),
            ("cut", Change::Cut { bytes: 45 }),
            ("a trailing byte", Change::Append { bytes: vec![0] }),
        ],
        |record| named(PrekeySecret::from_stored(record)),
    );
    let session = accepted.to_stored();
    let turn = 1 + 32 + 1 + 32 + 32 + 32;
    refused.extend(refusals(
        "record 3",
        &session,
        [
            ("version 2", version(2)),
            (
                "role",
                Change::Put {
                    at: 33,
                    bytes: vec![2],
                },
            ),
            (
                "turn",
                Change::Put {
                    at: turn,
                    bytes: vec![2],
                },
            ),
            (
                "a key of the peer out of range",
                Change::Put {
                    at: turn + 1,
                    bytes: vec![0xff; 3],
                },
            ),
            (
                "whether it sends",
                Change::Put {
                    at: turn + 1217,
                    bytes: vec![2],
                },
            ),
            (
                "too many chains",
                Change::Put {
                    at: session.len() - 113,
                    bytes: vec![0, 0, 0, 6],
                },
            ),
            (
                "cut",
                Change::Cut {
                    bytes: session.len() - 1,
                },
            ),
            ("a trailing byte", Change::Append { bytes: vec![0] }),
        ],
        |record| named(Session::from_stored(record)),
    ));
    let identity = alice().to_stored();
    refused.extend(refusals(
        "record 0",
        &identity,
        [
            ("version 2", version(2)),
            ("account seed", Change::flip(1)),
            ("device seed", Change::flip(33)),
            ("prime", Change::flip(65)),
            ("public identity", Change::flip(identity.len() - 1)),
            (
                "cut",
                Change::Cut {
                    bytes: identity.len() - 1,
                },
            ),
        ],
        |record| named(Identity::from_stored(record)),
    ));
    check("stored.json", &json!({"cases": cases, "refused": refused}));
}
