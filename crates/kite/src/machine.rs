//! What this machine says of a directory. The only place that asks the system about disks.

use std::{io, path::Path};

/// Bytes that a user may still write to the file system of `path`.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}
