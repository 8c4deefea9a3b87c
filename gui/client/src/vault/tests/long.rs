//! Long messages, and messages that answer others.

use jiff::tz::TimeZone;

use super::*;
use crate::core::content::{Answered, Content};
use crate::core::message_excerpt;
use crate::query::Query;
use crate::view::{Body, EXCERPT_BYTES_MAX, Privacy, QUOTE_BYTES_MAX, TEXT_BYTES_MAX};

const WHOLE: MessageId = MessageId([7; 16]);

fn long() -> String {
    format!("{} needle", "größe ".repeat(TEXT_BYTES_MAX / 8 - 1))
}

/// What is to be committed for each part of a long reply.
fn parts() -> Vec<Change> {
    let answered = Some(Answered {
        is_own: false,
        id: MessageId([2; 16]),
    });
    let sealed = Shown::text(WHOLE, 5, long(), answered).encode(|| MessageId([0; 16]));
    sealed
        .iter()
        .map(|part| match Content::decode(part) {
            Some(Content::Part(part, _)) => Change::AddPart {
                chat: ChatId(1),
                whole: part.whole,
                index: part.index,
                bytes: part.bytes,
            },
            _ => panic!("no part"),
        })
        .collect()
}

fn whole(key: i64) -> Change {
    Change::AddWhole(MessageRecord {
        key: MessageKey(key),
        chat: ChatId(1),
        is_mine: false,
        shown: Shown::from_parts(WHOLE, 5, b""),
        delivery: Delivery::Delivered,
        is_unread: true,
        is_sealed: true,
    })
}

#[test]
fn parts_are_kept_until_the_message_is_whole() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    let question = "what do you think of it? ".repeat(20);
    vault.commit(&[message(2, 2, &question)]).unwrap();
    // An earlier one that was never finished goes.
    let parts = parts();
    vault.commit(&parts[..3]).unwrap();
    let count = parts.len() - 1;
    for part in parts[..count].chunks(5) {
        vault.commit(part).unwrap();
        drop(vault);
        vault = open(&path);
    }
    let loaded = vault.load().unwrap();
    let [(ChatId(1), unfinished)] = &loaded.unfinished[..] else {
        panic!("one unfinished message");
    };
    assert_eq!(unfinished.whole, WHOLE);
    assert_eq!(usize::from(unfinished.next), count);
    let beginning = Shown::from_parts(WHOLE, 5, &unfinished.beginning).ending_well();
    assert!(long().starts_with(beginning.as_text().unwrap()));

    let last = parts.into_iter().next_back().unwrap();
    let committed = vault.commit(&[last, whole(3)]).unwrap();
    assert!(!committed.is_repeated);
    assert!(vault.load().unwrap().unfinished.is_empty());
    let record = vault.message(MessageKey(3)).unwrap().unwrap();
    assert!(record.shown.as_text() == Some(&long()));

    // Snapshots hold the beginning, and what it answers.
    let window = vault.window(ChatId(1), None).unwrap();
    let shown = message_excerpt(&window.messages[1]);
    let Body::Text(text) = &shown.body else {
        panic!("no text");
    };
    assert!(shown.is_cut && long().starts_with(text));
    assert!((EXCERPT_BYTES_MAX - 3..=EXCERPT_BYTES_MAX).contains(&text.len()));
    assert!(!message_excerpt(&window.messages[0]).is_cut);
    let quote = shown.quote.unwrap();
    assert!(quote.is_mine);
    let (key, text) = vault.quoted(ChatId(1), true, quote.id).unwrap().unwrap();
    assert_eq!(key, MessageKey(2));
    assert_eq!(text, question.get(..QUOTE_BYTES_MAX).unwrap());
    assert_eq!(vault.quoted(ChatId(1), false, quote.id).unwrap(), None);

    // A search finds its last word.
    let query = Query::parse("needle", &TimeZone::UTC).unwrap();
    let page = vault.search(&query, None, 10).unwrap();
    assert_eq!(page.hits.len(), 1);
    assert_eq!(page.hits[0].message.key, MessageKey(3));
}

#[test]
fn a_message_that_comes_twice_in_parts_is_there_once() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    for key in [3, 5] {
        let mut changes = parts();
        changes.push(whole(key));
        let committed = vault.commit(&changes).unwrap();
        assert_eq!(committed.is_repeated, key == 5);
        assert!(vault.load().unwrap().unfinished.is_empty());
    }
    assert_eq!(texts(&vault, None).len(), 1);
}

#[test]
fn parts_go_with_their_chat() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    let other = Change::PutChat(ChatRecord {
        handle: None,
        ..ChatRecord::named(ChatId(2), "", "Unknown", Standing::Contact)
    });
    let mut changes = vec![other];
    changes.extend(parts().into_iter().take(4).map(|part| match part {
        Change::AddPart {
            whole,
            index,
            bytes,
            ..
        } => Change::AddPart {
            chat: ChatId(2),
            whole,
            index,
            bytes,
        },
        other => other,
    }));
    vault.commit(&changes).unwrap();
    let merge = Change::MergeChat {
        from: ChatId(2),
        into: ChatId(1),
    };
    vault.commit(&[merge]).unwrap();
    let unfinished = vault.load().unwrap().unfinished;
    let [(ChatId(1), unfinished)] = &unfinished[..] else {
        panic!("one unfinished message of the other chat");
    };
    assert_eq!(unfinished.next, 4);
    let removal = Change::RemoveMessages { chat: ChatId(1) };
    vault.commit(&[removal]).unwrap();
    assert!(vault.load().unwrap().unfinished.is_empty());
}

#[test]
fn what_peers_learn_is_kept() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    assert_eq!(vault.load().unwrap().privacy, Privacy::default());
    for privacy in [(false, true), (true, false)] {
        let privacy = Privacy {
            read_receipts: privacy.0,
            typing: privacy.1,
        };
        vault.commit(&[Change::SetPrivacy(privacy)]).unwrap();
        drop(vault);
        vault = open(&path);
        assert_eq!(vault.load().unwrap().privacy, privacy);
    }
}
