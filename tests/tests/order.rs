//! The order of a conversation holds, whatever the relay refuses for now.

use sotto_client::view::{Delivery, RelayState};
use sotto_tests::{Desk, Host, Tap};
use tempfile::tempdir;

#[test]
fn messages_arrive_in_order_although_the_relay_refuses_the_first_of_many_for_now() {
    let dir = tempdir().unwrap();
    let tap = Tap::default();
    let host = Host::start_with(&dir.path().join("relay"), |store| tap.around(store));
    let alice = Desk::open_only(&dir.path().join("one"), Some(host.invite()), "alice");
    let bob = Desk::open_only(&dir.path().join("two"), Some(host.invite()), "bob");
    let come = |desk: &Desk, who, with, count: usize, least: Delivery| {
        desk.wait_messages(who, with, "all of them", |messages| {
            let mut own = messages.iter().filter(|message| message.is_mine);
            let is_all = messages.len() == count && own.all(|own| own.delivery >= least);
            is_all.then_some(())
        });
    };
    alice.write("alice", "bob", "first");
    bob.read("bob", "alice", &["first"]);
    bob.write("bob", "alice", "yes?");
    // Nothing else is on its way any more.
    come(&alice, "alice", "bob", 2, Delivery::Read);
    come(&bob, "bob", "alice", 2, Delivery::Delivered);
    // Written while away, so that all of it is on its way at once when Alice is back.
    alice.relay.send_replace(None);
    alice.wait("alice", "no relay", |view| {
        (view.relay == RelayState::Offline(None)).then_some(())
    });
    let mut texts = vec!["first".to_owned(), "yes?".to_owned()];
    for number in 0..60 {
        let text = number.to_string();
        alice.write("alice", "bob", &text);
        texts.push(text);
    }
    come(&alice, "alice", "bob", texts.len(), Delivery::Sending);
    tap.decline_next(1);
    alice.relay.send_replace(Some(host.invite()));
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    bob.read("bob", "alice", &texts);
    come(&alice, "alice", "bob", texts.len(), Delivery::Read);
}
