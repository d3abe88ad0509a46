//! Contents, and where they come from.

use std::{collections::HashMap, path::Path};

use crate::{
    error::Error,
    git::{Git, Mode, Oid, Side},
    hash::Hash,
    history::History,
    journal::Version,
    place::{Found, Place, Shape},
    snapshot,
};

/// A file's content, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) shape: Shape,
}

/// Where a content is to come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Absent,
    /// The store of images; a snapshot that may hold it where the store does not.
    Image {
        hash: Hash,
        shape: Shape,
        snapshot: Option<u64>,
    },
    Blob {
        oid: Oid,
        shape: Shape,
    },
    /// As a base: whatever is there now.
    Present,
    Unknown,
}

/// What came from a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Loaded {
    Absent,
    Content(Content),
    /// The content is gone, but can be recognised.
    Hash(Hash, Shape),
    Present,
    Unknown,
}

/// What is at a path now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Now {
    Absent,
    Content(Content),
    InTheWay,
}

impl Source {
    pub(super) fn of_version(version: &Version, snapshot: Option<u64>) -> Source {
        match version {
            Version::Absent => Source::Absent,
            Version::File { hash, shape } => Source::Image {
                hash: *hash,
                shape: *shape,
                snapshot,
            },
            Version::Unknown => Source::Unknown,
        }
    }

    pub(super) fn of_side(side: Option<&Side>) -> Source {
        let Some(Side { mode, oid }) = side else {
            return Source::Absent;
        };
        let shape = match mode {
            Mode::Absent => return Source::Absent,
            Mode::Submodule => return Source::Unknown,
            Mode::Regular => Shape::Regular,
            Mode::Executable => Shape::Executable,
            Mode::Symlink => Shape::Symlink,
        };
        Source::Blob {
            oid: oid.clone(),
            shape,
        }
    }
}

impl Loaded {
    /// Whether this is what stands there now.
    pub(super) fn is(&self, now: Option<&Content>) -> bool {
        match (self, now) {
            (Loaded::Present, _) | (Loaded::Absent, None) => true,
            (Loaded::Content(content), Some(now)) => content == now,
            (Loaded::Hash(hash, shape), Some(now)) => {
                *shape == now.shape && *hash == Hash::of(&now.bytes)
            }
            _ => false,
        }
    }
}

/// Reads contents, blobs many at a time.
pub(super) struct Loader<'a> {
    history: &'a History,
    blobs: HashMap<Oid, Vec<u8>>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(history: &'a History) -> Loader<'a> {
        Loader {
            history,
            blobs: HashMap::new(),
        }
    }

    /// Reads the blobs among these sources with one call of git, in place of those read before.
    pub(super) fn fetch<'s>(
        &mut self,
        sources: impl Iterator<Item = &'s Source>,
    ) -> Result<(), Error> {
        let oids: Vec<Oid> = sources
            .filter_map(|source| match source {
                Source::Blob { oid, .. } => Some(oid.clone()),
                _ => None,
            })
            .collect();
        self.blobs = match &self.history.git {
            Some(git) => match git.blobs(&oids) {
                // Too much for once: one by one, when they are needed.
                Err(Error::TooMuch { .. }) => HashMap::new(),
                blobs => blobs?,
            },
            None => HashMap::new(),
        };
        Ok(())
    }

    pub(super) fn load(&self, source: &Source, path: &Path) -> Result<Loaded, Error> {
        Ok(match source {
            Source::Absent => Loaded::Absent,
            Source::Present => Loaded::Present,
            Source::Unknown => Loaded::Unknown,
            Source::Blob { oid, shape } => match self.blob(oid)? {
                Some(bytes) => Loaded::Content(Content {
                    bytes,
                    shape: *shape,
                }),
                None => Loaded::Unknown,
            },
            Source::Image {
                hash,
                shape,
                snapshot,
            } => {
                let bytes = match self.history.images.get(hash) {
                    Ok(bytes) => Some(bytes),
                    Err(Error::NotKept { .. }) => match (snapshot, &self.history.git) {
                        (Some(number), Some(git)) => self.in_snapshot(git, *number, path, hash)?,
                        _ => None,
                    },
                    Err(error) => return Err(error),
                };
                match bytes {
                    Some(bytes) => Loaded::Content(Content {
                        bytes,
                        shape: *shape,
                    }),
                    None => Loaded::Hash(*hash, *shape),
                }
            }
        })
    }

    fn blob(&self, oid: &Oid) -> Result<Option<Vec<u8>>, Error> {
        if let Some(bytes) = self.blobs.get(oid) {
            return Ok(Some(bytes.clone()));
        }
        let Some(git) = &self.history.git else {
            return Ok(None);
        };
        let bytes_max = usize::try_from(self.history.settings.snapshots.file_bytes_max);
        match git.blob(oid, bytes_max.unwrap_or(usize::MAX)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::Git { .. } | Error::TooMuch { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A content that is not in the store of images, from a snapshot that was taken with it.
    fn in_snapshot(
        &self,
        git: &Git,
        number: u64,
        path: &Path,
        hash: &Hash,
    ) -> Result<Option<Vec<u8>>, Error> {
        let Some(commit) = git.resolve(&format!("{}{number}", snapshot::REFS))? else {
            return Ok(None);
        };
        let entries = git.entries(&commit, &[path.to_owned()])?;
        let Some((_, side)) = entries.into_iter().find(|entry| entry.0 == path) else {
            return Ok(None);
        };
        let bytes = self.blob(&side.oid)?;
        Ok(bytes.filter(|bytes| Hash::of(bytes) == *hash))
    }
}

/// What stands at a path now.
pub(super) fn now(place: &Place, path: &Path, bytes_max: u64) -> Result<Now, Error> {
    let content = |bytes, shape| Now::Content(Content { bytes, shape });
    let found = match place.read(path, bytes_max) {
        Err(Error::Io { .. } | Error::Escapes { .. }) => return Ok(Now::InTheWay),
        found => found?,
    };
    Ok(match found {
        Found::Absent => Now::Absent,
        Found::File { bytes, executable } => match executable {
            true => content(bytes, Shape::Executable),
            false => content(bytes, Shape::Regular),
        },
        Found::Symlink { target } => content(target, Shape::Symlink),
        Found::TooLarge { .. } | Found::Other => Now::InTheWay,
    })
}
