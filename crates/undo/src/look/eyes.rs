//! Reading files for a look: with limits, and with a doubt about what changed a moment ago.

use std::path::Path;

use super::{
    Print, Sight, Was,
    stamp::{Stamp, appeared_ns, gone_ns},
};
use crate::{
    error::Error,
    history::History,
    journal::Version,
    place::{Found, Place, Shape},
};

/// Files read at one look; of more, only sizes and times are known.
const READ_FILES_MAX: usize = 2_000;
/// Bytes read at one look: data that somebody unpacked must not push out what agents edited.
const READ_BYTES_MAX: u64 = 64 << 20;
/// A file that changed so shortly before it was looked at may change again without its times
/// showing it: the kernel's clock for files goes in steps of up to 10 ms.
const STEP_NS: u64 = 20_000_000;

/// Reads files, up to the limits of one look.
pub(super) struct Eyes<'a> {
    history: &'a History,
    pub(super) top: &'a Path,
    place: Place,
    print: fn(&[u8]) -> Print,
    now_ns: u64,
    pub(super) read: usize,
    bytes_left: u64,
}

impl<'a> Eyes<'a> {
    pub(super) fn open(
        history: &'a History,
        print: fn(&[u8]) -> Print,
        now_ns: u64,
    ) -> Result<Eyes<'a>, Error> {
        Ok(Eyes {
            place: Place::open(&history.top)?,
            top: &history.top,
            history,
            print,
            now_ns,
            read: 0,
            bytes_left: READ_BYTES_MAX,
        })
    }

    /// The file as it is, its content kept.
    pub(super) fn sight(&mut self, path: &Path, stamp: Stamp, dirty: bool) -> Result<Sight, Error> {
        let (version, print) = self.version(path, stamp)?;
        // What changed while it was read, or a moment ago, is read again next time.
        let sure = stamp
            .changed_ns()
            .is_none_or(|at| at + STEP_NS < self.now_ns)
            && Stamp::of(&self.top.join(path)) == stamp;
        Ok(Sight {
            was: Was::Version(version),
            print,
            stamp: sure.then_some(stamp),
            dirty,
        })
    }

    fn version(&mut self, path: &Path, stamp: Stamp) -> Result<(Version, Option<Print>), Error> {
        let Some(bytes) = stamp.bytes() else {
            return Ok((Version::Absent, None));
        };
        let limit = self.history.settings.images.file_bytes_max;
        if bytes > limit || bytes > self.bytes_left || self.read >= READ_FILES_MAX {
            return Ok((Version::Unknown, None));
        }
        self.read += 1;
        self.bytes_left -= bytes;
        let found = match self.place.read(path, limit) {
            Ok(found) => found,
            // Unreadable, or it is a directory by now.
            Err(Error::Io { .. } | Error::Escapes { .. }) => Found::Other,
            Err(error) => return Err(error),
        };
        let keep = |bytes: &[u8], shape| self.history.keep_content(path, bytes, shape);
        Ok(match found {
            Found::Absent => (Version::Absent, None),
            Found::File { bytes, executable } => {
                let shape = match executable {
                    true => Shape::Executable,
                    false => Shape::Regular,
                };
                (keep(&bytes, shape)?, Some((self.print)(&bytes)))
            }
            Found::Symlink { target } => (keep(&target, Shape::Symlink)?, None),
            Found::TooLarge { .. } | Found::Other => (Version::Unknown, None),
        })
    }

    /// When the file became what it is. A file that was not there at `looked_ns` and is older than
    /// that came with its directory.
    pub(super) fn when(&self, path: &Path, stamp: Stamp, looked_ns: Option<u64>) -> Option<u64> {
        match (stamp.changed_ns(), looked_ns) {
            (None, _) => gone_ns(self.top, path),
            (Some(at), Some(looked_ns)) if at < looked_ns => {
                Some(at.max(appeared_ns(self.top, path).unwrap_or(0)))
            }
            (at, _) => at,
        }
    }
}
