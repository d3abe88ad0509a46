//! The index: what the notes say, in a file of its own that can be deleted at any time.
//!
//! One [`Index`] writes. Any number of [`Searcher`]s read beside it; they never wait for it.
//!
//! **Architecture Invariant:** the index holds nothing that is not in the notes. A damaged,
//! missing or older one is made anew.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use rusqlite::{OptionalExtension, params};

use crate::{
    error::Error,
    limits::{NOTE_BYTES_MAX, VAULTS_MAX},
    place::{Found, Place, Stamp},
    search::Searcher,
    vaults::{Scope, Trust, Vault},
    walk,
};

mod file;
mod rows;

pub(crate) use file::{Handle, is_damage};
use rows::Rows;

/// Notes that are written to the index in one transaction.
const BATCH: usize = 256;
/// After so many notes were indexed at once, the full-text index is put together into one piece,
/// which takes a twentieth of the time and makes every search faster by a fifth.
const MANY: usize = 1_000;
/// A file changed this shortly before it was read may change again within the same tick.
const RACY_NS: i64 = 2_000_000_000;

/// The one writer of an index.
#[derive(Debug)]
pub struct Index {
    handle: Handle,
    vaults: Vec<Vault>,
}

/// What a look at the vaults found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// Notes that are in the index now, of the vaults looked at.
    pub notes: usize,
    /// Of these, notes that are new or have changed.
    pub indexed: usize,
    /// Notes that are no longer there.
    pub removed: usize,
    /// Files that could not be read as notes.
    pub skipped: usize,
}

/// What the index knows of a file.
#[derive(Clone, Copy)]
struct Known {
    id: Option<i64>,
    stamp: Stamp,
    racy: bool,
    hash: [u8; 32],
}

impl Index {
    /// Opens the index at a path, or makes it (0600), for these vaults. Nothing is scanned yet.
    ///
    /// # Errors
    ///
    /// If there are more vaults than [`VAULTS_MAX`], or the file cannot be made.
    pub fn open(path: impl Into<PathBuf>, vaults: Vec<Vault>) -> Result<Index, Error> {
        let handle = Handle::write(path.into())?;
        let mut index = Index {
            handle,
            vaults: Vec::new(),
        };
        index.set_vaults(vaults)?;
        Ok(index)
    }

    /// Changes the vaults. Notes of those that are no longer named are forgotten at once; those of
    /// new ones come with the next [`Index::rescan`].
    ///
    /// # Errors
    ///
    /// If there are too many, or the index cannot be written.
    pub fn set_vaults(&mut self, vaults: Vec<Vault>) -> Result<(), Error> {
        if vaults.len() > VAULTS_MAX {
            return Err(Error::refused(format!(
                "{} vaults are configured; at most {VAULTS_MAX} can be",
                vaults.len()
            )));
        }
        self.vaults = vaults;
        self.forget_unnamed()
    }

    /// The vaults that were named, whether they are used or not.
    #[must_use]
    pub fn vaults(&self) -> &[Vault] {
        &self.vaults
    }

    /// A reader beside this writer, for another thread.
    ///
    /// # Errors
    ///
    /// If the file cannot be opened.
    pub fn searcher(&self) -> Result<Searcher, Error> {
        Searcher::open(self.handle.path())
    }

    /// Looks at every vault, and reads what has changed since the last time.
    ///
    /// # Errors
    ///
    /// If the index cannot be written. What is wrong with a note or a folder is no error.
    pub fn rescan(&mut self) -> Result<Scan, Error> {
        self.ready()?;
        match self.scan_all() {
            Err(Error::Index { source, .. }) if file::is_damage(&source) => {
                self.reset()?;
                self.scan_all()
            }
            scanned => scanned,
        }
    }

    /// Looks at these paths only: what the watcher told. A path outside every vault is nothing; a
    /// folder is looked at with all that is below it.
    ///
    /// # Errors
    ///
    /// If the index cannot be written.
    pub fn changed(&mut self, paths: &[PathBuf]) -> Result<Scan, Error> {
        if self.ready()? {
            return self.rescan();
        }
        let mut scan = Scan::default();
        for vault in self.used() {
            let inside: Vec<&Path> = paths.iter().filter_map(|it| vault.relative(it)).collect();
            if !inside.is_empty() {
                scan.add(self.look_at(&vault, &inside)?);
            }
        }
        Ok(scan)
    }

    /// Deletes everything and reads all vaults anew.
    ///
    /// # Errors
    ///
    /// If the file cannot be made or written.
    pub fn rebuild(&mut self) -> Result<Scan, Error> {
        self.reset()?;
        self.rescan()
    }

    /// Makes a new file where the old one was deleted; tells whether it was.
    fn ready(&mut self) -> Result<bool, Error> {
        let gone = !self.handle.is_current();
        if gone {
            self.handle = Handle::write(self.handle.path().to_owned())?;
        }
        Ok(gone)
    }

