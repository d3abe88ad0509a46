//! What happened to a project's files, one JSON line an entry, numbered from 1.
//!
//! The file only grows, until it is full and becomes `journal.1`, in place of the one before. A
//! line that a dying process tore is passed over. It is not synced to disk: at a power loss the
//! last second may be missing.
//!
//! **Architecture Invariant:** holds hashes and paths, never content.

mod entry;

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

pub use entry::{Change, Entry, EntryKind, IndexChange, Version};

use crate::{
    error::Error,
    hash::Hash,
    lock::{Lock, no_follow},
};

/// A journal that is longer begins anew. There are two at most.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// A longer line is not written: its list of files is cut before that. It has room for an undo of
/// as many files as a snapshot takes.
const LINE_BYTES_MAX: usize = 8 << 20;

/// A journal's directory is named by so many digits of a hash.
const NAME_LENGTH: usize = 16;

/// One project's journal.
#[derive(Clone, Debug)]
pub struct Journal {
    directory: PathBuf,
}

/// An entry, and what later entries say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub entry: Entry,
    /// Of a snapshot: what its files were right after the command, if that was noted.
    pub after: Option<Vec<(PathBuf, Version)>>,
    /// The number of the undo that undid it, or the last of it, if there is one.
    pub undone_by: Option<u64>,
    /// The paths of it that were undone by themselves; all below them is, too.
    pub undone_paths: Vec<PathBuf>,
}

impl Record {
    /// Whether it is undone, or what it did to this path.
    #[must_use]
    pub fn is_undone(&self, path: Option<&Path>) -> bool {
        let at = |path: &Path| self.undone_paths.iter().any(|only| path.starts_with(only));
        self.undone_by.is_some() || path.is_some_and(at)
    }
}

/// Which entries are wanted; all of what is set must fit.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub number: Option<u64>,
    pub session: Option<String>,
    pub tool_use_id: Option<String>,
    /// A file or a directory, relative to the working copy's top.
    pub path: Option<PathBuf>,
    /// The top of one working copy.
    pub worktree: Option<PathBuf>,
    /// The newest so many.
    pub count_max: Option<usize>,
}

impl Journal {
    /// The journal of the project that `identity` stands for: the git common directory, or the
    /// project's directory where there is no git.
    #[must_use]
    pub fn at(directory: &Path, identity: &Path) -> Journal {
        let name = Hash::of(identity.as_os_str().as_encoded_bytes()).to_string();
        Journal {
            directory: directory.join(&name[..NAME_LENGTH]),
        }
    }

    /// Holds the journal, so that nobody else writes to it meanwhile.
    ///
    /// # Errors
    /// [`Error::Busy`] where another process holds it for seconds.
    pub fn hold(&self) -> Result<Writer, Error> {
        let lock = Lock::take(&self.directory.join("lock"))?;
        Ok(Writer {
            journal: self.clone(),
            lock,
        })
    }

    /// The entries that fit, newest first.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn query(&self, filter: &Filter) -> Result<Vec<Record>, Error> {
        if !self.directory.exists() {
            return Ok(Vec::new());
        }
        // Not while it becomes `journal.1`; writers wait for the reading alone.
        let files = {
            let _lock = Lock::share(&self.directory.join("lock"))?;
            self.read()?
        };
        let mut records = records(entries(&files));
        records.retain(|record| filter.fits(record));
        records.truncate(filter.count_max.unwrap_or(usize::MAX));
        Ok(records)
    }

    /// The files' bytes, the older one first.
    fn read(&self) -> Result<Vec<Vec<u8>>, Error> {
        let mut files = Vec::new();
        for file in [self.older(), self.file()] {
            match read(&file) {
                Ok(bytes) => files.push(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::io("read", &file)(error)),
            }
        }
        Ok(files)
    }

    fn file(&self) -> PathBuf {
        self.directory.join("journal")
    }

    fn older(&self) -> PathBuf {
        self.directory.join("journal.1")
    }
}

/// The right to write to a journal.
#[derive(Debug)]
pub struct Writer {
    journal: Journal,
    lock: Lock,
}

impl Writer {
    /// The number that the next entry has at least.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn next_number(&mut self) -> Result<u64, Error> {
        let last = match self.lock.number() {
            Some(last) => last,
            None => {
                let entries = entries(&self.journal.read()?);
                entries.iter().map(|it| it.number).max().unwrap_or(0)
            }
        };
        Ok(last + 1)
    }

    /// Takes a number for an entry that is written later, or never.
    ///
    /// # Errors
    /// Where the number cannot be kept.
    pub fn reserve(&mut self, number: u64) -> Result<(), Error> {
        if number >= self.next_number()? {
            self.lock.keep_number(number)?;
        }
        Ok(())
    }

    /// Writes an entry. Its number is [`Writer::next_number`] or more; what belongs to an earlier
    /// entry has that one's number.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn append(&mut self, entry: &Entry) -> Result<(), Error> {
        self.reserve(entry.number)?;
        let mut line = json(entry);
        if line.len() > LINE_BYTES_MAX {
            line = json(&entry.shortened());
        }
        line.push(b'\n');
        let file = self.journal.file();
        add(&file, &line).map_err(Error::io("write", &file))?;
        if fs::metadata(&file).is_ok_and(|metadata| metadata.len() > FILE_BYTES_MAX) {
            fs::rename(&file, self.journal.older()).map_err(Error::io("rename", &file))?;
        }
        Ok(())
    }
}

