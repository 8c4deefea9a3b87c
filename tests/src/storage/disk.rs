//! A folder as a disk may hold it after a power cut.
//!
//! What was synchronised is there. Of what was written since, each write may be there in whole,
//! in some of its sectors, as a file that has grown by zeros, or not at all, whatever became of
//! the others; the same holds for names in a folder that was not synchronised, each by itself.
//! After a synchronisation that failed, nobody ever learns which of its writes are there: the
//! system takes them for written (`fsync` on Linux).

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rand::rngs::StdRng;
use rand::{Rng, RngExt as _, SeedableRng as _};

use crate::storage::call::{Argument, Call};

/// What a disk writes in whole or not at all.
const SECTOR_BYTES: usize = 512;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder(usize),
    File(usize),
    /// A file that is not kept over a power cut.
    Volatile,
}

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Arc<[u8]> },
    Resize(usize),
}

/// What has happened since the last synchronisation, each with the line on which it ended.
type Pending<T> = Vec<(usize, T)>;

#[derive(Debug, Clone, Default)]
struct Content {
    durable: Vec<u8>,
    pending: Pending<Change>,
}

#[derive(Debug, Clone, Default)]
struct Names {
    durable: BTreeMap<OsString, Node>,
    pending: Pending<(OsString, Option<Node>)>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    node: Node,
    position: usize,
}

/// A folder on a disk, with all that is not yet certain.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    is_volatile: fn(&OsStr) -> bool,
    folders: Vec<Names>,
    files: Vec<Content>,
    open: HashMap<i64, Open>,
    /// Decides what became of writes whose synchronisation failed.
    chance: StdRng,
}

impl Disk {
    /// An empty folder, in which some files are not kept over a power cut.
    pub fn new(root: &Path, is_volatile: fn(&OsStr) -> bool, seed: u64) -> Self {
        Self {
            root: root.to_owned(),
            is_volatile,
            folders: vec![Names::default()],
            files: Vec::new(),
            open: HashMap::new(),
            chance: StdRng::seed_from_u64(seed),
        }
    }

    /// Whether nothing is left to chance.
    pub fn is_settled(&self) -> bool {
        self.files.iter().all(|file| file.pending.is_empty())
            && self.folders.iter().all(|names| names.pending.is_empty())
    }

    /// Carries out a call on something in the folder.
    ///
    /// # Errors
    /// The call, when it is of a kind that this disk does not know.
    pub fn apply(&mut self, call: &Call) -> Result<(), String> {
        self.carry_out(call).ok_or_else(|| {
            let arguments = format!("{:?}", call.arguments);
            let arguments: String = arguments.chars().take(300).collect();
            format!("unknown call: {} {arguments} {:?}", call.name, call.outcome)
        })
    }

    fn carry_out(&mut self, call: &Call) -> Option<()> {
        let Ok(outcome) = call.outcome else {
            // A call that fails does nothing, but what it should have synchronised stays unknown.
            if matches!(call.name.as_str(), "fsync" | "fdatasync") {
                self.fail_to_sync(call)?;
            }
            return Some(());
        };
        match call.name.as_str() {
            "openat" => self.open(call, outcome),
            "mkdir" => {
                self.folders.push(Names::default());
                let folder = Node::Folder(self.folders.len() - 1);
                self.rename(call, &call.path(0)?, Some(folder))
            }
            "unlink" | "rmdir" => self.rename(call, &call.path(0)?, None),
            "unlinkat" => self.rename(call, &beside(call, 0)?, None),
            "rename" | "renameat" | "renameat2" => {
                let (from, to) = match call.name.as_str() {
                    "rename" => (call.path(0)?, call.path(1)?),
                    _ => (beside(call, 0)?, beside(call, 2)?),
                };
                let node = self.find(&from)?;
                self.rename(call, &to, Some(node))?;
                self.rename(call, &from, None)
            }
            "linkat" => {
                let node = self.find(&beside(call, 0)?)?;
                self.rename(call, &beside(call, 2)?, Some(node))
            }
            "write" => {
                let (number, _) = call.descriptor(0)?;
                let length = usize::try_from(outcome).ok()?;
                let open = self.open.get_mut(&number)?;
                let (node, at) = (open.node, open.position);
                open.position += length;
                self.write(call, node, at, length)
            }
            "pwrite64" => {
                let node = self.opened(call)?;
                self.write(call, node, call.size(3)?, usize::try_from(outcome).ok()?)
            }
            "copy_file_range" => {
                let (from, _) = call.descriptor(0)?;
                let (to, _) = call.descriptor(2)?;
                let is_at_positions = [1, 3].map(|place| call.other(place)) == [Some("NULL"); 2];
                let length = usize::try_from(outcome).ok().filter(|_| is_at_positions)?;
                let from = self.open.get_mut(&from)?;
                let (source, start) = (from.node, from.position);
                from.position += length;
                let to = self.open.get_mut(&to)?;
                let (node, at) = (to.node, to.position);
                to.position += length;
                let bytes = self.newest(source)?.get(start..start + length)?.into();
                self.change(call, node, Change::Write { at, bytes })
            }
            "ftruncate" => {
                let node = self.opened(call)?;
                self.change(call, node, Change::Resize(call.size(1)?))
            }
            "fsync" | "fdatasync" => self.sync(call),
            "mmap" => {
                let is_written = call.other(2)?.contains("PROT_WRITE")
                    && !call.other(3)?.contains("MAP_PRIVATE");
                let (number, _) = call.descriptor(4)?;
                let is_volatile =
                    matches!(self.open.get(&number), Some(open) if open.node == Node::Volatile);
                (!is_written || is_volatile).then_some(())
            }
            _ => None,
        }
    }

