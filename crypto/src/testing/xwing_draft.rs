//! The vectors of draft-connolly-cfrg-xwing-kem (`tests/vectors/outside/README.md`), run through
//! [`KemSecret`] and [`KemPublic`].

use serde_json::Value;

use super::{from_hex, given};
use crate::kem::{KemPublic, KemSecret};

#[test]
fn x_wing_agrees_with_its_draft() {
    let json = include_str!("../../../tests/vectors/outside/xwing_draft.json");
    let vectors: Vec<Value> = serde_json::from_str(json).unwrap();
    for vector in &vectors {
        let field = |name: &str| from_hex(vector[name].as_str().unwrap());
        let (public, ciphertext, shared) = (field("pk"), field("ct"), field("ss"));
        assert_eq!(field("seed"), field("sk"), "the secret key is the seed");

        let mut seed = given(&field("seed"));
        let secret = KemSecret::generate(&mut seed);
        assert_eq!(secret.seed().as_slice(), field("sk"));
        let secret = KemSecret::from_seed(&field("sk").try_into().unwrap());
        assert_eq!(secret.public().as_bytes().as_slice(), public);

        let key = KemPublic::decode(&public).unwrap();
        let (sealed, sent) = key.encapsulate(&mut given(&field("eseed")));
        assert_eq!(sealed.as_slice(), ciphertext);
        assert_eq!(sent.as_slice(), shared);
        assert_eq!(secret.decapsulate(&ciphertext).unwrap().as_slice(), shared);
    }
    assert_eq!(vectors.len(), 3);
}
