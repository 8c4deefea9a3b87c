//! Padding that hides a message's length (PROTOCOL §5.4).

use zeroize::Zeroizing;

use crate::packet::PLAINTEXT_BYTES_MAX;

/// The five sizes before Padmé takes over.
const BUCKETS: [usize; 5] = [256, 512, 1024, 2048, 4096];
/// Smallest padded size in bytes.
pub(crate) const PADDED_BYTES_MIN: usize = 256;
const END: u8 = 0x80;

/// Size in bytes that a plaintext of `bytes` is padded to, with its end mark.
pub(crate) fn padded_bytes(bytes: usize) -> usize {
    let marked = bytes + 1;
    if let Some(bucket) = BUCKETS.into_iter().find(|bucket| marked <= *bucket) {
        return bucket;
    }
    // Padmé (Nikitin et al. 2019): keep as many leading bits as the length of the exponent has.
    let exponent = marked.ilog2();
    let free_bits = exponent - (exponent.ilog2() + 1);
    marked.next_multiple_of(1 << free_bits)
}

/// Appends `plaintext || 0x80 || 0x00…`, to the next size.
pub(crate) fn pad_onto(buffer: &mut Vec<u8>, plaintext: &[u8]) {
    let end = buffer.len() + padded_bytes(plaintext.len());
    buffer.extend_from_slice(plaintext);
    buffer.push(END);
    buffer.resize(end, 0);
}

/// What [`pad_onto`] was given; `None` for bytes that it does not make, or that hold more than a
/// plaintext may.
pub(crate) fn unpad(mut bytes: Zeroizing<Vec<u8>>) -> Option<Zeroizing<Vec<u8>>> {
    let end = bytes.iter().rposition(|byte| *byte != 0)?;
    let whole = bytes.get(end) == Some(&END)
        && end <= PLAINTEXT_BYTES_MAX
        && padded_bytes(end) == bytes.len();
    bytes.truncate(end);
    whole.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pad(plaintext: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut padded = Zeroizing::default();
        pad_onto(&mut padded, plaintext);
        padded
    }

    #[test]
    fn every_length_comes_back_and_hides_in_few_sizes() {
        let mut sizes = std::collections::BTreeSet::new();
        for length in (0..=9000).chain([20_000, PLAINTEXT_BYTES_MAX]) {
            let plaintext = vec![0x80; length];
            let padded = pad(&plaintext);
            assert!(padded.len() > length);
            assert!(
                length < 4096 || padded.len() * 100 <= (length + 1) * 112,
                "{length}"
            );
            sizes.insert(padded.len());
            assert_eq!(unpad(padded).unwrap().as_slice(), plaintext);
        }
        assert!(sizes.len() < 30, "{sizes:?}");
        assert_eq!(pad(&[0; 255]).len(), 256);
        assert_eq!(pad(&[0; 256]).len(), 512);
        assert_eq!(pad(&vec![0; PLAINTEXT_BYTES_MAX]).len(), 52 * 1024);
    }

    #[test]
    fn refuses_padding_that_it_does_not_make() {
        let refused = |bytes: Vec<u8>| unpad(Zeroizing::new(bytes)).is_none();
        assert!(refused(vec![]));
        assert!(refused(vec![0; 256]), "no end mark");
        assert!(
            refused([&[0x80][..], &[0; 511]].concat()),
            "more than needed"
        );
        assert!(
            refused([&[0x81][..], &[0; 255]].concat()),
            "another end mark"
        );
        let longest = vec![1; PLAINTEXT_BYTES_MAX];
        assert!(!refused(pad(&longest).to_vec()));
        let too_long = [&longest[..], &[1]].concat();
        assert!(refused(pad(&too_long).to_vec()), "more than a plaintext");
    }
}
