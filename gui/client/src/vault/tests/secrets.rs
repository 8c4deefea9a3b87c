//! Passphrases, recovery codes, and what is left alone.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::*;

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

fn set_passphrase(vault: &mut Vault, current: &str, new: &str) -> Result<(), VaultError> {
    vault.set_passphrase(current, new, Argon2Cost::FLOOR, &mut rng())
}

fn locked(path: &Path) -> LockedVault {
    match find(path).unwrap() {
        Found::Locked(vault) => vault,
        _ => panic!("it is not locked"),
    }
}

/// All files with their bytes, and when they were changed last.
fn files(path: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    fs::read_dir(path)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let changed = entry.metadata().unwrap().modified().unwrap();
            (name, (fs::read(entry.path()).unwrap(), changed))
        })
        .collect()
}

#[test]
fn a_recovery_code_opens_what_a_forgotten_passphrase_closed() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    vault.commit(&[message(1, 1, "one")]).unwrap();
    let code = RecoveryCode::generate(&mut rng());
    vault
        .set_recovery_code("", Some(&code), &mut rng())
        .unwrap();
    assert!(vault.has_recovery_code() && !vault.locks());
    set_passphrase(&mut vault, "", "hunter2").unwrap();
    assert!(vault.locks() && vault.has_recovery_code());
    drop(vault);
    assert!(!path.join("vault.key").exists());
    let typed = code.to_text().to_lowercase();
    let mut vault = locked(&path).unlock(&typed).ok().unwrap();
    assert_eq!(texts(&vault, None), ["one"]);
    // The code stands in for the passphrase that nobody remembers.
    set_passphrase(&mut vault, &typed, "new one").unwrap();
    drop(vault);
    for (secret, opens) in [
        ("hunter2", false),
        ("new one", true),
        (typed.as_str(), true),
    ] {
        assert_eq!(locked(&path).unlock(secret).is_ok(), opens, "{secret}");
    }
    let mut vault = locked(&path).unlock("new one").ok().unwrap();
    let refused = vault.set_recovery_code("wrong", None, &mut rng());
    assert!(matches!(refused, Err(VaultError::WrongSecret)));
    vault
        .set_recovery_code("new one", None, &mut rng())
        .unwrap();
    drop(vault);
    assert!(locked(&path).unlock(&typed).is_err());
    let mut vault = locked(&path).unlock("new one").ok().unwrap();
    set_passphrase(&mut vault, "new one", "").unwrap();
    drop(vault);
    open(&path);
}

#[test]
fn a_wrong_secret_and_a_newer_version_change_no_file() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    let code = RecoveryCode::generate(&mut rng());
    vault
        .set_recovery_code("", Some(&code), &mut rng())
        .unwrap();
    set_passphrase(&mut vault, "", "hunter2").unwrap();
    drop(vault);
    let before = files(&path);
    let other = RecoveryCode::generate(&mut StdRng::seed_from_u64(8));
    for wrong in ["", "hunter3", "Hunter2", &other.to_text()] {
        let refused = locked(&path).unlock(wrong);
        assert!(
            matches!(refused, Err((VaultError::WrongSecret, Some(_)))),
            "{wrong}"
        );
    }
    assert_eq!(files(&path), before);

    let vault = locked(&path).unlock("hunter2").ok().unwrap();
    vault
        .database
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    drop(vault);
    let before = files(&path);
    let refused = locked(&path).unlock("hunter2");
    assert!(matches!(refused, Err((VaultError::Newer, None))));
    assert_eq!(files(&path), before);
}

#[test]
fn a_vault_without_a_passphrase_keeps_its_key_when_none_is_set() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    let before = files(&path);
    set_passphrase(&mut vault, "", "").unwrap();
    assert_eq!(files(&path), before);
}

#[test]
fn secrets_are_not_changed_by_whoever_does_not_know_them() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("alice");
    let mut vault = create(&path);
    set_passphrase(&mut vault, "", "hunter2").unwrap();
    let before = files(&path);
    let code = RecoveryCode::generate(&mut rng());
    for wrong in ["", "hunter3"] {
        for refused in [
            set_passphrase(&mut vault, wrong, "mine"),
            set_passphrase(&mut vault, wrong, ""),
            vault.set_recovery_code(wrong, Some(&code), &mut rng()),
        ] {
            assert!(matches!(refused, Err(VaultError::WrongSecret)));
        }
    }
    assert_eq!(files(&path), before);
}
