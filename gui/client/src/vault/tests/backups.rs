//! Backups, restorations and exports.

use std::fs::File;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use jiff::tz::TimeZone;
use rand::RngExt as _;

use super::*;
use crate::backup::{BackupError, restore};
use crate::command::Passphrase;
use crate::environment::Environment;
use crate::identities;
use crate::view::{ExportFormat, Note};

const ALL: fn(u64, u64) -> ControlFlow<()> = |_, _| ControlFlow::Continue(());
/// What is in front of the database when one secret opens the backup.
const FRONT: usize = 13 + 57 + 61;

fn code() -> RecoveryCode {
    RecoveryCode::generate(&mut StdRng::seed_from_u64(3))
}

fn protection(passphrase: &str, code: Option<RecoveryCode>) -> Protection {
    Protection {
        passphrase: Passphrase::new(passphrase.to_owned()),
        code,
        cost: Argon2Cost::FLOOR,
    }
}

fn target(path: &Path, replaces: bool) -> Target {
    Target {
        path: path.to_owned(),
        replaces,
    }
}

/// Makes a backup that the code opens.
fn back_up(vault: &Vault, to: &Path) -> Result<u64, BackupError> {
    let mut rng = StdRng::seed_from_u64(4);
    let protection = protection("", Some(code()));
    let target = target(to, false);
    vault
        .reader()
        .back_up("alice", &target, &protection, &mut rng, &mut ALL.clone())
}

fn restored(data_dir: &Path, backup: &Path, secret: &str) -> Result<Vault, BackupError> {
    let cost = Argon2Cost::FLOOR;
    let environment = Environment::system();
    let handle = restore(data_dir, backup, secret, cost, &environment, ALL)?;
    let Found::Locked(vault) = find(&identities::folder(data_dir, &handle)).unwrap() else {
        panic!("it is not locked");
    };
    Ok(vault.unlock(secret).ok().unwrap())
}

