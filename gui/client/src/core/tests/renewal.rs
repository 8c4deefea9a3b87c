//! A vault that was put back, or lives twice, and its peer.

use sotto_net::wire::{LeaveMark, Mark, PreviousMark};

use super::*;
use crate::core::marks::MARKS_MAX;

const STRANGE: Mark = Mark([0x66; 16]);
const MINUTE_MILLIS: i64 = 60 * 1000;
const HOUR_MILLIS: i64 = 60 * MINUTE_MILLIS;

/// Logs in at a relay that keeps marks; gives the number of the question.
fn ask(side: &mut Side, now: Moment) -> u32 {
    side.step(Input::LinkDown, now);
    side.frames.clear();
    side.commits.clear();
    let welcome = Welcome {
        minor: 2,
        store: StoreId([5; 16]),
        signed_prekey: side.signed.as_ref().map(|prekey| prekey.id),
        one_time_prekeys: u32::try_from(side.one_time.len()).unwrap(),
    };
    let relay = RELAY;
    side.step(Input::LinkUp { relay, welcome }, now);
    let [ClientFrame::LeaveMark(LeaveMark { request, mark })] = side.frames[..] else {
        panic!("something else is said: {:?}", side.frames);
    };
    assert_eq!(mark, None);
    side.frames.clear();
    request
}

/// Logs in at a relay that holds this mark; gives the one that is left then.
fn log_in(side: &mut Side, mark: Option<Mark>, now: Moment) -> Mark {
    let request = ask(side, now);
    let previous = PreviousMark { request, mark };
    side.step(Input::Replies(vec![previous.into()]), now);
    left(side).unwrap()
}

/// The mark that was left last.
fn left(side: &Side) -> Option<Mark> {
    side.frames.iter().rev().find_map(|frame| match frame {
        ClientFrame::LeaveMark(leave) => leave.mark,
        _ => None,
    })
}

fn is_renewed(side: &Side) -> bool {
    let is_it = |change: &Change| matches!(change, Change::Renew { .. });
    side.commits.iter().any(is_it)
}

/// Delivers what one side sends to the other.
fn deliver(from: &mut Side, to: &mut Side, now: Moment) {
    for send in from.sends(to, now) {
        let envelope = to.envelope(body(&send));
        to.step(Input::Deliveries(vec![envelope]), now);
    }
}

/// What was written here and not confirmed: the vault gives it back, once it is unsealed.
fn seal_again(side: &mut Side, now: Moment) {
    let unseals = side.commits.iter().position(Change::unseals);
    let unseals = unseals.expect("nothing is unsealed");
    let mut own = Vec::new();
    for change in &side.commits[..unseals] {
        match change {
            Change::AddMessage(record) if record.is_mine => own.push(record.clone()),
            Change::Advance { id, .. } => own.retain(|record| record.shown.id != *id),
            _ => {}
        }
    }
    side.step(Input::Act(Action::SealAgain(own)), now);
}

fn sends_in(side: &mut Side) -> SessionId {
    let chat = side.core.chats.get_mut(&CHAT).unwrap();
    chat.sending_session().unwrap().session.id()
}

fn session_ids(side: &Side) -> Vec<SessionId> {
    let sessions = side.core.chats[&CHAT].sessions.iter();
    sessions.map(|held| held.session.id()).collect()
}

fn is_retired(side: &Side, id: SessionId) -> bool {
    let mut sessions = side.core.chats[&CHAT].sessions.iter();
    sessions
        .find(|held| held.session.id() == id)
        .unwrap()
        .is_retired
}

/// Alice and Bob, who have talked.
fn talking() -> (Side, Side) {
    let (mut alice, mut bob) = pair();
    alice.write("hi", NOW);
    deliver(&mut alice, &mut bob, NOW);
    deliver(&mut bob, &mut alice, NOW);
    alice.commits.clear();
    bob.commits.clear();
    (alice, bob)
}

