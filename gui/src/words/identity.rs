//! Of identities on this computer, and what opens them.

use sotto_client::identities::IdentityError;
use sotto_client::view::{CreationStep, ProfileProblem};

use crate::dialogs::Strength;

/// The button in the rail, and its dialog.
pub(crate) const NEW_IDENTITY: &str = "New identity";
/// What it is.
pub(crate) const NEW_IDENTITY_HINT: &str = "Others find you by the handle, which stays what it \
     is, and see the name, which you can change. Without a passphrase, whoever uses this computer \
     can read the messages.";
/// There is none.
pub(crate) const NOBODY: &str = "There is no identity on this computer.";
/// Field.
pub(crate) const HANDLE: &str = "Handle";
/// Field.
pub(crate) const NAME: &str = "Name";
/// Field.
pub(crate) const OPTIONAL_PASSPHRASE: &str = "Passphrase (optional)";
/// Field.
pub(crate) const REPEAT_OPTIONAL: &str = "Repeat passphrase";
/// Makes it.
pub(crate) const CREATE: &str = "Create";
/// The part of the settings about the identity.
pub(crate) const IDENTITY: &str = "Identity";
/// Dialog and button.
pub(crate) const RENAME: &str = "Rename";
/// What it does.
pub(crate) const RENAME_HINT: &str =
    "Others see this name once the relay has told them. The handle stays.";
/// Button.
pub(crate) const DELETE_IDENTITY: &str = "Delete identity";
/// Deletes it.
pub(crate) const DELETE_FOR_GOOD: &str = "Delete for good";
/// It is gone.
pub(crate) const IDENTITY_DELETED: &str = "The identity was deleted.";
/// Unlock screen.
pub(crate) const PASSPHRASE: &str = "Passphrase";
/// Unlocks.
pub(crate) const UNLOCK: &str = "Unlock";
/// While a passphrase is checked.
pub(crate) const CHECKING: &str = "Checking…";
/// What the passphrase is for.
pub(crate) const UNLOCK_HINT: &str = "Your messages are encrypted on this computer.";
/// When there is a recovery code.
pub(crate) const UNLOCK_BY_CODE_HINT: &str = "Your recovery code opens them too.";
/// Shows what was typed.
pub(crate) const SHOW_PASSPHRASE: &str = "Show passphrase";
/// Hides what was typed.
pub(crate) const HIDE_PASSPHRASE: &str = "Hide passphrase";
/// Dialog and button.
pub(crate) const SET_PASSPHRASE: &str = "Set passphrase";
/// Dialog and button.
pub(crate) const CHANGE_PASSPHRASE: &str = "Change passphrase";
/// Button.
pub(crate) const REMOVE_PASSPHRASE: &str = "Remove passphrase";
/// Field.
pub(crate) const CURRENT_PASSPHRASE: &str = "Current passphrase";
/// Field.
pub(crate) const NEW_PASSPHRASE: &str = "New passphrase";
/// Field.
pub(crate) const REPEAT_PASSPHRASE: &str = "Repeat new passphrase";
/// The two fields differ.
pub(crate) const PASSPHRASES_DIFFER: &str = "The two passphrases are not the same.";
/// Why it matters.
pub(crate) const PASSPHRASE_ADVICE: &str = "It protects your keys and messages on this computer. \
     Nobody can reset it: if you forget it, they are lost.";
/// Whoever has forgotten the passphrase.
pub(crate) const RECOVERED_ADVICE: &str = "The recovery code has opened this identity. Set a \
     passphrase that you will remember; the code stays as it is.";
/// The part of the settings about what opens the vault.
pub(crate) const PROTECTION: &str = "Protection";
/// Dialog and button.
pub(crate) const USE_KEYRING: &str = "Use the keyring";
/// Dialog and button.
pub(crate) const LEAVE_KEYRING: &str = "Leave the keyring";
/// What it means.
pub(crate) const KEYRING_ADVICE: &str = "The keyring of this computer holds the key, and gives it to \
     whoever is logged in as you: no passphrase is asked for. If it loses the key, only a recovery \
     code opens this identity.";
