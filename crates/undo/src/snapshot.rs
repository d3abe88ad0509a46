//! Rescue snapshots: everything uncommitted of one working copy, as a commit under
//! `refs/kite/rescue/<n>`, taken beside the user's index and without running the repository's code.
//!
//! The commit's tree is the work tree as it was, byte for byte (no filter, no line-end
//! conversion). Its parents are `HEAD` (if there was one), a commit of the index, and, in the
//! middle of a merge, a commit that holds the stages of the conflicts at `1/`, `2/` and `3/`.
//! Three calls of git write it: `status` and `ls-files` say what is dirty, `fast-import` takes the content and
//! makes trees, commits and the ref. The user's index is neither copied nor locked.
//!
//! Files marked `assume-unchanged` or `skip-worktree` are compared with the index and kept where they
//! differ. Not in it are ignored files that were not named, empty directories, and other
//! repositories inside this one.
//!
//! **Architecture Invariant:** knows git and files; not what a session is, nor why it is asked.

mod ignored;
mod last;
mod load;
mod message;
mod prune;
mod stream;

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use serde::{Deserialize, Serialize};

pub use ignored::DISPOSABLE;
pub(crate) use ignored::ignored;
pub use load::{Kept, KeptFile};
pub use prune::Keep;

use self::{last::Last, message::Message, stream::Stream};
use crate::{
    error::Error,
    git::{DirtyFile, DirtyState, Git, Oid, Status},
    lock::Lock,
    path_text::PathText,
    place::{self, Found, Place, Shape},
};

/// Where snapshots stand in a repository. Not fetched, and not pushed but by `git push --mirror`.
pub const REFS: &str = "refs/kite/rescue/";

/// Most paths that a snapshot names as left out; more are only counted.
const LEFT_OUT_MAX: usize = 100;

/// Most files that git does not look at which are compared with the index.
const UNSEEN_MAX: usize = 200;

/// Old snapshots are looked for once in this many new ones.
const PRUNE_EVERY: u64 = 16;

/// Who asked for a snapshot, and before what. Texts come in redacted; they are data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    pub session: Option<String>,
    pub command: Option<String>,
    /// Wall clock, in milliseconds since 1970.
    pub at_ms: u64,
}

/// What a snapshot takes in, and its limits.
#[derive(Clone, Debug)]
pub struct Options {
    /// Ignored files that are kept all the same, relative to the working copy's top.
    pub also: Vec<PathBuf>,
    /// The number is at least this one, so that it can be the number of a journal entry too.
    pub number_min: u64,
    /// A larger file is noted, not kept.
    pub file_bytes_max: u64,
    /// Content read into memory for one snapshot; what is over it is noted, not kept.
    pub total_bytes_max: u64,
    /// The share of that for ignored files.
    pub also_bytes_max: u64,
    /// Files read for one snapshot.
    pub files_max: usize,
    /// How many snapshots stay, and how long.
    pub keep: Keep,
    /// A later snapshot of the same state may be this one. Not so the one before an undo: its
    /// number stands for the undo.
    pub stands_for_later: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            also: Vec::new(),
            number_min: 1,
            file_bytes_max: 64 << 20,
            total_bytes_max: 256 << 20,
            also_bytes_max: 64 << 20,
            files_max: 20_000,
            keep: Keep::default(),
            stands_for_later: true,
        }
    }
}

/// A snapshot that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last part of its ref.
    pub number: u64,
    pub commit: Oid,
    /// False if the state was the same as at the snapshot before, which is this one.
    pub fresh: bool,
    /// The paths with uncommitted changes that are in it.
    pub files: Vec<PathBuf>,
    pub left_out: Vec<LeftOut>,
    /// How many were left out; more than are named where there are very many.
    pub left_out_count: usize,
}

/// A path that is dirty, but not in the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    pub path: PathText,
    pub why: LeftOutWhy,
}

/// Why a path is not in a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOutWhy {
    /// Larger than one file may be.
    TooLarge,
    /// The snapshot is full: too many files or bytes.
    Full,
    /// It may not be read, or is a pipe, a socket, or below a link.
    Unreadable,
    /// A submodule or another repository: never entered. `git clean` spares it, too.
    Repository,
}

