//! The identities of all worlds: their keys take long to find, so they are made once, and each
//! world gets copies of their vaults.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sotto_client::view::{ProfileId, ProfileState};
use sotto_client::{
    Argon2Cost, Client, Config, Environment, OpenAtStart, Person, well_known_people,
};
use sotto_crypto::{Identity, PrekeyKind, PrekeySecret};
use sotto_net::wire::DeviceKey;
use sotto_relay::store::TakenBundle;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How long the search for a key may take.
const DEADLINE: Duration = Duration::from_mins(2);
/// One for each person. From most seeds the search for primes takes long; not from these.
const SEEDS: [u64; 4] = [13, 103, 85, 63];
const IMPOSTOR_SEED: u64 = 178;

/// Somebody whom nobody knows, and whom a hostile relay puts behind the handles of others.
pub(super) struct Impostor {
    /// As it is published.
    pub(super) identity: Bytes,
    pub(super) device: DeviceKey,
    pub(super) bundle: TakenBundle,
}

impl Impostor {
    /// # Panics
    /// When it cannot be made.
    pub(super) fn get() -> &'static Self {
        static IMPOSTOR: OnceLock<Impostor> = OnceLock::new();
        IMPOSTOR.get_or_init(|| {
            let mut rng = StdRng::seed_from_u64(IMPOSTOR_SEED);
            let identity = Identity::generate(&mut rng).expect("an identity");
            let mut prekey = |kind, id| {
                let secret = PrekeySecret::generate(kind, id, u64::MAX, &mut rng);
                Bytes::from(secret.record(&identity))
            };
            Self {
                identity: identity.public().encode().into(),
                device: DeviceKey(identity.public().device_key()),
                bundle: TakenBundle {
                    signed: prekey(PrekeyKind::Signed, 1),
                    one_time: Some(prekey(PrekeyKind::OneTime, 2)),
                },
            }
        })
    }
}

/// The files of a vault, with their names.
type Files = Vec<(String, Vec<u8>)>;

/// Puts everybody's new vault into the folder of a world.
///
/// # Panics
/// When one cannot be made or written.
pub(super) fn place(dir: &Path) {
    static VAULTS: OnceLock<BTreeMap<String, Files>> = OnceLock::new();
    let vaults = VAULTS.get_or_init(|| {
        let people: Vec<_> = well_known_people().into_iter().zip(SEEDS).collect();
        let making: Vec<_> = people
            .into_iter()
            .map(|(person, seed)| thread::spawn(move || (make(&person, seed), person.handle)))
            .collect();
        let made = making.into_iter().map(|made| {
            let (files, handle) = made.join().expect("an identity");
            (handle, files)
        });
        made.collect()
    });
    for (handle, files) in vaults {
        let folder = dir.join(handle).join("profiles").join(handle);
        fs::create_dir_all(&folder).expect("a folder");
        for (name, bytes) in files {
            fs::write(folder.join(name), bytes).expect("a file");
        }
    }
}

/// Has a client make an identity that knows the other ones by name.
fn make(person: &Person, seed: u64) -> Files {
    let dir = tempfile::tempdir().expect("a folder");
    let id = ProfileId::new(&person.handle);
    let (_relay, receiver) = watch::channel(None);
    let config = Config {
        data_dir: dir.path().to_owned(),
        people: well_known_people(),
        open: OpenAtStart::Only(id.clone()),
        relay: receiver,
        passphrase_cost: Argon2Cost::FLOOR,
        environment: Environment::new(
            || 0,
            move || StdRng::seed_from_u64(seed),
            |_| Err(io::ErrorKind::NetworkUnreachable.into()),
        ),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let changed = std::sync::Arc::new(Notify::new());
        let waker = std::sync::Arc::clone(&changed);
        let (client, lives) = Client::start_here(&config, move || waker.notify_one());
        let lives: Vec<_> = lives.into_iter().map(tokio::task::spawn_local).collect();
        let ready = async {
            while !is_ready(&client, &id) {
                changed.notified().await;
            }
        };
        timeout(DEADLINE, ready).await.expect("a new identity");
        drop(client);
        for life in lives {
            life.await.expect("a life that ends well");
        }
    });
    read(&dir.path().join("profiles").join(&person.handle))
}

fn is_ready(client: &Client, id: &ProfileId) -> bool {
    let model = client.snapshot();
    let profile = model.profile(id);
    profile.is_some_and(|profile| profile.state == ProfileState::Ready)
}

fn read(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut files: Files = entries
        .map(|entry| {
            let entry = entry.expect("a file");
            let name = entry.file_name().into_string().expect("a name");
            (name, fs::read(entry.path()).expect("a file"))
        })
        .collect();
    files.sort();
    files
}
