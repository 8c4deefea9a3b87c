//! A server of models on this computer: real HTTP/1.1 that streams, breaks off, goes silent and lies,
//! and remembers every byte that it was sent.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};

/// Whatever has not happened by then never will.
const DEADLINE: Duration = Duration::from_secs(30);
/// The longest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How much of an endless reply there is at most, in bytes.
const ENDLESS_BYTES: u64 = 100 * 1024 * 1024;

/// A request as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// For example `POST /api/chat HTTP/1.1`.
    pub line: String,
    /// In their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// All bytes of it.
    pub bytes: Vec<u8>,
}

impl Request {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(it, _)| it == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// What is answered.
#[derive(Debug, Clone)]
pub struct Reply {
    head: String,
    body: Vec<u8>,
    /// Bytes in one piece.
    piece: usize,
    is_chunked: bool,
    end: End,
}

/// How a reply ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// The connection closes.
    Cut,
    /// Nothing comes any more.
    Silent,
    /// The body is repeated without end.
    Endless,
    /// The rest waits for [`ModelServer::go_on`], after so many bytes.
    Held(usize),
}

impl Reply {
    /// A stream with this content type.
    pub fn stream(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            head: format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n"),
            body: body.into(),
            piece: usize::MAX,
            is_chunked: true,
            end: End::Whole,
        }
    }

    /// Gemini says these texts, piece by piece.
    pub fn gemini(texts: &[&str]) -> Self {
        let mut body = String::new();
        for text in texts {
            let parts = serde_json::json!([{ "text": text }]);
            let content = serde_json::json!({ "role": "model", "parts": parts });
            let chunk = serde_json::json!({ "candidates": [{ "content": content, "index": 0 }] });
            body.extend(["data: ", &chunk.to_string(), "\n\n"]);
        }
        let last = serde_json::json!({
            "candidates": [{ "finishReason": "STOP", "index": 0 }],
            "usageMetadata": { "totalTokenCount": 7 },
        });
        Self::stream("text/event-stream", body + &format!("data: {last}\n\n"))
    }

    /// Ollama says these texts, piece by piece.
    pub fn ollama(texts: &[&str]) -> Self {
        let mut body = String::new();
        for text in texts {
            let message = serde_json::json!({ "role": "assistant", "content": text });
            let line = serde_json::json!({ "message": message, "done": false });
            body.extend([line.to_string().as_str(), "\n"]);
        }
        let last = serde_json::json!({
            "message": { "role": "assistant", "content": "" },
            "done_reason": "stop",
            "done": true,
        });
        Self::stream("application/x-ndjson", body + &format!("{last}\n"))
    }

    /// A server like `OpenAI`'s says these texts, piece by piece.
    pub fn openai(texts: &[&str]) -> Self {
        let mut body = String::new();
        for text in texts {
            let delta = serde_json::json!({ "content": text });
            let chunk = serde_json::json!({ "choices": [{ "delta": delta, "index": 0 }] });
            body.extend(["data: ", &chunk.to_string(), "\n\n"]);
        }
        Self::stream("text/event-stream", body + "data: [DONE]\n\n")
    }

    /// A JSON value as a whole.
    pub fn json(value: &serde_json::Value) -> Self {
        Self {
            is_chunked: false,
            ..Self::stream("application/json", value.to_string())
        }
    }

    /// A failure, with what Gemini says of it.
    pub fn failure(status: u16, headers: &str, error: &serde_json::Value) -> Self {
        Self {
            head: format!("HTTP/1.1 {status} No\r\ncontent-type: application/json\r\n{headers}"),
            ..Self::json(&serde_json::json!({ "error": error }))
        }
    }

    /// In pieces of so many bytes, each sent on its own.
    #[must_use]
    pub fn in_pieces(self, bytes: usize) -> Self {
        Self {
            piece: bytes.max(1),
            ..self
        }
    }

    /// With line ends of two bytes.
    #[must_use]
    pub fn with_crlf(self) -> Self {
        let text = String::from_utf8_lossy(&self.body).replace('\n', "\r\n");
        Self {
            body: text.into(),
            ..self
        }
    }

    /// Breaks off after so many bytes of the body.
    #[must_use]
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        Self {
            end: End::Cut,
            ..self
        }
    }

    /// Says no more after so many bytes of the body.
    #[must_use]
    pub fn silent_after(mut self, bytes: usize) -> Self {
        self.body.truncate(bytes);
        Self {
            end: End::Silent,
            ..self
        }
    }

    /// Says the same without end.
    #[must_use]
    pub fn endless(self) -> Self {
        Self {
            end: End::Endless,
            ..self
        }
    }

    /// Waits for [`ModelServer::go_on`] after so many bytes of the body.
    #[must_use]
    pub fn held_after(self, bytes: usize) -> Self {
        Self {
            end: End::Held(bytes),
            ..self
        }
    }

    /// How long the body is, in bytes.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }
}

/// The server; it ends with this.
#[derive(Debug)]
pub struct ModelServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _end: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    go_on: Notify,
}

#[derive(Debug, Default)]
struct State {
    requests: Vec<Request>,
    replies: VecDeque<Reply>,
    connections: usize,
    /// Connections that the other side has closed before the end of a reply.
    closed: usize,
    /// Bytes of bodies that were taken.
    written: u64,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    /// The reply to the next request: the last one is repeated.
    fn next(&self) -> Option<Reply> {
        let mut state = self.state();
        if state.replies.len() > 1 {
            state.replies.pop_front()
        } else {
            state.replies.front().cloned()
        }
    }
}

