use super::*;
use crate::chain::GAP_MAX;
use crate::group::{Capsule, GroupContext};
use crate::ids::{GroupId, GroupMessageId, MembersHash};
use crate::packet::{ENVELOPE_BYTES_MAX, PLAINTEXT_BYTES_MAX};
use crate::prekey::PrekeyKind;
use crate::testing::{FixedRng, alice, bob, from_hex, rng, to_hex};

/// Beyond the least time between two steps.
const TURN_SECS: u64 = 60;

/// A conversation whose two ends live in memory, with one clock and fixed randomness.
struct Talk {
    alice: Session,
    bob: Session,
    now_secs: u64,
    rng: FixedRng,
}

fn prekey(kind: PrekeyKind) -> PrekeySecret {
    PrekeySecret::generate(kind, 7, 1000, &mut rng(kind as u64))
}

/// A session from `from` to the owner of `prekey`s.
fn start(from: &Identity, to: &Identity, with_one_time: bool, rng: &mut FixedRng) -> Session {
    let signed = prekey(PrekeyKind::Signed).record(to);
    let one_time = with_one_time.then(|| prekey(PrekeyKind::OneTime).record(to));
    let bundle = VerifiedBundle::verify(to.public(), &signed, one_time.as_deref(), 0).unwrap();
    Session::start(from, &bundle, 0, rng).unwrap()
}

fn accept(identity: &Identity, bytes: &[u8], rng: &mut FixedRng) -> Result<Accepted, OpenError> {
    let packet = Packet::parse(bytes)?;
    let one_time = packet
        .handshake()
        .and_then(|handshake| handshake.one_time_prekey_id())
        .map(|_| prekey(PrekeyKind::OneTime));
    let signed = prekey(PrekeyKind::Signed);
    Session::accept(identity, &signed, one_time.as_ref(), &packet, 0, rng)
}

fn seal(session: &mut Session, text: &[u8], now_secs: u64, rng: &mut FixedRng) -> Vec<u8> {
    let step = session.seal(text, now_secs, rng).unwrap();
    *session = step.next;
    step.output
}

fn open(session: &mut Session, bytes: &[u8], now_secs: u64) -> Result<Vec<u8>, OpenError> {
    let packet = Packet::parse(bytes)?;
    let step = session.open(&packet, now_secs, &mut rng(0))?;
    assert!(session.expects(&packet.tag()), "opened, so it was expected");
    assert!(
        !step.next.expects(&packet.tag()),
        "opened, so it is not expected again"
    );
    *session = step.next;
    Ok(text(step.output))
}

fn text(opened: Opened) -> Vec<u8> {
    match opened {
        Opened::Text(text) => text.to_vec(),
        Opened::Capsule(_) => panic!("a capsule"),
    }
}

impl Talk {
    /// Alice has written once, Bob has accepted.
    fn begun() -> Self {
        let mut rng = rng(11);
        let mut alice = start(alice(), bob(), true, &mut rng);
        let first = seal(&mut alice, b"first", 0, &mut rng);
        let accepted = accept(bob(), &first, &mut rng).unwrap();
        let bob = accepted.session;
        assert_eq!(text(accepted.opened), b"first");
        Self {
            alice,
            bob,
            now_secs: 0,
            rng,
        }
    }

    /// Both have written and read, every step is acknowledged, and the next one is up to Alice.
    fn settled() -> Self {
        let mut talk = Self::begun();
        talk.bob_says(b"second");
        talk.alice_says(b"third");
        let answer = talk.bob_seals(b"fourth");
        assert_eq!(talk.alice_opens(&answer).unwrap(), b"fourth");
        talk
    }

    fn alice_seals(&mut self, text: &[u8]) -> Vec<u8> {
        seal(&mut self.alice, text, self.now_secs, &mut self.rng)
    }

    fn bob_seals(&mut self, text: &[u8]) -> Vec<u8> {
        seal(&mut self.bob, text, self.now_secs, &mut self.rng)
    }

    fn alice_opens(&mut self, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
        open(&mut self.alice, bytes, self.now_secs)
    }

    fn bob_opens(&mut self, bytes: &[u8]) -> Result<Vec<u8>, OpenError> {
        open(&mut self.bob, bytes, self.now_secs)
    }

