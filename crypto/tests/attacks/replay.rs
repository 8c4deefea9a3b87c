//! R14, R20: one-time prekeys that are handed out twice or never, and handshakes that come again.

use std::collections::HashSet;

use sotto_crypto::{OpenError, Packet, PrekeyKind, PrekeySecret, Session, VerifiedBundle};

use crate::forge::{Author, Initiator};
use crate::people::{Device, TURN_SECS, intruder, open, refuses, rng, seal};

fn digest(bytes: &[u8]) -> [u8; 32] {
    Packet::parse(bytes).unwrap().handshake().unwrap().digest()
}

#[test]
fn r14_a_one_time_prekey_given_to_two_serves_the_first_and_the_second_starts_anew() {
    let (alice, charlie, mut bob) = (Device::alice(), Device::charlie(), Device::bob());
    let rng = &mut rng(140);
    let mut of_alice = alice.start(&bob, true, rng);
    let mut of_charlie = charlie.start(&bob, true, rng);
    let from_alice = seal(&mut of_alice, b"alice", 0, rng);
    let from_charlie = seal(&mut of_charlie, b"charlie", 0, rng);
    let shown = |bytes| Packet::parse(bytes).unwrap().handshake().unwrap();
    let one_time_ids = [&from_alice, &from_charlie].map(|first| shown(first).one_time_prekey_id());
    assert_eq!(one_time_ids, [Some(11); 2]);
    let mut at_bob = bob.accepts(&from_alice, b"alice");
    // Deleted with the session's first commit; the relay knows nothing of it.
    bob.one_time.retain(|prekey| prekey.id() != 11);
    bob.refuses(&from_charlie, "the second");
    // Neither without it, nor with another in its place.
    let packet = Packet::parse(&from_charlie).unwrap();
    let renamed = PrekeySecret::generate(PrekeyKind::OneTime, 11, 1000, rng);
    for one_time in [None, Some(&bob.one_time[0]), Some(&renamed)] {
        let signed = &bob.signed[0];
        let refused = Session::accept(&bob.identity, signed, one_time, &packet, 0, rng);
        assert_eq!(refused.err(), Some(OpenError::NotAuthentic));
    }
    refuses(&mut at_bob, &from_charlie, "another's session");
    for with_one_time in [true, false] {
        let mut again = charlie.start(&bob, with_one_time, rng);
        bob.accepts(&seal(&mut again, b"again", 0, rng), b"again");
    }
    let next = seal(&mut of_alice, b"next", 0, rng);
    assert_eq!(open(&mut at_bob, &next).unwrap(), b"next");
}

#[test]
fn r14_the_last_resort_serves_everybody_with_keys_of_their_own() {
    let (alice, charlie, bob) = (Device::alice(), Device::charlie(), Device::bob());
    let rng = &mut rng(141);
    let mut digests = HashSet::new();
    let mut sessions = HashSet::new();
    for from in [&alice, &charlie, &alice, &charlie, &alice] {
        let mut session = from.start(&bob, false, rng);
        let first = seal(&mut session, b"hello", 0, rng);
        let mut of_bob = bob.accepts(&first, b"hello");
        let answer = seal(&mut of_bob, b"answer", 0, rng);
        assert_eq!(open(&mut session, &answer).unwrap(), b"answer");
        digests.insert(digest(&first));
        sessions.insert(of_bob.id());
    }
    assert_eq!((digests.len(), sessions.len()), (5, 5));
}

#[test]
fn r20_a_replayed_first_contact_is_known_by_its_digest_and_refused_by_its_tag() {
    let (alice, bob) = (Device::alice(), Device::bob());
    let rng = &mut rng(200);
    let mut session = alice.start(&bob, false, rng);
    let first = seal(&mut session, b"first", 0, rng);
    let repeated = seal(&mut session, b"repeated", 0, rng);
    assert_eq!(digest(&first), digest(&repeated));
    let mut of_bob = bob.accepts(&first, b"first");
    // The session as it is, from its record, and after it has gone on.
    let mut again = Session::from_stored(&of_bob.to_stored()).unwrap();
    assert!(!again.expects(&Packet::parse(&first).unwrap().tag()));
    refuses(&mut again, &first, "from the record");
    refuses(&mut of_bob, &first, "at once");
    assert_eq!(open(&mut of_bob, &repeated).unwrap(), b"repeated");
    refuses(&mut of_bob, &repeated, "the other one");
    let answer = seal(&mut of_bob, b"answer", 0, rng);
    assert_eq!(open(&mut session, &answer).unwrap(), b"answer");
    let step = seal(&mut session, b"step", TURN_SECS, rng);
    assert_eq!(open(&mut of_bob, &step).unwrap(), b"step");
    for replayed in [&first, &repeated, &step] {
        refuses(&mut of_bob, replayed, "after a step");
        refuses(&mut session, replayed, "at its author");
    }
    // Without a one-time prekey nothing but the digest tells the replay from a new handshake: it
    // would be the same session once more.
    let twin = bob.accepts(&first, b"first");
    assert_eq!(twin.id(), of_bob.id());
    let mut other = alice.start(&bob, false, rng);
    let new = seal(&mut other, b"first", 0, rng);
    assert_ne!(digest(&new), digest(&first));
    bob.accepts(&new, b"first");
}

/// All of a handshake's keys follow from T0 and from who sent it. A malicious initiator can seal
/// another form of the same identity over them: another digest, but the same session's id.
#[test]
fn r20_a_second_handshake_with_the_same_keys_has_the_same_session_id() {
    let mut bob = Device::bob();
    let rng = &mut rng(202);
    for with_one_time in [false, true] {
        let handshake = Initiator::new(&intruder(), &bob.recipient(with_one_time), rng);
        let later = Author {
            version: 2,
            ..intruder()
        };
        let twin = Initiator {
            identity: later.identity(),
            ..handshake.clone()
        };
        let first = handshake.message(b"first").seal(rng);
        let second = twin.message(b"second").seal(rng);
        assert_ne!(digest(&first), digest(&second));
        let mut session = bob.accepts(&first, b"first");
        refuses(&mut session, &second, "its tag is spent");
        if with_one_time {
            bob.one_time.remove(0);
            bob.refuses(&second, "the one-time prekey is gone");
        } else {
            assert_eq!(bob.accepts(&second, b"second").id(), session.id());
        }
    }
}

#[test]
fn r20_a_replay_starts_nothing_once_a_prekey_of_it_is_gone() {
    for with_one_time in [false, true] {
        let (alice, mut bob) = (Device::alice(), Device::bob());
        let rng = &mut rng(201);
        let first = seal(&mut alice.start(&bob, with_one_time, rng), b"first", 0, rng);
        let accepted = digest(&first);
        bob.accepts(&first, b"first");
        if with_one_time {
            let spent = bob.one_time.remove(0);
            bob.refuses(&first, "the one-time prekey is gone");
            bob.one_time.push(spent);
        }
        // The signed prekey's secret is deleted; later a new one may bear its id.
        bob.signed.remove(0);
        bob.refuses(&first, "the signed prekey is gone");
        let renewed = PrekeySecret::generate(PrekeyKind::Signed, 1, 1000, rng);
        bob.signed.insert(0, renewed);
        bob.refuses(&first, "another signed prekey of this id");
        assert_eq!(digest(&first), accepted);
        let record = bob.signed_record();
        let bundle = VerifiedBundle::verify(bob.identity.public(), &record, None, 0).unwrap();
        let mut session = Session::start(&alice.identity, &bundle, 0, rng).unwrap();
        bob.accepts(&seal(&mut session, b"honest", 0, rng), b"honest");
    }
}
