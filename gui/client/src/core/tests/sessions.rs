//! Sessions that both sides start, and when one of them goes.

use super::*;

#[test]
fn a_first_message_is_accepted_once_with_and_without_a_one_time_prekey() {
    for has_one_time in [true, false] {
        let (mut alice, mut bob) = pair();
        if !has_one_time {
            bob.one_time.clear();
        }
        alice.write("hi", NOW);
        let sends = alice.sends(&mut bob, NOW);
        let first = bob.envelope(body(&sends[0]));
        let replayed = bob.envelope(body(&sends[0]));
        bob.step(Input::Deliveries(vec![first]), NOW);
        // The session may have been dropped since; the handshake stays known.
        bob.core.chats.get_mut(&CHAT).unwrap().sessions.clear();
        bob.step(Input::Deliveries(vec![replayed]), NOW);
        assert_eq!(bob.received(), 1, "one-time prekey: {has_one_time}");
        let notice = Some(Notice::Unopened { messages: 1 });
        assert_eq!(bob.core.notice(), notice);
    }
}

#[test]
fn both_sides_send_in_the_same_session_after_two_first_messages() {
    let (mut alice, mut bob) = pair();
    alice.write("from Alice", NOW);
    bob.write("from Bob", NOW);
    let (to_bob, to_alice) = (alice.sends(&mut bob, NOW), bob.sends(&mut alice, NOW));
    let envelope = bob.envelope(body(&to_bob[0]));
    bob.step(Input::Deliveries(vec![envelope]), NOW);
    let envelope = alice.envelope(body(&to_alice[0]));
    alice.step(Input::Deliveries(vec![envelope]), NOW);
    let chosen = |side: &mut Side| {
        let chat = side.core.chats.get_mut(&CHAT).unwrap();
        assert_eq!(chat.sessions.len(), 2);
        chat.sending_session().unwrap().session.id()
    };
    // Each answers where it was heard; when the answers have come, both know both sessions.
    assert_ne!(chosen(&mut alice), chosen(&mut bob));
    let (to_bob, to_alice) = (alice.sends(&mut bob, NOW), bob.sends(&mut alice, NOW));
    for (side, sends) in [(&mut bob, to_bob), (&mut alice, to_alice)] {
        for send in sends {
            let envelope = side.envelope(body(&send));
            side.step(Input::Deliveries(vec![envelope]), NOW);
        }
    }
    assert_eq!(chosen(&mut alice), chosen(&mut bob));
    assert!(alice.core.notice().is_none() && bob.core.notice().is_none());
}

#[test]
fn what_lay_at_the_relay_for_long_opens_in_a_session_that_is_only_received_in() {
    const EIGHT_DAYS: Moment = Moment {
        unix_millis: NOW.unix_millis + 8 * 24 * 60 * 60 * 1_000,
    };
    // She comes back after a week, or her computer slept and does not know yet.
    for is_asleep in [false, true] {
        let (mut alice, mut bob) = pair();
        alice.write("from Alice", NOW);
        bob.write("from Bob", NOW);
        let (to_bob, to_alice) = (alice.sends(&mut bob, NOW), bob.sends(&mut alice, NOW));
        let envelope = bob.envelope(body(&to_bob[0]));
        bob.step(Input::Deliveries(vec![envelope]), NOW);
        let envelope = alice.envelope(body(&to_alice[0]));
        alice.step(Input::Deliveries(vec![envelope]), NOW);
        // Each answers where it was heard: she sends in one session and hears him in the other.
        bob.write("while you are away", NOW);
        let to_alice = bob.sends(&mut alice, NOW);
        if is_asleep {
            alice.step(Input::Timer, EIGHT_DAYS);
        } else {
            alice.step(Input::LinkDown, NOW);
            alice.link_up(EIGHT_DAYS);
        }
        for send in to_alice {
            let envelope = alice.envelope(body(&send));
            alice.step(Input::Deliveries(vec![envelope]), EIGHT_DAYS);
        }
        assert_eq!((alice.received(), alice.core.notice()), (2, None));
    }
}

#[test]
fn a_clock_that_jumps_far_costs_no_session_that_the_peer_may_go_over_to() {
    let jump = later(17 * 24 * 60 * 60 * 1_000);
    // The own session of one of the two has the smaller id.
    for is_alice in [false, true] {
        let (alice, bob) = pair();
        let (mut jumps, mut other) = if is_alice { (alice, bob) } else { (bob, alice) };
        jumps.write("one", NOW);
        other.write("two", NOW);
        let (on_its_way, first) = (jumps.sends(&mut other, NOW), other.sends(&mut jumps, NOW));
        other.write("three", NOW);
        let second = other.sends(&mut jumps, NOW);
        for (sends, now) in [(first, NOW), (second, jump)] {
            for send in sends {
                let envelope = jumps.envelope(body(&send));
                jumps.step(Input::Deliveries(vec![envelope]), now);
            }
        }
        jumps.step(Input::Timer, jump);
        for send in on_its_way {
            let envelope = other.envelope(body(&send));
            other.step(Input::Deliveries(vec![envelope]), NOW);
        }
        other.write("four", NOW);
        for send in other.sends(&mut jumps, NOW) {
            let envelope = jumps.envelope(body(&send));
            jumps.step(Input::Deliveries(vec![envelope]), jump);
        }
        assert_eq!((jumps.received(), jumps.core.notice()), (3, None));
    }
}

#[test]
fn a_session_goes_when_the_peer_is_heard_in_the_other_one_for_a_week() {
    let (mut alice, mut bob) = pair();
    alice.write("from Alice", NOW);
    bob.write("from Bob", NOW);
    let (mut to_bob, mut to_alice) = (alice.sends(&mut bob, NOW), bob.sends(&mut alice, NOW));
    let kept = |side: &Side| side.core.chats[&CHAT].sessions.len();
    for day in 0..=9 {
        let now = later(day * 24 * 60 * 60 * 1_000);
        for (side, sends) in [(&mut bob, to_bob), (&mut alice, to_alice)] {
            for send in sends {
                let envelope = side.envelope(body(&send));
                side.step(Input::Deliveries(vec![envelope]), now);
            }
            side.step(Input::Timer, now);
            // What was written on the first day came on the second, in the one or the other.
            assert!(
                day == 7 || kept(side) == if day < 7 { 2 } else { 1 },
                "{day}"
            );
        }
        alice.write("day by day", now);
        bob.write("day by day", now);
        (to_bob, to_alice) = (alice.sends(&mut bob, now), bob.sends(&mut alice, now));
    }
    assert!(alice.core.notice().is_none() && bob.core.notice().is_none());
}
