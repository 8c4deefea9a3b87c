//! Whether somebody is who they seem: comparisons, changes, links.

use sotto_net::wire::{DeviceKey, LookUp};
use sotto_net::{Invite, RelayPin};

use super::*;
use crate::core::effects::Proof;
use crate::fingerprint::{ContactLink, VerificationCode};
use crate::view::{AdditionProblem, AdditionState, Outcome};

fn entry(request: u32, handle: &str, identity: &Identity) -> RelayFrame {
    let entry = Entry {
        request,
        handle: handle.into(),
        name: handle.into(),
        identity: Some(identity.public().encode().into()),
    };
    entry.into()
}

/// The relay says who has Bob's handle now.
fn bob_is(alice: &mut Side, identity: &Identity) {
    let news = entry(0, "bob", identity);
    alice.step(Input::Replies(vec![news]), NOW);
}

fn seen(side: &Side) -> String {
    side.row().safety_number.unwrap()
}

fn accept(side: &mut Side, seen: &str) {
    let action = Action::AcceptIdentity {
        chat: CHAT,
        seen: seen.into(),
        undelivered: Vec::new(),
    };
    side.step(Input::Act(action), NOW);
}

fn verify(side: &mut Side, seen: &str) {
    let action = Action::SetVerified {
        chat: CHAT,
        seen: seen.into(),
        matches: true,
        undelivered: Vec::new(),
    };
    side.step(Input::Act(action), NOW);
}

fn targets(sends: &[Send]) -> Vec<DeviceKey> {
    sends.iter().map(|send| send.targets[0].0).collect()
}

#[test]
fn a_decision_about_one_identity_is_never_taken_for_another() {
    let [_, first, second] = identities();
    let own = &identities()[0];
    let (mut alice, _) = pair();
    let number = seen(&alice);
    verify(&mut alice, &number);
    assert_eq!(alice.row().trust, Trust::Verified);
    bob_is(&mut alice, second);
    let changed = seen(&alice);
    accept(&mut alice, &number);
    assert_eq!(alice.row().trust, Trust::Changed);
    // Between looking and clicking, another one.
    bob_is(&mut alice, own);
    bob_is(&mut alice, first);
    accept(&mut alice, &changed);
    verify(&mut alice, &changed);
    assert_eq!((alice.row().trust, seen(&alice)), (Trust::Verified, number));
    bob_is(&mut alice, second);
    accept(&mut alice, &changed);
    assert_eq!(
        (alice.row().trust, seen(&alice)),
        (Trust::Unverified, changed)
    );
    // A match accepts what it compared.
    bob_is(&mut alice, first);
    let number = seen(&alice);
    verify(&mut alice, &number);
    assert_eq!((alice.row().trust, seen(&alice)), (Trust::Verified, number));
}

#[test]
fn a_relay_that_flips_between_two_identities_gets_nothing_for_the_wrong_one() {
    let [_, _, other] = identities();
    let (mut alice, mut bob) = pair();
    let old = DeviceKey(bob.identity.public().device_key());
    let new = DeviceKey(other.public().device_key());
    alice.write("before", NOW);
    for number in 0..6 {
        if number % 2 == 0 {
            bob_is(&mut alice, other);
        } else {
            let identity = Arc::clone(&bob.identity);
            bob_is(&mut alice, &identity);
        }
        alice.write(&number.to_string(), NOW);
        alice.step(Input::LinkDown, NOW);
        alice.link_up(NOW);
        let sends = alice.sends(&mut bob, NOW);
        assert!(targets(&sends).iter().all(|device| *device == old));
    }
    let last = alice.row().last.unwrap().key;
    bob_is(&mut alice, other);
    alice.write("waits", NOW);
    assert!(alice.sends(&mut bob, NOW).is_empty());
    assert_eq!(alice.core.chats[&CHAT].waiting.len(), 1);
    let changed = seen(&alice);
    accept(&mut alice, &changed);
    assert_eq!(alice.core.chats[&CHAT].target(), Some(new));
    assert!(alice.row().last.unwrap().key > last);
    // The old identity's bundle starts nothing with the new one.
    assert!(alice.sends(&mut bob, NOW).is_empty());
    // Nor does anything that was sealed for the old one leave now.
    alice.step(Input::LinkDown, NOW);
    alice.link_up(NOW);
    let is_send = |frame: &ClientFrame| matches!(frame, ClientFrame::Send(_));
    assert!(!alice.frames.iter().any(is_send));
}

