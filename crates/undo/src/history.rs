//! One working copy's history: what is recorded of it, and the way back.
//!
//! This is the room's front door. It ties the store of contents, the journal and the snapshots
//! together under one numbering: entry 41 of the journal, `refs/kite/rescue/41` and
//! `kite undo 41` are the same thing.

mod lost;

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

pub use lost::{BroughtBack, RefMove};

use crate::{
    error::Error,
    git::Git,
    hash::Hash,
    images::{self, Images, Pruned, Secrets},
    journal::{Change, Entry, EntryKind, Filter, Journal, Record, Version},
    path_text::PathText,
    place::{Found, Place, Shape},
    restore::{self, Report, Selection, ShownFile, UndoOptions},
    snapshot::{self, Snapshot, Why},
};

/// Most of a snapshot's files whose state after the command is noted.
const AFTER_FILES_MAX: usize = 2000;

/// Most paths that a journal entry of a snapshot names; the snapshot has them all.
const ENTRY_FILES_MAX: usize = 500;

/// What is kept, and how much of it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub images: images::Limits,
    pub secrets: Secrets,
    /// Limits of snapshots. `also` and `number_min` are set for each one.
    pub snapshots: snapshot::Options,
}

/// A change to files that a tool made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub changes: Vec<Change>,
    /// The shell command that made them, without secrets.
    pub command: Option<String>,
    pub session: Option<String>,
    pub tool: Option<String>,
    pub tool_use_id: Option<String>,
    /// Wall clock, in milliseconds since 1970.
    pub at_ms: u64,
}

/// The history of one working copy, or of a project's directory where there is no git.
///
/// Opening it asks git where things are; a value that is kept does not see a filter that is
/// configured later, so open one for each step.
#[derive(Debug)]
pub struct History {
    pub(crate) git: Option<Git>,
    pub(crate) top: PathBuf,
    /// Where Kite keeps undo's files: `<home>/undo`.
    pub(crate) directory: PathBuf,
    pub(crate) images: Images,
    pub(crate) journal: Journal,
    pub(crate) settings: Settings,
}

impl History {
    /// The history of the working copy that `directory` is in, kept below the Kite home `home`.
    /// Outside git, `directory` itself is the project.
    ///
    /// # Errors
    /// In a bare repository, or where git fails.
    pub fn open(home: &Path, directory: &Path, settings: Settings) -> Result<History, Error> {
        let git = match Git::open(directory) {
            Ok(git) => Some(git),
            Err(Error::NotAWorktree { .. } | Error::NoGit) => None,
            Err(error) => return Err(error),
        };
        let (top, identity) = match &git {
            Some(git) => (git.top().to_owned(), git.common_dir().to_owned()),
            None => {
                let top = directory
                    .canonicalize()
                    .map_err(Error::io("open", directory))?;
                (top.clone(), top)
            }
        };
        Ok(History::of(home, git, top, &identity, settings))
    }

    /// As [`History::open`], for who knows the working copy's top and the repository's common
    /// directory already: no git is started. It only records edits ([`History::keep`] and
    /// [`History::record`]) and lists them; snapshots and undo need git.
    #[must_use]
    pub fn recorder(home: &Path, top: &Path, common_dir: &Path, settings: Settings) -> History {
        History::of(home, None, top.to_owned(), common_dir, settings)
    }

    fn of(
        home: &Path,
        git: Option<Git>,
        top: PathBuf,
        identity: &Path,
        settings: Settings,
    ) -> History {
        let undo = home.join("undo");
        History {
            images: Images::at(&undo, settings.images),
            journal: Journal::at(&undo, identity),
            directory: undo,
            git,
            top,
            settings,
        }
    }

    /// The top directory that all paths of this history are relative to.
    #[must_use]
    pub fn top(&self) -> &Path {
        &self.top
    }

    /// The working copy, or `None` outside git.
    #[must_use]
    pub fn git(&self) -> Option<&Git> {
        self.git.as_ref()
    }

