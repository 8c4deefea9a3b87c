//! What the fuzz targets in `tests/fuzz` run: a function for each decoder of bytes that somebody
//! else may have written.
//!
//! Each asserts what holds for all bytes, and says whether these were accepted. Keys, sessions and
//! contexts are fixed, so that an input means the same in every run.
#![cfg_attr(
    test,
    expect(
        unreachable_pub,
        reason = "public in fuzz builds, where targets call it"
    )
)]

use std::sync::LazyLock;

use crate::attachment::{
    ATTACHMENT_HEADER_BYTES, AttachmentKey, AttachmentOpener, AttachmentSealer,
};
use crate::chain::SKIPPED_SECS_MAX;
use crate::codec::{Reader, Writer};
use crate::device_list::DeviceList;
use crate::group::{CAPSULE_BYTES, Capsule, GroupContext};
use crate::handshake::{self, HandshakeView};
use crate::header::Header;
use crate::ids::{DeviceId, GroupId, GroupMessageId, MembersHash};
use crate::packet::Packet;
use crate::prekey::{PrekeyRecord, PrekeySecret};
use crate::session::Forgery;
use crate::testing::{bob, from_hex, rng};
use crate::{
    Identity, PublicIdentity, Session, VaultHeader, VaultSecret, VerifiedBundle, kdf, padding,
};

/// The frozen sessions: one just started, one that answers with a step, two in the middle of a talk.
static SESSIONS: LazyLock<[Session; 4]> = LazyLock::new(|| {
    [
        include_str!("testing/session_started_v1.hex"),
        include_str!("testing/session_answering_v1.hex"),
        include_str!("testing/session_alice_v1.hex"),
        include_str!("testing/session_bob_v1.hex"),
    ]
    .map(|sample| Session::from_stored(&from_hex(sample)).expect("a frozen sample"))
});

/// A packet, for each of the frozen sessions. True if one of them opens it.
pub fn packet(bytes: &[u8]) -> bool {
    let Ok(packet) = Packet::parse(bytes) else {
        return false;
    };
    let binding = packet.binding();
    let tail = [binding.tag, binding.nonce, packet.header, packet.body].concat();
    assert!(bytes.starts_with(&binding.prefix) && bytes.ends_with(&tail));
    let handshake_bytes = bytes.len() - 2 - tail.len();
    assert_eq!(packet.handshake().is_some(), handshake_bytes > 0);
    assert_eq!(packet.tag(), *binding.tag);
    let mut opens = false;
    for session in &*SESSIONS {
        let is_expected = session.expects(&packet.tag());
        let Ok(step) = session.open(&packet, 200, &mut rng(1)) else {
            continue;
        };
        assert!(is_expected);
        assert!(!step.next.expects(&packet.tag()), "opens once");
        assert!(stored_session(&step.next.to_stored()));
        opens = true;
    }
    opens
}

/// A peer that has every key and keeps no rule: which of the frozen sessions, then up to eight
/// packets to it, 8 bytes each. True if all were opened.
///
/// ```text
/// chain 3 bits, step, seal one afterwards, capsule, 2 bits of time | ahead i16 | wrong epoch u8
/// | wrong number u8 | pn u16 | ack u8
/// ```
pub fn ratchet(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    let Some(first) = reader.u8() else {
        return false;
    };
    let mut session = SESSIONS[usize::from(first) % SESSIONS.len()].clone();
    let mut now_secs = 200;
    let mut all_open = reader.left() >= 8;
    for _ in 0..8 {
        let Some([kind, a, b, wrong_epoch, wrong_n, c, d, acknowledged_epoch]) = reader.array()
        else {
            break;
        };
        let forgery = Forgery {
            chain: usize::from(kind & 7),
            has_step: kind & 8 != 0,
            ahead: i16::from_be_bytes([a, b]),
            wrong_epoch,
            wrong_n,
            previous_count: u16::from_be_bytes([c, d]),
            acknowledged_epoch,
        };
        let mut body = Vec::new();
        if kind & 32 == 0 {
            padding::pad_onto(&mut body, &[]);
        } else {
            body.resize(CAPSULE_BYTES, 0);
        }
        now_secs = match kind >> 6 {
            0 => now_secs,
            1 => now_secs + 20,
            2 => now_secs + SKIPPED_SECS_MAX,
            _ => 0,
        };
        let sealed = session.forge(&forgery, &body, now_secs);
        let packet = Packet::parse(&sealed).expect("well formed");
        let is_expected = session.expects(&packet.tag());
        match session.open(&packet, now_secs, &mut rng(1)) {
            Ok(step) => {
                assert!(is_expected && forgery.wrong_epoch == 0 && forgery.wrong_n == 0);
                assert!(!step.next.expects(&packet.tag()), "opens once");
                assert!(stored_session(&step.next.to_stored()), "can be read again");
                session = step.next;
            }
            Err(_) => all_open = false,
        }
        if kind & 16 != 0
            && let Ok(step) = session.seal(b"", now_secs, &mut rng(2))
        {
            assert!(Packet::parse(&step.output).is_ok());
            assert!(stored_session(&step.next.to_stored()));
            session = step.next;
        }
    }
    all_open
}

