//! Of other people: who they are, strangers, contacts, the blocked and the muted.

use sotto_client::view::{AdditionProblem, Outcome};

/// Trust chip: compared.
pub(crate) const VERIFIED: &str = "Verified";
/// Trust chip: nobody has compared.
pub(crate) const NOT_VERIFIED: &str = "Not verified";
/// Trust chip: a link named the identity.
pub(crate) const INTRODUCED: &str = "Introduced by a link";
/// Trust chip: another identity.
pub(crate) const CHANGED: &str = "Safety number changed";
/// Opens the comparison.
pub(crate) const VERIFY: &str = "Verify";
/// Goes on with a changed identity.
pub(crate) const ACCEPT: &str = "Accept";
/// They match.
pub(crate) const THEY_MATCH: &str = "They match";
/// They do not match.
pub(crate) const THEY_DO_NOT_MATCH: &str = "They do not match";
/// The number itself.
pub(crate) const SAFETY_NUMBER: &str = "Safety number";
/// No number yet.
pub(crate) const NO_SAFETY_NUMBER: &str =
    "The safety number appears once your devices have met through the relay.";
/// The code of the safety number, as a picture.
pub(crate) const CODE_QR: &str = "Your code for this chat, to be scanned";
/// Copies it as text.
pub(crate) const COPY_CODE: &str = "Copy code";
/// Compares a code of the peer.
pub(crate) const COMPARE: &str = "Compare";
/// A picture that holds no code.
pub(crate) const NO_CODE_IN_PICTURE: &str =
    "No QR code could be read from this picture. Try one that shows the code larger and sharper.";
/// Opens the menu of a chat.
pub(crate) const MORE: &str = "More";
/// Lets a chat make no noise, and for how many hours.
pub(crate) const MUTE_SPANS: [(&str, Option<u64>); 3] = [
    ("Mute for an hour", Some(1)),
    ("Mute for a day", Some(24)),
    ("Mute until unmuted", None),
];

/// Lets it make noise again.
pub(crate) const UNMUTE: &str = "Unmute";
/// A muted chat.
pub(crate) const MUTED: &str = "muted";
/// Blocks somebody.
pub(crate) const BLOCK: &str = "Block";
/// Undoes it.
pub(crate) const UNBLOCK: &str = "Unblock";
/// Somebody blocked.
pub(crate) const BLOCKED: &str = "blocked";
/// The list of those who are blocked.
pub(crate) const BLOCKED_PEOPLE: &str = "Blocked people";
/// It is empty.
pub(crate) const NOBODY_BLOCKED: &str = "Nobody is blocked.";
/// Deletes a request.
pub(crate) const REFUSE: &str = "Refuse";
/// The part of the settings about others.
pub(crate) const PEOPLE: &str = "People";
/// Dialog and button.
pub(crate) const ADD_CONTACT: &str = "Add contact";
/// What to type there.
pub(crate) const ADD_CONTACT_HINT: &str = "A handle asks the relay who that is. A link also says \
     how to recognise them. You can also name or drop a picture of a link's QR code.";
/// The field.
pub(crate) const HANDLE_OR_LINK: &str = "Handle or link";
/// Adds them.
pub(crate) const ADD: &str = "Add";
/// After adding.
pub(crate) const ADDED: &str = "Contact added";
/// Dialog and button.
pub(crate) const MY_LINK: &str = "My link";
/// The link, as a picture.
pub(crate) const MY_LINK_QR: &str = "Your link, to be scanned";
/// Copies it.
pub(crate) const COPY_LINK: &str = "Copy link";
/// What to do with it.
pub(crate) const MY_LINK_HINT: &str = "Whoever is on the same relay adds you with this link, and \
     knows that it is you: as surely as it reached them unchanged. Hand it over yourself.";
/// There is none yet.
pub(crate) const NO_LINK: &str = "Your link appears once the relay is known.";
/// The banner over the composer after the peer's identity changed.
pub(crate) fn changed_banner(name: &str) -> String {
    format!(
        "{name}'s safety number changed. This happens with a new device, or when somebody \
         pretends to be {name}. Compare before you send."
    )
}

