//! The way to the relay: find it, log in, carry frames, and come back after a loss.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rand::RngExt as _;
use rand::rngs::StdRng;
use sotto_crypto::Identity;
use sotto_net::frame::FrameReader;
use sotto_net::link::{Cursor, Link, LinkError};
use sotto_net::quic::{CloseCode, Endpoint, RecvStream};
use sotto_net::wire::{
    ClientFrame, Delivery, DeliveryFrame, DeviceKey, Refusal, RelayFrame, Welcome,
};
use sotto_net::{Invite, RelayId};
use tokio::io::AsyncRead;
use tokio::time::{Instant, sleep_until, timeout};

use crate::environment::Environment;
use crate::view::{RelayProblem, RelayState};

/// The first wait after a failure, and the longest.
const BACKOFF_FIRST: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// How long one try may take.
const DIAL_TIMEOUT: Duration = Duration::from_secs(8);
/// How long saying goodbye may take.
const GOODBYE_TIMEOUT: Duration = Duration::from_millis(200);
/// Bytes that may wait for a relay that does not read them; beyond this the connection is given up.
/// An honest relay reads them: a full window of the outbox and a publication take 4.5 MiB.
const UNREAD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// A connection that lived for so long was a good one, whatever ended it.
const GOOD_LIFE: Duration = BACKOFF_MAX;
/// Deliveries that are handled in one step, and so committed together.
const DELIVERIES_PER_STEP: usize = 1024;
/// As long as they are small: no more than this, and one envelope.
const DELIVERY_BYTES_PER_STEP: usize = 4 * 1024 * 1024;
/// As many answers, for the same reason.
const REPLIES_PER_STEP: usize = 256;

/// What happened on the way to the relay.
pub(super) enum LinkEvent {
    /// It is time to try (again).
    Due,
    /// Logged in.
    Up(RelayId, Welcome),
    /// The try failed.
    Failed,
    /// The relay speaks: what has arrived, in order.
    Replies(Vec<RelayFrame>),
    /// Envelopes.
    Deliveries(Arrived),
    /// The connection is gone.
    Lost,
    /// Frames were written.
    Written,
}

/// Envelopes that have arrived and were not handled yet.
#[derive(Default)]
pub(super) struct Arrived {
    /// In order.
    pub(super) stored: Vec<Delivery>,
    /// Whether these were all that waited at the relay.
    pub(super) are_all: bool,
    /// Those that the relay does not store.
    pub(super) ephemerals: Vec<Bytes>,
    bytes: usize,
}

impl Arrived {
    fn is_empty(&self) -> bool {
        self.stored.is_empty() && self.ephemerals.is_empty() && !self.are_all
    }

    fn is_full(&self) -> bool {
        self.stored.len() + self.ephemerals.len() >= DELIVERIES_PER_STEP
            || self.bytes >= DELIVERY_BYTES_PER_STEP
    }

    fn add(&mut self, frame: DeliveryFrame) {
        match frame {
            DeliveryFrame::Delivery(delivery) => {
                self.bytes += delivery.body.len();
                self.stored.push(delivery);
            }
            DeliveryFrame::CaughtUp(_) => self.are_all = true,
            DeliveryFrame::Ephemeral(ephemeral) => {
                self.bytes += ephemeral.body.len();
                self.ephemerals.push(ephemeral.body);
            }
            _ => {}
        }
    }

    /// Waits for an envelope, then takes those that arrive behind it as well. Cancelling loses
    /// nothing.
    async fn fill(
        &mut self,
        stream: &mut FrameReader<DeliveryFrame, impl AsyncRead + Unpin>,
    ) -> Result<(), LinkError> {
        if self.is_empty() {
            self.add(stream.next().await?.ok_or(LinkError::Lost)?);
        }
        while !self.is_full() {
            match stream.next_arrived().await? {
                Some(frame) => self.add(frame),
                None => break,
            }
        }
        Ok(())
    }
}

/// A connection.
struct Connected {
    link: Link,
    endpoint: Endpoint,
    since: Instant,
    arrived: Arrived,
}

type Dial = Pin<Box<dyn Future<Output = Result<(Endpoint, Link), LinkError>>>>;

enum State {
    /// No relay is known.
    Nowhere,
    Waiting(Instant),
    Dialing(RelayId, Dial),
    Up(Box<Connected>),
}

/// The connection of one profile.
pub(super) struct Uplink {
    environment: Environment,
    identity: Arc<Identity>,
    rng: StdRng,
    state: State,
    failures: u32,
    problem: Option<RelayProblem>,
    /// The relay goes away, and asked to come back after this.
    pause: Option<Duration>,
}

impl Uplink {
    pub(super) fn new(environment: Environment, identity: Arc<Identity>) -> Self {
        Self {
            rng: environment.rng(),
            environment,
            identity,
            state: State::Nowhere,
            failures: 0,
            problem: None,
            pause: None,
        }
    }

