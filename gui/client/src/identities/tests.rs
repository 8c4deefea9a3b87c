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
    make(dir.path(), "eve").unwrap();
    make(dir.path(), "alice").unwrap();
    assert_eq!(list(dir.path()).unwrap(), ["alice", "eve"]);
    assert!(matches!(make(dir.path(), "eve"), Err(IdentityError::Taken)));
    let missing = delete(dir.path(), "bob");
    assert!(matches!(missing, Err(IdentityError::Missing)));
    delete(dir.path(), "eve").unwrap();
    assert_eq!(list(dir.path()).unwrap(), ["alice"]);
    let left: Vec<_> = fs::read_dir(profiles(dir.path())).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing of it is left: {left:?}");
}

#[test]
fn bad_handles_and_names_make_nothing() {
    let dir = tempdir().unwrap();
    for handle in ["", "..", "../eve", "Eve", "eve.", ".eve"] {
        let made = make(dir.path(), handle);
        assert!(matches!(made, Err(IdentityError::Handle)), "{handle:?}");
    }
    for name in ["", " ", "a\nb", &"n".repeat(65)] {
        let person = Person {
            handle: "eve".to_owned(),
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
    make(dir.path(), "eve").unwrap();
    let profiles = profiles(dir.path());
    for name in ["Eve", ".eve", "no-vault", "eve "] {
        fs::create_dir(profiles.join(name)).unwrap();
    }
    for name in ["Eve", ".eve", "eve "] {
        fs::copy(
            profiles.join("eve/vault.db"),
            profiles.join(name).join("vault.db"),
        )
        .unwrap();
    }
    fs::write(profiles.join("file"), b"").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(profiles.join("eve"), profiles.join("link")).unwrap();
    assert_eq!(list(dir.path()).unwrap(), ["eve"]);
}

#[test]
fn an_identity_in_use_is_not_deleted() {
    let dir = tempdir().unwrap();
    make(dir.path(), "eve").unwrap();
    let used = vault::find(&folder(dir.path(), "eve")).unwrap();
    let deleted = delete(dir.path(), "eve");
    assert!(matches!(deleted, Err(IdentityError::OpenElsewhere)));
    drop(used);
    assert!(matches!(
        vault::find(&folder(dir.path(), "eve")),
        Ok(Found::Open(_))
    ));
}

#[test]
fn an_interrupted_deletion_is_ended_the_next_time() {
    let dir = tempdir().unwrap();
    make(dir.path(), "eve").unwrap();
    let gone = profiles(dir.path()).join(".deleted-eve");
    vault::move_away(&folder(dir.path(), "eve"), &gone).unwrap();
    // The crash came here: it is not listed, and its handle is free again.
    assert_eq!(list(dir.path()).unwrap(), [""; 0]);
    make(dir.path(), "eve").unwrap();
    finish_deletions(dir.path()).unwrap();
    assert!(!gone.exists());
    assert_eq!(list(dir.path()).unwrap(), ["eve"]);
    delete(dir.path(), "eve").unwrap();
}

#[test]
fn the_name_and_the_passphrase_are_the_vaults() {
    let dir = tempdir().unwrap();
    let person = Person {
        handle: "eve".to_owned(),
        name: "Eve Ångström".to_owned(),
    };
    let environment = Environment::system();
    create(dir.path(), &person, "word", Argon2Cost::FLOOR, &environment).unwrap();
    let Found::Locked(vault) = vault::find(&folder(dir.path(), "eve")).unwrap() else {
        panic!("a passphrase protects it");
    };
    let vault = vault.unlock("word").map_err(|(error, _)| error).unwrap();
    assert_eq!(vault.load().unwrap().name.as_deref(), Some("Eve Ångström"));
}