/// A header after decryption.
pub fn header(bytes: &[u8]) -> bool {
    let Some(header) = Header::decode(bytes) else {
        return false;
    };
    let Header {
        epoch,
        n,
        previous_count,
        acknowledged_epoch,
        step,
    } = header;
    let writer = Writer::default()
        .u32(epoch)
        .u32(n)
        .u32(previous_count)
        .u32(acknowledged_epoch);
    let again = match step {
        None => writer,
        Some(step) => writer.raw(&step.ciphertext).raw(step.public.as_bytes()),
    };
    assert_eq!(again.public(), bytes);
    true
}

/// A handshake with and without a one-time part, and what is sealed inside of one. True if the
/// bytes are the latter.
pub fn handshake(bytes: &[u8]) -> bool {
    let [without, with] = [false, true].map(|has_one_time| {
        let mut reader = Reader::new(bytes);
        let view = HandshakeView::read(&mut reader, has_one_time)?;
        assert!(reader.left() < bytes.len());
        Some((view.digest(), reader.left()))
    });
    if let (Some((one, _)), Some((other, _))) = (without, with) {
        assert_ne!(one, other);
    }
    let Some((peer, proof)) = handshake::read_sender(bytes) else {
        return false;
    };
    let again = Writer::default().lp(&peer.encode()).raw(&proof).public();
    assert_eq!(again, bytes);
    true
}

/// A public identity.
pub fn identity(bytes: &[u8]) -> bool {
    PublicIdentity::decode(bytes).is_ok_and(|identity| {
        assert_eq!(identity.encode(), bytes);
        assert!(identity.may_follow(&identity));
        true
    })
}

/// A device list, without its signature's verification.
pub fn device_list(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    let Some(list) = DeviceList::read(&mut reader) else {
        return false;
    };
    assert_eq!([&list.encode(), reader.rest()].concat(), bytes);
    assert!(list.may_follow(&list, &[1; 32]));
    true
}

/// A bundle of Bob: the signed record, and the one-time record in what is left.
pub fn bundle(bytes: &[u8]) -> bool {
    let mut reader = Reader::new(bytes);
    let signed = reader.raw(PrekeyRecord::BYTES.min(bytes.len()));
    let one_time = reader.rest();
    for record in [signed.unwrap_or_default(), one_time] {
        if let Some((decoded, signature)) = PrekeyRecord::decode(record) {
            assert_eq!(decoded.encode(&signature), record);
        }
    }
    let one_time = (!one_time.is_empty()).then_some(one_time);
    VerifiedBundle::verify(bob().public(), signed.unwrap_or_default(), one_time, 0).is_ok()
}

/// `StoredSessionV1`.
pub fn stored_session(bytes: &[u8]) -> bool {
    Session::from_stored(bytes).is_ok_and(|session| {
        assert_eq!(session.to_stored().as_slice(), bytes);
        true
    })
}

/// `StoredIdentityV1`.
pub fn stored_identity(bytes: &[u8]) -> bool {
    Identity::from_stored(bytes).is_ok_and(|identity| {
        assert_eq!(identity.to_stored().as_slice(), bytes);
        true
    })
}

/// `StoredPrekeyV1`.
pub fn stored_prekey(bytes: &[u8]) -> bool {
    PrekeySecret::from_stored(bytes).is_ok_and(|prekey| {
        assert_eq!(prekey.to_stored().as_slice(), bytes);
        true
    })
}

/// A vault's header. True if the key file of the frozen sample opens it.
pub fn vault_header(bytes: &[u8]) -> bool {
    VaultHeader::parse(bytes).is_ok_and(|header| {
        assert_eq!(header.encode(), bytes);
        // A passphrase takes a second by design.
        header.unlock(&VaultSecret::KeyFile(&[7; 32])).is_ok()
    })
}

