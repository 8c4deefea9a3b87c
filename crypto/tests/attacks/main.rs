//! What a hostile relay, a stranger or a malicious peer can put together, and what comes of it:
//! nothing. Everything here goes through the public API and the bytes of PROTOCOL.md.
//!
//! | module | attacks |
//! |---|---|
//! | `mixing` | R6, R7: parts that were swapped, replaced, stripped or lowered |
//! | `keys` | R8: keys and ciphertexts of bad shape |
//! | `flips` | R9: changed bytes |
//! | `misdelivery` | R10, R11: envelopes in the wrong place |
//! | `replay` | R14, R20: prekeys and handshakes that come again |
//! | `oracle` | R21: failures told apart |
//! | `counters` | C3 and clones: numbers out of place, states used twice |
//! | `forge`, `record`, `layout` | the attacker's own implementation, and scissors |
//! | `people` | the honest devices |

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "helpers of tests fail their test"
)]

mod counters;
mod flips;
mod forge;
mod keys;
mod layout;
mod misdelivery;
mod mixing;
mod oracle;
mod people;
mod record;
mod replay;

use crate::forge::Initiator;
use crate::people::{Device, Talk, alice_author, intruder, open, rng};
use crate::record::Record;

/// Without this, a refused forgery could be one that nobody would accept anyway.
#[test]
fn the_forger_speaks_the_protocol() {
    let (alice, bob) = (alice_author(), Device::bob());
    assert_eq!(alice.identity(), Device::alice().identity.public().encode());
    let prekey = &bob.signed[0];
    let author = people::bob_author();
    let record = bob.signed_record();
    assert_eq!(
        author.prekey_record(1, prekey.id(), &record[14..1230]),
        record
    );
    for with_one_time in [false, true] {
        let rng = &mut rng(1);
        let handshake = Initiator::new(&intruder(), &bob.recipient(with_one_time), rng);
        let first = handshake.message(b"hello").seal(rng);
        bob.accepts(&first, b"hello");
    }
    let mut talk = Talk::begun();
    let rng = &mut rng(2);
    let of_bob = Record::parse(&talk.bob.to_stored());
    let step = of_bob.step(1, 0, &of_bob.new_step(rng)).seal(rng);
    assert_eq!(open(&mut talk.alice, &step).unwrap(), b"step");
    let mut talk = Talk::settled();
    let plain = Record::parse(&talk.alice.to_stored()).message(3, b"plain");
    assert_eq!(open(&mut talk.bob, &plain.seal(rng)).unwrap(), b"plain");
}
