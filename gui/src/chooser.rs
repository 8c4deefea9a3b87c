//! The system's dialog for files: the only file that knows `rfd`.

use std::io;
use std::pin::Pin;
use std::thread;
use std::time::{Duration, Instant};

use rfd::{AsyncFileDialog, FileHandle};
use sotto::FileChoice;

/// Nobody thinks better of it so soon: there was no dialog to be seen.
const SEEN: Duration = Duration::from_millis(250);

/// Shows the dialog, and waits for it on a thread of its own; `wake` is called after the reply. The
/// dialog is begun on the thread that draws, as some systems demand.
pub(crate) fn choose(choice: FileChoice, wake: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let FileChoice {
        title,
        begin,
        is_new,
        reply,
    } = choice;
    let mut dialog = AsyncFileDialog::new().set_title(title);
    if let Some(name) = begin.file_name().filter(|_| is_new) {
        dialog = dialog.set_file_name(name.to_string_lossy());
    }
    if let Some(folder) = begin.parent() {
        dialog = dialog.set_directory(folder);
    }
    let begun = Instant::now();
    let chosen: Pin<Box<dyn Future<Output = Option<FileHandle>> + Send>> = if is_new {
        Box::pin(dialog.save_file())
    } else {
        Box::pin(dialog.pick_file())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    thread::Builder::new()
        .name("chooser".to_owned())
        .spawn(move || {
            let chosen = runtime.block_on(chosen);
            if chosen.is_some() || begun.elapsed() >= SEEN {
                let chosen = chosen.map(|file| file.path().to_owned());
                // Nobody may wait for it any more.
                drop(reply.send(chosen));
            } else {
                drop(reply);
            }
            wake();
        })?;
    Ok(())
}
