//! The way to a provider: the only place that knows HTTP. Nothing follows a redirect, nothing that
//! is meant for this computer takes a proxy, and every reply has an end.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use rustls_platform_verifier::Verifier;
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::codec::{Decoder as _, LinesCodec, LinesCodecError};

use super::wire::{Assistant, failure};
use super::{ANSWER_BYTES_MAX, AssistError, Outgoing, Provider};

/// The longest line of a reply, in bytes.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// The longest reply, in bytes: an answer, and what comes with each of its parts.
const REPLY_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What is read of the body of an error, in bytes.
const ERROR_BYTES_MAX: usize = 64 * 1024;
/// The longest wait that a provider may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(24);

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) connect: Duration,
    /// Until the reply begins; a model may have to be loaded first.
    pub(super) begin: Duration,
    /// Between two pieces of it.
    pub(super) silence: Duration,
}

impl Limits {
    pub(super) fn for_provider(provider: &Provider) -> Self {
        let secs = if provider.is_here() { 180 } else { 30 };
        Self {
            connect: Duration::from_secs(10),
            begin: Duration::from_secs(secs.max(60)),
            silence: Duration::from_secs(secs),
        }
    }
}

/// Where a provider is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    url: Url,
    host: String,
}

impl Address {
    /// `is_here`: it has to name this computer. Elsewhere nothing is said in the clear.
    pub(super) fn new(address: &str, is_here: bool) -> Result<Self, AssistError> {
        let mut url = Url::parse(address).map_err(|_| AssistError::Address)?;
        let host = url.host_str().ok_or(AssistError::Address)?.to_owned();
        let names_this = names_this_computer(&host);
        let is_fit = match url.scheme() {
            "http" => names_this,
            "https" => !is_here,
            _ => false,
        };
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_fit || !is_bare {
            return Err(AssistError::Address);
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        };
        Ok(Self { url, host })
    }

    pub(super) fn as_str(&self) -> &str {
        self.url.as_str()
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// A place below it.
    fn join(&self, path: &str) -> Result<Url, AssistError> {
        let url = format!("{}{path}", self.url);
        Url::parse(&url).map_err(|_| AssistError::Address)
    }
}

fn names_this_computer(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => bare == "localhost",
    }
}

/// A client for one request.
async fn client(address: &Address, limits: Limits) -> Result<Client, AssistError> {
    let mut builder = Client::builder()
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(limits.connect)
        .pool_max_idle_per_host(0);
    let is_secure = address.url.scheme() == "https";
    if !is_secure {
        builder = builder.no_proxy();
        if let Some(host @ "localhost") = address.url.host_str() {
            let port = address.url.port_or_known_default().unwrap_or(80);
            let found = tokio::net::lookup_host((host, port)).await;
            let found: Vec<SocketAddr> = found.map_err(|_| AssistError::Unreachable)?.collect();
            if found.is_empty() || !found.iter().all(|it| it.ip().is_loopback()) {
                return Err(AssistError::Address);
            }
            builder = builder.resolve_to_addrs(host, &found);
        }
    }
    let tls = tls(is_secure).map_err(|_| AssistError::Failed)?;
    let client = builder.tls_backend_preconfigured(tls).build();
    client.map_err(|_| AssistError::Failed)
}

/// TLS with the certificates that this computer trusts; with none where it is not spoken.
fn tls(is_spoken: bool) -> Result<rustls::ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?;
    Ok(if is_spoken {
        let verifier = Arc::new(Verifier::new(provider)?);
        builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth()
    } else {
        builder
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth()
    })
}

