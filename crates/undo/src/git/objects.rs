//! Objects by their names: reading blobs, comparing trees, and the index entry of a path.

use std::{
    collections::HashMap,
    ffi::OsStr,
    fmt,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Git, Side};
use crate::error::Error;

/// Longest list of changes between two trees, in bytes of git's answer.
const CHANGES_BYTES_MAX: usize = 64 << 20;

/// Most content of blobs read at once.
const BLOBS_BYTES_MAX: usize = 128 << 20;

/// The name of an object, in hexadecimal. SHA-1 and SHA-256 repositories alike.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oid(String);

impl Oid {
    /// `None` if it is not an object's name, or git's "nothing" (all zeros).
    pub(crate) fn parse(text: &[u8]) -> Option<Oid> {
        let hex = matches!(text.len(), 40 | 64) && text.iter().all(u8::is_ascii_hexdigit);
        let nothing = text.iter().all(|byte| *byte == b'0');
        (hex && !nothing).then(|| Oid(String::from_utf8_lossy(text).into_owned()))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Oid {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Oid, &'static str> {
        Oid::parse(text.as_bytes()).ok_or("not an object's name")
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> String {
        oid.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What git keeps about a file besides its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Absent,
    Regular,
    Executable,
    Symlink,
    Submodule,
}

impl Mode {
    pub(crate) fn parse(text: &[u8]) -> Option<Mode> {
        match text {
            b"000000" => Some(Mode::Absent),
            b"100755" => Some(Mode::Executable),
            b"120000" => Some(Mode::Symlink),
            b"160000" => Some(Mode::Submodule),
            // 100644, and 100664 in trees of old.
            _ if text.starts_with(b"100") => Some(Mode::Regular),
            _ => None,
        }
    }

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Absent => "000000",
            Mode::Regular => "100644",
            Mode::Executable => "100755",
            Mode::Symlink => "120000",
            Mode::Submodule => "160000",
        }
    }
}

/// A path that differs between two trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeChange {
    pub path: PathBuf,
    pub before: Option<Side>,
    pub after: Option<Side>,
}

impl Git {
    /// What `name` means, or `None` if it means nothing. `name` is ours, never from outside.
    pub(crate) fn resolve(&self, name: &str) -> Result<Option<Oid>, Error> {
        let ended = self
            .call("rev-parse")
            .args(["--verify", "--quiet", "--end-of-options", name])
            .codes(|code| code == 0 || code == 1 || code == 128)
            .end()?;
        Ok(Oid::parse(ended.output.trim_ascii_end()))
    }

    /// The tree with nothing in it. Git knows it, whether it is stored or not.
    pub(crate) fn empty_tree(&self) -> Result<Oid, Error> {
        let said = self
            .call("hash-object")
            .args(["-t", "tree", "--stdin"])
            .run()?;
        Oid::parse(said.trim_ascii_end()).ok_or_else(|| odd("hash-object"))
    }

    /// Which paths differ between two trees or commits.
    pub(crate) fn changes(&self, before: &Oid, after: &Oid) -> Result<Vec<TreeChange>, Error> {
        let said = self
            .call("diff-tree")
            .args([
                "-r",
                "-z",
                "--raw",
                "--no-renames",
                "--no-abbrev",
                "--no-ext-diff",
            ])
            .args([
                "--no-textconv",
                "--end-of-options",
                before.as_str(),
                after.as_str(),
            ])
            .output_max(CHANGES_BYTES_MAX)
            .run()?;
        raw_changes(&said).ok_or_else(|| odd("diff-tree"))
    }

    /// What a tree or commit holds at each of the paths that it has, of those given.
    pub(crate) fn entries(
        &self,
        tree: &Oid,
        paths: &[PathBuf],
    ) -> Result<Vec<(PathBuf, Side)>, Error> {
        let mut found = Vec::new();
        // An argument list has a limit (a quarter of a megabyte on macOS), and ls-tree reads no
        // list of paths from standard input.
        for paths in paths.chunks(200) {
            let said = self
                .call("ls-tree")
                .args([
                    "-r",
                    "-z",
                    "--full-tree",
                    "--end-of-options",
                    tree.as_str(),
                    "--",
                ])
                .args(paths)
                .output_max(CHANGES_BYTES_MAX)
                .run()?;
            for record in said.split(|byte| *byte == 0).filter(|r| !r.is_empty()) {
                found.push(tree_entry(record).ok_or_else(|| odd("ls-tree"))?);
            }
        }
        Ok(found)
    }

    /// What the index holds at each of the paths that it has, of those given. A path in conflict
    /// appears once for each stage.
    pub(crate) fn staged(&self, paths: &[PathBuf]) -> Result<Vec<(PathBuf, Side)>, Error> {
        let mut found = Vec::new();
        for paths in paths.chunks(200) {
            let said = self
                .call("ls-files")
                .args(["-s", "-z", "--full-name", "--"])
                .args(paths)
                .output_max(CHANGES_BYTES_MAX)
                .run()?;
            for record in said.split(|byte| *byte == 0).filter(|r| !r.is_empty()) {
                found.push(index_entry(record).ok_or_else(|| odd("ls-files"))?);
            }
        }
        Ok(found)
    }