    fn alice_says(&mut self, text: &[u8]) {
        self.now_secs += TURN_SECS;
        let packet = self.alice_seals(text);
        assert_eq!(self.bob_opens(&packet).unwrap(), text);
    }

    fn bob_says(&mut self, text: &[u8]) {
        self.now_secs += TURN_SECS;
        let packet = self.bob_seals(text);
        assert_eq!(self.alice_opens(&packet).unwrap(), text);
    }

    fn restart(&mut self) {
        self.alice = restarted(&self.alice);
        self.bob = restarted(&self.bob);
    }
}

fn restarted(session: &Session) -> Session {
    let stored = session.to_stored();
    let read = Session::from_stored(&stored).unwrap();
    assert_eq!(read.to_stored(), stored);
    read
}

fn flags(packet: &[u8]) -> u8 {
    packet[1]
}

fn send_epoch(session: &Session) -> Option<u32> {
    session.sending.as_ref().map(|chain| chain.epoch)
}

#[test]
fn two_people_talk_and_step_in_turn() {
    let mut talk = Talk::begun();
    assert_eq!(talk.alice.id(), talk.bob.id());
    assert_eq!(talk.alice.peer(), bob().public().device_id());
    assert_eq!(talk.bob.peer(), alice().public().device_id());
    assert_eq!(talk.bob.peer_account(), alice().public().account_id());
    assert!(!talk.alice.is_acknowledged() && talk.bob.is_acknowledged());
    for round in 0..5 {
        talk.bob_says(b"from bob");
        assert!(talk.alice.is_acknowledged());
        assert_eq!(send_epoch(&talk.bob), Some(2 * round + 1));
        talk.alice_says(b"from alice");
        assert_eq!(send_epoch(&talk.alice), Some(2 * round + 2));
        talk.restart();
    }
}

#[test]
fn root_and_chain_are_new_after_each_step() {
    let mut talk = Talk::settled();
    let before = (talk.alice.root.0, talk.bob.root.0);
    talk.alice_says(b"step");
    assert_ne!(talk.alice.root.0, before.0);
    assert_ne!(talk.bob.root.0, before.1);
    assert_eq!(talk.alice.root.0, talk.bob.root.0);
}

#[test]
fn the_handshake_is_repeated_until_the_answer_and_a_step_until_acknowledged() {
    let mut talk = Talk::begun();
    let again = talk.alice_seals(b"again");
    assert_eq!(flags(&again), 0b011);
    assert!(talk.bob.expects(&Packet::parse(&again).unwrap().tag()));
    assert_eq!(talk.bob_opens(&again).unwrap(), b"again");
    let steps = [talk.bob_seals(b"a"), talk.bob_seals(b"b")];
    assert!(steps.iter().all(|packet| flags(packet) == 0b100));
    // The first packet of the step is lost; the second carries it too.
    assert_eq!(talk.alice_opens(&steps[1]).unwrap(), b"b");
    // Too early for a step of her own, but not for an acknowledgement.
    let plain = talk.alice_seals(b"soon");
    assert_eq!(flags(&plain), 0);
    assert_eq!(talk.bob_opens(&plain).unwrap(), b"soon");
    assert_eq!(flags(&talk.bob_seals(b"c")), 0);
    assert_eq!(talk.alice_opens(&steps[0]).unwrap(), b"a");
}

#[test]
fn steps_keep_their_distance_and_survive_a_clock_that_goes_back() {
    let mut talk = Talk::settled();
    talk.bob_says(b"x");
    let at = talk.now_secs;
    talk.alice.stepped_secs = at - 19;
    assert_eq!(
        flags(&talk.alice.seal(b"", at, &mut rng(1)).unwrap().output),
        0
    );
    talk.alice.stepped_secs = at - 20;
    assert_eq!(
        flags(&talk.alice.seal(b"", at, &mut rng(1)).unwrap().output),
        0b100
    );
    talk.alice.stepped_secs = at + 1_000_000;
    assert_eq!(
        flags(&talk.alice.seal(b"", at, &mut rng(1)).unwrap().output),
        0b100
    );
}

