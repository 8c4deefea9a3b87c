//! Whatever happens on the way and to the disk, by chance: several people, groups, losses,
//! repetitions, restarts, states that are rolled back or used twice, and a thief of states.

use std::collections::HashSet;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::chain::{CHAINS_MAX, SKIPPED_MAX};
use crate::group::{Capsule, GroupContext};
use crate::ids::{GroupId, GroupMessageId, MembersHash};
use crate::prekey::PrekeyKind;
use crate::testing::seals::SealWatch;
use crate::testing::{FixedRng, alice, bob, rng};

const PEOPLE: usize = 3;

#[derive(Debug, Clone)]
enum Event {
    Send {
        from: usize,
        to: usize,
    },
    SendToGroup {
        from: usize,
    },
    /// The packet at `index` of those on their way to somebody.
    Deliver {
        to: usize,
        index: usize,
    },
    /// One that was delivered before.
    Repeat {
        to: usize,
        index: usize,
    },
    Drop {
        to: usize,
        index: usize,
    },
    /// Delivered with one bit changed; the right one stays on its way.
    Flip {
        to: usize,
        index: usize,
        bit: usize,
    },
    Restart {
        who: usize,
    },
    Wait {
        secs: u64,
    },
    /// Somebody's whole state is copied…
    Copy {
        who: usize,
    },
    /// …and taken back…
    RollBack {
        who: usize,
    },
    /// …or used beside the right one, to send.
    SendFromCopy {
        from: usize,
        to: usize,
    },
}

fn pair() -> impl Strategy<Value = (usize, usize)> {
    (0..PEOPLE, 1..PEOPLE).prop_map(|(from, by)| (from, (from + by) % PEOPLE))
}

fn event() -> impl Strategy<Value = Event> {
    let who = 0..PEOPLE;
    let at = (who.clone(), 0..64_usize);
    prop_oneof![
        8 => pair().prop_map(|(from, to)| Event::Send { from, to }),
        2 => who.clone().prop_map(|from| Event::SendToGroup { from }),
        12 => at.clone().prop_map(|(to, index)| Event::Deliver { to, index }),
        2 => at.clone().prop_map(|(to, index)| Event::Repeat { to, index }),
        1 => at.clone().prop_map(|(to, index)| Event::Drop { to, index }),
        2 => (at, 16..40_000_usize).prop_map(|((to, index), bit)| Event::Flip { to, index, bit }),
        1 => who.prop_map(|who| Event::Restart { who }),
        3 => (0..40_u64).prop_map(|secs| Event::Wait { secs }),
    ]
}

fn event_or_copy() -> impl Strategy<Value = Event> {
    prop_oneof![
        24 => event(),
        2 => (0..PEOPLE).prop_map(|who| Event::Copy { who }),
        1 => (0..PEOPLE).prop_map(|who| Event::RollBack { who }),
        2 => pair().prop_map(|(from, to)| Event::SendFromCopy { from, to }),
    ]
}

/// Everybody's keys; RSA keys take their time, so they are made once.
fn identity(who: usize) -> &'static Identity {
    static THIRD: LazyLock<Identity> =
        LazyLock::new(|| Identity::generate(&mut rng(3)).expect("a key"));
    [alice(), bob(), &THIRD][who]
}

fn signed(who: usize) -> PrekeySecret {
    PrekeySecret::generate(PrekeyKind::Signed, 1, u64::MAX, &mut rng(100 + who as u64))
}

/// What lies on somebody's disk: sessions with each of the others, and accepted handshakes.
#[derive(Clone, Default)]
struct Disk {
    sessions: [Vec<Session>; PEOPLE],
    accepted: HashSet<[u8; 32]>,
}