/// A group message: a capsule of 64 bytes, then the body.
pub fn group_body(bytes: &[u8]) -> bool {
    let context = GroupContext {
        group: GroupId::from_bytes([1; 32]),
        epoch: 2,
        members: MembersHash::from_bytes([3; 32]),
        sender: DeviceId::from_bytes([4; 32]),
        previous: GroupMessageId::from_bytes([5; 32]),
    };
    let Some((capsule, body)) = bytes.split_at_checked(CAPSULE_BYTES) else {
        return false;
    };
    let opens = |capsule: &[u8]| {
        let capsule = Capsule::decode(capsule).expect("any 64 bytes are a capsule");
        context.open(&capsule, body).is_ok()
    };
    // A capsule that names this body, so that the body is looked into.
    let id = kdf::hash(&[b"Sotto/1 group message", body]);
    let named = Writer::default().raw(&capsule[..32]).raw(&id).secret();
    let named_opens = opens(&named);
    assert!(named_opens || !opens(capsule));
    named_opens
}

/// A sealed file: its header, its size, the index of a chunk, and that chunk.
pub fn attachment(bytes: &[u8]) -> bool {
    static HEADER: LazyLock<[u8; ATTACHMENT_HEADER_BYTES]> =
        LazyLock::new(|| AttachmentSealer::new(&KEY, &mut rng(1)).header());
    static KEY: LazyLock<AttachmentKey> = LazyLock::new(|| AttachmentKey::from_bytes([7; 32]));
    let mut reader = Reader::new(bytes);
    let (Some(header), Some(sealed_bytes), Some(index)) =
        (reader.array(), reader.u64(), reader.u64())
    else {
        return false;
    };
    let new = |header| AttachmentOpener::new(&KEY, header, sealed_bytes);
    let is_committed = new(&header).is_ok();
    // Sizes and places are looked at even if the header is not the right one.
    let Ok(opener) = new(&HEADER) else {
        return false;
    };
    let count = opener.chunk_count();
    let last = opener.chunk_range(count - 1).expect("at least one chunk");
    assert_eq!(last.end, sealed_bytes);
    assert_eq!(opener.chunk_range(count), None);
    assert!(opener.file_bytes() < sealed_bytes);
    assert_eq!(opener.chunk_range(index).is_some(), index < count);
    let sealed = reader.rest();
    let mut chunk = sealed.to_vec();
    let opens = opener.open_chunk(index, &mut chunk).is_ok();
    assert_eq!(chunk.len(), if opens { sealed.len() - 16 } else { 0 });
    is_committed && opens
}

/// A padded text.
pub fn padding(bytes: &[u8]) -> bool {
    padding::unpad(bytes.to_vec().into()).is_some_and(|text| {
        let mut again = Vec::new();
        padding::pad_onto(&mut again, &text);
        assert_eq!(again, bytes);
        true
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    type Target = (&'static str, fn(&[u8]) -> bool);

    const TARGETS: [Target; 14] = [
        ("packet", super::packet),
        ("ratchet", super::ratchet),
        ("header", super::header),
        ("handshake", super::handshake),
        ("identity", super::identity),
        ("device_list", super::device_list),
        ("bundle", super::bundle),
        ("stored_session", super::stored_session),
        ("stored_identity", super::stored_identity),
        ("stored_prekey", super::stored_prekey),
        ("vault_header", super::vault_header),
        ("group_body", super::group_body),
        ("attachment", super::attachment),
        ("padding", super::padding),
    ];

    /// What fuzzing once found, and seeds of every kind: all of it still keeps its promises, and of
    /// every target some is still accepted.
    #[test]
    fn the_corpus_of_every_target_passes() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
        for (name, run) in TARGETS {
            assert!(
                fuzz.join("fuzz_targets")
                    .join(name)
                    .with_extension("rs")
                    .exists(),
                "{name}"
            );
            let mut accepted = 0;
            for file in fs::read_dir(fuzz.join("corpus").join(name)).expect(name) {
                let path = file.unwrap().path();
                let bytes = fs::read(&path).unwrap();
                println!("{}", path.display());
                accepted += usize::from(run(&bytes));
            }
            assert!(accepted > 0, "{name}: nothing is accepted");
        }
    }
}
