//! Of the relay, and the way to it.

use sotto_client::view::{RelayProblem, RelayState};

use crate::relay::{RelayFailure, RelayKind};

/// The dialog of the relay.
pub(crate) const RELAY: &str = "Relay";
/// Title above the invite link.
pub(crate) const INVITE_LINK: &str = "Invite link";
/// Copies it.
pub(crate) const COPY_INVITE: &str = "Copy invite link";
/// What to do with it.
pub(crate) const INVITE_HINT: &str = "Whoever starts Sotto with this link uses the same relay. It holds the relay's address and key.";
/// The relay chip: its words for the state of the connection.
pub(crate) fn relay_state(state: RelayState, kind: RelayKind) -> &'static str {
    match (state, kind) {
        (_, RelayKind::Failed(_)) => "Relay not started",
        (RelayState::Connected, RelayKind::Local) => "Connected · relay in this window",
        (RelayState::Connected, RelayKind::Neighbour) => "Connected · relay on this computer",
        (RelayState::Connected, RelayKind::Remote) => "Connected",
        (RelayState::Connecting, _) => "Connecting…",
        (RelayState::Offline(_), _) => "Offline",
    }
}

/// The banner after a while without connection.
pub(crate) fn offline_banner(problem: Option<RelayProblem>) -> &'static str {
    match problem {
        None => "Offline. Messages will be sent later.",
        Some(RelayProblem::Unreachable) => {
            "The relay does not answer. Messages will be sent once it does."
        }
        Some(RelayProblem::WrongPin) => {
            "This relay is not the one you were invited to: its key is another. Nothing is sent. \
             Ask for a new invite link if the relay was set up afresh."
        }
        Some(RelayProblem::Untrusted) => {
            "This relay cannot show that it is the one you were invited to: its certificate has \
             expired, is for another name, or comes from nobody whom this computer trusts. Nothing \
             is sent. Tell whoever runs it."
        }
        Some(RelayProblem::Version) => {
            "The relay speaks another version. Update Sotto or the relay."
        }
        Some(RelayProblem::Refused) => "The relay refuses this identity.",
        Some(RelayProblem::HandleTaken) => {
            "On this relay, the name of this identity belongs to somebody else."
        }
    }
}

/// The relay dialog: where the relay is.
pub(crate) fn relay_kind(kind: RelayKind) -> &'static str {
    match kind {
        RelayKind::Local => "The relay runs inside this window, on this computer only.",
        RelayKind::Neighbour => {
            "Another window on this computer hosts the relay. If it closes, this one takes over."
        }
        RelayKind::Remote => "The relay runs elsewhere. It sees sealed envelopes only.",
        RelayKind::Failed(RelayFailure::Folder) => {
            "The relay could not start: its folder cannot be read or written. Check its \
             permissions and the room on the disk."
        }
        RelayKind::Failed(RelayFailure::Other) => {
            "The relay could not start. Restart Sotto, or use the invite link of another relay."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_a_sentence_that_ends() {
        for found in [
            RelayProblem::Unreachable,
            RelayProblem::WrongPin,
            RelayProblem::Untrusted,
            RelayProblem::Version,
            RelayProblem::Refused,
            RelayProblem::HandleTaken,
        ] {
            assert!(offline_banner(Some(found)).ends_with('.'), "{found:?}");
        }
    }
}
