//! What git notes about a worktree in the repository: one directory below `worktrees`.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use kite_undo::{Git, Oid};

use crate::{error::Error, lock::RepositoryLock, patience::persistently, plan::Plan};

/// Longest note that is read.
const NOTE_BYTES_MAX: u64 = 8 << 10;

/// Takes git's notes about a worktree away whose directory is gone, those that are half written too.
/// Notes about others stay, whatever became of them.
pub(crate) fn forget(git: &Git, _lock: &RepositoryLock, plan: &Plan) -> Result<(), Error> {
    for entry in find(plan)? {
        // In git's own way, where it is whole enough for that.
        let in_gits_way =
            unlock(git, plan).and_then(|()| persistently(|| worktree(git, plan, "remove")));
        if in_gits_way.is_err() || entry.exists() {
            match fs::remove_dir_all(&entry) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", &entry)(error));
                }
                _ => {}
            }
        }
    }
    // As git does with the last one. One that is not empty refuses to go.
    let _ = fs::remove_dir(plan.common_dir().join("worktrees"));
    Ok(())
}

/// Lets git remove the worktree.
pub(crate) fn unlock(git: &Git, plan: &Plan) -> Result<(), Error> {
    match persistently(|| worktree(git, plan, "unlock")) {
        Err(Error::Git(kite_undo::Error::Git { said, .. })) if said.contains("is not locked") => {
            Ok(())
        }
        other => other,
    }
}

/// Has git leave the worktree alone again.
pub(crate) fn lock_again(git: &Git, plan: &Plan) -> Result<(), Error> {
    git.call("worktree")
        .args(["lock", "--reason", &plan.reason(), "--"])
        .args([plan.path()])
        .run()
        .map(drop)
        .map_err(|error| Error::of_git(error, plan.path()))
}

fn worktree(git: &Git, plan: &Plan, what: &str) -> Result<(), Error> {
    git.call("worktree")
        .args([what, "--"])
        .args([plan.path()])
        .run()
        .map(drop)
        .map_err(|error| Error::of_git(error, plan.path()))
}

/// Whether git's notes about the worktree have a file of this name.
pub(crate) fn has(plan: &Plan, name: &str) -> Result<bool, Error> {
    Ok(find(plan)?.iter().any(|entry| entry.join(name).exists()))
}

/// The commit that the worktree's `HEAD` was at, where it was on no branch.
pub(crate) fn detached_head(plan: &Plan) -> Result<Option<Oid>, Error> {
    let heads = find(plan)?.into_iter().map(|entry| entry.join("HEAD"));
    let texts = heads.filter_map(|head| fs::read_to_string(head).ok());
    Ok(texts
        .filter_map(|text| Oid::try_from(text.trim_end().to_owned()).ok())
        .next())
}

/// Git's notes about the plan's worktree: those that hold its reason or its path, and an empty one of
/// its name.
fn find(plan: &Plan) -> Result<Vec<PathBuf>, Error> {
    let worktrees = plan.common_dir().join("worktrees");
    let entries = match fs::read_dir(&worktrees) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("read", &worktrees)(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io("read", &worktrees))?;
        let path = entry.path();
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_directory && (is_of(plan, &path) || is_begun(plan, &path)) {
            found.push(path);
        }
    }
    Ok(found)
}

fn is_of(plan: &Plan, entry: &Path) -> bool {
    let mut git_file = plan
        .path()
        .join(".git")
        .into_os_string()
        .into_encoded_bytes();
    git_file.push(b'\n');
    let says = |name: &str, what: &[u8]| {
        let file = entry.join(name);
        let small = file
            .symlink_metadata()
            .is_ok_and(|it| it.is_file() && it.len() <= NOTE_BYTES_MAX);
        small && fs::read(&file).is_ok_and(|said| said.trim_ascii_end() == what.trim_ascii_end())
    };
    says("locked", plan.reason().as_bytes()) || says("gitdir", &git_file)
}

/// Whether git was killed right after it had made the directory.
fn is_begun(plan: &Plan, entry: &Path) -> bool {
    let named_so = entry.file_name() == plan.path().file_name();
    named_so && fs::read_dir(entry).is_ok_and(|mut inside| inside.next().is_none())
}

/// Makes a directory, and what is above it, for this user alone.
pub(crate) fn private_directory(path: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(Error::io("make", path))
}