    /// How the connection looks to a person.
    pub(super) fn relay_state(&self) -> RelayState {
        match (&self.state, self.problem) {
            (State::Up(_), _) => RelayState::Connected,
            (State::Nowhere, _) => RelayState::Offline(None),
            (_, Some(problem)) => RelayState::Offline(Some(problem)),
            (_, None) => RelayState::Connecting,
        }
    }

    /// Another relay, or the first one: whatever was under way ends.
    pub(super) fn retarget(&mut self, is_known: bool) {
        self.failures = 0;
        self.problem = None;
        self.state = if is_known {
            State::Waiting(Instant::now())
        } else {
            State::Nowhere
        };
    }

    /// Starts a try.
    pub(super) fn dial(&mut self, invite: Invite, cursor: Cursor) {
        let environment = self.environment.clone();
        let identity = Arc::clone(&self.identity);
        let relay = invite.trust().id();
        let dial = async move {
            timeout(DIAL_TIMEOUT, reach(environment, identity, invite, cursor))
                .await
                .unwrap_or(Err(LinkError::Unreachable))
        };
        self.state = State::Dialing(relay, Box::pin(dial));
    }

    /// Drops the connection; the next try comes after the back-off.
    pub(super) fn drop_link(&mut self) {
        if let State::Up(connected) = &self.state
            && connected.since.elapsed() >= GOOD_LIFE
        {
            self.failures = 0;
        }
        self.state = State::Waiting(self.next_try());
    }

    /// The connection does its work: the next loss starts with a short wait.
    pub(super) fn is_useful(&mut self) {
        self.failures = 0;
    }

    /// To be written before anything else is waited for.
    pub(super) fn put(&mut self, frames: &[ClientFrame]) {
        if let State::Up(connected) = &mut self.state {
            for frame in frames {
                connected.link.requests.put(frame);
            }
        }
    }

    /// What happens next. Cancelling loses nothing.
    pub(super) async fn event(&mut self, takes_deliveries: bool) -> LinkEvent {
        if self.pause.is_some() && matches!(self.state, State::Up(_)) {
            self.drop_link();
            return LinkEvent::Lost;
        }
        match &mut self.state {
            State::Nowhere => pending().await,
            State::Waiting(until) => {
                sleep_until(*until).await;
                LinkEvent::Due
            }
            State::Dialing(relay, dial) => {
                let (relay, result) = (*relay, dial.await);
                self.dialed(relay, result)
            }
            State::Up(connected) => match next_event(connected, takes_deliveries).await {
                Ok(LinkEvent::Replies(mut replies)) => {
                    if let Some(RelayFrame::GoingAway(away)) = replies.last() {
                        let wait = Duration::from_millis(away.reconnect_after_millis.into());
                        self.pause = Some(wait);
                        replies.pop();
                    }
                    LinkEvent::Replies(replies)
                }
                Ok(event) => event,
                Err(error) => {
                    tracing::debug!(%error, "lost the relay");
                    self.drop_link();
                    LinkEvent::Lost
                }
            },
        }
    }

    /// Says goodbye, if there is a connection.
    pub(super) async fn close(self) {
        if let State::Up(connected) = self.state {
            let Connected {
                mut link, endpoint, ..
            } = *connected;
            let goodbye = async {
                if link.requests.flush().await.is_ok() {
                    link.connection.close(CloseCode::Bye.into(), b"");
                    endpoint.wait_idle().await;
                }
            };
            if timeout(GOODBYE_TIMEOUT, goodbye).await.is_err() {
                tracing::debug!("the relay did not hear the goodbye");
            }
        }
    }

    fn dialed(&mut self, relay: RelayId, result: Result<(Endpoint, Link), LinkError>) -> LinkEvent {
        match result {
            Ok((endpoint, link)) => {
                self.problem = None;
                let welcome = link.welcome.clone();
                self.state = State::Up(Box::new(Connected {
                    link,
                    endpoint,
                    since: Instant::now(),
                    arrived: Arrived::default(),
                }));
                LinkEvent::Up(relay, welcome)
            }
            Err(error) => {
                tracing::debug!(%error, "could not log in");
                self.problem = Some(problem(&error));
                self.drop_link();
                LinkEvent::Failed
            }
        }
    }

    /// When to try again: a jittered wait that doubles with each failure.
    fn next_try(&mut self) -> Instant {
        if let Some(pause) = self.pause.take() {
            return Instant::now() + pause.min(BACKOFF_MAX);
        }
        let longest = BACKOFF_FIRST
            .saturating_mul(1 << self.failures.min(10))
            .min(BACKOFF_MAX);
        self.failures = self.failures.saturating_add(1);
        Instant::now() + longest.mul_f64(self.rng.random_range(0.5..=1.0))
    }
}

