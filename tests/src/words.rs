//! What a hostile relay says: frames and other bytes, on the streams of one connection.

use std::sync::mpsc;

use bytes::{Bytes, BytesMut};
use sotto_net::frame::{Frames, put_frame};
use sotto_net::quic::SendStream;
use sotto_net::wire::{DeliveryFrame, RelayFrame};
use tokio::sync::mpsc as queue;

use crate::ledger::Said;

/// Where something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Answers and news.
    Control,
    /// Envelopes.
    Delivery,
}

/// What one connection is told, in order on each of its streams.
#[derive(Debug, Clone)]
pub struct Words {
    control: queue::UnboundedSender<Word>,
    delivery: queue::UnboundedSender<Word>,
}

pub(crate) struct Word {
    bytes: Bytes,
    /// How often.
    times: u64,
    /// Byte by byte.
    is_slow: bool,
    /// Told how often it was written, or that the connection ended before.
    written: Option<mpsc::Sender<u64>>,
}

/// What is left to say on one stream.
pub(crate) type Queue = queue::UnboundedReceiver<Word>;

impl Words {
    /// Words, and the queues of both streams to be written.
    pub(crate) fn new() -> (Self, Queue, Queue) {
        let (control, to_control) = queue::unbounded_channel();
        let (delivery, to_delivery) = queue::unbounded_channel();
        (Self { control, delivery }, to_control, to_delivery)
    }

    /// On the control stream.
    pub fn reply(&self, frame: impl Into<RelayFrame>) {
        self.say(Stream::Control, bytes(&frame.into()));
    }

    /// On the delivery stream.
    pub fn deliver(&self, frame: impl Into<DeliveryFrame>) {
        self.say(Stream::Delivery, bytes(&frame.into()));
    }

    /// These bytes, whatever they are.
    pub fn say(&self, stream: Stream, bytes: Bytes) {
        self.put(stream, bytes, 1, false, None);
    }

    /// These bytes, one after the other.
    pub fn say_slowly(&self, stream: Stream, bytes: Bytes) {
        self.put(stream, bytes, 1, true, None);
    }

    pub(crate) fn put(
        &self,
        stream: Stream,
        bytes: Bytes,
        times: u64,
        is_slow: bool,
        written: Option<mpsc::Sender<u64>>,
    ) {
        let queue = match stream {
            Stream::Control => &self.control,
            Stream::Delivery => &self.delivery,
        };
        // A connection that is gone hears nothing; whoever waits for `written` learns of it.
        let _gone = queue.send(Word {
            bytes,
            times,
            is_slow,
            written,
        });
    }

    pub(crate) fn pass(&self, said: Said) {
        match said {
            Said::Reply(frame) => self.reply(frame),
            Said::Delivery(frame) => self.deliver(frame),
        }
    }
}

/// A frame as bytes.
pub fn bytes(frame: &impl Frames) -> Bytes {
    let mut bytes = BytesMut::new();
    put_frame(frame, &mut bytes);
    bytes.freeze()
}

pub(crate) async fn write(mut stream: SendStream, mut words: Queue) {
    while let Some(word) = words.recv().await {
        let mut times = 0;
        while times < word.times && write_word(&mut stream, &word).await.is_some() {
            times += 1;
        }
        if let Some(written) = &word.written {
            // Nobody may wait for it any more.
            let _unheard = written.send(times);
        }
        if times < word.times {
            return;
        }
    }
}

async fn write_word(stream: &mut SendStream, word: &Word) -> Option<()> {
    if !word.is_slow {
        return stream.write_all(&word.bytes).await.ok();
    }
    for byte in &word.bytes {
        stream.write_all(&[*byte]).await.ok()?;
        // What was written goes on its way before the next one.
        tokio::task::yield_now().await;
    }
    Some(())
}
