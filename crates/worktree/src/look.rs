//! What a worktree holds that would be lost with it.

use std::{
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    time::Duration,
};

use kite_undo::{Git, Oid};

use crate::{
    disposable::Disposable,
    entry,
    error::{Error, Loss, NAMED_MAX},
    make::repository,
    plan::Plan,
    refs,
};

/// How much git may say of ignored files, or of all tracked ones: 300,000 paths take 40 MiB.
const LIST_BYTES_MAX: usize = 256 << 20;

/// How long it may take to say it.
const LIST_TIME_MAX: Duration = Duration::from_mins(1);

/// Entries of ignored directories that are looked at. Where there are more, the rest counts as work.
const ENTRIES_MAX: usize = 200_000;

/// What stands in a git directory while something waits to be finished.
const UNDER_WAY: &[(&str, &str)] = &[
    ("MERGE_HEAD", "merge"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("BISECT_LOG", "bisect"),
];

/// Whether a worktree is where it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    There,
    /// Somebody has deleted its directory.
    Missing,
    /// A directory is there, but git does not know it (any more).
    NotAWorktree,
    /// Its repository is gone.
    RepositoryGone,
}

/// A worktree at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub found: Found,
    /// What would be lost; nothing where it can be removed.
    pub losses: Vec<Loss>,
    /// Untracked files, and ignored ones that are not disposable.
    pub(crate) beside: Vec<PathBuf>,
    /// Of those the ignored ones.
    pub(crate) ignored: Vec<PathBuf>,
    /// Ignored files and directories that tools make again.
    pub(crate) disposable: Vec<PathBuf>,
}

impl Look {
    fn at(found: Found) -> Look {
        Look {
            found,
            losses: Vec::new(),
            beside: Vec::new(),
            ignored: Vec::new(),
            disposable: Vec::new(),
        }
    }

    /// Whether it is there, and can be removed without any loss.
    #[must_use]
    pub fn is_merged_and_clean(&self) -> bool {
        self.found == Found::There && self.losses.is_empty()
    }

    /// The commits that would be lost with its branch.
    #[must_use]
    pub fn unmerged(&self) -> u64 {
        let unmerged = self.losses.iter().find_map(|loss| match loss {
            Loss::Unmerged { commits, .. } => Some(*commits),
            _ => None,
        });
        unmerged.unwrap_or(0)
    }
}

/// Looks at a worktree. Changes nothing, and waits for nobody.
///
/// # Errors
/// Where git cannot say.
pub fn look(plan: &Plan, disposable: &Disposable) -> Result<Look, Error> {
    look_at(plan, disposable)
}

pub(crate) fn look_at(plan: &Plan, disposable: &Disposable) -> Result<Look, Error> {
    if !plan.common_dir().is_dir() {
        return Ok(Look::at(Found::RepositoryGone));
    }
    let unmerged = unmerged(plan)?;
    let mut look = match plan.path().symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => missing(plan)?,
        Err(error) => return Err(Error::io("look at", plan.path())(error)),
        Ok(_) => match open(plan)? {
            Some(git) => inside(&git, disposable)?,
            None => Look::at(Found::NotAWorktree),
        },
    };
    look.losses.extend(unmerged);
    Ok(look)
}

/// The worktree, where it is still one of its repository.
pub(crate) fn open(plan: &Plan) -> Result<Option<Git>, Error> {
    match Git::open(plan.path()) {
        Ok(git) if git.top() == plan.path() && git.common_dir() == plan.common_dir() => {
            Ok(Some(git))
        }
        Ok(_) | Err(kite_undo::Error::NotAWorktree { .. } | kite_undo::Error::Bare { .. }) => {
            Ok(None)
        }
        Err(error) => Err(Error::of_git(error, plan.path())),
    }
}

fn unmerged(plan: &Plan) -> Result<Option<Loss>, Error> {
    let commits = refs::unmerged(&repository(plan)?, plan)?;
    Ok((commits > 0).then(|| Loss::Unmerged {
        branch: plan.branch.clone(),
        commits,
        into: plan.base_branch().map(str::to_owned),
    }))
}

/// Of one whose directory is gone, git still knows what was checked out.
fn missing(plan: &Plan) -> Result<Look, Error> {
    let mut look = Look::at(Found::Missing);
    if let Some(head) = entry::detached_head(plan)? {
        look.losses.extend(detached(&repository(plan)?, head)?);
    }
    Ok(look)
}