/// Resolves the relay's name and logs in at the first of its addresses that answers.
async fn reach(
    environment: Environment,
    identity: Arc<Identity>,
    invite: Invite,
    cursor: Cursor,
) -> Result<(Endpoint, Link), LinkError> {
    let trust = invite.trust();
    let relay = trust.id();
    let device = DeviceKey(identity.public().device_key());
    let addresses = tokio::net::lookup_host(invite.authority())
        .await
        .map_err(|_| LinkError::Unreachable)?;
    let mut last = LinkError::Unreachable;
    for address in addresses {
        let Ok(endpoint) = environment.endpoint(address) else {
            continue;
        };
        let sign = |exporter: &_| identity.sign_login(relay.as_bytes(), exporter);
        match Link::open(&endpoint, address, trust.clone(), device, cursor, sign).await {
            Ok(link) => return Ok((endpoint, link)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn next_event(
    connected: &mut Connected,
    takes_deliveries: bool,
) -> Result<LinkEvent, LinkError> {
    let Connected { link, arrived, .. } = connected;
    let unread_bytes = link.requests.pending_bytes();
    if unread_bytes > UNREAD_BYTES_MAX {
        return Err(LinkError::Lost);
    }
    let has_frames = unread_bytes > 0;
    tokio::select! {
        biased;
        written = link.requests.flush(), if has_frames => {
            written?;
            Ok(LinkEvent::Written)
        }
        replies = next_replies(&mut link.replies) => replies.map(LinkEvent::Replies),
        filled = arrived.fill(&mut link.deliveries), if takes_deliveries => {
            filled?;
            Ok(LinkEvent::Deliveries(std::mem::take(arrived)))
        }
    }
}

/// Waits for something that the relay says, then takes what has arrived behind it as well, up to a
/// goodbye.
async fn next_replies(
    stream: &mut FrameReader<RelayFrame, RecvStream>,
) -> Result<Vec<RelayFrame>, LinkError> {
    let mut replies = vec![stream.next().await?.ok_or(LinkError::Lost)?];
    while replies.len() < REPLIES_PER_STEP
        && !matches!(replies.last(), Some(RelayFrame::GoingAway(_)))
    {
        match stream.next_buffered()? {
            Some(reply) => replies.push(reply),
            None => break,
        }
    }
    Ok(replies)
}

/// What a person is told about a failed try.
fn problem(error: &LinkError) -> RelayProblem {
    match error {
        LinkError::WrongPin => RelayProblem::WrongPin,
        LinkError::Untrusted => RelayProblem::Untrusted,
        LinkError::Version | LinkError::Refused(Refusal::Version) => RelayProblem::Version,
        LinkError::Refused(Refusal::Proof) => RelayProblem::Refused,
        // A relay that cannot store, or has too many devices, is as good as none for now.
        _ => RelayProblem::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use rand::SeedableRng as _;
    use sotto_net::frame::{FRAME_BYTES_MAX, put_frame};
    use sotto_net::wire::EnvelopeId;

    use super::*;

    fn uplink() -> Uplink {
        let mut rng = StdRng::seed_from_u64(1);
        let identity = Identity::generate(&mut rng).unwrap();
        let seeder = || StdRng::seed_from_u64(2);
        let environment = Environment::new(|| 0, seeder, sotto_net::quic::dialer);
        Uplink::new(environment, Arc::new(identity))
    }

    #[tokio::test]
    async fn deliveries_are_taken_together_up_to_a_number_and_a_size_and_none_is_left_out() {
        for (bytes, number, most) in [(10, 2_500, 1_024), (64 * 1024, 150, 64)] {
            let mut sent = BytesMut::new();
            for sequence in 1..=number {
                let delivery = Delivery {
                    sequence,
                    id: EnvelopeId([0; 16]),
                    body: vec![7; bytes].into(),
                };
                put_frame(&DeliveryFrame::Delivery(delivery), &mut sent);
            }
            let mut stream = FrameReader::new(&sent[..], FRAME_BYTES_MAX);
            let mut sequences = Vec::new();
            let mut arrived = Arrived::default();
            while let Ok(()) = arrived.fill(&mut stream).await {
                let taken = std::mem::take(&mut arrived).stored;
                assert!(taken.len() <= most, "{} of {bytes} bytes", taken.len());
                sequences.extend(taken.iter().map(|it| it.sequence));
            }
            assert!(sequences.into_iter().eq(1..=number));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_from_one_failure_to_the_next_up_to_their_bound() {
        let mut uplink = uplink();
        let mut longest = BACKOFF_FIRST;
        for failure in 0..40 {
            let wait = uplink.next_try() - Instant::now();
            assert!(
                wait >= longest / 2 && wait <= longest,
                "{failure}: {wait:?}"
            );
            longest = (longest * 2).min(BACKOFF_MAX);
        }
        uplink.is_useful();
        assert!(uplink.next_try() - Instant::now() <= BACKOFF_FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn r19_a_relay_sends_nobody_away_for_long() {
        let mut uplink = uplink();
        uplink.pause = Some(Duration::from_millis(u32::MAX.into()));
        assert_eq!(uplink.next_try() - Instant::now(), BACKOFF_MAX);
        // It is said once, and counts once.
        assert!(uplink.next_try() - Instant::now() <= BACKOFF_FIRST);
    }
}
