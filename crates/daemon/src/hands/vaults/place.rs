//! Where a project's vault is, and what is checked out there. Read from git's own files: starting
//! git would be slow, and a repository's configuration can make git run programs.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

/// Longest file of git's that is read, in bytes.
const FILE_BYTES_MAX: u64 = 8 << 10;
/// `packed-refs` of a large repository.
const PACKED_BYTES_MAX: u64 = 16 << 20;
/// A name that leads to a name that leads to ...
const NAMES_MAX: usize = 5;

/// The main worktree of the project with this key, of which `worktree` is one. `None`: a bare
/// repository has none.
#[must_use]
pub fn main_worktree(key: &Path, worktree: &Path) -> Option<PathBuf> {
    let (own, common) = match directories(worktree) {
        Some(directories) => directories,
        // Without git, the project is its directory.
        None => return (key == worktree).then(|| worktree.to_owned()),
    };
    if own == common && worktree != common {
        // A submodule, or a git directory that lies apart: the worktree has no other beside it.
        return Some(worktree.to_owned());
    }
    let beside = common.file_name().is_some_and(|name| name == ".git");
    beside
        .then(|| common.parent().map(Path::to_owned))
        .flatten()
}

/// The commit that is checked out in a worktree, in 40 or 64 hexadecimal digits.
#[must_use]
pub fn head_of(worktree: &Path) -> Option<String> {
    let (own, common) = directories(worktree)?;
    let mut name = "HEAD".to_owned();
    for _ in 0..NAMES_MAX {
        let file = if name == "HEAD" { &own } else { &common }.join(&name);
        let text = match read(&file, FILE_BYTES_MAX) {
            Some(text) => text,
            None => packed(&common, &name)?,
        };
        let text = text.trim();
        match text.strip_prefix("ref:").map(str::trim) {
            Some(next) if is_reference(next) => name = next.to_owned(),
            Some(_) => return None,
            None => return is_commit(text).then(|| text.to_owned()),
        }
    }
    None
}

/// The git directory of a worktree, and the one that all worktrees share.
fn directories(worktree: &Path) -> Option<(PathBuf, PathBuf)> {
    let dot_git = worktree.join(".git");
    let own = if dot_git.is_dir() {
        dot_git
    } else if let Some(text) = read(&dot_git, FILE_BYTES_MAX) {
        let line = text.trim_end_matches(['\n', '\r']);
        worktree.join(line.strip_prefix("gitdir:")?.trim_start())
    } else {
        return None;
    };
    let own = fs::canonicalize(own).ok()?;
    if !own.join("HEAD").exists() {
        return None;
    }
    let common = match read(&own.join("commondir"), FILE_BYTES_MAX) {
        Some(text) => fs::canonicalize(own.join(text.trim_end_matches(['\n', '\r']))).ok()?,
        None => own.clone(),
    };
    Some((own, common))
}

fn packed(common: &Path, name: &str) -> Option<String> {
    let text = read(&common.join("packed-refs"), PACKED_BYTES_MAX)?;
    text.lines().find_map(|line| {
        let (commit, named) = line.split_once(' ')?;
        (named == name).then(|| commit.to_owned())
    })
}

/// `refs/heads/x`, and nothing that leads elsewhere.
fn is_reference(name: &str) -> bool {
    name.starts_with("refs/") && !name.split('/').any(|part| part.is_empty() || part == "..")
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|it| it.is_ascii_hexdigit())
}

fn read(file: &Path, bytes_max: u64) -> Option<String> {
    if !file.is_file() {
        return None;
    }
    let mut text = String::new();
    let file = fs::File::open(file).ok()?;
    file.take(bytes_max).read_to_string(&mut text).ok()?;
    Some(text)
}
