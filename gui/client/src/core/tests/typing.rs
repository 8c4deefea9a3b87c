//! Who is writing, and what peers learn.

use sotto_net::wire::Presence as Coming;

use super::*;
use crate::view::Privacy;

fn act(side: &mut Side, action: Action, now: Moment) {
    side.step(Input::Act(action), now);
}

fn exchange(from: &mut Side, to: &mut Side) {
    for send in from.sends(to, NOW) {
        let envelope = to.envelope(body(&send));
        to.step(Input::Deliveries(vec![envelope]), NOW);
    }
}

/// Two who have talked, are there, and know it of each other.
fn present() -> (Side, Side) {
    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    exchange(&mut alice, &mut bob);
    exchange(&mut bob, &mut alice);
    see(&mut alice, &bob, true);
    see(&mut bob, &alice, true);
    (alice, bob)
}

fn see(side: &mut Side, other: &Side, online: bool) {
    let device = sotto_net::wire::DeviceKey(other.identity.public().device_key());
    let presence = Coming { device, online };
    side.step(Input::Replies(vec![presence.into()]), NOW);
}

/// Ephemeral envelopes that were sent since the last look.
fn ephemerals(side: &mut Side) -> Vec<Bytes> {
    let frames = std::mem::take(&mut side.frames);
    let bodies = frames.into_iter().filter_map(|frame| match frame {
        ClientFrame::SendEphemeral(send) => Some(send.targets[0].1.clone()),
        _ => None,
    });
    bodies.collect()
}

#[test]
fn a_peer_who_is_there_sees_the_writing_until_it_ends() {
    let (mut alice, mut bob) = present();
    act(&mut alice, Action::Type(CHAT), NOW);
    let told = ephemerals(&mut alice);
    assert_eq!(told.len(), 1);
    assert!(!bob.row().is_typing);
    bob.step(Input::Ephemerals(told), NOW);
    assert!(bob.row().is_typing);
    let end = bob.core.wake_at_millis().unwrap();
    let end = Moment { unix_millis: end };
    assert_eq!(end, later(6_000));
    bob.step(Input::Timer, end);
    assert!(!bob.row().is_typing);

    // It is told again now and then, not with every key.
    for (millis, count) in [(1, 0), (3_999, 0), (4_000, 1), (4_001, 0)] {
        act(&mut alice, Action::Type(CHAT), later(millis));
        let told = ephemerals(&mut alice);
        assert_eq!(told.len(), count, "{millis}");
        bob.step(Input::Ephemerals(told), later(millis));
    }
    assert!(bob.row().is_typing);
    alice.write("there it is", NOW);
    exchange(&mut alice, &mut bob);
    assert!(!bob.row().is_typing);
}

#[test]
fn nothing_is_told_to_whoever_is_away_a_stranger_blocked_or_has_not_answered() {
    let (mut alice, bob) = present();
    see(&mut alice, &bob, false);
    act(&mut alice, Action::Type(CHAT), NOW);
    assert!(ephemerals(&mut alice).is_empty());
    see(&mut alice, &bob, true);
    act(&mut alice, Action::Block(CHAT), NOW);
    act(&mut alice, Action::Type(CHAT), NOW);
    assert!(ephemerals(&mut alice).is_empty());

    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    alice.sends(&mut bob, NOW);
    see(&mut alice, &bob, true);
    act(&mut alice, Action::Type(CHAT), NOW);
    assert!(ephemerals(&mut alice).is_empty());
}

#[test]
fn what_is_lost_or_comes_late_or_twice_of_it_does_no_harm() {
    let (mut alice, mut bob) = present();
    for round in 0..10 {
        act(&mut alice, Action::Type(CHAT), later(round * 10_000));
        let told = ephemerals(&mut alice);
        assert_eq!(told.len(), 1);
        alice.write("and then", later(round * 10_000 + 1));
        let sends = alice.sends(&mut bob, NOW);
        for send in sends {
            let envelope = bob.envelope(body(&send));
            bob.step(Input::Deliveries(vec![envelope]), NOW);
        }
        if round % 2 == 0 {
            bob.step(Input::Ephemerals([&told[..], &told].concat()), NOW);
        }
        let junk = Bytes::from_static(b"junk");
        bob.step(Input::Ephemerals(vec![junk]), NOW);
    }
    assert_eq!((bob.received(), bob.core.notice()), (11, None));
}

#[test]
fn who_tells_nothing_is_told_nothing() {
    let (mut alice, mut bob) = present();
    let silent = Privacy {
        read_receipts: false,
        typing: false,
    };
    act(&mut bob, Action::SetPrivacy(silent), NOW);
    let is_kept = |change: &Change| matches!(change, Change::SetPrivacy(kept) if *kept == silent);
    assert!(bob.commits.iter().any(is_kept));
    act(&mut bob, Action::Type(CHAT), NOW);
    assert!(ephemerals(&mut bob).is_empty());
    act(&mut alice, Action::Type(CHAT), NOW);
    bob.step(Input::Ephemerals(ephemerals(&mut alice)), NOW);
    assert!(!bob.row().is_typing);

    // Alice's message is read, and she is not told so.
    let up_to = bob.row().last.unwrap().key;
    act(&mut bob, Action::MarkRead { chat: CHAT, up_to }, NOW);
    assert_eq!(bob.row().unread, 0);
    exchange(&mut bob, &mut alice);
    assert_eq!(alice.progress(), Progress::Delivered);
    // Nor is Bob, of his.
    bob.write("hello", NOW);
    exchange(&mut bob, &mut alice);
    let up_to = alice.row().last.unwrap().key;
    act(&mut alice, Action::MarkRead { chat: CHAT, up_to }, NOW);
    exchange(&mut alice, &mut bob);
    assert_eq!(bob.progress(), Progress::Delivered);
}
