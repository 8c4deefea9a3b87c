//! The way of messages from one person through a relay to another, in every order in which
//! everything can happen: a model, of which all states are looked at.
//!
//! It is about what is durable, and when; what is in an envelope, and how a session would refuse one
//! that comes twice, is left out. What is on its way when a connection ends is as if it had never
//! been sent: to send and to arrive are one step here.
//!
//! | here | in the program |
//! |---|---|
//! | [`Step::Write`], [`Step::Send`], [`Step::Answer`] | `Engine::try_perform`: commit, then send; `Outbox::next`; `Core::settle` |
//! | [`Relay::take`], [`Step::Flush`], [`Relay::acknowledge`] | the relay's `Mailbox::put`, the writer's `carry_out`, `Mailbox::acknowledge` |
//! | [`Step::Listen`] | `SqliteStore::admit`, and `Core::link_up` with its Welcome |
//! | [`Step::Store`], [`Step::Acknowledge`] | `Core::resume_inbox`, `Vault::commit`, and only then `Uplink::put` |
//! | [`Recipient::recent`], [`Recipient::cursor`] | `RecentDeliveries`, `Change::SetCursor` |
//! | [`Disk::reserved`], [`Disk::lives`] | `rows::reserved`, `schema::begin_life` (WIRE §5) |
//!
//! Each [`Fault`] is something that the program must not do; for each, the search shows how it would
//! lose a message, show one twice, or in another order.

#![allow(
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that meets the unexpected fails there"
)]

use stateright::{Checker as _, HasDiscoveries, Model, Property};

/// A message, and the envelope that holds it.
type Id = u8;
/// A place in the mailbox.
type Sequence = u8;
/// A time in which the relay's store was open.
type Life = u8;

/// Sequences that are reserved at once.
const BLOCK: Sequence = 2;

/// Something that is done wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// A message is sent before the sender's vault has it.
    SendsBeforeCommit,
    /// A message leaves the outbox when it is sent.
    DoesNotWaitForAnAnswer,
    /// The relay answers when it has an envelope in memory.
    AnswersBeforeItIsSafe,
    /// After a crash the relay counts on from what is on its disk.
    GivesSequencesAgain,
    /// The relay takes cursors of lives that it does not know.
    TakesEveryCursor,
    /// The relay's files are copied as they are while it runs, of which its manual warns.
    CopiesWhileItRuns,
    /// A delivery is acknowledged before the recipient's vault has it.
    AcknowledgesBeforeCommit,
    /// The recipient's cursor is committed before the message.
    CursorBeforeMessage,
    /// The recipient's cursor, and the id, are committed after the message.
    MessageBeforeCursor,
    /// An envelope that comes again is shown again.
    ForgetsIds,
    /// The ids of what came are not in the vault.
    ForgetsIdsAtRestart,
}

const FAULTS: [Fault; 11] = [
    Fault::SendsBeforeCommit,
    Fault::DoesNotWaitForAnAnswer,
    Fault::AnswersBeforeItIsSafe,
    Fault::GivesSequencesAgain,
    Fault::TakesEveryCursor,
    Fault::CopiesWhileItRuns,
    Fault::AcknowledgesBeforeCommit,
    Fault::CursorBeforeMessage,
    Fault::MessageBeforeCursor,
    Fault::ForgetsIds,
    Fault::ForgetsIdsAtRestart,
];

