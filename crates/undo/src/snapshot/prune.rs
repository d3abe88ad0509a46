//! Which snapshots there are, and which are too many or too old.

use std::{collections::HashSet, time::Duration};

use crate::{
    error::Error,
    git::{Git, Oid},
    snapshot::REFS,
};

/// How many snapshots of a repository stay, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    pub count_max: usize,
    pub age_max: Duration,
}

impl Default for Keep {
    fn default() -> Keep {
        Keep {
            count_max: 200,
            age_max: Duration::from_secs(14 * 24 * 60 * 60),
        }
    }
}

/// A snapshot's ref.
pub(super) struct Reference {
    pub(super) number: u64,
    commit: Oid,
    at_seconds: u64,
}

pub(super) fn all(git: &Git) -> Result<Vec<Reference>, Error> {
    let said = git
        .call("for-each-ref")
        .args([
            "--format=%(refname:lstrip=3) %(objectname) %(creatordate:unix)",
            REFS,
        ])
        .run()?;
    let text = String::from_utf8_lossy(&said);
    // A ref that is not ours, in our place, is left alone.
    Ok(text.lines().filter_map(reference).collect())
}

pub(super) fn prune_locked(git: &Git, now_ms: u64, keep: &Keep) -> Result<usize, Error> {
    let mut all = all(git)?;
    all.sort_by_key(|it| std::cmp::Reverse(it.number));
    let oldest = (now_ms / 1000).saturating_sub(keep.age_max.as_secs());
    let kept: HashSet<u64> = all
        .iter()
        .take(keep.count_max)
        .filter(|it| it.at_seconds >= oldest)
        .map(|it| it.number)
        .collect();
    let gone: Vec<(u64, &Oid)> = all
        .iter()
        .filter(|it| !kept.contains(&it.number))
        .map(|it| (it.number, &it.commit))
        .collect();
    delete(git, &gone)?;
    Ok(gone.len())
}

/// Removes refs, each only if it still names that commit.
pub(super) fn delete(git: &Git, gone: &[(u64, &Oid)]) -> Result<(), Error> {
    if gone.is_empty() {
        return Ok(());
    }
    let mut input = Vec::new();
    for (number, commit) in gone {
        let line = format!("delete {REFS}{number}\0{commit}\0");
        input.extend_from_slice(line.as_bytes());
    }
    git.call("update-ref")
        .args(["--stdin", "-z"])
        .input(input)
        .run()
        .map(drop)
}

fn reference(line: &str) -> Option<Reference> {
    let mut words = line.split(' ');
    Some(Reference {
        number: words.next()?.parse().ok()?,
        commit: Oid::parse(words.next()?.as_bytes())?,
        at_seconds: words.next()?.parse().ok()?,
    })
}