    /// A path as this history names it: relative to the top, links in its directories resolved.
    ///
    /// # Errors
    /// [`Error::Escapes`] where it is not below the top, or is in `.git`.
    pub fn relative(&self, path: &Path) -> Result<PathBuf, Error> {
        let escapes = || Error::Escapes {
            path: path.to_owned(),
        };
        let relative = if path.is_absolute() {
            match path.strip_prefix(&self.top) {
                Ok(relative) => relative.to_owned(),
                Err(_) => {
                    let (Some(above), Some(name)) = (path.parent(), path.file_name()) else {
                        return Err(escapes());
                    };
                    let above = above.canonicalize().map_err(|_| escapes())?;
                    let top = self.top.canonicalize().map_err(|_| escapes())?;
                    above.strip_prefix(top).map_err(|_| escapes())?.join(name)
                }
            }
        } else {
            path.to_owned()
        };
        crate::place::is_inside(&relative)
            .then_some(relative)
            .ok_or_else(escapes)
    }

    /// Reads a file and keeps its content, for a change that is about to happen or just did.
    /// Secret files are hashed, not kept; too large ones are [`Version::Unknown`].
    ///
    /// # Errors
    /// Where the path is not in this history, or the store cannot be written.
    pub fn keep(&self, path: &Path) -> Result<Version, Error> {
        let path = self.relative(path)?;
        let found = Place::open(&self.top)?.read(&path, self.settings.images.file_bytes_max)?;
        match found {
            Found::Absent => Ok(Version::Absent),
            Found::File { bytes, executable } => {
                let shape = if executable {
                    Shape::Executable
                } else {
                    Shape::Regular
                };
                self.keep_content(&path, &bytes, shape)
            }
            Found::Symlink { target } => self.keep_content(&path, &target, Shape::Symlink),
            Found::TooLarge { .. } | Found::Other => Ok(Version::Unknown),
        }
    }

    /// Keeps a content that the caller has already: what a tool says the file was before.
    ///
    /// # Errors
    /// Where the store cannot be written.
    pub fn keep_content(&self, path: &Path, bytes: &[u8], shape: Shape) -> Result<Version, Error> {
        let hash = if self.settings.secrets.has(path) {
            Hash::of(bytes)
        } else {
            match self.images.put(bytes) {
                Ok(hash) => hash,
                Err(Error::NotKept { .. }) => Hash::of(bytes),
                Err(error) => return Err(error),
            }
        };
        Ok(Version::File { hash, shape })
    }

    /// Records what a tool changed, and gives its number; `None` where nothing changed.
    ///
    /// # Errors
    /// Where the journal cannot be written.
    pub fn record(&self, edit: &Edit) -> Result<Option<u64>, Error> {
        let changed =
            |change: &&Change| change.before != change.after || change.before == Version::Unknown;
        let changes: Vec<Change> = edit.changes.iter().filter(changed).cloned().collect();
        if changes.is_empty() {
            return Ok(None);
        }
        let mut writer = self.journal.hold()?;
        let number = writer.next_number()?;
        writer.append(&Entry {
            number,
            at_ms: edit.at_ms,
            worktree: PathText::from(self.top.as_path()),
            session: edit.session.clone(),
            kind: EntryKind::Edit {
                changes,
                command: edit.command.clone(),
                tool: edit.tool.clone(),
                tool_use_id: edit.tool_use_id.clone(),
            },
        })?;
        Ok(Some(number))
    }

    /// Takes a rescue snapshot of everything uncommitted, before a command that may lose it.
    /// `None` where nothing is dirty.
    ///
    /// # Errors
    /// Outside git, or where the snapshot or the journal cannot be written.
    pub fn rescue(&self, why: &Why) -> Result<Option<Snapshot>, Error> {
        self.rescue_with(why, Vec::new())
    }

