//! The files of a run's directory: their names, and how they are written.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use serde::{Serialize, de::DeserializeOwned};

/// What is to run.
pub(crate) const RUN: &str = "run.json";
/// Who runs it: the supervisor and its child.
pub(crate) const PROCESSES: &str = "process.json";
/// How it ended.
pub(crate) const EXIT: &str = "exit.json";
/// Locked by the supervisor for as long as it lives.
pub(crate) const LOCK: &str = "supervisor.lock";
/// What the supervisor itself has to complain about.
pub(crate) const COMPLAINTS: &str = "supervisor.log";

/// Makes `directory` and what is missing above it, for its owner only.
pub(crate) fn make(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

/// How files of a run are opened: for their owner only.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Opens the lock of the run, which it does not take.
pub(crate) fn lock_file(directory: &Path) -> io::Result<File> {
    options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join(LOCK))
}

/// Puts a file in its place as a whole: readers see the old content or the new.
pub(crate) fn write(directory: &Path, name: &str, content: &impl Serialize) -> io::Result<()> {
    let part = directory.join(format!("{name}.part"));
    let mut options = options();
    let mut file = options
        .create(true)
        .truncate(true)
        .write(true)
        .open(&part)?;
    file.write_all(&serde_json::to_vec(content)?)?;
    place(&file, directory, name)
}

/// Makes the part file durable and gives it its name.
pub(crate) fn place(part: &File, directory: &Path, name: &str) -> io::Result<()> {
    part.sync_all()?;
    fs::rename(directory.join(format!("{name}.part")), directory.join(name))?;
    File::open(directory)?.sync_all()
}

/// Reads a file; `None` where there is none.
pub(crate) fn read<T: DeserializeOwned>(directory: &Path, name: &str) -> io::Result<Option<T>> {
    let text = match fs::read(directory.join(name)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let path = directory.join(name);
    let content = serde_json::from_slice(&text).map_err(|error| {
        let text = format!("{} cannot be read: {error}", path.display());
        io::Error::new(io::ErrorKind::InvalidData, text)
    })?;
    Ok(Some(content))
}

/// Removes a file that may be missing.
pub(crate) fn remove(directory: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(directory.join(name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
