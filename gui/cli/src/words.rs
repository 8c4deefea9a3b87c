//! What is said to a person: one sentence, and the remedy.

use std::fmt::Display;
use std::io;
use std::path::Path;

use sotto_client::assistant::{AssistError, Outgoing};
use sotto_client::identities::IdentityError;
use sotto_client::view::{ProfileProblem, ProfileState, RelayProblem, TEXT_BYTES_MAX};
use sotto_client::{AskError, BackupError, QueryError};

use crate::failure::Failure;

/// The first paragraph of what the parser of the command line says, on one line.
pub(crate) fn usage(error: &str) -> String {
    let paragraph: Vec<&str> = error
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .map(str::trim)
        .collect();
    let sentence = paragraph.join(" ");
    let sentence = sentence.strip_prefix("error: ").unwrap_or(&sentence);
    format!("{sentence}. See sotto-cli --help.")
}

pub(crate) fn no_room(error: &dyn Display) -> String {
    format!("this computer has no room for another program: {error}.")
}

pub(crate) fn output(error: &io::Error) -> String {
    format!("nothing can be written to standard output: {error}.")
}

pub(crate) fn no_home() -> String {
    "you have no home folder to keep data in. Name a folder with --data-dir.".to_owned()
}

pub(crate) fn no_identity(name: &str, handles: &[String]) -> String {
    let remedy = match handles {
        [] => "Make it with sotto-cli identity create".to_owned(),
        handles => format!("Name one of these with --identity: {}", handles.join(", ")),
    };
    format!("there is no identity {name:?} here. {remedy}.")
}

pub(crate) fn no_identities(data_dir: &Path) -> String {
    let dir = data_dir.display();
    format!(
        "there is no identity in {dir}. Make one with sotto-cli identity create, or name another \
         folder with --data-dir."
    )
}

pub(crate) fn several_identities(handles: &[String]) -> String {
    let handles = handles.join(", ");
    format!("there are several identities here. Name one of them with --identity: {handles}.")
}

pub(crate) fn no_relay() -> String {
    "no relay is known. Name one with --relay, or start the app, which has one.".to_owned()
}

pub(crate) fn bad_invite_file(path: &Path, error: &dyn Display) -> String {
    let path = path.display();
    format!("what the app has noted in {path} is no invite: {error}. Name a relay with --relay.")
}

pub(crate) fn identity(data_dir: &Path, handle: &str, error: &IdentityError) -> Failure {
    let dir = data_dir.display();
    match error {
        IdentityError::Handle => Failure::Usage(format!(
            "{handle:?} is no handle. A handle has 1 to 64 of a-z, 0-9, and inside also . - _; \
             choose one with --handle."
        )),
        IdentityError::Name => Failure::Usage(
            "a name has 1 to 64 bytes without control characters. Choose another one.".to_owned(),
        ),
        IdentityError::Taken => Failure::Usage(format!(
            "there is an identity {handle} here already. Choose another handle with --handle."
        )),
        IdentityError::Missing => Failure::Usage(format!(
            "there is no identity {handle:?} in {dir}. See sotto-cli identity list."
        )),
        IdentityError::TooMany => {
            Failure::Failed("there are too many identities here. Delete one of them.".to_owned())
        }
        IdentityError::OpenElsewhere => Failure::Locked(open_elsewhere(handle)),
        IdentityError::Full => {
            Failure::Failed("the disk is full. Make room, and try again.".to_owned())
        }
        _ => Failure::Failed(format!(
            "the folder {dir} cannot be read or written. See that you may, or name another one \
             with --data-dir."
        )),
    }
}

fn open_elsewhere(handle: &str) -> String {
    format!(
        "{handle} is open in another program. Close it there, or wait until that program has ended."
    )
}

/// The keyring has not opened an identity whose key it holds.
pub(crate) fn keyring_silent(handle: &str) -> String {
    format!(
        "The keyring of this computer does not give the key of {handle}: unlock it and try again, or \
         give the recovery code in place of a passphrase."
    )
}

