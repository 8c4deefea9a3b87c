//! Where the parts of a packet lie (PROTOCOL §5.1): the relay's scissors.

use std::ops::Range;

/// A first packet with a one-time prekey, from an account with one device.
pub(crate) const FIRST: [(&str, Range<usize>); 14] = [
    ("version", 0..1),
    ("flags", 1..2),
    ("spk_id", 2..6),
    ("opk_id", 6..10),
    ("c1", 10..394),
    ("c2", 394..1514),
    ("c3", 1514..2634),
    ("rek", 2634..3850),
    ("length of c4", 3850..3854),
    ("c4", 3854..4637),
    ("tag16", 4637..4653),
    ("r16", 4653..4669),
    ("hdr", 4669..4701),
    ("body", 4701..4973),
];

/// A packet of an established session whose header carries a step.
pub(crate) const STEP: [(&str, Range<usize>); 6] = [
    ("version", 0..1),
    ("flags", 1..2),
    ("tag16", 2..18),
    ("r16", 18..34),
    ("hdr", 34..2402),
    ("body", 2402..2674),
];

/// Where a part lies.
pub(crate) fn place(layout: &[(&str, Range<usize>)], name: &str) -> Range<usize> {
    let found = layout.iter().find(|(part, _)| *part == name);
    found.unwrap().1.clone()
}

/// `bytes` with the parts of these names taken from `other`.
pub(crate) fn mixed(bytes: &[u8], other: &[u8], names: &[&str]) -> Vec<u8> {
    let mut mixed = bytes.to_vec();
    for name in names {
        let place = place(&FIRST, name);
        mixed[place.clone()].copy_from_slice(&other[place]);
    }
    mixed
}

/// `bytes` without the parts of these names, and with other flags.
pub(crate) fn stripped(bytes: &[u8], flags: u8, names: &[&str]) -> Vec<u8> {
    let kept = FIRST.iter().filter(|(name, _)| !names.contains(name));
    let mut stripped: Vec<_> = kept
        .flat_map(|(_, place)| bytes[place.clone()].to_vec())
        .collect();
    stripped[1] = flags;
    stripped
}
