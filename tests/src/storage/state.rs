//! What a relay's store holds after some steps of a load.

use std::collections::{BTreeMap, BTreeSet};

use crate::storage::load::Step;

/// Mailboxes of a load.
pub const MAILBOXES: usize = 3;
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mailbox {
    /// Envelopes in order, with the time at which they were stored.
    pub(crate) waiting: Vec<(u32, u64)>,
    /// All envelopes that it ever held.
    pub(crate) known: BTreeSet<u32>,
    pub(crate) signed: Option<u32>,
    pub(crate) one_time: BTreeSet<u32>,
    pub(crate) taken: BTreeSet<u32>,
}

/// What a store holds after some steps of a load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    pub(crate) mailboxes: [Option<Mailbox>; MAILBOXES],
    /// Handles with their mailbox and name.
    pub(crate) handles: BTreeMap<String, (usize, String)>,
}

impl State {
    pub(crate) fn mailbox(&self, mailbox: usize) -> Option<&Mailbox> {
        self.mailboxes.get(mailbox)?.as_ref()
    }

    fn mailbox_mut(&mut self, mailbox: usize) -> Result<&mut Mailbox, String> {
        let mailbox = self.mailboxes.get_mut(mailbox).and_then(Option::as_mut);
        mailbox.ok_or_else(|| "DeviceUnknown".to_owned())
    }

    /// Envelopes that wait in a mailbox, in order.
    pub fn waiting(&self, mailbox: usize) -> impl Iterator<Item = u32> {
        let waiting = self.mailbox(mailbox).map(|mailbox| &mailbox.waiting);
        waiting.into_iter().flatten().map(|(envelope, _)| *envelope)
    }

    /// The highest number of a one-time prekey that a mailbox ever had.
    pub fn newest_prekey(&self, mailbox: usize) -> Option<u32> {
        let mailbox = self.mailbox(mailbox)?;
        mailbox.one_time.last().max(mailbox.taken.last()).copied()
    }

    /// Takes a step that the store has taken; gives its answer in the notes' words.
    pub fn carry_out(&mut self, step: &Step) -> String {
        let before = matches!(step, Step::Append { .. }).then(|| self.clone());
        self.try_step(step).unwrap_or_else(|declined| {
            // All targets or none.
            if let Some(before) = before {
                *self = before;
            }
            declined
        })
    }

    fn try_step(&mut self, step: &Step) -> Result<String, String> {
        match step {
            Step::Admit(mailbox) => {
                if let Some(mailbox) = self.mailboxes.get_mut(*mailbox) {
                    mailbox.get_or_insert_default();
                }
            }
            Step::Append {
                envelope,
                targets,
                quota,
                stored_secs,
            } => {
                for target in targets {
                    let mailbox = self.mailbox_mut(*target)?;
                    if !mailbox.known.insert(*envelope) {
                        continue;
                    }
                    if mailbox.waiting.len() as u64 >= *quota {
                        return Err("MailboxFull".to_owned());
                    }
                    mailbox.waiting.push((*envelope, *stored_secs));
                }
            }
            Step::Acknowledge { mailbox, envelope } => {
                let waiting = &mut self.mailbox_mut(*mailbox)?.waiting;
                let place = waiting.iter().position(|(it, _)| it == envelope);
                waiting.drain(..place.map_or(0, |place| place + 1));
            }
            Step::Publish {
                mailbox,
                signed,
                one_time,
            } => {
                let mailbox = self.mailbox_mut(*mailbox)?;
                mailbox.signed = signed.or(mailbox.signed);
                let new = one_time.iter().filter(|it| !mailbox.taken.contains(it));
                mailbox.one_time.extend(new);
            }
            Step::Take(mailbox) => {
                let mailbox = self.mailbox_mut(*mailbox)?;
                let signed = mailbox.signed.ok_or("NoPrekeys")?;
                let one_time = mailbox.one_time.pop_first();
                mailbox.taken.extend(one_time);
                return Ok(format!("bundle {signed} {one_time:?}"));
            }
            Step::Claim {
                mailbox,
                handle,
                name,
            } => {
                self.mailbox_mut(*mailbox)?;
                let claimed = self.handles.get(handle);
                if claimed.is_some_and(|(owner, _)| owner != mailbox) {
                    return Err("HandleTaken".to_owned());
                }
                self.handles
                    .insert(handle.clone(), (*mailbox, name.clone()));
            }
            Step::Expire(before_secs) => {
                let mut expired = 0;
                for mailbox in self.mailboxes.iter_mut().flatten() {
                    let held = mailbox.waiting.len();
                    mailbox.waiting.retain(|(_, stored)| stored >= before_secs);
                    expired += held - mailbox.waiting.len();
                }
                return Ok(format!("expired {expired}"));
            }
        }
        Ok("done".to_owned())
    }
}

/// What so many requests for bundles are answered.
pub(crate) fn expected(mailbox: &Mailbox, bundles: usize) -> Vec<String> {
    let mut state = State::default();
    state.mailboxes[0] = Some(mailbox.clone());
    (0..bundles)
        .map(|_| state.carry_out(&Step::Take(0)))
        .collect()
}