#[test]
fn nothing_is_sent_or_taken_before_the_mark_is_known() {
    let (mut alice, _) = talking();
    alice.step(Input::LinkDown, NOW);
    alice.write("without a connection it waits", NOW);
    let request = ask(&mut alice, NOW);
    assert!(alice.core.is_inbox_stalled());
    alice.write("with one it waits too", NOW);
    alice.step(Input::Timer, later(2 * HOUR_MILLIS));
    assert!(alice.frames.is_empty(), "{:?}", alice.frames);
    assert_eq!(alice.core.wake_at_millis(), None, "nothing is due");

    let mark = None;
    let previous = PreviousMark { request, mark };
    alice.step(Input::Replies(vec![previous.into()]), NOW);
    assert!(!alice.core.is_inbox_stalled());
    assert!(left(&alice).is_some());
    let is_send = |frame: &&ClientFrame| matches!(frame, ClientFrame::Send(_));
    // These and the first one, which the relay has not answered yet.
    assert_eq!(alice.frames.iter().filter(is_send).count(), 3);
}

#[test]
fn marks_of_ones_own_are_known_however_many_of_them_a_relay_fails_to_keep() {
    let (mut alice, _) = talking();
    let first = log_in(&mut alice, None, NOW);
    let second = log_in(&mut alice, Some(first), NOW);
    assert_ne!(first, second);
    // Its files were put back; from then on it loses whatever it is told.
    for _ in 0..2 * MARKS_MAX {
        log_in(&mut alice, Some(first), NOW);
        assert_eq!((is_renewed(&alice), alice.core.notice()), (false, None));
    }
    // A relay that lost its store says nothing about this vault.
    log_in(&mut alice, None, NOW);
    assert_eq!((is_renewed(&alice), alice.core.notice()), (false, None));
    // What was left long ago is not kept for ever.
    log_in(&mut alice, Some(second), NOW);
    assert_eq!(alice.core.notice(), Some(Notice::SetBack));
}

#[test]
fn a_relay_that_refuses_to_say_is_taken_for_one_that_knows_nothing() {
    let (mut alice, _) = talking();
    let refused = Refused {
        request: ask(&mut alice, NOW),
        reason: Refusal::Storage,
        retry_after_millis: 0,
    };
    alice.step(Input::Replies(vec![refused.into()]), NOW);
    assert!(!alice.core.is_inbox_stalled());
    assert_eq!((left(&alice), alice.core.notice()), (None, None));
}

#[test]
fn a_strange_mark_is_said_once_and_replaces_sessions_at_most_hourly() {
    let (mut alice, _) = talking();
    let old = session_ids(&alice);
    log_in(&mut alice, Some(STRANGE), NOW);
    assert_eq!(alice.core.notice(), Some(Notice::SetBack));
    assert!(is_renewed(&alice));
    let retired = |change: &Change| matches!(change, Change::PutSession(record) if old.contains(&record.id) && !record.is_retired);
    assert!(!alice.commits.iter().any(retired));
    assert!(alice.core.chats[&CHAT].sessions[0].is_retired);

    // The next one is said, and waits for its time, which comes without another login too.
    let soon = later(HOUR_MILLIS - 1);
    log_in(&mut alice, Some(Mark([0x67; 16])), soon);
    let signed = alice.publication().signed;
    alice.confirm_publication(soon);
    alice.step(Input::Timer, soon);
    assert!(!is_renewed(&alice));
    assert_eq!(
        alice.core.wake_at_millis(),
        Some(later(HOUR_MILLIS).unix_millis)
    );
    alice.step(Input::Timer, later(HOUR_MILLIS));
    assert!(is_renewed(&alice));
    // There was a publication just now.
    let due = alice.core.wake_at_millis().unwrap() - NOW.unix_millis;
    assert!(due <= HOUR_MILLIS + MINUTE_MILLIS);
    alice.step(Input::Timer, later(due));
    assert_ne!(alice.publication().signed, signed);
    // Once: a mark that was found is known.
    for known in [STRANGE, Mark([0x67; 16])] {
        log_in(&mut alice, Some(known), later(3 * HOUR_MILLIS));
        assert!(!is_renewed(&alice));
    }
    // A clock that goes back does not make it wait for ever.
    log_in(&mut alice, Some(Mark([0x68; 16])), later(-HOUR_MILLIS));
    assert!(is_renewed(&alice));
}

