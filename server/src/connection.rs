//! One connection: login, then requests and envelopes until it ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use sotto_net::frame::{
    FRAME_BYTES_MAX, FrameError, FrameReader, FrameWriter, STRANGER_FRAME_BYTES_MAX,
};
use sotto_net::link::Cursor;
use sotto_net::login;
use sotto_net::quic::{self, CloseCode, Connection, ConnectionError, RecvStream, SendStream};
use sotto_net::wire::{ClientFrame, DeviceKey, Login, Refusal, Refused, RelayFrame, Welcome};
use thiserror::Error;
use tokio::time::timeout;

use crate::control::Control;
use crate::delivery::Outflow;
use crate::gate::Stranger;
use crate::hub::{Queues, Session};
use crate::relay::Shared;
use crate::store::{Declined, Store};

/// Why a connection ends.
#[derive(Debug, Error)]
pub(crate) enum Ending {
    /// The peer broke the protocol.
    #[error("the peer broke the protocol")]
    Protocol(#[from] FrameError),
    /// The login was refused.
    #[error("the login was refused")]
    Refused(Refusal),
    /// The login took too long.
    #[error("the login took too long")]
    TooLate,
    /// Everything was said: the client has left, or the relay goes away.
    #[error("everything was said")]
    GoingAway,
    /// The connection is gone.
    #[error("the connection is gone")]
    Gone,
}

impl From<io::Error> for Ending {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<ConnectionError> for Ending {
    fn from(_: ConnectionError) -> Self {
        Self::Gone
    }
}

type Requests = FrameReader<ClientFrame, RecvStream>;
type Answers = FrameWriter<RelayFrame, SendStream>;

/// A stranger who has become a device.
struct Admitted<S: Store> {
    leaving: Leaving<S>,
    device: DeviceKey,
    queues: Queues,
    requests: Requests,
    answers: Answers,
    after: u64,
}

/// Serves a connection until it ends.
pub(crate) async fn serve<S: Store>(
    shared: Arc<Shared<S>>,
    connection: Connection,
    stranger: Stranger,
) {
    let deadline = shared.config.limits.login_deadline;
    let login = timeout(deadline, admit(&shared, &connection)).await;
    let admitted = match login.unwrap_or(Err(Ending::TooLate)) {
        Ok(admitted) => admitted,
        Err(ending) => {
            shared.metrics.refuse_login(&ending);
            return close(&connection, &ending).await;
        }
    };
    shared.metrics.logins.inc();
    drop(stranger);
    match run(&shared, &connection, admitted).await {
        Ok(()) => close(&connection, &Ending::GoingAway).await,
        Err(ending) => close(&connection, &ending).await,
    }
}

/// Takes the login as the connection's first frame.
async fn admit<S: Store>(
    shared: &Arc<Shared<S>>,
    connection: &Connection,
) -> Result<Admitted<S>, Ending> {
    let (send, receive) = connection.accept_bi().await?;
    let mut requests = FrameReader::new(receive, STRANGER_FRAME_BYTES_MAX);
    let mut answers = FrameWriter::new(send);
    let Some(frame) = requests.next().await? else {
        return Err(Ending::Gone);
    };
    let ClientFrame::Login(login) = frame else {
        return Err(FrameError::Malformed.into());
    };
    let relay = login::relay_id(connection, shared.pin);
    let exporter = login::exporter(connection, relay).ok_or(Ending::Gone)?;
    if !login::proves(&login.proof, relay, login.device, &exporter) {
        return refuse(&mut answers, Refusal::Proof).await;
    }
    let (session, queues) = Session::new(connection.clone());
    let admission = match enter(shared, &login).await {
        Ok(admission) => admission,
        Err(declined) => return refuse(&mut answers, declined.into()).await,
    };
    // From here on events reach the session; what is stored already, it reads itself.
    shared.hub.enter(login.device, &session);
    let leaving = Leaving {
        shared: Arc::clone(shared),
        device: login.device,
        session,
    };
    let welcome = Welcome {
        minor: quic::MINOR_VERSION,
        store: shared.store.id(),
        signed_prekey: admission.signed_prekey,
        one_time_prekeys: admission.one_time_prekeys,
    };
    answers.send(&welcome.into()).await?;
    requests.set_limit(FRAME_BYTES_MAX);
    Ok(Admitted {
        leaving,
        device: login.device,
        queues,
        requests,
        answers,
        after: admission.after,
    })
}

async fn enter<S: Store>(
    shared: &Shared<S>,
    login: &Login,
) -> Result<crate::store::Admission, Declined> {
    let cursor = Cursor {
        store: login.store,
        after: login.after,
    };
    let now_secs = stamp(shared.environment.now_secs());
    let ticket = shared.store.admit(login.device, cursor, now_secs).await;
    ticket.await
}

async fn refuse<T>(answers: &mut Answers, reason: Refusal) -> Result<T, Ending> {
    let refused = Refused {
        request: 0,
        reason,
        retry_after_millis: 0,
    };
    answers.send(&refused.into()).await?;
    Err(Ending::Refused(reason))
}

async fn run<S: Store>(
    shared: &Arc<Shared<S>>,
    connection: &Connection,
    admitted: Admitted<S>,
) -> Result<(), Ending> {
    let _leaving = admitted.leaving;
    let attendance = shared.store.attend(admitted.device).await;
    let attendance = attendance.map_err(|_| Ending::Gone)?;
    let stream = connection.open_uni().await?;
    let outflow = Outflow {
        store: Arc::clone(&shared.store),
        device: admitted.device,
        attendance,
        ephemerals: admitted.queues.ephemerals,
        frames: FrameWriter::new(stream),
        progress: shared.journal.open(admitted.device, &shared.metrics),
        after: admitted.after,
    };
    let control = Control {
        shared: Arc::clone(shared),
        device: admitted.device,
        requests: admitted.requests,
        answers: admitted.answers,
        news: admitted.queues.news,
    };
    tokio::select! {
        biased;
        ended = control.run() => ended,
        ended = outflow.run() => Ok(ended?),
    }
}

/// Closes with the code that tells why, once the peer has what was written.
async fn close(connection: &Connection, ending: &Ending) {
    let code = match ending {
        Ending::Protocol(_) => CloseCode::Protocol,
        // A close overtakes what was written: let the peer read it and leave by itself.
        Ending::Refused(_) | Ending::TooLate => {
            drop(timeout(LEAVING_TIME, connection.closed()).await);
            CloseCode::Refused
        }
        Ending::GoingAway => {
            drop(timeout(LEAVING_TIME, connection.closed()).await);
            CloseCode::GoingAway
        }
        Ending::Gone => CloseCode::Bye,
    };
    connection.close(code.into(), b"");
}

/// How long a peer may take to leave by itself.
const LEAVING_TIME: Duration = Duration::from_secs(1);

/// Takes a session out of the hub however its connection ends: in the middle of the login, or by a
/// panic.
struct Leaving<S: Store> {
    shared: Arc<Shared<S>>,
    device: DeviceKey,
    session: Arc<Session>,
}

impl<S: Store> Drop for Leaving<S> {
    fn drop(&mut self) {
        self.shared.hub.leave(self.device, &self.session);
    }
}

/// Earlier than this, a clock has not been set: it is before this relay was written.
const CLOCK_SET_SECS: u64 = 1_760_000_000;
/// Later than any clock.
const NEVER_SECS: u64 = u64::MAX >> 1;

/// When something is stored. What comes before the clock is set, as it may be after a start, must
/// not be too old as soon as it is: it stays until it is fetched.
pub(crate) fn stamp(now_secs: u64) -> u64 {
    if now_secs < CLOCK_SET_SECS {
        NEVER_SECS
    } else {
        now_secs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_before_the_clock_is_set_does_not_expire() {
        for unset_secs in [0, 60, CLOCK_SET_SECS - 1] {
            assert!(stamp(unset_secs) > 100 * CLOCK_SET_SECS);
        }
        assert_eq!(stamp(CLOCK_SET_SECS), CLOCK_SET_SECS);
    }
}
