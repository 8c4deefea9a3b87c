//! What the window wants done that is neither a command to a profile nor a frame's work.

use std::fmt;

use sotto_client::identities::IdentityError;
use sotto_client::view::ProfileId;
use sotto_client::{Passphrase, Person, RecoveryCode};

/// A wish for whoever holds client and files; each is answered by a [`Report`].
pub enum Errand {
    /// Make a recovery code to be shown.
    MakeCode,
    /// Make an identity; its passphrase is empty for none.
    Create(Person, Passphrase),
    /// Close an identity and delete it for good.
    Delete(ProfileId),
}

impl fmt::Debug for Errand {
    /// Leaves out names and passphrases.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MakeCode => "MakeCode",
            Self::Create(_, _) => "Create",
            Self::Delete(_) => "Delete",
        })
    }
}

/// What has become of an [`Errand`].
#[derive(Debug)]
pub enum Report {
    /// The code.
    Code(RecoveryCode),
    /// The new identity is in the model from now on.
    Created(Result<ProfileId, IdentityError>),
    /// The identity is gone, or still there.
    Deleted(ProfileId, Result<(), IdentityError>),
}
