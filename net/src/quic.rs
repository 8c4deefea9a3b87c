//! QUIC and TLS set-up: the only place that configures quinn and rustls (WIRE §1, §6).

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, Mac};
use quinn::crypto::{CryptoError, HmacKey};
use quinn::{ConnectionId, ConnectionIdGenerator, EndpointConfig, TokioRuntime};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, SignatureScheme};
use rustls_platform_verifier::Verifier;
use sha2::Sha256;
use socket2::SockRef;

pub use quinn::udp::{RecvMeta, Transmit};
pub use quinn::{
    AsyncTimer, AsyncUdpSocket, ClientConfig, Connection, ConnectionError, Endpoint, Incoming,
    RecvStream, Runtime, SendStream, ServerConfig, UdpPoller, VarInt,
};

use crate::certificate::CertificateSlot;
use crate::relay_key::{RelayKey, RelayKeyError, RelayPin};
use crate::relay_trust::RelayTrust;

/// Protocol and major version.
const ALPN: &[u8] = b"sotto/1";
/// The name that clients ask for who know a relay by its pin, and that stands in the certificate
/// which they are shown; what they check is the pin.
pub const SERVER_NAME: &str = "relay.sotto.invalid";

/// Minor version of the protocol: peers of different minor versions understand each other.
/// 1 added ephemeral envelopes.
pub const MINOR_VERSION: u16 = 2;

/// How long a silent connection lives.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);
/// How often a client shows that it is alive; thrice within the time-out, and often enough for
/// the address translators on the way.
const KEEP_ALIVE: Duration = Duration::from_secs(22);
/// Receive window of a stream, in bytes: one frame of the largest size fits.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
/// Receive window of a connection, in bytes: what a peer can make us hold.
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// Unacknowledged bytes that we hold for a peer.
const SEND_WINDOW_BYTES: u64 = 1024 * 1024;
/// Length of the connection ids that a relay gives out, in bytes.
const CONNECTION_ID_BYTES: usize = 8;
/// Streams that a client may open: control, and a few for bulk data.
const CLIENT_STREAMS: u8 = 4;
/// Streams that a relay may open: delivery, and a few for bulk data.
const RELAY_STREAMS: u8 = 4;

/// Why a connection was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseCode {
    /// 0: nothing more to say.
    Bye,
    /// 1: the peer broke the protocol.
    Protocol,
    /// 2: the login was refused.
    Refused,
    /// 3: the relay is going away.
    GoingAway,
    /// 4: the same device has connected anew.
    Replaced,
}

impl From<CloseCode> for VarInt {
    fn from(code: CloseCode) -> Self {
        Self::from_u32(match code {
            CloseCode::Bye => 0,
            CloseCode::Protocol => 1,
            CloseCode::Refused => 2,
            CloseCode::GoingAway => 3,
            CloseCode::Replaced => 4,
        })
    }
}

/// The one provider of cryptography for TLS; prefers X25519MLKEM768.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn transport() -> quinn::TransportConfig {
    let mut transport = quinn::TransportConfig::default();
    transport
        .max_idle_timeout(IDLE_TIMEOUT.try_into().ok())
        .stream_receive_window(STREAM_WINDOW_BYTES.into())
        .receive_window(CONNECTION_WINDOW_BYTES.into())
        .send_window(SEND_WINDOW_BYTES)
        .datagram_receive_buffer_size(None);
    transport
}

