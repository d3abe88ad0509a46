//! The files of one vault, read and written without ever following a symbolic link.
//!
//! Every step of a path is opened below the one before it (`openat` without following), so a
//! directory or note that is swapped for a link in the meantime leads nowhere.
//!
//! **Architecture Invariant:** no note is opened elsewhere in this crate.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::{
    fs::{AtFlags, FileType, FlockOperation, Mode, OFlags},
    io::Errno,
};

use crate::error::Error;

mod replace;

pub(crate) use replace::Placed;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Absent,
    File {
        bytes: Vec<u8>,
        stamp: Stamp,
    },
    /// Larger than the caller's limit.
    TooLarge {
        stamp: Stamp,
    },
    /// A directory, a pipe, a link, or something below a link.
    Other,
}

/// What a file looks like from outside. Another stamp: look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) bytes: u64,
    pub(crate) modified_ns: i64,
}

impl Stamp {
    /// Of what was never looked at: no file has it.
    pub(crate) const NONE: Stamp = Stamp {
        bytes: 0,
        modified_ns: i64::MIN,
    };
}

/// A directory and what is below it.
#[derive(Debug)]
pub(crate) struct Place {
    top: OwnedFd,
    path: PathBuf,
}

/// A path's directory, open, and its name in there.
struct Spot {
    directory: OwnedFd,
    name: OsString,
}

impl Place {
    /// Opens the folder `below` an anchor, through no link from the anchor on. `None` where it is
    /// not there.
    pub(crate) fn open(anchor: &Path, below: &Path) -> Result<Option<Place>, Error> {
        match Place::step_down(anchor, below, false) {
            Ok(place) => Ok(Some(place)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(refused(errno, "open", &anchor.join(below))),
        }
    }

    pub(crate) fn open_or_make(anchor: &Path, below: &Path) -> Result<Place, Error> {
        Place::step_down(anchor, below, true)
            .map_err(|errno| refused(errno, "make", &anchor.join(below)))
    }

    fn step_down(anchor: &Path, below: &Path, make: bool) -> Result<Place, Errno> {
        let mut top = rustix::fs::open(anchor, directory_flags(), Mode::empty())?;
        let mut path = anchor.to_owned();
        for component in below.components() {
            let Component::Normal(name) = component else {
                return Err(Errno::LOOP);
            };
            top = beneath(&top, name, make)?;
            path.push(name);
        }
        Ok(Place { top, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands at a relative path. It is never looked at through a link.
    pub(crate) fn read(&self, path: &Path, bytes_max: u64) -> Result<Found, Error> {
        let names = names(path).ok_or_else(|| escapes(path))?;
        let failed = |errno: io::Error| Error::io("read", &self.path.join(path))(errno);
        let spot = match self.spot(&names, false) {
            Ok(spot) => spot,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Found::Absent),
            Err(Errno::LOOP) => return Ok(Found::Other),
            Err(errno) => return Err(failed(errno.into())),
        };
        spot.read(bytes_max).map_err(failed)
    }

    /// The stamp of a regular file, or `None` where there is none.
    pub(crate) fn stamp(&self, path: &Path) -> Option<Stamp> {
        let spot = self.spot(&names(path)?, false).ok()?;
        let stat = spot.stat().ok()?;
        let regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        regular.then(|| stamp_of(&stat))
    }

    /// Makes a new note. [`Placed::Changed`] where something has that name already.
    pub(crate) fn create(&self, path: &Path, bytes: &[u8]) -> Result<Placed, Error> {
        self.placing(path, |spot| replace::create(spot, bytes))
    }

    /// Puts content in the place of what was read there. [`Placed::Changed`] where it is no
    /// longer that: nothing was done.
    pub(crate) fn replace(&self, path: &Path, read: &[u8], bytes: &[u8]) -> Result<Placed, Error> {
        self.placing(path, |spot| replace::replace(spot, read, bytes))
    }

    fn placing(
        &self,
        path: &Path,
        place: impl FnOnce(&Spot) -> io::Result<Placed>,
    ) -> Result<Placed, Error> {
        let full = self.path.join(path);
        let names = names(path).ok_or_else(|| escapes(path))?;
        let spot = self
            .spot(&names, true)
            .map_err(|errno| refused(errno, "make the directory of", &full))?;
        place(&spot).map_err(Error::io("write", &full))
    }

    /// Waits until no other writer holds the vault. The lock is on the folder itself: nothing is
    /// left lying in it.
    pub(crate) fn lock(&self, wait: Duration) -> Result<Locked, Error> {
        const LOOK_AGAIN: Duration = Duration::from_millis(3);
        let failed = |errno: Errno| Error::io("lock", &self.path)(errno.into());
        // A new open file, for a lock belongs to one.
        let directory =
            rustix::fs::openat(&self.top, ".", directory_flags(), Mode::empty()).map_err(failed)?;
        let deadline = Instant::now() + wait;
        loop {
            match rustix::fs::flock(&directory, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Locked { _file: directory }),
                Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < deadline => {
                    std::thread::sleep(LOOK_AGAIN);
                }
                Err(Errno::WOULDBLOCK | Errno::INTR) => {
                    return Err(Error::Busy {
                        vault: self.path.clone(),
                    });
                }
                Err(errno) => return Err(failed(errno)),
            }
        }
    }

    fn spot(&self, names: &[&OsStr], make: bool) -> Result<Spot, Errno> {
        let (name, directories) = names.split_last().ok_or(Errno::NOENT)?;
        let mut directory = self
            .top
            .as_fd()
            .try_clone_to_owned()
            .map_err(|_| Errno::MFILE)?;
        for step in directories {
            directory = beneath(&directory, step, make)?;
        }
        Ok(Spot {
            directory,
            name: (*name).to_owned(),
        })
    }
}

/// The right to write to a vault, until it is dropped.
#[derive(Debug)]
pub(crate) struct Locked {
    _file: OwnedFd,
}

impl Spot {
    fn stat(&self) -> Result<rustix::fs::Stat, Errno> {
        rustix::fs::statat(&self.directory, &self.name, AtFlags::SYMLINK_NOFOLLOW)
    }

    fn read(&self, bytes_max: u64) -> io::Result<Found> {
        read_at(&self.directory, &self.name, bytes_max)
    }
}

fn read_at(directory: &OwnedFd, name: &OsStr, bytes_max: u64) -> io::Result<Found> {
    // Without waiting: a pipe would never answer.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(directory, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(Found::Absent),
        Err(Errno::LOOP | Errno::NXIO | Errno::OPNOTSUPP) => return Ok(Found::Other),
        Err(errno) => return Err(errno.into()),
    };
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Ok(Found::Other);
    }
    let stamp = stamp_of(&stat);
    let mut bytes = Vec::new();
    if stamp.bytes <= bytes_max {
        bytes.reserve_exact(usize::try_from(stamp.bytes + 1).unwrap_or(0));
        file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    }
    if stamp.bytes > bytes_max || bytes.len() as u64 > bytes_max {
        return Ok(Found::TooLarge { stamp });
    }
    Ok(Found::File { bytes, stamp })
}