/// Where a vault is in a data folder.
fn home(data_dir: &Path) -> PathBuf {
    let path = identities::folder(data_dir, "alice");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// Every file below a folder, but for locks.
fn files_below(path: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if !path.ends_with("lock") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn a_backup_holds_what_outlives_sessions_and_nothing_else() {
    let dir = tempdir().unwrap();
    let path = home(dir.path());
    copy_sample(2, &path);
    let mut vault = open(&path);
    vault.commit(&[message(6, 6, "later")]).unwrap();
    let before = vault.load().unwrap();
    assert_eq!((before.sessions.len(), before.prekeys.len()), (1, 1));
    assert_eq!(before.outbox.len(), 1);
    let (elsewhere, third) = (dir.path().join("elsewhere"), dir.path().join("third"));
    let file = dir.path().join("alice.backup");
    back_up(&vault, &file).unwrap();

    let new = restored(&elsewhere, &file, &code().to_text()).unwrap();
    let loaded = new.load().unwrap();
    let public = |vault: &Vault| vault.identity().unwrap().public().encode();
    assert_eq!(public(&new), public(&vault));
    assert_ne!(new.master.database_key(), vault.master.database_key());
    assert_eq!(texts(&new, None), texts(&vault, None));
    assert_eq!(loaded.cursors, before.cursors);
    assert_eq!(loaded.recent, before.recent);
    assert_eq!(loaded.unread, before.unread);
    assert_eq!(loaded.next_key, before.next_key);
    assert_eq!(loaded.chats[0].identity, before.chats[0].identity);
    assert_eq!(loaded.chats[0].draft, before.chats[0].draft);
    assert!(loaded.chats[0].proof == Proof::Comparison);
    // Everything that a life shares with its peers and the relay begins anew.
    assert!(loaded.sessions.is_empty() && loaded.prekeys.is_empty());
    assert!(loaded.replay.is_empty() && loaded.outbox.is_empty());
    assert!(loaded.renewal.is_set_back && loaded.renewal.is_due);
    assert!(loaded.chats[0].greets);
    let known = before.cursors.iter().map(|(relay, _)| *relay);
    assert_eq!(loaded.renewal.stale, known.collect::<Vec<_>>());
    let highest: u32 = vault
        .database
        .query_row("SELECT max(id) FROM prekey", [], |row| row.get(0))
        .unwrap();
    assert_eq!(loaded.prekeys_before, highest);

    // A backup of the restored vault that was never used knows as much.
    let again = dir.path().join("again.backup");
    back_up(&new, &again).unwrap();
    let third = restored(&third, &again, &code().to_text()).unwrap();
    assert_eq!(third.load().unwrap().prekeys_before, highest);
}

#[test]
fn every_table_is_either_copied_or_left_behind_on_purpose() {
    let dir = tempdir().unwrap();
    let vault = create(&home(dir.path()));
    let sql = "SELECT name FROM sqlite_schema
               WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    let mut statement = vault.database.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    let names: Vec<String> = names.collect::<Result<_, _>>().unwrap();
    let copied = [
        "assistant",
        "assistant_use",
        "chat",
        "cursor",
        "mark",
        "message",
        "profile",
        "recent_delivery",
    ];
    let left = [
        "outbox",
        "part",
        "prekey",
        "replay",
        "session",
        "stale_prekeys",
    ];
    // What triggers fill.
    let derived = |name: &str| name.starts_with("message_text") || name == "message_day";
    let mut known = [&copied[..], &left[..]].concat();
    known.sort_unstable();
    let others: Vec<_> = names.iter().filter(|name| !derived(name)).collect();
    assert_eq!(others, known.iter().collect::<Vec<_>>());
}

#[test]
fn either_secret_opens_a_backup_and_then_the_vault_and_no_other_does() {
    let dir = tempdir().unwrap();
    let vault = create(&home(dir.path()));
    let file = dir.path().join("alice.backup");
    let mut rng = StdRng::seed_from_u64(4);
    let mut write = |protection: &Protection| {
        let target = target(&file, false);
        let reader = vault.reader();
        reader.back_up("alice", &target, protection, &mut rng, &mut ALL.clone())
    };
    assert_eq!(write(&protection("", None)), Err(BackupError::NoSecret));
    assert!(!file.exists());
    write(&protection("hunter2", Some(code()))).unwrap();
    let other = RecoveryCode::generate(&mut StdRng::seed_from_u64(9));
    for wrong in ["", "hunter3", &other.to_text()] {
        let refused = restored(&dir.path().join("wrong"), &file, wrong);
        assert_eq!(refused.err(), Some(BackupError::WrongSecret), "{wrong}");
    }
    assert!(files_below(&dir.path().join("wrong")).is_empty());
    let one = restored(&dir.path().join("one"), &file, "hunter2").unwrap();
    assert!(one.has_passphrase() && !one.has_recovery_code());
    let two = restored(&dir.path().join("two"), &file, &code().to_text()).unwrap();
    assert!(!two.has_passphrase() && two.has_recovery_code());
}

#[test]
fn an_identity_that_is_there_is_never_overwritten() {
    let dir = tempdir().unwrap();
    let vault = create(&home(dir.path()));
    let file = dir.path().join("alice.backup");
    back_up(&vault, &file).unwrap();
    let data_dir = dir.path().join("elsewhere");
    let path = home(&data_dir);
    let other = create(&path);
    let contents = || {
        let files = files_below(&data_dir).into_iter();
        files
            .map(|path| (fs::read(&path).unwrap(), path))
            .collect::<Vec<_>>()
    };
    let before = contents();
    let refused = || restored(&data_dir, &file, &code().to_text()).err();
    assert_eq!(refused(), Some(BackupError::Taken));
    drop(other);
    // One that does not open is not replaced either.
    let database = File::options()
        .write(true)
        .open(path.join("vault.db"))
        .unwrap();
    (&database).write_all(&[7; 4096]).unwrap();
    assert!(matches!(error(&path), VaultError::Damaged));
    let damaged = contents();
    assert_ne!(damaged, before);
    assert_eq!(refused(), Some(BackupError::Taken));
    assert_eq!(contents(), damaged);
    // The way out.
    identities::delete(&data_dir, "alice").unwrap();
    restored(&data_dir, &file, &code().to_text()).unwrap();
}

#[test]
fn a_backup_that_is_cut_flipped_longer_or_something_else_is_refused_and_nothing_changes() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let dir = tempdir().unwrap();
    let mut vault = create(&home(dir.path()));
    vault.commit(&[message(1, 1, "one")]).unwrap();
    let file = dir.path().join("alice.backup");
    back_up(&vault, &file).unwrap();
    let sound = fs::read(&file).unwrap();
    let data_dir = dir.path().join("elsewhere");
    let refused = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let refused = restored(&data_dir, &file, &code().to_text()).err();
        assert_eq!(files_below(&data_dir), [""; 0].map(PathBuf::from));
        refused
    };
    assert_eq!(
        sound[..13],
        *b"SottoBak\x01\0\0\0\x76",
        "it begins otherwise: version 1 never does"
    );
    assert_eq!((sound.len() - FRONT) % 4096, 0);
    let pages = (sound.len() - FRONT) / 4096;
    let mut cuts = vec![0, 1, 12, 13, FRONT - 1, FRONT, FRONT + 1, sound.len() - 1];
    cuts.extend((1..pages).map(|page| FRONT + page * 4096));
    for cut in cuts {
        let expected = if cut < 13 {
            BackupError::NotBackup
        } else {
            BackupError::Damaged
        };
        assert_eq!(refused(&sound[..cut]), Some(expected), "cut at {cut}");
    }
    // Every byte in front, and one of each page.
    let inside = (0..pages).map(|page| FRONT + page * 4096 + chance.random_range(0..4096));
    let flips: Vec<usize> = (0..FRONT).chain(inside).collect();
    for at in flips {
        let mut flipped = sound.clone();
        flipped[at] ^= 1 << chance.random_range(0..8);
        assert!(refused(&flipped).is_some(), "byte {at}");
    }
    let longer = [&sound[..], &[0; 4096]].concat();
    assert_eq!(refused(&longer), Some(BackupError::Damaged));
    assert_eq!(refused(b"a letter to Bob"), Some(BackupError::NotBackup));
    let mut newer = sound.clone();
    newer[8] = 2;
    assert_eq!(refused(&newer), Some(BackupError::Newer));
    fs::write(&file, &sound).unwrap();
    restored(&data_dir, &file, &code().to_text()).unwrap();
}

