//! A worktree goes when nothing is lost with it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use kite_undo::{Git, History, snapshot::Why};

use crate::{
    disposable::{self, Disposable},
    entry,
    error::{Error, Loss, NAMED_MAX},
    lock::RepositoryLock,
    look::{self, Found, Look, look_at},
    make::repository,
    patience::persistently,
    plan::Plan,
    refs,
};

/// How long git may take to remove a large one.
const REMOVE_TIME_MAX: Duration = Duration::from_mins(10);

/// What may be given up; by default nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// The branch is not merged: it stays.
    pub unmerged: bool,
    /// Files are not committed: they are first kept as a snapshot.
    pub uncommitted: bool,
}

/// Where snapshots are noted, and in whose name.
#[derive(Clone, Debug)]
pub struct Rescue<'a> {
    /// The Kite home.
    pub home: &'a Path,
    pub settings: kite_undo::Settings,
    pub why: Why,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// The branch stays: it has commits that were not merged, or is checked out elsewhere.
    pub branch_kept: bool,
    /// The number of the snapshot under `refs/kite/rescue/` that holds what was not committed.
    pub rescue: Option<u64>,
    /// Disposable files and directories that went with it.
    pub disposed: Vec<PathBuf>,
    /// Its directory had been gone before.
    pub was_missing: bool,
}

/// Removes a worktree that [`crate::make`] made, and its branch where that is merged: into the branch
/// that it came from, or into an upstream. Never by force: git is asked to remove what is clean.
///
/// # Errors
/// [`Error::WouldLose`] names what is in the way, and nothing was changed. With
/// [`Removal::uncommitted`], the snapshot may be there although something fails later.
pub fn remove(
    plan: &Plan,
    removal: Removal,
    disposable: &Disposable,
    rescue: &Rescue<'_>,
) -> Result<Removed, Error> {
    let lock = RepositoryLock::take(plan.common_dir())?;
    let git = repository(plan)?;
    let look = look_at(plan, disposable)?;
    let mut removed = Removed::default();
    match look.found {
        Found::RepositoryGone => {
            return Err(Error::RepositoryGone {
                common_dir: plan.common_dir().to_owned(),
            });
        }
        Found::NotAWorktree => {
            return Err(Error::NotAWorktree {
                path: plan.path().to_owned(),
            });
        }
        Found::Missing => {
            // What its branch has stays with its branch.
            let removal = Removal {
                unmerged: true,
                ..removal
            };
            refuse(plan, removal, &look)?;
            removed.was_missing = true;
        }
        Found::There => {
            refuse(plan, removal, &look)?;
            removed.rescue = keep(plan, removal, &look, rescue)?;
            if removed.rescue.is_some() {
                clean(plan, &look)?;
            }
            take_away(&git, plan, disposable, &mut removed)?;
        }
    }
    entry::forget(&git, &lock, plan)?;
    removed.branch_kept = !delete_branch(&git, plan, &look)?;
    plan.tidy();
    Ok(removed)
}

/// What is in the way, but for what may be given up.
fn refuse(plan: &Plan, removal: Removal, look: &Look) -> Result<(), Error> {
    let losses: Vec<Loss> = look
        .losses
        .iter()
        .filter(|loss| match loss {
            Loss::Uncommitted { .. } => !removal.uncommitted,
            Loss::Unmerged { .. } => !removal.unmerged,
            _ => true,
        })
        .cloned()
        .collect();
    if losses.is_empty() {
        return Ok(());
    }
    Err(would_lose(plan, losses))
}

fn would_lose(plan: &Plan, losses: Vec<Loss>) -> Error {
    Error::WouldLose {
        path: plan.path().to_owned(),
        losses,
    }
}

