//! The change of a task, gathered from where it can be: the branch that was made for it, the edits
//! that were recorded of its session, the commits that name it.
//!
//! Everything here blocks, runs off the loop and has an end. Git is asked through
//! [`kite_undo::Git`] alone, so a repository's own programs do not run.

mod blobs;
mod branch;
mod commits;
mod disk;
mod edits;
mod raw;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use kite_undo::Git;

/// Files looked at; more are only counted.
const FILES_MAX: usize = 200;
/// The longest file that is looked at, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 512 << 10;
/// What is read of all files together, in bytes.
const BYTES_MAX: u64 = 32 << 20;

/// Names of files that programs write and nobody reviews.
const LOCK_FILES: &[&str] = &[
    "Cargo.lock",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    "deno.lock",
    "poetry.lock",
    "uv.lock",
    "Pipfile.lock",
    "pdm.lock",
    "Gemfile.lock",
    "composer.lock",
    "go.sum",
    "go.work.sum",
    "flake.lock",
    "mix.lock",
    "pubspec.lock",
    "Podfile.lock",
    "Package.resolved",
    "packages.lock.json",
    "gradle.lockfile",
];

/// Where to look.
#[derive(Clone, Debug, Default)]
pub(super) struct Origin {
    /// The Kite home, and how undo's store there is read.
    pub(super) home: PathBuf,
    pub(super) undo: kite_undo::Settings,
    /// The project's key: the directory that all worktrees of the repository share.
    pub(super) project: String,
    /// Directories of the repository in which git can be asked, the best first.
    pub(super) directories: Vec<PathBuf>,
    /// The worktree that was made for the task.
    pub(super) checkout: Option<Checkout>,
    /// The session that did it, since when, and until when where it has ended.
    pub(super) session: Option<String>,
    pub(super) since_ms: u64,
    pub(super) until_ms: Option<u64>,
    /// Full id of the task.
    pub(super) task: String,
    pub(super) created_ms: u64,
}

/// A worktree with a branch of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Checkout {
    pub(super) top: PathBuf,
    /// The commit from which it was made.
    pub(super) base: String,
    /// Without `refs/heads/`.
    pub(super) branch: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    /// By path.
    pub(super) files: Vec<FileChange>,
    /// What is not among them, and why. Names are quoted.
    pub(super) left_out: Vec<String>,
    /// Where it was found, in Kite's words.
    pub(super) origins: Vec<String>,
}

/// One file before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileChange {
    pub(super) path: String,
    /// Its path before.
    pub(super) was: Option<String>,
    pub(super) before: Content,
    pub(super) after: Content,
}

/// What a path held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Absent,
    Text(String),
    Link(String),
    /// The commit that a submodule is at.
    Submodule(String),
    /// Something that is not shown: why.
    LeftOut(&'static str),
}

impl Content {
    /// Bytes of a file as text, where they are.
    fn of(bytes: Vec<u8>) -> Content {
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return Content::LeftOut("it is too long");
        }
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Content::Text(text),
            _ => Content::LeftOut("it is binary"),
        }
    }

    pub(super) fn exists(&self) -> bool {
        *self != Content::Absent
    }
}

/// Files by path, as they are found; a later place knows better than an earlier one.
#[derive(Default)]
struct Found(BTreeMap<PathBuf, FileChange>);

impl Found {
    fn put(&mut self, path: &Path, was: Option<&Path>, before: Content, after: Content) {
        let change = FileChange {
            path: shown(path),
            was: was.map(shown),
            before,
            after,
        };
        self.0.insert(path.to_owned(), change);
    }
}

/// Gathers the change. What cannot be had is left out, and said to be.
pub(super) fn gather(origin: &Origin, deadline: Instant) -> Change {
    let mut change = Change::default();
    let mut found = Found::default();
    let mut budget = Budget {
        bytes: BYTES_MAX,
        deadline,
    };
    let git = origin
        .directories
        .iter()
        .find_map(|directory| Git::open(directory).ok());
    let failed = |what: &str, error: &kite_undo::Error, change: &mut Change| {
        let why = super::frame::quoted(&error.to_string());
        change
            .left_out
            .push(format!("{what} could not be read: {why}"));
    };
    if let Some(checkout) = &origin.checkout {
        match branch::gather(checkout, git.as_ref(), &mut found, &mut budget) {
            Ok(true) => change
                .origins
                .push("the task's own worktree and branch".to_owned()),
            Ok(false) => {}
            Err(error) => failed("The task's branch", &error, &mut change),
        }
    }
    if found.0.is_empty() {
        if let Some(git) = &git {
            match commits::gather(git, origin, &mut found, &mut budget) {
                Ok(0) => {}
                Ok(count) => change
                    .origins
                    .push(format!("{count} commit(s) that name the task")),
                Err(error) => failed("Commits that name the task", &error, &mut change),
            }
        }
        match edits::gather(origin, &mut found, &mut budget) {
            Ok(0) => {}
            Ok(count) => change
                .origins
                .push(format!("{count} file(s) that its session changed")),
            Err(error) => failed("Recorded edits", &error, &mut change),
        }
    }
    settle(origin, found, &mut change);
    change
}

/// Takes out what nobody reviews, and what must not be passed on.
fn settle(origin: &Origin, found: Found, change: &mut Change) {
    let more = found.0.len().saturating_sub(FILES_MAX);
    for (path, file) in found.0.into_iter().take(FILES_MAX) {
        let name = path.file_name().and_then(|name| name.to_str());
        let why = if origin.undo.secrets.has(&path) {
            Some("its name says that it holds secrets")
        } else if name.is_some_and(|name| LOCK_FILES.contains(&name)) {
            Some("a lock file")
        } else {
            None
        };
        match why {
            Some(why) => {
                let name = super::frame::quoted(&file.path);
                change.left_out.push(format!("{name}: {why}"));
            }
            None => change.files.push(file),
        }
    }
    if more > 0 {
        change.left_out.push(format!("{more} more files"));
    }
}

/// What may still be read, and until when.
struct Budget {
    bytes: u64,
    deadline: Instant,
}

impl Budget {
    /// Why nothing of this size may be read.
    fn refuses(&mut self, bytes: u64) -> Option<&'static str> {
        if bytes > FILE_BYTES_MAX {
            return Some("it is too long");
        }
        if bytes > self.bytes {
            return Some("too much has changed");
        }
        if Instant::now() >= self.deadline {
            return Some("there was no time left to read it");
        }
        self.bytes -= bytes;
        None
    }
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
