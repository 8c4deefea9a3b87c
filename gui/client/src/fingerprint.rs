//! Texts by which people recognise each other: links to contacts (WIRE §1) and codes to compare
//! (PROTOCOL §2.5).
//!
//! ```text
//! sotto:contact/1/HANDLE/FINGERPRINT/INVITE
//! sotto:verify/1/FINGERPRINT/FINGERPRINT
//! ```
//!
//! A fingerprint is an account's id in base64url, 43 characters: it stays as long as the safety
//! number does.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use sotto_crypto::{AccountId, PublicIdentity};
use sotto_net::Invite;
use sotto_net::people::is_handle;
use thiserror::Error;

const CONTACT: &str = "sotto:contact/";
const CODE: &str = "sotto:verify/";
const VERSION: &str = "1";
/// The longest link or code, in bytes: all parts of a link at their longest take 450.
const TEXT_BYTES_MAX: usize = 512;

/// Why a text is neither link nor code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum TextError {
    /// It has another form, or was cut off.
    #[error("malformed")]
    Malformed,
    /// A newer version of the program wrote it.
    #[error("of a newer version")]
    Newer,
}

/// Where somebody is to be found, and how they are recognised there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContactLink {
    pub(crate) handle: String,
    pub(crate) account: AccountId,
    pub(crate) relay: Invite,
}

impl fmt::Display for ContactLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            handle,
            account,
            relay,
        } = self;
        let account = print(account);
        write!(f, "{CONTACT}{VERSION}/{handle}/{account}/{relay}")
    }
}

impl FromStr for ContactLink {
    type Err = TextError;

    /// Reads what [`fmt::Display`] writes, in no other spelling; white space around it is passed
    /// over.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let rest = body(text, CONTACT)?;
        let (handle, rest) = rest.split_once('/').ok_or(TextError::Malformed)?;
        let (account, relay) = rest.split_once('/').ok_or(TextError::Malformed)?;
        let link = Self {
            handle: handle.to_owned(),
            account: parse(account).ok_or(TextError::Malformed)?,
            relay: relay.parse().map_err(|_| TextError::Malformed)?,
        };
        if is_handle(handle) && link.relay.to_string() == relay {
            Ok(link)
        } else {
            Err(TextError::Malformed)
        }
    }
}

/// What one of two people shows the other: whom each of them sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VerificationCode {
    /// Who shows it.
    pub(crate) own: AccountId,
    /// Whom they see on the other side.
    pub(crate) peer: AccountId,
}

impl VerificationCode {
    pub(crate) fn new(own: &PublicIdentity, peer: &PublicIdentity) -> Self {
        Self {
            own: own.account_id(),
            peer: peer.account_id(),
        }
    }
}

impl fmt::Display for VerificationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (own, peer) = (print(&self.own), print(&self.peer));
        write!(f, "{CODE}{VERSION}/{own}/{peer}")
    }
}

impl FromStr for VerificationCode {
    type Err = TextError;

    /// As for a link.
    fn from_str(text: &str) -> Result<Self, TextError> {
        let rest = body(text, CODE)?;
        let (own, peer) = rest.split_once('/').ok_or(TextError::Malformed)?;
        match (parse(own), parse(peer)) {
            (Some(own), Some(peer)) => Ok(Self { own, peer }),
            _ => Err(TextError::Malformed),
        }
    }
}

/// What follows the version of a text of this kind.
fn body<'a>(text: &'a str, kind: &str) -> Result<&'a str, TextError> {
    let text = text.trim();
    if text.len() > TEXT_BYTES_MAX {
        return Err(TextError::Malformed);
    }
    let rest = text.strip_prefix(kind).ok_or(TextError::Malformed)?;
    let (version, body) = rest.split_once('/').ok_or(TextError::Malformed)?;
    match version.parse::<u16>() {
        _ if version == VERSION => Ok(body),
        Ok(number) if number > 1 && number.to_string() == version => Err(TextError::Newer),
        _ => Err(TextError::Malformed),
    }
}

fn print(account: &AccountId) -> String {
    BASE64URL_NOPAD.encode(account.as_bytes())
}