    fn open(&mut self, call: &Call, number: i64) -> Option<()> {
        let path = call.path(1).filter(|path| path.is_absolute())?;
        let flags: Vec<&str> = call.other(2)?.split('|').collect();
        if flags.contains(&"O_APPEND") || flags.contains(&"O_TMPFILE") {
            return None;
        }
        let node = match self.find(&path) {
            Some(node) => node,
            None if (self.is_volatile)(path.file_name()?) => Node::Volatile,
            None if flags.contains(&"O_CREAT") => {
                self.files.push(Content::default());
                let file = Node::File(self.files.len() - 1);
                self.rename(call, &path, Some(file))?;
                file
            }
            None => return None,
        };
        self.open.insert(number, Open { node, position: 0 });
        if flags.contains(&"O_TRUNC") {
            self.change(call, node, Change::Resize(0))?;
        }
        Some(())
    }

    fn opened(&self, call: &Call) -> Option<Node> {
        let (number, _) = call.descriptor(0)?;
        Some(self.open.get(&number)?.node)
    }

    /// What a file holds while there is power.
    fn newest(&self, node: Node) -> Option<Vec<u8>> {
        let Node::File(file) = node else {
            return None;
        };
        let file = self.files.get(file)?;
        let mut bytes = file.durable.clone();
        for (_, change) in &file.pending {
            apply(&mut bytes, change);
        }
        Some(bytes)
    }

    fn write(&mut self, call: &Call, node: Node, at: usize, length: usize) -> Option<()> {
        let bytes = call.bytes(1)?;
        let bytes = if bytes.len() == length {
            Arc::clone(bytes)
        } else {
            bytes.get(..length)?.into()
        };
        self.change(call, node, Change::Write { at, bytes })
    }

    fn change(&mut self, call: &Call, node: Node, change: Change) -> Option<()> {
        match node {
            Node::File(file) => {
                let file = self.files.get_mut(file)?;
                file.pending.push((call.ended, change));
                Some(())
            }
            Node::Volatile => Some(()),
            Node::Folder(_) => None,
        }
    }

    /// What is called so at the moment.
    fn find(&self, path: &Path) -> Option<Node> {
        let mut node = Node::Folder(0);
        for name in path.strip_prefix(&self.root).ok()? {
            let Node::Folder(folder) = node else {
                return None;
            };
            let names = self.folders.get(folder)?;
            let newest = names.pending.iter().rev();
            let newest = newest.map(|(_, change)| change).find(|(it, _)| it == name);
            node = match newest {
                Some((_, node)) => (*node)?,
                None => *names.durable.get(name)?,
            };
        }
        Some(node)
    }

