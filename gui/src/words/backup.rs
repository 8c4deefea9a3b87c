//! Of identities in one file, and of chats in the clear.

use std::path::Path;

use sotto_client::BackupError;
use sotto_client::view::{ExportFormat, JobKind};

use crate::bidi;
use crate::moment::Date;

/// Button in the settings.
pub(crate) const BACK_UP_IDENTITY: &str = "Back up identity";
/// Where that button would be while the identity is not open.
pub(crate) const OPEN_TO_BACK_UP: &str = "To rename this identity or back it up, open it first.";
/// What is in a backup, what is not, and what it needs.
pub(crate) const BACK_UP_HINT: &str = "One encrypted file with the keys, contacts and messages of \
     this identity as they are now. What comes later is not in it, nor are the settings of this \
     window.";
/// What follows from the passphrase.
pub(crate) const BACKUP_PASSPHRASE_HINT: &str = "The backup has a passphrase of its own. Nobody \
     can reset it: without it the file is of no use, and with it whoever has the file reads \
     everything.";
/// Field.
pub(crate) const BACKUP_FILE: &str = "Backup file";
/// Field.
pub(crate) const BACKUP_PASSPHRASE: &str = "Passphrase of the backup";
/// Field.
pub(crate) const REPEAT_BACKUP_PASSPHRASE: &str = "Repeat passphrase of the backup";
/// Makes the backup.
pub(crate) const BACK_UP: &str = "Back up";
/// Opens the system's dialog for files.
pub(crate) const CHOOSE_FILE: &str = "Choose…";
/// There is no such dialog.
pub(crate) const NO_CHOOSER: &str =
    "This computer has no dialog for files. Type the path of the file.";
/// Writes over the file that is there.
pub(crate) const REPLACE_FILE: &str = "Replace the file";
/// Gives up what is on its way.
pub(crate) const STOP: &str = "Stop";
/// The dialog may go while something is on its way.
pub(crate) const GOES_ON: &str = "It goes on when you close this.";
/// Leaves a dialog that has told of a success.
pub(crate) const DONE: &str = "Done";
/// Copies where the file is.
pub(crate) const COPY_PATH: &str = "Copy path";
/// Dialog and button.
pub(crate) const RESTORE_IDENTITY: &str = "Restore from a backup";
/// What it does.
pub(crate) const RESTORE_HINT: &str = "Type the path of a backup, choose it, or drop the file onto \
     this window. What opens the backup opens the identity from then on.";
/// What must not be.
pub(crate) const RESTORE_WARNING: &str = "Restore an identity only if it is not used elsewhere any \
     more: of two that go on, each misses what the other gets.";
/// Field.
pub(crate) const BACKUP_SECRET: &str = "Passphrase or recovery code of the backup";
/// Restores it.
pub(crate) const RESTORE: &str = "Restore";
/// It was restored, and cannot be shown at once.
pub(crate) const RESTORED_FOR_LATER: &str =
    "The identity was restored. It is shown when Sotto is started again.";
/// Dialog and line of a menu.
pub(crate) const EXPORT_CHAT: &str = "Export chat";
/// What an export is.
pub(crate) const EXPORT_WARNING: &str =
    "The file is not encrypted. Everybody who gets it can read the whole chat.";
/// Field.
pub(crate) const EXPORT_FILE: &str = "File";
/// Exports it.
pub(crate) const EXPORT: &str = "Export unencrypted";

/// A format, and what it is for.
pub(crate) fn format(format: ExportFormat) -> (&'static str, &'static str) {
    match format {
        ExportFormat::Text => ("Text", "Lines to read and print."),
        ExportFormat::Json => ("JSON", "For other programs."),
        ExportFormat::Html => ("HTML", "A page for a browser."),
    }
}

/// The name of a file to begin with: what it is of, when, and its ending.
pub(crate) fn file_name(of: &[&str], date: Date, ending: &str) -> String {
    let of = of.join("-");
    let plain = |sign: char| match sign {
        'a'..='z' | '0'..='9' | '.' | '-' | '_' => sign,
        _ => '-',
    };
    let of: String = of.chars().map(plain).collect();
    let Date {
        year, month, day, ..
    } = date;
    format!("sotto-{of}-{year:04}-{month:02}-{day:02}.{ending}")
}

/// A path as it can be shown: nothing in it reorders the text, and no font is needed for what is no
/// text.
pub(crate) fn path(path: &Path) -> String {
    let text = path.to_string_lossy();
    bidi::displayable(&text).replace(char::REPLACEMENT_CHARACTER, "?")
}

/// Before an identity is backed up.
pub(crate) fn back_up_title(name: &str) -> String {
    format!("Back up {name}")
}

/// Whose chat is exported.
pub(crate) fn export_title(name: &str) -> String {
    format!("Export the chat with {name}")
}

/// How far a backup or an export has come; of a hundred, `None` before that is known.
pub(crate) fn job_running(kind: JobKind, percent: Option<u16>) -> String {
    match (kind, percent) {
        (_, None) => "Preparing…".to_owned(),
        (JobKind::Backup, Some(100)) => "Reading it again, to see that it is whole…".to_owned(),
        (JobKind::Backup, Some(percent)) => format!("Writing the backup: {percent} %"),
        (JobKind::Export, Some(percent)) => format!("Writing the chat: {percent} %"),
    }
}

