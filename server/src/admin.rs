//! The admin port: metrics and health over HTTP, for this machine alone.
//!
//! It is bounded like everything else: a few connections, each for one short question, and nothing
//! that the relay itself would wait for.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::health::Health;
use crate::store::Store;

/// Connections at a time; further ones wait in the system's queue.
const CONNECTIONS_MAX: usize = 8;
/// How long a client may take to ask.
const ASKING_TIME: Duration = Duration::from_secs(2);
/// How long a connection lives: asking, the store's answer, and reading what is said.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// Size of a question in bytes: the least that hyper can be told.
const QUESTION_BYTES_MAX: usize = 8 * 1024;
/// Headers of a question.
const HEADERS_MAX: usize = 32;
/// How long to wait when no connection can be had, for want of file descriptors.
const RECOVERY_TIME: Duration = Duration::from_millis(100);

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// A port that is bound and not served yet.
#[derive(Debug)]
pub(crate) struct Port {
    listener: TcpListener,
    address: SocketAddr,
}

impl Port {
    /// Binds a loopback address; port 0 takes a free one.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Answers questions about this relay until it is dropped.
    pub(crate) fn serve<S: Store>(self, health: Health<S>) -> Admin {
        let Self { listener, address } = self;
        Admin {
            address,
            task: tokio::spawn(accept(listener, Arc::new(health))),
        }
    }
}

/// A port that is served. Dropping it ends its connections.
#[derive(Debug)]
pub(crate) struct Admin {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Admin {
    /// Ends the port and its connections; returns when it is free.
    pub(crate) async fn end(mut self) {
        self.task.abort();
        // It has been told to end, and says so.
        drop((&mut self.task).await);
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept<S: Store>(listener: TcpListener, health: Arc<Health<S>>) {
    let seats = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    // The semaphore is never closed.
    while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else {
            sleep(RECOVERY_TIME).await;
            continue;
        };
        let health = Arc::clone(&health);
        connections.spawn(async move {
            // Whether a client was served to the end is its own concern.
            drop(timeout(CONNECTION_TIME, converse(stream, health)).await);
            drop(seat);
        });
    }
}

/// One question and its answer.
async fn converse<S: Store>(stream: TcpStream, health: Arc<Health<S>>) -> hyper::Result<()> {
    let service = service_fn(move |request| answer(Arc::clone(&health), request));
    http1::Builder::new()
        .keep_alive(false)
        .timer(TokioTimer::new())
        .header_read_timeout(ASKING_TIME)
        .max_buf_size(QUESTION_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await
}

async fn answer<S: Store>(
    health: Arc<Health<S>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() != Method::GET {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered");
        let allowed = HeaderValue::from_static("GET");
        response.headers_mut().insert(ALLOW, allowed);
        return Ok(response);
    }
    let outcome = match request.uri().path() {
        "/livez" => health.live().await.map(|()| plain(StatusCode::OK, "live")),
        "/readyz" => health
            .ready()
            .await
            .map(|()| plain(StatusCode::OK, "ready")),
        "/metrics" => health
            .metrics()
            .await
            .map(|text| response(StatusCode::OK, OPEN_METRICS, text.into())),
        _ => {
            let paths = "there are /metrics, /livez and /readyz";
            Ok(plain(StatusCode::NOT_FOUND, paths))
        }
    };
    Ok(outcome.unwrap_or_else(|trouble| plain(StatusCode::SERVICE_UNAVAILABLE, trouble)))
}

fn plain(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    response(status, PLAIN, format!("{text}\n").into())
}

fn response(status: StatusCode, kind: HeaderValue, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