/// While it is asked.
pub(crate) const KEYRING_ASKED: &str = "Waiting for the keyring…";
/// It holds the key.
pub(crate) const KEYRING_HINT: &str = "The keyring of this computer holds the key. Whoever is logged \
     in as you can read the messages; a copy of the folder alone cannot be read.";
/// It holds the key, and nothing else opens the vault.
pub(crate) const KEYRING_WITHOUT_CODE_HINT: &str = "If it loses the key, nothing else opens this \
     identity: set a recovery code.";
/// What follows from it.
pub(crate) const LEAVE_KEYRING_HINT: &str = "The key then lies in a file beside the messages: whoever \
     can read the folder can read them.";
/// It did not give the key.
pub(crate) const KEYRING_SILENT: &str = "The keyring of this computer did not give the key to your \
     messages. Unlock it, or log in again, and try again.";
/// There is none.
pub(crate) const NO_PASSPHRASE_HINT: &str = "Whoever uses this computer can read the messages. \
     A passphrase prevents that, and makes a recovery code and locking possible.";
/// Dialog and button.
pub(crate) const SET_RECOVERY_CODE: &str = "Set recovery code";
/// Dialog and button.
pub(crate) const REPLACE_RECOVERY_CODE: &str = "Replace recovery code";
/// Dialog and button.
pub(crate) const REMOVE_RECOVERY_CODE: &str = "Remove recovery code";
/// What the code is for.
pub(crate) const RECOVERY_CODE_ADVICE: &str = "This code opens the identity if you forget the \
     passphrase or the keyring loses its key. Write it down and keep it away from this computer: it is shown only now, and \
     whoever finds it can use it.";
/// What happens to the one so far.
pub(crate) const REPLACE_RECOVERY_CODE_HINT: &str =
    "The code so far opens it until this one is set, and no longer.";
/// What follows from it.
pub(crate) const REMOVE_RECOVERY_CODE_HINT: &str =
    "After this, nothing replaces a forgotten passphrase or a lost key.";
/// On to the next step.
pub(crate) const WRITTEN_DOWN: &str = "I have written it down";
/// What to do there.
pub(crate) const TYPE_RECOVERY_CODE: &str =
    "Type the last two groups of the code, or all of it, from what you have written down.";
/// Field.
pub(crate) const RECOVERY_CODE: &str = "Recovery code";
/// It was typed wrongly.
pub(crate) const RECOVERY_CODE_DIFFERS: &str = "The code ends differently. Check what you wrote.";
/// When identities are locked.
pub(crate) const LOCK_AFTER: &str = "Lock when nobody is there";
/// What that means.
pub(crate) const LOCK_AFTER_HINT: &str = "Locks every identity that has a passphrase when this \
     window was not used for so long.";
/// After how many minutes.
pub(crate) const LOCK_SPANS: [(&str, Option<u64>); 4] = [
    ("Never", None),
    ("5 minutes", Some(5)),
    ("15 minutes", Some(15)),
    ("1 hour", Some(60)),
];

/// A profile that another process holds.
pub(crate) const OPEN_ELSEWHERE: &str = "Already open in another window";
/// Under it.
pub(crate) const OPEN_ELSEWHERE_HINT: &str =
    "Close it there and try again, so that the two cannot overwrite each other's messages.";
/// Tries again.
pub(crate) const TRY_AGAIN: &str = "Try again";
/// Opens a closed profile.
pub(crate) const OPEN: &str = "Open";
/// While the vault opens.
pub(crate) const OPENING: &str = "Opening…";
/// After a failure.
pub(crate) const NOTHING_CHANGED: &str = "Nothing was changed or deleted.";
/// A row of the rail.
pub(crate) fn identity(name: &str, unread: u32) -> String {
    match unread {
        0 => format!("Identity {name}"),
        count => format!("Identity {name}, {count} unread"),
    }
}

/// What a row of the rail says under the pointer; identities are numbered from 1.
pub(crate) fn identity_hint(name: &str, number: usize) -> String {
    format!("{name}  ·  Ctrl+{number}")
}

/// How far a new identity has come.
pub(crate) fn creation(step: CreationStep) -> &'static str {
    match step {
        CreationStep::Keys => "Making keys. This takes a few seconds, once.",
        CreationStep::Prekeys => "Making keys for first messages…",
        CreationStep::Vault => "Writing the encrypted vault…",
    }
}