/// The row of those who have written unasked.
pub(crate) fn requests(count: usize) -> String {
    format!("Requests, {count}")
}

/// In place of the composer in a request.
pub(crate) fn request_banner(name: &str) -> String {
    format!(
        "{name} is not among your contacts. They are not told that you have this, or have read \
         it, until you accept."
    )
}

/// In place of the composer while somebody is blocked.
pub(crate) fn blocked_banner(name: &str) -> String {
    format!("You have blocked {name}. What they send is dropped.")
}

/// Before a request is refused.
pub(crate) fn refuse_title(name: &str) -> String {
    format!("Refuse {name}?")
}

/// What follows from it.
pub(crate) fn refuse_text(name: &str) -> String {
    format!(
        "What {name} wrote is deleted, and they are blocked. They are not told. You can unblock \
         them in the settings."
    )
}

/// Before somebody is blocked.
pub(crate) fn block_title(name: &str) -> String {
    format!("Block {name}?")
}

/// What follows from it.
pub(crate) fn block_text(name: &str) -> String {
    format!(
        "What {name} sends from now on is dropped: neither shown nor kept. They are not told. \
         The messages so far stay here."
    )
}

/// The way back for one of those who are blocked.
pub(crate) fn unblock(name: &str) -> String {
    format!("{UNBLOCK} {name}")
}

/// The field for a code of the peer.
pub(crate) fn their_code(name: &str) -> String {
    format!("{name}'s code or digits, or the path of a picture of the code")
}

/// How a comparison went.
pub(crate) fn outcome(outcome: Outcome, name: &str) -> String {
    match outcome {
        Outcome::Match => format!("They match. {name} is verified."),
        Outcome::Mismatch => format!(
            "They do not match. Somebody may be between you and {name}, or the code is not \
             theirs. Do not trust this chat until you have spoken with {name}."
        ),
        Outcome::WrongPerson => {
            format!("This is the code of another contact, not of {name}.")
        }
        Outcome::OwnCode => {
            format!("This is your own code. Ask {name} for theirs.")
        }
        Outcome::Newer => "The code is from a newer Sotto. Update to compare it.".to_owned(),
        Outcome::NoCode => "This is neither a code nor sixty digits.".to_owned(),
        Outcome::NoIdentity => format!("{name} has not joined yet."),
    }
}

/// Why a contact was not added.
pub(crate) fn addition(problem: AdditionProblem) -> &'static str {
    match problem {
        AdditionProblem::Malformed => {
            "This is neither a handle nor a whole link. Copy the link once more."
        }
        AdditionProblem::Newer => "The link is from a newer Sotto. Update to use it.",
        AdditionProblem::OtherRelay => {
            "The link is for another relay. Ask them to join yours, or join theirs."
        }
        AdditionProblem::Offline => "The relay is not connected. Try again when it is.",
        AdditionProblem::Unknown => "Nobody on this relay has this handle. Check the spelling.",
        AdditionProblem::NotJoined => {
            "They have not joined this relay yet. Try again when they have."
        }
        AdditionProblem::WrongIdentity => {
            "The relay names somebody else than the link. Nobody was added: do not use this \
             relay for them until you know why."
        }
        AdditionProblem::Changed => {
            "Another identity is known under this handle. Open that chat and compare first."
        }
        AdditionProblem::Oneself => "This is your own handle.",
        AdditionProblem::Blocked => "You have blocked them. Unblock them in the settings first.",
        AdditionProblem::TooMany => "There are too many chats already.",
        _ => "The relay does not answer now. Try again in a minute.",
    }
}

/// Title of the comparison.
pub(crate) fn verify_title(name: &str) -> String {
    format!("Verify {name}")
}

/// How to compare.
pub(crate) fn verify_hint(name: &str) -> String {
    format!(
        "Compare these numbers with {name}, face to face or in a call. If they are the same on \
         both screens, nobody is between you."
    )
}

/// After a comparison that failed.
pub(crate) fn verify_mismatch(name: &str) -> String {
    format!("Do not trust this chat until you have spoken with {name} and the numbers match.")
}
