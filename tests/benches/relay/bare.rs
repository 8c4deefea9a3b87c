//! The control: a QUIC relay that keeps nothing.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes, BytesMut};
#[cfg(unix)]
use socket2::{Domain, Socket, Type};
use sotto_net::quic::{self, Connection, Endpoint};
use sotto_net::{CertificateSlot, Invite, RelayKey};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;

/// Envelopes that wait for one reader; more hold the sender up.
const WAITING: usize = 1024;
/// Frames that are written together.
const BATCH: usize = 256;

type Queues = Arc<Mutex<HashMap<u32, mpsc::Sender<Bytes>>>>;

/// Listens, within the current runtime, for ever; gives the invite.
pub(crate) fn listen(address: SocketAddr, key: &RelayKey) -> Invite {
    let endpoint = quic::listen(address, key, &CertificateSlot::default()).expect("an address");
    let invite = Invite::to(endpoint.local_addr().expect("an address"), key.pin());
    accept(endpoint, Queues::default());
    invite
}

/// Listens with an endpoint for each core, each with a runtime of one thread; the system spreads
/// what arrives over their sockets, by the addresses that it comes from.
#[cfg(unix)]
pub(crate) fn listen_on_each_core(address: SocketAddr, key: &Arc<RelayKey>) -> Invite {
    let mut address = address;
    let queues = Queues::default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    for _ in 0..cores {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None);
        let socket = socket.expect("a socket");
        socket.set_reuse_port(true).expect("a shared port");
        socket.bind(&address.into()).expect("an address");
        let socket = std::net::UdpSocket::from(socket);
        address = socket.local_addr().expect("an address");
        let (key, queues) = (Arc::clone(key), Arc::clone(&queues));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                accept(
                    quic::listen_on(socket, &key, &CertificateSlot::default())
                        .expect("an endpoint"),
                    queues,
                );
                std::future::pending::<()>().await;
            });
        });
    }
    Invite::to(address, key.pin())
}

fn accept(endpoint: Endpoint, queues: Queues) {
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            let queues = Arc::clone(&queues);
            tokio::spawn(async move {
                if let Ok(connection) = incoming.await {
                    serve(connection, queues).await;
                }
            });
        }
    });
}

/// Frames are `length u32 | target u32 | body`; the first one of a connection names itself.
async fn serve(connection: Connection, queues: Queues) {
    let Ok((answers, mut requests)) = connection.accept_bi().await else {
        return;
    };
    let Ok(mut delivery) = connection.open_uni().await else {
        return;
    };
    let Ok(name) = requests.read_u32().await else {
        return;
    };
    let (queue, mut waiting) = mpsc::channel::<Bytes>(WAITING);
    queues
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(name, queue);
    tokio::spawn(async move {
        let mut batch = Vec::with_capacity(BATCH);
        while waiting.recv_many(&mut batch, BATCH).await > 0 {
            if delivery.write_all_chunks(&mut batch).await.is_err() {
                return;
            }
            batch.clear();
        }
    });
    // So that the client sees the stream.
    let hello = queues
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&name)
        .cloned();
    if let Some(hello) = hello {
        drop(hello.send(Bytes::from_static(&[0; 8])).await);
    }
    let mut buffer = BytesMut::new();
    let mut known: HashMap<u32, mpsc::Sender<Bytes>> = HashMap::new();
    loop {
        while let Some(mut head) = buffer.get(..8) {
            let (length, target) = (head.get_u32() as usize, head.get_u32());
            if buffer.len() < 8 + length {
                break;
            }
            let frame = buffer.split_to(8 + length).freeze();
            if !known.contains_key(&target) {
                let queues = queues.lock().unwrap_or_else(PoisonError::into_inner);
                known.extend(queues.get(&target).map(|queue| (target, queue.clone())));
            }
            if let Some(queue) = known.get(&target)
                && queue.send(frame).await.is_err()
            {
                known.remove(&target);
            }
        }
        buffer.reserve(64 * 1024);
        match requests.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
    }
    // Dropping it earlier would reset the stream.
    drop(answers);
}

/// A frame for a target.
pub(crate) fn frame(target: u32, body: &[u8]) -> Bytes {
    let length = u32::try_from(body.len()).expect("short");
    [&length.to_be_bytes()[..], &target.to_be_bytes(), body]
        .concat()
        .into()
}

/// Takes the name of a connection to the relay.
pub(crate) async fn login(stream: &mut quic::SendStream, name: u32) {
    stream
        .write_all(&name.to_be_bytes())
        .await
        .expect("written");
    stream.flush().await.expect("written");
}
