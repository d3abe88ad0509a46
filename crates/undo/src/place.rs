//! Files of one working copy, read and written without ever following a symbolic link.
//!
//! Every step of a path is opened below the one before it (`openat` without following), so a
//! directory that is swapped for a link in the meantime leads nowhere.
//!
//! **Architecture Invariant:** no file of a working copy is opened elsewhere in this crate.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Component, Path, PathBuf},
};

use rustix::{
    fs::{AtFlags, FileType, Mode as Bits, OFlags},
    io::Errno,
};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Absent,
    File {
        bytes: Vec<u8>,
        executable: bool,
    },
    Symlink {
        target: Vec<u8>,
    },
    /// Larger than the caller's limit.
    TooLarge {
        bytes: u64,
    },
    /// A directory, a pipe, a socket, or something below a link: nothing that can be kept.
    Other,
}

/// What kind of file a content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    Regular,
    Executable,
    /// Its content is where it leads.
    Symlink,
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
    pub(crate) fn open(top: &Path) -> Result<Place, Error> {
        let open = rustix::fs::open(top, directory_flags(), Bits::empty());
        Ok(Place {
            top: open.map_err(|errno| Error::io("open", top)(errno.into()))?,
            path: top.to_owned(),
        })
    }

    /// What stands at a relative path. A path below a link, or through a file, is [`Found::Other`]
    /// or [`Found::Absent`]; it is never looked at through the link.
    pub(crate) fn read(&self, path: &Path, bytes_max: u64) -> Result<Found, Error> {
        self.find(path, bytes_max)
            .map_err(|errno| Error::io("read", &self.path.join(path))(errno))?
            .ok_or_else(|| Error::Escapes {
                path: path.to_owned(),
            })
    }

    fn find(&self, path: &Path, bytes_max: u64) -> io::Result<Option<Found>> {
        let Some(names) = names(path) else {
            return Ok(None);
        };
        let spot = match self.spot(&names, false) {
            Ok(spot) => spot,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(Some(Found::Absent)),
            Err(Errno::LOOP) => return Ok(Some(Found::Other)),
            Err(errno) => return Err(errno.into()),
        };
        let metadata = match stat(&spot) {
            Ok(metadata) => metadata,
            Err(Errno::NOENT) => return Ok(Some(Found::Absent)),
            Err(errno) => return Err(errno.into()),
        };
        Ok(Some(match FileType::from_raw_mode(metadata.st_mode) {
            FileType::Symlink => Found::Symlink {
                target: rustix::fs::readlinkat(&spot.directory, &spot.name, Vec::new())?
                    .into_bytes(),
            },
            FileType::RegularFile => read_file(&spot, bytes_max)?,
            _ => Found::Other,
        }))
    }

    /// Puts content at a path: a new file beside it, then a rename over it. Directories that are
    /// missing are made; what stands in the way as a link or a file is an error.
    pub(crate) fn write(&self, path: &Path, bytes: &[u8], shape: Shape) -> Result<(), Error> {
        let full = self.path.join(path);
        let names = names(path).ok_or_else(|| Error::Escapes {
            path: path.to_owned(),
        })?;
        let spot = self.spot(&names, true).map_err(|errno| match errno {
            Errno::LOOP => Error::Escapes {
                path: path.to_owned(),
            },
            errno => Error::io("make the directory of", &full)(errno.into()),
        })?;
        place_file(&spot, bytes, shape).map_err(Error::io("write", &full))
    }

    /// Removes a file or link, and the directories that this leaves empty.
    pub(crate) fn remove(&self, path: &Path) -> Result<(), Error> {
        let full = self.path.join(path);
        let mut names = names(path).ok_or_else(|| Error::Escapes {
            path: path.to_owned(),
        })?;
        let failed = |errno: Errno| Error::io("remove", &full)(errno.into());
        let spot = match self.spot(&names, false) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            other => other.map_err(failed)?,
        };
        match rustix::fs::unlinkat(&spot.directory, &spot.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(failed(errno)),
        }
        // As git does: an empty directory is nothing. One that is not empty refuses to go.
        while names.pop().is_some() && !names.is_empty() {
            let emptied = self.spot(&names, false).and_then(|spot| {
                rustix::fs::unlinkat(&spot.directory, &spot.name, AtFlags::REMOVEDIR)
            });
            if emptied.is_err() {
                break;
            }
        }
        Ok(())
    }

    fn spot(&self, names: &[&OsStr], make: bool) -> Result<Spot, Errno> {
        let (name, directories) = names.split_last().ok_or(Errno::NOENT)?;
        let mut directory = self
            .top
            .as_fd()
            .try_clone_to_owned()
            .map_err(|_| Errno::MFILE)?;
        for step in directories {
            directory = match below(&directory, step) {
                Err(Errno::NOENT) if make => {
                    match rustix::fs::mkdirat(&directory, *step, Bits::from_raw_mode(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => below(&directory, step)?,
                        Err(errno) => return Err(errno),
                    }
                }
                other => other?,
            };
        }
        Ok(Spot {
            directory,
            name: (*name).to_owned(),
        })
    }
}