    fn reset(&mut self) -> Result<(), Error> {
        let path = self.handle.path().to_owned();
        file::remove(&path)?;
        self.handle = Handle::write(path)?;
        Ok(())
    }

    fn used(&self) -> Vec<Vault> {
        let used = self.vaults.iter();
        used.filter(|vault| vault.trust() == Trust::Trusted)
            .cloned()
            .collect()
    }

    fn forget_unnamed(&mut self) -> Result<(), Error> {
        self.ready()?;
        let named: Vec<(String, Option<String>)> = self.used().iter().map(row_of).collect();
        self.handle.write_all(|transaction| {
            let known: Vec<(i64, String, Option<String>)> = transaction
                .prepare("SELECT id, folder, project FROM vault")?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
                .collect::<Result<_, _>>()?;
            for (id, folder, project) in known {
                if !named.contains(&(folder, project)) {
                    Rows::new(transaction, &mut HashSet::new()).forget_vault(id)?;
                }
            }
            Ok(())
        })
    }

    fn scan_all(&mut self) -> Result<Scan, Error> {
        self.forget_unnamed()?;
        let mut scan = Scan::default();
        for vault in self.used() {
            scan.add(self.scan(&vault)?);
        }
        self.handle.settle(scan.indexed >= MANY);
        Ok(scan)
    }

    /// Looks at one vault from top to bottom.
    fn scan(&mut self, vault: &Vault) -> Result<Scan, Error> {
        let id = self.id_of(vault)?;
        let opened = vault.open();
        let (place, mut left_out) = match opened {
            Ok(Some(place)) => (Some(place), Vec::new()),
            Ok(None) => (None, Vec::new()),
            Err(fault) => (None, vec![(PathBuf::new(), told(&fault))]),
        };
        let mut listing = place
            .as_ref()
            .map(|it| walk::list(it.path()))
            .unwrap_or_default();
        left_out.append(&mut listing.left_out);
        let mut known = self.known(id)?;
        let mut scan = Scan::default();
        // Of this scan only: a transaction that fails ends the scan, and what it spelled is gone.
        let mut spelled = HashSet::new();
        self.handle.write_all(|transaction| {
            Rows::new(transaction, &mut spelled).left_out(id, &left_out)
        })?;
        if let Some(place) = &place {
            for batch in listing.notes.chunks(BATCH) {
                self.handle.write_all(|transaction| {
                    let mut rows = Rows::new(transaction, &mut spelled);
                    for path in batch {
                        let before = path.to_str().and_then(|path| known.remove(path));
                        scan.count(take(&mut rows, id, place, path, before)?);
                    }
                    Ok(())
                })?;
            }
        }
        self.handle.write_all(|transaction| {
            let mut rows = Rows::new(transaction, &mut spelled);
            for (path, gone) in &known {
                scan.removed += usize::from(gone.id.is_some());
                rows.forget(id, path, gone.id)?;
            }
            Ok(())
        })?;
        scan.skipped += left_out.len();
        Ok(scan)
    }

    /// Looks at some paths of one vault.
    fn look_at(&mut self, vault: &Vault, paths: &[&Path]) -> Result<Scan, Error> {
        let Ok(Some(place)) = vault.open() else {
            return self.scan(vault);
        };
        // A folder that came or went, or ignore rules: what is below it can be anything.
        let single = |path: &&Path| path.extension().is_some() && !place.path().join(path).is_dir();
        let hidden = |path: &&Path| {
            path.iter().any(|name| {
                name.as_encoded_bytes().starts_with(b".")
                    && name != ".gitignore"
                    && name != ".ignore"
            })
        };
        let paths: Vec<&Path> = paths.iter().copied().filter(|path| !hidden(path)).collect();
        if !paths.iter().all(single) {
            return self.scan(vault);
        }
        let id = self.id_of(vault)?;
        let mut scan = Scan::default();
        let mut spelled = HashSet::new();
        for path in paths {
            let Some(name) = path.to_str() else { continue };
            let before = self.known_one(id, name)?;
            let there = walk::is_note(place.path(), path);
            self.handle.write_all(|transaction| {
                let mut rows = Rows::new(transaction, &mut spelled);
                if there {
                    scan.count(take(&mut rows, id, &place, path, before)?);
                } else {
                    let note = before.and_then(|before| before.id);
                    scan.removed += usize::from(note.is_some());
                    rows.forget(id, name, note)?;
                }
                Ok(())
            })?;
        }
        Ok(scan)
    }

    fn id_of(&mut self, vault: &Vault) -> Result<i64, Error> {
        let (folder, project) = row_of(vault);
        self.handle.write_all(|transaction| {
            transaction.execute(
                "INSERT INTO vault (folder, project) VALUES (?1, ?2) ON CONFLICT (folder) DO NOTHING",
                params![folder, project],
            )?;
            let id = "SELECT id FROM vault WHERE folder = ?1";
            transaction.query_row(id, [&folder], |row| row.get(0))
        })
    }