#[test]
fn opens_messages_out_of_order_and_across_steps() {
    let mut talk = Talk::settled();
    let old: Vec<_> = (0..4_u8).map(|n| talk.alice_seals(&[n])).collect();
    assert_eq!(talk.bob_opens(&old[2]).unwrap(), [2]);
    talk.bob_says(b"step of bob");
    talk.now_secs += TURN_SECS;
    let new: Vec<_> = (10..13_u8).map(|n| talk.alice_seals(&[n])).collect();
    assert_eq!(flags(&new[0]), 0b100);
    assert_eq!(talk.bob_opens(&new[2]).unwrap(), [12]);
    talk.restart();
    for (packet, n) in [
        (&old[3], 3),
        (&new[0], 10),
        (&old[0], 0),
        (&new[1], 11),
        (&old[1], 1),
    ] {
        assert_eq!(talk.bob_opens(packet).unwrap(), [n]);
    }
    for packet in old.iter().chain(&new) {
        assert_eq!(
            talk.bob_opens(packet),
            Err(OpenError::NotAuthentic),
            "a duplicate"
        );
    }
    assert_eq!(talk.bob.receiving.len(), 1, "chains without keys are gone");
}

#[test]
fn messages_that_cross_do_not_break_the_turns() {
    let mut talk = Talk::settled();
    for round in 0..6 {
        talk.now_secs += TURN_SECS;
        let from_alice = [talk.alice_seals(b"a1"), talk.alice_seals(b"a2")];
        let from_bob = [talk.bob_seals(b"b1"), talk.bob_seals(b"b2")];
        assert_eq!(
            talk.bob_opens(&from_alice[1]).unwrap(),
            b"a2",
            "round {round}"
        );
        assert_eq!(
            talk.alice_opens(&from_bob[0]).unwrap(),
            b"b1",
            "round {round}"
        );
        assert_eq!(
            talk.alice_opens(&from_bob[1]).unwrap(),
            b"b2",
            "round {round}"
        );
        assert_eq!(
            talk.bob_opens(&from_alice[0]).unwrap(),
            b"a1",
            "round {round}"
        );
    }
    assert!(
        send_epoch(&talk.alice).unwrap() >= 6,
        "steps were made on the way"
    );
}

#[test]
fn a_packet_changed_anywhere_gives_one_error_and_changes_nothing() {
    let mut talk = Talk::settled();
    let plain = talk.alice_seals(b"plain");
    talk.bob_says(b"turn");
    talk.now_secs += TURN_SECS;
    let step = talk.alice_seals(b"step");
    assert_eq!((flags(&plain), flags(&step)), (0, 0b100));
    let before = talk.bob.to_stored();
    for packet in [&plain, &step] {
        for at in 0..packet.len() {
            let mut changed = packet.clone();
            changed[at] ^= 1 << (at % 8);
            match Packet::parse(&changed) {
                Err(error) => assert!(at < 2 && error == OpenError::Malformed, "byte {at}"),
                Ok(parsed) => {
                    let opened = talk.bob.open(&parsed, talk.now_secs, &mut rng(0));
                    assert_eq!(opened.err(), Some(OpenError::NotAuthentic), "byte {at}");
                }
            }
            if at > 2 {
                assert!(
                    open(&mut talk.bob, &packet[..at], 0).is_err(),
                    "cut at {at}"
                );
            }
        }
        let longer = [&packet[..], &[0]].concat();
        assert_eq!(
            open(&mut talk.bob, &longer, 0),
            Err(OpenError::NotAuthentic)
        );
    }
    assert_eq!(talk.bob.to_stored(), before);
    assert_eq!(talk.bob_opens(&step).unwrap(), b"step");
    assert_eq!(talk.bob_opens(&plain).unwrap(), b"plain");
}