    /// [`History::rescue`], with these ignored files, within the limits of a snapshot.
    ///
    /// # Errors
    /// As [`History::rescue`].
    pub fn rescue_with(&self, why: &Why, ignored: Vec<PathBuf>) -> Result<Option<Snapshot>, Error> {
        let git = self.git.as_ref().ok_or_else(|| Error::NotAWorktree {
            directory: self.top.clone(),
            said: "there is no git here to keep a snapshot".to_owned(),
        })?;
        let mut writer = self.journal.hold()?;
        let options = snapshot::Options {
            number_min: writer.next_number()?,
            also: ignored,
            ..self.settings.snapshots.clone()
        };
        let taken = snapshot::take_of(git, why, &options)?;
        if let Some(snapshot) = taken.as_ref().filter(|snapshot| snapshot.fresh) {
            let files = snapshot.files.iter().take(ENTRY_FILES_MAX);
            writer.append(&Entry {
                number: snapshot.number,
                at_ms: why.at_ms,
                worktree: PathText::from(self.top.as_path()),
                session: why.session.clone(),
                kind: EntryKind::Snapshot {
                    command: why.command.clone(),
                    commit: snapshot.commit.to_string(),
                    files: files.map(|path| PathText::from(path.as_path())).collect(),
                    files_count: snapshot.files.len(),
                },
            })?;
        }
        Ok(taken)
    }

    /// The ignored files of the working copy that are worth keeping before they are removed:
    /// without the directories named in [`snapshot::DISPOSABLE`], and at most 5,000.
    ///
    /// # Errors
    /// Outside git, or where git fails.
    pub fn ignored(&self) -> Result<Vec<PathBuf>, Error> {
        match &self.git {
            Some(git) => snapshot::ignored(git),
            None => Ok(Vec::new()),
        }
    }

    /// Notes what a snapshot's files are now, right after the command it was taken for. With
    /// that, undo tells what the command did from what came later; without, it goes by `HEAD`.
    ///
    /// # Errors
    /// Where the snapshot is gone, or a file, the store or the journal fails.
    pub fn note_after(&self, number: u64, at_ms: u64) -> Result<(), Error> {
        let Some(git) = &self.git else {
            return Ok(());
        };
        let kept = snapshot::load(git, number)?;
        let mut files = Vec::new();
        for file in kept.files.iter().take(AFTER_FILES_MAX) {
            let version = self.keep(&file.path)?;
            files.push((PathText::from(file.path.as_path()), version));
        }
        self.journal.hold()?.append(&Entry {
            number,
            at_ms,
            worktree: PathText::from(self.top.as_path()),
            session: kept.why.session,
            kind: EntryKind::After { files },
        })
    }

    /// What happened, newest first.
    ///
    /// # Errors
    /// Where the journal cannot be read.
    pub fn list(&self, filter: &Filter) -> Result<Vec<Record>, Error> {
        self.journal.query(filter)
    }

    /// The files of one number, each before and after, as far as they are kept.
    ///
    /// # Errors
    /// [`Error::NothingFits`] where nothing has this number.
    pub fn show(&self, number: u64) -> Result<Vec<ShownFile>, Error> {
        restore::show(self, number)
    }

    /// Brings back what was selected. What is there now is kept first, so that this can be undone
    /// by the number in the report.
    ///
    /// # Errors
    /// [`Error::NothingFits`] where nothing was selected; else where git, a file, the store or the
    /// journal fails. Each file is written as a whole or not at all.
    pub fn undo(&self, selection: &Selection, options: &UndoOptions) -> Result<Report, Error> {
        restore::undo(self, selection, options)
    }

    /// Brings contents and snapshots within their limits. The recorders do so by themselves now
    /// and then; a daemon does it once a day.
    ///
    /// # Errors
    /// Where the store or git fails.
    pub fn prune(&self, now: SystemTime) -> Result<Pruned, Error> {
        if let Some(git) = &self.git {
            let since = now
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default();
            let now_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            snapshot::prune(git, now_ms, &self.settings.snapshots.keep)?;
        }
        self.images.prune(now)
    }
}
