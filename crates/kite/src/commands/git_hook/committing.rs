//! What a commit is about to take in, as git's own environment for its hooks says it.

use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Something in the git directory while git carries out more than one commit of a person's choice.
const IN_PROGRESS: [&str; 6] = [
    "MERGE_HEAD",
    "CHERRY_PICK_HEAD",
    "REVERT_HEAD",
    "rebase-merge",
    "rebase-apply",
    "sequencer",
];

/// The files of a commit that is about to be made.
pub(super) struct Committing {
    /// Of the working copy.
    pub(super) top: PathBuf,
    /// Relative to the top.
    pub(super) files: Vec<PathBuf>,
}

impl Committing {
    /// `None` where git does not answer, and in the middle of a merge, a rebase, a cherry-pick or
    /// a revert: what is staged then is mostly git's own doing.
    pub(super) fn read() -> Option<Committing> {
        let said = git(&["rev-parse", "--absolute-git-dir", "--show-toplevel"])?;
        let mut lines = said.split(|byte| *byte == b'\n');
        let (git_dir, top) = (path(lines.next()?), path(lines.next()?));
        if IN_PROGRESS.iter().any(|name| git_dir.join(name).exists()) {
            return None;
        }
        let head = match git(&["rev-parse", "--verify", "--quiet", "HEAD"]) {
            Some(head) => head,
            // The first commit.
            None => git(&["hash-object", "-t", "tree", "/dev/null"])?,
        };
        let head = String::from_utf8(head).ok()?;
        // The index is the one that git names in the environment: with `-a`, `--only` or
        // `--include` it is not the usual one.
        let said = git(&[
            "diff-index",
            "--cached",
            "--name-only",
            "--no-renames",
            "--no-ext-diff",
            "--ignore-submodules=none",
            "-z",
            head.trim_end(),
        ])?;
        let names = said
            .split(|byte| *byte == 0)
            .filter(|name| !name.is_empty());
        Some(Committing {
            top,
            files: names.map(path).collect(),
        })
    }

    /// The file as the daemon names it: absolute, bytes that are no UTF-8 written as `%XX`.
    pub(super) fn key(&self, file: &Path) -> String {
        let whole = self.top.join(file);
        match whole.to_str() {
            Some(text) => text.to_owned(),
            None => {
                let mut encoded = Vec::new();
                kite_wire::frame::encode(whole.as_os_str().as_encoded_bytes(), &mut encoded);
                String::from_utf8_lossy(&encoded).into_owned()
            }
        }
    }
}

/// What git says, with the environment that it gave its hook. `None` for a fault.
fn git(words: &[&str]) -> Option<Vec<u8>> {
    let output = Command::new("git")
        .arg("--no-optional-locks")
        .args(words)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then_some(output.stdout)
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}
