use std::fs;

use tempfile::tempdir;

use super::*;

fn make(data_dir: &Path, handle: &str) -> Result<(), IdentityError> {
    let environment = Environment::system();
    create(
        data_dir,
        &person(handle),
        "",
        Argon2Cost::FLOOR,
        &environment,
    )
}

#[test]
fn identities_are_made_listed_and_deleted() {
    let dir = tempdir().unwrap();
    assert_eq!(list(dir.path()).unwrap(), [""; 0]);
    make(dir.path(), "guest").unwrap();
    make(dir.path(), "alice").unwrap();
    assert_eq!(list(dir.path()).unwrap(), ["alice", "guest"]);
    assert!(matches!(
        make(dir.path(), "guest"),
        Err(IdentityError::Taken)
    ));
    let missing = delete(dir.path(), "bob");
    assert!(matches!(missing, Err(IdentityError::Missing)));
    delete(dir.path(), "guest").unwrap();
    assert_eq!(list(dir.path()).unwrap(), ["alice"]);
    let left: Vec<_> = fs::read_dir(profiles(dir.path())).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing of it is left: {left:?}");
}

#[test]
fn bad_handles_and_names_make_nothing() {
    let dir = tempdir().unwrap();
    for handle in ["", "..", "../guest", "Guest", "guest.", ".guest"] {
        let made = make(dir.path(), handle);
        assert!(matches!(made, Err(IdentityError::Handle)), "{handle:?}");
    }
    for name in ["", " ", "a\nb", &"n".repeat(65)] {
        let person = Person {
            handle: "guest".to_owned(),
            name: name.to_owned(),
        };
        let environment = Environment::system();
        let made = create(dir.path(), &person, "", Argon2Cost::FLOOR, &environment);
        assert!(matches!(made, Err(IdentityError::Name)), "{name:?}");
    }
    assert!(fs::read_dir(dir.path()).unwrap().next().is_none());
}

#[test]
fn links_odd_names_and_folders_without_a_vault_are_passed_over() {
    let dir = tempdir().unwrap();
    make(dir.path(), "guest").unwrap();
    let profiles = profiles(dir.path());
    for name in ["Guest", ".guest", "no-vault", "guest "] {
        fs::create_dir(profiles.join(name)).unwrap();
    }
    for name in ["Guest", ".guest", "guest "] {
        fs::copy(
            profiles.join("guest/vault.db"),
            profiles.join(name).join("vault.db"),
        )
        .unwrap();
    }
    fs::write(profiles.join("file"), b"").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(profiles.join("guest"), profiles.join("link")).unwrap();
    assert_eq!(list(dir.path()).unwrap(), ["guest"]);
}

#[test]
fn the_well_known_people_are_shown_until_they_are_deleted_or_somebody_else_was_made() {
    let dir = tempdir().unwrap();
    let shown = |deleted: &[&str]| {
        let deleted: Vec<String> = deleted.iter().map(|it| (*it).to_owned()).collect();
        let people = people(dir.path(), &deleted).unwrap();
        people.into_iter().map(|it| it.handle).collect::<Vec<_>>()
    };
    assert_eq!(shown(&[]), ["alice", "bob", "charlie", "diana"]);
    make(dir.path(), "bob").unwrap();
    make(dir.path(), "diana").unwrap();
    // Whoever is there again was made again.
    assert_eq!(shown(&["alice", "bob"]), ["bob", "charlie", "diana"]);
    make(dir.path(), "guest").unwrap();
    assert_eq!(shown(&[]), ["bob", "diana", "guest"]);
    let everybody = people(dir.path(), &[]).unwrap();
    assert_eq!(everybody, ["bob", "diana", "guest"].map(person));
}

#[test]
fn an_identity_in_use_is_not_deleted() {
    let dir = tempdir().unwrap();
    make(dir.path(), "guest").unwrap();
    let used = vault::find(&folder(dir.path(), "guest")).unwrap();
    let deleted = delete(dir.path(), "guest");
    assert!(matches!(deleted, Err(IdentityError::OpenElsewhere)));
    drop(used);
    assert!(matches!(
        vault::find(&folder(dir.path(), "guest")),
        Ok(Found::Open(_))
    ));
}

#[test]
fn an_interrupted_deletion_is_ended_the_next_time() {
    let dir = tempdir().unwrap();
    make(dir.path(), "guest").unwrap();
    let gone = profiles(dir.path()).join(".deleted-guest");
    vault::move_away(&folder(dir.path(), "guest"), &gone).unwrap();
    // The crash came here: it is not listed, and its handle is free again.
    assert_eq!(list(dir.path()).unwrap(), [""; 0]);
    make(dir.path(), "guest").unwrap();
    finish_deletions(dir.path()).unwrap();
    assert!(!gone.exists());
    assert_eq!(list(dir.path()).unwrap(), ["guest"]);
    delete(dir.path(), "guest").unwrap();
}

#[test]
fn the_name_and_the_passphrase_are_the_vaults() {
    let dir = tempdir().unwrap();
    let person = Person {
        handle: "guest".to_owned(),
        name: "Guest Ångström".to_owned(),
    };
    let environment = Environment::system();
    create(dir.path(), &person, "word", Argon2Cost::FLOOR, &environment).unwrap();
    let Found::Locked(vault) = vault::find(&folder(dir.path(), "guest")).unwrap() else {
        panic!("a passphrase protects it");
    };
    let vault = vault.unlock("word").map_err(|(error, _)| error).unwrap();
    assert_eq!(
        vault.load().unwrap().name.as_deref(),
        Some("Guest Ångström")
    );
}