fn detached(git: &Git, head: Oid) -> Result<Option<Loss>, Error> {
    let commits = refs::on_no_branch(git, &head)?;
    Ok((commits > 0).then_some(Loss::Detached { head, commits }))
}

fn inside(git: &Git, disposable: &Disposable) -> Result<Look, Error> {
    let mut look = Look::at(Found::There);
    let said = |error| Error::of_git(error, git.top());
    let status = git.status().map_err(said)?;
    let mut uncommitted = Vec::new();
    for file in status.files {
        if file.state == kite_undo::DirtyState::Untracked {
            look.beside.push(file.path.clone());
        }
        uncommitted.push(file.path);
    }
    sort_ignored(git, disposable, &mut look)?;
    uncommitted.extend(look.ignored.iter().cloned());
    if !uncommitted.is_empty() {
        let count = uncommitted.len();
        uncommitted.truncate(NAMED_MAX);
        look.losses.push(Loss::Uncommitted {
            paths: uncommitted,
            count,
        });
    }
    let under_way = |(name, _): &&(&str, &str)| git.git_dir().join(name).symlink_metadata().is_ok();
    if let Some((_, what)) = UNDER_WAY.iter().find(under_way) {
        look.losses.push(Loss::UnderWay { what });
    }
    if let (None, Some(head)) = (&status.branch, status.head) {
        look.losses.extend(detached(git, head)?);
    }
    let names = refs::own(git)?;
    if !names.is_empty() {
        look.losses.push(Loss::OwnRefs { names });
    }
    if has_submodules(git)? {
        look.losses.push(Loss::Submodules);
    }
    Ok(look)
}

/// As git itself sees to it before it removes a worktree.
fn has_submodules(git: &Git) -> Result<bool, Error> {
    if git.git_dir().join("modules").exists() {
        return Ok(true);
    }
    let said = git
        .call("ls-files")
        .args(["--stage", "-z"])
        .output_max(LIST_BYTES_MAX)
        .time_max(LIST_TIME_MAX)
        .run()
        .map_err(|error| Error::of_git(error, git.top()))?;
    Ok(said
        .split(|byte| *byte == 0)
        .any(|record| record.starts_with(b"160000 ")))
}

/// Tells ignored files that are work from those that tools make again.
fn sort_ignored(git: &Git, disposable: &Disposable, look: &mut Look) -> Result<(), Error> {
    let said = git
        .call("ls-files")
        .args(["--others", "--ignored", "--exclude-standard"])
        // A directory that is ignored as a whole is one answer, however much is in it.
        .args(["--directory", "-z"])
        .output_max(LIST_BYTES_MAX)
        .time_max(LIST_TIME_MAX)
        .run()
        .map_err(|error| Error::of_git(error, git.top()))?;
    let mut entries_left = ENTRIES_MAX;
    for name in said.split(|byte| *byte == 0).filter(|it| !it.is_empty()) {
        let path: PathBuf = Path::new(OsStr::from_bytes(name)).components().collect();
        sort(git.top(), path, disposable, look, &mut entries_left)?;
    }
    look.beside.extend(look.ignored.iter().cloned());
    Ok(())
}

/// Of a directory that is not disposable itself, what is in it counts. A repository inside is work.
fn sort(
    top: &Path,
    path: PathBuf,
    disposable: &Disposable,
    look: &mut Look,
    entries_left: &mut usize,
) -> Result<(), Error> {
    let mut waiting = vec![path];
    while let Some(path) = waiting.pop() {
        if path.file_name().is_some_and(|name| disposable.has(name)) {
            look.disposable.push(path);
            continue;
        }
        let full = top.join(&path);
        let metadata = match full.symlink_metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io("look at", &full)(error)),
        };
        let is_opened = metadata.is_dir() && !full.join(".git").exists() && *entries_left > 0;
        if !is_opened {
            look.ignored.push(path);
            continue;
        }
        for entry in fs::read_dir(&full).map_err(Error::io("read", &full))? {
            let entry = entry.map_err(Error::io("read", &full))?;
            *entries_left = entries_left.saturating_sub(1);
            waiting.push(path.join(entry.file_name()));
        }
    }
    Ok(())
}
