//! The control stream of one connection: requests in, answers and news out, both pipelined.

use std::future::{Future, poll_fn, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rand::RngExt as _;
use sotto_net::frame::{FrameError, FrameReader, FrameWriter};
use sotto_net::people::is_handle;
use sotto_net::quic::{RecvStream, SendStream};
use sotto_net::wire::{
    Bundle, Claim, ClientFrame, DeviceKey, Done, ENVELOPE_BYTES_MAX, EPHEMERAL_BYTES_MAX,
    Ephemeral, GoingAway, IDENTITY_BYTES_MAX, NAME_BYTES_MAX, PREKEY_BYTES_MAX, Prekey,
    PreviousMark, PublishPrekeys, Refusal, Refused, RelayFrame, Send as SendEnvelope, TARGETS_MAX,
    WATCHED_MAX,
};
use tokio::sync::mpsc;

use crate::connection::{Ending, stamp};
use crate::fence::{Fence, Obstacle};
use crate::relay::Shared;
use crate::store::{Append, Claiming, Declined, Quota, Store};

/// Requests whose answers are not written yet. More stay in the stream, unread.
const PIPELINE: usize = 256;
/// Worth another try after this, when the store cannot write or a mailbox is full.
const RETRY: Duration = Duration::from_secs(5);
/// Clients of a relay that goes away come back within this.
const RECONNECT_SPREAD_MILLIS: u32 = 3_000;

type Answer = Pin<Box<dyn Future<Output = RelayFrame> + Send>>;

/// The control stream of an admitted device.
pub(crate) struct Control<S> {
    pub(crate) shared: Arc<Shared<S>>,
    pub(crate) device: DeviceKey,
    pub(crate) requests: FrameReader<ClientFrame, RecvStream>,
    pub(crate) answers: FrameWriter<RelayFrame, SendStream>,
    pub(crate) news: mpsc::Receiver<RelayFrame>,
}

impl<S: Store> Control<S> {
    /// Serves until the stream ends or the relay goes away.
    pub(crate) async fn run(mut self) -> Result<(), Ending> {
        self.roster().await?;
        let (queue, pending) = mpsc::channel(PIPELINE);
        let reading = read(self.shared.clone(), self.device, self.requests, queue);
        let writing = write(self.shared, self.answers, pending, self.news);
        // When the requests end, the answers that are due are still written.
        let (read, written) = tokio::join!(reading, writing);
        written.and(read)
    }

    /// The directory as it is; what changes later comes as news.
    async fn roster(&mut self) -> Result<(), Ending> {
        if self.shared.config.roster {
            for entry in self.shared.store.list().await.map_err(|_| Ending::Gone)? {
                self.answers.put(&entry.into());
            }
            self.answers.flush().await?;
        }
        Ok(())
    }
}

/// Reads requests; each takes its place in the store's order before the next is read.
async fn read<S: Store>(
    shared: Arc<Shared<S>>,
    device: DeviceKey,
    mut requests: FrameReader<ClientFrame, RecvStream>,
    queue: mpsc::Sender<Answer>,
) -> Result<(), Ending> {
    let mut end = shared.end.clone();
    let fence = Arc::default();
    loop {
        let frame = tokio::select! {
            biased;
            _ = end.wait_for(|end| *end) => None,
            () = queue.closed() => None,
            frame = requests.next() => frame?,
        };
        let Some(frame) = frame else {
            return Ok(());
        };
        if let Some(answer) = handle(&shared, device, &fence, frame).await?
            && queue.send(answer).await.is_err()
        {
            return Ok(());
        }
    }
}

/// Writes answers in the order of their requests, and news in between.
async fn write<S: Store>(
    shared: Arc<Shared<S>>,
    mut frames: FrameWriter<RelayFrame, SendStream>,
    mut pending: mpsc::Receiver<Answer>,
    mut news: mpsc::Receiver<RelayFrame>,
) -> Result<(), Ending> {
    loop {
        let has_frames = frames.pending_bytes() > 0;
        tokio::select! {
            biased;
            answer = pending.recv() => {
                let Some(mut answer) = answer else {
                    break;
                };
                let frame = tokio::select! {
                    biased;
                    frame = &mut answer => frame,
                    () = ready(()) => {
                        frames.flush().await?;
                        answer.await
                    }
                };
                frames.put(&frame);
            }
            Some(frame) = news.recv() => frames.put(&frame),
            () = ready(()), if has_frames => frames.flush().await?,
        }
    }
    if *shared.end.borrow() {
        let reconnect_after_millis = rand::rng().random_range(0..RECONNECT_SPREAD_MILLIS);
        frames.put(
            &GoingAway {
                reconnect_after_millis,
            }
            .into(),
        );
    }
    frames.flush().await?;
    Ok(())
}

/// Starts a request; its answer resolves once what it did cannot be lost. `None` for what needs none.
async fn handle<S: Store>(
    shared: &Arc<Shared<S>>,
    device: DeviceKey,
    fence: &Arc<Fence>,
    frame: ClientFrame,
) -> Result<Option<Answer>, Ending> {
    let (store, rates) = (&shared.store, &shared.rates);
    Ok(Some(match frame {
        ClientFrame::Claim(claim) => match rates.requests.take(&device, 1) {
            Ok(()) => claim_handle(shared, device, claim).await,
            Err(wait) => at_once(too_often(claim.request, wait)),
        },
        ClientFrame::PublishPrekeys(publication) => {
            if let Err(wait) = rates.requests.take(&device, 1) {
                return Ok(Some(at_once(too_often(publication.request, wait))));
            }
            let PublishPrekeys {
                request,
                signed,
                one_time,
            } = publication;
            let is_large = |prekey: &Prekey| prekey.record.len() > PREKEY_BYTES_MAX;
            if one_time.iter().chain(&signed).any(is_large) {
                at_once(refused(request, Refusal::TooLarge))
            } else {
                done(request, store.publish(device, signed, one_time).await)
            }
        }
        ClientFrame::TakeBundle(take) => {
            if let Err(wait) = rates.bundles.take(&device, 1) {
                return Ok(Some(at_once(too_often(take.request, wait))));
            }
            let with_one_time = rates.one_time_prekeys.take(&take.device, 1).is_ok();
            let ticket = store.take_bundle(take.device, with_one_time).await;
            Box::pin(async move {
                match ticket.await {
                    Ok(bundle) => Bundle {
                        request: take.request,
                        signed: bundle.signed,
                        one_time: bundle.one_time,
                    }
                    .into(),
                    Err(declined) => refused(take.request, declined.into()),
                }
            })
        }
        ClientFrame::Send(send) => self::send(shared, device, fence, send).await,
        ClientFrame::SendEphemeral(ephemeral) => {
            if rates
                .ephemerals
                .take(&device, ephemeral.targets.len())
                .is_ok()
            {
                for (target, body) in ephemeral.targets {
                    let is_handed_on = body.len() <= EPHEMERAL_BYTES_MAX
                        && shared.hub.hand(target, Ephemeral { body });
                    shared.metrics.ephemeral(is_handed_on);
                }
            }
            return Ok(None);
        }
        ClientFrame::LeaveMark(leave) => {
            let request = leave.request;
            if let Err(wait) = rates.requests.take(&device, 1) {
                return Ok(Some(at_once(too_often(request, wait))));
            }
            let ticket = store.mark(device, leave.mark).await;
            Box::pin(async move {
                match ticket.await {
                    Ok(mark) => PreviousMark { request, mark }.into(),
                    Err(declined) => refused(request, declined.into()),
                }
            })
        }
        ClientFrame::WithdrawPrekeys(withdraw) => match rates.requests.take(&device, 1) {
            Ok(()) => done(withdraw.request, store.withdraw(device).await),
            Err(wait) => at_once(too_often(withdraw.request, wait)),
        },
        ClientFrame::Acknowledge(acknowledge) => {
            // Nobody waits for it: what is not forgotten now is acknowledged again at login.
            drop(store.acknowledge(device, acknowledge.up_to).await);
            return Ok(None);
        }
        ClientFrame::WatchPresence(watch) => {
            if watch.devices.len() > WATCHED_MAX {
                return Err(FrameError::Malformed.into());
            }
            shared.hub.watch(device, watch.devices);
            return Ok(None);
        }
        ClientFrame::LookUp(look_up) => {
            let request = look_up.request;
            if let Err(wait) = rates.requests.take(&device, 1) {
                return Ok(Some(at_once(too_often(request, wait))));
            }
            at_once(match store.look_up(look_up.handle).await {
                Ok(mut entry) => {
                    entry.request = request;
                    entry.into()
                }
                Err(declined) => refused(request, declined.into()),
            })
        }
        // A second login, or a frame that this version reads but does not serve.
        _ => return Err(FrameError::Malformed.into()),
    }))
}

async fn claim_handle<S: Store>(
    shared: &Arc<Shared<S>>,
    device: DeviceKey,
    claim: Claim,
) -> Answer {
    let request = claim.request;
    if !is_handle(&claim.handle) {
        return at_once(refused(request, Refusal::HandleUnknown));
    }
    if claim.name.len() > NAME_BYTES_MAX || claim.identity.len() > IDENTITY_BYTES_MAX {
        return at_once(refused(request, Refusal::TooLarge));
    }
    let claiming = Claiming {
        device,
        handle: claim.handle,
        name: claim.name,
        identity: claim.identity,
        open: shared.config.open_handles,
    };
    done(request, shared.store.claim(claiming).await)
}

async fn send<S: Store>(
    shared: &Arc<Shared<S>>,
    device: DeviceKey,
    fence: &Arc<Fence>,
    send: SendEnvelope,
) -> Answer {
    let (request, targets) = (send.request, send.targets.len());
    let devices = send.targets.iter().map(|(device, _)| *device).collect();
    let pass = match fence.pass(send.id, devices) {
        Ok(pass) => pass,
        Err(obstacle) => {
            shared.metrics.refuse_envelope(obstacle.reason, targets);
            return at_once(refused_for_now(request, obstacle));
        }
    };
    if let Err(wait) = shared.rates.envelopes.pace(&device, targets).await {
        let reason = Refusal::RateLimited;
        shared.metrics.refuse_envelope(reason, targets);
        let obstacle = Obstacle { reason, wait };
        fence.raise(pass, obstacle);
        return at_once(refused_for_now(request, obstacle));
    }
    let mut bodies = send.targets.iter().map(|(_, body)| body);
    if targets > TARGETS_MAX || bodies.any(|body| body.len() > ENVELOPE_BYTES_MAX) {
        shared.metrics.refuse_envelope(Refusal::TooLarge, targets);
        return at_once(refused(request, Refusal::TooLarge));
    }
    let limits = &shared.config.limits;
    let append = Append {
        id: send.id,
        targets: send.targets,
        quota: Quota {
            envelopes: limits.mailbox_envelopes,
            bytes: limits.mailbox_bytes,
        },
        stored_secs: stamp(shared.environment.now_secs()),
    };
    let ticket = shared.store.append(append).await;
    let (metrics, fence) = (Arc::clone(&shared.metrics), Arc::clone(fence));
    let mut answer: Answer = Box::pin(async move {
        let reason = match ticket.await {
            Ok(()) => return Done { request }.into(),
            Err(declined) => Refusal::from(declined),
        };
        metrics.refuse_envelope(reason, targets);
        if !matches!(reason, Refusal::MailboxFull | Refusal::Storage) {
            return refused(request, reason);
        }
        let obstacle = Obstacle {
            reason,
            wait: RETRY,
        };
        fence.raise(pass, obstacle);
        refused_for_now(request, obstacle)
    });
    // What is known at once is known before the next request is read. A disk that fails is known
    // later: what was read in between may overtake the envelope.
    match poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await {
        Poll::Ready(frame) => at_once(frame),
        Poll::Pending => answer,
    }
}

fn at_once(frame: RelayFrame) -> Answer {
    Box::pin(ready(frame))
}

fn done(
    request: u32,
    ticket: impl Future<Output = Result<(), Declined>> + Send + 'static,
) -> Answer {
    Box::pin(async move {
        match ticket.await {
            Ok(()) => Done { request }.into(),
            Err(declined) => refused(request, declined.into()),
        }
    })
}

fn too_often(request: u32, wait: Duration) -> RelayFrame {
    let reason = Refusal::RateLimited;
    refused_for_now(request, Obstacle { reason, wait })
}

fn refused_for_now(request: u32, obstacle: Obstacle) -> RelayFrame {
    // Rounded up, so that the next try is not a moment too early.
    let millis = obstacle.wait.as_nanos().div_ceil(1_000_000);
    Refused {
        request,
        reason: obstacle.reason,
        retry_after_millis: u32::try_from(millis).unwrap_or(u32::MAX),
    }
    .into()
}

fn refused(request: u32, reason: Refusal) -> RelayFrame {
    let retry_after_millis = match reason {
        Refusal::Storage => u32::try_from(RETRY.as_millis()).unwrap_or(u32::MAX),
        _ => 0,
    };
    Refused {
        request,
        reason,
        retry_after_millis,
    }
    .into()
}
