//! R10, R11: envelopes that the relay hands to the wrong conversation, device or group, or back to
//! their author.

use rand::Rng;
use sotto_crypto::{
    Capsule, GroupContext, GroupId, GroupMessageId, MembersHash, OpenError, Opened, Packet, Session,
};

use crate::forge::Initiator;
use crate::people::{Device, TURN_SECS, Talk, bob_author, open, refuses, rng, seal};
use crate::record::Record;

/// Asserts that these packets open in none of these sessions.
fn none_opens(sessions: &mut [&mut Session], packets: &[&[u8]]) {
    for session in sessions {
        for packet in packets {
            let tag = Packet::parse(packet).unwrap().tag();
            assert!(!session.expects(&tag));
            refuses(session, packet, "another conversation");
        }
    }
}

#[test]
fn r10_a_packet_opens_in_no_other_conversation_and_on_no_other_device() {
    let (alice, bob, charlie) = (Device::alice(), Device::bob(), Device::charlie());
    let rng = &mut rng(100);
    let mut to_bob = alice.start(&bob, true, rng);
    let mut to_charlie = alice.start(&charlie, true, rng);
    let first = [
        seal(&mut to_bob, b"bob", 0, rng),
        seal(&mut to_charlie, b"charlie", 0, rng),
    ];
    charlie.refuses(&first[0], "for bob");
    bob.refuses(&first[1], "for charlie");
    alice.refuses(&first[0], "for bob");
    let mut of_bob = bob.accepts(&first[0], b"bob");
    let mut of_charlie = charlie.accepts(&first[1], b"charlie");
    let answers = [
        seal(&mut of_bob, b"from bob", 0, rng),
        seal(&mut of_charlie, b"from charlie", 0, rng),
    ];
    let next = seal(&mut to_bob, b"next", 0, rng);
    none_opens(
        &mut [&mut of_charlie, &mut to_charlie],
        &[&answers[0], &next],
    );
    none_opens(&mut [&mut of_bob, &mut to_bob], &[&answers[1]]);
    assert_eq!(open(&mut to_bob, &answers[0]).unwrap(), b"from bob");
    assert_eq!(open(&mut to_charlie, &answers[1]).unwrap(), b"from charlie");
    assert_eq!(open(&mut of_bob, &next).unwrap(), b"next");
}

#[test]
fn r10_a_packet_opens_in_no_other_session_of_the_same_pair() {
    let mut talks = [Talk::settled(), {
        // Between the same devices, from the same prekeys.
        let mut talk = Talk::begun_with(rng(101));
        talk.bob_says(b"hello");
        talk
    }];
    let [one, other] = &mut talks;
    assert_ne!(one.alice.id(), other.alice.id());
    for turn in 0..2 {
        let packets = [
            one.alice_seals(b"one"),
            one.bob_seals(b"one"),
            other.alice_seals(b"other"),
            other.bob_seals(b"other"),
        ];
        let [of_alice, of_bob, of_other_alice, of_other_bob] = &packets;
        none_opens(&mut [&mut other.alice, &mut other.bob], &[of_alice, of_bob]);
        none_opens(
            &mut [&mut one.alice, &mut one.bob],
            &[of_other_alice, of_other_bob],
        );
        assert_eq!(open(&mut one.bob, of_alice).unwrap(), b"one", "{turn}");
        assert_eq!(open(&mut one.alice, of_bob).unwrap(), b"one", "{turn}");
        assert_eq!(
            open(&mut other.bob, of_other_alice).unwrap(),
            b"other",
            "{turn}"
        );
        assert_eq!(
            open(&mut other.alice, of_other_bob).unwrap(),
            b"other",
            "{turn}"
        );
        one.now_secs += TURN_SECS;
        other.now_secs += TURN_SECS;
    }
}

/// Seals a capsule, and takes it out of the packet at the other end.
fn through(from: &Session, to: &Session, capsule: &Capsule) -> Capsule {
    let rng = &mut rng(102);
    let packet = from.seal_capsule(capsule, 0, rng).unwrap().output;
    let packet = Packet::parse(&packet).unwrap();
    match to.open(&packet, 0, rng).unwrap().output {
        Opened::Capsule(capsule) => capsule,
        Opened::Text(_) => panic!("a text"),
    }
}