/// What of the working copy is not committed, without taking a snapshot.
///
/// # Errors
/// Where `directory` is in no working copy, or git fails.
pub fn dirty(directory: &Path) -> Result<Vec<DirtyFile>, Error> {
    Ok(Git::open(directory)?.status()?.files)
}

/// Keeps everything uncommitted of the working copy that `directory` is in: tracked and
/// untracked, index and work tree. `None` if nothing is dirty.
///
/// # Errors
/// Where there is no working copy, git fails, or another process holds the lock for seconds.
pub fn take(directory: &Path, why: &Why, options: &Options) -> Result<Option<Snapshot>, Error> {
    take_of(&Git::open(directory)?, why, options)
}

/// [`take`], of a working copy that is already known.
///
/// # Errors
/// As [`take`].
pub fn take_of(git: &Git, why: &Why, options: &Options) -> Result<Option<Snapshot>, Error> {
    let mut lock = Lock::take(&git.common_dir().join("kite/rescue.lock"))?;
    let (status, unseen) = look(git)?;
    let gathered = Gathered::read(git, &status, unseen, options)?;
    if gathered.is_nothing() {
        return Ok(None);
    }
    let state = gathered.stream.fingerprint();
    let last = git.git_dir().join("kite-last-rescue");
    if let Some(last) = Last::read(&last)
        && last.state == state
        && options.keep.is_young(why.at_ms, last.at_ms)
        && git.resolve(&format!("{REFS}{}", last.number))?.as_ref() == Some(&last.commit)
    {
        return Ok(Some(gathered.into_snapshot(
            last.number,
            last.commit,
            false,
        )));
    }
    let number = next_number(git, &mut lock, options.number_min)?;
    // Kept before it is used: a crash leaves a gap, never a number used twice.
    lock.keep_number(number)?;
    let message = Message {
        why: why.clone(),
        worktree: git.top().to_owned(),
        head: status.head.clone(),
        branch: status.branch.clone(),
        unmerged: gathered.stream.has_conflicts(),
        left_out: gathered.left_out.clone(),
        left_out_count: gathered.left_out_count,
    };
    let commit = gathered.stream.commit(git, number, &message)?;
    // The snapshot is there: what fails from here on must not keep its caller from learning its
    // number. Without the note the next one is taken anew; pruning has its turn again.
    if options.stands_for_later {
        let newest = Last {
            number,
            at_ms: why.at_ms,
            commit: commit.clone(),
            state,
        };
        let _ = newest.keep(&last);
    }
    if number.is_multiple_of(PRUNE_EVERY) {
        let _ = prune::prune_locked(git, why.at_ms, &options.keep);
    }
    Ok(Some(gathered.into_snapshot(number, commit, true)))
}

/// Removes snapshots that are too old or too many, and says how many went. Their objects go with
/// git's own garbage collection.
///
/// # Errors
/// Where git fails, or another process holds the lock for seconds.
pub fn prune(git: &Git, now_ms: u64, keep: &Keep) -> Result<usize, Error> {
    let _lock = Lock::take(&git.common_dir().join("kite/rescue.lock"))?;
    prune::prune_locked(git, now_ms, keep)
}

/// Removes a snapshot that was taken for nothing.
pub(crate) fn discard(git: &Git, snapshot: &Snapshot) -> Result<(), Error> {
    let _lock = Lock::take(&git.common_dir().join("kite/rescue.lock"))?;
    prune::delete(git, &[(snapshot.number, &snapshot.commit)])
}

/// The snapshot with this number, read back from its ref.
///
/// # Errors
/// [`Error::NothingFits`] where it is not there (any more).
pub fn load(git: &Git, number: u64) -> Result<Kept, Error> {
    load::load(git, number)
}