/// An identity that was not opened.
pub(crate) fn state(handle: &str, state: &ProfileState) -> Failure {
    Failure::Failed(match state {
        ProfileState::OpenElsewhere => return Failure::Locked(open_elsewhere(handle)),
        ProfileState::Locked { .. } => {
            return Failure::Locked(format!(
                "the passphrase or recovery code of {handle} is wrong. Nothing was changed; try again."
            ));
        }
        ProfileState::Failed(ProfileProblem::Newer) => format!(
            "the vault of {handle} was written by a newer version. Nothing was changed; use that \
             version."
        ),
        ProfileState::Failed(ProfileProblem::Damaged) => format!(
            "the vault of {handle} is damaged. Nothing was changed; put a backup in its place."
        ),
        ProfileState::Failed(ProfileProblem::KeyMissing) => {
            format!("the key beside the vault of {handle} is missing. Put its file vault.key back.")
        }
        ProfileState::Failed(ProfileProblem::DiskFull) => {
            format!(
                "the disk is full, so that {handle} cannot be opened. Make room, and try again."
            )
        }
        _ => format!(
            "the vault of {handle} cannot be read or written. See that you may, and try again."
        ),
    })
}

/// What a client has no answer to; `peer` is who was asked about.
pub(crate) fn ask(handle: &str, peer: &str, error: AskError) -> Failure {
    match error {
        AskError::NoPeer => Failure::Usage(format!(
            "{handle} knows nobody by the handle {peer:?}. See sotto-cli contacts."
        )),
        AskError::NoMessage => Failure::Usage(format!(
            "there is no message with this id in the chat with {peer}. See sotto-cli history."
        )),
        AskError::Text => Failure::Usage(text()),
        AskError::Unfit => Failure::Failed(format!(
            "{handle} cannot do that as things stand with {peer}. See sotto-cli contacts."
        )),
        AskError::NotStored => Failure::Failed(
            "the disk is full or may not be written, and nothing was changed. Make room, and try \
             again."
                .to_owned(),
        ),
        _ => Failure::Failed(format!("{handle} was closed. Try again.")),
    }
}

/// A backup, restoration or export that was not made.
pub(crate) fn backup(file: &Path, error: BackupError) -> Failure {
    let file = file.display();
    let usage = |sentence: String| Failure::Usage(sentence);
    match error {
        BackupError::Exists => usage(format!(
            "there is a file {file} already. Name another one, or replace it with --replace."
        )),
        BackupError::Inside => usage(format!(
            "{file} would lie among the vaults. Name a file in another folder."
        )),
        BackupError::NoSecret => usage(
            "a backup needs a passphrase. Give one, or have a code made with --code.".to_owned(),
        ),
        BackupError::NotBackup => usage(format!(
            "{file} is no backup. Name a file that backup wrote."
        )),
        BackupError::Newer => usage(format!(
            "{file} was written by a newer version. Nothing was changed; use that version."
        )),
        BackupError::WrongSecret => Failure::Locked(format!(
            "that does not open {file}. Nothing was changed; try again."
        )),
        BackupError::Damaged => Failure::Failed(format!(
            "{file} is damaged. Nothing was changed; use another backup."
        )),
        BackupError::Taken => usage(
            "the identity of this backup is here already. Delete it first (sotto-cli identity \
             delete), or restore into another folder with --data-dir."
                .to_owned(),
        ),
        BackupError::TooMany => {
            Failure::Failed("there are too many identities here. Delete one of them.".to_owned())
        }
        BackupError::OpenElsewhere => Failure::Locked(
            "another program uses this identity, or restores one. Wait until it has ended."
                .to_owned(),
        ),
        BackupError::Full => {
            Failure::Failed("the disk is full, and nothing was kept. Make room.".to_owned())
        }
        BackupError::Vault => Failure::Failed(
            "the vault cannot be read, so that there is nothing to write.".to_owned(),
        ),
        BackupError::Unverified => Failure::Failed(format!(
            "what was written to {file} could not be read again, and was removed. Try another disk."
        )),
        BackupError::Cancelled => Failure::Failed("it was stopped, and nothing was kept.".into()),
        _ => Failure::Failed(format!(
            "{file} cannot be read or written. See that you may, or name another file."
        )),
    }
}