/// Hands everything that waits over, until nothing does.
fn settle(alice: &mut Side, bob: &mut Side) {
    loop {
        let (to_bob, to_alice) = (alice.sends(bob, NOW), bob.sends(alice, NOW));
        if to_bob.is_empty() && to_alice.is_empty() {
            return;
        }
        for (sends, side) in [(to_bob, &mut *bob), (to_alice, &mut *alice)] {
            let envelopes = sends.iter().map(|send| side.envelope(body(send)));
            let envelopes = envelopes.collect();
            side.step(Input::Deliveries(envelopes), NOW);
        }
    }
}

#[test]
fn who_comes_back_behind_a_handle_is_heard_and_hears() {
    let [_, _, other] = identities();
    let (mut alice, mut bob) = pair();
    let identity = Arc::clone(&bob.identity);
    alice.write("before", NOW);
    settle(&mut alice, &mut bob);
    // Which of the old and the new session has the smaller id is chance.
    for round in 1..=4 {
        for present in [other, &identity] {
            bob_is(&mut alice, present);
            let number = seen(&alice);
            accept(&mut alice, &number);
        }
        alice.write("to Bob", NOW);
        settle(&mut alice, &mut bob);
        bob.write("to Alice", NOW);
        settle(&mut alice, &mut bob);
        assert_eq!((bob.received(), alice.received()), (1 + round, round));
        assert_eq!(alice.core.notice(), None);
        assert_eq!(alice.progress(), Progress::Delivered);
        assert_eq!(bob.progress(), Progress::Delivered);
    }
}

#[test]
fn an_identity_that_is_lost_leaves_no_verification_to_the_next_one() {
    let record = ChatRecord {
        identity: Some(b"no identity".to_vec()),
        proof: Proof::Comparison,
        ..ChatRecord::named(CHAT, "bob", "Bob", Standing::Contact)
    };
    let (mut alice, bob) = (Side::new(0), Side::new(1));
    let chat = Chat::from_record(record, alice.identity.public());
    alice.core.chats.insert(CHAT, chat);
    alice.meet(&bob, NOW);
    assert_eq!(alice.row().trust, Trust::Unverified);
}

fn compare(side: &mut Side, code: &str) -> Outcome {
    let action = Action::CompareCode {
        chat: CHAT,
        code: code.into(),
        undelivered: Vec::new(),
    };
    side.step(Input::Act(action), NOW);
    side.core.comparison().unwrap().outcome
}

#[test]
fn a_code_is_a_match_only_when_both_see_each_other() {
    let [_, _, third] = identities();
    let (mut alice, bob) = pair();
    let (own, peer) = (alice.identity.public(), bob.identity.public());
    let between = |own, peer| VerificationCode::new(own, peer).to_string();
    let (good, swapped) = (between(peer, own), between(own, peer));
    let one_sided = between(peer, third.public());
    let stranger = between(third.public(), own);
    let both = between(third.public(), third.public());
    assert_eq!(bob.row().verification_code, Some(good.clone()));
    let number = seen(&alice);
    for text in [good.as_str(), &number, &format!(" {good}\n")] {
        assert_eq!(compare(&mut alice, text), Outcome::Match);
        assert_eq!(alice.row().trust, Trust::Verified);
        for wrong in [&one_sided, &stranger, &both, &number.replace('1', "2")] {
            assert_eq!(compare(&mut alice, wrong), Outcome::Mismatch, "{wrong}");
            assert_eq!(alice.row().trust, Trust::Unverified);
        }
    }
    compare(&mut alice, &good);
    let newer = good.replace("/1/", "/2/");
    for (text, outcome) in [
        (swapped.as_str(), Outcome::OwnCode),
        (&newer, Outcome::Newer),
        ("", Outcome::NoCode),
        (good.get(..good.len() - 1).unwrap(), Outcome::NoCode),
    ] {
        assert_eq!(compare(&mut alice, text), outcome);
        assert_eq!(alice.row().trust, Trust::Verified);
    }
    // Once the third one is known, it is another person and no attack.
    let news = entry(0, "charlie", third);
    alice.step(Input::Replies(vec![news]), NOW);
    assert_eq!(compare(&mut alice, &stranger), Outcome::WrongPerson);
    let bob_row = alice.core.rows().into_iter().find(|row| row.id == CHAT);
    assert_eq!(bob_row.unwrap().trust, Trust::Verified);
}