/// Configuration of a relay with this key, and with the certificate in the slot for those who know
/// it by its host.
///
/// # Errors
/// When no certificate can be made for the key.
pub fn server_config(
    key: &RelayKey,
    certificate: &CertificateSlot,
) -> Result<ServerConfig, RelayKeyError> {
    let shown = Shown {
        pinned: Arc::new(key.certified(&provider())?),
        public: certificate.clone(),
    };
    let mut tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|_| RelayKeyError::Unavailable)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let crypto = quinn::crypto::rustls::QuicServerConfig::try_from(tls)
        .map_err(|_| RelayKeyError::Unavailable)?;
    let mut transport = transport();
    transport
        .max_concurrent_bidi_streams(CLIENT_STREAMS.into())
        .max_concurrent_uni_streams(CLIENT_STREAMS.into());
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// Configuration of a client that accepts a relay which shows what is demanded, and no other. Reads
/// the system's root certificates if they are to vouch for it.
///
/// # Errors
/// When TLS 1.3 is not available, or no root certificates can be read.
pub fn client_config(trust: &RelayTrust) -> Result<ClientConfig, rustls::Error> {
    let provider = provider();
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        RelayTrust::Pin(pin) => Arc::new(PinVerifier {
            pin: *pin,
            provider: Arc::clone(&provider),
        }),
        RelayTrust::Roots { host: _ } => Arc::new(Verifier::new(Arc::clone(&provider))?),
    };
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    tls.alpn_protocols = vec![ALPN.to_vec()];
    let crypto = quinn::crypto::rustls::QuicClientConfig::try_from(tls)
        .map_err(|_| rustls::Error::General("no initial cipher suite".to_owned()))?;
    let mut transport = transport();
    transport
        .keep_alive_interval(Some(KEEP_ALIVE))
        .max_concurrent_bidi_streams(0u8.into())
        .max_concurrent_uni_streams(RELAY_STREAMS.into());
    let mut config = ClientConfig::new(Arc::new(crypto));
    config.transport_config(Arc::new(transport));
    Ok(config)
}

/// Keys by which a relay that was restarted recognises connections of its earlier life and resets
/// them (RFC 9000 §10.3), so that clients come back at once rather than after the idle time-out.
fn endpoint_config(key: &RelayKey) -> EndpointConfig {
    let mut config = EndpointConfig::new(Arc::new(ResetKey(key.mac(b"Sotto/1 quic reset"))));
    config.cid_generator(|| Box::new(RandomIds));
    config
}

/// Random connection ids. Unlike quinn's own, which hold a checksum under a key of one life of the
/// endpoint, those of an earlier life are not taken for noise but answered with a reset.
#[derive(Debug)]
struct RandomIds;

impl ConnectionIdGenerator for RandomIds {
    fn generate_cid(&mut self) -> ConnectionId {
        ConnectionId::new(&rand::random::<[u8; CONNECTION_ID_BYTES]>())
    }

