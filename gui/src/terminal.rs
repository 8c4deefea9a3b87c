//! What is said on the terminal when there is no window to say it in.

use std::fmt::Display;
use std::io;
use std::path::Path;

/// `--identity` names nobody.
pub(crate) fn unknown_identity(name: &str, handles: &[&str]) -> String {
    let handles = handles.join(", ");
    format!("there is no identity {name:?} here. Name one of these with --identity: {handles}.")
}

/// The folder with the identities cannot be read.
pub(crate) fn no_identities(dir: &Path, error: &dyn Display) -> String {
    let dir = dir.display();
    format!(
        "the identities in {dir} cannot be found: {error}. Name another folder with --data-dir."
    )
}

/// There is no place for data.
pub(crate) fn no_home() -> String {
    "you have no home folder to keep data in. Name a folder with --data-dir.".to_owned()
}

/// The data folder does not work.
pub(crate) fn data_dir_unusable(dir: &Path, error: &io::Error) -> String {
    let dir = dir.display();
    let reason = match error.kind() {
        io::ErrorKind::PermissionDenied => "you may not write there".to_owned(),
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "it is a file, or lies below one".to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem => "the disk is read-only".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => error.to_string(),
    };
    format!("the folder {dir} cannot be used: {reason}. Name another one with --data-dir.")
}

/// No thread, no memory.
pub(crate) fn cannot_start(error: &dyn Display) -> String {
    format!("this computer has no room for another program: {error}.")
}

/// No display, or no OpenGL.
pub(crate) fn no_window(error: &eframe::Error) -> String {
    let what = match error {
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
            "no display was found, so no window can be shown. Start it from a desktop \
             (DISPLAY or WAYLAND_DISPLAY must be set)"
        }
        eframe::Error::AppCreation(_) => "the window could not be set up",
        _ => {
            "no usable OpenGL was found, so no window can be drawn. On Debian, install \
             libgl1, libglx-mesa0 and libgl1-mesa-dri"
        }
    };
    format!("{what}. A relay needs no window: sotto-relay serve.")
}
