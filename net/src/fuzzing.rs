//! What the fuzz targets in `tests/fuzz` run: a function for each decoder of bytes that somebody
//! else wrote.
//!
//! Each asserts what holds for all bytes, and says whether these were accepted.
#![cfg_attr(
    test,
    expect(
        unreachable_pub,
        reason = "public in fuzz builds, where targets call it"
    )
)]

use std::fmt::Debug;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::BytesMut;

use crate::Invite;
use crate::frame::{FRAME_BYTES_MAX, FrameError, FrameReader, Frames, put_frame};
use crate::wire::{ClientFrame, DeliveryFrame, RelayFrame};

/// An invite.
pub fn invite(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else {
        return false;
    };
    text.parse::<Invite>().is_ok_and(|invite| {
        assert_eq!(invite.to_string(), text.trim());
        assert_eq!(invite.to_string().parse(), Ok(invite));
        true
    })
}

/// What a client sends.
pub fn client_frame(bytes: &[u8]) -> bool {
    frames::<ClientFrame>(bytes)
}

/// What a relay sends on the control stream.
pub fn relay_frame(bytes: &[u8]) -> bool {
    frames::<RelayFrame>(bytes)
}

/// What a relay sends on the delivery stream.
pub fn delivery_frame(bytes: &[u8]) -> bool {
    frames::<DeliveryFrame>(bytes)
}

/// Reads a stream to its end or its first error. Varints may be longer than they need to be, so a
/// frame is written as the same value, not always as the same bytes.
fn frames<F: Frames + PartialEq + Debug>(bytes: &[u8]) -> bool {
    let mut reader = FrameReader::<F, _>::new(bytes, FRAME_BYTES_MAX);
    let mut written = BytesMut::new();
    let mut accepted = false;
    while let Ok(Some(frame)) = next(&mut reader) {
        let start = written.len();
        put_frame(&frame, &mut written);
        let mut again = FrameReader::<F, _>::new(&written[start..], FRAME_BYTES_MAX);
        assert_eq!(next(&mut again).expect("well formed"), Some(frame));
        accepted = true;
    }
    assert!(written.len() <= bytes.len());
    accepted
}

fn next<F: Frames>(reader: &mut FrameReader<F, &[u8]>) -> Result<Option<F>, FrameError> {
    match pin!(reader.next()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("bytes in memory are there at once"),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    type Target = (&'static str, fn(&[u8]) -> bool);

    const TARGETS: [Target; 4] = [
        ("invite", super::invite),
        ("client_frame", super::client_frame),
        ("relay_frame", super::relay_frame),
        ("delivery_frame", super::delivery_frame),
    ];

    /// What fuzzing once found, and seeds of every kind: all of it still keeps its promises, and of
    /// every target some is still accepted.
    #[test]
    fn the_corpus_of_every_target_passes() {
        let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz");
        for (name, run) in TARGETS {
            let target = fuzz.join("fuzz_targets").join(name).with_extension("rs");
            assert!(target.exists(), "{name}");
            let mut accepted = 0;
            for file in fs::read_dir(fuzz.join("corpus").join(name)).expect(name) {
                let path = file.unwrap().path();
                println!("{}", path.display());
                accepted += usize::from(run(&fs::read(&path).unwrap()));
            }
            assert!(accepted > 0, "{name}: nothing is accepted");
        }
    }
}