    fn rename(&mut self, call: &Call, path: &Path, node: Option<Node>) -> Option<()> {
        let name = path.file_name()?;
        if (self.is_volatile)(name) {
            return Some(());
        }
        let Node::Folder(folder) = self.find(path.parent()?)? else {
            return None;
        };
        let names = self.folders.get_mut(folder)?;
        names.pending.push((call.ended, (name.to_owned(), node)));
        Some(())
    }

    /// What had ended before this call began is certain from now on.
    fn sync(&mut self, call: &Call) -> Option<()> {
        match self.opened(call)? {
            Node::Folder(folder) => {
                let names = self.folders.get_mut(folder)?;
                for (name, node) in take_before(&mut names.pending, call.began) {
                    put(&mut names.durable, name, node);
                }
            }
            Node::File(file) => {
                let file = self.files.get_mut(file)?;
                for change in take_before(&mut file.pending, call.began) {
                    apply(&mut file.durable, &change);
                }
            }
            Node::Volatile => {}
        }
        Some(())
    }

    /// What had ended before this call began is left to chance, for good.
    fn fail_to_sync(&mut self, call: &Call) -> Option<()> {
        if let Node::File(file) = self.opened(call)? {
            let file = self.files.get_mut(file)?;
            for change in take_before(&mut file.pending, call.began) {
                apply_perhaps(&mut file.durable, &change, 0.5, &mut self.chance);
            }
        }
        // Names stay pending: a folder is written again as a whole.
        Some(())
    }

    /// Builds the folder as a power cut may leave it at this moment: of each folder in it nothing
    /// that is not certain, all of it, or a part.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn cut(&self, to: &Path, chance: &mut impl Rng) -> io::Result<()> {
        self.build(0, to, chance)
    }

    fn build(&self, folder: usize, to: &Path, chance: &mut impl Rng) -> io::Result<()> {
        fs::create_dir_all(to)?;
        let kept = match chance.random_range(0..6) {
            0 => 0.0,
            1 | 2 => 1.0,
            _ => chance.random(),
        };
        let Some(names) = self.folders.get(folder) else {
            return Ok(());
        };
        let mut there = names.durable.clone();
        for (_, (name, node)) in &names.pending {
            if chance.random_bool(kept) {
                put(&mut there, name.clone(), *node);
            }
        }
        for (name, node) in there {
            match node {
                Node::Folder(folder) => self.build(folder, &to.join(name), chance)?,
                Node::File(file) => {
                    let Some(file) = self.files.get(file) else {
                        continue;
                    };
                    let mut bytes = file.durable.clone();
                    for (_, change) in &file.pending {
                        apply_perhaps(&mut bytes, change, kept, chance);
                    }
                    fs::write(to.join(name), bytes)?;
                }
                Node::Volatile => {}
            }
        }
        Ok(())
    }
}

/// The path at this place of a call and the one after it: a folder, and a name in it.
fn beside(call: &Call, place: usize) -> Option<PathBuf> {
    let Argument::Descriptor { path, .. } = call.arguments.get(place)? else {
        return None;
    };
    Some(path.join(call.path(place + 1)?))
}

fn take_before<T>(pending: &mut Pending<T>, line: usize) -> Vec<T> {
    let (before, after) = std::mem::take(pending)
        .into_iter()
        .partition::<Vec<_>, _>(|(ended, _)| *ended < line);
    *pending = after;
    before.into_iter().map(|(_, change)| change).collect()
}

fn put(names: &mut BTreeMap<OsString, Node>, name: OsString, node: Option<Node>) {
    match node {
        Some(node) => names.insert(name, node),
        None => names.remove(&name),
    };
}

fn apply(content: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Resize(size) => content.resize(*size, 0),
        Change::Write { at, bytes } => {
            let end = at + bytes.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            if let Some(place) = content.get_mut(*at..end) {
                place.copy_from_slice(bytes);
            }
        }
    }
}