#[test]
fn a_first_packet_changed_anywhere_starts_nothing() {
    let mut random = rng(5);
    let mut session = start(alice(), bob(), true, &mut random);
    let first = seal(&mut session, b"hello", 0, &mut random);
    // The fields that only cryptography can check, a few bytes of each; the rest in steps.
    for at in (2..first.len())
        .step_by(61)
        .chain(2..12)
        .chain([first.len() - 1])
    {
        let mut changed = first.clone();
        changed[at] ^= 0x10;
        let refused = accept(bob(), &changed, &mut random).err();
        let length_field = Packet::parse(&changed).is_err();
        let expected = if length_field {
            OpenError::Malformed
        } else {
            OpenError::NotAuthentic
        };
        assert_eq!(refused, Some(expected), "byte {at}");
    }
    let stripped = [&[1, 0b001], &first[2..]].concat();
    assert!(
        accept(bob(), &stripped, &mut random).is_err(),
        "no one-time prekey claimed"
    );
    assert!(
        accept(alice(), &first, &mut random).is_err(),
        "another recipient"
    );
    assert!(accept(bob(), &first, &mut random).is_ok());
}

#[test]
fn works_without_a_one_time_prekey_and_only_with_the_prekeys_named() {
    let mut random = rng(6);
    let mut session = start(alice(), bob(), false, &mut random);
    let first = seal(&mut session, b"hello", 0, &mut random);
    assert_eq!(flags(&first), 0b001);
    let packet = Packet::parse(&first).unwrap();
    let shown = packet.handshake().unwrap();
    assert_eq!(
        (shown.signed_prekey_id(), shown.one_time_prekey_id()),
        (7, None)
    );
    let (signed, one_time) = (prekey(PrekeyKind::Signed), prekey(PrekeyKind::OneTime));
    let mut accept = |signed: &PrekeySecret, one_time: Option<&PrekeySecret>| {
        Session::accept(bob(), signed, one_time, &packet, 0, &mut random).is_ok()
    };
    assert!(!accept(&signed, Some(&one_time)));
    assert!(
        !accept(&one_time, None),
        "a one-time prekey in the place of the signed one"
    );
    let other = PrekeySecret::generate(PrekeyKind::Signed, 7, 1000, &mut rng(99));
    assert!(!accept(&other, None), "the same id, another key");
    assert!(accept(&signed, None));
}

/// An identity of one's own to change.
fn owned(identity: &Identity) -> Identity {
    Identity::from_stored(&identity.to_stored()).unwrap()
}

#[test]
fn nobody_can_claim_to_be_alice_without_her_signing_key() {
    let mut random = rng(20);
    let mut forger = owned(alice());
    forger.device_key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let mut session = start(&forger, bob(), true, &mut random);
    let first = seal(&mut session, b"I am Alice", 0, &mut random);
    let refused = accept(bob(), &first, &mut random).err();
    assert_eq!(refused, Some(OpenError::NotAuthentic));
}

#[test]
fn each_of_the_three_locks_is_needed() {
    let mut random = rng(21);
    let mut session = start(alice(), bob(), true, &mut random);
    let first = seal(&mut session, b"hello", 0, &mut random);
    let packet = Packet::parse(&first).unwrap();
    let mut without_rsa = owned(bob());
    without_rsa.unwrap_key = owned(alice()).unwrap_key;
    let (signed, one_time) = (prekey(PrekeyKind::Signed), prekey(PrekeyKind::OneTime));
    let other = |kind| PrekeySecret::generate(kind, 7, 1000, &mut rng(99));
    let (other_signed, other_one_time) = (other(PrekeyKind::Signed), other(PrekeyKind::OneTime));
    let mut accept = |identity: &Identity, signed: &PrekeySecret, one_time: &PrekeySecret| {
        Session::accept(identity, signed, Some(one_time), &packet, 0, &mut random).is_ok()
    };
    assert!(!accept(&without_rsa, &signed, &one_time));
    assert!(!accept(bob(), &other_signed, &one_time));
    assert!(!accept(bob(), &signed, &other_one_time));
    assert!(accept(bob(), &signed, &one_time));
}

#[test]
fn a_replayed_handshake_shows_the_same_digest_and_a_new_one_another() {
    let mut random = rng(7);
    let mut session = start(alice(), bob(), true, &mut random);
    let digest = |bytes: &[u8]| Packet::parse(bytes).unwrap().handshake().unwrap().digest();
    let first = seal(&mut session, b"one", 0, &mut random);
    let second = seal(&mut session, b"two", 0, &mut random);
    assert_eq!(digest(&first), digest(&second));
    let mut other = start(alice(), bob(), true, &mut random);
    assert_ne!(
        digest(&first),
        digest(&seal(&mut other, b"one", 0, &mut random))
    );
}