    /// The tracked files that git was told not to look at: marked `assume-unchanged` or
    /// `skip-worktree`.
    pub(crate) fn unseen(&self) -> Result<Vec<PathBuf>, Error> {
        let said = self
            .call("ls-files")
            .args(["-v", "-z", "--full-name"])
            .output_max(CHANGES_BYTES_MAX)
            .run()?;
        let mut found = Vec::new();
        for record in said.split(|byte| *byte == 0).filter(|r| !r.is_empty()) {
            // A letter, a space, and the path. Small letters are assumed to be unchanged.
            let (tag, path) = record.split_at_checked(2).ok_or_else(|| odd("ls-files"))?;
            if tag[0].is_ascii_lowercase() || tag[0] == b'S' {
                found.push(super::path(path));
            }
        }
        Ok(found)
    }

    /// Puts entries into the user's index, under git's own lock of it; `None` takes a path out.
    pub(crate) fn stage(&self, entries: &[(PathBuf, Option<Side>)]) -> Result<(), Error> {
        if entries.is_empty() {
            return Ok(());
        }
        let mut input = Vec::new();
        for (path, side) in entries {
            let line = match side {
                Some(Side { mode, oid }) => format!("{} {oid} 0\t", mode.as_str()),
                None => format!("0 {}\t", self.nothing),
            };
            input.extend_from_slice(line.as_bytes());
            input.extend_from_slice(path.as_os_str().as_bytes());
            input.push(0);
        }
        self.call("update-index")
            .args(["-z", "--index-info"])
            .input(input)
            .run()
            .map(drop)
    }

    /// Whether every commit of `older` is in `newer`.
    pub(crate) fn is_ancestor(&self, older: &Oid, newer: &Oid) -> Result<bool, Error> {
        let ended = self
            .call("merge-base")
            .args(["--is-ancestor", older.as_str(), newer.as_str()])
            .codes(|code| code == 0 || code == 1)
            .end()?;
        Ok(ended.code == 0)
    }

    /// The contents of blobs, of those that are there.
    pub(crate) fn blobs(&self, oids: &[Oid]) -> Result<HashMap<Oid, Vec<u8>>, Error> {
        if oids.is_empty() {
            return Ok(HashMap::new());
        }
        let names: String = oids.iter().map(|oid| format!("{oid}\n")).collect();
        let said = self
            .call("cat-file")
            .args(["--batch"])
            .input(names.into_bytes())
            .output_max(BLOBS_BYTES_MAX)
            .run()?;
        batch(&said).ok_or_else(|| odd("cat-file"))
    }

    /// A blob's content, or an error where it is larger than `bytes_max`.
    pub(crate) fn blob(&self, oid: &Oid, bytes_max: usize) -> Result<Vec<u8>, Error> {
        self.call("cat-file")
            .args(["blob", oid.as_str()])
            .output_max(bytes_max)
            .run()
    }
}

/// What `cat-file --batch` says of each object: `oid blob size LF content LF`, or `oid missing LF`.
fn batch(said: &[u8]) -> Option<HashMap<Oid, Vec<u8>>> {
    let mut blobs = HashMap::new();
    let mut rest = said;
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (header, after) = (&rest[..end], &rest[end + 1..]);
        let mut words = header.split(|byte| *byte == b' ');
        let oid = Oid::parse(words.next()?);
        let kind = words.next()?;
        rest = after;
        if let Some(size) = words.next() {
            let size: usize = std::str::from_utf8(size).ok()?.parse().ok()?;
            let (content, after) = rest.split_at_checked(size)?;
            rest = after.strip_prefix(b"\n")?;
            if kind == b"blob" {
                blobs.insert(oid?, content.to_vec());
            }
        }
    }
    Some(blobs)
}

/// `:oldmode newmode oldoid newoid status NUL path NUL`
fn raw_changes(said: &[u8]) -> Option<Vec<TreeChange>> {
    let mut fields = said.split(|byte| *byte == 0);
    let mut changes = Vec::new();
    while let Some(header) = fields.next().filter(|header| !header.is_empty()) {
        let mut words = header.strip_prefix(b":")?.split(|byte| *byte == b' ');
        let (before, after) = (Mode::parse(words.next()?)?, Mode::parse(words.next()?)?);
        let (old, new) = (Oid::parse(words.next()?), Oid::parse(words.next()?));
        changes.push(TreeChange {
            path: PathBuf::from(OsStr::from_bytes(fields.next()?)),
            before: old.map(|oid| Side { mode: before, oid }),
            after: new.map(|oid| Side { mode: after, oid }),
        });
    }
    Some(changes)
}

/// `mode type oid TAB path`
fn tree_entry(record: &[u8]) -> Option<(PathBuf, Side)> {
    let tab = record.iter().position(|byte| *byte == b'\t')?;
    let mut words = record[..tab].split(|byte| *byte == b' ');
    let mode = Mode::parse(words.next()?)?;
    let oid = Oid::parse(words.nth(1)?)?;
    let path = Path::new(OsStr::from_bytes(&record[tab + 1..]));
    Some((path.to_owned(), Side { mode, oid }))
}

/// `mode oid stage TAB path`
fn index_entry(record: &[u8]) -> Option<(PathBuf, Side)> {
    let tab = record.iter().position(|byte| *byte == b'\t')?;
    let mut words = record[..tab].split(|byte| *byte == b' ');
    let mode = Mode::parse(words.next()?)?;
    let oid = Oid::parse(words.next()?)?;
    let path = Path::new(OsStr::from_bytes(&record[tab + 1..]));
    Some((path.to_owned(), Side { mode, oid }))
}

fn odd(command: &str) -> Error {
    Error::Unexpected {
        command: command.to_owned(),
        why: "a record that cannot be read".to_owned(),
    }
}
