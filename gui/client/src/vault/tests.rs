mod backups;
mod long;
mod renewal;
mod secrets;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use sotto_crypto::{PrekeySecret, Session};
use sotto_net::RelayId;
use sotto_net::link::Cursor;
use sotto_net::wire::{EnvelopeId, StoreId};
use tempfile::tempdir;

use super::*;
use crate::core::content::{MessageId, Shown};
use crate::core::effects::{Change, MessageRecord, Proof};
use crate::core::recent::RECENT_DELIVERIES_MAX;
use crate::view::{ChatId, Delivery, MessageKey, Standing};

pub(super) fn create(path: &Path) -> Vault {
    let mut rng = StdRng::seed_from_u64(1);
    let Found::Nothing(folder) = find(path).unwrap() else {
        panic!("something is there");
    };
    let identity = Identity::generate(&mut rng).unwrap();
    let chat = ChatRecord {
        draft: "half a thought".into(),
        ..ChatRecord::named(ChatId(1), "bob", "Bob", Standing::Contact)
    };
    Vault::create(folder, &identity, "Alice", &[chat], None, &mut rng).unwrap()
}

pub(super) fn open(path: &Path) -> Vault {
    match find(path).unwrap() {
        Found::Open(vault) => vault,
        _ => panic!("no open vault"),
    }
}

fn error(path: &Path) -> VaultError {
    match find(path) {
        Err(error) => error,
        Ok(_) => panic!("it opened"),
    }
}

fn message(key: i64, id: u8, text: &str) -> Change {
    Change::AddMessage(MessageRecord {
        key: MessageKey(key),
        chat: ChatId(1),
        is_mine: key % 2 == 0,
        shown: Shown::text(MessageId([id; 16]), key, text.into(), None),
        delivery: Delivery::Sending,
        is_unread: false,
        is_sealed: true,
    })
}

fn texts(vault: &Vault, around: Option<i64>) -> Vec<String> {
    let window = vault.window(ChatId(1), around.map(MessageKey)).unwrap();
    let texts = window.messages.iter();
    texts
        .map(|record| record.shown.as_text().unwrap().to_owned())
        .collect()
}

#[test]
fn keeps_what_was_committed() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    let identity = vault.identity().unwrap().public().encode();
    vault.commit(&[message(1, 1, "one")]).unwrap();
    drop(vault);
    let vault = open(&path);
    assert_eq!(vault.identity().unwrap().public().encode(), identity);
    assert_eq!(texts(&vault, None), ["one"]);
    let loaded = vault.load().unwrap();
    assert_eq!(loaded.chats[0].draft, "half a thought");
    assert_eq!(loaded.next_key, 2);
}

#[test]
fn adds_a_message_once_and_says_so() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    let first = vault.commit(&[message(1, 1, "one")]).unwrap();
    assert!(!first.is_repeated);
    assert_eq!(first.effective, [0]);
    let again = vault.commit(&[message(3, 1, "one again")]).unwrap();
    assert!(again.is_repeated);
    assert_eq!(again.effective, [0; 0]);
    assert_eq!(texts(&vault, None), ["one"]);
}

#[test]
fn a_delivery_state_never_goes_back() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    vault.commit(&[message(2, 1, "one")]).unwrap();
    let advance = |delivery| Change::Advance {
        chat: ChatId(1),
        id: MessageId([1; 16]),
        delivery,
    };
    for (news, expected) in [
        (Delivery::Delivered, Delivery::Delivered),
        (Delivery::Relay, Delivery::Delivered),
        (Delivery::Read, Delivery::Read),
    ] {
        vault.commit(&[advance(news)]).unwrap();
        let record = vault.message(MessageKey(2)).unwrap().unwrap();
        assert_eq!(record.delivery, expected);
    }
}

#[test]
fn windows_lie_around_their_anchor() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    let messages: Vec<Change> = (1..=700_i64)
        .map(|key| {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&key.to_be_bytes());
            let Change::AddMessage(mut record) = message(key, 0, &key.to_string()) else {
                unreachable!()
            };
            record.shown.id = MessageId(id);
            Change::AddMessage(record)
        })
        .collect();
    vault.commit(&messages).unwrap();
    let newest = texts(&vault, None);
    assert_eq!((newest.len(), newest[299].as_str()), (300, "700"));
    let middle = vault.window(ChatId(1), Some(MessageKey(350))).unwrap();
    assert!(middle.has_older && middle.has_newer);
    let middle = texts(&vault, Some(350));
    assert_eq!((middle[149].as_str(), middle[150].as_str()), ("350", "351"));
    let first = vault.window(ChatId(1), Some(MessageKey(1))).unwrap();
    assert!(!first.has_older && first.has_newer);
}