#[test]
fn the_second_packet_may_come_first() {
    let mut random = rng(8);
    let mut session = start(alice(), bob(), true, &mut random);
    let first = seal(&mut session, b"one", 0, &mut random);
    let second = seal(&mut session, b"two", 0, &mut random);
    let mut accepted = accept(bob(), &second, &mut random).unwrap();
    assert_eq!(text(accepted.opened), b"two");
    assert_eq!(open(&mut accepted.session, &first, 0).unwrap(), b"one");
}

#[test]
fn a_handshake_cannot_be_put_before_a_message_of_another_session() {
    let mut random = rng(9);
    let mut one = start(alice(), bob(), false, &mut random);
    let mut other = start(alice(), bob(), false, &mut random);
    let first = seal(&mut one, b"one", 0, &mut random);
    let second = seal(&mut other, b"two", 0, &mut random);
    let view = Packet::parse(&first).unwrap();
    let message_bytes = 16 + 16 + view.header.len() + view.body.len();
    let (handshake, _) = first.split_at(first.len() - message_bytes);
    let (_, message) = second.split_at(second.len() - message_bytes);
    let spliced = [handshake, message].concat();
    assert_eq!(
        accept(bob(), &spliced, &mut random).err(),
        Some(OpenError::NotAuthentic)
    );
    // Nor can the message travel without its own handshake.
    let mut accepted = accept(bob(), &second, &mut random).unwrap();
    let next = seal(&mut other, b"three", 0, &mut random);
    let (_, bare) = next.split_at(next.len() - message_bytes);
    let stripped = [&[1, 0], bare].concat();
    let refused = open(&mut accepted.session, &stripped, 0);
    assert_eq!(refused, Err(OpenError::NotAuthentic));
    assert_eq!(open(&mut accepted.session, &next, 0).unwrap(), b"three");
}

#[test]
fn simultaneous_starts_give_two_sessions_that_both_work() {
    let mut random = rng(10);
    let mut of_alice = start(alice(), bob(), true, &mut random);
    let mut of_bob = start(bob(), alice(), true, &mut random);
    let from_alice = seal(&mut of_alice, b"from alice", 0, &mut random);
    let from_bob = seal(&mut of_bob, b"from bob", 0, &mut random);
    let mut at_bob = accept(bob(), &from_alice, &mut random).unwrap().session;
    let mut at_alice = accept(alice(), &from_bob, &mut random).unwrap().session;
    assert_ne!(of_alice.id(), of_bob.id());
    let chosen_by_alice = of_alice.id().min(at_alice.id());
    assert_eq!(
        chosen_by_alice,
        of_bob.id().min(at_bob.id()),
        "both choose the same"
    );
    let answer = seal(&mut at_bob, b"1", 0, &mut random);
    assert_eq!(open(&mut of_alice, &answer, 0).unwrap(), b"1");
    assert!(!of_bob.expects(&Packet::parse(&answer).unwrap().tag()));
    let answer = seal(&mut at_alice, b"2", 0, &mut random);
    assert_eq!(open(&mut of_bob, &answer, 0).unwrap(), b"2");
}

#[test]
fn a_packet_does_not_open_at_its_author() {
    let mut talk = Talk::settled();
    let packet = talk.alice_seals(b"mirror");
    assert_eq!(talk.alice_opens(&packet), Err(OpenError::NotAuthentic));
    assert!(!talk.alice.expects(&Packet::parse(&packet).unwrap().tag()));
}

#[test]
fn a_device_does_not_talk_to_itself() {
    let signed = prekey(PrekeyKind::Signed).record(bob());
    let bundle = VerifiedBundle::verify(bob().public(), &signed, None, 0).unwrap();
    let started = Session::start(bob(), &bundle, 0, &mut rng(1));
    assert_eq!(started.err(), Some(StartError::Oneself));
}

