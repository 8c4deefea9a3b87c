//! `sotto-cli rpc`: JSON-RPC 2.0, one object (or batch) a line, until the input ends.
//!
//! Requests are carried out one after the other, in their order; an answer is written before the
//! news that follow from it.
//!
//! - `lines` reads and writes, each on a thread of its own,
//! - `call` is what a line asks for, and the errors with their codes,
//! - `methods` carries it out.

mod call;
mod lines;
mod methods;

use serde_json::{Value, json};
use sotto_client::view::{ProfileId, ProfileState};
use sotto_client::{EventKind, Events, Missed, identities};

use crate::failure::Failure;
use crate::options::Common;
use crate::rpc::lines::{Input, Lines, Output};
use crate::rpc::methods::Desk;
use crate::session::{self, Host};
use crate::signal::signal;
use crate::{json, passphrase, words};

pub(crate) async fn run(common: &Common) -> Result<(), Failure> {
    let signal = signal();
    passphrase::not_from_stdin(common)?;
    let data_dir = session::data_dir(common)?;
    let handles = match &common.identity {
        Some(_) => vec![session::chosen(common, &data_dir)?],
        None => session::handles(&data_dir)?,
    };
    let relay = session::relay(common, &data_dir)?;
    let passphrase = passphrase::given(common)?;
    let people = handles.iter().map(|handle| identities::person(handle));
    let host = Host::start(&data_dir, people.collect(), relay)?;
    for handle in &handles {
        let id = ProfileId::new(handle);
        let state = host.settle(&id).await?;
        if let (ProfileState::Locked { .. }, Some(passphrase)) = (state, &passphrase) {
            // Whether it fits is seen in the identity's state.
            host.unlock(&id, passphrase.clone()).await?;
        }
    }
    let no_thread = |error| Failure::Failed(words::no_room(&error));
    let mut lines = Lines::start().map_err(no_thread)?;
    let output = Output::start().map_err(no_thread)?;
    let mut desk = Desk::new(host, data_dir);
    let ended = tokio::select! {
        () = signal => Ended::Told,
        ended = serve(&mut desk, &mut lines, &output) => ended,
    };
    // The vaults are closed before the last answers are waited for.
    drop(desk);
    match ended {
        Ended::Input => output.finish().await,
        Ended::Told | Ended::Unread => Ok(()),
    }
}

/// Why it is over.
enum Ended {
    /// The input has ended.
    Input,
    /// Nobody reads the output any more.
    Unread,
    /// A signal came.
    Told,
}

async fn serve(desk: &mut Desk, lines: &mut Lines, output: &Output) -> Ended {
    loop {
        let line = tokio::select! {
            news = next(&mut desk.events) => Some(news),
            input = lines.next() => match input {
                Input::End => return Ended::Input,
                Input::Line(line) => call::answer(desk, &line).await,
                Input::TooLong => Some(call::too_long()),
            },
        };
        if let Some(line) = line
            && output.put(json::line(&line)).await.is_err()
        {
            return Ended::Unread;
        }
    }
}

/// The next notification; never without a subscription.
async fn next(events: &mut Option<Events>) -> Value {
    loop {
        let event = match events {
            Some(events) => events.next().await,
            None => std::future::pending().await,
        };
        let (method, params) = match event {
            Some(Ok(event)) => match notification(event.profile.as_str(), event.kind) {
                Some(notification) => notification,
                None => continue,
            },
            Some(Err(Missed(missed))) => ("missed", json!({ "notifications": missed })),
            None => {
                // The client is about to end.
                *events = None;
                continue;
            }
        };
        return json!({ "jsonrpc": "2.0", "method": method, "params": params });
    }
}

fn notification(identity: &str, kind: EventKind) -> Option<(&'static str, Value)> {
    Some(match kind {
        EventKind::MessageStored(entry) => ("message", json::message(identity, &entry)),
        EventKind::DeliveryChanged { peer, id, delivery } => {
            let (id, state) = (id.to_string(), json::delivery(delivery));
            let params = json!({ "identity": identity, "peer": peer, "id": id, "state": state });
            ("delivery", params)
        }
        EventKind::IdentityChanged { peer } => {
            let params = json!({ "identity": identity, "peer": peer });
            ("identity_changed", params)
        }
        _ => return None,
    })
}