impl Disk {
    /// All bytes of it that a failed packet must not change.
    fn stored(&self) -> Vec<Vec<u8>> {
        let sessions = self.sessions.iter().flatten();
        sessions.map(|it| it.to_stored().to_vec()).collect()
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Content {
    Text(Vec<u8>),
    Capsule(Capsule),
}

impl From<Opened> for Content {
    fn from(opened: Opened) -> Self {
        match opened {
            Opened::Text(text) => Self::Text(text.to_vec()),
            Opened::Capsule(capsule) => Self::Capsule(capsule),
        }
    }
}

/// A packet on its way, and what it should open to.
#[derive(Clone)]
struct Sent {
    from: usize,
    session: SessionId,
    epoch: u32,
    bytes: Vec<u8>,
    content: Content,
}

struct World {
    disks: [Disk; PEOPLE],
    copies: [Option<Disk>; PEOPLE],
    /// Whose state was rolled back or used twice: what exactly opens is then open.
    disturbed: [bool; PEOPLE],
    on_the_way: [Vec<Sent>; PEOPLE],
    delivered: [Vec<Sent>; PEOPLE],
    bodies: Vec<(GroupContext, Capsule, Vec<u8>, Vec<u8>)>,
    now_secs: u64,
    count: u64,
    rng: FixedRng,
}

impl World {
    fn new() -> Self {
        Self {
            disks: Default::default(),
            copies: Default::default(),
            disturbed: [false; PEOPLE],
            on_the_way: Default::default(),
            delivered: Default::default(),
            bodies: Vec::new(),
            now_secs: 1_000,
            count: 0,
            rng: rng(77),
        }
    }

    fn run(&mut self, events: &[Event]) {
        for event in events {
            self.happen(event);
            for session in self
                .disks
                .iter()
                .flat_map(|disk| disk.sessions.iter().flatten())
            {
                let chains = &session.receiving;
                let kept: usize = chains.iter().map(|chain| chain.skipped.len()).sum();
                assert!(chains.len() <= CHAINS_MAX && kept <= SKIPPED_MAX);
            }
        }
    }

    fn happen(&mut self, event: &Event) {
        match *event {
            Event::Send { from, to } => {
                self.count += 1;
                let text = self.count.to_be_bytes().to_vec();
                self.send(from, to, &Content::Text(text));
            }
            Event::SendToGroup { from } => self.send_to_group(from),
            Event::Deliver { to, index } => {
                if let Some(index) = index.checked_rem(self.on_the_way[to].len()) {
                    let sent = self.on_the_way[to].remove(index);
                    self.deliver(to, &sent);
                    self.delivered[to].push(sent);
                }
            }
            Event::Repeat { to, index } => {
                if let Some(index) = index.checked_rem(self.delivered[to].len()) {
                    let sent = self.delivered[to][index].clone();
                    let opened = self.open(to, &sent.bytes);
                    let either = self.disturbed[to] || self.disturbed[sent.from];
                    assert!(opened.is_err() || either, "opened twice");
                }
            }
            Event::Drop { to, index } => {
                if let Some(index) = index.checked_rem(self.on_the_way[to].len()) {
                    self.on_the_way[to].remove(index);
                }
            }
            Event::Flip { to, index, bit } => {
                if let Some(index) = index.checked_rem(self.on_the_way[to].len()) {
                    let mut bytes = self.on_the_way[to][index].bytes.clone();
                    let bit = bit % (bytes.len() * 8);
                    bytes[bit / 8] ^= 1 << (bit % 8);
                    assert!(self.open(to, &bytes).is_err(), "bit {bit}");
                }
            }
            Event::Restart { who } => {
                for session in self.disks[who].sessions.iter_mut().flatten() {
                    let stored = session.to_stored();
                    *session = Session::from_stored(&stored).unwrap();
                    assert_eq!(session.to_stored(), stored);
                }
            }
            Event::Wait { secs } => self.now_secs += secs,
            Event::Copy { who } => self.copies[who] = Some(self.disks[who].clone()),
            Event::RollBack { who } => {
                if let Some(copy) = &self.copies[who] {
                    self.disks[who] = copy.clone();
                    self.disturbed[who] = true;
                }
            }
            Event::SendFromCopy { from, to } => {
                if let Some(copy) = self.copies[from].take() {
                    let right = std::mem::replace(&mut self.disks[from], copy);
                    self.disturbed[from] = true;
                    self.happen(&Event::Send { from, to });
                    self.copies[from] = Some(std::mem::replace(&mut self.disks[from], right));
                }
            }
        }
    }

    /// Seals in the session that both ends choose; starts one if there is none.
    fn send(&mut self, from: usize, to: usize, content: &Content) {
        if self.disks[from].sessions[to].is_empty() {
            self.start(from, to);
        }
        let sessions = &mut self.disks[from].sessions[to];
        let session = sessions.iter_mut().min_by_key(|it| it.id()).unwrap();
        let sealed = match content {
            Content::Text(text) => session.seal(text, self.now_secs, &mut self.rng),
            Content::Capsule(capsule) => {
                session.seal_capsule(capsule, self.now_secs, &mut self.rng)
            }
        };
        let sealed = sealed.unwrap();
        *session = sealed.next;
        self.on_the_way[to].push(Sent {
            from,
            session: session.id(),
            epoch: session.sending.as_ref().unwrap().epoch,
            bytes: sealed.output,
            content: content.clone(),
        });
    }

    fn start(&mut self, from: usize, to: usize) {
        let record = signed(to).record(identity(to));
        let bundle = VerifiedBundle::verify(identity(to).public(), &record, None, 0).unwrap();
        let started = Session::start(identity(from), &bundle, self.now_secs, &mut self.rng);
        self.disks[from].sessions[to].push(started.unwrap());
    }

    fn send_to_group(&mut self, from: usize) {
        let accounts = (0..PEOPLE).map(|who| identity(who).public().account_id());
        let sender = identity(from).public().device_id();
        let before = self
            .bodies
            .iter()
            .rev()
            .find(|(place, ..)| place.sender == sender);
        let zero = GroupMessageId::from_bytes([0; 32]);
        let place = GroupContext {
            group: GroupId::from_bytes([1; 32]),
            epoch: 0,
            members: MembersHash::of(accounts),
            sender,
            previous: before.map_or(zero, |(_, capsule, ..)| capsule.id()),
        };
        let text = (self.bodies.len() as u64).to_be_bytes().to_vec();
        let (body, capsule) = place.seal(&text, &mut self.rng).unwrap();
        for to in (0..PEOPLE).filter(|to| *to != from) {
            self.send(from, to, &Content::Capsule(capsule.clone()));
        }
        self.bodies.push((place, capsule, body, text));
    }

    /// Delivers a packet for the first time.
    fn deliver(&mut self, to: usize, sent: &Sent) {
        let session = self.disks[to].sessions[sent.from]
            .iter()
            .find(|session| session.id() == sent.session);
        // Only the keys of the newest five chains are kept.
        let is_too_old = session.is_some_and(|it| it.newest_received_epoch() >= sent.epoch + 10);
        let may_fail = is_too_old || self.disturbed[to] || self.disturbed[sent.from];
        match self.open(to, &sent.bytes) {
            Ok((author, content)) => {
                assert_eq!(author, sent.from, "from its author and nobody else");
                assert_eq!(content, sent.content);
                if let Content::Capsule(capsule) = content {
                    self.read_body(author, &capsule);
                }
            }
            Err(error) => assert!(may_fail, "{error:?}"),
        }
    }

    fn read_body(&self, author: usize, capsule: &Capsule) {
        for (place, of_body, body, text) in &self.bodies {
            let opened = place.open(capsule, body);
            if of_body == capsule {
                assert_eq!(opened.unwrap().as_slice(), text);
                assert_eq!(place.sender, identity(author).public().device_id());
            } else {
                assert!(opened.is_err());
            }
        }
    }

    /// As a client does: by the tag, or as a first message. A failure changes nothing.
    fn open(&mut self, to: usize, bytes: &[u8]) -> Result<(usize, Content), OpenError> {
        let before = self.disks[to].stored();
        let opened = self.try_open(to, bytes);
        assert!(opened.is_ok() || self.disks[to].stored() == before);
        opened
    }

    fn try_open(&mut self, to: usize, bytes: &[u8]) -> Result<(usize, Content), OpenError> {
        let packet = Packet::parse(bytes)?;
        let disk = &mut self.disks[to];
        for (author, sessions) in disk.sessions.iter_mut().enumerate() {
            for session in sessions {
                if session.expects(&packet.tag()) {
                    let step = session.open(&packet, self.now_secs, &mut self.rng)?;
                    *session = step.next;
                    return Ok((author, step.output.into()));
                }
            }
        }
        let handshake = packet.handshake().ok_or(OpenError::NotAuthentic)?;
        if disk.accepted.contains(&handshake.digest()) {
            return Err(OpenError::NotAuthentic);
        }
        let me = identity(to);
        let secret = signed(to);
        let accepted = Session::accept(me, &secret, None, &packet, self.now_secs, &mut self.rng)?;
        let author = (0..PEOPLE)
            .find(|who| identity(*who).public().device_id() == accepted.peer.device_id())
            .expect("somebody of these");
        disk.accepted.insert(handshake.digest());
        disk.sessions[author].push(accepted.session);
        Ok((author, accepted.opened.into()))
    }

    /// Sends and delivers at once.
    fn say(&mut self, from: usize, to: usize) {
        self.now_secs += 60;
        self.happen(&Event::Send { from, to });
        let sent = self.on_the_way[to].pop().unwrap();
        self.deliver(to, &sent);
        self.delivered[to].push(sent);
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn every_schedule_delivers_each_message_once(
        events in prop::collection::vec(event(), 1..120)
    ) {
        let watch = SealWatch::start();
        let mut world = World::new();
        world.run(&events);
        // Whatever happened, everybody can still talk.
        for (from, to) in [(0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)] {
            world.say(from, to);
        }
        assert!(watch.count() > 0);
    }

    #[test]
    fn rollbacks_and_clones_repeat_no_key_with_its_nonce(
        events in prop::collection::vec(event_or_copy(), 1..120)
    ) {
        let watch = SealWatch::start();
        let mut world = World::new();
        world.run(&events);
        // New handshakes bring everybody together again.
        for (from, to) in [(0, 1), (2, 0), (1, 2)] {
            for (who, peer) in [(from, to), (to, from)] {
                world.disks[who].sessions[peer].clear();
            }
        }
        world.disturbed = [false; PEOPLE];
        for (from, to) in [(0, 1), (1, 0), (2, 0), (0, 2), (1, 2), (2, 1)] {
            world.say(from, to);
        }
        assert!(watch.count() > 0);
    }

    /// The thief has Bob's sessions; what prekeys would give is another matter (PROTOCOL §3.6).
    #[test]
    fn a_thief_of_sessions_is_left_behind_after_a_round_trip(
        events in prop::collection::vec(event(), 1..80)
    ) {
        let mut world = World::new();
        world.run(&events);
        world.say(0, 1);
        world.say(1, 0);
        let before = world.delivered[1].clone();
        let stolen = world.disks[1].clone();
        let thief = |world: &mut World, bytes: &[u8]| {
            let right = std::mem::replace(&mut world.disks[1], stolen.clone());
            let opened = world.open(1, bytes);
            world.disks[1] = right;
            opened.is_ok()
        };
        for sent in &before {
            assert!(!thief(&mut world, &sent.bytes), "forward secrecy");
        }
        // One message each way heals, whoever was to step: Bob's step has randomness of his own.
        world.say(0, 1);
        world.say(1, 0);
        world.say(0, 1);
        world.say(1, 0);
        world.say(0, 1);
        let after = world.delivered[1].last().unwrap().bytes.clone();
        assert!(!thief(&mut world, &after), "healing");
    }
}
