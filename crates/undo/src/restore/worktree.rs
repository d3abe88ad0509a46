//! A linked working copy that was removed: it is added again before its files come back.

use std::path::Path;

use crate::{error::Error, history::History, snapshot};

/// Adds the working copy of a snapshot where it was, at the commit it was at: on its branch, or
/// detached where the branch went on or is checked out elsewhere.
///
/// # Errors
/// [`Error::WorktreeGone`] where something else is there now, the snapshot has no commit, or git
/// does not add it.
pub(super) fn add_again(history: &History, top: &Path, number: u64) -> Result<(), Error> {
    let gone = || Error::WorktreeGone {
        top: top.to_owned(),
        number,
    };
    let git = history.git.as_ref().ok_or_else(gone)?;
    let kept = snapshot::load(git, number)?;
    let head = kept.head.ok_or_else(gone)?;
    if top.symlink_metadata().is_ok() || kept.worktree != top {
        return Err(gone());
    }
    let add = |flags: &[&str], what: &str| {
        let words = ["add", "--quiet"].iter().chain(flags).copied();
        let call = git.call("worktree").args(words);
        call.args([top.as_os_str(), what.as_ref()]).run()
    };
    let branch = kept.branch.filter(|branch| {
        let tip = git.resolve(&format!("refs/heads/{branch}"));
        tip.ok().flatten().as_ref() == Some(&head)
    });
    if branch.is_some_and(|branch| add(&[], &branch).is_ok()) {
        return Ok(());
    }
    // It may still be registered, if its directory was removed by hand.
    match add(&["--force", "--detach"], head.as_str()) {
        Ok(_) => Ok(()),
        Err(_) => Err(gone()),
    }
}
