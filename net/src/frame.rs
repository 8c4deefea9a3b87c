//! Length-prefixed frames on a byte stream (WIRE §2).
//!
//! ```text
//! length u32 big-endian | kind u8 | payload (length - 1 bytes)
//! ```

use std::io;
use std::marker::PhantomData;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest frame, without its length field, in bytes: four envelopes of the largest size, or
/// 128 group capsules, with room for their heads.
pub const FRAME_BYTES_MAX: usize = 256 * 1024;

/// The longest frame before login, in bytes. A stranger can make the relay hold no more than this.
pub const STRANGER_FRAME_BYTES_MAX: usize = 16 * 1024;

/// Bytes of the length field.
const LENGTH_BYTES: usize = 4;

/// How much is asked of the stream at once, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Turns that it takes from a socket to a stream: the endpoint's task, the connection's, the reader's.
const RECEIVE_TURNS: usize = 3;

/// Why a frame could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The stream failed.
    #[error("stream failed")]
    Stream(#[from] io::Error),
    /// The frame is longer than this reader accepts.
    #[error("frame of {bytes} bytes exceeds the limit of {bytes_max}")]
    TooLong {
        /// Announced length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The frame has no kind, or its payload does not decode.
    #[error("malformed frame")]
    Malformed,
    /// The stream ended inside a frame.
    #[error("stream ended inside a frame")]
    Truncated,
}

/// The frames of one direction.
pub trait Frames: Sized {
    /// Appends kind and payload.
    fn encode(&self, out: &mut BytesMut);

    /// Reads a payload of this kind; `None` for a kind that this version does not know.
    ///
    /// # Errors
    /// [`FrameError::Malformed`] when the kind is known and the payload does not decode.
    fn decode(kind: u8, payload: Bytes) -> Result<Option<Self>, FrameError>;
}

/// Appends a whole frame, length included.
pub fn put_frame(frame: &impl Frames, out: &mut BytesMut) {
    let start = out.len();
    out.put_u32(0);
    frame.encode(out);
    let length = u32::try_from(out.len() - start - LENGTH_BYTES).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(start..start + LENGTH_BYTES) {
        field.copy_from_slice(&length.to_be_bytes());
    }
}

/// Reads frames of one direction from a stream.
///
/// Cancelling [`FrameReader::next`] loses nothing.
#[derive(Debug)]
pub struct FrameReader<F, S> {
    stream: S,
    buffer: BytesMut,
    bytes_max: usize,
    frames: PhantomData<fn() -> F>,
}

impl<F: Frames, S: AsyncRead + Unpin> FrameReader<F, S> {
    /// A reader that accepts frames of up to `bytes_max` bytes (without the length field).
    pub fn new(stream: S, bytes_max: usize) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            bytes_max,
            frames: PhantomData,
        }
    }

    /// Accepts frames of up to `bytes_max` bytes from now on.
    pub fn set_limit(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
    }

    /// The next frame of a known kind; `None` at a clean end of the stream. Frames of unknown
    /// kinds are skipped, so that a newer peer does not break an older one.
    ///
    /// # Errors
    /// See [`FrameError`]; the stream is of no use afterwards.
    pub async fn next(&mut self) -> Result<Option<F>, FrameError> {
        loop {
            while let Some((kind, payload)) = self.take_buffered()? {
                if let Some(frame) = F::decode(kind, payload)? {
                    return Ok(Some(frame));
                }
            }
            self.buffer.reserve(READ_BYTES);
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() {
                    Ok(None)
                } else {
                    Err(FrameError::Truncated)
                };
            }
        }
    }

    /// A frame that lies in the buffer already, without waiting.
    ///
    /// # Errors
    /// As [`FrameReader::next`].
    pub fn next_buffered(&mut self) -> Result<Option<F>, FrameError> {
        while let Some((kind, payload)) = self.take_buffered()? {
            if let Some(frame) = F::decode(kind, payload)? {
                return Ok(Some(frame));
            }
        }
        Ok(None)
    }

    /// A frame that has arrived, or that the tasks of this runtime receive when each of them has
    /// had a few turns; `None` when there is none, or at the end of the stream.
    ///
    /// # Errors
    /// As [`FrameReader::next`].
    pub async fn next_arrived(&mut self) -> Result<Option<F>, FrameError> {
        if let Some(frame) = self.next_buffered()? {
            return Ok(Some(frame));
        }
        let turns = async {
            for _ in 0..RECEIVE_TURNS {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            frame = self.next() => frame,
            () = turns => Ok(None),
        }
    }

    fn take_buffered(&mut self) -> Result<Option<(u8, Bytes)>, FrameError> {
        let Some(field) = self.buffer.first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let bytes = u32::from_be_bytes(*field) as usize;
        if bytes > self.bytes_max {
            return Err(FrameError::TooLong {
                bytes,
                bytes_max: self.bytes_max,
            });
        }
        if bytes == 0 {
            return Err(FrameError::Malformed);
        }
        if self.buffer.len() < LENGTH_BYTES + bytes {
            self.buffer
                .reserve(LENGTH_BYTES + bytes - self.buffer.len());
            return Ok(None);
        }
        self.buffer.advance(LENGTH_BYTES);
        let mut frame = self.buffer.split_to(bytes).freeze();
        let kind = frame.get_u8();
        Ok(Some((kind, frame)))
    }
}

