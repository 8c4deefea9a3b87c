//! What happened, as a hash over times, addresses and lengths, and as text for a person.

use std::hash::{DefaultHasher, Hash, Hasher as _};

use tokio::time::Instant;

/// What happened in one world.
#[derive(Debug)]
pub(super) struct Trace {
    begun: Instant,
    hasher: DefaultHasher,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// Lines are only kept for those who want to read them.
    pub(super) fn new(keeps_lines: bool) -> Self {
        Self {
            begun: Instant::now(),
            hasher: DefaultHasher::new(),
            lines: keeps_lines.then(Vec::new),
        }
    }

    /// Something happened now.
    pub(super) fn note(&mut self, what: impl Hash, line: impl FnOnce() -> String) {
        let now = self.begun.elapsed();
        (now.as_nanos(), what).hash(&mut self.hasher);
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>10.3} {}", now.as_secs_f64(), line()));
        }
    }

    pub(super) fn hash(&self) -> u64 {
        self.hasher.finish()
    }

    pub(super) fn take_lines(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }
}
