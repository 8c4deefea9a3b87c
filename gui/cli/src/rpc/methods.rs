//! What can be called.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sotto_client::view::{ProfileId, ProfileState, RelayState};
use sotto_client::{
    Argon2Cost, AskError, ENTRIES_MAX, Entry, Environment, Events, Person, Query, identities,
};

use crate::identity::handle_of;
use crate::json;
use crate::rpc::call::CallError;
use crate::session::Host;

/// Messages in an answer unless a limit is given.
const ENTRIES: usize = 50;
/// How long a relay may take to say who is behind a handle.
const FIND_TIME: Duration = Duration::from_secs(10);

/// The open identities, and what the caller has subscribed to.
pub(crate) struct Desk {
    host: Host,
    data_dir: PathBuf,
    pub(crate) events: Option<Events>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Create {
    name: String,
    handle: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Contacts {
    identity: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    identity: String,
    to: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct History {
    identity: String,
    peer: String,
    before: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    identity: String,
    query: String,
    limit: Option<usize>,
}

impl Desk {
    pub(crate) fn new(host: Host, data_dir: PathBuf) -> Self {
        Self {
            host,
            data_dir,
            events: None,
        }
    }

    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Result<Value, CallError> {
        match method {
            "status" => read(params).map(|Nothing {}| self.status()),
            "identities" => read(params).map(|Nothing {}| self.identities()),
            "identity.create" => self.create(read(params)?).await,
            "contacts" => self.contacts(read(params)?).await,
            "send" => self.send(read(params)?).await,
            "history" => self.history(read(params)?).await,
            "search" => self.search(read(params)?).await,
            "subscribe" => read(params).map(|Nothing {}| self.subscribe()),
            _ => Err(CallError::METHOD),
        }
    }

    fn status(&self) -> Value {
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "relay": self.host.relay.as_ref().map(sotto_net::Invite::authority),
            "identities": self.identities(),
        })
    }

    fn identities(&self) -> Value {
        let model = self.host.client.snapshot();
        let profiles = model.profiles.iter();
        profiles.map(|profile| json::identity(profile)).collect()
    }

    fn subscribe(&mut self) -> Value {
        // A second time, what was not told yet still is.
        let client = &self.host.client;
        self.events.get_or_insert_with(|| client.subscribe());
        json!({})
    }

    async fn create(&mut self, create: Create) -> Result<Value, CallError> {
        let Create { name, handle } = create;
        let handle = handle.unwrap_or_else(|| handle_of(&name));
        let person = Person { handle, name };
        let (data_dir, made) = (self.data_dir.clone(), person.clone());
        // The RSA key takes seconds.
        let making = tokio::task::spawn_blocking(move || {
            let (cost, environment) = (Argon2Cost::DEFAULT, Environment::system());
            identities::create(&data_dir, &made, "", cost, &environment)
        });
        making.await.map_err(|_| AskError::Ended)??;
        self.host.client.add(&person)?;
        let id = ProfileId::new(&person.handle);
        let settled = self.host.settle(&id).await;
        match settled.map_err(|_| AskError::Ended)? {
            ProfileState::Ready => Ok(json!({ "handle": person.handle })),
            _ => Err(AskError::NotOpen.into()),
        }
    }

    async fn contacts(&self, contacts: Contacts) -> Result<Value, CallError> {
        let id = ProfileId::new(&contacts.identity);
        let rows = self.host.client.contacts(&id).await?;
        Ok(rows.iter().map(json::contact).collect())
    }

    async fn send(&self, send: Send) -> Result<Value, CallError> {
        let client = &self.host.client;
        let id = ProfileId::new(&send.identity);
        let model = client.snapshot();
        let relay = model.profile(&id).map(|profile| profile.relay);
        let is_away = matches!(relay, Some(RelayState::Offline(Some(_))));
        if self.host.relay.is_some() && !is_away {
            // Whoever is not known here may be known there, once it is connected.
            let found = tokio::time::timeout(FIND_TIME, client.find(&id, &send.to)).await;
            found.unwrap_or(Err(AskError::NoPeer))?;
        }
        let sent = client.send_text(&id, &send.to, send.text).await?;
        Ok(json!({ "id": sent.id.to_string() }))
    }

    async fn history(&self, history: History) -> Result<Value, CallError> {
        let id = ProfileId::new(&history.identity);
        let before = match history.before {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| CallError::PARAMS)?),
        };
        let limit = limit(history.limit)?;
        let client = &self.host.client;
        let entries = client.history(&id, &history.peer, before, limit).await?;
        Ok(messages(&history.identity, &entries))
    }

    async fn search(&self, search: Search) -> Result<Value, CallError> {
        let query = Query::parse(&search.query, &jiff::tz::TimeZone::system());
        let query = query.map_err(|_| CallError::TEXT)?;
        let limit = limit(search.limit)?;
        let id = ProfileId::new(&search.identity);
        let entries = self.host.search(&id, &query, limit).await?;
        Ok(messages(&search.identity, &entries))
    }
}

fn messages(identity: &str, entries: &[Entry]) -> Value {
    let entries = entries.iter();
    entries
        .map(|entry| json::message(identity, entry))
        .collect()
}

fn limit(limit: Option<usize>) -> Result<usize, CallError> {
    match limit.unwrap_or(ENTRIES) {
        limit @ 1..=ENTRIES_MAX => Ok(limit),
        _ => Err(CallError::PARAMS),
    }
}

/// Parameters by name; by position they would be other ones for each later version.
fn read<T: DeserializeOwned>(params: Value) -> Result<T, CallError> {
    if params.is_array() {
        return Err(CallError::PARAMS);
    }
    serde_json::from_value(params).map_err(|_| CallError::PARAMS)
}