#[test]
fn a_full_disk_changes_nothing() {
    let dir = tempdir().unwrap();
    let mut vault = create(&dir.path().join("alice"));
    vault.commit(&[message(1, 1, "one")]).unwrap();
    let pages: i64 = vault
        .database
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let limit = |vault: &Vault, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        vault.database.query_row(&sql, [], |_| Ok(())).unwrap();
    };
    limit(&vault, pages);
    let long = "x".repeat(40_000);
    let refused = vault.commit(&[message(3, 2, "two"), message(5, 3, &long)]);
    assert!(matches!(refused, Err(VaultError::Full)), "{refused:?}");
    assert_eq!(texts(&vault, None), ["one"]);
    limit(&vault, 1_000_000);
    vault.commit(&[message(3, 2, "two")]).unwrap();
    assert_eq!(texts(&vault, None), ["one", "two"]);
}

#[test]
fn remembers_the_deliveries_of_each_relay_until_it_need_not() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    let newest = RECENT_DELIVERIES_MAX as u64;
    let remember = |relay: u8, place: u64| Change::RememberDelivery {
        relay: RelayId([relay; 32]),
        place,
        id: EnvelopeId(u128::from(place).to_be_bytes()),
    };
    let mut changes: Vec<Change> = (1..=newest + 3).map(|place| remember(2, place)).collect();
    changes.push(remember(1, 1));
    changes.push(Change::ForgetDeliveries {
        relay: RelayId([2; 32]),
        up_to: 3,
    });
    vault.commit(&changes).unwrap();
    drop(vault);
    let recent = open(&path).load().unwrap().recent;
    let places: Vec<_> = recent
        .iter()
        .map(|(relay, place, _)| (relay.0[0], *place))
        .collect();
    let expected: Vec<_> = (4..=newest + 3).map(|place| (2, place)).collect();
    assert_eq!(places[0], (1, 1));
    assert_eq!(places[1..], expected);
    assert_eq!(recent[1].2, EnvelopeId(4_u128.to_be_bytes()));
}

/// A vault as version 1 wrote it. Its secrets were made for this and protect nothing.
pub(super) fn copy_sample(version: usize, path: &Path) {
    fs::create_dir(path).unwrap();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vaults");
    let sample = samples.join(format!("version-{version}"));
    for name in ["vault.header", "vault.key", "vault.db"] {
        fs::copy(sample.join(name), path.join(name)).unwrap();
    }
}

/// Processes whose first use of the database is several vaults at the same moment, one process after
/// the other: what goes wrong there does so in one of about fifty.
#[test]
fn the_first_vaults_of_a_process_open_at_the_same_moment() {
    const CHILD: &str = "SOTTO_FIRST_USE";
    if std::env::var_os(CHILD).is_none() {
        for round in 0..250 {
            let child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "--nocapture"])
                .arg("vault::tests::the_first_vaults_of_a_process_open_at_the_same_moment")
                .env(CHILD, "1")
                .output()
                .unwrap();
            assert!(child.status.success(), "round {round}: {child:?}");
        }
        return;
    }
    let dir = tempdir().unwrap();
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for number in 0..8 {
            let (path, together) = (dir.path().join(number.to_string()), &together);
            copy_sample(1, &path);
            scope.spawn(move || {
                together.wait();
                open(&path);
            });
        }
    });
}