/// Keeps what is not committed, and gives the snapshot's number. It also finds what git's status does
/// not: changes of files that git was told to overlook.
fn keep(
    plan: &Plan,
    removal: Removal,
    look: &Look,
    rescue: &Rescue<'_>,
) -> Result<Option<u64>, Error> {
    let failed = |error| Error::of_git(error, plan.path());
    let history =
        History::open(rescue.home, plan.path(), rescue.settings.clone()).map_err(failed)?;
    let taken = history
        .rescue_with(&rescue.why, look.ignored.clone())
        .map_err(failed)?;
    let Some(snapshot) = taken else {
        let uncommitted = look.losses.iter().find_map(|loss| match loss {
            Loss::Uncommitted { paths, count } => Some((paths.clone(), *count)),
            _ => None,
        });
        return match uncommitted {
            Some((paths, count)) => Err(would_lose(plan, vec![Loss::NotKept { paths, count }])),
            None => Ok(None),
        };
    };
    if !removal.uncommitted {
        let count = snapshot.files.len() + snapshot.left_out_count;
        let mut paths = snapshot.files;
        paths.truncate(NAMED_MAX);
        return Err(would_lose(plan, vec![Loss::Uncommitted { paths, count }]));
    }
    if snapshot.left_out_count > 0 {
        let left_out = snapshot.left_out.iter().take(NAMED_MAX);
        return Err(would_lose(
            plan,
            vec![Loss::NotKept {
                paths: left_out.map(|it| it.path.as_path().to_owned()).collect(),
                count: snapshot.left_out_count,
            }],
        ));
    }
    let kept = |path: &&PathBuf| !snapshot.files.contains(path);
    let missing: Vec<PathBuf> = look.beside.iter().filter(kept).cloned().collect();
    if !missing.is_empty() {
        let count = missing.len();
        return Err(would_lose(
            plan,
            vec![Loss::NotKept {
                paths: missing.into_iter().take(NAMED_MAX).collect(),
                count,
            }],
        ));
    }
    Ok(Some(snapshot.number))
}

/// Makes the worktree clean, after all of it was kept.
fn clean(plan: &Plan, look: &Look) -> Result<(), Error> {
    for path in &look.beside {
        disposable::remove(plan.path(), path)?;
    }
    let git = there(plan)?;
    git.call("reset")
        .args(["--hard", "--quiet", "--no-recurse-submodules"])
        .time_max(REMOVE_TIME_MAX)
        .run()
        .map(drop)
        .map_err(|error| Error::of_git(error, plan.path()))
}

fn there(plan: &Plan) -> Result<Git, Error> {
    look::open(plan)?.ok_or_else(|| Error::NotAWorktree {
        path: plan.path().to_owned(),
    })
}

/// Removes what is disposable, and has git remove the rest. Git looks again whether it is clean; for
/// ignored files, which it does not mind, we do.
fn take_away(
    git: &Git,
    plan: &Plan,
    disposable: &Disposable,
    removed: &mut Removed,
) -> Result<(), Error> {
    let look = look_at(plan, disposable)?;
    if !look.ignored.is_empty() {
        let count = look.ignored.len();
        let paths = look.ignored.into_iter().take(NAMED_MAX).collect();
        return Err(would_lose(plan, vec![Loss::Uncommitted { paths, count }]));
    }
    for path in look.disposable {
        disposable::remove(plan.path(), &path)?;
        removed.disposed.push(path);
    }
    entry::unlock(git, plan)?;
    // It looks for changes there, with that worktree's settings.
    let git = git.clone().going_on_in(&there(plan)?);
    let gone = persistently(|| {
        git.call("worktree")
            .args(["remove", "--"])
            .args([plan.path()])
            .time_max(REMOVE_TIME_MAX)
            .run()
            .map_err(|error| Error::of_git(error, plan.path()))
    });
    if gone.is_err() {
        // It stays, and others are to leave it alone as before.
        let _ = entry::lock_again(&git, plan);
    }
    gone.map(drop)
}

/// Deletes the branch where nothing is lost with it, and says whether it is gone.
fn delete_branch(git: &Git, plan: &Plan, look: &Look) -> Result<bool, Error> {
    let Some(tip) = refs::commit(git, &plan.branch_ref())? else {
        return Ok(true);
    };
    // Counted anew: it may have grown since it was looked at.
    let merged = look.unmerged() == 0 && refs::unmerged(git, plan)? == 0;
    if !merged || persistently(|| refs::is_checked_out(git, plan))? {
        return Ok(false);
    }
    persistently(|| refs::delete(git, plan, &tip))?;
    Ok(true)
}