#[test]
fn a_code_that_matches_accepts_the_changed_identity_that_it_names() {
    let [own, _, second] = identities();
    let (mut alice, _) = pair();
    bob_is(&mut alice, second);
    let code = VerificationCode::new(second.public(), own.public()).to_string();
    assert_eq!(compare(&mut alice, &code), Outcome::Match);
    assert_eq!(alice.row().trust, Trust::Verified);
    let device = DeviceKey(second.public().device_key());
    assert_eq!(alice.core.chats[&CHAT].target(), Some(device));
}

fn relay(pin: u8) -> Invite {
    Invite::to_host("relay.example", 4433, RelayPin([pin; 32])).unwrap()
}

fn link(handle: &str, identity: &Identity, pin: u8) -> String {
    let link = ContactLink {
        handle: handle.into(),
        account: identity.public().account_id(),
        relay: relay(pin),
    };
    link.to_string()
}

/// Alice, who knows nobody, adds somebody at relay 1; the relay answers with this identity.
fn add(alice: &mut Side, who: &str, answer: Option<&Identity>) -> AdditionState {
    let relay = Some(relay(1));
    let who = who.to_owned();
    alice.frames.clear();
    alice.step(Input::Act(Action::AddContact { who, relay }), NOW);
    let asked: Option<LookUp> = alice.frames.iter().find_map(|frame| match frame {
        ClientFrame::LookUp(ask) => Some(ask.clone()),
        _ => None,
    });
    if let Some(LookUp { request, handle }) = asked {
        let addition = alice.core.addition().unwrap();
        assert_eq!(addition.state, AdditionState::LookingUp);
        // Done is no answer to this.
        alice.step(Input::Replies(vec![Done { request }.into()]), NOW);
        let answer = match answer {
            Some(identity) => entry(request, &handle, identity),
            None => Refused {
                request,
                reason: Refusal::HandleUnknown,
                retry_after_millis: 0,
            }
            .into(),
        };
        alice.step(Input::Replies(vec![answer]), NOW);
    }
    alice.core.addition().unwrap().state
}

fn nobody() -> Side {
    let mut alice = Side::new(0);
    alice.core.chats.clear();
    alice
}

#[test]
fn a_link_adds_only_the_identity_that_it_names() {
    let [_, bob, other] = identities();
    let mut alice = nobody();
    let bobs = link("bob", bob, 1);
    let wrong = AdditionState::Failed(AdditionProblem::WrongIdentity);
    assert_eq!(add(&mut alice, &bobs, Some(other)), wrong);
    assert!(alice.core.rows().is_empty());
    let added = add(&mut alice, &bobs, Some(bob));
    let row = alice.row();
    assert_eq!(added, AdditionState::Added(row.id));
    assert_eq!(row.trust, Trust::Introduced);
    assert_eq!(row.standing, Standing::Contact);
    // Neither does a match undo what was compared, nor a later link another identity.
    assert_eq!(add(&mut alice, &bobs, Some(bob)), added);
    let others = link("bob", other, 1);
    let changed = AdditionState::Failed(AdditionProblem::Changed);
    assert_eq!(add(&mut alice, &others, Some(other)), changed);
    assert_eq!(alice.row().trust, Trust::Changed);
    let number = seen(&alice);
    accept_in(&mut alice, row.id, &number);
    assert_eq!(alice.row().trust, Trust::Unverified);
    assert_eq!(add(&mut alice, &others, Some(other)), added);
    assert_eq!(alice.row().trust, Trust::Introduced);
}

