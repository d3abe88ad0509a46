//! A worktree is made as planned, or nothing is left of it.

use std::{fs, io, time::Duration};

use kite_undo::{Call, Git};

use crate::{
    disposable::Disposable,
    entry,
    error::Error,
    lock::RepositoryLock,
    look::{Found, look_at},
    patience::persistently,
    plan::Plan,
    refs,
};

/// How long a checkout may take: 10 GB do within minutes.
const CHECKOUT_TIME_MAX: Duration = Duration::from_mins(15);

/// What stands in git's notes about a worktree once it is whole.
const WHOLE: &str = "kite-made";

/// What became of a plan that was never confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Abandoned {
    /// Nothing of it is there (any more).
    Gone,
    /// It had been made to its end, and somebody has worked in it: it stays as it is.
    Kept,
}

/// Makes the branch and the worktree of a plan, and checks its commit out, under the repository's lock.
/// Git's own worktrees are made by others without it: where one is in the way, it is tried again. Git
/// leaves the worktree alone afterwards, for it is locked.
///
/// The branch is made first and by itself, for `git worktree add -b` would leave it behind where it
/// fails, and write settings that all worktrees share. It follows no other branch.
///
/// # Errors
/// Whatever stands in the way. Nothing stays then; where even that fails, [`abandon`] does it later.
pub fn make(plan: &Plan) -> Result<(), Error> {
    let lock = RepositoryLock::take(plan.common_dir())?;
    let git = Git::open(plan.from()).map_err(|error| Error::of_git(error, plan.from()))?;
    if plan.path().symlink_metadata().is_ok() {
        return Err(Error::PathTaken {
            path: plan.path().to_owned(),
        });
    }
    persistently(|| refs::create(&git, plan))?;
    let made = persistently(|| {
        let added = add(&git, &lock, plan);
        if added.is_err() {
            // Git takes back what it has begun, unless it was killed.
            take_back(&git, &lock, plan)?;
        }
        added
    })
    .and_then(|()| check_out(&lock, plan));
    if made.is_err() {
        // The first fault is what its caller is to know.
        let _ = clear(&git, &lock, plan);
    }
    made
}

/// Takes back whatever there is of a plan that was never confirmed. Does no harm when repeated, or when
/// nothing was made at all.
///
/// # Errors
/// Where something cannot be removed: then it is to be tried again later.
pub fn abandon(plan: &Plan) -> Result<Abandoned, Error> {
    if !plan.common_dir().is_dir() {
        // With the repository went the branch, and what git knew.
        return match plan.path().symlink_metadata() {
            Ok(_) => Ok(Abandoned::Kept),
            Err(_) => Ok(Abandoned::Gone),
        };
    }
    let lock = RepositoryLock::take(plan.common_dir())?;
    let git = repository(plan)?;
    if entry::has(plan, WHOLE)? {
        let look = look_at(plan, &Disposable::default())?;
        match look.found {
            Found::Missing => {}
            Found::There if look.losses.is_empty() => {}
            _ => return Ok(Abandoned::Kept),
        }
    }
    clear(&git, &lock, plan)?;
    Ok(Abandoned::Gone)
}

/// The repository of a plan, whatever became of its working copies.
pub(crate) fn repository(plan: &Plan) -> Result<Git, Error> {
    Git::of_repository(plan.common_dir()).map_err(|error| Error::of_git(error, plan.common_dir()))
}

/// Removes the worktree, and the branch where nobody has moved it.
fn clear(git: &Git, lock: &RepositoryLock, plan: &Plan) -> Result<(), Error> {
    take_back(git, lock, plan)?;
    let is_checked_out = || refs::is_checked_out(git, plan);
    if refs::is_untouched(git, plan)? && !persistently(is_checked_out)? {
        persistently(|| refs::delete(git, plan, &plan.base))?;
    }
    plan.tidy();
    Ok(())
}

/// Removes the directory, which nobody was given yet, and git's notes about it.
fn take_back(git: &Git, lock: &RepositoryLock, plan: &Plan) -> Result<(), Error> {
    match fs::remove_dir_all(plan.path()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::io("remove", plan.path())(error));
        }
        _ => {}
    }
    entry::forget(git, lock, plan)
}

fn add(git: &Git, lock: &RepositoryLock, plan: &Plan) -> Result<(), Error> {
    if let Some(project) = plan.path().parent() {
        entry::private_directory(project)?;
    }
    run(
        lock,
        plan,
        harmless(git.call("worktree"))
            // Checked out below: what the repository's settings say in a worktree is known only there.
            .args([
                "add",
                "--no-checkout",
                "--lock",
                "--reason",
                &plan.reason(),
                "--",
            ])
            .args([plan.path()])
            .args([&plan.branch]),
    )
}

fn check_out(lock: &RepositoryLock, plan: &Plan) -> Result<(), Error> {
    let git = Git::open(plan.path()).map_err(|error| Error::of_git(error, plan.path()))?;
    if git.top() != plan.path() || git.common_dir() != plan.common_dir() {
        return Err(Error::NotAWorktree {
            path: plan.path().to_owned(),
        });
    }
    run(
        lock,
        plan,
        harmless(git.call("reset")).args(["--hard", "--quiet", "--no-recurse-submodules"]),
    )?;
    let whole = git.git_dir().join(WHOLE);
    fs::write(&whole, "").map_err(Error::io("write", &whole))
}

fn run(lock: &RepositoryLock, plan: &Plan, call: Call) -> Result<(), Error> {
    call.input_file(lock.file()?)
        .time_max(CHECKOUT_TIME_MAX)
        .run()
        .map(drop)
        .map_err(|error| Error::of_git(error, plan.path()).or_full(plan.path()))
}

/// What only counts where files are checked out: names that some file systems take for `.git`; and the
/// repository's settings stay as they are.
fn harmless(call: Call) -> Call {
    call.setting("core.protectNTFS", "true")
        .setting("core.protectHFS", "true")
        .setting("worktree.useRelativePaths", "false")
}