#[test]
fn a_backup_with_a_newer_schema_or_a_handle_that_is_none_is_refused() {
    let dir = tempdir().unwrap();
    let vault = create(&home(dir.path()));
    let file = dir.path().join("alice.backup");
    back_up(&vault, &file).unwrap();
    let sound = fs::read(&file).unwrap();
    let header = VaultHeader::parse(&sound[13..FRONT]).unwrap();
    let (master, _) = unlock(&header, &code().to_text()).unwrap();
    let data_dir = dir.path().join("elsewhere");
    for (sql, expected) in [
        ("PRAGMA user_version = 99", BackupError::Newer),
        ("PRAGMA user_version = 0", BackupError::Damaged),
        (
            "UPDATE backup SET handle = '../alice'",
            BackupError::Damaged,
        ),
        ("DELETE FROM backup", BackupError::Damaged),
        // Pages that belong to nothing.
        (
            "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE name = 'message_unread'",
            BackupError::Damaged,
        ),
        (
            "UPDATE profile SET identity = x'0102'",
            BackupError::Damaged,
        ),
    ] {
        let body = dir.path().join("body");
        fs::write(&body, &sound[FRONT..]).unwrap();
        let database = connect(&body, &master.database_key()).unwrap();
        database.execute_batch(sql).unwrap();
        database.close().unwrap();
        let made = [&sound[..FRONT], &fs::read(&body).unwrap()].concat();
        fs::write(&file, made).unwrap();
        let refused = restored(&data_dir, &file, &code().to_text());
        assert_eq!(refused.err(), Some(expected), "{sql}");
        assert!(files_below(&data_dir).is_empty(), "{sql}");
    }
}

