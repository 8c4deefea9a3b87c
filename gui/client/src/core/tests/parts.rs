//! Messages that are too long for one envelope.

use super::*;
use crate::view::{Body, TEXT_BYTES_MAX};

fn long() -> String {
    "0123456789abcdef".repeat(TEXT_BYTES_MAX / 16)
}

/// Two who have met and talked.
fn acquainted() -> (Side, Side) {
    let (mut alice, mut bob) = pair();
    bob.write("hi", NOW);
    hand_over(&mut bob, &mut alice, |_| true);
    hand_over(&mut alice, &mut bob, |_| true);
    (alice, bob)
}

/// Delivers what one has sent of which this is so, counted from 0.
fn hand_over(from: &mut Side, to: &mut Side, passes: impl Fn(usize) -> bool) -> usize {
    let sends = from.sends(to, NOW);
    for (index, send) in sends.iter().enumerate() {
        let done = Done {
            request: send.request,
        };
        from.step(Input::Replies(vec![done.into()]), NOW);
        if passes(index) {
            let envelope = to.envelope(body(send));
            to.step(Input::Deliveries(vec![envelope]), NOW);
        }
    }
    sends.len()
}

/// The text that the vault has put together last.
fn whole(side: &Side) -> Option<String> {
    let mut parts = Vec::new();
    let mut text = None;
    for change in &side.commits {
        match change {
            Change::AddPart { index, bytes, .. } => {
                if *index == 0 {
                    parts.clear();
                }
                parts.extend_from_slice(bytes);
            }
            Change::AddWhole(_) => {
                let shown = content::Shown::from_parts(content::MessageId([0; 16]), 0, &parts);
                text = shown.as_text().map(str::to_owned);
            }
            _ => {}
        }
    }
    text
}

#[test]
fn a_long_message_is_one_message_with_one_state() {
    let (mut alice, mut bob) = acquainted();
    alice.write(&long(), NOW);
    let sends = alice.sends(&mut bob, NOW);
    assert_eq!(sends.len(), 22);
    let (last, before) = sends.split_last().unwrap();
    for send in before {
        let done = Done {
            request: send.request,
        };
        alice.step(Input::Replies(vec![done.into()]), NOW);
        assert_eq!(alice.progress(), Progress::Sending);
        let envelope = bob.envelope(body(send));
        bob.step(Input::Deliveries(vec![envelope]), NOW);
    }
    assert_eq!((bob.received(), bob.row().unread), (0, 0));
    let done = Done {
        request: last.request,
    };
    alice.step(Input::Replies(vec![done.into()]), NOW);
    assert_eq!(alice.progress(), Progress::Relay);
    let envelope = bob.envelope(body(last));
    bob.step(Input::Deliveries(vec![envelope]), NOW);
    assert_eq!((bob.received(), bob.row().unread), (1, 1));
    assert!(whole(&bob) == Some(long()));
    let shown = bob.row().last.unwrap();
    assert!(shown.is_cut);
    assert!(matches!(&shown.body, Body::Text(text) if long().starts_with(text)));
    assert_eq!(hand_over(&mut bob, &mut alice, |_| true), 1, "a receipt");
    assert_eq!(alice.progress(), Progress::Delivered);
}

#[test]
fn a_part_that_is_missing_takes_its_message_with_it_and_no_other() {
    let (mut alice, mut bob) = acquainted();
    for missing in [0, 7, 21] {
        alice.write(&long(), NOW);
        hand_over(&mut alice, &mut bob, |index| index != missing);
        assert_eq!(bob.received(), 0, "{missing}");
        assert_eq!(alice.progress(), Progress::Relay);
    }
    alice.write(&long(), NOW);
    hand_over(&mut alice, &mut bob, |_| true);
    assert_eq!(bob.received(), 1);
    assert!(whole(&bob) == Some(long()));
    alice.write("short", NOW);
    hand_over(&mut alice, &mut bob, |_| true);
    assert_eq!(bob.received(), 2);
}

#[test]
fn no_parts_are_kept_of_a_stranger() {
    let (mut alice, mut bob) = (Side::new(0), Side::new(1));
    alice.core.chats.clear();
    bob.meet(&alice, NOW);
    bob.write("hi", NOW);
    bob.write(&long(), NOW);
    hand_over(&mut bob, &mut alice, |_| true);
    assert_eq!((alice.received(), alice.row().unread), (1, 1));
    let is_part = |change: &Change| matches!(change, Change::AddPart { .. });
    assert!(!alice.commits.iter().any(is_part));
}
