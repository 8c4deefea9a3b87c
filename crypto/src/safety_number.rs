//! The number that two people compare to know that nobody sits between them (PROTOCOL §2.5).

use std::fmt;
use std::str::FromStr;

use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::kdf;
use crate::public_identity::PublicIdentity;

const LABEL: &[u8] = b"Sotto/1 safety number";
/// Groups of five digits; 60 digits are 199 bits.
const GROUPS: usize = 12;
const GROUP_BYTES: usize = 5;
const GROUP_DIGITS: usize = 5;

/// Sixty digits that depend on both accounts and on nothing else.
#[derive(Debug, Clone)]
pub struct SafetyNumber([u32; GROUPS]);

impl SafetyNumber {
    /// ``HKDF(salt = "Sotto/1 safety number", LP(smaller key) || LP(larger key))`` in 12 × 5 bytes,
    /// each modulo 100,000. The same from both sides (PROTOCOL §2.5).
    pub fn between(a: &PublicIdentity, b: &PublicIdentity) -> Self {
        let (low, high) = if a.account_key() <= b.account_key() {
            (a.account_key(), b.account_key())
        } else {
            (b.account_key(), a.account_key())
        };
        let prk = kdf::extract(LABEL, &[low, high]);
        let bytes = kdf::expand::<{ GROUPS * GROUP_BYTES }>(&prk, &[LABEL]);
        let mut groups = [0; GROUPS];
        for (group, chunk) in groups.iter_mut().zip(bytes.chunks_exact(GROUP_BYTES)) {
            *group = chunk
                .iter()
                .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % 100_000);
        }
        Self(groups)
    }
}

impl PartialEq for SafetyNumber {
    /// Takes the same time wherever two numbers differ: who can feed in numbers, as by a picture
    /// of a QR code, learns nothing but the answer.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for SafetyNumber {}

impl fmt::Display for SafetyNumber {
    /// Twelve groups of five digits with single spaces between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            write!(f, "{space}{group:05}")?;
        }
        Ok(())
    }
}

/// Text that is not a safety number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a safety number has twelve groups of five digits")]
pub struct SafetyNumberError;

impl FromStr for SafetyNumber {
    type Err = SafetyNumberError;

    /// Reads sixty digits, with white space anywhere: what somebody typed, or a QR code held.
    fn from_str(text: &str) -> Result<Self, SafetyNumberError> {
        let mut digits = text.chars().filter(|c| !c.is_whitespace());
        let mut groups = [0; GROUPS];
        for group in &mut groups {
            for _ in 0..GROUP_DIGITS {
                let digit = digits.next().and_then(|c| c.to_digit(10));
                *group = *group * 10 + digit.ok_or(SafetyNumberError)?;
            }
        }
        match digits.next() {
            None => Ok(Self(groups)),
            Some(_) => Err(SafetyNumberError),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{alice, bob};

    #[test]
    fn both_see_the_same_sixty_digits() {
        let number = SafetyNumber::between(alice().public(), bob().public());
        assert_eq!(
            number,
            SafetyNumber::between(bob().public(), alice().public())
        );
        let shown = number.to_string();
        let groups: Vec<_> = shown.split(' ').collect();
        assert_eq!(groups.len(), 12);
        assert!(groups.iter().all(|group| group.len() == 5));
        assert!(shown.chars().all(|c| c == ' ' || c.is_ascii_digit()));
        let own = SafetyNumber::between(alice().public(), alice().public());
        assert_ne!(own, number);
    }

    #[test]
    fn reads_what_it_shows_and_nothing_else() {
        let number = SafetyNumber::between(alice().public(), bob().public());
        let shown = number.to_string();
        assert_eq!(shown.parse().as_ref(), Ok(&number));
        let in_lines = format!(" {}\n", shown.replace(' ', "\t"));
        assert_eq!(in_lines.parse().as_ref(), Ok(&number));
        assert_eq!(shown.replace(' ', "").parse().as_ref(), Ok(&number));
        let chars: Vec<char> = shown.chars().collect();
        let parse = |chars: &[char]| chars.iter().collect::<String>().parse::<SafetyNumber>();
        for at in 0..chars.len() {
            assert_eq!(parse(&chars[..at]), Err(SafetyNumberError), "cut at {at}");
            let mut changed = chars.clone();
            changed[at] = if chars[at] == '1' { '2' } else { '1' };
            assert_ne!(parse(&changed), Ok(number.clone()), "digit {at}");
        }
        for wrong in [format!("{shown}1"), shown.replacen(' ', "-", 1)] {
            assert_eq!(wrong.parse::<SafetyNumber>(), Err(SafetyNumberError));
        }
    }
}