#[test]
fn being_set_back_is_said_until_it_was_read_and_what_passes_is_said_before_it() {
    let (mut alice, _) = talking();
    log_in(&mut alice, Some(STRANGE), NOW);
    let envelope = alice.envelope(Bytes::from_static(b"sealed for another life"));
    alice.step(Input::Deliveries(vec![envelope]), NOW);
    assert_eq!(alice.core.notice(), Some(Notice::SetBack));
    alice.core.set_notice(Some(Notice::PassphraseSet));
    for (notice, told) in [(Notice::PassphraseSet, false), (Notice::SetBack, true)] {
        assert_eq!(alice.core.notice(), Some(notice));
        // As after a commit that failed.
        alice.core.set_notice(Some(notice));
        alice.commits.clear();
        alice.step(Input::Act(Action::DismissNotice), NOW);
        let is_told = |change: &Change| matches!(change, Change::ToldSetBack);
        assert_eq!(alice.commits.iter().any(is_told), told);
    }
    assert_eq!(alice.core.notice(), None);
}

#[test]
fn prekeys_after_a_renewal_have_numbers_that_no_other_life_has_given_out() {
    let numbers = |seed: u64| {
        let (mut alice, _) = talking();
        alice.core.rng = StdRng::seed_from_u64(seed);
        let highest = alice.one_time.iter().map(|prekey| prekey.id).max().unwrap();
        log_in(&mut alice, Some(STRANGE), NOW);
        let at = |wanted: fn(&ClientFrame) -> bool| alice.frames.iter().position(wanted).unwrap();
        let withdrawal = at(|frame| matches!(frame, ClientFrame::WithdrawPrekeys(_)));
        let publication = at(|frame| matches!(frame, ClientFrame::PublishPrekeys(_)));
        assert!(withdrawal < publication);
        let publication = alice.publication();
        let signed = publication.signed.unwrap().id;
        assert!(signed > highest + 1_000_000);
        let one_time = publication.one_time.iter().map(|prekey| prekey.id);
        assert!(one_time.clone().eq(signed + 1..=signed + 100));
        signed
    };
    // Two lives of one vault that both notice it.
    assert!(numbers(1).abs_diff(numbers(2)) > 100);
}

#[test]
fn a_vault_that_begins_with_a_backup_starts_anew_at_any_relay() {
    for minor in [1, 2] {
        let (mut alice, mut bob) = talking();
        let others = alice.one_time.iter().map(|prekey| prekey.id);
        // What the other life has done since is far less than what it had done before.
        let others: Vec<u32> = others.map(|id| id + 5_000_000).collect();
        let mut chats: Vec<ChatRecord> = alice.core.chats.values().map(Chat::record).collect();
        chats[0].identity = Some(bob.identity.public().encode());
        let renewal = Renewal {
            stale: vec![RELAY],
            is_due: true,
            is_set_back: true,
            ..Renewal::default()
        };
        let loaded = Loaded {
            renewal,
            prekeys_before: 5_000_100,
            ..loaded(chats)
        };
        let person = alice.core.person.clone();
        let rng = StdRng::seed_from_u64(30);
        alice.core = Core::new(Arc::clone(&alice.identity), person, loaded, rng);
        alice.frames.clear();
        alice.commits.clear();
        let welcome = Welcome {
            minor,
            store: StoreId([5; 16]),
            signed_prekey: alice.signed.as_ref().map(|prekey| prekey.id),
            one_time_prekeys: 100,
        };
        let relay = RELAY;
        alice.step(Input::LinkUp { relay, welcome }, NOW);
        if minor == 2 {
            let mark = Some(STRANGE);
            let request = 1;
            alice.step(
                Input::Replies(vec![PreviousMark { request, mark }.into()]),
                NOW,
            );
        }
        assert!(is_renewed(&alice));
        assert_eq!(alice.core.notice(), Some(Notice::SetBack));
        let withdraws = |frame: &ClientFrame| matches!(frame, ClientFrame::WithdrawPrekeys(_));
        assert_eq!(alice.frames.iter().any(withdraws), minor == 2);
        let publication = alice.publication();
        let highest = others.iter().max().unwrap() + 1_000_000;
        assert!(publication.signed.unwrap().id > highest);
        assert!(
            publication
                .one_time
                .iter()
                .all(|prekey| prekey.id > highest)
        );
        deliver(&mut alice, &mut bob, NOW);
        assert!(!alice.core.chats[&CHAT].greets);
        assert_eq!(sends_in(&mut alice), sends_in(&mut bob));
    }
}

