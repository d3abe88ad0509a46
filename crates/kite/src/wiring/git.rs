//! What `.git` says about a checkout, read by hand.
//!
//! **Architecture Invariant:** no git process is started but for [`setting`]. A repository's own
//! configuration can name commands to run; reading files, or one setting, runs none of them.

use std::{
    cmp::Ordering,
    ffi::OsStr,
    fs, io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use super::{error::Error, machine::Machine};

/// Longest `.git`, `commondir` or `gitdir` file that is read, in bytes.
const POINTER_BYTES_MAX: u64 = 16 * 1024;

/// Largest index that is searched, in bytes.
const INDEX_BYTES_MAX: u64 = 512 * 1024 * 1024;

const SHA1_BYTES: usize = 20;
const SHA256_BYTES: usize = 32;

/// A checkout and the repository behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkout {
    /// The top of this working tree.
    pub(crate) top: PathBuf,
    /// This working tree's own git directory.
    pub(crate) git_dir: PathBuf,
    /// The directory that all working trees of the repository share.
    pub(crate) common_dir: PathBuf,
}

impl Checkout {
    /// The checkout that holds `dir` (canonical), if any.
    ///
    /// # Errors
    /// Where a `.git` is found that cannot be followed.
    pub(crate) fn holding(dir: &Path) -> Result<Option<Checkout>, Error> {
        for top in dir.ancestors() {
            let dot_git = top.join(".git");
            match fs::metadata(&dot_git) {
                Ok(meta) if meta.is_dir() && dot_git.join("HEAD").exists() => {
                    let git_dir = canonical(&dot_git)?;
                    let top = top.to_owned();
                    return Ok(Some(Checkout {
                        top,
                        common_dir: git_dir.clone(),
                        git_dir,
                    }));
                }
                Ok(meta) if meta.is_file() => return linked(top, &dot_git).map(Some),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The main working tree; `None` where the repository has none (a bare one with worktrees).
    pub(crate) fn main_top(&self) -> Option<PathBuf> {
        if self.git_dir == self.common_dir {
            return Some(self.top.clone());
        }
        let named_git = self
            .common_dir
            .file_name()
            .is_some_and(|name| name == ".git");
        named_git
            .then(|| self.common_dir.parent().map(Path::to_owned))
            .flatten()
    }

    /// The exclude file of the repository, which git never shares.
    pub(crate) fn exclude_file(&self) -> PathBuf {
        self.common_dir.join("info/exclude")
    }
}

/// A path that git is configured with, `~` resolved, from the repository's settings, the user's and
/// the machine's: files that include each other, so git itself is asked. `None` where it is not
/// set.
///
/// # Errors
/// Where git cannot be run, or does not understand its configuration.
pub(crate) fn setting(
    checkout: &Checkout,
    machine: &Machine,
    name: &str,
) -> Result<Option<PathBuf>, Error> {
    let cannot =
        |why: String| Error::new(format!("cannot ask git for its setting {name}")).because(why);
    let mut git = Command::new("git");
    // Of a git that this runs inside of: another repository, or settings of one command.
    for name in [
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_CONFIG_PARAMETERS",
    ] {
        git.env_remove(name);
    }
    let output = git
        .arg("-C")
        .arg(&checkout.top)
        .args(["config", "--type=path", "-z", "--get", name])
        .env("HOME", &machine.user_home)
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| cannot(cause.to_string()))?;
    match output.status.code() {
        Some(0) => {
            let value = output.stdout.strip_suffix(b"\0").unwrap_or(&output.stdout);
            Ok(Some(PathBuf::from(OsStr::from_bytes(value))))
        }
        Some(1) => Ok(None),
        _ => Err(cannot(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}

/// Whether the repository's index lists `path` (relative to the top, with `/`). An index that
/// cannot be read lists nothing.
pub(crate) fn is_tracked(git_dir: &Path, path: &str) -> bool {
    let index = git_dir.join("index");
    match fs::metadata(&index) {
        Ok(meta) if meta.len() <= INDEX_BYTES_MAX => {}
        _ => return false,
    }
    let Ok(index) = fs::read(index) else {
        return false;
    };
    let with = |id_bytes| lists(&index, path.as_bytes(), id_bytes);
    with(SHA1_BYTES)
        .or_else(|| with(SHA256_BYTES))
        .unwrap_or(false)
}

/// A `.git` file: a linked worktree, a submodule, or a repository kept elsewhere.
fn linked(top: &Path, dot_git: &Path) -> Result<Checkout, Error> {
    let broken = |why: String| {
        Error::new(format!("cannot follow {}", dot_git.display()))
            .because(why)
            .hinted("`git worktree repair` may help, or name another directory")
    };
    let text = pointer(dot_git).map_err(|cause| broken(cause.to_string()))?;
    let target = text
        .strip_prefix("gitdir:")
        .map(str::trim)
        .unwrap_or_default();
    if target.is_empty() {
        return Err(broken("it does not begin with \"gitdir:\"".to_owned()));
    }
    let git_dir = canonical(&top.join(target)).map_err(|error| broken(error.to_string()))?;
    let common_dir = match pointer(&git_dir.join("commondir")) {
        Ok(text) => {
            points_back(&git_dir, dot_git).map_err(broken)?;
            canonical(&git_dir.join(text.trim())).map_err(|error| broken(error.to_string()))?
        }
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => git_dir.clone(),
        Err(cause) => return Err(broken(cause.to_string())),
    };
    Ok(Checkout {
        top: top.to_owned(),
        git_dir,
        common_dir,
    })
}

/// A worktree must be known to its repository, or a stray `.git` file could lead Kite into a
/// repository that has nothing to do with this directory.
fn points_back(git_dir: &Path, dot_git: &Path) -> Result<(), String> {
    let text = pointer(&git_dir.join("gitdir")).map_err(|cause| cause.to_string())?;
    let back = fs::canonicalize(git_dir.join(text.trim_end_matches(['\n', '\r'])));
    let here = fs::canonicalize(dot_git);
    match (back, here) {
        (Ok(back), Ok(here)) if back == here => Ok(()),
        _ => Err(format!("{} does not know this worktree", git_dir.display())),
    }
}

fn pointer(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > POINTER_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long"));
    }
    fs::read_to_string(path)
}

fn canonical(path: &Path) -> Result<PathBuf, Error> {
    fs::canonicalize(path).map_err(|cause| Error::io("find", path, &cause))
}

/// Walks the entries of an index. `None` where it is malformed, or has object ids of another size.
fn lists(index: &[u8], wanted: &[u8], id_bytes: usize) -> Option<bool> {
    const HEADER: usize = 12;
    const STAT: usize = 40;
    const EXTENDED: u16 = 0x4000;
    const LENGTH: u16 = 0x0fff;
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_be_bytes(index.get(at..at + 4)?.try_into().ok()?))
    };
    let version = word(4)?;
    if index.get(..4)? != b"DIRC" || !(2..=4).contains(&version) {
        return None;
    }
    let mut at = HEADER;
    let mut name = Vec::new();
    for _ in 0..word(8)? {
        let flags_at = at + STAT + id_bytes;
        let flags = u16::from_be_bytes(index.get(flags_at..flags_at + 2)?.try_into().ok()?);
        let mut name_at = flags_at
            + if version >= 3 && flags & EXTENDED != 0 {
                4
            } else {
                2
            };
        // Version 4 keeps the beginning of the entry before and appends to it.
        let kept = if version == 4 {
            let (dropped, next) = offset(index, name_at)?;
            name_at = next;
            name.len().checked_sub(dropped)?
        } else {
            0
        };
        let rest = index.get(name_at..)?;
        let length = rest.iter().position(|byte| *byte == 0)?;
        name.truncate(kept);
        name.extend_from_slice(&rest[..length]);
        if usize::from(flags & LENGTH) != name.len().min(usize::from(LENGTH)) {
            return None;
        }
        match name.as_slice().cmp(wanted) {
            Ordering::Equal => return Some(true),
            Ordering::Greater => return Some(false),
            Ordering::Less => {}
        }
        let end = name_at + length;
        at = if version == 4 {
            end + 1
        } else {
            at + ((end - at) / 8 + 1) * 8
        };
    }
    Some(false)
}

/// Git's variable-length number at `at`, and where it ends.
fn offset(bytes: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut byte = *bytes.get(at)?;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        at += 1;
        byte = *bytes.get(at)?;
        value = value
            .checked_add(1)?
            .checked_mul(128)?
            .checked_add(usize::from(byte & 0x7f))?;
    }
    Some((value, at + 1))
}