    fn known(&self, vault: i64) -> Result<HashMap<String, Known>, Error> {
        self.handle.read(|connection| {
            let mut known = HashMap::new();
            for sql in [KNOWN_NOTES, KNOWN_SKIPPED] {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(params![vault, None::<String>])?;
                while let Some(row) = rows.next()? {
                    known.insert(row.get(0)?, known_of(row)?);
                }
            }
            Ok(known)
        })
    }

    fn known_one(&self, vault: i64, path: &str) -> Result<Option<Known>, Error> {
        self.handle.read(|connection| {
            for sql in [KNOWN_NOTES, KNOWN_SKIPPED] {
                let mut statement = connection.prepare_cached(sql)?;
                let found = statement
                    .query_row(params![vault, path], known_of)
                    .optional()?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        })
    }
}

const KNOWN_NOTES: &str = "SELECT path, id, bytes, modified_ns, racy, hash FROM note \
     WHERE vault = ?1 AND (?2 IS NULL OR path = ?2)";
/// Of those without a stamp nothing is known: they are looked at again.
const KNOWN_SKIPPED: &str = "SELECT path, NULL, bytes, modified_ns, 0, NULL FROM skipped \
     WHERE vault = ?1 AND modified_ns > -9223372036854775808 AND (?2 IS NULL OR path = ?2)";

fn known_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<Known> {
    let hash: Option<[u8; 32]> = row.get(5)?;
    Ok(Known {
        id: row.get(1)?,
        stamp: Stamp {
            bytes: row.get::<_, i64>(2)?.cast_unsigned(),
            modified_ns: row.get(3)?,
        },
        racy: row.get(4)?,
        hash: hash.unwrap_or_default(),
    })
}

/// What became of one file.
enum Taken {
    Indexed,
    Unchanged,
    Skipped,
    Gone,
}

/// Brings one file's rows up to date.
fn take(
    rows: &mut Rows<'_>,
    vault: i64,
    place: &Place,
    path: &Path,
    before: Option<Known>,
) -> rusqlite::Result<Taken> {
    let Some(name) = path.to_str() else {
        return Ok(Taken::Gone);
    };
    if let Some(before) = before
        && !before.racy
        && place.stamp(path) == Some(before.stamp)
    {
        return Ok(if before.id.is_some() {
            Taken::Unchanged
        } else {
            Taken::Skipped
        });
    }
    let id = before.and_then(|before| before.id);
    let (why, stamp) = match place.read(path, NOTE_BYTES_MAX) {
        Ok(Found::Absent) => {
            rows.forget(vault, name, id)?;
            return Ok(Taken::Gone);
        }
        Ok(Found::File { bytes, stamp }) => {
            let hash = rows::hash(&bytes);
            let racy = now_ns().saturating_sub(stamp.modified_ns) < RACY_NS;
            if let (Some(id), Some(before)) = (id, before)
                && before.hash == hash
            {
                rows.touch(id, stamp, racy)?;
                return Ok(Taken::Unchanged);
            }
            match std::str::from_utf8(&bytes) {
                Ok(text) => {
                    rows.forget(vault, name, id)?;
                    rows.insert(vault, path, text, stamp, racy, &hash)?;
                    return Ok(Taken::Indexed);
                }
                Err(_) => ("it is not UTF-8".to_owned(), stamp),
            }
        }
        Ok(Found::TooLarge { stamp }) => (
            format!("it is larger than {} KiB", NOTE_BYTES_MAX >> 10),
            stamp,
        ),
        Ok(Found::Other) => ("it is not a regular file".to_owned(), Stamp::NONE),
        Err(fault) => (told(&fault), Stamp::NONE),
    };
    rows.forget(vault, name, id)?;
    rows.skip(vault, name, stamp, &why)?;
    Ok(Taken::Skipped)
}

impl Scan {
    fn count(&mut self, taken: Taken) {
        match taken {
            Taken::Indexed => {
                self.notes += 1;
                self.indexed += 1;
            }
            Taken::Unchanged => self.notes += 1,
            Taken::Skipped => self.skipped += 1,
            Taken::Gone => {}
        }
    }

    fn add(&mut self, other: Scan) {
        self.notes += other.notes;
        self.indexed += other.indexed;
        self.removed += other.removed;
        self.skipped += other.skipped;
    }
}

fn row_of(vault: &Vault) -> (String, Option<String>) {
    let project = match vault.scope() {
        Scope::Person => None,
        Scope::Project(key) => Some(key.clone()),
    };
    (vault.folder().to_string_lossy().into_owned(), project)
}

/// A fault with its causes, on one line.
fn told(fault: &Error) -> String {
    let mut text = fault.to_string();
    if let Some(cause) = std::error::Error::source(fault) {
        text.push_str(&format!(": {cause}"));
    }
    text
}

fn now_ns() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |it| i64::try_from(it.as_nanos()).unwrap_or(i64::MAX))
}
