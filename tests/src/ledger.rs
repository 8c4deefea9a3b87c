//! What an honest relay knows and answers, in memory and in a few lines: the ground that a hostile
//! one lies upon.

use std::collections::HashMap;

use bytes::Bytes;
use sotto_net::quic;
use sotto_net::wire::{
    Bundle, CaughtUp, ClientFrame, Delivery, DeliveryFrame, DeviceKey, Done, Entry, EnvelopeId,
    Login, Mark, Prekey, PreviousMark, Refusal, Refused, RelayFrame, Send, Sequence, StoreId,
    Welcome,
};

/// Something for one of the devices.
pub(crate) enum Said {
    Reply(RelayFrame),
    Delivery(DeliveryFrame),
}

impl<T: Into<RelayFrame>> From<T> for Said {
    fn from(frame: T) -> Self {
        Self::Reply(frame.into())
    }
}

/// What a device has at the relay.
#[derive(Debug, Default)]
struct Mailbox {
    envelopes: Vec<Delivery>,
    last: Sequence,
    signed: Option<Prekey>,
    one_time: Vec<Prekey>,
    mark: Option<Mark>,
}

/// Mailboxes and directory.
#[derive(Debug)]
pub struct Ledger {
    /// The minor version that it speaks.
    pub minor: u16,
    /// The life of the store.
    pub store: StoreId,
    mailboxes: HashMap<DeviceKey, Mailbox>,
    directory: Vec<(DeviceKey, Entry)>,
}

impl Ledger {
    pub(crate) fn new() -> Self {
        Self {
            minor: quic::MINOR_VERSION,
            store: StoreId([5; 16]),
            mailboxes: HashMap::new(),
            directory: Vec::new(),
        }
    }

    /// The device that claimed a handle.
    pub fn device(&self, handle: &str) -> Option<DeviceKey> {
        let line = self.directory.iter().find(|(_, it)| it.handle == handle);
        line.map(|(device, _)| *device)
    }

    /// The line of a handle that was claimed.
    pub fn entry(&self, handle: &str) -> Option<Entry> {
        let line = self.directory.iter().find(|(_, it)| it.handle == handle);
        line.map(|(_, entry)| entry.clone())
    }

    /// Puts another line in the place of a handle's; whose mailbox it is stays as it is.
    pub fn replace(&mut self, entry: &Entry) {
        for (_, line) in &mut self.directory {
            if line.handle == entry.handle {
                *line = entry.clone();
            }
        }
    }

    /// Forgets the one-time prekeys of a device.
    pub fn forget_one_time(&mut self, device: DeviceKey) {
        self.mailboxes.entry(device).or_default().one_time.clear();
    }

    /// Counts a mailbox from the start again.
    pub fn set_back(&mut self, device: DeviceKey) {
        let mailbox = self.mailboxes.entry(device).or_default();
        mailbox.last = 0;
        mailbox.envelopes.clear();
    }

    /// Puts an envelope into a mailbox, whoever wrote it.
    pub fn put(&mut self, device: DeviceKey, id: EnvelopeId, body: Bytes) -> Delivery {
        let mailbox = self.mailboxes.entry(device).or_default();
        mailbox.last += 1;
        let delivery = Delivery {
            sequence: mailbox.last,
            id,
            body,
        };
        mailbox.envelopes.push(delivery.clone());
        delivery
    }

    /// Welcome, directory and mail.
    pub(crate) fn log_in(&mut self, login: &Login) -> Vec<Said> {
        let mailbox = self.mailboxes.entry(login.device).or_default();
        if login.store == self.store && login.after <= mailbox.last {
            mailbox
                .envelopes
                .retain(|envelope| envelope.sequence > login.after);
        }
        let mut said = vec![
            Welcome {
                minor: self.minor,
                store: self.store,
                signed_prekey: mailbox.signed.as_ref().map(|signed| signed.id),
                one_time_prekeys: u32::try_from(mailbox.one_time.len()).unwrap_or(u32::MAX),
            }
            .into(),
        ];
        let sequence = mailbox.last;
        let mail = mailbox.envelopes.iter().cloned().map(DeliveryFrame::from);
        said.extend(mail.map(Said::Delivery));
        said.push(Said::Delivery(CaughtUp { sequence }.into()));
        said.extend(self.directory.iter().map(|(_, entry)| entry.clone().into()));
        said
    }

    /// What follows from a request; news for everybody have no device.
    pub(crate) fn answer(
        &mut self,
        from: DeviceKey,
        frame: ClientFrame,
    ) -> Vec<(Option<DeviceKey>, Said)> {
        let answered = |frame: Said| vec![(Some(from), frame)];
        match frame {
            ClientFrame::Claim(claim) => {
                let entry = Entry {
                    request: 0,
                    handle: claim.handle,
                    name: claim.name,
                    identity: Some(claim.identity),
                };
                self.directory.retain(|(_, it)| it.handle != entry.handle);
                self.directory.push((from, entry.clone()));
                let request = claim.request;
                vec![(Some(from), Done { request }.into()), (None, entry.into())]
            }
            ClientFrame::PublishPrekeys(publication) => {
                let mailbox = self.mailboxes.entry(from).or_default();
                mailbox.signed = publication.signed.or(mailbox.signed.take());
                mailbox.one_time.extend(publication.one_time);
                let request = publication.request;
                answered(Done { request }.into())
            }
            ClientFrame::TakeBundle(take) => {
                let request = take.request;
                let mailbox = self.mailboxes.entry(take.device).or_default();
                answered(match mailbox.signed.clone() {
                    Some(signed) => Bundle {
                        request,
                        signed: signed.record,
                        one_time: mailbox.one_time.pop().map(|prekey| prekey.record),
                    }
                    .into(),
                    None => refused(request, Refusal::NoPrekeys).into(),
                })
            }
            ClientFrame::LeaveMark(leave) => {
                let mailbox = self.mailboxes.entry(from).or_default();
                let (request, mark) = (leave.request, mailbox.mark);
                mailbox.mark = leave.mark.or(mark);
                answered(PreviousMark { request, mark }.into())
            }
            ClientFrame::WithdrawPrekeys(withdraw) => {
                let mailbox = self.mailboxes.entry(from).or_default();
                mailbox.signed = None;
                mailbox.one_time.clear();
                let request = withdraw.request;
                answered(Done { request }.into())
            }
            ClientFrame::Send(send) => self.send(from, send),
            ClientFrame::Acknowledge(acknowledge) => {
                let mailbox = self.mailboxes.entry(from).or_default();
                let is_left = |envelope: &Delivery| envelope.sequence > acknowledge.up_to;
                mailbox.envelopes.retain(is_left);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn send(&mut self, from: DeviceKey, send: Send) -> Vec<(Option<DeviceKey>, Said)> {
        let request = send.request;
        let mut said = vec![(Some(from), Done { request }.into())];
        for (device, body) in send.targets {
            let delivery = self.put(device, send.id, body);
            said.push((Some(device), Said::Delivery(delivery.into())));
        }
        said
    }
}

pub(crate) fn refused(request: u32, reason: Refusal) -> Refused {
    Refused {
        request,
        reason,
        retry_after_millis: 0,
    }
}