/// The steps of a relative path, or `None` if it leads out of its directory or into a `.git`.
fn names(path: &Path) -> Option<Vec<&OsStr>> {
    let mut names = Vec::new();
    for component in path.components() {
        let Component::Normal(name) = component else {
            return None;
        };
        if name.eq_ignore_ascii_case(".git") || name.as_bytes().contains(&0) {
            return None;
        }
        names.push(name);
    }
    (!names.is_empty()).then_some(names)
}

/// Whether a path can be kept and brought back at all.
pub(crate) fn is_inside(path: &Path) -> bool {
    names(path).is_some()
}

fn directory_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Opens a directory below another. A link is `LOOP`, on every system.
fn below(directory: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = directory_flags() | OFlags::NOFOLLOW;
    rustix::fs::openat(directory, name, flags, Bits::empty()).map_err(|errno| {
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

fn stat(spot: &Spot) -> Result<rustix::fs::Stat, Errno> {
    rustix::fs::statat(&spot.directory, &spot.name, AtFlags::SYMLINK_NOFOLLOW)
}

fn read_file(spot: &Spot, bytes_max: u64) -> io::Result<Found> {
    // Without waiting: it may have become a pipe since it was looked at.
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(&spot.directory, &spot.name, flags, Bits::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::NOENT) => return Ok(Found::Absent),
        Err(Errno::LOOP | Errno::NXIO) => return Ok(Found::Other),
        Err(errno) => return Err(errno.into()),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(Found::Other);
    }
    let mut bytes = Vec::new();
    if metadata.len() <= bytes_max {
        file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    }
    if metadata.len() > bytes_max || bytes.len() as u64 > bytes_max {
        return Ok(Found::TooLarge {
            bytes: metadata.len(),
        });
    }
    let executable = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o100 != 0;
    Ok(Found::File { bytes, executable })
}

fn place_file(spot: &Spot, bytes: &[u8], shape: Shape) -> io::Result<()> {
    let temporary = temporary_name();
    let placed = fill(spot, &temporary, bytes, shape).and_then(|()| {
        rustix::fs::renameat(&spot.directory, &temporary, &spot.directory, &spot.name)
            .map_err(io::Error::from)
    });
    if placed.is_err() {
        // Whether it was made at all is not known; a leftover would only be clutter.
        let _ = rustix::fs::unlinkat(&spot.directory, &temporary, AtFlags::empty());
    }
    placed
}

fn fill(spot: &Spot, name: &OsStr, bytes: &[u8], shape: Shape) -> io::Result<()> {
    if matches!(shape, Shape::Symlink) {
        let target = OsStr::from_bytes(bytes);
        return Ok(rustix::fs::symlinkat(target, &spot.directory, name)?);
    }
    // A file that is there keeps its permissions, but for the executable bit.
    let before = stat(spot)
        .ok()
        .filter(|it| FileType::from_raw_mode(it.st_mode) == FileType::RegularFile)
        .map(|it| it.st_mode & 0o7777);
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let executable = matches!(shape, Shape::Executable);
    let fresh = if executable { 0o777 } else { 0o666 };
    let mut file = File::from(rustix::fs::openat(
        &spot.directory,
        name,
        flags,
        Bits::from_raw_mode(fresh),
    )?);
    if let Some(before) = before {
        let readable = (before & 0o444) >> 2;
        let mode = if executable {
            before | readable
        } else {
            before & !0o111
        };
        rustix::fs::fchmod(&file, Bits::from_raw_mode(mode))?;
    }
    file.write_all(bytes)
}

/// A name that nobody else uses: this process and a running number.
fn temporary_name() -> OsString {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(".kite-undo-{}-{number}", std::process::id()).into()
}