#[test]
fn opens_a_vault_of_each_version_and_brings_it_up_to_date() {
    for old in [1, 2, 3] {
        let dir = tempdir().unwrap();
        let path = dir.path().join("alice");
        copy_sample(old, &path);
        let mut vault = open(&path);
        assert_eq!(version(&vault), 4);
        check_sample(&vault);
        let known = (RelayId([1; 32]), 7, EnvelopeId([9; 16]));
        let recent = vault.load().unwrap().recent;
        assert_eq!(recent, [known][..usize::from(old > 1)]);
        let remember = Change::RememberDelivery {
            relay: RelayId([1; 32]),
            place: 8,
            id: EnvelopeId([8; 16]),
        };
        vault.commit(&[remember]).unwrap();
        drop(vault);
        let vault = open(&path);
        check_sample(&vault);
        let recent = vault.load().unwrap().recent;
        let new = (RelayId([1; 32]), 8, EnvelopeId([8; 16]));
        assert_eq!(recent, [known, new][usize::from(old == 1)..]);
    }
}

fn version(vault: &Vault) -> i64 {
    let read = |row: &rusqlite::Row<'_>| row.get(0);
    vault
        .database
        .query_row("PRAGMA user_version", [], read)
        .unwrap()
}

/// Everything that the sample holds is still there.
fn check_sample(vault: &Vault) {
    vault.identity().unwrap();
    let loaded = vault.load().unwrap();
    let cursor = Cursor {
        store: StoreId([2; 16]),
        after: 300,
    };
    assert_eq!(loaded.cursors, [(RelayId([1; 32]), cursor)]);
    let [prekey] = &loaded.prekeys[..] else {
        panic!("one prekey");
    };
    assert_eq!(PrekeySecret::from_stored(prekey).unwrap().id(), 1);
    assert_eq!(loaded.replay, [([5; 32], 1)]);
    let [chat] = &loaded.chats[..] else {
        panic!("one chat");
    };
    assert_eq!(chat.handle.as_deref(), Some("bob"));
    assert_eq!(chat.draft, "half a thought");
    assert!(chat.proof == Proof::Comparison && chat.identity.is_some());
    let [session] = &loaded.sessions[..] else {
        panic!("one session");
    };
    assert_eq!(
        Session::from_stored(&session.stored).unwrap().id(),
        session.id
    );
    assert_eq!(session.heard_at_millis, 1_900_000_000_000);
    assert_eq!(
        texts(vault, None),
        ["from Bob", "to Bob", "unread", "not sealed yet"]
    );
    assert_eq!(
        loaded.unread,
        [(ChatId(1), MessageKey(3), MessageId([3; 16]))]
    );
    assert_eq!(loaded.unsealed[0].key, MessageKey(4));
    let [envelope] = &loaded.outbox[..] else {
        panic!("one envelope");
    };
    assert_eq!(envelope.id, EnvelopeId([6; 16]));
    assert_eq!(envelope.body, b"sealed"[..]);
    assert_eq!(envelope.message, Some(MessageKey(2)));
    assert_eq!(loaded.next_key, 5);
}

#[test]
fn opening_looks_at_few_of_many_messages() {
    let dir = tempdir().unwrap();
    let vault = create(&dir.path().join("alice"));
    let plan = |sql: &str| {
        let sql = format!("EXPLAIN QUERY PLAN {sql}");
        let mut statement = vault.database.prepare(&sql).unwrap();
        let steps = statement.query_map([], |row| row.get(3)).unwrap();
        steps.collect::<Result<Vec<String>, _>>().unwrap()
    };
    let last = plan(&format!(
        "SELECT * FROM message WHERE key IN ({})",
        read::LAST_KEYS
    ));
    assert!(
        !last.iter().any(|step| step.starts_with("SCAN message")),
        "{last:?}"
    );
    let unread = plan(&format!("SELECT * FROM {} ORDER BY key", read::UNREAD));
    assert!(
        unread[0].ends_with("USING INDEX message_unread"),
        "{unread:?}"
    );
}

#[test]
fn no_room_for_what_lies_in_memory_beside_the_database_is_a_full_disk() {
    let error = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
    let error = VaultError::from(rusqlite::Error::SqliteFailure(error, None));
    assert!(matches!(error, VaultError::Full), "{error:?}");
}

#[test]
fn a_second_opener_is_told_so() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let vault = create(&path);
    assert!(matches!(error(&path), VaultError::OpenElsewhere));
    drop(vault);
    open(&path);
}