/// Writes frames of one direction to a stream; frames put between two flushes travel together.
#[derive(Debug)]
pub struct FrameWriter<F, S> {
    stream: S,
    buffer: BytesMut,
    frames: PhantomData<fn(F)>,
}

impl<F: Frames, S: AsyncWrite + Unpin> FrameWriter<F, S> {
    /// A writer onto this stream.
    pub fn new(stream: S) -> Self {
        Self {
            stream,
            buffer: BytesMut::new(),
            frames: PhantomData,
        }
    }

    /// Adds a frame to what the next flush writes.
    pub fn put(&mut self, frame: &F) {
        put_frame(frame, &mut self.buffer);
    }

    /// Bytes that wait for a flush.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Writes everything that was put.
    ///
    /// # Errors
    /// When the stream failed.
    pub async fn flush(&mut self) -> io::Result<()> {
        self.stream.write_all_buf(&mut self.buffer).await?;
        self.stream.flush().await
    }

    /// Puts and flushes one frame.
    ///
    /// # Errors
    /// When the stream failed.
    pub async fn send(&mut self, frame: &F) -> io::Result<()> {
        self.put(frame);
        self.flush().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Word(Bytes);

    impl Frames for Word {
        fn encode(&self, out: &mut BytesMut) {
            out.put_u8(7);
            out.put_slice(&self.0);
        }

        fn decode(kind: u8, payload: Bytes) -> Result<Option<Self>, FrameError> {
            Ok((kind == 7).then_some(Self(payload)))
        }
    }

    async fn read_all(bytes: &[u8], limit: usize) -> Result<Vec<Word>, FrameError> {
        let mut reader = FrameReader::new(bytes, limit);
        let mut words = Vec::new();
        while let Some(word) = reader.next().await? {
            words.push(word);
        }
        Ok(words)
    }

    #[tokio::test]
    async fn reads_what_was_written_and_skips_unknown_kinds() {
        let mut bytes = BytesMut::new();
        put_frame(&Word(Bytes::from_static(b"one")), &mut bytes);
        bytes.put_slice(&[0, 0, 0, 3, 99, 1, 2]);
        put_frame(&Word(Bytes::new()), &mut bytes);
        let words = read_all(&bytes, 16).await.unwrap();
        assert_eq!(words, [Word("one".into()), Word(Bytes::new())]);
    }

    #[tokio::test]
    async fn takes_what_other_tasks_receive_meanwhile_and_waits_for_no_more() {
        let (mut far, near) = tokio::io::duplex(64);
        let mut reader = FrameReader::<Word, _>::new(near, 16);
        let writer = tokio::spawn(async move {
            for text in ["one", "two", "three"] {
                let mut bytes = BytesMut::new();
                put_frame(&Word(text.into()), &mut bytes);
                far.write_all(&bytes).await.unwrap();
                // The next one is written in another turn.
                tokio::task::yield_now().await;
            }
            far
        });
        let mut words = vec![reader.next().await.unwrap().unwrap()];
        while let Some(word) = reader.next_arrived().await.unwrap() {
            words.push(word);
        }
        assert_eq!(words, ["one", "two", "three"].map(|text| Word(text.into())));
        // The stream is still open, and nothing is lost when nothing comes.
        let mut far = writer.await.unwrap();
        assert_eq!(reader.next_arrived().await.unwrap(), None);
        let mut bytes = BytesMut::new();
        put_frame(&Word("four".into()), &mut bytes);
        far.write_all(&bytes).await.unwrap();
        let word = reader.next_arrived().await.unwrap();
        assert_eq!(word, Some(Word("four".into())));
    }

    #[tokio::test]
    async fn refuses_a_long_frame_before_its_body_arrives() {
        let error = read_all(&[0xff, 0xff, 0xff, 0xff], 16).await.unwrap_err();
        assert!(
            matches!(error, FrameError::TooLong { bytes, bytes_max: 16 } if bytes == u32::MAX as usize)
        );
    }

    #[tokio::test]
    async fn refuses_an_empty_frame_and_a_cut_one() {
        assert!(matches!(
            read_all(&[0, 0, 0, 0], 16).await,
            Err(FrameError::Malformed)
        ));
        let mut bytes = BytesMut::new();
        put_frame(&Word(Bytes::from_static(b"word")), &mut bytes);
        for cut in 1..bytes.len() {
            assert!(matches!(
                read_all(&bytes[..cut], 16).await,
                Err(FrameError::Truncated)
            ));
        }
    }
}
