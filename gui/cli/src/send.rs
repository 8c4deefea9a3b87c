//! `sotto-cli send`: a text on its way, and how far it gets.

use std::io::{self, Read as _};

use sotto_client::view::{Delivery, RelayState, TEXT_BYTES_MAX, Trust};
use sotto_client::{AskError, Events, Sent};

use crate::failure::Failure;
use crate::options::{Common, Send};
use crate::session::{Network, Session, in_time};
use crate::signal::signal;
use crate::{chat, output, passphrase, words};

pub(crate) async fn run(common: &Common, send: Send) -> Result<(), Failure> {
    let text = match send.text {
        Some(text) if text != "-" => text,
        _ => {
            passphrase::not_from_stdin(common)?;
            read()?
        }
    };
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return Err(Failure::Usage(words::text()));
    }
    let network = if send.no_wait {
        Network::Optional
    } else {
        Network::Needed
    };
    let session = Session::open(common, network).await?;
    let signal = signal();
    tokio::pin!(signal);
    let client = &session.host.client;
    if session.host.relay.is_some() {
        let found = client.find(&session.id, &send.to);
        match in_time(send.timeout, signal.as_mut(), found).await {
            Some(Ok(())) => {}
            Some(Err(error)) => return Err(words::ask(session.handle(), &send.to, error)),
            None => {
                return Err(Failure::Late(words::late(
                    session.handle(),
                    problem(&session),
                    false,
                )));
            }
        }
    }
    if chat::find(&session, &send.to).await?.trust == Trust::Changed {
        return Err(Failure::Failed(words::changed(&send.to)));
    }
    let mut events = client.subscribe();
    let answer = client.send_text(&session.id, &send.to, text);
    let sent = session.ask(answer, &send.to).await?;
    output::line(&sent.id.to_string())?;
    if send.no_wait {
        return Ok(());
    }
    let arrived = arrival(&session, &mut events, sent);
    match in_time(send.timeout, signal, arrived).await {
        Some(Ok(Delivery::Failed)) => Err(Failure::Failed(words::refused(&send.to))),
        Some(Ok(_)) => Ok(()),
        Some(Err(error)) => Err(words::ask(session.handle(), &send.to, error)),
        None => Err(Failure::Late(words::late(
            session.handle(),
            problem(&session),
            true,
        ))),
    }
}

/// Waits until the relay has a message, or never will.
async fn arrival(session: &Session, events: &mut Events, sent: Sent) -> Result<Delivery, AskError> {
    loop {
        let entry = session.host.client.message(&session.id, sent.key).await?;
        if entry.message.delivery != Delivery::Sending {
            return Ok(entry.message.delivery);
        }
        // Whatever happened, and also if something was missed: look again.
        events.next().await.ok_or(AskError::Ended)?.ok();
    }
}

/// What stands between an identity and its relay.
pub(crate) fn problem(session: &Session) -> Option<sotto_client::view::RelayProblem> {
    let model = session.host.client.snapshot();
    match model.profile(&session.id)?.relay {
        RelayState::Offline(problem) => problem,
        RelayState::Connecting | RelayState::Connected => None,
    }
}

/// What standard input gives, without the end of its last line.
pub(crate) fn read() -> Result<String, Failure> {
    let mut text = String::new();
    // One byte more than a text may have, and the end of its last line.
    let mut input = io::stdin().lock().take(TEXT_BYTES_MAX as u64 + 3);
    let read = input.read_to_string(&mut text);
    read.map_err(|error| Failure::Usage(words::bad_input(&error)))?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}