pub(crate) fn text() -> String {
    format!("a text has 1 to {TEXT_BYTES_MAX} bytes. Send another one, or several.")
}

pub(crate) fn bad_input(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::InvalidData => {
            "what standard input gives is not UTF-8. Convert it first.".into()
        }
        _ => format!("standard input cannot be read: {error}."),
    }
}

pub(crate) fn changed(peer: &str) -> String {
    format!(
        "another identity than before is behind {peer}, and nothing was sent. Compare numbers with \
         sotto-cli verify {peer}, then go on with --matches NUMBER or --accept NUMBER."
    )
}

/// What stands between an identity and its relay.
fn relay_problem(problem: RelayProblem) -> &'static str {
    match problem {
        RelayProblem::Unreachable => "no relay answers",
        RelayProblem::WrongPin => "what answers does not hold the relay's key",
        RelayProblem::Untrusted => "what answers has no certificate that is trusted here",
        RelayProblem::Version => "the relay speaks another version of the protocol",
        RelayProblem::Refused => "the relay refused the login",
        RelayProblem::HandleTaken => "the handle belongs to somebody else on this relay",
    }
}

/// The relay did not answer in time.
pub(crate) fn late(handle: &str, problem: Option<RelayProblem>, kept: bool) -> String {
    let what = problem.map_or("the relay did not answer in time", relay_problem);
    if kept {
        format!("{what}. The message is kept, and goes out when {handle} is next connected.")
    } else {
        format!("{what}. See that the relay runs, or name another one with --relay.")
    }
}

/// The relay cannot be used at the moment.
pub(crate) fn trying_again(problem: RelayProblem) -> String {
    let what = relay_problem(problem);
    format!("{what}. Trying again; name another relay with --relay if it stays so.")
}

pub(crate) fn refused(peer: &str) -> String {
    format!("the relay refused the message to {peer}. See sotto-cli contacts for who is there.")
}

pub(crate) fn no_request(peer: &str) -> String {
    format!("{peer} has written nothing that could be accepted. See sotto-cli contacts.")
}

pub(crate) fn no_number(peer: &str) -> String {
    format!("the identity of {peer} is not known yet. Receive something from them first.")
}

pub(crate) fn other_number(peer: &str) -> String {
    format!(
        "this is not the safety number shared with {peer}, and nothing was changed. Type it again; \
         if {peer} sees this one all the same, give --differs and trust nothing that they write."
    )
}

pub(crate) fn nothing_changed(peer: &str) -> String {
    format!("the identity of {peer} has not changed. Compare with --matches NUMBER instead.")
}

pub(crate) fn query(error: QueryError) -> String {
    format!(
        "{error}. A query looks like: bread \"white bread\" from:bob in:alice before:2026-01-31."
    )
}

pub(crate) fn passphrase_empty() -> String {
    "a passphrase is not empty. Leave --protect out for none.".to_owned()
}

pub(crate) fn passphrases_differ() -> String {
    "the two passphrases differ, and nothing was made. Try again.".to_owned()
}

pub(crate) fn no_prompt() -> String {
    "a passphrase is needed, and there is no terminal to ask on. Give --passphrase-file or \
     --passphrase-fd."
        .to_owned()
}

pub(crate) fn passphrase_stdin() -> String {
    "standard input has something else to give than the passphrase. Name another descriptor with \
     --passphrase-fd, or a file with --passphrase-file."
        .to_owned()
}

pub(crate) fn passphrase_file(path: &Path, error: &dyn Display) -> String {
    let path = path.display();
    format!("no passphrase can be read from {path}: {error}. Name another file.")
}

