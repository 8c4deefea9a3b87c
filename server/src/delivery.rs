//! The delivery stream of one connection: what the store has, then what comes.

use std::io;
use std::sync::Arc;

use sotto_net::frame::FrameWriter;
use sotto_net::quic::SendStream;
use sotto_net::wire::{CaughtUp, Delivery, DeliveryFrame, DeviceKey, Ephemeral, Sequence};
use tokio::sync::mpsc;

use crate::hub::Session;
use crate::store::Store;

/// Envelopes of one read from the store, and bytes after which it ends.
const READ_ENVELOPES: u32 = 256;
const READ_BYTES: usize = 256 * 1024;
/// Bytes that are put together before they are written.
const BATCH_BYTES: usize = 64 * 1024;

/// A mailbox on its way to its device.
pub(crate) struct Outflow<S> {
    pub(crate) store: Arc<S>,
    pub(crate) device: DeviceKey,
    pub(crate) session: Arc<Session>,
    pub(crate) live: mpsc::Receiver<Delivery>,
    pub(crate) ephemerals: mpsc::Receiver<Ephemeral>,
    pub(crate) frames: FrameWriter<DeliveryFrame, SendStream>,
    /// Delivered up to here.
    pub(crate) after: Sequence,
}

impl<S: Store> Outflow<S> {
    /// Delivers until the stream fails or the session ends. The store is asked again whenever the
    /// live queue has a gap, so that a slow reader gets everything and holds up nobody.
    pub(crate) async fn run(mut self) -> io::Result<()> {
        loop {
            self.session.take_behind();
            self.drain_store().await?;
            self.frames.put(
                &CaughtUp {
                    sequence: self.after,
                }
                .into(),
            );
            self.frames.flush().await?;
            if !self.drain_queue().await? {
                return Ok(());
            }
        }
    }

    async fn drain_store(&mut self) -> io::Result<()> {
        loop {
            let batch = self
                .store
                .read(self.device, self.after, READ_ENVELOPES, READ_BYTES)
                .await
                .map_err(io::Error::other)?;
            if batch.is_empty() {
                return Ok(());
            }
            for delivery in batch {
                self.put(delivery).await?;
            }
            self.frames.flush().await?;
        }
    }

    /// Delivers what comes; true when there is a gap, false at the end of the session.
    async fn drain_queue(&mut self) -> io::Result<bool> {
        loop {
            let delivery = if let Ok(delivery) = self.live.try_recv() {
                delivery
            } else {
                self.frames.flush().await?;
                if self.session.take_behind() {
                    return Ok(true);
                }
                let delivery = tokio::select! {
                    biased;
                    delivery = self.live.recv() => delivery,
                    Some(ephemeral) = self.ephemerals.recv() => {
                        self.frames.put(&ephemeral.into());
                        continue;
                    }
                };
                match delivery {
                    Some(delivery) => delivery,
                    None => return Ok(false),
                }
            };
            if delivery.sequence <= self.after {
                continue;
            }
            if delivery.sequence != self.after + 1 {
                return Ok(true);
            }
            self.put(delivery).await?;
        }
    }

    async fn put(&mut self, delivery: Delivery) -> io::Result<()> {
        self.after = delivery.sequence;
        self.frames.put(&delivery.into());
        if self.frames.pending_bytes() >= BATCH_BYTES {
            self.frames.flush().await?;
        }
        Ok(())
    }
}