fn apply_perhaps(content: &mut Vec<u8>, change: &Change, kept: f64, chance: &mut impl Rng) {
    if chance.random_bool(kept) {
        apply(content, change);
        return;
    }
    let Change::Write { at, bytes } = change else {
        return;
    };
    match chance.random_range(0..4) {
        // The file has grown, and what was to be written is not there.
        0 if content.len() < at + bytes.len() && kept > 0.0 => content.resize(at + bytes.len(), 0),
        // Some of its sectors.
        1 if kept > 0.0 => {
            let mut start = 0;
            while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
                let to_boundary = SECTOR_BYTES - (at + start) % SECTOR_BYTES;
                let sector = rest.get(..to_boundary).unwrap_or(rest);
                if chance.random() {
                    let bytes = sector.into();
                    let at = at + start;
                    apply(content, &Change::Write { at, bytes });
                }
                start += sector.len();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str, line: usize) -> Call {
        let hex = |text: &str| {
            let bytes = text.bytes().map(|byte| format!("\\x{byte:02x}"));
            bytes.collect::<Vec<_>>().concat()
        };
        // Quoted and bracketed names are written as strace writes them.
        let mut written = String::new();
        for (place, part) in text.split(['\'', '`']).enumerate() {
            written += &if place % 2 == 0 {
                part.to_owned()
            } else {
                hex(part)
            };
        }
        Call::parse(&written, line, line).unwrap().unwrap()
    }

    /// A file `a` of which `old` is certain and `new`, over it, is not.
    fn disk() -> Disk {
        let mut disk = Disk::new(Path::new("/r"), |name| name == "shm", 1);
        for (line, text) in [
            r#"openat(AT_FDCWD<`/`>, "'/r/a'", O_RDWR|O_CREAT, 0600) = 5<`/r/a`>"#,
            r#"pwrite64(5<`/r/a`>, "'old'", 3, 0) = 3"#,
            "fdatasync(5<`/r/a`>) = 0",
            r#"openat(AT_FDCWD<`/`>, "'/r'", O_RDONLY) = 6<`/r`>"#,
            "fsync(6<`/r`>) = 0",
            r#"pwrite64(5<`/r/a`>, "'new'", 3, 0) = 3"#,
        ]
        .into_iter()
        .enumerate()
        {
            disk.apply(&call(text, line)).unwrap();
        }
        disk
    }

    /// What `a` may hold after a cut.
    fn outcomes(disk: &Disk) -> Vec<String> {
        let mut outcomes = Vec::new();
        for seed in 0..100 {
            let folder = tempfile::tempdir().unwrap();
            let mut chance = StdRng::seed_from_u64(seed);
            disk.cut(folder.path(), &mut chance).unwrap();
            outcomes.push(fs::read_to_string(folder.path().join("a")).unwrap_or_default());
        }
        outcomes.sort();
        outcomes.dedup();
        outcomes
    }

    #[test]
    fn what_was_synchronised_is_there_and_what_came_later_may_be() {
        let mut disk = disk();
        assert!(!disk.is_settled());
        assert_eq!(outcomes(&disk), ["new", "old"]);
        disk.apply(&call("fdatasync(5<`/r/a`>) = 0", 9)).unwrap();
        assert!(disk.is_settled());
        assert_eq!(outcomes(&disk), ["new"]);
        disk.apply(&call(r#"unlink("'/r/a'") = 0"#, 10)).unwrap();
        assert_eq!(outcomes(&disk), ["", "new"]);
    }

    #[test]
    fn a_later_success_says_nothing_about_a_synchronisation_that_failed() {
        let mut outcomes: Vec<String> = (0..20)
            .flat_map(|seed| {
                let mut disk = disk();
                disk.chance = StdRng::seed_from_u64(seed);
                let failed = "fdatasync(5<`/r/a`>) = -1 EIO (Input/output error) (INJECTED)";
                disk.apply(&call(failed, 9)).unwrap();
                disk.apply(&call("fdatasync(5<`/r/a`>) = 0", 10)).unwrap();
                assert!(disk.is_settled());
                outcomes(&disk)
            })
            .collect();
        outcomes.sort();
        outcomes.dedup();
        assert_eq!(outcomes, ["new", "old"]);
    }

    #[test]
    fn refuses_calls_that_it_does_not_know() {
        let mut disk = disk();
        for text in [
            "fallocate(5<`/r/a`>, 0, 0, 10) = 0",
            r#"pwrite64(9<`/r/b`>, "'new'", 3, 0) = 3"#,
            "mmap(NULL, 9, PROT_READ|PROT_WRITE, MAP_SHARED, 5<`/r/a`>, 0) = 0x1000",
        ] {
            assert!(disk.apply(&call(text, 9)).is_err(), "{text}");
        }
    }
}
