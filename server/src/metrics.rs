//! What the relay counts, in the words of Prometheus. No label names a device, a handle or an
//! address.
//!
//! Every counter is resolved when the relay starts, so that counting is one relaxed addition, and a
//! count of nothing reads 0.

use std::fmt;

use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use sotto_net::wire::Refusal;

use prometheus_client::metrics::counter::ConstCounter;

pub(crate) use prometheus_client::metrics::counter::Counter;

use crate::connection::Ending;
use crate::store::{Event, Tally, Usage};

/// How every name of ours starts.
const PREFIX: &str = "sotto_relay";

/// Everything that is counted while it happens.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    pub(crate) connections: Gauge,
    pub(crate) strangers: Gauge,
    pub(crate) retries: Counter,
    pub(crate) connections_refused: ConnectionsRefused,
    pub(crate) handshakes: Handshakes,
    pub(crate) logins: Counter,
    logins_refused: LoginsRefused,
    pub(crate) envelopes_refused: EnvelopesRefused,
    pub(crate) envelopes_expired: Counter,
    pub(crate) deliveries: Counter,
    pub(crate) redeliveries: Counter,
    ephemerals: Ephemerals,
    bundles: Bundles,
    pub(crate) rate_limited: RateLimited,
    commit_jobs: Histogram,
    commit_seconds: Histogram,
    commits_failed: Counter,
}

/// A label's values as fields: which counters there are, and what they are called.
macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident, $label:literal: $($field:ident)*;)*) => {
        $($(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name { $(pub(crate) $field: Counter,)* }

        impl $name {
            fn register(registry: &mut Registry, name: &str, help: &str) -> Self {
                let family = Family::<[(&str, &str); 1], Counter>::default();
                registry.register(name, help, family.clone());
                let counter = |value| family.get_or_create_owned(&[($label, value)]);
                Self { $($field: counter(stringify!($field)),)* }
            }
        })*
    };
}

counters! {
    /// Why somebody could not connect: too often, address not shown, too many from there, or in all.
    ConnectionsRefused, "reason": rate unvalidated site capacity;
    /// How handshakes ended.
    Handshakes, "outcome": completed failed;
    /// Why logins were not accepted.
    LoginsRefused, "reason": proof limit storage protocol timeout left;
    /// Why envelopes were not accepted.
    EnvelopesRefused, "reason": device_unknown mailbox_full too_large rate_limited storage;
    /// What became of ephemeral envelopes.
    Ephemerals, "outcome": handed_on dropped;
    /// Whether a one-time prekey was in a bundle.
    Bundles, "one_time_prekey": yes no;
    /// Of what there was too much.
    RateLimited, "kind": connections envelopes ephemerals bundles one_time_prekeys requests;
}

/// What is read at the moment of the question; `None` when it cannot be had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) tally: Tally,
    pub(crate) usage: Option<Usage>,
    /// Seconds since 1970.
    pub(crate) now_secs: u64,
}

impl Metrics {
    pub(crate) fn new(started_secs: u64) -> Self {
        let mut registry = Registry::default();
        registry.register_with_unit(
            "process_start_time",
            "When the relay was started, since 1970",
            Unit::Seconds,
            ConstGauge::new(started_secs),
        );
        let ours = registry.sub_registry_with_prefix(PREFIX);
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        ours.register("build", "The program", version);
        let connections = gauge(ours, "connections", "Connections, strangers included");
        let strangers = gauge(ours, "strangers", "Connections that have not logged in yet");
        let commit_jobs = Histogram::new(exponential_buckets(1.0, 2.0, 10));
        let help = "Writes that shared one transaction";
        ours.register("commit_jobs", help, commit_jobs.clone());
        // From a quarter of a millisecond to eight seconds.
        let commit_seconds = Histogram::new(exponential_buckets(0.000_25, 2.0, 16));
        let help = "Duration of a transaction, with the disk's confirmation";
        ours.register_with_unit("commit", help, Unit::Seconds, commit_seconds.clone());
        let help = "Connections that were refused before their handshake";
        let connections_refused = ConnectionsRefused::register(ours, "connections_refused", help);
        let handshakes = Handshakes::register(ours, "handshakes", "Handshakes that were begun");
        let help = "Logins that were not accepted";
        let logins_refused = LoginsRefused::register(ours, "logins_refused", help);
        let help = "Envelopes that were refused, counted for each target";
        let envelopes_refused = EnvelopesRefused::register(ours, "envelopes_refused", help);
        let help = "Ephemeral envelopes, counted for each target";
        let ephemerals = Ephemerals::register(ours, "ephemerals", help);
        let bundles = Bundles::register(ours, "bundles", "Bundles that were given out");
        let help = "Refusals because something came too often";
        let rate_limited = RateLimited::register(ours, "rate_limited", help);
        let mut counter = |name: &str, help: &str| {
            let counter = Counter::default();
            ours.register(name, help, counter.clone());
            counter
        };
        Self {
            connections,
            strangers,
            retries: counter("retries", "Addresses that were asked to show themselves"),
            connections_refused,
            handshakes,
            logins: counter("logins", "Logins that were accepted"),
            logins_refused,
            envelopes_refused,
            envelopes_expired: counter("envelopes_expired", "Envelopes that were never fetched"),
            deliveries: counter("deliveries", "Envelopes that were written to their device"),
            redeliveries: counter(
                "redeliveries",
                "Deliveries among these of what had been delivered before, as far as remembered",
            ),
            ephemerals,
            bundles,
            rate_limited,
            commit_jobs,
            commit_seconds,
            commits_failed: counter("commits_failed", "Transactions that were lost"),
            registry,
        }
    }

