//! Reads QR codes from pictures: a file that is named, or one that is dropped onto the window.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;

use egui::Context;
use image::imageops::FilterType;
use image::{ImageReader, Limits};

/// The largest picture that is read, in bytes of its file and in pixels of each side: what
/// telephones make. It bounds the memory that a hostile picture can take.
const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;
const SIDE_MAX: u32 = 12_000;
const MEMORY_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Pictures are read at this size at most: a code that fills a part of one stays legible.
const READ_SIDE: u32 = 1_600;
/// What is typed is taken for a picture if it ends like one.
const ENDINGS: [&str; 3] = ["png", "jpg", "jpeg"];

/// A picture that is being read, off the window's thread.
#[derive(Default)]
pub(crate) struct Scan {
    reading: Option<Receiver<Option<String>>>,
    has_failed: bool,
}

impl Scan {
    /// Starts to read the picture of this name, if it is the name of one.
    pub(crate) fn start(&mut self, ctx: &Context, name: &str) -> bool {
        let path = PathBuf::from(name);
        let ending = path.extension().and_then(|ending| ending.to_str());
        let ending = ending.unwrap_or_default().to_lowercase();
        // A link may end in anything; no file is named like one.
        let is_picture = ENDINGS.contains(&&*ending) && !name.starts_with("sotto:");
        if is_picture {
            self.read(ctx, path);
        }
        is_picture
    }

    fn read(&mut self, ctx: &Context, path: PathBuf) {
        let (sender, receiver) = mpsc::sync_channel(1);
        let ctx = ctx.clone();
        // Whatever a hostile picture does to its reader ends with this thread.
        let started = thread::Builder::new().name("scan".into()).spawn(move || {
            let found = std::panic::catch_unwind(|| read(&path)).unwrap_or_default();
            // The dialog may be gone.
            drop(sender.send(found));
            ctx.request_repaint();
        });
        self.has_failed = started.is_err();
        self.reading = started.ok().map(|_| receiver);
    }

    /// What a picture held, once; takes a picture that was dropped onto the window.
    pub(crate) fn take(&mut self, ctx: &Context) -> Option<String> {
        let dropped = ctx.input(|input| Some(input.raw.dropped_files.first()?.path().to_owned()));
        if let Some(path) = dropped {
            self.read(ctx, path);
        }
        let found = match self.reading.as_ref()?.try_recv() {
            Err(TryRecvError::Empty) => return None,
            Err(TryRecvError::Disconnected) => None,
            Ok(found) => found,
        };
        self.reading = None;
        self.has_failed = found.is_none();
        found
    }

    /// Whether a picture is being read.
    pub(crate) fn is_busy(&self) -> bool {
        self.reading.is_some()
    }

    /// Whether the last picture held no code.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Nothing is said of the last picture any more.
    pub(crate) fn forget(&mut self) {
        self.has_failed = false;
    }
}

/// The text of the first code in a picture.
fn read(path: &Path) -> Option<String> {
    let file = File::open(path).ok()?;
    if file.metadata().ok()?.len() > FILE_BYTES_MAX {
        return None;
    }
    let mut bytes = Vec::new();
    BufReader::new(file)
        .take(FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .ok()?;
    let mut reader = ImageReader::new(std::io::Cursor::new(bytes))
        .with_guessed_format()
        .ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_BYTES_MAX);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    let whole = picture.width().max(picture.height());
    // A small one that was pressed together is read at twice its size, noise is lost at half of it.
    let sides = [whole.min(READ_SIDE), READ_SIDE / 2, 2 * whole];
    sides
        .into_iter()
        .filter(|side| *side <= READ_SIDE)
        .find_map(|side| {
            if side == whole {
                return decode(&picture.to_luma8());
            }
            decode(
                &picture
                    .resize(side, side, FilterType::Triangle)
                    .into_luma8(),
            )
        })
}

fn decode(grey: &image::GrayImage) -> Option<String> {
    let (width, height) = grey.dimensions();
    let (width, height) = (usize::try_from(width).ok()?, usize::try_from(height).ok()?);
    let shade = |x: usize, y: usize| grey.as_raw().get(y * width + x).copied().unwrap_or(255);
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width, height, shade);
    let grids = prepared.detect_grids();
    grids
        .iter()
        .find_map(|grid| grid.decode().ok())
        .map(|(_, text)| text)
}

#[cfg(test)]
mod tests {
    use qrcode::QrCode;

    use super::*;

    const TEXT: &str = "sotto:verify/1/sbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbGxsbE/\
        oaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaGhoaE";

    /// A code of `module` pixels to a module, somewhere in a picture.
    fn picture(text: &str, module: u32) -> image::GrayImage {
        let code = QrCode::new(text).unwrap();
        let modules = u32::try_from(code.width()).unwrap();
        let side = (modules + 20) * module;
        image::GrayImage::from_fn(side, side, |x, y| {
            let at = |n: u32| (n / module).checked_sub(10).filter(|n| *n < modules);
            let is_dark = at(x)
                .zip(at(y))
                .is_some_and(|(x, y)| code[(x as usize, y as usize)] == qrcode::Color::Dark);
            image::Luma([if is_dark { 20 } else { 235 }])
        })
    }

    #[test]
    fn reads_codes_of_every_size_from_files() {
        let dir = tempfile::tempdir().unwrap();
        for module in [2, 3, 8, 40] {
            for ending in ["png", "jpg"] {
                let path = dir.path().join(format!("code.{ending}"));
                picture(TEXT, module).save(&path).unwrap();
                assert_eq!(read(&path).as_deref(), Some(TEXT), "{module} {ending}");
            }
        }
    }

    #[test]
    fn what_holds_no_code_or_is_no_picture_gives_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.png");
        assert_eq!(read(&path), None);
        image::GrayImage::new(300, 300).save(&path).unwrap();
        assert_eq!(read(&path), None);
        let bytes = std::fs::read(&path).unwrap();
        for cut in 0..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            assert_eq!(read(&path), None, "cut at {cut}");
        }
        // A few bytes that claim to be 40,000 pixels wide.
        let mut bomb = bytes;
        bomb[16..20].copy_from_slice(&40_000_u32.to_be_bytes());
        std::fs::write(&path, &bomb).unwrap();
        assert_eq!(read(&path), None);
    }
}
