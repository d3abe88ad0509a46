//! A snapshot, read back from its ref.

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
};

use crate::{
    error::Error,
    git::{Git, Oid, Side},
    snapshot::{LeftOut, REFS, Why, message::Message},
};

/// Longest commit object read, in bytes.
const COMMIT_BYTES_MAX: usize = 1 << 20;

/// A snapshot that was kept: what was uncommitted, path by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub number: u64,
    pub commit: Oid,
    pub why: Why,
    /// The working copy's top directory at that time.
    pub worktree: PathBuf,
    pub head: Option<Oid>,
    pub branch: Option<String>,
    pub files: Vec<KeptFile>,
    pub left_out: Vec<LeftOut>,
}

/// One path of a snapshot: in `HEAD`, in the index and in the work tree of that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFile {
    pub path: PathBuf,
    pub head: Option<Side>,
    pub index: Option<Side>,
    pub file: Option<Side>,
    /// The file itself was not kept, only what was staged of it.
    pub left_out: bool,
}

pub(super) fn load(git: &Git, number: u64) -> Result<Kept, Error> {
    let nothing = || Error::NothingFits {
        asked: format!("snapshot {number}: {REFS}{number} is not there (any more)"),
    };
    let commit = git
        .resolve(&format!("{REFS}{number}^{{commit}}"))?
        .ok_or_else(nothing)?;
    let said = git
        .call("cat-file")
        .args(["commit", commit.as_str()])
        .output_max(COMMIT_BYTES_MAX)
        .run()?;
    let text = String::from_utf8_lossy(&said);
    let (header, message) = text.split_once("\n\n").ok_or_else(nothing)?;
    let message = Message::parse(message).ok_or_else(nothing)?;
    let mut parents = header
        .lines()
        .filter_map(|line| line.strip_prefix("parent "))
        .filter_map(|oid| Oid::parse(oid.as_bytes()));
    let head = match message.head {
        Some(_) => parents.next(),
        None => None,
    };
    let index = parents.next().ok_or_else(nothing)?;
    let files = files(git, head.as_ref(), &index, &commit, &message.left_out)?;
    Ok(Kept {
        number,
        commit,
        why: message.why,
        worktree: message.worktree,
        head,
        branch: message.branch,
        files,
        left_out: message.left_out,
    })
}

fn files(
    git: &Git,
    head: Option<&Oid>,
    index: &Oid,
    worktree: &Oid,
    left_out: &[LeftOut],
) -> Result<Vec<KeptFile>, Error> {
    let left_out: HashSet<PathBuf> = left_out.iter().map(|it| it.path.clone().into()).collect();
    let before = match head {
        Some(head) => head.clone(),
        None => git.empty_tree()?,
    };
    let mut files = BTreeMap::new();
    for change in git.changes(&before, index)? {
        let file = KeptFile {
            left_out: left_out.contains(&change.path),
            path: change.path.clone(),
            head: change.before,
            file: change.after.clone(),
            index: change.after,
        };
        files.insert(change.path, file);
    }
    for change in git.changes(index, worktree)? {
        let head = change.before.clone();
        files
            .entry(change.path.clone())
            .or_insert(KeptFile {
                left_out: false,
                path: change.path,
                head,
                index: change.before,
                file: None,
            })
            .file = change.after;
    }
    Ok(files.into_values().collect())
}
