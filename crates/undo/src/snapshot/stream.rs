//! What `git fast-import` reads to make a snapshot's commits.

use std::{os::unix::ffi::OsStrExt, path::Path, time::Duration};

use crate::{
    error::Error,
    git::{Git, Mode, Oid, Side, Unmerged},
    hash::Hash,
    place::Shape,
    snapshot::{REFS, message::Message},
};

/// How long git may take to write a snapshot. A hook waits for it.
const WRITE_TIME_MAX: Duration = Duration::from_secs(20);

/// Changes of three trees against `HEAD`, in fast-import's words. Removals stand apart, for they
/// must come first: a removed file may have become a directory.
pub(super) struct Stream {
    head: Option<Oid>,
    index: Changes,
    worktree: Changes,
    conflicts: Changes,
    files: usize,
}

#[derive(Default)]
struct Changes {
    removed: Vec<u8>,
    modified: Vec<u8>,
}

impl Stream {
    pub(super) fn new(head: Option<Oid>) -> Stream {
        Stream {
            head,
            index: Changes::default(),
            worktree: Changes::default(),
            conflicts: Changes::default(),
            files: 0,
        }
    }

    /// A path whose index entry is not that of `HEAD`. Its file is the same until said otherwise.
    pub(super) fn stage(&mut self, path: &Path, entry: Option<&Side>) {
        for changes in [&mut self.index, &mut self.worktree] {
            match entry {
                Some(side) => changes.entry(path, side),
                None => changes.remove(path),
            }
        }
    }

    /// A path in conflict. The index commit holds ours, or nothing.
    pub(super) fn conflict(&mut self, path: &Path, unmerged: &Unmerged) {
        match &unmerged.stages[1] {
            Some(ours) => self.index.entry(path, ours),
            None => self.index.remove(path),
        }
        for (number, stage) in (1..).zip(&unmerged.stages) {
            if let Some(side) = stage {
                let at = Path::new(&format!("{number}")).join(path);
                self.conflicts.entry(&at, side);
            }
        }
    }

    /// A file's content in the work tree.
    pub(super) fn file(&mut self, path: &Path, bytes: &[u8], shape: Shape) {
        let mode = match shape {
            Shape::Regular => Mode::Regular,
            Shape::Executable => Mode::Executable,
            Shape::Symlink => Mode::Symlink,
        };
        let out = &mut self.worktree.modified;
        out.extend_from_slice(format!("M {} inline ", mode.as_str()).as_bytes());
        quote(out, path);
        data(out, bytes);
        self.files += 1;
    }

    /// A file that is not in the work tree (any more).
    pub(super) fn remove(&mut self, path: &Path) {
        // Where it is staged, the work tree's commit has been told to take it in; that comes
        // after all removals, so it is taken back at the end.
        let out = &mut self.worktree.modified;
        out.extend_from_slice(b"D ");
        quote(out, path);
        self.worktree.remove(path);
    }

    pub(super) fn has_conflicts(&self) -> bool {
        !self.conflicts.modified.is_empty()
    }

