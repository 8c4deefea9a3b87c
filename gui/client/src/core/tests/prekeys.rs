//! Prekeys that are published, confirmed, refused and topped up.

use super::*;

#[test]
fn prekeys_are_published_before_the_claim_that_everybody_hears_of() {
    let side = Side::new(0);
    let place = |is_it: fn(&ClientFrame) -> bool| side.frames.iter().position(is_it).unwrap();
    let published = place(|frame| matches!(frame, ClientFrame::PublishPrekeys(_)));
    let claimed = place(|frame| matches!(frame, ClientFrame::Claim(_)));
    assert!(published < claimed);
}

#[test]
fn prekeys_are_topped_up_when_they_run_low() {
    let (mut alice, _) = pair();
    assert_eq!(alice.one_time.len(), 100);
    let low = PrekeysLow { left: 29 };
    alice.step(Input::Replies(vec![low.into()]), NOW);
    assert_eq!(alice.one_time.len(), 100, "a publication is on its way");
    alice.confirm_publication(NOW);
    alice.step(Input::Replies(vec![low.into()]), NOW);
    assert_eq!(alice.one_time.len(), 100, "there was one just now");
    assert_eq!(alice.core.wake_at_millis(), Some(later(60_000).unix_millis));
    alice.step(Input::Timer, later(60_000));
    assert_eq!(alice.one_time.len(), 171);
    let signed = alice.signed.clone().unwrap().id;
    alice.step(Input::LinkDown, NOW);
    alice.link_up(later(8 * 24 * 60 * 60 * 1000));
    assert_ne!(alice.signed.clone().unwrap().id, signed, "rotated weekly");
}

#[test]
fn a_refused_publication_is_repeated_when_the_relay_says() {
    for reason in [Refusal::Storage, Refusal::RateLimited] {
        let (mut alice, mut bob) = pair();
        let first = bob.publication();
        let refused = Refused {
            request: first.request,
            reason,
            retry_after_millis: 700,
        };
        bob.frames.clear();
        bob.step(Input::Replies(vec![refused.into()]), NOW);
        bob.step(Input::Timer, later(699));
        assert!(bob.frames.is_empty(), "{reason:?}: {:?}", bob.frames);
        assert_eq!(bob.core.wake_at_millis(), Some(later(700).unix_millis));
        bob.step(Input::Timer, later(700));
        // The same prekeys: a refusal makes no new secrets.
        let second = bob.publication();
        assert_eq!(second.signed, first.signed);
        assert_eq!(second.one_time, first.one_time);
        bob.confirm_publication(later(700));
        assert_eq!(bob.core.link.as_ref().unwrap().stock.due_at_millis(), None);
        // Somebody can start with them.
        alice.write("hi", later(700));
        let sends = alice.sends(&mut bob, later(700));
        let envelope = bob.envelope(body(&sends[0]));
        bob.step(Input::Deliveries(vec![envelope]), later(700));
        assert_eq!(bob.received(), 1);
    }
}

#[test]
fn prekeys_count_as_published_when_they_are_confirmed() {
    let (mut alice, _) = pair();
    let refused = Refused {
        request: alice.publication().request,
        reason: Refusal::Storage,
        retry_after_millis: 0,
    };
    alice.step(Input::Replies(vec![refused.into()]), NOW);
    alice.frames.clear();
    alice.step(Input::Timer, later(60_000));
    let again = alice.publication();
    assert!(again.signed.is_some());
    assert_eq!(again.one_time.len(), 100);
    alice.confirm_publication(later(60_000));
    // An hour later there is nothing left to do.
    alice.step(Input::Timer, later(2 * 60 * 60 * 1000));
    assert!(alice.frames.is_empty(), "{:?}", alice.frames);
}

#[test]
fn a_relay_that_always_lacks_prekeys_does_not_fill_the_disk() {
    let (mut alice, _) = pair();
    let mut kept: i64 = 0;
    for minute in 1..=15 {
        let now = later(minute * 60_000);
        alice.confirm_publication(now);
        alice.step(Input::Replies(vec![PrekeysLow { left: 0 }.into()]), now);
        assert_eq!(alice.publication().one_time.len(), 100);
    }
    for change in &alice.commits {
        kept += match change {
            Change::AddPrekey { .. } => 1,
            Change::RemovePrekey { .. } => -1,
            _ => 0,
        };
    }
    assert_eq!(kept, 1_001, "a thousand and the signed one");
}
