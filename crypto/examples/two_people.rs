//! Alice writes to Bob while he is away; he answers when he is back.
//!
//! `cargo run -p sotto-crypto --example two_people`
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::borrow::Cow;

use sotto_crypto::{
    Identity, Opened, Packet, PrekeyKind, PrekeySecret, PublicIdentity, SafetyNumber, Session,
    VerifiedBundle,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = rand::rng();
    let now_secs = 1_800_000_000;

    // Each makes an identity. Bob leaves two prekeys at the relay.
    let alice = Identity::generate(&mut rng)?;
    let bob = Identity::generate(&mut rng)?;
    let week = now_secs + 7 * 24 * 60 * 60;
    let signed = PrekeySecret::generate(PrekeyKind::Signed, 1, week, &mut rng);
    let one_time = PrekeySecret::generate(PrekeyKind::OneTime, 2, week, &mut rng);
    let (signed_record, one_time_record) = (signed.record(&bob), one_time.record(&bob));

    // Alice knows Bob's public identity, takes his prekeys from the relay, and writes.
    let bob_public = PublicIdentity::decode(&bob.public().encode())?;
    let bundle = VerifiedBundle::verify(
        &bob_public,
        &signed_record,
        Some(&one_time_record),
        now_secs,
    )?;
    let alice_session = Session::start(&alice, &bundle, now_secs, &mut rng)?;
    let sent = alice_session.seal("Hello Bob".as_bytes(), now_secs, &mut rng)?;
    let alice_session = sent.next;
    println!(
        "the relay carries {} bytes and can read none of them",
        sent.output.len()
    );

    // Bob comes back, accepts the session, and deletes the one-time prekey.
    let packet = Packet::parse(&sent.output)?;
    let accepted = Session::accept(&bob, &signed, Some(&one_time), &packet, now_secs, &mut rng)?;
    drop(one_time);
    println!("Bob reads: {}", shown(&accepted.opened));

    // He answers in the same session. Alice finds it by the packet's tag.
    let answer = accepted
        .session
        .seal("Hello Alice".as_bytes(), now_secs, &mut rng)?;
    let packet = Packet::parse(&answer.output)?;
    assert!(alice_session.expects(&packet.tag()));
    let opened = alice_session.open(&packet, now_secs, &mut rng)?;
    println!("Alice reads: {}", shown(&opened.output));

    let number = SafetyNumber::between(alice.public(), bob.public());
    println!("both compare: {number}");
    Ok(())
}

fn shown(opened: &Opened) -> Cow<'_, str> {
    String::from_utf8_lossy(opened.text().unwrap_or_default())
}