/// A backup or an export is there.
pub(crate) fn job_done(kind: JobKind, bytes: u64) -> String {
    let size = size(bytes);
    match kind {
        JobKind::Backup => {
            format!("The backup is written, {size}. It was read again, and is whole.")
        }
        JobKind::Export => format!("The chat is written, {size}. The file is not encrypted."),
    }
}

/// As [`job_done`], while no dialog shows it.
pub(crate) fn job_done_at(kind: JobKind, bytes: u64, file: &Path) -> String {
    format!("{} {}", job_done(kind, bytes), path(file))
}

/// Why a backup or an export was not written, and what helps.
pub(crate) fn job_problem(error: BackupError) -> &'static str {
    match error {
        BackupError::Exists => {
            "There is a file of this name. Choose another one, or replace that file."
        }
        BackupError::Inside => "That is the folder of the vaults. Choose another folder.",
        BackupError::OpenElsewhere => "Another window is using this identity. Try again later.",
        BackupError::Full => "The disk is full, and nothing was written. Make room and try again.",
        BackupError::Vault => {
            "The vault cannot be read, so that nothing was written. Close Sotto and try again."
        }
        BackupError::Unverified => {
            "What was written could not be read again, and was removed. Choose another disk."
        }
        BackupError::Cancelled => "It was stopped, and nothing was written.",
        _ => {
            "The file cannot be written. See that its folder exists and that you may write there, \
             or choose another one."
        }
    }
}

/// As [`job_problem`], while no dialog shows it.
pub(crate) fn job_failed(kind: JobKind, error: BackupError) -> String {
    let what = match kind {
        JobKind::Backup => "The backup was not made.",
        JobKind::Export => "The chat was not exported.",
    };
    format!("{what} {}", job_problem(error))
}

/// A backup or an export was given up because its identity was locked or closed.
pub(crate) fn job_stopped(kind: JobKind) -> String {
    let what = match kind {
        JobKind::Backup => "The backup was not made",
        JobKind::Export => "The chat was not exported",
    };
    format!("{what}: its identity was locked or closed meanwhile.")
}

/// How far a restoration has come; of a hundred, `None` before that is known.
pub(crate) fn restoring(percent: Option<u16>) -> String {
    match percent {
        None => "Opening the backup…".to_owned(),
        Some(100) => "Checking all of it…".to_owned(),
        Some(percent) => format!("Reading the backup: {percent} %"),
    }
}

/// An identity is back.
pub(crate) fn restored(handle: &str) -> String {
    format!("{handle} was restored. What opened the backup opens it.")
}

/// Why no identity was restored, and what helps.
pub(crate) fn restore_problem(error: BackupError) -> &'static str {
    match error {
        BackupError::NotBackup => "This file is no backup of Sotto. Choose another one.",
        BackupError::Newer => "A newer Sotto wrote this backup. Update Sotto to restore it.",
        BackupError::WrongSecret => {
            "That does not open the backup. Nothing was changed; please try again."
        }
        BackupError::Damaged => "The backup is damaged. Nothing was changed; use another backup.",
        BackupError::Taken => {
            "The identity of this backup is on this computer. Delete it there first, if the backup \
             shall take its place."
        }
        BackupError::TooMany => {
            "There are too many identities on this computer. Delete one, and try again."
        }
        BackupError::OpenElsewhere => {
            "Another program is using or restoring this identity. Wait until it has ended."
        }
        BackupError::Full => "The disk is full, and nothing was kept. Make room and try again.",
        BackupError::Unverified => {
            "What was written could not be read again, and was removed. Check the disk."
        }
        BackupError::Cancelled => "It was stopped, and nothing was kept.",
        _ => "The file cannot be read. See that it exists and that you may read it.",
    }
}

/// As [`restore_problem`], while no dialog shows it.
pub(crate) fn not_restored(error: BackupError) -> String {
    format!("The identity was not restored. {}", restore_problem(error))
}

/// A size as people read it.
fn size(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = bytes / (unit / 10);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        1_000_000..1_000_000_000 => format!("{} MB", tenths(1_000_000)),
        _ => format!("{} GB", tenths(1_000_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (999_999, "999 kB"),
            (1_250_000, "1.2 MB"),
            (u64::MAX, "18446744073.7 GB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_file_name_holds_nothing_that_could_lead_elsewhere() {
        let date = Date::of_day(20_781);
        let name = file_name(&["alice", "../chat:7/\u{202E}"], date, "txt");
        assert_eq!(name, "sotto-alice-..-chat-7---2026-11-24.txt");
    }

    #[test]
    fn every_failure_has_a_sentence_that_ends() {
        for error in [
            BackupError::Exists,
            BackupError::Inside,
            BackupError::NoSecret,
            BackupError::NotBackup,
            BackupError::Newer,
            BackupError::WrongSecret,
            BackupError::Damaged,
            BackupError::Taken,
            BackupError::TooMany,
            BackupError::OpenElsewhere,
            BackupError::Full,
            BackupError::File,
            BackupError::Vault,
            BackupError::Unverified,
            BackupError::Cancelled,
        ] {
            assert!(job_problem(error).ends_with('.'), "{error:?}");
            assert!(restore_problem(error).ends_with('.'), "{error:?}");
        }
    }
}
