//! Reading other programs' files, and replacing them in one step.

use std::{
    fs, io,
    io::Write,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::Access;

use super::error::Error;

/// A file at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    /// As the agent names it.
    pub(crate) named: PathBuf,
    /// Behind all links: what is read and replaced, so that a link stays a link.
    pub(crate) real: PathBuf,
    /// `None` where there is no file.
    pub(crate) bytes: Option<Vec<u8>>,
    /// The permission bits of the file, or those that a new one gets.
    pub(crate) mode: u32,
    /// Directories that must be made first, the outermost first.
    pub(crate) missing_dirs: Vec<PathBuf>,
}

/// Reads a file that may be missing. `new_mode` is for the case that it is made.
///
/// # Errors
/// Where it is no regular file, or a link that leads nowhere, or cannot be read.
pub(crate) fn snapshot(named: &Path, new_mode: u32) -> Result<Snapshot, Error> {
    match fs::metadata(named) {
        Ok(meta) if meta.is_file() => Ok(Snapshot {
            named: named.to_owned(),
            real: fs::canonicalize(named).map_err(|cause| Error::io("follow", named, &cause))?,
            bytes: Some(fs::read(named).map_err(|cause| Error::io("read", named, &cause))?),
            mode: meta.permissions().mode() & 0o7777,
            missing_dirs: Vec::new(),
        }),
        Ok(_) => Err(Error::new(format!("{} is not a file", named.display()))),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            if fs::symlink_metadata(named).is_ok() {
                return Err(Error::new(format!(
                    "{} is a link that leads nowhere",
                    named.display()
                ))
                .hinted("make the file it names, or remove the link"));
            }
            absent(named, new_mode)
        }
        Err(cause) => Err(Error::io("read", named, &cause)),
    }
}

/// Whether this user may replace the file, found out without trying.
///
/// # Errors
/// Names what is in the way. A file without any write bit counts as read-only for root, too: it
/// was made so on purpose.
pub(crate) fn check_writable(snapshot: &Snapshot) -> Result<(), Error> {
    let dir = snapshot.missing_dirs.first().unwrap_or(&snapshot.real);
    let dir = dir.parent().unwrap_or(dir);
    if snapshot.bytes.is_some() && snapshot.mode & 0o222 == 0 {
        return Err(Error::new(format!("{} is read-only", snapshot.real.display())).hinted(
            "allow writing to it (chmod u+w); if another program manages it, add Kite's part there",
        ));
    }
    let meta = fs::metadata(dir).map_err(|cause| Error::io("find", dir, &cause))?;
    let by_mode = meta.permissions().mode() & 0o222 != 0;
    let by_system = rustix::fs::access(dir, Access::WRITE_OK | Access::EXEC_OK);
    match by_system {
        Ok(()) if by_mode => Ok(()),
        Ok(()) => Err(Error::new(format!("{} is read-only", dir.display()))
            .hinted("allow writing to it (chmod u+w), then run it again")),
        Err(errno) => Err(Error::io("write to", dir, &errno.into())),
    }
}

/// Replaces a file, or makes it, in one step that readers see whole or not at all.
///
/// # Errors
/// Names the file; the old one is then still there.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    let failed = |cause: io::Error| Error::io("write", path, &cause);
    let dir = path.parent().unwrap_or(Path::new("/"));
    let mut draft = tempfile::Builder::new()
        .prefix(".kite-")
        .tempfile_in(dir)
        .map_err(failed)?;
    draft.write_all(bytes).map_err(failed)?;
    draft
        .as_file()
        .set_permissions(fs::Permissions::from_mode(mode))
        .map_err(failed)?;
    draft.as_file().sync_all().map_err(failed)?;
    draft.persist(path).map_err(|error| failed(error.error))?;
    sync_dir(dir);
    Ok(())
}

/// Makes a directory and those above it, readable by this user alone.
///
/// # Errors
/// Names the directory.
pub(crate) fn make_private_dir(dir: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder
        .create(dir)
        .map_err(|cause| Error::io("make", dir, &cause))
}

/// The path behind all links, also where its end does not exist yet.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    for existing in path.ancestors() {
        if let Ok(real) = fs::canonicalize(existing) {
            // Joining nothing would add a slash.
            return match path.strip_prefix(existing) {
                Ok(rest) if rest.as_os_str().is_empty() => real,
                Ok(rest) => real.join(rest),
                Err(_) => break,
            };
        }
    }
    path.to_owned()
}

/// Best effort: a directory that cannot be synced still holds the new name.
pub(crate) fn sync_dir(dir: &Path) {
    if let Ok(dir) = fs::File::open(dir) {
        let _ = dir.sync_all();
    }
}

fn absent(named: &Path, new_mode: u32) -> Result<Snapshot, Error> {
    let mut missing = Vec::new();
    let mut at = named.parent();
    while let Some(dir) = at {
        match fs::canonicalize(dir) {
            Ok(real) if real.is_dir() => {
                let below = named.strip_prefix(dir).unwrap_or(named);
                let real_of = |path: &Path| real.join(path.strip_prefix(dir).unwrap_or(path));
                return Ok(Snapshot {
                    named: named.to_owned(),
                    real: real.join(below),
                    bytes: None,
                    mode: new_mode,
                    missing_dirs: missing
                        .iter()
                        .rev()
                        .map(|path: &PathBuf| real_of(path))
                        .collect(),
                });
            }
            Ok(_) => return Err(Error::new(format!("{} is not a directory", dir.display()))),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => missing.push(dir.to_owned()),
            Err(cause) => return Err(Error::io("find", dir, &cause)),
        }
        at = dir.parent();
    }
    Err(Error::new(format!("cannot place {}", named.display())))
}
