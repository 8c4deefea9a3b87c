//! Reading and writing of the crate's fixed binary formats (PROTOCOL §1).
//!
//! Integers are big-endian. `LP(x)` is the length of x as u32, then x.

use zeroize::{Zeroize, Zeroizing};

/// Length as the u32 of an `LP`.
///
/// Everything that this crate encodes is bounded far below 4 GiB by the constants of its formats.
pub(crate) fn length_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Appends to a buffer that is wiped when it grows and when it is dropped.
#[derive(Default)]
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    /// The plain concatenation, without a length.
    pub(crate) fn raw(mut self, bytes: &[u8]) -> Self {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            // A growing Vec would leave its old buffer behind with the secrets in it.
            let mut grown = Vec::with_capacity(needed.max(self.0.capacity() * 2));
            grown.extend_from_slice(&self.0);
            self.0.zeroize();
            *self.0 = grown;
        }
        self.0.extend_from_slice(bytes);
        self
    }

    pub(crate) fn u8(self, value: u8) -> Self {
        self.raw(&[value])
    }

    pub(crate) fn u32(self, value: u32) -> Self {
        self.raw(&value.to_be_bytes())
    }

    pub(crate) fn u64(self, value: u64) -> Self {
        self.raw(&value.to_be_bytes())
    }

    /// `LP(bytes)`.
    pub(crate) fn lp(self, bytes: &[u8]) -> Self {
        self.u32(length_u32(bytes.len())).raw(bytes)
    }

    /// A buffer that may hold secrets.
    pub(crate) fn secret(self) -> Zeroizing<Vec<u8>> {
        self.0
    }

    /// A buffer that holds public bytes only.
    pub(crate) fn public(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0)
    }
}

/// `LP(part) || LP(part) || …`, the only thing that is hashed or signed.
pub(crate) fn lp_all(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let bytes = parts.iter().map(|part| part.len() + 4).sum();
    parts
        .iter()
        .fold(Writer::with_capacity(bytes), |writer, part| writer.lp(part))
        .secret()
}

/// Takes values off the front of a slice. `None` means: too short or out of bounds.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn raw(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(bytes)?;
        self.0 = rest;
        Some(front)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.raw(N)?.try_into().ok()
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// `LP(x)` with at most `bytes_max` bytes.
    pub(crate) fn lp(&mut self, bytes_max: usize) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        if length > bytes_max {
            return None;
        }
        self.raw(length)
    }

    /// Number of bytes left.
    pub(crate) fn left(&self) -> usize {
        self.0.len()
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// Refuses trailing bytes.
    pub(crate) fn finish(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_it_reads_and_refuses_each_truncation() {
        let bytes = Writer::default()
            .u8(7)
            .u32(8)
            .u64(9)
            .lp(b"ten")
            .raw(b"r")
            .public();
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(bytes);
            let all = (
                reader.u8()?,
                reader.u32()?,
                reader.u64()?,
                reader.lp(3)?.to_vec(),
            );
            reader.raw(1)?;
            reader.finish()?;
            Some(all)
        };
        assert_eq!(read(&bytes), Some((7, 8, 9, b"ten".to_vec())));
        for length in 0..bytes.len() {
            assert_eq!(read(&bytes[..length]), None, "cut at {length}");
        }
        assert_eq!(read(&[&bytes[..], b"x"].concat()), None, "trailing byte");
    }

    #[test]
    fn refuses_a_length_above_its_bound_before_reading() {
        assert!(Reader::new(&[0, 0, 0, 2, 1, 1]).lp(1).is_none());
        assert!(Reader::new(&[0xff; 8]).lp(usize::MAX).is_none());
    }

    #[test]
    fn keeps_the_borders_between_parts() {
        assert_ne!(lp_all(&[b"ab", b"c"]), lp_all(&[b"a", b"bc"]));
        assert_eq!(lp_all(&[b"a"]).as_slice(), [0, 0, 0, 1, b'a']);
    }
}