/// The key in its header; nothing prints it.
fn key_value(assistant: &dyn Assistant, key: &str) -> Result<HeaderValue, AssistError> {
    let value = format!("{}{}", assistant.key_prefix(), key.trim());
    let mut value = HeaderValue::from_str(&value).map_err(|_| AssistError::KeyRefused)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Sends a request whose reply has begun well.
async fn begin(
    provider: &Provider,
    path: &str,
    body: Option<bytes::Bytes>,
    key: Option<&str>,
    limits: Limits,
) -> Result<Response, AssistError> {
    let assistant = provider.kind().assistant();
    let key = key.filter(|key| !key.trim().is_empty());
    if key.is_none() && !provider.is_here() {
        return Err(AssistError::KeyMissing);
    }
    let client = client(provider.at(), limits).await?;
    let url = provider.at().join(path)?;
    let mut request = match body {
        Some(body) => client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .body(body),
        None => client.get(url),
    };
    request = request.header(ACCEPT, "*/*");
    if let Some(key) = key {
        request = request.header(assistant.key_header(), key_value(assistant, key)?);
    }
    let response = timeout(limits.begin, request.send()).await;
    let response = response.map_err(|_| AssistError::Silent)?;
    let response = response.map_err(|_| AssistError::Unreachable)?;
    let status = response.status().as_u16();
    if response.status().is_success() {
        return Ok(response);
    }
    let retry_after = retry_after(&response);
    let body = read_all(response, ERROR_BYTES_MAX, limits).await;
    let body = body.ok().and_then(|it| serde_json::from_slice(&it).ok());
    let body: Value = body.unwrap_or_default();
    Err(failure(status, retry_after, key.is_some(), &body))
}

fn retry_after(response: &Response) -> Option<Duration> {
    let secs = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let wait = Duration::from_secs(secs.trim().parse().ok()?);
    Some(wait.min(RETRY_AFTER_MAX))
}

/// Reads a reply as a whole.
async fn read_all(
    mut response: Response,
    most: usize,
    limits: Limits,
) -> Result<Vec<u8>, AssistError> {
    let mut all = Vec::new();
    while let Some(piece) = piece(&mut response, limits).await? {
        if all.len() + piece.len() > most {
            return Err(AssistError::ReplyTooLong);
        }
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

/// The next piece of a reply; `None` at its end.
async fn piece(
    response: &mut Response,
    limits: Limits,
) -> Result<Option<bytes::Bytes>, AssistError> {
    let piece = timeout(limits.silence, response.chunk()).await;
    let piece = piece.map_err(|_| AssistError::Silent)?;
    piece.map_err(|_| AssistError::Cut)
}

/// The names of a provider's models.
pub(super) async fn models(
    provider: &Provider,
    key: Option<&str>,
    limits: Limits,
) -> Result<Vec<String>, AssistError> {
    let assistant = provider.kind().assistant();
    let response = begin(provider, assistant.models_path(), None, key, limits).await?;
    let list = read_all(response, REPLY_BYTES_MAX, limits).await?;
    let list: Value = serde_json::from_slice(&list).map_err(|_| AssistError::NotUnderstood)?;
    if !list.is_object() {
        return Err(AssistError::NotUnderstood);
    }
    let mut models = assistant.models(&list);
    models.retain(|name| Provider::new(provider.kind(), provider.address(), name).is_ok());
    Ok(models)
}

/// Sends a request and reads its answer, which `on_text` hears as far as it has come; gives it, and
/// whether it ended too early.
pub(super) async fn ask(
    outgoing: &Outgoing,
    key: Option<&str>,
    limits: Limits,
    on_text: &mut (dyn FnMut(&str) + Send),
) -> Result<(String, bool), AssistError> {
    let provider = outgoing.provider();
    let body = Some(outgoing.body.clone());
    let mut response = begin(provider, &outgoing.path, body, key, limits).await?;
    let kind = response.headers().get(CONTENT_TYPE);
    if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html")) {
        return Err(AssistError::NotUnderstood);
    }
    let mut answer = Reading::new(provider.kind().assistant());
    loop {
        let heard = answer.text.len();
        let piece = piece(&mut response, limits).await?;
        let has_ended = piece.is_none();
        match piece {
            Some(piece) => answer.take(&piece)?,
            None => answer.end()?,
        }
        if answer.text.len() > heard {
            on_text(&answer.text);
        }
        match answer.is_cut {
            Some(is_cut) => return Ok((answer.text, is_cut)),
            None if has_ended && answer.has_parts => return Err(AssistError::Cut),
            None if has_ended => return Err(AssistError::NotUnderstood),
            None => {}
        }
    }
}

/// An answer as it is put together from the bytes of a reply.
pub(super) struct Reading {
    assistant: &'static dyn Assistant,
    lines: LinesCodec,
    buffer: BytesMut,
    /// The data of an event whose end has not come.
    event: String,
    bytes: usize,
    has_parts: bool,
    text: String,
    /// The answer has ended; whether too early.
    is_cut: Option<bool>,
}

impl Reading {
    pub(super) fn new(assistant: &'static dyn Assistant) -> Self {
        Self {
            assistant,
            lines: LinesCodec::new_with_max_length(LINE_BYTES_MAX),
            buffer: BytesMut::new(),
            event: String::new(),
            bytes: 0,
            has_parts: false,
            text: String::new(),
            is_cut: None,
        }
    }

    /// Takes the next bytes.
    fn take(&mut self, bytes: &[u8]) -> Result<(), AssistError> {
        self.bytes += bytes.len();
        if self.bytes > REPLY_BYTES_MAX {
            return Err(AssistError::ReplyTooLong);
        }
        self.buffer.extend_from_slice(bytes);
        while self.is_cut.is_none() {
            let line = self.lines.decode(&mut self.buffer);
            let Some(line) = line.map_err(|error| of_line(&error))? else {
                break;
            };
            self.line(&line)?;
        }
        Ok(())
    }

    /// There are no more bytes.
    fn end(&mut self) -> Result<(), AssistError> {
        let last = self.lines.decode_eof(&mut self.buffer);
        // Half a line, or half a character.
        let last = last.map_err(|_| self.unreadable())?;
        if let Some(line) = last.filter(|_| self.is_cut.is_none()) {
            self.line(&line)?;
        }
        self.line("")
    }

    fn line(&mut self, line: &str) -> Result<(), AssistError> {
        if !self.assistant.sends_events() {
            return if line.trim().is_empty() {
                Ok(())
            } else {
                self.part(line)
            };
        }
        if let Some(data) = line.strip_prefix("data:") {
            if !self.event.is_empty() {
                self.event.push('\n');
            }
            self.event.push_str(data.strip_prefix(' ').unwrap_or(data));
            return Ok(());
        }
        if line.is_empty() && !self.event.is_empty() {
            let event = std::mem::take(&mut self.event);
            return self.part(&event);
        }
        // A comment, or a field that says nothing here.
        Ok(())
    }

    fn part(&mut self, part: &str) -> Result<(), AssistError> {
        if self.is_cut.is_some() {
            return Ok(());
        }
        if part.trim() == "[DONE]" {
            self.is_cut = Some(false);
            return Ok(());
        }
        let part: Value = serde_json::from_str(part).map_err(|_| self.unreadable())?;
        if !part.is_object() {
            return Err(AssistError::NotUnderstood);
        }
        let part = self.assistant.part(&part)?;
        self.has_parts = true;
        self.text.push_str(&part.text);
        if self.text.len() > ANSWER_BYTES_MAX {
            return Err(AssistError::ReplyTooLong);
        }
        self.is_cut = part.end;
        Ok(())
    }

    /// What cannot be read was cut off, if there was an answer before it.
    fn unreadable(&self) -> AssistError {
        if self.has_parts {
            AssistError::Cut
        } else {
            AssistError::NotUnderstood
        }
    }
}

fn of_line(error: &LinesCodecError) -> AssistError {
    match error {
        LinesCodecError::MaxLineLengthExceeded => AssistError::ReplyTooLong,
        LinesCodecError::Io(_) => AssistError::NotUnderstood,
    }
}
