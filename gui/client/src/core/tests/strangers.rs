//! Strangers who write, and those who are not to be heard.

use std::time::Duration;

use super::*;
use crate::view::{Mute, REQUEST_MESSAGES_MAX, REQUESTS_MAX};

/// Alice knows nobody; Bob knows her.
fn strangers() -> (Side, Side) {
    let (mut alice, mut bob) = (Side::new(0), Side::new(1));
    alice.core.chats.clear();
    bob.meet(&alice, NOW);
    (alice, bob)
}

/// Bob writes to Alice.
fn write(bob: &mut Side, alice: &mut Side, text: &str) {
    bob.write(text, NOW);
    for send in bob.sends(alice, NOW) {
        let envelope = alice.envelope(body(&send));
        alice.step(Input::Deliveries(vec![envelope]), NOW);
    }
}

fn act(side: &mut Side, action: Action) {
    side.step(Input::Act(action), NOW);
}

/// Whether anything that was sent concerns the other one.
fn tells(alice: &Side, bob: &Side) -> bool {
    let device = sotto_net::wire::DeviceKey(bob.identity.public().device_key());
    alice.frames.iter().any(|frame| match frame {
        ClientFrame::Send(send) => send.targets.iter().any(|(to, _)| *to == device),
        ClientFrame::SendEphemeral(send) => send.targets.iter().any(|(to, _)| *to == device),
        ClientFrame::WatchPresence(watch) => watch.devices.contains(&device),
        ClientFrame::TakeBundle(take) => take.device == device,
        _ => false,
    })
}

#[test]
fn a_stranger_is_a_request_and_learns_nothing_until_it_is_accepted() {
    let (mut alice, mut bob) = strangers();
    write(&mut bob, &mut alice, "hi");
    write(&mut bob, &mut alice, "again");
    let row = alice.row();
    assert!(row.is_request() && row.handle.is_empty());
    assert_eq!((row.unread, row.calls()), (2, 0));
    let up_to = row.last.unwrap().key;
    let chat = row.id;
    act(&mut alice, Action::MarkRead { chat, up_to });
    alice.step(Input::LinkDown, NOW);
    alice.link_up(NOW);
    alice.step(Input::Timer, later(60_000));
    assert!(!tells(&alice, &bob), "{:?}", alice.frames);
    assert_eq!(alice.core.chats[&chat].target(), None);

    act(&mut alice, Action::AcceptRequest(chat));
    assert!(tells(&alice, &bob));
    assert_eq!(
        (alice.row().standing, alice.row().calls()),
        (Standing::Contact, 2)
    );
    for send in alice.sends(&mut bob, NOW) {
        let envelope = bob.envelope(body(&send));
        bob.step(Input::Deliveries(vec![envelope]), NOW);
    }
    assert_eq!(bob.progress(), Progress::Delivered);
}

#[test]
fn writing_to_a_stranger_accepts_the_request() {
    let (mut alice, mut bob) = strangers();
    write(&mut bob, &mut alice, "hi");
    let chat = alice.row().id;
    let text = "who are you?".to_owned();
    let answered = None;
    let reply = Action::SendText {
        chat,
        text,
        answered,
    };
    act(&mut alice, reply);
    assert_eq!(alice.row().standing, Standing::Contact);
    assert_eq!(
        alice.sends(&mut bob, NOW).len(),
        2,
        "a receipt and the text"
    );
}