#[test]
fn an_interrupted_creation_starts_again_and_a_finished_one_never_does() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    drop(create(&path));
    // As if the power had failed right before the database was put in place.
    fs::rename(path.join("vault.db"), path.join("vault.db.new")).unwrap();
    drop(create(&path));
    // A vault whose header is gone is not taken for a new profile.
    fs::remove_file(path.join("vault.header")).unwrap();
    let database = fs::read(path.join("vault.db")).unwrap();
    assert!(matches!(error(&path), VaultError::KeyMissing));
    assert_eq!(fs::read(path.join("vault.db")).unwrap(), database);
}

#[test]
fn says_what_is_wrong_and_changes_nothing() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    drop(create(&path));
    let key = fs::read(path.join("vault.key")).unwrap();
    fs::remove_file(path.join("vault.key")).unwrap();
    assert!(matches!(error(&path), VaultError::KeyMissing));
    fs::write(path.join("vault.key"), [7; 32]).unwrap();
    assert!(matches!(error(&path), VaultError::KeyMissing));
    fs::write(path.join("vault.key"), key).unwrap();

    let header = fs::read(path.join("vault.header")).unwrap();
    fs::write(path.join("vault.header"), &header[..header.len() / 2]).unwrap();
    assert!(matches!(error(&path), VaultError::Damaged));
    fs::write(path.join("vault.header"), &header).unwrap();

    let vault = open(&path);
    vault
        .database
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    drop(vault);
    assert!(matches!(error(&path), VaultError::Newer));

    fs::write(path.join("vault.db"), vec![9; 8192]).unwrap();
    assert!(matches!(error(&path), VaultError::Damaged));
    assert_eq!(fs::read(path.join("vault.db")).unwrap(), vec![9; 8192]);
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    vault.commit(&[message(1, 1, "one")]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o700);
    for entry in fs::read_dir(&path).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn keeps_what_a_chat_is_and_forgets_what_was_refused() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    for standing in [Standing::Known, Standing::Request, Standing::Contact] {
        let record = ChatRecord {
            is_blocked: standing == Standing::Request,
            proof: match standing {
                Standing::Known => Proof::Nothing,
                Standing::Request => Proof::Link,
                Standing::Contact => Proof::Comparison,
            },
            muted_until_millis: (standing == Standing::Known).then_some(i64::MAX),
            greets: standing == Standing::Known,
            ..ChatRecord::named(ChatId(1), "bob", "Bob", standing)
        };
        vault.commit(&[Change::PutChat(record.clone())]).unwrap();
        let loaded = vault.load().unwrap().chats.remove(0);
        assert_eq!(loaded.standing, standing);
        assert_eq!(loaded.is_blocked, record.is_blocked);
        assert_eq!(loaded.proof, record.proof);
        assert_eq!(loaded.muted_until_millis, record.muted_until_millis);
        assert_eq!(loaded.greets, record.greets);
    }
    vault.commit(&[message(1, 1, "unwanted")]).unwrap();
    let removed = Change::RemoveMessages { chat: ChatId(1) };
    vault.commit(&[removed]).unwrap();
    assert!(texts(&vault, None).is_empty());
}

#[test]
fn a_chat_that_a_stranger_opened_before_there_were_requests_becomes_one() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    copy_sample(1, &path);
    let folder = Folder::lock(&path).unwrap();
    let header = folder.read_header().unwrap();
    let key = folder.read_key().unwrap();
    let master = header.unlock(&VaultSecret::KeyFile(&key)).unwrap();
    connect(&folder.database(), &master.database_key())
        .unwrap()
        .execute_batch(
            "INSERT INTO chat (id, name, verified, draft)
             VALUES (7, 'Stranger', 0, ''), (8, 'Answered', 0, '');
             UPDATE message SET chat = 8 WHERE mine = 1;",
        )
        .unwrap();
    drop(folder);
    let chats = open(&path).load().unwrap().chats;
    let standing: Vec<_> = chats.iter().map(|chat| chat.standing).collect();
    assert_eq!(
        standing,
        [Standing::Contact, Standing::Request, Standing::Contact]
    );
}

#[test]
fn a_message_without_a_text_does_no_harm() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    vault.commit(&[message(1, 1, "")]).unwrap();
    drop(vault);
    let vault = open(&path);
    assert_eq!(vault.load().unwrap().last[0].shown.payload, b"");
    assert_eq!(texts(&vault, None), [""]);
}