#[test]
fn the_largest_gap_is_bridged_and_one_more_is_not() {
    let mut talk = Talk::settled();
    for _ in 0..GAP_MAX {
        let _lost = talk.alice_seals(b"lost");
    }
    let last = talk.alice_seals(b"here");
    let beyond = talk.alice_seals(b"beyond");
    assert_eq!(talk.bob_opens(&beyond), Err(OpenError::NotAuthentic));
    assert_eq!(talk.bob_opens(&last).unwrap(), b"here");
    assert_eq!(talk.bob_opens(&beyond).unwrap(), b"beyond");
    let held: usize = talk
        .bob
        .receiving
        .iter()
        .map(|chain| chain.skipped.len())
        .sum();
    assert_eq!(held, 1000);
    assert!(restarted(&talk.bob).to_stored().len() < 53_000);
}

#[test]
fn a_session_goes_on_after_a_chain_of_which_too_much_was_lost() {
    let mut talk = Talk::settled();
    for _ in 0..=GAP_MAX + 1 {
        let _lost = talk.alice_seals(b"lost");
    }
    let beyond = talk.alice_seals(b"beyond");
    assert_eq!(talk.bob_opens(&beyond), Err(OpenError::NotAuthentic));
    talk.bob_says(b"are you there?");
    talk.alice_says(b"I am");
    talk.bob_says(b"good");
    assert_eq!(talk.bob_opens(&beyond), Err(OpenError::NotAuthentic));
}

#[test]
fn a_late_message_opens_for_thirty_days() {
    let mut talk = Talk::settled();
    let late = talk.alice_seals(b"late");
    let next = talk.alice_seals(b"next");
    talk.bob_opens(&next).unwrap();
    let arrived = talk.now_secs;
    let month = 30 * 24 * 60 * 60;
    let mut kept = talk
        .bob
        .seal(b"", arrived + month, &mut rng(1))
        .unwrap()
        .next;
    assert_eq!(open(&mut kept, &late, arrived + month).unwrap(), b"late");
    let mut expired = talk
        .bob
        .seal(b"", arrived + month + 1, &mut rng(1))
        .unwrap()
        .next;
    assert!(open(&mut expired, &late, arrived + month + 1).is_err());
}

#[test]
fn a_thief_of_a_state_reads_nothing_older_and_nothing_after_a_round_trip() {
    let mut talk = Talk::settled();
    let older = talk.alice_seals(b"older");
    talk.bob_opens(&older).unwrap();
    let mut thief = talk.bob.clone();
    assert!(open(&mut thief, &older, 0).is_err(), "forward secrecy");
    // Alice's next step still goes to the stolen key.
    talk.now_secs += TURN_SECS;
    let step = talk.alice_seals(b"step");
    assert!(
        open(&mut thief, &step, 0).is_ok(),
        "the copy is a working one"
    );
    talk.bob_opens(&step).unwrap();
    talk.bob_says(b"a step that the thief did not make");
    talk.now_secs += TURN_SECS;
    let healed = talk.alice_seals(b"healed");
    assert!(open(&mut thief, &healed, 0).is_err());
    let mine = seal(&mut thief, b"from the thief", talk.now_secs, &mut rng(66));
    assert!(talk.alice_opens(&mine).is_err());
    assert_eq!(talk.bob_opens(&healed).unwrap(), b"healed");
}

#[test]
fn a_state_used_twice_repeats_no_key_with_its_nonce() {
    let talk = Talk::settled();
    let one = talk
        .alice
        .seal(b"same", talk.now_secs, &mut rng(1))
        .unwrap()
        .output;
    let two = talk
        .alice
        .seal(b"same", talk.now_secs, &mut rng(2))
        .unwrap()
        .output;
    let (one, two) = (Packet::parse(&one).unwrap(), Packet::parse(&two).unwrap());
    assert_eq!(one.tag(), two.tag(), "the same place in the chain");
    assert_ne!(one.binding().nonce, two.binding().nonce);
    let differs = |a: &[u8], b: &[u8]| a.iter().zip(b).filter(|(a, b)| a != b).count();
    // Equal plaintexts under an equal key stream would be equal; only the tags would differ.
    assert!(differs(one.body, two.body) > 200);
    assert!(differs(one.header, two.header) > 20);
}