#[test]
fn prekeys_are_withdrawn_until_the_relay_has_confirmed_it() {
    let (mut alice, _) = talking();
    let mut mark = log_in(&mut alice, Some(STRANGE), NOW);
    let withdrawal = |side: &Side| {
        side.frames.iter().find_map(|frame| match frame {
            ClientFrame::WithdrawPrekeys(withdraw) => Some(withdraw.request),
            _ => None,
        })
    };
    let refused = Refused {
        request: withdrawal(&alice).unwrap(),
        reason: Refusal::Storage,
        retry_after_millis: 0,
    };
    alice.step(Input::Replies(vec![refused.into()]), NOW);
    mark = log_in(&mut alice, Some(mark), NOW);
    let request = withdrawal(&alice).expect("again");
    alice.step(Input::Replies(vec![Done { request }.into()]), NOW);
    log_in(&mut alice, Some(mark), NOW);
    assert_eq!(withdrawal(&alice), None);
}

#[test]
fn a_peer_that_lost_its_sessions_is_answered_in_the_new_one_and_sent_what_it_never_confirmed() {
    let (mut alice, mut bob) = talking();
    let old = sends_in(&mut bob);
    bob.write("on its way", NOW);
    let on_its_way = bob.sends(&mut alice, NOW).remove(0);
    bob.write("still at Bob's", NOW);
    bob.frames.clear();
    log_in(&mut alice, Some(STRANGE), NOW);
    assert!(alice.core.chats[&CHAT].greets);
    deliver(&mut alice, &mut bob, NOW);
    assert!(!alice.core.chats[&CHAT].greets);
    assert_eq!((bob.received(), bob.core.notice()), (0, None));
    let new = sends_in(&mut bob);
    assert!(new != old && new == sends_in(&mut alice));
    assert!(is_retired(&bob, old));
    let is_removal = |change: &&Change| matches!(change, Change::RemoveOutbox(_));
    // Two messages, and the receipt that the relay has not answered.
    assert_eq!(bob.commits.iter().filter(is_removal).count(), 3);
    seal_again(&mut bob, NOW);
    deliver(&mut bob, &mut alice, NOW);
    assert_eq!(
        (alice.received(), alice.core.notice()),
        (2, Some(Notice::SetBack))
    );

    // What was sealed before opens too, and nothing is sent in that session any more.
    let envelope = alice.envelope(body(&on_its_way));
    alice.step(Input::Deliveries(vec![envelope]), NOW);
    alice.step(Input::Act(Action::DismissNotice), NOW);
    assert_eq!((alice.received(), alice.core.notice()), (3, None));
    assert!(is_retired(&alice, old));
    assert_eq!(sends_in(&mut alice), new);
    // After a restart as well.
    bob.restart(NOW);
    assert!(is_retired(&bob, old));
    assert_eq!(sends_in(&mut bob), new);
}

#[test]
fn what_was_sealed_for_prekeys_that_are_lost_is_sealed_again_for_who_says_so() {
    let (mut alice, mut bob) = pair();
    // Bob writes first, with prekeys whose secrets went with a later life.
    bob.write("hello?", NOW);
    let unopened = bob.sends(&mut alice, NOW).remove(0);
    alice.core.prekeys = Prekeys::new(&[], Vec::new(), 0);
    let envelope = alice.envelope(body(&unopened));
    log_in(&mut alice, Some(STRANGE), NOW);
    alice.step(Input::Deliveries(vec![envelope]), NOW);
    assert_eq!(alice.received(), 0);
    deliver(&mut alice, &mut bob, NOW);
    seal_again(&mut bob, NOW);
    deliver(&mut bob, &mut alice, NOW);
    assert_eq!(alice.received(), 1);
    // Once: a peer cannot have everything sent again by saying nothing but that.
    alice.core.chats.get_mut(&CHAT).unwrap().greets = true;
    alice.step(Input::Timer, NOW);
    bob.commits.clear();
    deliver(&mut alice, &mut bob, NOW);
    assert!(!bob.commits.iter().any(Change::unseals));
}

