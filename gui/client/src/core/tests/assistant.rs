//! What a chat allows an assistant, and what is told of its use.

use super::*;
use crate::view::{Body, Note, NoteTask};

fn deliver(from: &mut Side, to: &mut Side) {
    for send in from.sends(to, NOW) {
        let envelope = to.envelope(body(&send));
        to.step(Input::Deliveries(vec![envelope]), NOW);
    }
}

fn forbid(side: &mut Side, is_forbidden: bool) {
    let chat = side.row().id;
    side.step(Input::Act(Action::ForbidCloud { chat, is_forbidden }), NOW);
}

fn last(side: &Side) -> Option<Body> {
    side.row().last.map(|last| last.body.clone())
}

#[test]
fn one_side_that_forbids_clouds_is_enough_and_is_told_as_a_note() {
    let (mut alice, mut bob) = pair();
    assert!(alice.core.allows_cloud(CHAT) && bob.core.allows_cloud(CHAT));
    forbid(&mut bob, true);
    // Once is enough.
    forbid(&mut bob, true);
    assert!(!bob.core.allows_cloud(CHAT));
    deliver(&mut bob, &mut alice);
    let is_forbidden = true;
    assert_eq!(last(&alice), Some(Body::Note(Note::Cloud { is_forbidden })));
    assert_eq!((alice.received(), alice.row().unread), (1, 0));
    assert!(!alice.core.allows_cloud(CHAT));
    assert!(alice.row().assistant.peer_forbids_cloud);
    // Its author sees how far it has come, as of every message.
    deliver(&mut alice, &mut bob);
    assert_eq!(bob.progress(), Progress::Delivered);
    // Alice's own rule does not undo Bob's, and it outlives a restart.
    forbid(&mut alice, true);
    forbid(&mut alice, false);
    assert!(!alice.core.allows_cloud(CHAT));
    alice.restart(NOW);
    assert!(!alice.core.allows_cloud(CHAT));
    forbid(&mut bob, false);
    deliver(&mut bob, &mut alice);
    assert!(alice.core.allows_cloud(CHAT));
}

#[test]
fn a_use_is_told_to_contacts_and_to_nobody_else() {
    let (mut alice, mut bob) = pair();
    let note = Note::Assisted {
        task: NoteTask::Summary,
        messages: 14,
        provider: "Gemini".to_owned(),
    };
    let tell = |chat| {
        Input::Act(Action::Tell {
            chat,
            note: note.clone(),
        })
    };
    alice.step(tell(CHAT), NOW);
    deliver(&mut alice, &mut bob);
    assert_eq!(last(&bob), Some(Body::Note(note.clone())));
    let chat = bob.row().id;
    bob.step(Input::Act(Action::Block(chat)), NOW);
    bob.step(tell(chat), NOW);
    assert_eq!(bob.sends(&mut alice, NOW).len(), 1, "the receipt of before");
}

#[test]
fn notes_of_strangers_count_as_what_is_held_of_them() {
    let (mut alice, mut bob) = (Side::new(0), Side::new(1));
    alice.core.chats.clear();
    bob.meet(&alice, NOW);
    forbid(&mut bob, true);
    deliver(&mut bob, &mut alice);
    let row = alice.row();
    assert!(row.is_request() && row.assistant.peer_forbids_cloud);
    assert_eq!(row.unread, 1);
}

#[test]
fn what_a_peer_confirms_is_not_sealed_again() {
    let (mut alice, mut bob) = pair();
    alice.write("one", NOW);
    deliver(&mut alice, &mut bob);
    let receipt = bob.sends(&mut alice, NOW);
    // The relay is gone, and so are the sessions: it waits to be sealed again.
    let record = alice.commits.iter().find_map(|change| match change {
        Change::AddMessage(record) => Some(record.clone()),
        _ => None,
    });
    alice.core.seal_again(&record.unwrap());
    let envelope = alice.envelope(body(&receipt[0]));
    alice.step(Input::Deliveries(vec![envelope]), NOW);
    assert!(alice.core.chats[&CHAT].waiting.is_empty());
    assert_eq!(alice.progress(), Progress::Delivered);
}