impl Filter {
    fn fits(&self, record: &Record) -> bool {
        let entry = &record.entry;
        let number = self.number.is_none_or(|it| it == entry.number);
        let session = self.session.is_none() || self.session == entry.session;
        let tool_use = self
            .tool_use_id
            .as_deref()
            .is_none_or(|it| entry.tool_use_id() == Some(it));
        let worktree = self
            .worktree
            .as_deref()
            .is_none_or(|it| it == entry.worktree.as_path());
        let path = self
            .path
            .as_deref()
            .is_none_or(|it| entry.paths().any(|path| path.starts_with(it)));
        number && session && tool_use && worktree && path
    }
}

/// The entries in the order in which they were written.
fn entries(files: &[Vec<u8>]) -> Vec<Entry> {
    let lines = files
        .iter()
        .flat_map(|bytes| bytes.split(|byte| *byte == b'\n'));
    lines
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect()
}

/// Newest first, with what later entries say of earlier ones.
fn records(entries: Vec<Entry>) -> Vec<Record> {
    let mut after = HashMap::new();
    let mut undone: HashMap<u64, Vec<Undone>> = HashMap::new();
    let mut records = Vec::new();
    for entry in entries {
        match &entry.kind {
            EntryKind::After { files } => {
                let files = files.iter().cloned();
                let files: Vec<_> = files.map(|(path, it)| (path.into(), it)).collect();
                after.insert(entry.number, files);
                continue;
            }
            EntryKind::Undo { of, only, .. } => {
                let this = Undone {
                    by: entry.number,
                    only: only.clone().map(PathBuf::from),
                };
                // An undo that is itself undone gives back what it had undone.
                for earlier in undone.values_mut() {
                    earlier.retain(|it| !(of.contains(&it.by) && this.covers(it)));
                }
                for number in of {
                    undone.entry(*number).or_default().push(this.clone());
                }
            }
            _ => {}
        }
        records.push(Record {
            entry,
            after: None,
            undone_by: None,
            undone_paths: Vec::new(),
        });
    }
    for record in &mut records {
        record.after = after.remove(&record.entry.number);
        if let Some(undone) = undone.get(&record.entry.number) {
            record.undone_by = whole(&record.entry, undone);
            let only = undone.iter().filter_map(|it| it.only.clone());
            record.undone_paths = only.collect();
        }
    }
    records.reverse();
    records
}

/// An undo, as the entry that it undid sees it.
#[derive(Clone, Debug)]
struct Undone {
    by: u64,
    /// Only what is at or below this path.
    only: Option<PathBuf>,
}

impl Undone {
    fn covers(&self, other: &Undone) -> bool {
        match (&self.only, &other.only) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(this), Some(other)) => other.starts_with(this),
        }
    }
}

/// By which undo an entry is undone as a whole, at once or path by path.
fn whole(entry: &Entry, undone: &[Undone]) -> Option<u64> {
    if let Some(one) = undone.iter().rev().find(|it| it.only.is_none()) {
        return Some(one.by);
    }
    let at = |path: &Path| {
        let mut only = undone.iter().filter_map(|it| it.only.as_deref());
        only.any(|only| path.starts_with(only))
    };
    let last = undone.last()?;
    (entry.names_all() && entry.paths().all(at)).then_some(last.by)
}

/// Whether a directory is one project's journal, by its name.
pub(crate) fn is_journal(directory: &Path) -> bool {
    let name = directory.file_name().unwrap_or_default();
    let hex = |byte: &u8| byte.is_ascii_hexdigit();
    name.len() == NAME_LENGTH && name.as_encoded_bytes().iter().all(hex) && directory.is_dir()
}

/// Removes a journal's files that nothing was written to for so long, and says whether nothing is
/// left. The number of its last entry stays: a number means one thing for ever.
pub(crate) fn prune(directory: &Path, age_max: Duration, now: SystemTime) -> Result<bool, Error> {
    let journal = Journal {
        directory: directory.to_owned(),
    };
    let old = |file: &Path| {
        let at = fs::symlink_metadata(file).and_then(|it| it.modified());
        at.is_ok_and(|at| now.duration_since(at).unwrap_or_default() > age_max)
    };
    let files = [journal.older(), journal.file()];
    if !files.iter().any(|file| old(file)) {
        return Ok(false);
    }
    let mut writer = journal.hold()?;
    let last = writer.next_number()?.saturating_sub(1);
    writer.lock.keep_number(last)?;
    for file in files.iter().filter(|file| old(file)) {
        fs::remove_file(file).map_err(Error::io("remove", file))?;
    }
    Ok(!journal.file().exists() && !journal.older().exists())
}

fn json(entry: &Entry) -> Vec<u8> {
    // Strings, numbers, lists: an entry always has a JSON form.
    serde_json::to_vec(entry).unwrap_or_default()
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(no_follow())
        .open(file)?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX + LINE_BYTES_MAX as u64)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Adds a line, on a line of its own even after one that was torn.
fn add(file: &Path, line: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(no_follow())
        .open(file)?;
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    file.write_all(line)
}

#[cfg(test)]
mod tests;
