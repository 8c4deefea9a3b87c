//! What is kept of other lives of a vault.

use sotto_net::wire::{DeviceKey, Mark};

use super::*;
use crate::core::effects::OutboxRecord;
use crate::core::marks::MARKS_MAX;

fn mark(place: u64) -> Mark {
    Mark(u128::from(place).to_be_bytes())
}

#[test]
fn keeps_the_newest_marks_of_each_relay() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    let add = |relay, place| Change::AddMark {
        relay: RelayId([relay; 32]),
        place,
        mark: mark(place),
    };
    let newest = MARKS_MAX as u64 + 3;
    let mut changes: Vec<_> = (1..=newest).map(|place| add(1, place)).collect();
    changes.push(add(2, 1));
    vault.commit(&changes).unwrap();
    drop(vault);
    let marks = open(&path).load().unwrap().marks;
    let kept = (4..=newest).map(|place| (RelayId([1; 32]), place, mark(place)));
    let expected: Vec<_> = kept.chain([(RelayId([2; 32]), 1, mark(1))]).collect();
    assert_eq!(marks, expected);
}

#[test]
fn remembers_that_it_was_set_back_until_all_that_follows_is_done() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    let relay = RelayId([1; 32]);
    let set_stale = |is_stale| Change::SetStale { relay, is_stale };
    let steps = [
        (vec![], (false, false, vec![], None)),
        (
            vec![Change::SetBack, set_stale(true)],
            (true, true, vec![relay], None),
        ),
        (
            vec![Change::Renew { at_millis: 7 }],
            (true, false, vec![relay], Some(7)),
        ),
        (vec![set_stale(false)], (true, false, vec![], Some(7))),
        (vec![Change::ToldSetBack], (false, false, vec![], Some(7))),
    ];
    for (changes, expected) in steps {
        vault.commit(&changes).unwrap();
        drop(vault);
        vault = open(&path);
        let it = vault.load().unwrap().renewal;
        let found = (it.is_set_back, it.is_due, it.stale, it.renewed_at_millis);
        assert_eq!(found, expected);
    }
}

#[test]
fn a_renewal_retires_sessions_and_unseals_what_no_peer_has_confirmed() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    copy_sample(2, &path);
    let mut vault = open(&path);
    let states = [
        Delivery::Sending,
        Delivery::Relay,
        Delivery::Delivered,
        Delivery::Read,
        Delivery::Failed,
    ];
    let other = ChatRecord::named(ChatId(9), "charlie", "Charlie", Standing::Contact);
    vault.commit(&[Change::PutChat(other)]).unwrap();
    for (number, delivery) in (1..).zip(states) {
        let record = MessageRecord {
            key: MessageKey(100 + i64::from(number)),
            chat: ChatId(9),
            is_mine: true,
            shown: Shown::text(MessageId([number; 16]), 1, "mine".into(), None),
            delivery,
            is_unread: false,
            is_sealed: true,
        };
        vault.commit(&[Change::AddMessage(record)]).unwrap();
    }
    let record = OutboxRecord {
        id: EnvelopeId([8; 16]),
        device: DeviceKey([9; 32]),
        body: b"sealed".as_slice().into(),
        message: Some(MessageKey(101)),
    };
    vault.commit(&[Change::PushOutbox(record)]).unwrap();
    let unsealed = |vault: &Vault| {
        let messages = vault.unsealed().unwrap();
        assert!(messages.iter().all(|it| it.delivery == Delivery::Sending));
        messages.iter().map(|it| it.key.0).collect::<Vec<_>>()
    };
    // One chat alone: only its own.
    assert_eq!(unsealed(&vault), [4]);
    vault.commit(&[Change::Unseal { chat: ChatId(9) }]).unwrap();
    assert_eq!(unsealed(&vault), [4, 101, 102]);
    let loaded = vault.load().unwrap();
    assert_eq!(loaded.outbox.len(), 2);
    assert!(!loaded.sessions[0].is_retired);

    vault.commit(&[Change::Renew { at_millis: 7 }]).unwrap();
    drop(vault);
    let vault = open(&path);
    assert_eq!(unsealed(&vault), [2, 4, 101, 102]);
    let loaded = vault.load().unwrap();
    assert!(loaded.outbox.is_empty() && loaded.sessions[0].is_retired);
}

#[test]
fn what_a_peer_confirms_after_all_need_not_be_sealed_again() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    copy_sample(2, &path);
    let mut vault = open(&path);
    let record = vault.message(MessageKey(2)).unwrap().unwrap();
    let advance = |delivery| Change::Advance {
        chat: record.chat,
        id: record.shown.id,
        delivery,
    };
    let keys = |vault: &Vault| -> Vec<i64> {
        let messages = vault.unsealed().unwrap();
        messages.iter().map(|it| it.key.0).collect()
    };
    vault.commit(&[Change::Renew { at_millis: 7 }]).unwrap();
    vault.commit(&[advance(Delivery::Relay)]).unwrap();
    assert!(keys(&vault).contains(&2));
    vault.commit(&[advance(Delivery::Delivered)]).unwrap();
    assert!(!keys(&vault).contains(&2));
}