    fn cid_len(&self) -> usize {
        CONNECTION_ID_BYTES
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

/// ``HMAC-SHA-256(relay key, label || data)``.
struct ResetKey(Hmac<Sha256>);

impl ResetKey {
    fn mac(&self, data: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(data)
    }
}

impl HmacKey for ResetKey {
    fn sign(&self, data: &[u8], signature_out: &mut [u8]) {
        let signature = self.mac(data).finalize().into_bytes();
        for (out, byte) in signature_out.iter_mut().zip(signature) {
            *out = byte;
        }
    }

    fn signature_len(&self) -> usize {
        32
    }

    fn verify(&self, data: &[u8], signature: &[u8]) -> Result<(), CryptoError> {
        self.mac(data)
            .verify_slice(signature)
            .map_err(|_| CryptoError)
    }
}

/// An endpoint that accepts connections at this address; port 0 takes a free one.
///
/// # Errors
/// When the address is in use or not ours; when the key cannot be used.
pub fn listen(
    address: SocketAddr,
    key: &RelayKey,
    certificate: &CertificateSlot,
) -> io::Result<Endpoint> {
    listen_on(UdpSocket::bind(address)?, key, certificate)
}

/// What a relay's socket holds for it, if the system allows: some 1,500 handshakes that begin.
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// An endpoint that accepts connections at this socket.
///
/// # Errors
/// When the socket or the key cannot be used.
pub fn listen_on(
    socket: UdpSocket,
    key: &RelayKey,
    certificate: &CertificateSlot,
) -> io::Result<Endpoint> {
    // A crowd that connects at once fills a small buffer, and what does not fit is sent again only
    // after a second. The system may grant less, which does no harm otherwise.
    drop(SockRef::from(&socket).set_recv_buffer_size(RECEIVE_BUFFER_BYTES));
    let config = server_config(key, certificate).map_err(io::Error::other)?;
    let runtime = Arc::new(TokioRuntime);
    Endpoint::new(endpoint_config(key), Some(config), socket, runtime)
}

/// An endpoint from which to reach relays at addresses of the same family as `peer`.
///
/// # Errors
/// When no socket can be had.
pub fn dialer(peer: SocketAddr) -> io::Result<Endpoint> {
    let any: SocketAddr = if peer.is_ipv4() {
        ([0, 0, 0, 0], 0).into()
    } else {
        ([0u16; 8], 0).into()
    };
    Endpoint::client(any)
}

/// What an endpoint stands on, if not on a socket of the system and on tokio.
#[derive(Debug, Clone)]
pub struct Underlay {
    /// Carries its packets.
    pub socket: Arc<dyn AsyncUdpSocket>,
    /// Runs its tasks, and tells the time.
    pub runtime: Arc<dyn Runtime>,
    /// For choices that are not secret, such as the packet numbers that are left out: 32 bytes.
    /// Keys come from the system.
    pub seed: [u8; 32],
}

impl Underlay {
    fn endpoint(
        self,
        mut config: EndpointConfig,
        server: Option<ServerConfig>,
    ) -> io::Result<Endpoint> {
        config.rng_seed(Some(self.seed));
        Endpoint::new_with_abstract_socket(config, server, self.socket, self.runtime)
    }
}

/// As [`listen`], on another underlay.
///
/// # Errors
/// When the key cannot be used.
pub fn listen_over(
    underlay: Underlay,
    key: &RelayKey,
    certificate: &CertificateSlot,
) -> io::Result<Endpoint> {
    let config = server_config(key, certificate).map_err(io::Error::other)?;
    underlay.endpoint(endpoint_config(key), Some(config))
}

/// As [`dialer`], on another underlay.
///
/// # Errors
/// When the socket has no address.
pub fn dialer_over(underlay: Underlay) -> io::Result<Endpoint> {
    underlay.endpoint(EndpointConfig::default(), None)
}

/// The name that the client asked for in the handshake, at the relay's end.
pub(crate) fn server_name(connection: &Connection) -> Option<String> {
    let data = connection.handshake_data()?.downcast().ok()?;
    let data: Box<quinn::crypto::rustls::HandshakeData> = data;
    data.server_name
}

/// What a relay shows: to those who ask for [`SERVER_NAME`] its key, to others the certificate for
/// its host, if it has one.
#[derive(Debug)]
struct Shown {
    pinned: Arc<CertifiedKey>,
    public: CertificateSlot,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let public = match client_hello.server_name() {
            Some(name) if name != SERVER_NAME => self.public.certified(),
            _ => None,
        };
        Some(public.unwrap_or_else(|| Arc::clone(&self.pinned)))
    }
}

/// Accepts exactly the certificate whose public key has this pin; the signature of the handshake
/// is verified as usual.
#[derive(Debug)]
struct PinVerifier {
    pin: RelayPin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        if RelayPin::of(&certificate.subject_public_key_info()) == self.pin {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Whether this error means that the relay showed something else than what was demanded.
pub fn is_wrong_certificate(error: &ConnectionError) -> bool {
    // RFC 9001 §4.8: a TLS alert a travels as the QUIC error 0x100 + a; our verifier's refusal is
    // the alert access_denied or certificate_unknown, raised by ourselves.
    match error {
        ConnectionError::TransportError(error) => {
            let code = u64::from(error.code);
            (0x100..0x200).contains(&code) && error.reason.contains("certificate")
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use rustls::NamedGroup;

    use super::*;

    #[test]
    fn the_first_choice_of_key_exchange_is_post_quantum() {
        let groups = provider().kx_groups.clone();
        assert_eq!(groups[0].name(), NamedGroup::X25519MLKEM768);
    }
}
