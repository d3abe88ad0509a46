//! Commits whose messages name the task.

use std::{collections::BTreeMap, path::PathBuf};

use kite_undo::{Error, Git};

use super::{
    Budget, Found, Origin,
    branch::{self, RAW_BYTES_MAX},
    raw::{self, Pair},
};

/// Commits looked at; the newest.
const COMMITS_MAX: usize = 50;
/// Digits of a task's id that name it: those that agents are shown.
const ID_DIGITS: usize = 8;

/// Finds what they changed, all together: how many commits there are.
pub(super) fn gather(
    git: &Git,
    origin: &Origin,
    found: &mut Found,
    budget: &mut Budget,
) -> Result<usize, Error> {
    let commits = commits(git, origin)?;
    let mut changed: BTreeMap<PathBuf, Pair> = BTreeMap::new();
    // Oldest first: what was there before the first of them, what is there after the last.
    for commit in commits.iter().rev() {
        let said = git
            .call("diff-tree")
            .args(["-r", "--raw", "-z", "--no-abbrev", "--root"])
            .args(["--no-commit-id", "--end-of-options", commit])
            .output_max(RAW_BYTES_MAX)
            .run()?;
        for pair in raw::parse(&said) {
            changed
                .entry(pair.path.clone())
                .and_modify(|first| first.after = pair.after.clone())
                .or_insert(pair);
        }
    }
    let pairs: Vec<Pair> = changed.into_values().collect();
    branch::between(git, &pairs, found, budget)?;
    Ok(commits.len())
}

/// Newest first. `rev-list`, because `log` would verify signatures where a repository's settings
/// say so, with a program that they name.
fn commits(git: &Git, origin: &Origin) -> Result<Vec<String>, Error> {
    let Some(id) = origin.task.get(..ID_DIGITS) else {
        return Ok(Vec::new());
    };
    let said = git
        .call("rev-list")
        .args(["--branches", "--no-merges", "--topo-order"])
        .args([format!("--max-count={COMMITS_MAX}"), format!("--grep={id}")])
        .args([
            "--fixed-strings".to_owned(),
            format!("--since=@{}", origin.created_ms / 1000),
        ])
        .run()?;
    let said = String::from_utf8_lossy(&said);
    Ok(said.lines().map(str::to_owned).collect())
}
