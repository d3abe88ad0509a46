//! Ignored files that are worth keeping before `git clean -x` or `git worktree remove` takes them.
//!
//! Most of what a repository ignores can be built again, and is large. Directories with a name that
//! says so are passed over; the rest is kept within the limits of a snapshot: `.env`, a local
//! configuration, a database of test data.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{error::Error, git::Git};

/// Most files that are named; those nearest to the top first.
const FILES_MAX: usize = 5_000;

/// Directories that are read for one answer.
const DIRECTORIES_MAX: usize = 2_000;

/// How long git may take to name them. A hook waits for it.
const LIST_TIME_MAX: Duration = Duration::from_secs(2);

/// Longest answer of git's, in bytes.
const LIST_BYTES_MAX: usize = 4 << 20;

/// Directories whose content tools build, fetch or cache again, where git ignores them.
pub const DISPOSABLE: &[&str] = &[
    ".build",
    ".cache",
    ".dart_tool",
    ".eggs",
    ".gradle",
    ".hypothesis",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".next",
    ".nox",
    ".nuxt",
    ".nyc_output",
    ".parcel-cache",
    ".pnpm-store",
    ".pytest_cache",
    ".ruff_cache",
    ".serverless",
    ".svelte-kit",
    ".terraform",
    ".tox",
    ".turbo",
    ".venv",
    ".vite",
    ".yarn",
    "DerivedData",
    "Pods",
    "__pycache__",
    "_build",
    "bower_components",
    "build",
    "coverage",
    "deps",
    "dist",
    "elm-stuff",
    "htmlcov",
    "node_modules",
    "obj",
    "out",
    "site-packages",
    "target",
    "vendor",
    "venv",
];

/// The ignored files of a working copy, [`DISPOSABLE`] directories and other repositories left out,
/// those nearest to the top first.
pub(crate) fn ignored(git: &Git) -> Result<Vec<PathBuf>, Error> {
    let said = git
        .call("ls-files")
        .args(["--others", "--ignored", "--exclude-standard"])
        // A directory that is ignored as a whole is one answer, however much is in it.
        .args(["--directory", "-z"])
        .time_max(LIST_TIME_MAX)
        .output_max(LIST_BYTES_MAX)
        .run()?;
    let mut files = Vec::new();
    let mut directories = Vec::new();
    for name in said.split(|byte| *byte == 0).filter(|it| !it.is_empty()) {
        let path = Path::new(OsStr::from_bytes(name));
        if path.components().any(|it| is_disposable(it.as_os_str())) {
            continue;
        }
        match name.ends_with(b"/") {
            true => directories.push(path.components().collect()),
            false => files.push(path.to_owned()),
        }
    }
    below(git.top(), directories, &mut files);
    files.sort_by_cached_key(|path| (path.components().count(), path.clone()));
    files.truncate(FILES_MAX);
    Ok(files)
}

/// Adds the files below directories. What cannot be read is passed over: git cannot remove it
/// either, or says so.
fn below(top: &Path, mut directories: Vec<PathBuf>, files: &mut Vec<PathBuf>) {
    for _ in 0..DIRECTORIES_MAX {
        let Some(directory) = directories.pop() else {
            return;
        };
        let Ok(entries) = fs::read_dir(top.join(&directory)) else {
            continue;
        };
        let entries: Vec<fs::DirEntry> = entries.filter_map(io::Result::ok).collect();
        if entries.iter().any(|entry| entry.file_name() == ".git") {
            continue;
        }
        for entry in entries {
            let path = directory.join(entry.file_name());
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !is_disposable(&entry.file_name()) => {
                    directories.push(path);
                }
                Ok(kind) if kind.is_file() || kind.is_symlink() => files.push(path),
                _ => {}
            }
        }
    }
}

fn is_disposable(name: &OsStr) -> bool {
    DISPOSABLE.iter().any(|disposable| name == *disposable)
}