fn accept_in(side: &mut Side, chat: ChatId, seen: &str) {
    let action = Action::AcceptIdentity {
        chat,
        seen: seen.into(),
        undelivered: Vec::new(),
    };
    side.step(Input::Act(action), NOW);
}

#[test]
fn what_cannot_be_added_is_said_and_nothing_is_added() {
    let [own, bob, _] = identities();
    let mut alice = nobody();
    let good = link("bob", bob, 1);
    let newer = good.replace("/1/", "/2/");
    let cases: [(&str, Option<&Arc<Identity>>, _); 8] = [
        ("", None, AdditionProblem::Malformed),
        ("no handle!", None, AdditionProblem::Malformed),
        (
            good.get(..good.len() - 1).unwrap(),
            None,
            AdditionProblem::Malformed,
        ),
        (&newer, None, AdditionProblem::Newer),
        (&link("bob", bob, 2), None, AdditionProblem::OtherRelay),
        ("nobody", None, AdditionProblem::Unknown),
        (&link("bob", own, 1), Some(own), AdditionProblem::Oneself),
        ("alice2", Some(own), AdditionProblem::Oneself),
    ];
    for (who, answer, problem) in cases {
        let failed = AdditionState::Failed(problem);
        assert_eq!(
            add(&mut alice, who, answer.map(AsRef::as_ref)),
            failed,
            "{who}"
        );
        assert!(alice.core.rows().is_empty(), "{who}");
    }
    alice.step(Input::LinkDown, NOW);
    let offline = AdditionState::Failed(AdditionProblem::Offline);
    assert_eq!(add(&mut alice, &good, Some(bob)), offline);
}

#[test]
fn a_connection_that_is_lost_ends_the_addition_and_a_late_answer_adds_nobody() {
    let [_, bob, _] = identities();
    let mut alice = nobody();
    let action = Action::AddContact {
        who: "bob".into(),
        relay: Some(relay(1)),
    };
    alice.step(Input::Act(action), NOW);
    alice.step(Input::LinkDown, NOW);
    let state = alice.core.addition().unwrap().state;
    assert_eq!(state, AdditionState::Failed(AdditionProblem::Offline));
    alice.link_up(NOW);
    for request in 1..20 {
        alice.step(Input::Replies(vec![entry(request, "bob", bob)]), NOW);
    }
    assert!(alice.core.rows().is_empty());
}

#[test]
fn a_handle_adds_whom_the_relay_names_unverified_and_a_known_one_under_its_chat() {
    let [_, bob, _] = identities();
    let mut alice = nobody();
    let added = add(&mut alice, " @Bob ", Some(bob));
    let row = alice.row();
    assert_eq!(added, AdditionState::Added(row.id));
    assert_eq!((row.trust, row.handle.as_str()), (Trust::Unverified, "bob"));
    assert_eq!(add(&mut alice, "robert", Some(bob)), added);
    assert_eq!(alice.core.rows().len(), 1);
}

#[test]
fn adding_a_stranger_who_has_written_accepts_the_request() {
    let mut alice = nobody();
    let mut bob = Side::new(1);
    bob.meet(&alice, NOW);
    bob.write("hi", NOW);
    for send in bob.sends(&mut alice, NOW) {
        let envelope = alice.envelope(body(&send));
        alice.step(Input::Deliveries(vec![envelope]), NOW);
    }
    assert!(alice.row().is_request());
    let identity = Arc::clone(&bob.identity);
    let added = add(&mut alice, &link("bob", &identity, 1), Some(&identity));
    let row = alice.row();
    assert_eq!(added, AdditionState::Added(row.id));
    assert_eq!((alice.core.rows().len(), row.unread), (1, 1));
    assert_eq!(row.trust, Trust::Introduced);
    assert_eq!(alice.sends(&mut bob, NOW).len(), 1, "a receipt");
}
