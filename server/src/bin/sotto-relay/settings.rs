//! What a relay can be told: each line of the list below is an option, an environment variable and
//! a key of the configuration file, in this order of precedence, and has a default.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use sotto_relay::{CertificateFiles, Limits, Rate, RelayConfig};

use crate::log::LogFormat;
use crate::words;

/// The port of a relay unless it is told otherwise.
const PORT: u16 = 4433;
const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MIB: u64 = 1024 * 1024;

macro_rules! settings {
    ($limits:ident; $($(#[$doc:meta])* $name:ident: $type:ty, $value:literal, $variable:literal, $default:expr;)*) => {
        /// Settings that were made; the others are `None`.
        #[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub(crate) struct Settings {
            $($(#[$doc])* #[arg(long, value_name = $value, env = $variable)]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub(crate) $name: Option<$type>,)*
        }

        impl Settings {
            /// These settings, and where there are none, the others.
            pub(crate) fn or(self, others: Self) -> Self {
                Self { $($name: self.$name.or(others.$name),)* }
            }

            /// What is not set.
            pub(crate) fn defaults() -> Self {
                let $limits = Limits::default();
                Self { $($name: $default,)* }
            }
        }
    };
}

settings! { limits;
    /// Keep the relay's key and its mailboxes in this folder
    data: PathBuf, "FOLDER", "SOTTO_RELAY_DATA", None;
    /// Listen on this address; port 0 takes a free one [default: 0.0.0.0:4433]
    listen: SocketAddr, "ADDRESS", "SOTTO_RELAY_LISTEN", Some((Ipv4Addr::UNSPECIFIED, PORT).into());
    /// The host name to put into invites, for example relay.example.org
    public_name: String, "HOST", "SOTTO_RELAY_PUBLIC_NAME", None;
    /// A certificate for the public name (PEM, the whole chain), so that invites can do without a pin
    certificate: PathBuf, "FILE", "SOTTO_RELAY_CERTIFICATE", None;
    /// Its private key (PEM)
    certificate_key: PathBuf, "FILE", "SOTTO_RELAY_CERTIFICATE_KEY", None;
    /// Answer about metrics and health on this address, over HTTP and to this machine alone, for
    /// example 127.0.0.1:9433; without it, nowhere
    admin: SocketAddr, "ADDRESS", "SOTTO_RELAY_ADMIN", None;
    /// Log in this format [default: text]
    log_format: LogFormat, "FORMAT", "SOTTO_RELAY_LOG_FORMAT", Some(LogFormat::Text);
    /// Start with the handles alice, bob, charlie and diana [default: true]
    seed: bool, "BOOL", "SOTTO_RELAY_SEED", Some(true);
    /// Show the directory to everybody who is connected [default: true]
    roster: bool, "BOOL", "SOTTO_RELAY_ROSTER", Some(true);
    /// Let handles be claimed that were not seeded [default: true]
    open_handles: bool, "BOOL", "SOTTO_RELAY_OPEN_HANDLES", Some(true);
    /// Connections in all [default: 4096]
    connections: usize, "NUMBER", "SOTTO_RELAY_CONNECTIONS", Some(limits.connections);
    /// Connections of one IPv4 address or IPv6 network [default: 256]
    connections_per_site: usize, "NUMBER", "SOTTO_RELAY_CONNECTIONS_PER_SITE", Some(limits.connections_per_address);
    /// New connections from there at once [default: 256]
    connection_burst: u32, "NUMBER", "SOTTO_RELAY_CONNECTION_BURST", Some(limits.connection_rate.burst);
    /// New connections from there in a second after that [default: 16]
    connections_per_second: u32, "NUMBER", "SOTTO_RELAY_CONNECTIONS_PER_SECOND", Some(in_each(SECOND, limits.connection_rate));
    /// Envelopes in a mailbox [default: 10000]
    mailbox_envelopes: u64, "NUMBER", "SOTTO_RELAY_MAILBOX_ENVELOPES", Some(limits.mailbox_envelopes);
    /// Size of a mailbox in MiB [default: 64]
    mailbox_mib: u64, "MIB", "SOTTO_RELAY_MAILBOX_MIB", Some(limits.mailbox_bytes / MIB);
    /// How long an envelope waits, in days [default: 30]
    envelope_days: u32, "DAYS", "SOTTO_RELAY_ENVELOPE_DAYS", Some(days(limits.envelope_age));
    /// Envelopes that a device sends at once, each target counted [default: 5000]
    envelope_burst: u32, "NUMBER", "SOTTO_RELAY_ENVELOPE_BURST", Some(limits.envelope_rate.burst);
    /// Envelopes that it sends in a second after that [default: 200]
    envelopes_per_second: u32, "NUMBER", "SOTTO_RELAY_ENVELOPES_PER_SECOND", Some(in_each(SECOND, limits.envelope_rate));
    /// Bundles that a device takes at once, to write to somebody new [default: 256]
    bundle_burst: u32, "NUMBER", "SOTTO_RELAY_BUNDLE_BURST", Some(limits.bundle_rate.burst);
    /// Bundles that it takes in an hour after that [default: 360]
    bundles_per_hour: u32, "NUMBER", "SOTTO_RELAY_BUNDLES_PER_HOUR", Some(in_each(HOUR, limits.bundle_rate));
    /// One-time prekeys of a device that are given out at once [default: 50]
    one_time_prekey_burst: u32, "NUMBER", "SOTTO_RELAY_ONE_TIME_PREKEY_BURST", Some(limits.one_time_prekey_rate.burst);
    /// One-time prekeys that are given out in an hour after that [default: 20]
    one_time_prekeys_per_hour: u32, "NUMBER", "SOTTO_RELAY_ONE_TIME_PREKEYS_PER_HOUR", Some(in_each(HOUR, limits.one_time_prekey_rate));
}

impl Settings {
    /// Reads a configuration file: TOML, with the names of the options as keys.
    ///
    /// # Errors
    /// A sentence for a person.
    pub(crate) fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            let path = path.display();
            format!("the configuration {path} cannot be read: {error}. Name another with --config.")
        })?;
        toml::from_str(&text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start));
            let line = before.map_or(1, |before| before.matches('\n').count() + 1);
            let (path, message) = (path.display(), error.message().replace('\n', " "));
            format!("the configuration {path} has an error in line {line}: {message}.")
        })
    }

    /// The settings as a configuration file.
    pub(crate) fn print(&self) -> String {
        // Every value is a number, a truth or a text.
        toml::to_string(self).unwrap_or_default()
    }

    /// Where certificate and key lie.
    ///
    /// # Errors
    /// A sentence for a person, when only one of them is named.
    pub(crate) fn certificate(&self) -> Result<Option<CertificateFiles>, String> {
        match (self.certificate.clone(), self.certificate_key.clone()) {
            (Some(chain), Some(key)) => Ok(Some(CertificateFiles { chain, key })),
            (None, None) => Ok(None),
            _ => Err(words::half_a_certificate()),
        }
    }

    /// What the relay is told, but for the certificate. What is not set is the relay's default.
    pub(crate) fn config(&self) -> RelayConfig {
        let defaults = RelayConfig::default();
        let limits = defaults.limits.clone();
        let rate = |burst: Option<u32>, number: Option<u32>, each: Duration, default: Rate| Rate {
            burst: burst.unwrap_or(default.burst),
            every: number.map_or(default.every, |number| each / number.max(1)),
        };
        RelayConfig {
            listen: self.listen.unwrap_or(defaults.listen),
            admin: self.admin,
            public_name: self.public_name.clone(),
            certificate: None,
            seeds: if self.seed.unwrap_or(true) {
                defaults.seeds
            } else {
                Vec::new()
            },
            roster: self.roster.unwrap_or(defaults.roster),
            open_handles: self.open_handles.unwrap_or(defaults.open_handles),
            limits: Limits {
                connections: self.connections.unwrap_or(limits.connections),
                connections_per_address: self
                    .connections_per_site
                    .unwrap_or(limits.connections_per_address),
                connection_rate: rate(
                    self.connection_burst,
                    self.connections_per_second,
                    SECOND,
                    limits.connection_rate,
                ),
                mailbox_envelopes: self.mailbox_envelopes.unwrap_or(limits.mailbox_envelopes),
                mailbox_bytes: self
                    .mailbox_mib
                    .map_or(limits.mailbox_bytes, |mib| mib.saturating_mul(MIB)),
                envelope_age: self
                    .envelope_days
                    .map_or(limits.envelope_age, |days| DAY.saturating_mul(days)),
                envelope_rate: rate(
                    self.envelope_burst,
                    self.envelopes_per_second,
                    SECOND,
                    limits.envelope_rate,
                ),
                bundle_rate: rate(
                    self.bundle_burst,
                    self.bundles_per_hour,
                    HOUR,
                    limits.bundle_rate,
                ),
                one_time_prekey_rate: rate(
                    self.one_time_prekey_burst,
                    self.one_time_prekeys_per_hour,
                    HOUR,
                    limits.one_time_prekey_rate,
                ),
                ..limits
            },
        }
    }
}

