//! What of a working copy is not committed: git's own answer (`status --porcelain=v2 -z`), parsed.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Git, Mode, Oid, path};
use crate::error::Error;

/// How much git may say of a working copy: about 300,000 dirty files.
const STATUS_BYTES_MAX: usize = 64 << 20;

/// One path that is not as in `HEAD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirtyFile {
    /// Relative to the working copy's top.
    pub path: PathBuf,
    pub state: DirtyState,
}

/// How a path differs from `HEAD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DirtyState {
    /// Git does not track it, and does not ignore it. A repository inside this one ends in `/`.
    Untracked,
    /// Tracked: `head` and `index` are equal where nothing is staged; `changed` says whether the
    /// file itself differs from the index, `deleted` that it is gone.
    Tracked {
        head: Option<Side>,
        index: Option<Side>,
        changed: bool,
        deleted: bool,
        submodule: bool,
    },
    /// In the middle of a merge: base, ours and theirs, as far as they exist.
    Unmerged(Unmerged),
}

/// One path's content in a tree or in the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    pub mode: Mode,
    pub oid: Oid,
}

/// The three stages of a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmerged {
    pub stages: [Option<Side>; 3],
}

/// A working copy at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The commit that is checked out; `None` before the first one.
    pub head: Option<Oid>,
    /// The branch, or `None` where `HEAD` is detached.
    pub branch: Option<String>,
    pub files: Vec<DirtyFile>,
}

impl Git {
    /// What is not committed, ignored files left out. Submodules are looked at from outside only.
    pub fn status(&self) -> Result<Status, Error> {
        let said = self
            .call("status")
            .args([
                "--porcelain=v2",
                "-z",
                "--branch",
                "--no-ahead-behind",
                "--untracked-files=all",
                "--ignore-submodules=dirty",
                "--no-renames",
            ])
            .output_max(STATUS_BYTES_MAX)
            .run()?;
        parse(&said).ok_or_else(|| Error::Unexpected {
            command: "status".to_owned(),
            why: "not the porcelain format, version 2".to_owned(),
        })
    }
}

fn parse(said: &[u8]) -> Option<Status> {
    let mut status = Status {
        head: None,
        branch: None,
        files: Vec::new(),
    };
    for record in said.split(|byte| *byte == 0).filter(|r| !r.is_empty()) {
        let (kind, rest) = record.split_at_checked(2)?;
        let file = match kind {
            b"# " => {
                header(&mut status, rest);
                continue;
            }
            b"1 " => tracked(rest)?,
            b"u " => unmerged(rest)?,
            b"? " => DirtyFile {
                path: path(rest),
                state: DirtyState::Untracked,
            },
            _ => return None,
        };
        status.files.push(file);
    }
    Some(status)
}

fn header(status: &mut Status, line: &[u8]) {
    let text = String::from_utf8_lossy(line);
    match text.split_once(' ') {
        Some(("branch.oid", oid)) => status.head = Oid::parse(oid.as_bytes()),
        Some(("branch.head", name)) if name != "(detached)" => {
            status.branch = Some(name.to_owned());
        }
        _ => {}
    }
}

/// `XY sub mH mI mW hH hI path`
fn tracked(record: &[u8]) -> Option<DirtyFile> {
    let mut words = record.splitn(8, |byte| *byte == b' ');
    let xy = words.next()?;
    let submodule = words.next()?.first() == Some(&b'S');
    let (head_mode, index_mode) = (Mode::parse(words.next()?)?, Mode::parse(words.next()?)?);
    let _in_worktree = words.next()?;
    let (head, index) = (Oid::parse(words.next()?), Oid::parse(words.next()?));
    let side = |mode: Mode, oid: Option<Oid>| oid.map(|oid| Side { mode, oid });
    Some(DirtyFile {
        path: path(words.next()?),
        state: DirtyState::Tracked {
            head: side(head_mode, head),
            index: side(index_mode, index),
            changed: xy.get(1) != Some(&b'.'),
            deleted: xy.get(1) == Some(&b'D'),
            submodule,
        },
    })
}

/// `XY sub m1 m2 m3 mW h1 h2 h3 path`
fn unmerged(record: &[u8]) -> Option<DirtyFile> {
    let mut words = record.splitn(10, |byte| *byte == b' ');
    let (_xy, _submodule) = (words.next()?, words.next()?);
    let mut modes = [Mode::Absent; 3];
    for mode in &mut modes {
        *mode = Mode::parse(words.next()?)?;
    }
    let _in_worktree = words.next()?;
    let mut stages = [None, None, None];
    for (stage, mode) in stages.iter_mut().zip(modes) {
        *stage = Oid::parse(words.next()?).map(|oid| Side { mode, oid });
    }
    Some(DirtyFile {
        path: path(words.next()?),
        state: DirtyState::Unmerged(Unmerged { stages }),
    })
}

#[cfg(test)]
mod tests {
    use std::{os::unix::ffi::OsStrExt, path::Path};

    use super::*;

    #[test]
    fn odd_paths_and_an_unborn_head_are_understood() {
        let said = b"# branch.oid (initial)\0# branch.head main\0\
            1 A. N... 000000 100644 100644 0000000000000000000000000000000000000000 \
            ce013625030ba8dba906f756967f9e9ca394464a a b\nc\0? \xff/x y\0";
        let status = parse(said).expect("a status");
        assert_eq!(status.head, None);
        assert_eq!(status.branch.as_deref(), Some("main"));
        assert_eq!(status.files[0].path, Path::new("a b\nc"));
        assert_eq!(status.files[1].path.as_os_str().as_bytes(), b"\xff/x y");
        assert!(matches!(
            status.files[0].state,
            DirtyState::Tracked {
                head: None,
                index: Some(_),
                changed: false,
                ..
            }
        ));
    }

    #[test]
    fn nonsense_is_no_status() {
        assert_eq!(parse(b"1 A.\0"), None);
        assert_eq!(parse(b"x y\0"), None);
        assert_eq!(parse(b"1"), None);
    }
}