/// How much may happen.
#[derive(Debug, Clone)]
struct Way {
    messages: Id,
    /// Crashes of the sender, the relay and the recipient.
    crashes: [u8; 3],
    /// Whether the relay's files may be copied at one of its crashes, and put back at a later one.
    may_be_put_back: bool,
    fault: Option<Fault>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    sender: Sender,
    relay: Relay,
    recipient: Recipient,
    crashes: [u8; 3],
    /// Messages that a relay that was put back has forgotten, though it had promised them: no
    /// program can help that.
    gone: Vec<Id>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Sender {
    /// Messages in the vault.
    written: Id,
    /// Those that the relay has not answered, in the vault.
    outbox: Vec<Id>,
    /// So much of the outbox was sent on this connection.
    sent: usize,
    /// Sent, and not in the vault: a fault.
    unwritten: Option<Id>,
}

/// What a relay's disk holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Disk {
    envelopes: Vec<(Sequence, Id)>,
    known: Vec<Id>,
    reserved: Sequence,
    lives: Vec<Life>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Relay {
    disk: Disk,
    copy: Option<Disk>,
    /// The last sequence that was given out.
    last: Sequence,
    /// What is not on the disk.
    held: Vec<(Sequence, Id)>,
    /// Up to here everything was acknowledged.
    acknowledged: Sequence,
    /// What was acknowledged before it was on the disk.
    fleeting: Vec<Id>,
    /// The number of this life; none comes twice.
    life: Life,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Recipient {
    /// Messages in the vault, in the order in which they are shown.
    shown: Vec<Id>,
    recent: Vec<Id>,
    cursor: (Life, Sequence),
    /// A second transaction that is still to come: a fault.
    later: Option<(Sequence, Id)>,
    /// What was delivered on this connection, and what may be acknowledged.
    link: Option<[Sequence; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The person writes; the message and its envelope are in the vault.
    Write,
    /// The next envelope of the outbox comes to the relay.
    Send,
    /// What the relay holds comes to its disk, and what was acknowledged leaves it.
    Flush,
    /// The relay answers the first envelope that waits for it.
    Answer,
    /// The recipient connects, with its cursor.
    Listen,
    /// The next envelope comes to the recipient, who stores it.
    Store,
    /// The second transaction of a recipient that needs two.
    StoreRest,
    /// An acknowledgement comes to the relay.
    Acknowledge,
    CrashSender,
    CrashRelay,
    CrashRecipient,
    /// The relay crashes, and its files are copied before it starts again.
    Copy,
    /// The relay crashes, and the copy is put back before it starts again.
    PutBack,
}

const STEPS: [Step; 13] = [
    Step::Write,
    Step::Send,
    Step::Flush,
    Step::Answer,
    Step::Listen,
    Step::Store,
    Step::StoreRest,
    Step::Acknowledge,
    Step::CrashSender,
    Step::CrashRelay,
    Step::CrashRecipient,
    Step::Copy,
    Step::PutBack,
];

/// Counts something down that may happen so often.
fn use_up(budget: &mut u8) -> Option<()> {
    *budget = budget.checked_sub(1)?;
    Some(())
}

impl Relay {
    fn is_safe(&self, id: Id) -> bool {
        self.disk.known.contains(&id) || self.fleeting.contains(&id)
    }

    /// An envelope arrives.
    fn take(&mut self, id: Id) {
        if self.is_safe(id) || self.held.iter().any(|(_, held)| *held == id) {
            return;
        }
        if self.last == self.disk.reserved {
            self.disk.reserved += BLOCK;
        }
        self.last += 1;
        self.held.push((self.last, id));
    }

    /// What waits behind this place.
    fn next(&self, after: Sequence) -> Option<(Sequence, Id)> {
        let waiting = self.disk.envelopes.iter().chain(&self.held).copied();
        let after = after.max(self.acknowledged);
        waiting.filter(|(sequence, _)| *sequence > after).min()
    }

    fn flush(&mut self) -> Option<()> {
        let disk = &mut self.disk;
        let before = (disk.envelopes.len(), self.held.len());
        disk.known.extend(self.held.iter().map(|(_, id)| *id));
        disk.known.sort_unstable();
        disk.known.dedup();
        disk.envelopes.append(&mut self.held);
        disk.envelopes
            .retain(|(sequence, _)| *sequence > self.acknowledged);
        (before != (disk.envelopes.len(), 0)).then_some(())
    }

    fn acknowledge(&mut self, up_to: Sequence) {
        self.acknowledged = self.acknowledged.max(up_to);
        let gone = self.held.extract_if(.., |(sequence, _)| *sequence <= up_to);
        self.fleeting.extend(gone.map(|(_, id)| id));
        self.fleeting.sort_unstable();
    }

    /// Whether a cursor counts here, and from where on deliveries follow.
    fn admit(&self, (life, after): (Life, Sequence), fault: Option<Fault>) -> Sequence {
        let is_known = self.disk.lives.contains(&life) || fault == Some(Fault::TakesEveryCursor);
        if is_known && after <= self.last {
            after
        } else {
            0
        }
    }

    /// Begins a life with what is on the disk.
    fn start(&mut self, disk: Disk, fault: Option<Fault>) {
        let sequences = disk.envelopes.iter().map(|(sequence, _)| *sequence);
        let last = match fault {
            Some(Fault::GivesSequencesAgain) => sequences.max().unwrap_or(0),
            _ => disk.reserved,
        };
        *self = Self {
            last,
            disk,
            copy: self.copy.take(),
            life: self.life + 1,
            ..Self::default()
        };
        self.disk.lives.push(self.life);
    }
}

impl Recipient {
    fn show(&mut self, id: Id, fault: Option<Fault>) {
        if !self.recent.contains(&id) || fault == Some(Fault::ForgetsIds) {
            self.shown.push(id);
        }
    }

    fn remember(&mut self, sequence: Sequence, id: Id) {
        if !self.recent.contains(&id) {
            self.recent.push(id);
        }
        self.cursor.1 = sequence;
    }
}

impl Way {
    fn is(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// Nothing if the step is not possible; the state is of no use then.
    fn step(&self, state: &mut State, step: Step) -> Option<()> {
        let State {
            sender,
            relay,
            recipient,
            ..
        } = state;
        match step {
            Step::Write | Step::Send | Step::Answer => self.step_sender(sender, relay, step)?,
            Step::Flush => relay.flush()?,
            Step::Listen | Step::Store | Step::StoreRest | Step::Acknowledge => {
                self.step_recipient(recipient, relay, step)?;
            }
            Step::CrashSender => {
                use_up(&mut state.crashes[0])?;
                sender.sent = 0;
                sender.unwritten = None;
            }
            Step::Copy if self.is(Fault::CopiesWhileItRuns) && relay.copy.is_none() => {
                relay.copy = Some(relay.disk.clone());
            }
            Step::CrashRelay | Step::Copy | Step::PutBack => {
                use_up(&mut state.crashes[1])?;
                self.crash_relay(state, step)?;
            }
            Step::CrashRecipient => {
                use_up(&mut state.crashes[2])?;
                recipient.link = None;
                recipient.later = None;
                if self.is(Fault::ForgetsIdsAtRestart) {
                    recipient.recent.clear();
                }
            }
        }
        Some(())
    }

    fn step_sender(&self, sender: &mut Sender, relay: &mut Relay, step: Step) -> Option<()> {
        match step {
            Step::Write => {
                if sender.written == self.messages {
                    return None;
                }
                if self.is(Fault::SendsBeforeCommit) && sender.unwritten.is_none() {
                    relay.take(sender.written);
                    sender.unwritten = Some(sender.written);
                    return Some(());
                }
                sender.unwritten = None;
                sender.outbox.push(sender.written);
                sender.written += 1;
            }
            Step::Send => {
                let id = *sender.outbox.get(sender.sent)?;
                relay.take(id);
                if self.is(Fault::DoesNotWaitForAnAnswer) {
                    sender.outbox.remove(sender.sent);
                } else {
                    sender.sent += 1;
                }
            }
            Step::Answer => {
                let id = *sender.outbox.first().filter(|_| sender.sent > 0)?;
                if !relay.is_safe(id) && !self.is(Fault::AnswersBeforeItIsSafe) {
                    return None;
                }
                sender.outbox.remove(0);
                sender.sent -= 1;
            }
            _ => return None,
        }
        Some(())
    }

    fn step_recipient(
        &self,
        recipient: &mut Recipient,
        relay: &mut Relay,
        step: Step,
    ) -> Option<()> {
        match step {
            Step::Listen => {
                if recipient.link.is_some() {
                    return None;
                }
                let after = relay.admit(recipient.cursor, self.fault);
                relay.acknowledge(after);
                recipient.link = Some([after, 0]);
                if recipient.cursor.0 != relay.life {
                    recipient.cursor = (relay.life, 0);
                }
            }
            Step::Store => {
                let [progress, acknowledged] = recipient.link.as_mut()?;
                let (sequence, id) = relay.next(*progress)?;
                if recipient.later.is_some() {
                    return None;
                }
                *progress = sequence;
                match self.fault {
                    Some(Fault::AcknowledgesBeforeCommit) => *acknowledged = sequence,
                    Some(Fault::CursorBeforeMessage) => recipient.cursor.1 = sequence,
                    Some(Fault::MessageBeforeCursor) => recipient.show(id, self.fault),
                    _ => {
                        *acknowledged = sequence;
                        recipient.show(id, self.fault);
                        recipient.remember(sequence, id);
                        return Some(());
                    }
                }
                recipient.later = Some((sequence, id));
            }
            Step::StoreRest => {
                let (sequence, id) = recipient.later.take()?;
                if !self.is(Fault::MessageBeforeCursor) {
                    recipient.show(id, self.fault);
                }
                recipient.remember(sequence, id);
                if let Some([_, acknowledged]) = &mut recipient.link {
                    *acknowledged = sequence;
                }
            }
            Step::Acknowledge => {
                let [_, up_to] = recipient.link.as_ref()?;
                if *up_to <= relay.acknowledged {
                    return None;
                }
                relay.acknowledge(*up_to);
            }
            _ => return None,
        }
        Some(())
    }

    fn crash_relay(&self, state: &mut State, step: Step) -> Option<()> {
        let State {
            sender,
            relay,
            recipient,
            ..
        } = state;
        sender.sent = 0;
        recipient.link = None;
        let disk = match step {
            Step::Copy if self.may_be_put_back && relay.copy.is_none() => {
                relay.copy = Some(relay.disk.clone());
                relay.disk.clone()
            }
            Step::CrashRelay => relay.disk.clone(),
            Step::PutBack => relay.copy.clone()?,
            _ => return None,
        };
        if step == Step::PutBack {
            let is_lost = |id: &Id| {
                !sender.outbox.contains(id)
                    && !recipient.shown.contains(id)
                    && !disk.envelopes.iter().any(|(_, it)| it == id)
            };
            state.gone = (0..sender.written).filter(is_lost).collect();
        }
        relay.start(disk, self.fault);
        Some(())
    }
}

/// Whether a message will still arrive, or has: the relay would deliver it, whenever the recipient
/// connects next.
fn is_kept(state: &State, id: Id) -> bool {
    let State {
        sender,
        relay,
        recipient,
        ..
    } = state;
    let passed = relay.admit(recipient.cursor, None);
    let is_at_relay = relay
        .disk
        .envelopes
        .iter()
        .any(|(sequence, it)| *it == id && *sequence > passed);
    sender.outbox.contains(&id) || recipient.shown.contains(&id) || is_at_relay
}

impl Model for Way {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        let mut relay = Relay::default();
        relay.start(Disk::default(), None);
        vec![State {
            sender: Sender::default(),
            relay,
            recipient: Recipient::default(),
            crashes: self.crashes,
            gone: Vec::new(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Step>) {
        let can = |step: &Step| self.step(&mut state.clone(), *step).is_some();
        actions.extend(STEPS.into_iter().filter(can));
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        let mut next = state.clone();
        self.step(&mut next, step)?;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("nothing is lost", |_, state: &State| {
                let mut written = 0..state.sender.written;
                written.all(|id| is_kept(state, id) || state.gone.contains(&id))
            }),
            Property::always("nothing is shown twice", |_, state: &State| {
                let shown = &state.recipient.shown;
                (1..shown.len()).all(|end| !shown[..end].contains(&shown[end]))
            }),
            Property::always("the order holds", |_, state: &State| {
                state.recipient.shown.is_sorted()
            }),
            Property::always("what is shown was written", |_, state: &State| {
                let State {
                    sender, recipient, ..
                } = state;
                let is_on_its_way = |id: &Id| sender.unwritten == Some(*id);
                let mut shown = recipient.shown.iter();
                shown.all(|id| *id < sender.written || is_on_its_way(id))
            }),
            Property::sometimes("everything has arrived", |way: &Self, state: &State| {
                state.recipient.shown.len() == usize::from(way.messages)
                    && state.sender.outbox.is_empty()
            }),
        ]
    }
}

#[test]
fn whatever_crashes_and_in_whatever_order_nothing_is_lost_shown_twice_or_out_of_order() {
    for (messages, crashes, may_be_put_back) in [(2, [1, 1, 1], false), (2, [0, 2, 1], true)] {
        let way = Way {
            messages,
            crashes,
            may_be_put_back,
            fault: None,
        };
        let checker = way.checker().threads(2).spawn_bfs().join();
        println!("{} states", checker.unique_state_count());
        checker.assert_properties();
    }
}

#[test]
fn each_fault_is_found() {
    for fault in FAULTS {
        let way = Way {
            messages: 2,
            crashes: [1, 2, 1],
            may_be_put_back: true,
            fault: Some(fault),
        };
        let checker = way
            .checker()
            .threads(2)
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_bfs()
            .join();
        let found = checker.discoveries();
        let failures: Vec<_> = found
            .iter()
            .filter(|(name, _)| **name != "everything has arrived")
            .map(|(name, path)| (*name, path.clone().into_actions()))
            .collect();
        println!(
            "{fault:?}: {} states, {failures:?}",
            checker.unique_state_count()
        );
        assert!(!failures.is_empty(), "{fault:?} is not found");
    }
}