/// The files of a working copy as they are now, as a commit upon its `HEAD`, written into the
/// repository `into`; `HEAD` itself where nothing is dirty, `None` before the first commit.
pub(crate) fn files_now(git: &Git, into: &Git, options: &Options) -> Result<Option<Oid>, Error> {
    let (status, unseen) = look(git)?;
    let Some(head) = &status.head else {
        return Ok(None);
    };
    let gathered = Gathered::read(git, &status, unseen, options)?;
    if gathered.files.is_empty() {
        return Ok(status.head);
    }
    gathered.stream.commit_files(into, head).map(Some)
}

/// What is dirty, and which files git does not look at, asked at the same time.
fn look(git: &Git) -> Result<(Status, Vec<PathBuf>), Error> {
    thread::scope(|scope| {
        let unseen = scope.spawn(|| git.unseen());
        let status = git.status()?;
        match unseen.join() {
            Ok(unseen) => Ok((status, unseen?)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn next_number(git: &Git, lock: &mut Lock, number_min: u64) -> Result<u64, Error> {
    let last = match lock.number() {
        Some(number) => number,
        None => prune::all(git)?
            .iter()
            .map(|it| it.number)
            .max()
            .unwrap_or(0),
    };
    Ok((last + 1).max(number_min))
}

/// What is dirty, read from the files.
struct Gathered {
    stream: Stream,
    files: Vec<PathBuf>,
    left_out: Vec<LeftOut>,
    left_out_count: usize,
    /// Something that is left out can be lost.
    loss: bool,
}

impl Gathered {
    fn read(
        git: &Git,
        status: &Status,
        unseen: Vec<PathBuf>,
        options: &Options,
    ) -> Result<Gathered, Error> {
        let place = Place::open(git.top())?;
        let mut gathered = Gathered {
            stream: Stream::new(status.head.clone()),
            files: Vec::new(),
            left_out: Vec::new(),
            left_out_count: 0,
            loss: false,
        };
        // Tracked files first: if the snapshot fills up, then with what cannot be built again.
        let (untracked, tracked): (Vec<_>, Vec<_>) = status
            .files
            .iter()
            .partition(|file| file.state == DirtyState::Untracked);
        for file in tracked {
            gathered.tracked(&place, file, options)?;
        }
        gathered.unseen(git, &place, status, unseen, options)?;
        for path in untracked.into_iter().map(|file| &file.path) {
            gathered.untracked(&place, path, options)?;
        }
        gathered.also(git, &place, status, options)?;
        Ok(gathered)
    }

    fn tracked(&mut self, place: &Place, file: &DirtyFile, options: &Options) -> Result<(), Error> {
        let path = &file.path;
        match &file.state {
            DirtyState::Tracked {
                head,
                index,
                changed,
                submodule,
                ..
            } => {
                if head != index {
                    self.stream.stage(path, index.as_ref());
                    self.files.push(path.clone());
                }
                if *changed && *submodule {
                    self.leave_out(path, LeftOutWhy::Repository);
                } else if *changed {
                    self.content(place, path, options)?;
                }
            }
            DirtyState::Unmerged(unmerged) => {
                self.stream.conflict(path, unmerged);
                self.content(place, path, options)?;
            }
            DirtyState::Untracked => {}
        }
        Ok(())
    }

    /// Files that git was told not to look at (`assume-unchanged`, `skip-worktree`) and that are
    /// not as in the index all the same.
    fn unseen(
        &mut self,
        git: &Git,
        place: &Place,
        status: &Status,
        mut unseen: Vec<PathBuf>,
        options: &Options,
    ) -> Result<(), Error> {
        let here: HashSet<&Path> = status.files.iter().map(|it| it.path.as_path()).collect();
        // In a sparse checkout most are not there, and nobody has removed them.
        unseen.retain(|path| {
            let stands = || git.top().join(path).symlink_metadata().is_ok();
            !here.contains(path.as_path()) && stands()
        });
        unseen.truncate(UNSEEN_MAX);
        let unseen = git.staged(&unseen)?;
        let oids: Vec<Oid> = unseen.iter().map(|(_, side)| side.oid.clone()).collect();
        let blobs = git.blobs(&oids)?;
        for (path, side) in &unseen {
            // What cannot be read was not changed by anybody here.
            let Ok(Found::File { bytes: there, .. }) = place.read(path, options.file_bytes_max)
            else {
                continue;
            };
            if blobs.get(&side.oid) != Some(&there) {
                self.content(place, path, options)?;
            }
        }
        Ok(())
    }

    fn untracked(&mut self, place: &Place, path: &Path, options: &Options) -> Result<(), Error> {
        use std::os::unix::ffi::OsStrExt;
        if path.as_os_str().as_bytes().ends_with(b"/") {
            self.leave_out(path, LeftOutWhy::Repository);
            return Ok(());
        }
        self.content(place, path, options)
    }

    /// Files that git ignores. What git tracks is dirty, and here already, or in `HEAD`.
    fn also(
        &mut self,
        git: &Git,
        place: &Place,
        status: &Status,
        options: &Options,
    ) -> Result<(), Error> {
        let here: HashSet<&Path> = status.files.iter().map(|it| it.path.as_path()).collect();
        let also = options.also.iter().filter(|path| place::is_inside(path));
        let also: Vec<PathBuf> = also
            .filter(|path| !here.contains(path.as_path()))
            .cloned()
            .collect();
        if also.is_empty() {
            return Ok(());
        }
        let tracked: HashSet<PathBuf> = git.staged(&also)?.into_iter().map(|it| it.0).collect();
        let bytes = self.stream.bytes();
        let share = Options {
            total_bytes_max: options.total_bytes_max.min(bytes + options.also_bytes_max),
            ..options.clone()
        };
        for path in also.iter().filter(|path| !tracked.contains(*path)) {
            if !matches!(place.read(path, 0), Ok(Found::Absent | Found::Other)) {
                self.content(place, path, &share)?;
            }
        }
        Ok(())
    }

    fn content(&mut self, place: &Place, path: &Path, options: &Options) -> Result<(), Error> {
        if !place::is_inside(path) {
            self.leave_out(path, LeftOutWhy::Repository);
            return Ok(());
        }
        let left = options.total_bytes_max.saturating_sub(self.stream.bytes());
        if self.stream.files() >= options.files_max {
            self.leave_out(path, LeftOutWhy::Full);
            return Ok(());
        }
        match place.read(path, options.file_bytes_max.min(left)) {
            Ok(Found::Absent) => self.stream.remove(path),
            Ok(Found::File { bytes, executable }) => {
                let shape = if executable {
                    Shape::Executable
                } else {
                    Shape::Regular
                };
                self.stream.file(path, &bytes, shape);
            }
            Ok(Found::Symlink { target }) => self.stream.file(path, &target, Shape::Symlink),
            Ok(Found::TooLarge { bytes }) => {
                let full = bytes <= options.file_bytes_max;
                let why = if full {
                    LeftOutWhy::Full
                } else {
                    LeftOutWhy::TooLarge
                };
                self.leave_out(path, why);
                return Ok(());
            }
            Ok(Found::Other) | Err(_) => {
                self.leave_out(path, LeftOutWhy::Unreadable);
                return Ok(());
            }
        }
        if self.files.last().is_none_or(|last| last != path) {
            self.files.push(path.to_owned());
        }
        Ok(())
    }

    fn leave_out(&mut self, path: &Path, why: LeftOutWhy) {
        self.left_out_count += 1;
        self.loss |= why != LeftOutWhy::Repository;
        if self.left_out.len() < LEFT_OUT_MAX {
            self.left_out.push(LeftOut {
                path: PathText::from(path),
                why,
            });
        }
    }

    fn is_nothing(&self) -> bool {
        self.files.is_empty() && !self.loss
    }

    fn into_snapshot(self, number: u64, commit: Oid, fresh: bool) -> Snapshot {
        Snapshot {
            number,
            commit,
            fresh,
            files: self.files,
            left_out: self.left_out,
            left_out_count: self.left_out_count,
        }
    }
}

impl Keep {
    /// Whether a snapshot of `at_ms` will be there for long enough to stand for a new one.
    fn is_young(&self, now_ms: u64, at_ms: u64) -> bool {
        let age = Duration::from_millis(now_ms.saturating_sub(at_ms));
        age < self.age_max / 2
    }
}