/// How many a rate allows in each of these intervals.
fn in_each(interval: Duration, rate: Rate) -> u32 {
    let number = interval.as_nanos() / rate.every.as_nanos().max(1);
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn days(age: Duration) -> u32 {
    u32::try_from(age.as_secs() / DAY.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_the_relays_own_and_survive_printing() {
        let defaults = Settings::defaults();
        let expected = RelayConfig {
            listen: (Ipv4Addr::UNSPECIFIED, PORT).into(),
            ..RelayConfig::default()
        };
        assert_eq!(defaults.config(), expected);
        let read: Settings = toml::from_str(&defaults.print()).unwrap();
        assert_eq!(read.config(), expected);
        assert_eq!(Settings::default().or(defaults).config(), expected);
    }

    #[test]
    fn the_packaged_configuration_can_be_used_as_it_is_and_with_every_line() {
        let packaged = include_str!("../../../packaging/sotto-relay.toml");
        let as_it_is: Settings = toml::from_str(packaged).unwrap();
        assert_eq!(as_it_is.print(), "");
        let lines: Vec<_> = packaged
            .lines()
            .map(|line| line.strip_prefix('#').filter(|it| !it.starts_with(' ')))
            .map(Option::unwrap_or_default)
            .collect();
        let all: Settings = toml::from_str(&lines.join("\n")).unwrap();
        assert_eq!(all.print().lines().count(), 7);
    }

    #[test]
    fn every_default_stands_in_the_help() {
        let help = Settings::augment_args(clap::Command::new("relay"));
        let printed = Settings::defaults().print();
        for line in printed.lines() {
            let (key, value) = line.split_once(" = ").unwrap();
            let argument = help.get_arguments().find(|it| it.get_long() == Some(key));
            let shown = argument.unwrap().get_help().unwrap().to_string();
            let value = value.trim_matches('"');
            assert!(shown.ends_with(&format!("[default: {value}]")), "{shown}");
        }
    }
}