#[test]
fn a_refused_stranger_is_not_heard_again_and_not_reported_as_broken() {
    let (mut alice, mut bob) = strangers();
    write(&mut bob, &mut alice, "hi");
    let chat = alice.row().id;
    act(&mut alice, Action::RefuseRequest(chat));
    let is_removal = |change: &Change| matches!(change, Change::RemoveMessages { .. });
    assert!(alice.commits.iter().any(is_removal));
    for number in 0..30 {
        write(&mut bob, &mut alice, &number.to_string());
    }
    let row = alice.row();
    assert!(row.is_refused() && !row.is_request() && row.last.is_none());
    assert_eq!((alice.received(), alice.core.notice()), (1, None));
    assert_eq!(alice.acknowledged(), Some(31));
    assert!(!alice.core.is_inbox_stalled() && !tells(&alice, &bob));
    // They may ask again once they are unblocked.
    act(&mut alice, Action::Unblock(chat));
    assert_eq!(alice.row().standing, Standing::Known);
    write(&mut bob, &mut alice, "please");
    assert!(alice.row().is_request() && !tells(&alice, &bob));
}

#[test]
fn what_is_held_of_a_request_is_bounded_and_the_rest_stays_undelivered() {
    let (mut alice, mut bob) = strangers();
    for number in 0..=REQUEST_MESSAGES_MAX {
        write(&mut bob, &mut alice, &number.to_string());
    }
    assert_eq!(alice.received(), REQUEST_MESSAGES_MAX);
    let chat = alice.row().id;
    act(&mut alice, Action::AcceptRequest(chat));
    for send in alice.sends(&mut bob, NOW) {
        let envelope = bob.envelope(body(&send));
        bob.step(Input::Deliveries(vec![envelope]), NOW);
    }
    assert_eq!(
        bob.progress(),
        Progress::Sending,
        "the last one was dropped"
    );
    write(&mut bob, &mut alice, "heard again");
    assert_eq!(alice.received(), REQUEST_MESSAGES_MAX + 1);
}

#[test]
fn a_stranger_for_whom_there_is_no_room_comes_through_once_there_is() {
    let (mut alice, mut bob) = strangers();
    for number in 1..=i64::try_from(REQUESTS_MAX).unwrap() {
        let handle = format!("stranger{number}");
        let record = ChatRecord::named(ChatId(number), &handle, &handle, Standing::Request);
        let chat = Chat::from_record(record, alice.identity.public());
        alice.core.chats.insert(ChatId(number), chat);
    }
    write(&mut bob, &mut alice, "too many");
    assert_eq!((alice.received(), alice.core.notice()), (0, None));
    assert_eq!(alice.core.rows().len(), REQUESTS_MAX);
    act(&mut alice, Action::RefuseRequest(ChatId(1)));
    write(&mut bob, &mut alice, "with the same handshake");
    assert_eq!((alice.received(), alice.core.notice()), (1, None));
}

#[test]
fn names_of_the_directory_are_no_contacts_until_somebody_writes() {
    let (mut alice, mut bob) = strangers();
    alice.meet(&bob, NOW);
    let row = alice.row();
    assert_eq!(
        (row.standing, row.handle.as_str()),
        (Standing::Known, "bob")
    );
    assert!(!tells(&alice, &bob));
    write(&mut bob, &mut alice, "hi");
    assert!(alice.row().is_request() && !tells(&alice, &bob));

    let (mut alice, mut bob) = strangers();
    alice.meet(&bob, NOW);
    let (chat, text) = (alice.row().id, "hello".to_owned());
    let answered = None;
    let reply = Action::SendText {
        chat,
        text,
        answered,
    };
    act(&mut alice, reply);
    assert_eq!(alice.row().standing, Standing::Contact);
    assert_eq!(alice.sends(&mut bob, NOW).len(), 1);
}

#[test]
fn what_a_stranger_wrote_counts_as_delivered_when_it_turns_out_to_be_a_contact() {
    let (mut alice, mut bob) = (Side::new(0), Side::new(1));
    bob.meet(&alice, NOW);
    // The message comes before the directory has said who is behind Bob's handle.
    write(&mut bob, &mut alice, "hi");
    assert!(alice.core.rows().iter().any(ChatRow::is_request));
    assert!(!tells(&alice, &bob));
    alice.meet(&bob, NOW);
    assert_eq!(
        (alice.core.rows().len(), alice.row().standing),
        (1, Standing::Contact)
    );
    for send in alice.sends(&mut bob, NOW) {
        let envelope = bob.envelope(body(&send));
        bob.step(Input::Deliveries(vec![envelope]), NOW);
    }
    assert_eq!(bob.progress(), Progress::Delivered);
}

