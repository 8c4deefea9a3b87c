//! A client's logged-in connection to a relay (WIRE §3, §4).

use std::io;
use std::net::SocketAddr;

use thiserror::Error;

use crate::frame::{FRAME_BYTES_MAX, FrameError, FrameReader, FrameWriter};
use crate::login::{self, Exporter};
use crate::quic::{self, Connection, ConnectionError, Endpoint, RecvStream, SendStream};
use crate::relay_trust::RelayTrust;
use crate::wire::{
    ClientFrame, DeliveryFrame, DeviceKey, Login, Refusal, RelayFrame, Sequence, SignatureBytes,
    StoreId, Welcome,
};

/// Why there is no link.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Nothing answers.
    #[error("the relay cannot be reached")]
    Unreachable,
    /// What answers holds another key than the pinned one.
    #[error("the relay's key is not the pinned one")]
    WrongPin,
    /// What answers has no certificate for the relay's host name that can be trusted: it is for
    /// another name, has expired, or comes from nobody whom this computer trusts.
    #[error("the relay's certificate cannot be trusted")]
    Untrusted,
    /// The relay speaks another version of the protocol.
    #[error("the relay speaks another version of the protocol")]
    Version,
    /// The relay refuses this device.
    #[error("the relay refused the login: {0:?}")]
    Refused(Refusal),
    /// The relay broke the protocol.
    #[error("the relay broke the protocol")]
    Protocol(#[from] FrameError),
    /// The connection was lost.
    #[error("the connection was lost")]
    Lost,
}

impl From<ConnectionError> for LinkError {
    fn from(error: ConnectionError) -> Self {
        /// The TLS alert `no_application_protocol` as a QUIC error (RFC 9001 §4.8).
        const NO_PROTOCOL: u64 = 0x100 + 120;
        match &error {
            ConnectionError::VersionMismatch => Self::Version,
            ConnectionError::ConnectionClosed(close)
                if u64::from(close.error_code) == NO_PROTOCOL =>
            {
                Self::Version
            }
            error if quic::is_wrong_certificate(error) => Self::WrongPin,
            ConnectionError::TimedOut | ConnectionError::TransportError(_) => Self::Unreachable,
            _ => Self::Lost,
        }
    }
}

/// A handshake's failure; what a wrong certificate means depends on what was demanded.
fn unconnected(error: ConnectionError, trust: &RelayTrust) -> LinkError {
    match (LinkError::from(error), trust) {
        (LinkError::WrongPin, RelayTrust::Roots { host: _ }) => LinkError::Untrusted,
        (error, _) => error,
    }
}

impl From<io::Error> for LinkError {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}

/// Where delivery goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The store in which the sequence counts.
    pub store: StoreId,
    /// The last delivery that was stored.
    pub after: Sequence,
}

/// A logged-in connection. Dropping it closes the connection.
#[derive(Debug)]
pub struct Link {
    /// What the relay said to the login.
    pub welcome: Welcome,
    /// To the relay.
    pub requests: FrameWriter<ClientFrame, SendStream>,
    /// From the relay: answers and news.
    pub replies: FrameReader<RelayFrame, RecvStream>,
    /// From the relay: envelopes.
    pub deliveries: FrameReader<DeliveryFrame, RecvStream>,
    /// The connection itself.
    pub connection: Connection,
}

impl Link {
    /// Connects to the relay that shows what is demanded, and logs in.
    ///
    /// `sign` gives the device's 64-byte signature for the exporter of the new connection
    /// (PROTOCOL §8).
    ///
    /// # Errors
    /// See [`LinkError`].
    pub async fn open(
        endpoint: &Endpoint,
        address: SocketAddr,
        trust: impl Into<RelayTrust>,
        device: DeviceKey,
        cursor: Cursor,
        sign: impl FnOnce(&Exporter) -> [u8; 64],
    ) -> Result<Self, LinkError> {
        let trust = trust.into();
        let config = quic::client_config(&trust).map_err(|_| match trust {
            RelayTrust::Pin(_) => LinkError::Unreachable,
            // There are no root certificates on this computer.
            RelayTrust::Roots { host: _ } => LinkError::Untrusted,
        })?;
        let connection = endpoint
            .connect_with(config, address, trust.server_name())
            .map_err(|_| LinkError::Unreachable)?
            .await
            .map_err(|error| unconnected(error, &trust))?;
        let exporter = login::exporter(&connection, trust.id()).ok_or(LinkError::Lost)?;
        let login = Login {
            minor: quic::MINOR_VERSION,
            device,
            proof: SignatureBytes::from(sign(&exporter)),
            store: cursor.store,
            after: cursor.after,
        };
        let (send, receive) = connection.open_bi().await?;
        let mut requests = FrameWriter::new(send);
        let mut replies = FrameReader::new(receive, FRAME_BYTES_MAX);
        requests.send(&login.into()).await?;
        let welcome = match replies.next().await? {
            Some(RelayFrame::Welcome(welcome)) => welcome,
            Some(RelayFrame::Refused(refused)) if refused.reason == Refusal::Version => {
                return Err(LinkError::Version);
            }
            Some(RelayFrame::Refused(refused)) => return Err(LinkError::Refused(refused.reason)),
            Some(_) => return Err(FrameError::Malformed.into()),
            None => return Err(LinkError::Lost),
        };
        let deliveries = FrameReader::new(connection.accept_uni().await?, FRAME_BYTES_MAX);
        Ok(Self {
            welcome,
            requests,
            replies,
            deliveries,
            connection,
        })
    }
}