fn stamp_of(stat: &rustix::fs::Stat) -> Stamp {
    // The types differ between systems; the values fit.
    let nanoseconds = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Stamp {
        bytes: u64::try_from(stat.st_size).unwrap_or(0),
        modified_ns: stat
            .st_mtime
            .saturating_mul(1_000_000_000)
            .saturating_add(nanoseconds),
    }
}

/// The steps of a relative path, or `None` if it leads out of its directory or into a hidden one.
fn names(path: &Path) -> Option<Vec<&OsStr>> {
    let mut names = Vec::new();
    for component in path.components() {
        let Component::Normal(name) = component else {
            return None;
        };
        let bytes = name.as_bytes();
        if bytes.starts_with(b".") || bytes.contains(&0) {
            return None;
        }
        names.push(name);
    }
    (!names.is_empty()).then_some(names)
}

fn directory_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Opens a directory below another, and makes it where it is missing. A link is `LOOP`, on every
/// system.
fn beneath(directory: &OwnedFd, name: &OsStr, make: bool) -> Result<OwnedFd, Errno> {
    match below(directory, name) {
        Err(Errno::NOENT) if make => {
            match rustix::fs::mkdirat(directory, name, Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => below(directory, name),
                Err(errno) => Err(errno),
            }
        }
        other => other,
    }
}

fn below(directory: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = directory_flags() | OFlags::NOFOLLOW;
    rustix::fs::openat(directory, name, flags, Mode::empty()).map_err(|errno| {
        let link = || {
            rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)
                .is_ok_and(|it| FileType::from_raw_mode(it.st_mode) == FileType::Symlink)
        };
        match errno {
            Errno::NOTDIR if link() => Errno::LOOP,
            errno => errno,
        }
    })
}

fn escapes(path: &Path) -> Error {
    Error::Escapes {
        path: path.to_owned(),
    }
}

fn refused(errno: Errno, doing: &'static str, path: &Path) -> Error {
    match errno {
        Errno::LOOP => escapes(path),
        errno => Error::io(doing, path)(errno.into()),
    }
}

/// Writes a file that was not there before, and waits until it is on the disk.
fn fill(directory: &OwnedFd, name: &OsStr, bytes: &[u8], mode: Option<Mode>) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fresh = Mode::from_raw_mode(0o666);
    let mut file = File::from(rustix::fs::openat(directory, name, flags, fresh)?);
    if let Some(mode) = mode {
        rustix::fs::fchmod(&file, mode)?;
    }
    file.write_all(bytes)?;
    file.sync_all()
}