fn parse(text: &str) -> Option<AccountId> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    Some(AccountId::from_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use sotto_net::RelayPin;
    use sotto_net::wire::NAME_BYTES_MAX;

    use super::*;

    const WIRE: &str = include_str!("../../../net/WIRE.md");
    const PROTOCOL: &str = include_str!("../../../crypto/PROTOCOL.md");
    const GOLDEN_LINK: &str = "sotto:contact/1/bob/sbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbE/\
        sotto://relay.example:4433?pin=paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU";
    const GOLDEN_CODE: &str = "sotto:verify/1/sbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbE/\
        oaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaE";

    fn link() -> ContactLink {
        ContactLink {
            handle: "bob".into(),
            account: AccountId::from_bytes([0xb1; 32]),
            relay: Invite::to_host("relay.example", 4433, RelayPin([0xa5; 32])).unwrap(),
        }
    }

    fn code() -> VerificationCode {
        VerificationCode {
            own: AccountId::from_bytes([0xb1; 32]),
            peer: AccountId::from_bytes([0xa1; 32]),
        }
    }

    #[test]
    fn links_and_codes_have_these_texts_which_the_specifications_name() {
        assert_eq!(link().to_string(), GOLDEN_LINK);
        assert_eq!(code().to_string(), GOLDEN_CODE);
        assert!(WIRE.contains(GOLDEN_LINK) && PROTOCOL.contains(GOLDEN_CODE));
        assert_eq!(format!(" {GOLDEN_LINK}\n").parse(), Ok(link()));
        assert_eq!(format!("\t{GOLDEN_CODE} ").parse(), Ok(code()));
        let by_roots = ContactLink {
            relay: Invite::by_roots("relay.example", 4433).unwrap(),
            ..link()
        };
        assert_eq!(by_roots.to_string().parse(), Ok(by_roots));
    }

    #[test]
    fn what_is_cut_off_changed_or_spelled_otherwise_is_refused() {
        let good = link();
        for cut in 0..GOLDEN_LINK.len() {
            let text = GOLDEN_LINK.get(..cut).unwrap();
            assert_eq!(
                text.parse::<ContactLink>(),
                Err(TextError::Malformed),
                "cut at {cut}"
            );
        }
        for cut in 0..GOLDEN_CODE.len() {
            let text = GOLDEN_CODE.get(..cut).unwrap();
            let read = text.parse::<VerificationCode>();
            assert_eq!(read, Err(TextError::Malformed), "cut at {cut}");
        }
        for (from, to) in [
            ("/1/", "/01/"),
            ("/1/", "/0/"),
            ("/bob/", "/Bob/"),
            ("/bob/", "//"),
            ("/bob/", "/-bob/"),
            ("sbE/", "sbF/"),
            ("sbE/", "sbE=/"),
            ("sotto://", " sotto://"),
            (":4433", ":04433"),
            ("sotto:contact", "SOTTO:contact"),
        ] {
            let text = GOLDEN_LINK.replacen(from, to, 1);
            assert_eq!(
                text.parse::<ContactLink>(),
                Err(TextError::Malformed),
                "{text}"
            );
        }
        let long = GOLDEN_LINK.replacen("bob", &"b".repeat(65), 1);
        assert!(long.parse::<ContactLink>().is_err());
        assert!(
            "sotto:contact/1/"
                .repeat(100)
                .parse::<ContactLink>()
                .is_err()
        );
        assert!(
            format!("{GOLDEN_CODE}/x")
                .parse::<VerificationCode>()
                .is_err()
        );
        assert!(good.to_string().parse::<VerificationCode>().is_err());
    }

    #[test]
    fn a_newer_version_is_told_from_what_is_malformed() {
        for newer in ["sotto:contact/2/anything", "sotto:contact/17/"] {
            assert_eq!(newer.parse::<ContactLink>(), Err(TextError::Newer));
        }
        let newer = "sotto:verify/2/anything";
        assert_eq!(newer.parse::<VerificationCode>(), Err(TextError::Newer));
    }

    #[test]
    fn the_longest_link_is_read() {
        let link = ContactLink {
            handle: "h".repeat(NAME_BYTES_MAX),
            relay: Invite::to_host(&"r".repeat(253), 65_535, RelayPin([1; 32])).unwrap(),
            ..link()
        };
        assert_eq!(link.to_string().parse(), Ok(link));
    }
}
