//! Several files changed together: all of them, or none.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{error::Error, files, files::Snapshot};

/// What one file becomes.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) before: Snapshot,
    /// `None` removes the file.
    pub(crate) after: Option<Vec<u8>>,
    /// Another name beside it, under which what was there before is kept.
    pub(crate) aside: Option<Aside>,
}

/// A rename that belongs to a change. A link stays a link.
#[derive(Debug, Clone)]
pub(crate) enum Aside {
    /// Before the new file is written, the old one gets this name.
    Put(PathBuf),
    /// Instead of being removed, the file is replaced by the one with this name.
    Fetch(PathBuf),
}

/// Makes all changes. Each file must still be what it was when the change was planned.
///
/// # Errors
/// Names the file that failed. What had been written by then is put back.
pub(crate) fn commit(changes: &[Change]) -> Result<(), Error> {
    for change in changes {
        files::check_writable(&change.before)?;
    }
    for (at, change) in changes.iter().enumerate() {
        if let Err(error) = make(change) {
            return Err(rolled_back(&changes[..at], change, error));
        }
    }
    Ok(())
}

/// Removes the directories that are empty, the last first. They may be of several trees.
pub(crate) fn remove_empty_dirs(outermost_first: &[PathBuf]) {
    for dir in outermost_first.iter().rev() {
        // A directory that somebody uses by now is not empty, and stays.
        let _ = fs::remove_dir(dir);
    }
}

fn make(change: &Change) -> Result<(), Error> {
    let Snapshot {
        real,
        mode,
        missing_dirs,
        bytes,
        ..
    } = &change.before;
    if current(real)? != *bytes {
        return Err(Error::new(format!(
            "{} was changed by another program just now",
            real.display()
        ))
        .hinted("run it again"));
    }
    match (&change.after, &change.aside) {
        (Some(after), aside) => {
            for dir in missing_dirs.iter().filter(|dir| !dir.exists()) {
                fs::create_dir(dir).map_err(|cause| Error::io("make", dir, &cause))?;
            }
            let Some(Aside::Put(kept)) = aside else {
                return files::replace(real, after, *mode);
            };
            rename(real, kept)?;
            files::replace(real, after, *mode).inspect_err(|_| {
                // What failed is told; under its other name the file is not lost.
                let _ = fs::rename(kept, real);
            })
        }
        (None, Some(Aside::Fetch(kept))) => rename(kept, real),
        (None, _) => remove(real),
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(|cause| Error::io("rename", from, &cause))?;
    files::sync_dir(to.parent().unwrap_or(to));
    Ok(())
}

fn rolled_back(done: &[Change], failed: &Change, error: Error) -> Error {
    remove_empty_dirs(&failed.before.missing_dirs);
    let mut stuck = Vec::new();
    for change in done.iter().rev() {
        let Snapshot {
            real,
            bytes,
            mode,
            missing_dirs,
            ..
        } = &change.before;
        let back = match (bytes, &change.aside) {
            (_, Some(Aside::Put(kept))) => rename(kept, real),
            (Some(bytes), Some(Aside::Fetch(kept))) => {
                rename(real, kept).and_then(|()| files::replace(real, bytes, *mode))
            }
            (Some(bytes), _) => files::replace(real, bytes, *mode),
            (None, _) => remove(real),
        };
        if back.is_err() {
            stuck.push(real.display().to_string());
        }
        remove_empty_dirs(missing_dirs);
    }
    if stuck.is_empty() {
        return error;
    }
    error.hinted(format!(
        "could not be put back: {}; `kite uninit` removes Kite's part",
        stuck.join(", ")
    ))
}

fn current(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Error::io("read", path, &cause)),
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Ok(()) => Ok(()),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(Error::io("remove", path, &cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_in_the_middle_puts_back_what_was_written() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let at = |name: &str| dir.path().join(name);
        fs::write(at("kept"), "before").expect("write");
        let plan = |path: PathBuf| Change {
            before: files::snapshot(&path, 0o600).expect("snapshot"),
            after: Some(b"after".to_vec()),
            aside: None,
        };
        let changes = [
            plan(at("kept")),
            plan(at("new/deep/file")),
            plan(at("moving")),
        ];
        fs::write(at("moving"), "somebody else was here").expect("write");

        let error = commit(&changes).expect_err("the last file is not what it was");

        assert!(error.what.contains("moving"), "{error}");
        assert_eq!(fs::read_to_string(at("kept")).expect("read"), "before");
        assert!(
            !at("new").exists(),
            "directories that were made are gone again"
        );
        assert_eq!(
            fs::read_to_string(at("moving")).expect("read"),
            "somebody else was here"
        );
    }
}