    pub(super) fn files(&self) -> usize {
        self.files
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.worktree.modified.len() + self.index.modified.len()) as u64
    }

    /// Equal for equal states: the commit checked out, the index, the files and the conflicts.
    pub(super) fn fingerprint(&self) -> String {
        let head = self.head.as_ref().map_or("", Oid::as_str);
        let mut parts: Vec<&[u8]> = vec![head.as_bytes()];
        for changes in [&self.index, &self.worktree, &self.conflicts] {
            parts.extend([changes.removed.as_slice(), changes.modified.as_slice()]);
        }
        Hash::of_parts(&parts).to_string()
    }

    /// Writes the commits and the ref, and says which commit the ref names.
    pub(super) fn commit(&self, git: &Git, number: u64, message: &Message) -> Result<Oid, Error> {
        let reference = format!("{REFS}{number}");
        let seconds = message.why.at_ms / 1000;
        let mut out = Vec::with_capacity(self.worktree.modified.len() + 4096);
        out.extend_from_slice(b"feature done\n");
        let mut commit = |mark: u8, text: &str, parents: &str, changes: &[&Changes]| {
            let start = format!(
                "reset {reference}\n\ncommit {reference}\nmark :{mark}\n\
                 committer Kite <kite@localhost> {seconds} +0000\n"
            );
            out.extend_from_slice(start.as_bytes());
            data(&mut out, text.as_bytes());
            out.extend_from_slice(parents.as_bytes());
            for changes in changes {
                out.extend_from_slice(&changes.removed);
            }
            for changes in changes {
                out.extend_from_slice(&changes.modified);
            }
            out.push(b'\n');
        };
        if self.has_conflicts() {
            commit(3, "kite: stages of conflicts\n", "", &[&self.conflicts]);
        }
        let from_head = self
            .head
            .as_ref()
            .map(|head| format!("from {head}\n"))
            .unwrap_or_default();
        commit(1, "kite: index\n", &from_head, &[&self.index]);
        let mut parents = match self.head {
            Some(_) => format!("{from_head}merge :1\n"),
            None => "from :1\n".to_owned(),
        };
        if self.has_conflicts() {
            parents.push_str("merge :3\n");
        }
        commit(2, &message.text(), &parents, &[&self.worktree]);
        import(git, out)
    }

    /// Writes one commit upon `head` with the files as they are now, under no ref.
    pub(super) fn commit_files(&self, git: &Git, head: &Oid) -> Result<Oid, Error> {
        let mut out = Vec::with_capacity(self.worktree.modified.len() + 1024);
        out.extend_from_slice(
            format!(
                "feature done\ncommit {REFS}0\nmark :2\n\
                 committer Kite <kite@localhost> 0 +0000\n"
            )
            .as_bytes(),
        );
        data(&mut out, b"kite: files as they are\n");
        out.extend_from_slice(format!("from {head}\n").as_bytes());
        out.extend_from_slice(&self.worktree.removed);
        out.extend_from_slice(&self.worktree.modified);
        // A branch that was reset to nothing is not written.
        out.extend_from_slice(format!("\nreset {REFS}0\n\n").as_bytes());
        import(git, out)
    }
}

/// Has git write the commits of a stream, and says the name of the one with mark 2.
fn import(git: &Git, mut stream: Vec<u8>) -> Result<Oid, Error> {
    stream.extend_from_slice(b"get-mark :2\ndone\n");
    let said = git
        .call("fast-import")
        .args(["--quiet", "--done", "--date-format=raw-permissive"])
        .input(stream)
        .time_max(WRITE_TIME_MAX)
        .run()?;
    Oid::parse(said.trim_ascii_end()).ok_or_else(|| Error::Unexpected {
        command: "fast-import".to_owned(),
        why: "it names no commit".to_owned(),
    })
}

impl Changes {
    fn entry(&mut self, path: &Path, side: &Side) {
        let start = format!("M {} {} ", side.mode.as_str(), side.oid);
        self.modified.extend_from_slice(start.as_bytes());
        quote(&mut self.modified, path);
    }

    fn remove(&mut self, path: &Path) {
        self.removed.extend_from_slice(b"D ");
        quote(&mut self.removed, path);
    }
}

fn data(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(format!("data {}\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.push(b'\n');
}

/// A path in quotes, with everything that is not plain text as an octal escape, and a line end.
fn quote(out: &mut Vec<u8>, path: &Path) {
    out.push(b'"');
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', *byte]),
            0x20..=0x7e => out.push(*byte),
            _ => out.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
        }
    }
    out.extend_from_slice(b"\"\n");
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

    #[test]
    fn any_path_can_be_quoted() {
        let mut out = Vec::new();
        super::quote(&mut out, Path::new(OsStr::from_bytes(b"a \"b\\\n\xff")));
        assert_eq!(out, b"\"a \\\"b\\\\\\012\\377\"\n");
    }
}
