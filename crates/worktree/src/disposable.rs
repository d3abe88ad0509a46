//! Ignored files that tools make again: they are no work, and go with their worktree.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags},
    io::Errno,
};

use crate::error::Error;

/// How deep directories may lie in one another.
const DEPTH_MAX: usize = 256;

/// Names of files and directories that are disposable where git ignores them. A name that begins with
/// `*` stands for all that end with the rest of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disposable(Vec<String>);

impl Disposable {
    /// By their names, without slashes.
    #[must_use]
    pub fn named(names: &[String]) -> Disposable {
        let names = names
            .iter()
            .map(|name| name.trim_end_matches('/').to_owned());
        // One that means everything, or leads elsewhere, is none.
        let harmless = |name: &String| !["", "*", ".", "..", ".git"].contains(&name.as_str());
        Disposable(names.filter(harmless).collect())
    }

    /// Whether a file or directory of this name is.
    #[must_use]
    pub fn has(&self, name: &OsStr) -> bool {
        self.0.iter().any(|known| match known.strip_prefix('*') {
            Some(end) => name.as_bytes().ends_with(end.as_bytes()),
            None => name == known.as_str(),
        })
    }
}

/// Removes a file, or a directory with all that is in it, below `top`. A symbolic link is removed, and
/// never followed, whoever puts one there meanwhile.
pub(crate) fn remove(top: &Path, path: &Path) -> Result<(), Error> {
    let full = top.join(path);
    let failed = |errno: Errno| Error::io("remove", &full)(errno.into());
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) if name != ".git" => names.push(name),
            _ => return Err(failed(Errno::INVAL)),
        }
    }
    let (name, directories) = names.split_last().ok_or_else(|| failed(Errno::INVAL))?;
    let mut directory = rustix::fs::open(top, flags(), Mode::empty()).map_err(failed)?;
    for step in directories {
        directory = match below(&directory, step) {
            Err(Errno::NOENT) => return Ok(()),
            other => other.map_err(failed)?,
        };
    }
    remove_entry(&directory, name, DEPTH_MAX).map_err(failed)
}

fn remove_entry(directory: &OwnedFd, name: &OsStr, depth: usize) -> Result<(), Errno> {
    let kind = match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
        Err(Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(errno),
    };
    if kind != FileType::Directory {
        return gone(rustix::fs::unlinkat(directory, name, AtFlags::empty()));
    }
    let depth = depth.checked_sub(1).ok_or(Errno::NAMETOOLONG)?;
    let inside = below(directory, name)?;
    // All names first: what is removed while it is read may be skipped or told twice.
    let mut names: Vec<PathBuf> = Vec::new();
    for entry in Dir::read_from(inside.as_fd())? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).into());
        }
    }
    for name in names {
        remove_entry(&inside, name.as_os_str(), depth)?;
    }
    gone(rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR))
}

/// Somebody else may have been faster.
fn gone(removed: Result<(), Errno>) -> Result<(), Errno> {
    match removed {
        Err(Errno::NOENT) => Ok(()),
        other => other,
    }
}

fn below(directory: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(directory, name, flags() | OFlags::NOFOLLOW, Mode::empty())
}

fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, fs, os::unix::fs::symlink};

    use super::{Disposable, Path, remove};

    #[test]
    fn names_and_endings_are_known() {
        let names = ["target/", "*.pyc", "*", "..", ".git", ""].map(str::to_owned);
        let disposable = Disposable::named(&names);
        for (name, is) in [
            ("target", true),
            ("x.pyc", true),
            (".env", false),
            ("targets", false),
            (".git", false),
            ("..", false),
        ] {
            assert_eq!(disposable.has(OsStr::new(name)), is, "{name}");
        }
    }

    #[test]
    fn nothing_is_removed_through_a_link() {
        let directory = tempfile::tempdir().expect("a directory");
        let (top, elsewhere) = (directory.path().join("top"), directory.path().join("else"));
        fs::create_dir_all(top.join("target/deep")).expect("directories");
        fs::create_dir_all(elsewhere.join("target")).expect("directories");
        fs::write(elsewhere.join("target/precious"), "work").expect("a file");
        symlink(&elsewhere, top.join("target/deep/link")).expect("a link");
        symlink(&elsewhere, top.join("sub")).expect("a link");
        remove(&top, Path::new("target")).expect("removed");
        assert!(!top.join("target").exists());
        assert!(remove(&top, Path::new("sub/target")).is_err());
        assert!(remove(&top, Path::new("../else")).is_err());
        assert!(remove(&top, Path::new(".git")).is_err());
        remove(&top, Path::new("sub")).expect("the link itself goes");
        remove(&top, Path::new("not/there")).expect("what is not there is gone");
        assert_eq!(
            fs::read_to_string(elsewhere.join("target/precious")).expect("it"),
            "work"
        );
    }
}
