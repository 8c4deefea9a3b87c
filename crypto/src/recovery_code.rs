//! A code on paper that opens a vault when its passphrase is forgotten (PROTOCOL §7.2).

use std::fmt;
use std::str::FromStr;

use rand::CryptoRng;
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::kdf;

/// Letters and digits that are not taken for one another (Crockford's Base32): five bits each.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SECRET_BYTES: usize = 16;
const CHECK_BYTES: usize = 4;
const CODE_BYTES: usize = SECRET_BYTES + CHECK_BYTES;
/// Signs of a code, of which each group has four.
const SIGNS: usize = CODE_BYTES * 8 / 5;
const GROUP_SIGNS: usize = 4;

/// 128 random bits that open a vault.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode([u8; SECRET_BYTES]);

/// Text that is no recovery code, or one with a mistake in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a recovery code has eight groups of four letters and digits")]
pub struct RecoveryCodeError;

impl RecoveryCode {
    /// A new code.
    pub fn generate(rng: &mut (impl CryptoRng + ?Sized)) -> Self {
        let mut secret = [0; SECRET_BYTES];
        rng.fill_bytes(&mut secret);
        Self(secret)
    }

    /// ``secret 16 || H("Sotto/1 recovery code", secret)[..4]`` in Crockford's Base32: eight groups
    /// of four with hyphens between them.
    ///
    /// # Security
    /// For the one who writes it down; to be shown once and kept nowhere.
    pub fn to_text(&self) -> Zeroizing<String> {
        let bytes = self.with_check();
        let mut text = Zeroizing::new(String::with_capacity(SIGNS + SIGNS / GROUP_SIGNS));
        for place in 0..SIGNS {
            if place > 0 && place % GROUP_SIGNS == 0 {
                text.push('-');
            }
            let five = (0..5).fold(0, |bits, bit| bits << 1 | bit_at(&*bytes, place * 5 + bit));
            text.push(char::from(ALPHABET.get(five).copied().unwrap_or(b'0')));
        }
        text
    }

    pub(crate) fn as_bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    fn with_check(&self) -> Zeroizing<[u8; CODE_BYTES]> {
        let check = kdf::hash(&[b"Sotto/1 recovery code", &self.0]);
        let mut bytes = Zeroizing::new([0; CODE_BYTES]);
        for (to, from) in bytes.iter_mut().zip(self.0.iter().chain(&check)) {
            *to = *from;
        }
        bytes
    }
}

/// The bit at this place, the highest of a byte first.
fn bit_at(bytes: &[u8], place: usize) -> usize {
    let byte = bytes.get(place / 8).copied().unwrap_or(0);
    usize::from(byte >> (7 - place % 8) & 1)
}

impl FromStr for RecoveryCode {
    type Err = RecoveryCodeError;

    /// Reads a code as somebody types it: in any case, with hyphens and white space anywhere, O for
    /// 0, and I or L for 1.
    fn from_str(text: &str) -> Result<Self, RecoveryCodeError> {
        let mut bytes = Zeroizing::new([0; CODE_BYTES]);
        let mut place = 0;
        for sign in text
            .chars()
            .filter(|sign| !sign.is_whitespace() && *sign != '-')
        {
            let sign = match sign.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                sign => sign,
            };
            let known = ALPHABET.iter().position(|known| char::from(*known) == sign);
            let five = known.ok_or(RecoveryCodeError)?;
            for bit in 0..5 {
                let byte = bytes.get_mut(place / 8).ok_or(RecoveryCodeError)?;
                *byte = *byte << 1 | u8::from(five >> (4 - bit) & 1 == 1);
                place += 1;
            }
        }
        let mut code = Self([0; SECRET_BYTES]);
        for (to, from) in code.0.iter_mut().zip(bytes.iter()) {
            *to = *from;
        }
        let is_whole = place == SIGNS * 5 && bool::from(code.with_check().ct_eq(&*bytes));
        is_whole.then_some(code).ok_or(RecoveryCodeError)
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.debug_struct("RecoveryCode").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::rng;

    #[test]
    fn a_code_has_this_form_and_is_read_as_people_type_it() {
        let code = RecoveryCode([0x2a; SECRET_BYTES]);
        let text = code.to_text();
        assert_eq!(*text, GOLDEN);
        for typed in [
            text.to_lowercase(),
            text.replace('-', ""),
            format!("  {} \n", text.replace('-', " - ")),
            text.replace('0', "o").replace('1', "l"),
        ] {
            assert_eq!(typed.parse(), Ok(code.clone()), "{typed}");
        }
    }

    const GOLDEN: &str = "58N2-MAHA-58N2-MAHA-58N2-MAHA-58VN-H6QC";

    #[test]
    fn every_code_comes_back_and_every_mistake_in_one_sign_is_noticed() {
        for seed in 0..50 {
            let code = RecoveryCode::generate(&mut rng(seed));
            let text = code.to_text();
            assert_eq!(text.parse(), Ok(code.clone()));
            for at in (0..text.len()).filter(|at| text.as_bytes()[*at] != b'-') {
                let mut wrong = text.as_bytes().to_vec();
                wrong[at] = if wrong[at] == b'Z' { b'Y' } else { b'Z' };
                let wrong = String::from_utf8(wrong).unwrap();
                assert_eq!(
                    wrong.parse::<RecoveryCode>(),
                    Err(RecoveryCodeError),
                    "{at}"
                );
            }
        }
    }

    #[test]
    fn refuses_what_is_no_code() {
        let text = RecoveryCode::generate(&mut rng(1)).to_text();
        for at in 0..text.len() {
            assert!(text.get(..at).unwrap().parse::<RecoveryCode>().is_err());
        }
        let longer = format!("{}0", *text);
        for wrong in ["", "-", "U", "é", &longer, &longer.repeat(100)] {
            assert!(wrong.parse::<RecoveryCode>().is_err(), "{wrong}");
        }
        assert_eq!(
            format!("{:?}", RecoveryCode([7; 16])),
            "RecoveryCode { .. }"
        );
    }
}
