//! R9: an envelope that was changed anywhere.

use sotto_crypto::{
    AccountId, Capsule, GroupContext, GroupId, GroupMessageId, MembersHash, OpenError, Packet,
    Session,
};

use crate::layout::{FIRST, STEP, place};
use crate::people::{Device, TURN_SECS, Talk, open, rng, seal};

/// The packet with one bit changed in the byte at `at`.
fn flipped(packet: &[u8], at: usize) -> Vec<u8> {
    let mut changed = packet.to_vec();
    changed[at] ^= 1 << (at % 8);
    changed
}

/// What a changed packet must give: without any key only version, flags and lengths can be seen to
/// be wrong.
fn expected(changed: &[u8], at: usize, length_field: std::ops::Range<usize>) -> OpenError {
    let Err(error) = Packet::parse(changed) else {
        return OpenError::NotAuthentic;
    };
    assert!(at < 2 || length_field.contains(&at), "byte {at}");
    error
}

/// Changes each byte in turn, cuts and lengthens; the packet itself must open afterwards.
fn withstands(session: &mut Session, packet: &[u8], length_field: std::ops::Range<usize>) {
    for at in 0..packet.len() {
        let changed = flipped(packet, at);
        let expected = expected(&changed, at, length_field.clone());
        assert_eq!(open(session, &changed), Err(expected), "byte {at}");
    }
    for bytes in (0..packet.len()).step_by(16) {
        assert!(open(session, &packet[..bytes]).is_err(), "cut at {bytes}");
    }
    assert!(open(session, &[packet, &[0]].concat()).is_err(), "longer");
    open(session, packet).unwrap();
}

pub(crate) fn capsule(seed: u64) -> Capsule {
    let account = |byte| AccountId::from_bytes([byte; 32]);
    let context = GroupContext {
        group: GroupId::from_bytes([1; 32]),
        epoch: 0,
        members: MembersHash::of([account(1), account(2)]),
        sender: Device::alice().identity.public().device_id(),
        previous: GroupMessageId::from_bytes([0; 32]),
    };
    context.seal(b"to all", &mut rng(seed)).unwrap().1
}

#[test]
fn r9_a_changed_packet_of_a_session_gives_one_error_and_changes_nothing() {
    let mut talk = Talk::settled();
    let plain = talk.alice_seals(b"plain");
    let sealed = talk
        .alice
        .seal_capsule(&capsule(1), talk.now_secs, &mut talk.rng)
        .unwrap();
    talk.alice = sealed.next;
    let with_capsule = sealed.output;
    talk.now_secs += TURN_SECS;
    let step = talk.alice_seals(b"step");
    assert_eq!(
        [&plain, &with_capsule, &step].map(Vec::len),
        [338, 146, STEP[5].1.end]
    );
    for packet in [step, with_capsule, plain] {
        withstands(&mut talk.bob, &packet, 0..0);
    }
}

#[test]
fn r9_a_changed_packet_with_a_repeated_handshake_gives_one_error_and_changes_nothing() {
    let (alice, bob) = (Device::alice(), Device::bob());
    let rng = &mut rng(90);
    let mut of_alice = alice.start(&bob, true, rng);
    let first = seal(&mut of_alice, b"first", 0, rng);
    let next = seal(&mut of_alice, b"next", 0, rng);
    let mut of_bob = bob.accepts(&first, b"first");
    withstands(&mut of_bob, &next, place(&FIRST, "length of c4"));
}

/// Every byte of the lengths, the ids and the borders between the parts; of the rest every 16th,
/// since each try costs the recipient an RSA operation.
#[test]
fn r9_a_changed_first_packet_starts_nothing() {
    let (alice, bob) = (Device::alice(), Device::bob());
    let rng = &mut rng(91);
    let first = seal(&mut alice.start(&bob, true, rng), b"first", 0, rng);
    let length_field = place(&FIRST, "length of c4");
    let is_near_a_border = |at: usize| FIRST.iter().any(|(_, place)| at.abs_diff(place.start) < 4);
    let mut tried = 0;
    for at in 0..first.len() {
        if at % 16 != 5 && !is_near_a_border(at) && at + 4 < first.len() {
            continue;
        }
        let changed = flipped(&first, at);
        let expected = expected(&changed, at, length_field.clone());
        assert_eq!(bob.accept(&changed).err(), Some(expected), "byte {at}");
        tried += 1;
    }
    assert_eq!(tried, 388);
    let longer = [&first[..], &[0]].concat();
    bob.refuses(&longer, "longer");
    for bytes in [0, 1, 2, 9, 3853, 4636, 4669, 4700, first.len() - 1] {
        assert_eq!(
            bob.accept(&first[..bytes]).err(),
            Some(OpenError::Malformed)
        );
    }
    bob.accepts(&first, b"first");
}