    /// Something has happened in the store.
    pub(crate) fn on_event(&self, event: &Event) {
        match event {
            Event::BundleTaken { with_one_time, .. } if *with_one_time => self.bundles.yes.inc(),
            Event::BundleTaken { .. } => self.bundles.no.inc(),
            Event::TransactionEnded { durable: false, .. } => self.commits_failed.inc(),
            Event::TransactionEnded { jobs, took, .. } => {
                let jobs = u32::try_from(*jobs).unwrap_or(u32::MAX);
                self.commit_jobs.observe(jobs.into());
                self.commit_seconds.observe(took.as_secs_f64());
                0
            }
            Event::DirectoryChanged(_) => 0,
        };
    }

    /// A login was not accepted.
    pub(crate) fn refuse_login(&self, ending: &Ending) {
        let reasons = &self.logins_refused;
        match ending {
            Ending::Refused(Refusal::Proof) => &reasons.proof,
            Ending::Refused(Refusal::Storage) => &reasons.storage,
            Ending::Refused(_) => &reasons.limit,
            Ending::Protocol(_) => &reasons.protocol,
            Ending::TooLate => &reasons.timeout,
            Ending::Gone | Ending::GoingAway => &reasons.left,
        }
        .inc();
    }

    /// An envelope with so many targets was refused.
    pub(crate) fn refuse_envelope(&self, reason: Refusal, targets: usize) {
        let reasons = &self.envelopes_refused;
        match reason {
            Refusal::DeviceUnknown => &reasons.device_unknown,
            Refusal::MailboxFull => &reasons.mailbox_full,
            Refusal::TooLarge => &reasons.too_large,
            Refusal::RateLimited => &reasons.rate_limited,
            _ => &reasons.storage,
        }
        .inc_by(targets as u64);
    }

    /// An ephemeral envelope was handed on, or dropped.
    pub(crate) fn ephemeral(&self, is_handed_on: bool) {
        if is_handed_on {
            self.ephemerals.handed_on.inc();
        } else {
            self.ephemerals.dropped.inc();
        }
    }

    /// Everything as text in the format of `OpenMetrics` 1.0.
    ///
    /// # Errors
    /// None that could happen in memory.
    pub(crate) fn text(&self, reading: Reading) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &reading.registry())?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

impl Reading {
    fn registry(self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let tally = self.tally;
        let mut counter = |name: &str, help: &str, value: u64| {
            registry.register(name, help, ConstCounter::new(value));
        };
        let help = "Envelopes that mailboxes have taken, counted for each target";
        counter("envelopes_accepted", help, tally.accepted);
        let help = "Envelopes that a mailbox knew already, and dropped";
        counter("envelopes_duplicate", help, tally.duplicates);
        let help = "Envelopes that arrived for good";
        counter("envelopes_acknowledged", help, tally.acknowledged);
        let help = "How often a connected device fell behind and was served from the disk";
        counter("slow_readers", help, tally.slow_readers);
        if let Some(jobs) = tally.waiting {
            let help = "Writes that wait for the next transaction";
            registry.register("jobs_waiting", help, ConstGauge::new(jobs));
        }
        if let Some(usage) = self.usage {
            let oldest = usage.oldest_stored_secs;
            let age = oldest.map_or(0, |oldest| self.now_secs.saturating_sub(oldest));
            let mut gauge = |name: &str, help: &str, value: u64| {
                registry.register(name, help, ConstGauge::new(value));
            };
            let help = "Mailboxes, empty ones included";
            gauge("mailboxes", help, usage.mailboxes);
            let help = "Envelopes that wait for their device";
            gauge("envelopes_waiting", help, usage.envelopes);
            let help = "Size of the bodies that wait";
            gauge("waiting_bytes", help, usage.bytes);
            let help = "Age of the oldest envelope that waits, 0 when none does";
            gauge("oldest_envelope_age_seconds", help, age);
        }
        registry
    }
}

/// One of what a gauge counts, for as long as this lives.
#[derive(Debug)]
pub(crate) struct Counted(Gauge);

impl Counted {
    pub(crate) fn by(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_transaction_that_was_lost_is_counted_apart() {
        let metrics = Metrics::new(0);
        for durable in [true, false, true] {
            metrics.on_event(&Event::TransactionEnded {
                jobs: 3,
                took: Duration::from_millis(250),
                durable,
            });
        }
        let nothing = Reading {
            tally: Tally::default(),
            usage: None,
            now_secs: 0,
        };
        let text = metrics.text(nothing).unwrap();
        for line in [
            "commits_failed_total 1",
            "commit_jobs_count 2",
            "commit_jobs_sum 6.0",
            "commit_seconds_sum 0.5",
        ] {
            let line = format!("\nsotto_relay_{line}\n");
            assert!(text.contains(&line), "{line}: {text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let metrics = Metrics::new(0);
        let mut reading = Reading {
            tally: Tally {
                waiting: Some(5),
                ..Tally::default()
            },
            usage: None,
            now_secs: 1_000,
        };
        let text = metrics.text(reading).unwrap();
        assert!(text.contains("\nsotto_relay_jobs_waiting 5\n"), "{text}");
        assert!(!text.contains("relay_mailboxes"), "{text}");
        reading.usage = Some(Usage {
            mailboxes: 7,
            envelopes: 1,
            bytes: 9,
            oldest_stored_secs: Some(400),
        });
        let text = metrics.text(reading).unwrap();
        let age = "\nsotto_relay_oldest_envelope_age_seconds 600\n";
        assert!(text.contains(age), "{text}");
    }
}