pub(crate) fn passphrase_length(path: &Path) -> String {
    let path = path.display();
    format!("the first line of {path} is empty or too long for a passphrase. Name another file.")
}

pub(crate) fn confirm(handle: &str) -> String {
    format!("Type {handle} to delete it with its keys and all its messages, for good: ")
}

pub(crate) fn not_confirmed(handle: &str) -> String {
    format!("{handle} was not deleted. Give --yes, or type its handle when asked.")
}

pub(crate) fn no_provider() -> String {
    "no model was set up. Name a provider, for example with sotto-cli assist setup ollama --model \
     NAME; for a summary without one, give --key-sentences."
        .to_owned()
}

/// Nobody has agreed to what would go to a cloud, or to another host.
pub(crate) fn consent(outgoing: &Outgoing) -> String {
    let (host, bytes) = (outgoing.host(), outgoing.body().len());
    let what = match outgoing.messages() {
        0 => "a text".to_owned(),
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    };
    format!(
        "{what} in {bytes} bytes would go to {host}, where they can be read; nothing was sent. Look \
         at it with --show, and give --yes-send-to {host} to send it."
    )
}

pub(crate) fn answer_is_cut() -> String {
    "the model stopped before the end of its answer.".to_owned()
}

/// Why a model gave no answer.
pub(crate) fn assist(error: AssistError) -> String {
    match error {
        AssistError::Empty => "there is nothing to ask about.".to_owned(),
        AssistError::TooLong => "that is too much for one request. Give less of it.".to_owned(),
        AssistError::Address => {
            "this is no address of a model. One on this computer looks like http://127.0.0.1:11434; \
             a cloud's begins with https."
                .to_owned()
        }
        AssistError::NoModel => {
            "no model was named. See sotto-cli assist models, and name one with --model.".to_owned()
        }
        AssistError::Unreachable => {
            "nothing answers at the model's address. See that the server runs.".to_owned()
        }
        AssistError::KeyMissing => {
            "the provider asks for a key. Give one with sotto-cli assist setup --key-file.".to_owned()
        }
        AssistError::KeyRefused => {
            "the provider does not accept the key. Give another one with sotto-cli assist setup \
             --key-file."
                .to_owned()
        }
        AssistError::ModelUnknown => {
            "the provider has no such model. See sotto-cli assist models.".to_owned()
        }
        AssistError::Quota { retry_after } => {
            let when = after(retry_after);
            format!("the provider takes no more requests with this key for now. Try again {when}.")
        }
        AssistError::Busy { retry_after } => {
            format!("the provider is busy. Try again {}.", after(retry_after))
        }
        AssistError::Declined => {
            "the model declined to answer that. Change the text, or use another model.".to_owned()
        }
        AssistError::NoAnswer => "the provider returned no answer. Try again.".to_owned(),
        AssistError::Cut => "the connection broke before the end of the answer. Try again.".to_owned(),
        AssistError::Silent => "the model has been silent for too long. Try again.".to_owned(),
        AssistError::ReplyTooLong => {
            "the answer is longer than any that was asked for, and was cut off.".to_owned()
        }
        AssistError::Redirected | AssistError::NotUnderstood => {
            "what answers there is no model. See that the address is right.".to_owned()
        }
        AssistError::Rejected => "the provider did not understand the request.".to_owned(),
        AssistError::Forbidden => {
            "cloud assistants are turned off for this chat, by you or by your contact. Nothing was \
             sent."
                .to_owned()
        }
        AssistError::NotStored => {
            "the disk takes nothing, so that the request could not be noted. Nothing was sent."
                .to_owned()
        }
        _ => "the provider failed. Try again later.".to_owned(),
    }
}

fn after(retry_after: Option<std::time::Duration>) -> String {
    match retry_after {
        Some(wait) => format!("in {} seconds", wait.as_secs().max(1)),
        None => "in a minute".to_owned(),
    }
}