impl ModelServer {
    /// Starts a server on the loopback interface that gives these replies, one for each request; the
    /// last one again and again.
    ///
    /// # Panics
    /// When there is no port or thread for it.
    pub fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let shared = Arc::new(Shared::default());
        shared.state().replies.extend(replies);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket");
        let address = listener.local_addr().expect("an address");
        let (end, ended) = oneshot::channel();
        let here = Arc::clone(&shared);
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                tokio::select! {
                    () = serve(listener, here) => {}
                    _ = ended => {}
                }
            });
            runtime.shutdown_background();
        });
        Self {
            address,
            shared,
            _end: end,
        }
    }

    /// Its address, for example `http://127.0.0.1:4711/`.
    pub fn address(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Other replies from now on.
    pub fn set_replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared
            .change(|state| state.replies = replies.into_iter().collect());
    }

    /// What it was sent so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// How often it was connected to.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Bytes of replies that were taken so far.
    pub fn written(&self) -> u64 {
        self.shared.state().written
    }

    /// Goes on with a reply that is held.
    pub fn go_on(&self) {
        self.shared.go_on.notify_one();
    }

    /// Waits for so many requests.
    ///
    /// # Panics
    /// When they do not come.
    pub fn wait_for(&self, requests: usize) -> Vec<Request> {
        self.wait(|state| state.requests.len() >= requests);
        self.requests()
    }

    /// Waits until the other side has closed a connection before the end of a reply.
    ///
    /// # Panics
    /// When it does not.
    pub fn wait_until_closed(&self) {
        self.wait_until(1);
    }

    /// As [`ModelServer::wait_until_closed`], for so many connections.
    ///
    /// # Panics
    /// When they are not closed.
    pub fn wait_until(&self, closed: usize) {
        self.wait(|state| state.closed >= closed);
    }

    fn wait(&self, mut is_so: impl FnMut(&State) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        let mut state = self.shared.state();
        while !is_so(&state) {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "it does not happen: {state:?}");
            let waited = self.shared.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        shared.change(|state| state.connections += 1);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // What goes wrong here was seen by the other side.
            drop(talk(stream, shared).await);
        });
    }
}

/// One request, and the reply to it.
async fn talk(mut stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(request) = read(&mut stream).await? else {
        return Ok(());
    };
    let reply = shared.next();
    shared.change(|state| state.requests.push(request));
    let Some(reply) = reply else {
        return Ok(());
    };
    let (mut reading, mut writing) = stream.into_split();
    let written = write(&mut writing, &reply, &shared);
    let closed = async {
        // The other side says nothing more: whatever comes is its end.
        let mut byte = [0];
        drop(reading.read(&mut byte).await);
    };
    tokio::select! {
        biased;
        written = written => match written {
            Ok(()) => {}
            Err(_) => shared.change(|state| state.closed += 1),
        },
        () = closed => shared.change(|state| state.closed += 1),
    }
    Ok(())
}

async fn read(stream: &mut TcpStream) -> io::Result<Option<Request>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = parse(&bytes) {
            return Ok(Some(request));
        }
        let mut piece = [0; 8192];
        let count = stream.read(&mut piece).await?;
        if count == 0 || bytes.len() > REQUEST_BYTES_MAX {
            return Ok(None);
        }
        bytes.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
}

/// A request, once all of it is there.
fn parse(bytes: &[u8]) -> Option<Request> {
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
    let mut lines = head.split("\r\n");
    let mut request = Request {
        line: lines.next()?.to_owned(),
        headers: lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        bytes: bytes.to_vec(),
        body: Vec::new(),
    };
    let length = request.header("content-length").unwrap_or("0");
    let length: usize = length.parse().ok()?;
    request.body = bytes.get(end + 4..end + 4 + length)?.to_vec();
    Some(request)
}

async fn write(
    stream: &mut (impl tokio::io::AsyncWrite + Unpin),
    reply: &Reply,
    shared: &Shared,
) -> io::Result<()> {
    let framing = if reply.is_chunked {
        "transfer-encoding: chunked".to_owned()
    } else {
        format!("content-length: {}", reply.body.len())
    };
    let head = format!("{}{framing}\r\nconnection: close\r\n\r\n", reply.head);
    stream.write_all(head.as_bytes()).await?;
    let held = match reply.end {
        End::Held(bytes) => bytes.min(reply.body.len()),
        _ => reply.body.len(),
    };
    let (first, rest) = reply.body.split_at(held);
    pieces(stream, reply, first, shared).await?;
    match reply.end {
        End::Whole => {}
        End::Held(_) => {
            shared.go_on.notified().await;
            pieces(stream, reply, rest, shared).await?;
        }
        End::Cut => return stream.shutdown().await,
        End::Silent => return std::future::pending().await,
        End::Endless => {
            while shared.state().written < ENDLESS_BYTES {
                pieces(stream, reply, first, shared).await?;
            }
        }
    }
    if reply.is_chunked {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    stream.flush().await?;
    stream.shutdown().await
}

async fn pieces(
    stream: &mut (impl tokio::io::AsyncWrite + Unpin),
    reply: &Reply,
    body: &[u8],
    shared: &Shared,
) -> io::Result<()> {
    for piece in body.chunks(reply.piece) {
        if reply.is_chunked {
            let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
            chunk.extend_from_slice(piece);
            chunk.extend_from_slice(b"\r\n");
            stream.write_all(&chunk).await?;
        } else {
            stream.write_all(piece).await?;
        }
        stream.flush().await?;
        shared.change(|state| state.written += piece.len() as u64);
        tokio::task::yield_now().await;
    }
    Ok(())
}
