//! `sotto-cli identity`: identities come, are renamed, and go.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use serde_json::json;
use sotto_client::{Argon2Cost, Command, Environment, Passphrase, Person, identities};

use crate::failure::Failure;
use crate::options::{Common, IdentityCommand};
use crate::session::{self, Network, Session};
use crate::{backup, json, output, passphrase, words};

pub(crate) async fn run(common: &Common, command: IdentityCommand) -> Result<(), Failure> {
    match command {
        IdentityCommand::Create {
            name,
            handle,
            protect,
        } => create(common, name, handle, protect),
        IdentityCommand::List { json } => list(common, json),
        IdentityCommand::Rename { name } => rename(common, name).await,
        IdentityCommand::Delete { handle, yes } => delete(common, &handle, yes),
        IdentityCommand::Export(backup) => backup::back_up(common, backup).await,
        IdentityCommand::Import(restore) => backup::restore(common, &restore),
    }
}

fn create(
    common: &Common,
    name: String,
    handle: Option<String>,
    protect: bool,
) -> Result<(), Failure> {
    let data_dir = session::data_dir(common)?;
    let handle = handle.unwrap_or_else(|| handle_of(&name));
    let person = Person { handle, name };
    let fail = |error| words::identity(&data_dir, &person.handle, &error);
    identities::check_new(&data_dir, &person).map_err(fail)?;
    let passphrase = if protect {
        passphrase::choose(common, &person.handle)?
    } else {
        passphrase::given(common)?.unwrap_or_else(|| Passphrase::new(String::new()))
    };
    let cost = Argon2Cost::DEFAULT;
    let environment = Environment::system();
    identities::create(&data_dir, &person, &passphrase, cost, &environment).map_err(fail)?;
    output::line(&person.handle)
}

/// A handle after a name: its letters and digits, with dashes for the rest. It may be none, when
/// the name has no letter of a to z.
pub(crate) fn handle_of(name: &str) -> String {
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

fn list(common: &Common, json: bool) -> Result<(), Failure> {
    let handles = session::handles(&session::data_dir(common)?)?;
    output::lines(handles.into_iter().map(|handle| {
        if json {
            json::line(&json!({ "handle": handle }))
        } else {
            handle
        }
    }))
}

async fn rename(common: &Common, name: String) -> Result<(), Failure> {
    let data_dir = session::data_dir(common)?;
    let session = Session::open(common, Network::Optional).await?;
    let answer = session
        .host
        .client
        .perform(&session.id, Command::Rename(name));
    match answer.await {
        Err(sotto_client::AskError::Text) => {
            let error = identities::IdentityError::Name;
            Err(words::identity(&data_dir, session.handle(), &error))
        }
        answer => answer.map_err(|error| words::ask(session.handle(), "", error)),
    }
}

fn delete(common: &Common, handle: &str, yes: bool) -> Result<(), Failure> {
    let data_dir = session::data_dir(common)?;
    let fail = |error| words::identity(&data_dir, handle, &error);
    if !session::handles(&data_dir)?.iter().any(|it| it == handle) {
        return Err(fail(identities::IdentityError::Missing));
    }
    if !yes && !is_confirmed(handle) {
        return Err(Failure::Usage(words::not_confirmed(handle)));
    }
    identities::delete(&data_dir, handle).map_err(fail)
}

/// Whether the person at the terminal types the handle.
fn is_confirmed(handle: &str) -> bool {
    if !io::stdin().is_terminal() {
        return false;
    }
    // A prompt that nobody sees gets no answer.
    drop(write!(io::stderr(), "{}", words::confirm(handle)));
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed).is_ok() && typed.trim() == handle
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_follows_from_a_name() {
        for (name, handle) in [
            ("Guest", "guest"),
            ("Guest  of Ångström 2", "guest-of-ngstr-m-2"),
            ("-_Bot._", "bot"),
            ("厨房", ""),
        ] {
            assert_eq!(handle_of(name), handle);
        }
    }
}
