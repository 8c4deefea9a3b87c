//! `sotto-cli receive`: what nobody has read yet, once, and in order.

use std::collections::HashMap;

use sotto_client::view::{ChatId, MessageKey, RelayState};
use sotto_client::{AskError, Command, Entry, EventKind, Events};

use crate::chat::write_all;
use crate::failure::Failure;
use crate::options::{Common, Receive};
use crate::send::problem;
use crate::session::{Network, Session, in_time};
use crate::signal::signal;
use crate::{failure, words};

/// Messages that are written at once; with texts of the largest size 64 MiB.
const UNREAD_AT_ONCE: usize = 64;

pub(crate) async fn run(common: &Common, receive: &Receive) -> Result<(), Failure> {
    let session = Session::open(common, Network::Needed).await?;
    let signal = signal();
    tokio::pin!(signal);
    let mut events = session.host.client.subscribe();
    if receive.follow {
        tokio::select! {
            () = &mut signal => Ok(()),
            failed = follow(&session, &mut events, receive.json) => failed,
            failed = complain(&session) => failed,
        }
    } else {
        let late = catch_up(&session, receive.timeout, signal.as_mut()).await;
        // What is here is written in any case.
        hand_out(&session, receive.json).await?;
        late?;
        // The receipts go to the relay at once, or with the next connection.
        let _kept = catch_up(&session, receive.timeout, signal).await;
        Ok(())
    }
}

/// Waits until relay and identity have told each other everything.
async fn catch_up(
    session: &Session,
    timeout: u32,
    signal: impl Future<Output = ()>,
) -> Result<(), Failure> {
    let caught_up = session.host.client.catch_up(&session.id);
    let Some(answer) = in_time(timeout, signal, caught_up).await else {
        let sentence = words::late(session.handle(), problem(session), false);
        return Err(Failure::Late(sentence));
    };
    answer.map_err(|error| words::ask(session.handle(), "", error))
}

async fn follow(session: &Session, events: &mut Events, json: bool) -> Result<(), Failure> {
    loop {
        hand_out(session, json).await?;
        // Until a message has come, or perhaps has.
        loop {
            match events.next().await {
                Some(Ok(event)) => {
                    if let EventKind::MessageStored(entry) = &event.kind
                        && !entry.message.is_mine
                    {
                        break;
                    }
                }
                Some(Err(_missed)) => break,
                None => return Err(words::ask(session.handle(), "", AskError::Ended)),
            }
        }
    }
}

/// Says whenever the relay cannot be used, and why; who follows has nobody else to tell.
async fn complain(session: &Session) -> Result<(), Failure> {
    let mut said = None;
    loop {
        let relay = session.host.wait(&session.id, |view| match view.relay {
            RelayState::Offline(Some(problem)) if said != Some(problem) => Some(Some(problem)),
            RelayState::Connected if said.is_some() => Some(None),
            _ => None,
        });
        said = relay.await?;
        if let Some(problem) = said {
            failure::say(&words::trying_again(problem));
        }
    }
}

/// Writes what is unread, and marks it as read when it was written: what is lost on the way to a
/// reader that has ended comes again the next time.
async fn hand_out(session: &Session, json: bool) -> Result<(), Failure> {
    let mut after = MessageKey(0);
    loop {
        let client = &session.host.client;
        let unread = client.unread(&session.id, after, UNREAD_AT_ONCE);
        let entries = session.ask(unread, "").await?;
        let Some(last) = entries.last() else {
            return Ok(());
        };
        after = last.message.key;
        write_all(session.handle(), &entries, json)?;
        for (chat, up_to) in newest(&entries) {
            let answer = client.perform(&session.id, Command::MarkRead { chat, up_to });
            session.ask(answer, "").await?;
        }
    }
}

/// The newest message of each chat.
fn newest(entries: &[Entry]) -> HashMap<ChatId, MessageKey> {
    // Later ones replace earlier ones.
    let keys = entries.iter().map(|entry| (entry.chat, entry.message.key));
    keys.collect()
}
