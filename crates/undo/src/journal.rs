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
    /// The number of the undo that undid it, if there is one.
    pub undone_by: Option<u64>,
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
            directory: directory.join(&name[..16]),
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
        // Not while it becomes `journal.1`.
        let entries = {
            let _lock = Lock::share(&self.directory.join("lock"))?;
            self.entries()?
        };
        let mut records = records(entries);
        records.retain(|record| filter.fits(record));
        records.truncate(filter.count_max.unwrap_or(usize::MAX));
        Ok(records)
    }

    /// The entries in the order in which they were written.
    fn entries(&self) -> Result<Vec<Entry>, Error> {
        let mut entries = Vec::new();
        for file in [self.older(), self.file()] {
            let bytes = match read(&file) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io("read", &file)(error)),
            };
            let lines = bytes.split(|byte| *byte == b'\n');
            entries.extend(lines.filter_map(|line| serde_json::from_slice(line).ok()));
        }
        Ok(entries)
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
                let entries = self.journal.entries()?;
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

/// Newest first, with what later entries say of earlier ones.
fn records(entries: Vec<Entry>) -> Vec<Record> {
    let mut after = HashMap::new();
    let mut undone_by = HashMap::new();
    let mut records = Vec::new();
    for entry in entries {
        match &entry.kind {
            EntryKind::After { files } => {
                let files = files.iter().cloned();
                let files: Vec<_> = files.map(|(path, it)| (path.into(), it)).collect();
                after.insert(entry.number, files);
                continue;
            }
            EntryKind::Undo { of, .. } => {
                // An undo that is itself undone gives back what it had undone.
                undone_by.retain(|_, by| !of.contains(by));
                undone_by.extend(of.iter().map(|it| (*it, entry.number)));
            }
            _ => {}
        }
        records.push(Record {
            entry,
            after: None,
            undone_by: None,
        });
    }
    for record in &mut records {
        record.after = after.remove(&record.entry.number);
        record.undone_by = undone_by.get(&record.entry.number).copied();
    }
    records.reverse();
    records
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