#[test]
fn a_blocked_identity_is_not_heard_under_any_handle_and_goes_on_when_it_is_unblocked() {
    let (mut alice, mut bob) = pair();
    write(&mut bob, &mut alice, "hi");
    let receipt = alice.sends(&mut bob, NOW).remove(0);
    let request = receipt.request;
    alice.step(Input::Replies(vec![Done { request }.into()]), NOW);
    act(&mut alice, Action::Block(CHAT));
    alice.frames.clear();
    alice.link_up(NOW);
    write(&mut bob, &mut alice, "not heard");
    bob.handle = "bobby";
    alice.meet(&bob, NOW);
    // A new session from the same identity.
    bob.core.chats.get_mut(&CHAT).unwrap().sessions.clear();
    write(&mut bob, &mut alice, "not heard either");
    alice.write("nor written to", NOW);
    assert_eq!((alice.received(), alice.core.notice()), (1, None));
    assert_eq!(alice.acknowledged(), Some(3));
    assert_eq!((alice.core.rows().len(), alice.row().calls()), (1, 0));
    assert!(alice.row().is_blocked && !tells(&alice, &bob));
    let is_own = |change: &Change| matches!(change, Change::AddMessage(record) if record.is_mine);
    assert!(!alice.commits.iter().any(is_own));

    act(&mut alice, Action::Unblock(CHAT));
    write(&mut bob, &mut alice, "heard");
    assert_eq!((alice.received(), alice.core.notice()), (2, None));
}

#[test]
fn a_muted_chat_makes_no_noise_until_its_time_has_come() {
    let (mut alice, mut bob) = pair();
    let span = Some(Duration::from_mins(1));
    act(&mut alice, Action::Mute { chat: CHAT, span });
    write(&mut bob, &mut alice, "hi");
    let until = later(60_000).unix_millis;
    assert_eq!(alice.row().mute, Some(Mute::Until(until)));
    assert_eq!((alice.row().unread, alice.row().calls()), (1, 0));
    assert_eq!(alice.core.wake_at_millis(), Some(until));
    alice.step(Input::Timer, later(59_999));
    assert_eq!(alice.row().calls(), 0);
    alice.step(Input::Timer, later(60_000));
    assert_eq!((alice.row().mute, alice.row().calls()), (None, 1));

    act(
        &mut alice,
        Action::Mute {
            chat: CHAT,
            span: None,
        },
    );
    alice.step(Input::Timer, later(i64::from(u32::MAX)));
    assert_eq!(alice.row().mute, Some(Mute::Always));
    act(&mut alice, Action::Unmute(CHAT));
    assert_eq!(alice.row().mute, None);
}

#[test]
fn a_blocked_peer_whose_prekeys_were_awaited_keeps_nobody_awake() {
    let (mut alice, _) = pair();
    alice.write("hi", NOW);
    let asked = alice.frames.iter().find_map(|frame| match frame {
        ClientFrame::TakeBundle(ask) => Some(ask.request),
        _ => None,
    });
    let refused = Refused {
        request: asked.unwrap(),
        reason: Refusal::NoPrekeys,
        retry_after_millis: 0,
    };
    alice.step(Input::Replies(vec![refused.into()]), NOW);
    let retry = Some(later(30_000).unix_millis);
    assert_eq!(alice.core.wake_at_millis(), retry);
    act(&mut alice, Action::Block(CHAT));
    assert_ne!(alice.core.wake_at_millis(), retry);
    act(&mut alice, Action::Unblock(CHAT));
    assert_eq!(alice.core.wake_at_millis(), retry);
}