#[test]
fn r10_a_group_message_opens_in_no_other_group_and_from_no_other_sender() {
    let talk = Talk::settled();
    let rng = &mut rng(103);
    let accounts = [talk.alice.peer_account(), talk.bob.peer_account()];
    let place = GroupContext {
        group: GroupId::from_bytes([1; 32]),
        epoch: 3,
        members: MembersHash::of(accounts),
        sender: talk.bob.peer(),
        previous: GroupMessageId::from_bytes([0; 32]),
    };
    let elsewhere = GroupContext {
        group: GroupId::from_bytes([2; 32]),
        ..place
    };
    let (body, sent) = place.seal(b"to one group", rng).unwrap();
    let (other_body, other_sent) = elsewhere.seal(b"to another", rng).unwrap();
    let capsule = through(&talk.alice, &talk.bob, &sent);
    let other = through(&talk.alice, &talk.bob, &other_sent);
    let refused = |place: GroupContext, capsule: &Capsule, body: &[u8], what: &str| {
        let refused = place.open(capsule, body).err();
        assert_eq!(refused, Some(OpenError::NotAuthentic), "{what}");
    };
    refused(elsewhere, &capsule, &body, "another group");
    refused(place, &other, &other_body, "the other one in this group");
    refused(place, &capsule, &other_body, "the body of another");
    refused(place, &other, &body, "the capsule of another");
    let later = GroupContext { epoch: 4, ..place };
    refused(later, &capsule, &body, "another epoch");
    let alone = MembersHash::of([accounts[0]]);
    let fewer = GroupContext {
        members: alone,
        ..place
    };
    refused(fewer, &capsule, &body, "other members");
    let again = GroupContext {
        previous: sent.id(),
        ..place
    };
    refused(again, &capsule, &body, "a second time");
    // Bob passes Alice's capsule on as his own: the session names him as its author.
    let passed_on = through(&talk.bob, &talk.alice, &capsule);
    let of_bob = GroupContext {
        sender: talk.alice.peer(),
        ..place
    };
    refused(of_bob, &passed_on, &body, "passed on");
    assert_eq!(
        place.open(&capsule, &body).unwrap().as_slice(),
        b"to one group"
    );
    let opened = elsewhere.open(&other, &other_body).unwrap();
    assert_eq!(opened.as_slice(), b"to another");
}

/// The sender holds the body's key and may write any capsule; it names one body and no other.
#[test]
fn r10_a_capsule_of_the_right_key_opens_no_body_that_it_does_not_name() {
    let talk = Talk::settled();
    let place = GroupContext {
        group: GroupId::from_bytes([1; 32]),
        epoch: 0,
        members: MembersHash::of([talk.alice.peer_account()]),
        sender: talk.bob.peer(),
        previous: GroupMessageId::from_bytes([0; 32]),
    };
    // The key is what is drawn first.
    let mut key = [0; 32];
    rng(105).fill_bytes(&mut key);
    let (body, named) = place.seal(b"named", &mut rng(105)).unwrap();
    let (_, other) = place.seal(b"other", &mut rng(106)).unwrap();
    let opened = |id: GroupMessageId| {
        let mut message = Record::parse(&talk.alice.to_stored()).message(0, b"");
        message.body = [key, id.to_bytes()].concat();
        let packet = message.seal(&mut rng(107));
        let opened = talk
            .bob
            .open(&Packet::parse(&packet).unwrap(), 0, &mut rng(0));
        let Opened::Capsule(capsule) = opened.unwrap().output else {
            panic!("a text");
        };
        place.open(&capsule, &body).map(|text| text.to_vec())
    };
    assert_eq!(opened(other.id()), Err(OpenError::NotAuthentic));
    assert_eq!(opened(named.id()).unwrap(), b"named");
}

#[test]
fn r11_a_packet_does_not_open_at_its_author() {
    let mut talk = Talk::settled();
    let plain = talk.alice_seals(b"plain");
    let capsule = talk
        .alice
        .seal_capsule(&crate::flips::capsule(1), talk.now_secs, &mut talk.rng)
        .unwrap();
    talk.now_secs += TURN_SECS;
    let step = talk.alice_seals(b"step");
    let of_bob = talk.bob_seals(b"bob");
    none_opens(&mut [&mut talk.alice], &[&plain, &capsule.output, &step]);
    none_opens(&mut [&mut talk.bob], &[&of_bob]);
    assert_eq!(open(&mut talk.alice, &of_bob).unwrap(), b"bob");
    assert_eq!(open(&mut talk.bob, &step).unwrap(), b"step");
    assert_eq!(open(&mut talk.bob, &plain).unwrap(), b"plain");
}

#[test]
fn r11_a_first_packet_does_not_start_a_session_with_its_author() {
    let (alice, bob) = (Device::alice(), Device::bob());
    let rng = &mut rng(104);
    let mut session = alice.start(&bob, true, rng);
    let first = seal(&mut session, b"first", 0, rng);
    refuses(&mut session, &first, "reflected");
    // Her prekeys have the same ids.
    alice.refuses(&first, "reflected");
    let mut of_bob = bob.accepts(&first, b"first");
    let answer = seal(&mut of_bob, b"answer", 0, rng);
    refuses(&mut of_bob, &answer, "reflected");
    assert_eq!(open(&mut session, &answer).unwrap(), b"answer");
    // Not even one that Bob's own keys have made for Bob.
    let to_himself = Initiator::new(&bob_author(), &bob.recipient(true), rng);
    bob.refuses(&to_himself.message(b"").seal(rng), "from himself");
}
