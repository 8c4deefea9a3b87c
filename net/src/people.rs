//! The four people that a relay knows unless it is told otherwise.

/// Handle and display name of each, in the order in which they are shown. Only their names are
/// known here: their keys are made where they live.
pub const WELL_KNOWN: [(&str, &str); 4] = [
    ("alice", "Alice"),
    ("bob", "Bob"),
    ("charlie", "Charlie"),
    ("diana", "Diana"),
];