#[test]
fn two_that_lost_their_sessions_at_the_same_time_come_to_the_same_one() {
    let (mut alice, mut bob) = talking();
    let old = session_ids(&alice);
    log_in(&mut alice, Some(STRANGE), NOW);
    log_in(&mut bob, Some(STRANGE), NOW);
    for _ in 0..2 {
        let (to_bob, to_alice) = (alice.sends(&mut bob, NOW), bob.sends(&mut alice, NOW));
        for (side, sends) in [(&mut bob, to_bob), (&mut alice, to_alice)] {
            for send in sends {
                let envelope = side.envelope(body(&send));
                side.step(Input::Deliveries(vec![envelope]), NOW);
            }
            side.write("anew", NOW);
        }
    }
    deliver(&mut alice, &mut bob, NOW);
    deliver(&mut bob, &mut alice, NOW);
    assert_eq!((alice.received(), bob.received()), (2, 2));
    assert_eq!(sends_in(&mut alice), sends_in(&mut bob));
    assert!(!old.contains(&sends_in(&mut alice)));
}

#[test]
fn who_was_blocked_is_sent_nothing_in_sessions_that_they_lost_meanwhile() {
    let (mut alice, mut bob) = talking();
    let old = sends_in(&mut bob);
    bob.step(Input::Act(Action::Block(CHAT)), NOW);
    log_in(&mut alice, Some(STRANGE), NOW);
    deliver(&mut alice, &mut bob, NOW);
    bob.step(Input::Act(Action::Unblock(CHAT)), NOW);
    assert!(is_retired(&bob, old) && sends_in(&mut bob) != old);
}

#[test]
fn while_sessions_are_used_marks_tell_a_copy_that_was_made_within_a_connection() {
    let (mut alice, mut bob) = talking();
    let mut last = log_in(&mut alice, None, NOW);
    alice.frames.clear();
    // As long as nothing passes, nothing is left.
    alice.step(Input::Timer, later(30 * MINUTE_MILLIS));
    assert_eq!(left(&alice), None);
    for (millis, is_left) in [
        (30 * MINUTE_MILLIS, true),
        (30 * MINUTE_MILLIS + 1, false),
        (31 * MINUTE_MILLIS - 1, false),
        (31 * MINUTE_MILLIS, true),
    ] {
        alice.write("hi", later(millis));
        assert_eq!(left(&alice).is_some(), is_left, "{millis}");
        if let Some(mark) = left(&alice) {
            assert_ne!(mark, last);
            last = mark;
        }
        alice.sends(&mut bob, later(millis));
    }
    // What passed right after a mark is followed by another one, even if nothing else passes.
    alice.write("the last one", later(31 * MINUTE_MILLIS + 1));
    alice.frames.clear();
    let due = later(32 * MINUTE_MILLIS);
    assert!(alice.core.wake_at_millis().unwrap() <= due.unix_millis);
    alice.step(Input::Timer, due);
    assert!(left(&alice).is_some());
}

#[test]
fn not_all_peers_are_greeted_on_one_connection() {
    let (mut alice, bob) = talking();
    let identity = Some(bob.identity.public().encode());
    for number in 0..300 {
        let id = ChatId(100 + number);
        let handle = format!("peer-{number}");
        let record = ChatRecord {
            identity: identity.clone(),
            ..ChatRecord::named(id, &handle, &handle, Standing::Contact)
        };
        let chat = Chat::from_record(record, alice.identity.public());
        alice.core.chats.insert(id, chat);
    }
    let mark = log_in(&mut alice, Some(STRANGE), NOW);
    let asks = |side: &Side| {
        let asked = side.frames.iter().filter_map(|frame| match frame {
            ClientFrame::TakeBundle(ask) => Some(ask.request),
            _ => None,
        });
        asked.collect::<Vec<_>>()
    };
    let asked = asks(&alice);
    assert_eq!(asked.len(), 200);
    alice.frames.clear();
    let refused = |request| Refused {
        request,
        reason: Refusal::NoPrekeys,
        retry_after_millis: 0,
    };
    let refusals = asked.into_iter().map(|request| refused(request).into());
    alice.step(Input::Replies(refusals.collect()), NOW);
    alice.step(Input::Timer, later(MINUTE_MILLIS));
    assert!(asks(&alice).is_empty());
    // Whoever is written to is asked for, and the others the next time.
    alice.write("hi", NOW);
    assert_eq!(asks(&alice).len(), 1);
    log_in(&mut alice, Some(mark), NOW);
    assert_eq!(asks(&alice).len(), 201);
}
