//! The delivery stream of one connection: what the mailbox has, then what comes.

use std::io;
use std::sync::Arc;

use sotto_net::frame::FrameWriter;
use sotto_net::quic::SendStream;
use sotto_net::wire::{CaughtUp, DeliveryFrame, DeviceKey, Ephemeral, Sequence};
use tokio::sync::mpsc;

use crate::planted;
use crate::progress::Progress;
use crate::store::{Attendance, Store};

/// Envelopes of one read from the store, and bytes after which it ends: what is written at once.
const READ_ENVELOPES: u32 = 256;
const READ_BYTES: usize = 64 * 1024;

/// A mailbox on its way to its device.
pub(crate) struct Outflow<S> {
    pub(crate) store: Arc<S>,
    pub(crate) device: DeviceKey,
    pub(crate) attendance: Attendance,
    pub(crate) ephemerals: mpsc::Receiver<Ephemeral>,
    pub(crate) frames: FrameWriter<DeliveryFrame, SendStream>,
    pub(crate) progress: Progress,
    /// Delivered up to here.
    pub(crate) after: Sequence,
}

impl<S: Store> Outflow<S> {
    /// Delivers until the stream fails or the session ends. A slow reader gets everything from the
    /// store and holds up nobody.
    pub(crate) async fn run(mut self) -> io::Result<()> {
        self.deliver().await?;
        let sequence = self.after;
        self.frames.send(&CaughtUp { sequence }.into()).await?;
        loop {
            tokio::select! {
                biased;
                () = self.attendance.arrival() => self.deliver().await?,
                ephemeral = self.ephemerals.recv() => match ephemeral {
                    Some(ephemeral) => self.frames.send(&ephemeral.into()).await?,
                    None => return Ok(()),
                },
            }
        }
    }

    /// Delivers everything that is there.
    async fn deliver(&mut self) -> io::Result<()> {
        loop {
            let deliveries = self
                .store
                .read(self.device, self.after, READ_ENVELOPES, READ_BYTES)
                .await
                .map_err(io::Error::other)?;
            let Some(last) = deliveries.last() else {
                return Ok(());
            };
            self.after = last.sequence + u64::from(planted::is("delivery_skips_one"));
            for delivery in deliveries {
                self.progress.delivered(delivery.sequence);
                self.frames.put(&delivery.into());
            }
            self.frames.flush().await?;
        }
    }
}
