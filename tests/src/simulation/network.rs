//! The network: it loses, repeats, delays and reorders packets, is cut in one direction or both,
//! and lets machines come back from other addresses.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use sotto_net::quic::{AsyncUdpSocket, RecvMeta, Transmit, UdpPoller};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use super::trace::Trace;

/// Packets that wait for one socket; more are lost, as with a real one.
const INBOX_MAX: usize = 4_096;
/// What a packet may carry, in bytes: Ethernet's 1,500 without the headers of IP and UDP.
const MTU_BYTES: usize = 1_472;
/// What it may carry through a black hole: the least that QUIC asks for.
const SMALL_MTU_BYTES: usize = 1_200;

/// A machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Host(pub(super) u8);

impl Host {
    pub(super) const RELAY: Self = Self(0);

    /// Where this host is seen, after so many moves; the relay never moves.
    fn address(self, moves: u8, port: u16) -> SocketAddr {
        (Ipv4Addr::new(10, self.0, moves, 1), port).into()
    }
}

/// Where the relay is.
pub(super) fn relay_address() -> SocketAddr {
    Host::RELAY.address(0, 443)
}

/// What happens to each packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Weather {
    /// How many of a thousand are lost.
    pub(super) lost_per_mille: u32,
    /// How many of a thousand come twice.
    pub(super) doubled_per_mille: u32,
    /// How long one takes at least.
    pub(super) delay: Duration,
    /// How much longer at most. Whatever is faster overtakes.
    pub(super) jitter: Duration,
}

impl Weather {
    /// A good day.
    pub(super) const CALM: Self = Self {
        lost_per_mille: 0,
        doubled_per_mille: 0,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(5),
    };

    /// As bad as it gets where anything gets through.
    pub(super) const STORM: Self = Self {
        lost_per_mille: 300,
        doubled_per_mille: 50,
        delay: Duration::from_millis(20),
        jitter: Duration::from_millis(200),
    };
}

/// A host ends in the middle of what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Crash {
    /// With this packet that it sends, counted from now on.
    pub(super) packets: u64,
    /// Whether this packet still gets out.
    pub(super) is_sent: bool,
}

/// A way between a host and the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    Out,
    In,
}

/// The network of one world.
#[derive(Clone)]
pub(super) struct Network {
    state: Arc<Mutex<State>>,
    /// Something is to be carried sooner than thought.
    sooner: Arc<Notify>,
}

struct State {
    chance: StdRng,
    weather: Weather,
    hosts: BTreeMap<Host, Place>,
    cuts: BTreeSet<(Host, Way)>,
    black_holes: BTreeSet<Host>,
    inboxes: BTreeMap<(Host, u16), Inbox>,
    flying: BinaryHeap<Reverse<Flight>>,
    packets: u64,
    trace: Trace,
    crashed: mpsc::UnboundedSender<Host>,
    /// What no packet may hold, and how many did.
    secret: &'static [u8],
    leaks: u64,
    overflows: u64,
}

/// How things stand with one host.
#[derive(Debug, Default)]
struct Place {
    /// Sockets of earlier lives are dead.
    life: u32,
    /// It has bound a socket in this life.
    is_up: bool,
    moves: u8,
    crash: Option<Crash>,
}