#[test]
fn the_largest_message_fits_an_envelope_with_handshake_and_with_step() {
    let mut talk = Talk::begun();
    let largest = vec![1; PLAINTEXT_BYTES_MAX];
    let with_handshake = talk.alice_seals(&largest);
    assert_eq!(talk.bob_opens(&with_handshake).unwrap(), largest);
    let with_step = talk.bob_seals(&largest);
    assert_eq!(talk.alice_opens(&with_step).unwrap(), largest);
    assert!(with_step.len() <= ENVELOPE_BYTES_MAX);
    // With the largest identity that the format allows.
    let growth = crate::IDENTITY_BYTES_MAX - alice().public().encode().len();
    assert!(with_handshake.len() + growth <= ENVELOPE_BYTES_MAX);
    let too_long = talk
        .alice
        .seal(&vec![0; PLAINTEXT_BYTES_MAX + 1], 0, &mut rng(1));
    assert!(matches!(
        too_long,
        Err(SealError::TooLong {
            bytes: 53_248,
            bytes_max: 53_247
        })
    ));
}

#[test]
fn packets_have_the_sizes_that_the_protocol_states() {
    let mut talk = Talk::begun();
    assert_eq!(talk.alice_seals(b"hi").len(), 4635 + 338);
    assert_eq!(talk.bob_seals(b"hi").len(), 2336 + 338);
    let mut talk = Talk::settled();
    assert_eq!(talk.alice_seals(b"hi").len(), 338);
}

#[test]
fn a_chain_without_messages_left_steps_or_says_so() {
    let mut talk = Talk::settled();
    talk.alice.sending.as_mut().unwrap().next = u32::MAX;
    let sealed = talk.alice.seal(b"", talk.now_secs, &mut rng(1)).unwrap();
    assert_eq!(flags(&sealed.output), 0b100, "her turn");
    talk.bob.sending.as_mut().unwrap().next = u32::MAX;
    let sealed = talk.bob.seal(b"", talk.now_secs, &mut rng(1));
    assert_eq!(sealed.err(), Some(SealError::Exhausted), "not his turn");
}

#[test]
fn refuses_stored_records_that_are_cut_or_newer() {
    let mut talk = Talk::settled();
    let _lost = talk.alice_seals(b"lost");
    let next = talk.alice_seals(b"next");
    talk.bob_opens(&next).unwrap();
    for session in [
        &talk.alice,
        &talk.bob,
        &start(alice(), bob(), true, &mut rng(1)),
    ] {
        let stored = session.to_stored();
        for length in (0..stored.len()).step_by(7).chain([stored.len() - 1]) {
            assert!(
                Session::from_stored(&stored[..length]).is_err(),
                "cut at {length}"
            );
        }
        assert!(Session::from_stored(&[&stored[..], &[0]].concat()).is_err());
        let mut newer = stored.to_vec();
        newer[0] = 2;
        let error = Session::from_stored(&newer).err();
        assert_eq!(error, Some(crate::StoredError::Newer { version: 2 }));
    }
}

#[test]
fn debug_shows_ids_only() {
    let talk = Talk::settled();
    let shown = format!("{:?}", talk.alice);
    assert!(shown.starts_with("Session { id: SessionId("), "{shown}");
    assert!(shown.len() < 180, "{shown}");
    let step = talk.alice.seal(b"secret words", 0, &mut rng(1)).unwrap();
    assert!(format!("{step:?}").len() < 220);
}

/// What sessions looked like when version 1 was written: one just started, one that answers with a
/// step, and two in the middle of a talk; then a packet from the third to the fourth.
const FROZEN: [&str; 5] = [
    include_str!("../testing/session_started_v1.hex"),
    include_str!("../testing/session_answering_v1.hex"),
    include_str!("../testing/session_alice_v1.hex"),
    include_str!("../testing/session_bob_v1.hex"),
    include_str!("../testing/packet_v1.hex"),
];

