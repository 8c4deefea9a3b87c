//! `sotto-cli contacts`, `accept`, `history`, `search` and `verify`: what is known here, without a
//! relay.

use sotto_client::view::{Body, ChatRow, Delivery, Standing, Trust};
use sotto_client::{Command, Entry, Query};

use crate::failure::Failure;
use crate::options::{Common, History, Search, Verify};
use crate::output::plain;
use crate::session::{Network, Session};
use crate::{json, output, words};

pub(crate) async fn contacts(common: &Common, json: bool) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let rows = session.host.client.contacts(&session.id);
    let rows = session.ask(rows, "").await?;
    output::lines(rows.iter().map(|row| {
        if json {
            return json::line(&json::contact(row));
        }
        let (peer, name) = (row.peer(), plain(&row.name));
        let (standing, trust) = (json::standing(row), json::trust(row.trust));
        format!("{peer}\t{standing}\t{trust}\t{name}")
    }))
}

pub(crate) async fn history(common: &Common, history: &History) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let client = &session.host.client;
    let limit = usize::from(history.limit);
    let answer = client.history(&session.id, &history.peer, history.before, limit);
    let entries = session.ask(answer, &history.peer).await?;
    write_all(session.handle(), &entries, history.json)
}

pub(crate) async fn search(common: &Common, search: &Search) -> Result<(), Failure> {
    let text = search.query.join(" ");
    let query = Query::parse(&text, &jiff::tz::TimeZone::system())
        .map_err(|error| Failure::Usage(words::query(error)))?;
    let session = Session::open(common, Network::Unused).await?;
    let entries = session
        .host
        .search(&session.id, &query, search.limit.into());
    let entries = entries.await;
    let entries = entries.map_err(|error| words::ask(session.handle(), "", error))?;
    write_all(session.handle(), &entries, search.json)
}

/// Writes messages, one after the other.
pub(crate) fn write_all(identity: &str, entries: &[Entry], json: bool) -> Result<(), Failure> {
    output::lines(entries.iter().map(|entry| {
        if json {
            json::line(&json::message(identity, entry))
        } else {
            for_person(identity, entry)
        }
    }))
}

/// A message for a person: when, from whom to whom, how far, and what.
fn for_person(identity: &str, entry: &Entry) -> String {
    let message = &entry.message;
    let (from, to) = if message.is_mine {
        (identity, entry.peer.as_str())
    } else {
        (entry.peer.as_str(), identity)
    };
    let at = json::time(message.sent_at_millis);
    let state = match message.delivery {
        delivery if message.is_mine && delivery != Delivery::Read => {
            format!(" ({})", json::delivery(delivery))
        }
        _ => String::new(),
    };
    let text = match &message.body {
        Body::Text(text) => plain(text),
        Body::Note(note) => plain(&format!("({note})")),
        Body::Unknown => "(of a kind that this version does not know)".to_owned(),
    };
    format!("{at} {from} > {to}{state}: {text}")
}

pub(crate) async fn accept(common: &Common, peer: &str) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let row = find(&session, peer).await?;
    if row.is_request() {
        let command = Command::AcceptRequest(row.id);
        let answer = session.host.client.perform(&session.id, command);
        return session.ask(answer, peer).await;
    }
    match row.standing {
        Standing::Contact if !row.is_blocked => Ok(()),
        _ => Err(Failure::Usage(words::no_request(peer))),
    }
}

pub(crate) async fn verify(common: &Common, verify: &Verify) -> Result<(), Failure> {
    let session = Session::open(common, Network::Unused).await?;
    let row = find(&session, &verify.peer).await?;
    let Some(number) = row.safety_number else {
        return Err(Failure::Failed(words::no_number(&verify.peer)));
    };
    if let Some(typed) = verify.matches.as_ref().or(verify.accept.as_ref())
        && digits(typed) != digits(&number)
    {
        return Err(Failure::Usage(words::other_number(&verify.peer)));
    }
    if verify.accept.is_some() && row.trust != Trust::Changed {
        return Err(Failure::Usage(words::nothing_changed(&verify.peer)));
    }
    // What the identity behind the handle is by now is not decided about.
    let (chat, safety_number) = (row.id, number.clone());
    let command = if verify.accept.is_some() {
        Some(Command::AcceptIdentity {
            chat,
            safety_number,
        })
    } else if verify.matches.is_some() || verify.differs {
        Some(Command::SetVerified {
            chat,
            safety_number,
            matches: verify.matches.is_some(),
        })
    } else {
        None
    };
    if let Some(command) = command {
        let answer = session.host.client.perform(&session.id, command);
        session.ask(answer, &verify.peer).await?;
    }
    let trust = find(&session, &verify.peer).await?.trust;
    output::line(&format!("{number}\n{}", json::trust(trust)))
}

/// A safety number without the spaces that make it easier to read.
fn digits(number: &str) -> String {
    number.split_whitespace().collect()
}

/// The row of a peer.
pub(crate) async fn find(session: &Session, peer: &str) -> Result<ChatRow, Failure> {
    let rows = session.host.client.contacts(&session.id);
    let rows = session.ask(rows, peer).await?;
    let row = rows.into_iter().find(|row| row.peer() == peer);
    row.ok_or_else(|| words::ask(session.handle(), peer, sotto_client::AskError::NoPeer))
}
