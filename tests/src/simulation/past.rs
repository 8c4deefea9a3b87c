//! What has happened before a world begins. The cryptography of first meetings takes far longer
//! than all that follows, so most worlds begin with what real software has written in a world that
//! was lived through once.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use rand::seq::IndexedRandom as _;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use super::chance::chance;
use super::scenario::in_world;
use super::world::World;
use super::{identities, invariants, person};

/// The seed of the worlds that were lived through. Another world with it would repeat their chance,
/// down to the ids of envelopes.
const SEED: u64 = u64::MAX;
/// How long the world before may take.
const DEADLINE: Duration = Duration::from_mins(5);
/// How often it is looked how far it is.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// How long it goes on, so that nothing is left to be done.
const AFTERWARDS: Duration = Duration::from_secs(10);
/// How long ago it was.
const AGO_MILLIS: i64 = 60 * 60 * 1_000;

/// How far people have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// They have identities.
    Nothing,
    /// They have logged in and published prekeys.
    Joined,
    /// They have written to each other.
    Talked,
}

/// The files of a world, relative to its folder.
type Files = Vec<(PathBuf, Vec<u8>)>;

impl Past {
    /// That of the world of this seed: every fourth begins with nothing, and every fourth without
    /// a session.
    pub(super) fn of(seed: u64) -> Self {
        let pasts = [Self::Nothing, Self::Joined, Self::Talked, Self::Talked];
        let past = pasts.choose(&mut chance(seed, "past", 0));
        past.copied().unwrap_or(Self::Nothing)
    }

    /// Puts what it has left into the folder of a world.
    ///
    /// # Panics
    /// When it cannot be written, or did not go well.
    pub(super) fn place(self, dir: &Path) {
        static JOINED: OnceLock<Files> = OnceLock::new();
        static TALKED: OnceLock<Files> = OnceLock::new();
        let files = match self {
            Self::Nothing => return identities::place(dir),
            Self::Joined => JOINED.get_or_init(|| self.happen()),
            Self::Talked => TALKED.get_or_init(|| self.happen()),
        };
        for (path, bytes) in files {
            let path = dir.join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(path, bytes).expect("a file");
        }
    }

    /// Lives through it, on a thread of its own: worlds are not nested.
    fn happen(self) -> Files {
        let life = thread::spawn(move || {
            in_world(async move {
                let (world, crashes) = World::new(SEED, Self::Nothing, None, false);
                spawn_local(Rc::clone(&world).go_on(crashes));
                for host in world.hosts() {
                    world.clock.step(host, -AGO_MILLIS);
                    world.start(host).await;
                }
                let life = timeout(DEADLINE, self.live(&world)).await;
                life.expect("a past that ends");
                world.end_all().await;
                assert_eq!(world.journal.wrongs(), Vec::<String>::new());
                let mut files = Files::new();
                read(world.dir(), Path::new(""), &mut files);
                files
            })
        });
        life.join().expect("a past")
    }

    async fn live(self, world: &World) {
        while !person::are_acquainted(world).await {
            sleep(LOOK_INTERVAL).await;
        }
        if self == Self::Talked {
            for machine in &world.people {
                person::say_last(world, machine).await;
            }
            settle(world).await;
            for machine in &world.people {
                let client = machine.client().await;
                person::read(world, machine, &client).await;
            }
            settle(world).await;
        }
        // Prekeys are published, and nothing is on its way.
        sleep(AFTERWARDS).await;
    }
}

async fn settle(world: &World) {
    while !invariants::differences(world).await.is_empty() {
        sleep(LOOK_INTERVAL).await;
    }
}

/// Reads all files of a folder, whose place among them is `at`.
fn read(folder: &Path, at: &Path, files: &mut Files) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("a file");
        let (path, at) = (entry.path(), at.join(entry.file_name()));
        if path.is_dir() {
            read(&path, &at, files);
        } else {
            files.push((at, fs::read(path).expect("a file")));
        }
    }
}