#[test]
fn the_frozen_samples_are_still_readable() {
    let [mut started, mut answering, mut of_alice, mut of_bob] =
        [FROZEN[0], FROZEN[1], FROZEN[2], FROZEN[3]].map(|sample| {
            let session = Session::from_stored(&from_hex(sample)).unwrap();
            assert_eq!(to_hex(&session.to_stored()), sample.trim());
            session
        });
    let answer = seal(&mut answering, b"answer", 5, &mut rng(1));
    assert_eq!(open(&mut started, &answer, 5).unwrap(), b"answer");
    assert_eq!(
        open(&mut of_bob, &from_hex(FROZEN[4]), 200).unwrap(),
        b"frozen"
    );
    let answer = seal(&mut of_bob, b"thawed", 200, &mut rng(1));
    assert_eq!(open(&mut of_alice, &answer, 200).unwrap(), b"thawed");
}

#[test]
fn the_same_randomness_still_gives_the_same_bytes() {
    assert_eq!(
        frozen_samples(),
        FROZEN.map(|sample| sample.trim().to_owned())
    );
}

/// The states of [`FROZEN`]: in the end Alice has a message on the way, and Bob keeps the key of a
/// lost one.
fn frozen_samples() -> [String; 5] {
    let mut talk = Talk::begun();
    let started = to_hex(&talk.alice.to_stored());
    let first_answer = talk.bob_seals(b"second");
    let answering = to_hex(&talk.bob.to_stored());
    assert_eq!(talk.alice_opens(&first_answer).unwrap(), b"second");
    talk.alice_says(b"third");
    talk.bob_says(b"fourth");
    let _lost = talk.alice_seals(b"lost");
    let next = talk.alice_seals(b"next");
    assert_eq!(talk.bob_opens(&next).unwrap(), b"next");
    let packet = talk.alice_seals(b"frozen");
    [
        started,
        answering,
        to_hex(&talk.alice.to_stored()),
        to_hex(&talk.bob.to_stored()),
        to_hex(&packet),
    ]
}

fn capsule(seed: u64) -> Capsule {
    let context = GroupContext {
        group: GroupId::from_bytes([1; 32]),
        epoch: 0,
        members: MembersHash::of([]),
        sender: alice().public().device_id(),
        previous: GroupMessageId::from_bytes([0; 32]),
    };
    context.seal(b"to all", &mut rng(seed)).unwrap().1
}

#[test]
fn a_capsule_comes_through_as_what_it_is_in_146_bytes() {
    let mut talk = Talk::settled();
    let sent = capsule(1);
    let step = talk
        .alice
        .seal_capsule(&sent, talk.now_secs, &mut rng(1))
        .unwrap();
    assert_eq!(step.output.len(), 146);
    let packet = Packet::parse(&step.output).unwrap();
    let opened = talk.bob.open(&packet, talk.now_secs, &mut rng(1)).unwrap();
    assert!(opened.output.text().is_none());
    let Opened::Capsule(received) = opened.output else {
        panic!("a text");
    };
    assert_eq!(received, sent);
    // A text of 64 bytes stays a text.
    let packet = talk.alice_seals(&[7; 64]);
    assert_eq!(talk.bob_opens(&packet).unwrap(), [7; 64]);
}

#[test]
fn a_capsule_may_begin_a_session() {
    let mut random = rng(12);
    let session = start(alice(), bob(), true, &mut random);
    let first = session.seal_capsule(&capsule(2), 0, &mut random).unwrap();
    let accepted = accept(bob(), &first.output, &mut random).unwrap();
    assert!(matches!(accepted.opened, Opened::Capsule(received) if received == capsule(2)));
}

#[test]
fn capsules_step_after_an_hour_or_fifty_messages() {
    let mut talk = Talk::settled();
    talk.bob_says(b"your turn");
    let at = talk.now_secs;
    let mut random = rng(3);
    let mut flags_of_next = |session: &Session, now_secs| {
        let step = session.seal_capsule(&capsule(1), now_secs, &mut random);
        flags(&step.unwrap().output)
    };
    talk.alice.stepped_secs = at;
    assert_eq!(flags_of_next(&talk.alice, at + 3599), 0);
    assert_eq!(flags_of_next(&talk.alice, at + 3600), 0b100);
    talk.alice.sending.as_mut().unwrap().next = 49;
    assert_eq!(flags_of_next(&talk.alice, at), 0);
    talk.alice.sending.as_mut().unwrap().next = 50;
    assert_eq!(flags_of_next(&talk.alice, at), 0b100);
}