#[derive(Default)]
struct Inbox {
    packets: VecDeque<(SocketAddr, Vec<u8>)>,
    waker: Option<Waker>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    due: Instant,
    number: u64,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

impl Network {
    /// A calm network. Hosts that crash are told to `crashed`.
    pub(super) fn new(
        chance: StdRng,
        trace: Trace,
        secret: &'static [u8],
        crashed: mpsc::UnboundedSender<Host>,
    ) -> Self {
        let state = State {
            chance,
            weather: Weather::CALM,
            hosts: BTreeMap::new(),
            cuts: BTreeSet::new(),
            black_holes: BTreeSet::new(),
            inboxes: BTreeMap::new(),
            flying: BinaryHeap::new(),
            packets: 0,
            trace,
            crashed,
            secret,
            leaks: 0,
            overflows: 0,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            sooner: Arc::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A socket of the present life of a host.
    pub(super) fn bind(&self, host: Host, port: u16) -> Arc<dyn AsyncUdpSocket> {
        let mut state = self.state();
        state.inboxes.insert((host, port), Inbox::default());
        let place = state.hosts.entry(host).or_default();
        place.is_up = true;
        let life = place.life;
        Arc::new(Socket {
            network: self.clone(),
            host,
            port,
            life,
        })
    }

    pub(super) fn set_weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// Nothing more comes from this host, or reaches it, until it binds again.
    pub(super) fn unplug(&self, host: Host) {
        self.state().unplug(host);
    }

    pub(super) fn crash_later(&self, host: Host, crash: Crash) {
        self.state().hosts.entry(host).or_default().crash = Some(crash);
    }

    /// A host ends now.
    pub(super) fn crash_now(&self, host: Host) {
        self.state().crash(host);
    }

    pub(super) fn cut(&self, host: Host, way: Way) {
        self.state().cuts.insert((host, way));
    }

    pub(super) fn mend(&self, host: Host, way: Way) {
        self.state().cuts.remove(&(host, way));
    }

    /// The host is seen at another address from now on, and no longer at the one before.
    pub(super) fn rebind(&self, host: Host) {
        let mut state = self.state();
        let place = state.hosts.entry(host).or_default();
        place.moves = place.moves.wrapping_add(1);
    }

    /// Large packets from and to a host vanish.
    pub(super) fn set_black_hole(&self, host: Host, is_there: bool) {
        let mut state = self.state();
        if is_there {
            state.black_holes.insert(host);
        } else {
            state.black_holes.remove(&host);
        }
    }

    /// Everything goes well from now on.
    pub(super) fn heal(&self) {
        let mut state = self.state();
        state.weather = Weather::CALM;
        state.cuts.clear();
        state.black_holes.clear();
        state
            .hosts
            .values_mut()
            .for_each(|place| place.crash = None);
    }

    /// Notes something in the trace.
    pub(super) fn note(&self, what: &str) {
        self.state().trace.note(what, || what.to_owned());
    }

    /// Packets that were sent so far.
    pub(super) fn packets(&self) -> u64 {
        self.state().packets
    }

    /// Packets that held what they must not; and those for which a socket had no room.
    pub(super) fn leaks_and_overflows(&self) -> (u64, u64) {
        let state = self.state();
        (state.leaks, state.overflows)
    }

    pub(super) fn trace_hash(&self) -> u64 {
        self.state().trace.hash()
    }

    pub(super) fn take_lines(&self) -> Vec<String> {
        self.state().trace.take_lines()
    }

    /// Carries packets for ever.
    pub(super) async fn carry(self) {
        loop {
            let next = self.deliver_what_is_due();
            tokio::select! {
                biased;
                () = self.sooner.notified() => {}
                () = sleep_until(next.unwrap_or_else(far)), if next.is_some() => {}
            }
        }
    }

    /// When there is more.
    fn deliver_what_is_due(&self) -> Option<Instant> {
        let now = Instant::now();
        loop {
            let mut state = self.state();
            let flight = match state.flying.peek() {
                Some(Reverse(flight)) if flight.due <= now => state.flying.pop()?.0,
                later => return later.map(|Reverse(flight)| flight.due),
            };
            let waker = state.arrive(flight);
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    fn send(&self, socket: &Socket, to: SocketAddr, bytes: &[u8]) {
        let mut state = self.state();
        if state.send(socket, to, bytes) {
            self.sooner.notify_one();
        }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network")
    }
}

fn far() -> Instant {
    Instant::now() + Duration::from_hours(1)
}

impl State {
    fn unplug(&mut self, host: Host) {
        let place = self.hosts.entry(host).or_default();
        place.life += 1;
        place.is_up = false;
        place.crash = None;
        self.inboxes.retain(|(owner, _), _| *owner != host);
    }

    fn crash(&mut self, host: Host) {
        let is_up = self.hosts.get(&host).is_some_and(|place| place.is_up);
        if !is_up {
            return;
        }
        self.unplug(host);
        self.trace
            .note((host, "crash"), || format!("host {} crashes", host.0));
        // Nobody waits for it at the end of the world.
        self.crashed.send(host).unwrap_or_default();
    }

    /// Whether something is on its way that may be due before all others.
    fn send(&mut self, socket: &Socket, to: SocketAddr, bytes: &[u8]) -> bool {
        let host = socket.host;
        let place = self.hosts.entry(host).or_default();
        if place.life != socket.life {
            return false;
        }
        let from = host.address(place.moves, socket.port);
        self.packets += 1;
        let crash = place.crash.as_mut().and_then(|crash| {
            crash.packets = crash.packets.saturating_sub(1);
            (crash.packets == 0).then_some(*crash)
        });
        if crash.is_some_and(|crash| !crash.is_sent) {
            self.crash(host);
            return false;
        }
        self.leaks += u64::from(holds(bytes, self.secret));
        let copies = self.copies(host, to, bytes.len());
        self.trace.note((from, to, bytes.len(), copies), || {
            format!("{from} > {to} {:>5} bytes, {copies} arrive", bytes.len())
        });
        for _ in 0..copies {
            let jitter = self.weather.jitter.mul_f64(self.chance.random());
            self.flying.push(Reverse(Flight {
                due: Instant::now() + self.weather.delay + jitter,
                number: self.packets,
                from,
                to,
                bytes: bytes.to_vec(),
            }));
        }
        if crash.is_some() {
            self.crash(host);
        }
        copies > 0
    }

    /// How often a packet arrives.
    fn copies(&mut self, host: Host, to: SocketAddr, bytes: usize) -> u32 {
        let peer = owner(to).map_or(Host::RELAY, |(host, _, _)| host);
        let mut chance = |per_mille| self.chance.random_range(0..1_000) < per_mille;
        let is_lost = chance(self.weather.lost_per_mille);
        let is_doubled = chance(self.weather.doubled_per_mille);
        let is_cut = self.cuts.contains(&(host, Way::Out)) || self.cuts.contains(&(peer, Way::In));
        let is_small = [host, peer].iter().any(|it| self.black_holes.contains(it));
        let most = if is_small { SMALL_MTU_BYTES } else { MTU_BYTES };
        if is_lost || is_cut || bytes > most {
            0
        } else {
            1 + u32::from(is_doubled)
        }
    }

    /// Puts a packet before its socket, if that is still there.
    fn arrive(&mut self, flight: Flight) -> Option<Waker> {
        let (host, moves, port) = owner(flight.to)?;
        if self.hosts.get(&host)?.moves != moves {
            return None;
        }
        let inbox = self.inboxes.get_mut(&(host, port))?;
        if inbox.packets.len() == INBOX_MAX {
            self.overflows += 1;
            return None;
        }
        inbox.packets.push_back((flight.from, flight.bytes));
        inbox.waker.take()
    }
}

/// Whose address it is, after how many moves, and the port.
fn owner(address: SocketAddr) -> Option<(Host, u8, u16)> {
    match address {
        SocketAddr::V4(address) => {
            let [_, host, moves, _] = address.ip().octets();
            Some((Host(host), moves, address.port()))
        }
        SocketAddr::V6(_) => None,
    }
}

/// Whether bytes hold others.
pub(super) fn holds(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else {
        return false;
    };
    let begins = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
    begins
        .filter_map(|(place, _)| bytes.get(place..))
        .any(|rest| rest.starts_with(wanted))
}

/// A socket of one life of a host.
#[derive(Debug)]
struct Socket {
    network: Network,
    host: Host,
    port: u16,
    life: u32,
}

impl AsyncUdpSocket for Socket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable)
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.network
            .send(self, transmit.destination, transmit.contents);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.network.state();
        if state.hosts.get(&self.host).map(|place| place.life) != Some(self.life) {
            return Poll::Pending;
        }
        let Some(inbox) = state.inboxes.get_mut(&(self.host, self.port)) else {
            return Poll::Pending;
        };
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), meta.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        let Some((from, bytes)) = inbox.packets.pop_front() else {
            inbox.waker = Some(cx.waker().clone());
            return Poll::Pending;
        };
        let len = bytes.len().min(buffer.len());
        if let (Some(place), Some(bytes)) = (buffer.get_mut(..len), bytes.get(..len)) {
            place.copy_from_slice(bytes);
        }
        *meta = RecvMeta::default();
        meta.addr = from;
        meta.len = len;
        meta.stride = len;
        Poll::Ready(Ok(1))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.host.address(0, self.port))
    }

    fn may_fragment(&self) -> bool {
        false
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let mut state = self.network.state();
        let life = state.hosts.get(&self.host).map(|place| place.life);
        if life == Some(self.life) {
            state.inboxes.remove(&(self.host, self.port));
        }
    }
}

/// There is always room for one packet more.
#[derive(Debug)]
struct Writable;

impl UdpPoller for Writable {
    fn poll_writable(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