/// Title of the screen while an identity is made.
pub(crate) fn creating(name: &str) -> String {
    format!("Creating {name}'s identity")
}

/// What was typed to unlock is wrong.
pub(crate) fn secret_wrong(has_passphrase: bool, has_recovery_code: bool) -> &'static str {
    match (has_passphrase, has_recovery_code) {
        (true, true) => "This is neither the passphrase nor the recovery code. Please try again.",
        (false, true) => "Wrong recovery code. Please try again.",
        _ => "Wrong passphrase. Please try again.",
    }
}

/// The handle of the shown identity.
pub(crate) fn handle_is(handle: &str) -> String {
    format!("Handle: {handle}")
}

/// Why an identity was not made or deleted, and what helps.
pub(crate) fn identity_problem(problem: &IdentityError) -> &'static str {
    match problem {
        IdentityError::Handle => {
            "A handle has up to 64 small letters and digits, with dots, dashes and underscores \
             between them."
        }
        IdentityError::Name => "A name has up to 64 bytes, on one line.",
        IdentityError::Taken => "There is an identity with this handle here.",
        IdentityError::TooMany => "There are too many identities on this computer.",
        IdentityError::OpenElsewhere => {
            "It is open in another window. Close it there and try again."
        }
        IdentityError::Full => "The disk is full. Make room and try again.",
        IdentityError::Thread => "This computer has no room for another identity now.",
        _ => "Its folder cannot be read or written. Check its permissions and try again.",
    }
}

/// An identity was not deleted.
pub(crate) fn not_deleted(handle: &str, problem: &IdentityError) -> String {
    format!("{handle} was not deleted. {}", identity_problem(problem))
}

/// An identity was not made.
pub(crate) fn not_created(problem: &IdentityError) -> String {
    format!("The identity was not made. {}", identity_problem(problem))
}

/// Before an identity is deleted.
pub(crate) fn delete_title(name: &str) -> String {
    format!("Delete {name}?")
}

/// What is lost, and what stays.
pub(crate) fn delete_text(name: &str, handle: &str) -> [String; 2] {
    [
        format!(
            "The keys, messages and contacts of {name} are deleted from this computer for good. \
             Only a backup brings them back, neither the passphrase nor a recovery code."
        ),
        format!(
            "What was sent stays with those who got it. On the relays that know {handle}, the \
             handle stays taken: a new identity cannot have it there."
        ),
    ]
}

/// The field that guards it.
pub(crate) fn type_handle(handle: &str) -> String {
    format!("Type {handle} to confirm")
}

/// Why a profile cannot be opened: a title and what helps.
pub(crate) fn problem(problem: &ProfileProblem) -> (&'static str, &'static str) {
    match problem {
        ProfileProblem::Unreadable => (
            "The vault cannot be read",
            "Check that its folder exists and that you may read and write it.",
        ),
        ProfileProblem::Newer => (
            "The vault is from a newer Sotto",
            "Update Sotto to open it.",
        ),
        ProfileProblem::Damaged => (
            "The vault is damaged",
            "If you have a backup, delete this identity in the settings, then restore it: New \
             identity, Restore from a backup.",
        ),
        ProfileProblem::KeyMissing => (
            "The vault's key is missing",
            "The file that holds it belongs beside the vault. Put it back and try again.",
        ),
        ProfileProblem::DiskFull => ("The disk is full", "Make room on the disk and try again."),
    }
}

/// How good a new passphrase is: its words.
pub(crate) fn strength(strength: Strength) -> &'static str {
    match strength {
        Strength::TooShort => "At least 8 characters",
        Strength::Weak => "Weak: easy to guess for a computer",
        Strength::Fair => "Fair: a longer one is better",
        Strength::Strong => "Strong",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_a_sentence_that_ends() {
        for found in [
            ProfileProblem::Unreadable,
            ProfileProblem::Newer,
            ProfileProblem::Damaged,
            ProfileProblem::KeyMissing,
            ProfileProblem::DiskFull,
        ] {
            assert!(problem(&found).1.ends_with('.'), "{found:?}");
        }
    }
}
