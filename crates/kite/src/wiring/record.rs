//! What Kite wrote where, and what had been there: kept in Kite's home, so that `uninit` can put
//! it back byte for byte.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use kite_wire::home::Home;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::{
    error::Error,
    files,
    place::{Place, Scope},
};

/// All that is remembered of one scope of one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The project, or the user's home for [`Scope::User`].
    pub(crate) root: PathBuf,
    pub(crate) scope: Scope,
    pub(crate) files: Vec<Written>,
}

/// One file that Kite wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Written {
    pub(crate) place: Place,
    /// The file in this record's directory that holds the original bytes; none where there was
    /// no file.
    pub(crate) backup: Option<String>,
    /// Of the bytes that Kite wrote.
    pub(crate) hash: String,
    /// Directories that were made for it, the outermost first.
    pub(crate) made_dirs: Vec<PathBuf>,
}

/// Where the records of one scope of one project are.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    dir: PathBuf,
}

const NAME: &str = "record.json";

impl Shelf {
    pub(crate) fn of(home: &Home, root: &Path, scope: Scope) -> Shelf {
        let name = hash(root.as_os_str().as_encoded_bytes());
        Shelf {
            dir: home.path().join("wiring").join(name).join(scope.name()),
        }
    }

    /// The record, if this home has wired the project in this scope.
    ///
    /// # Errors
    /// Where it is there but cannot be read.
    pub(crate) fn load(&self) -> Result<Option<Record>, Error> {
        let path = self.dir.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(Error::io("read", &path, &cause)),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|cause| {
            Error::new(format!("cannot understand {}", path.display()))
                .because(cause.to_string())
                .hinted(
                    "the backups beside it hold the original files; remove it, then run it again",
                )
        })
    }

    /// The original bytes of a written file; `None` where there was no file.
    ///
    /// # Errors
    /// Where the backup is gone.
    pub(crate) fn original(&self, written: &Written) -> Result<Option<Vec<u8>>, Error> {
        let Some(name) = &written.backup else {
            return Ok(None);
        };
        let path = self.dir.join(name);
        fs::read(&path)
            .map(Some)
            .map_err(|cause| Error::io("read the backup", &path, &cause))
    }

    /// Keeps original bytes and returns the name under which they are kept.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub(crate) fn back_up(&self, original: &[u8]) -> Result<String, Error> {
        files::make_private_dir(&self.dir)?;
        let name = format!("{}.backup", hash(original));
        let path = self.dir.join(&name);
        if !fs::read(&path).is_ok_and(|kept| kept == original) {
            files::replace(&path, original, 0o600)?;
        }
        Ok(name)
    }

    /// Writes the record, then drops backups that it does not name.
    ///
    /// # Errors
    /// Names the file that could not be written.
    pub(crate) fn save(&self, record: &Record) -> Result<(), Error> {
        let path = self.dir.join(NAME);
        let text = serde_json::to_vec_pretty(record).map_err(|cause| {
            Error::new(format!("cannot write {}", path.display())).because(cause.to_string())
        })?;
        files::make_private_dir(&self.dir)?;
        files::replace(&path, &text, 0o600)?;
        let named = |name: &str| {
            record
                .files
                .iter()
                .any(|file| file.backup.as_deref() == Some(name))
        };
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".backup") && !named(&name) {
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }

    /// Forgets the record and its backups.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub(crate) fn clear(&self) -> Result<(), Error> {
        match fs::remove_dir_all(&self.dir) {
            Ok(()) => {}
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(cause) => return Err(Error::io("remove", &self.dir, &cause)),
        }
        // The project's folder goes with its last scope.
        if let Some(project) = self.dir.parent() {
            let _ = fs::remove_dir(project);
        }
        Ok(())
    }
}

impl Record {
    pub(crate) fn written(&self, place: &Place) -> Option<&Written> {
        self.files.iter().find(|written| written.place == *place)
    }
}

/// All records of a home that can be read.
pub(crate) fn all(home: &Home) -> Vec<Record> {
    let below = |dir: &Path| {
        fs::read_dir(dir)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| e.path())
    };
    below(&home.path().join("wiring"))
        .flat_map(|project| below(&project).collect::<Vec<_>>())
        .filter_map(|dir| Shelf { dir }.load().ok().flatten())
        .collect()
}

/// Names bytes: equal bytes, equal name.
pub(crate) fn hash(bytes: &[u8]) -> String {
    format!("{:032x}", xxh3_128(bytes))
}