#[test]
fn what_is_stopped_or_cannot_be_written_leaves_no_trace_and_what_is_there_as_it_was() {
    let dir = tempdir().unwrap();
    let path = home(dir.path());
    let mut vault = create(&path);
    let texts: Vec<_> = (1..=3)
        .map(|id| message(id * 4_000, u8::try_from(id).unwrap(), "text"))
        .collect();
    vault.commit(&texts).unwrap();
    let file = dir.path().join("alice.backup");
    fs::write(&file, "a letter").unwrap();
    let before = files_below(dir.path());
    assert_eq!(back_up(&vault, &file), Err(BackupError::Exists));
    let write = |to: &Path, replaces, steps: usize| {
        let mut left = steps;
        let mut rng = StdRng::seed_from_u64(4);
        let protection = protection("", Some(code()));
        let mut progress = |_, _| match left.checked_sub(1) {
            Some(less) => {
                left = less;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        };
        let target = target(to, replaces);
        let reader = vault.reader();
        let written = reader.back_up("alice", &target, &protection, &mut rng, &mut progress);
        (written, steps - left)
    };
    let (written, steps) = write(&dir.path().join("counted"), true, usize::MAX);
    written.unwrap();
    fs::remove_file(dir.path().join("counted")).unwrap();
    assert!(steps >= 6, "{steps}");
    for stop in 0..steps {
        let (stopped, _) = write(&file, true, stop);
        assert_eq!(stopped, Err(BackupError::Cancelled), "at {stop}");
        assert_eq!(files_below(dir.path()), before, "at {stop}");
        assert_eq!(fs::read(&file).unwrap(), b"a letter");
    }
    for (to, expected) in [
        (dir.path().join("no/such/folder"), BackupError::File),
        (dir.path().to_owned(), BackupError::File),
        (path.join("vault.db"), BackupError::Inside),
        (path.join("vault.key.new"), BackupError::Inside),
        (path.with_file_name("elsewhere"), BackupError::Inside),
    ] {
        assert_eq!(write(&to, true, usize::MAX).0, Err(expected), "{to:?}");
        assert_eq!(files_below(dir.path()), before, "{to:?}");
    }
    write(&file, true, usize::MAX).0.unwrap();
    assert_eq!(files_below(dir.path()), before);
    assert_ne!(fs::read(&file).unwrap(), b"a letter");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_backup_that_cannot_be_read_again_gets_no_name() {
    let dir = tempdir().unwrap();
    let vault = create(&home(dir.path()));
    let before = files_below(dir.path());
    let disturbed = |disturb: fn(&mut Vec<u8>)| {
        let is_new = |path: &PathBuf| path.extension().is_some_and(|it| it == "new");
        // A backup is read while it has all of its length and another name.
        let mut progress = |_, _| {
            let mut files = fs::read_dir(dir.path()).unwrap();
            if let Some(path) = files.find_map(|it| Some(it.ok()?.path()).filter(is_new)) {
                let mut bytes = fs::read(&path).unwrap();
                disturb(&mut bytes);
                fs::write(&path, bytes).unwrap();
            }
            ControlFlow::Continue(())
        };
        let (target, protection) = (
            target(&dir.path().join("alice.backup"), false),
            protection("", Some(code())),
        );
        let mut rng = StdRng::seed_from_u64(4);
        let reader = vault.reader();
        reader.back_up("alice", &target, &protection, &mut rng, &mut progress)
    };
    let damages: [fn(&mut Vec<u8>); 2] = [
        |bytes| bytes[FRONT + 20_000] ^= 1,
        |bytes| bytes.truncate(FRONT + 4096),
    ];
    for damage in damages {
        assert_eq!(disturbed(damage), Err(BackupError::Unverified));
        assert_eq!(files_below(dir.path()), before);
    }
    disturbed(|_| {}).unwrap();
}

#[test]
fn a_full_disk_says_so_and_leaves_what_was_there() {
    let dir = tempdir().unwrap();
    let path = home(dir.path());
    let file = dir.path().join("bob.json");
    fs::write(&file, "a letter").unwrap();
    let before = files_below(dir.path());
    let target = target(&file, true);
    let kind = io::ErrorKind::StorageFull;
    let fill = |file: &mut File| {
        file.write_all(b"half of it")?;
        Err(io::Error::from(kind).into())
    };
    let profiles = path.parent().unwrap();
    let written = target.write(profiles, fill, |_| Ok(()));
    assert_eq!(written, Err(BackupError::Full));
    assert_eq!(files_below(dir.path()), before);
    assert_eq!(fs::read(&file).unwrap(), b"a letter");
}

#[test]
fn a_restoration_that_is_stopped_leaves_no_trace() {
    let dir = tempdir().unwrap();
    let vault = create(&home(dir.path()));
    let file = dir.path().join("alice.backup");
    back_up(&vault, &file).unwrap();
    let data_dir = dir.path().join("elsewhere");
    for stop in 0..2 {
        let mut left = stop;
        let stopped = restore(
            &data_dir,
            &file,
            &code().to_text(),
            Argon2Cost::FLOOR,
            &Environment::system(),
            |_, _| {
                if left == 0 {
                    return ControlFlow::Break(());
                }
                left -= 1;
                ControlFlow::Continue(())
            },
        );
        assert_eq!(stopped, Err(BackupError::Cancelled));
        let left: Vec<_> = fs::read_dir(data_dir.join("profiles")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn what_a_crash_left_of_a_backup_or_a_restoration_is_gone_at_the_next_start() {
    let dir = tempdir().unwrap();
    let path = home(dir.path());
    drop(create(&path));
    let scratch = path.join("backup.db.new");
    fs::write(&scratch, "half of it").unwrap();
    let restoring = identities::restoring(dir.path());
    fs::create_dir(&restoring).unwrap();
    fs::write(restoring.join("vault.db.new"), "half of it").unwrap();
    drop(open(&path));
    assert!(!scratch.exists());
    // Another process may be at it.
    let held = Folder::lock(&restoring).unwrap();
    identities::tidy(dir.path()).unwrap();
    assert!(restoring.join("vault.db.new").exists());
    drop(held);
    identities::tidy(dir.path()).unwrap();
    assert!(!restoring.exists());
    assert_eq!(identities::list(dir.path()).unwrap(), ["alice"]);
}

#[test]
fn a_vault_goes_on_while_a_backup_is_made_of_it_as_it_was_at_one_moment() {
    let dir = tempdir().unwrap();
    let mut vault = create(&home(dir.path()));
    let said: Vec<_> = (1..=4)
        .map(|id| message(id * 5_000, u8::try_from(id).unwrap(), "before"))
        .collect();
    vault.commit(&said).unwrap();
    let file = dir.path().join("alice.backup");
    let mut rng = StdRng::seed_from_u64(4);
    let reader = vault.reader();
    let mut id = 10;
    let mut progress = |_, _| {
        vault
            .commit(&[message(i64::from(id), id, "meanwhile")])
            .unwrap();
        id += 1;
        ControlFlow::Continue(())
    };
    let (target, protection) = (target(&file, false), protection("", Some(code())));
    reader
        .back_up("alice", &target, &protection, &mut rng, &mut progress)
        .unwrap();
    assert!(id > 14);
    let new = restored(&dir.path().join("new"), &file, &code().to_text()).unwrap();
    assert_eq!(texts(&new, None), ["before"; 4]);
}

#[test]
fn a_chat_is_exported_as_text_json_and_a_page_that_runs_nothing() {
    let dir = tempdir().unwrap();
    let path = home(dir.path());
    let mut vault = create(&path);
    let Change::AddMessage(mut odd) = message(3, 3, "") else {
        unreachable!()
    };
    odd.shown.kind = 63;
    let Change::AddMessage(mut rule) = message(4, 4, "") else {
        unreachable!()
    };
    let is_forbidden = true;
    rule.shown = Shown::note(rule.shown.id, 4, &Note::Cloud { is_forbidden });
    let nasty = "<script>alert(\"1\")</script>\n1970-01-01 01:00 Alice: & 'more'\u{1b}[2J";
    let said = [
        message(1, 1, nasty),
        message(2, 2, "hé"),
        Change::AddMessage(odd),
        Change::AddMessage(rule),
    ];
    vault.commit(&said).unwrap();
    let file = dir.path().join("bob");
    let write = |format, path: &Path, replaces| {
        let export = Export {
            chat: ChatId(1),
            format,
            zone: TimeZone::get("Europe/Berlin").unwrap(),
            own: ("alice".into(), "Alice".into()),
            peer: ("bob".into(), "<b>Bob".into()),
        };
        let target = target(path, replaces);
        vault.reader().export(&export, &target, &mut ALL.clone())
    };
    let export = |format| {
        write(format, &file, true).unwrap();
        fs::read_to_string(&file).unwrap()
    };
    assert_eq!(
        export(ExportFormat::Text),
        "1970-01-01 01:00 <b>Bob: <script>alert(\"1\")</script>\n    \
         1970-01-01 01:00 Alice: & 'more'\u{fffd}[2J\n\
         1970-01-01 01:00 Alice: hé\n\
         1970-01-01 01:00 <b>Bob: (a message of a kind that this version does not know)\n\
         1970-01-01 01:00 Alice: (turned off cloud assistants for this chat)\n"
    );
    let json: serde_json::Value = serde_json::from_str(&export(ExportFormat::Json)).unwrap();
    assert_eq!(json["identity"], "alice");
    assert_eq!(json["peer"], "bob");
    assert_eq!(json["name"], "<b>Bob");
    assert_eq!(json["messages"].as_array().unwrap().len(), 4);
    assert_eq!(
        json["messages"][0],
        serde_json::json!({"id": "01".repeat(16), "direction": "in", "sent_at": 1, "text": nasty})
    );
    assert_eq!(json["messages"][1]["direction"], "out");
    assert_eq!(json["messages"][1]["state"], "sending");
    assert_eq!(json["messages"][2]["text"], serde_json::Value::Null);
    let note = serde_json::json!({"kind": "cloud", "forbidden": true});
    assert_eq!(json["messages"][3]["note"], note);
    let html = export(ExportFormat::Html);
    assert!(html.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;\n1970"));
    assert!(html.contains("Alice: &amp; &#39;more&#39;"));
    assert!(html.contains("<title>&lt;b&gt;Bob</title>") && html.contains("default-src 'none'"));
    assert!(!html.contains("<script") && !html.contains("<b>"));
    assert_eq!(html.matches("<article>").count(), 4);
    let refused = |path: &Path, replaces| write(ExportFormat::Html, path, replaces).unwrap_err();
    assert_eq!(refused(&file, false), BackupError::Exists);
    let database = path.join("vault.db");
    assert_eq!(refused(&database, true), BackupError::Inside);
    assert_eq!(fs::read_to_string(&file).unwrap(), html);
}

#[test]
fn an_export_that_is_stopped_or_meets_damage_leaves_nothing() {
    let dir = tempdir().unwrap();
    let mut vault = create(&home(dir.path()));
    vault.commit(&[message(1, 1, "one")]).unwrap();
    let file = dir.path().join("elsewhere.json");
    let export = Export {
        chat: ChatId(1),
        format: ExportFormat::Json,
        zone: TimeZone::UTC,
        own: ("alice".into(), "Alice".into()),
        peer: ("bob".into(), "Bob".into()),
    };
    let (target, before) = (target(&file, false), files_below(dir.path()));
    let write = |vault: &Vault, flow: ControlFlow<()>| {
        let reader = vault.reader();
        reader.export(&export, &target, &mut |_, _| flow)
    };
    let stopped = write(&vault, ControlFlow::Break(()));
    assert_eq!(stopped, Err(BackupError::Cancelled));
    let odd = "UPDATE message SET id = zeroblob(3)";
    vault.database.execute_batch(odd).unwrap();
    let failed = write(&vault, ControlFlow::Continue(()));
    assert_eq!(failed, Err(BackupError::Vault));
    assert_eq!(files_below(dir.path()), before);
}
