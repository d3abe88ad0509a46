//! The store's files: made privately, looked at before SQLite is let near them.
//!
//! | file | what |
//! |-|-|
//! | `store.db` | the database |
//! | `store.db-wal`, `store.db-shm` | its log and index, while it is open or after a crash |
//! | `store.db.new` | a store being made; of no use if left behind |
//! | `store.db.schema-N` | the copy kept before an upgrade from schema N |
//! | `ballast` | space set aside for releases on a full disk |

use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Read},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use super::{
    error::told,
    schema::{APPLICATION_ID, MIGRATIONS, migrate},
};
use crate::StoreError;

const DATABASE: &str = "store.db";
const LOG: &str = "store.db-wal";
const BALLAST: &str = "ballast";
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 100;

/// Where the files are.
#[derive(Clone, Debug)]
pub(super) struct Files(PathBuf);

/// How the last life of the store ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Cleanly,
    /// Its log is still there.
    Uncleanly,
}

impl Files {
    /// The files in this directory, which is made if it is not there.
    pub(super) fn of(directory: &Path) -> Result<Files, StoreError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|e| failed("cannot make", directory, &e))?;
        Ok(Files(directory.to_owned()))
    }

    pub(super) fn directory(&self) -> &Path {
        &self.0
    }

    pub(super) fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    pub(super) fn ballast(&self) -> PathBuf {
        self.0.join(BALLAST)
    }

    /// Bytes of everything that is the store's.
    pub(super) fn bytes(&self) -> u64 {
        [DATABASE, LOG, "store.db-shm", BALLAST]
            .iter()
            .filter_map(|name| fs::metadata(self.0.join(name)).ok())
            .map(|meta| meta.len())
            .sum()
    }

    /// Makes the store if there never was one; else judges by its header whether it is one. What
    /// is refused is left as it is.
    pub(super) fn prepare(&self) -> Result<Ended, StoreError> {
        let path = self.database();
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                return self.create().map(|()| Ended::Cleanly);
            }
            Err(e) => return Err(failed("cannot open", &path, &e)),
        };
        let mut header = [0; HEADER_BYTES];
        file.read_exact(&mut header)
            .map_err(|_| damaged(&path, "it is cut off"))?;
        if !header.starts_with(MAGIC) {
            return Err(damaged(&path, "it is not an SQLite database"));
        }
        if word(&header, 68) != APPLICATION_ID.cast_unsigned() {
            return Err(damaged(&path, "it is a database of another program"));
        }
        let (found, known) = (i64::from(word(&header, 60)), MIGRATIONS.len() as i64);
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        let log = fs::metadata(self.0.join(LOG)).map_or(0, |meta| meta.len());
        if log > 0 {
            return Ok(Ended::Uncleanly);
        }
        let length = file
            .metadata()
            .map_err(|e| failed("cannot look at", &path, &e))?
            .len();
        let expected = page_bytes(&header) * u64::from(word(&header, 28));
        if length < expected {
            return Err(damaged(
                &path,
                &format!("it has {length} bytes instead of {expected}"),
            ));
        }
        Ok(Ended::Cleanly)
    }

    /// Makes an empty store beside its place and moves it there whole: a crash leaves either no
    /// store or a good one, so that a file which is neither was damaged later.
    fn create(&self) -> Result<(), StoreError> {
        for left in [LOG, BALLAST] {
            let left = self.0.join(left);
            if left.exists() {
                let why = format!(
                    "it is gone, but {} is still there; put it back, or remove that file to start anew",
                    left.display()
                );
                return Err(damaged(&self.database(), &why));
            }
        }
        let new = self.0.join("store.db.new");
        let io = |e: io::Error| failed("cannot make", &new, &e);
        match fs::remove_file(&new) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(io(e)),
            _ => {}
        }
        create_private(&new).map_err(io)?;
        let mut connection = Connection::open(&new).map_err(|e| told(&e))?;
        connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(|e| told(&e))?;
        migrate(&mut connection, &new, MIGRATIONS)?;
        connection.close().map_err(|(_, e)| told(&e))?;
        File::open(&new)
            .and_then(|file| file.sync_all())
            .map_err(io)?;
        fs::rename(&new, self.database()).map_err(io)?;
        File::open(&self.0)
            .and_then(|directory| directory.sync_all())
            .map_err(io)
    }
}

/// Makes an empty file that only its owner may read, where there was none.
pub(super) fn create_private(path: &Path) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map(drop)
}

fn word(header: &[u8; HEADER_BYTES], at: usize) -> u32 {
    header[at..]
        .first_chunk()
        .copied()
        .map_or(0, u32::from_be_bytes)
}

/// The page size, of which 65,536 is written as 1.
fn page_bytes(header: &[u8; HEADER_BYTES]) -> u64 {
    match u16::from_be_bytes([header[16], header[17]]) {
        1 => 65_536,
        bytes => bytes.into(),
    }
}

fn damaged(path: &Path, why: &str) -> StoreError {
    StoreError::Damaged(format!("{}: {why}", path.display()))
}

fn failed(what: &str, path: &Path, error: &io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Failed(format!("{what} {}: {error}", path.display())),
    }
}
