//! What this machine says of a directory. The only place that asks the system about disks.

use std::{io, path::Path};

/// A file system, as far as Kite cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileSystem {
    pub(crate) name: String,
    /// File locks and memory maps do not work reliably on it.
    pub(crate) is_network: bool,
}

/// Bytes that a user may still write to the file system of `path`.
pub(crate) fn free_bytes(path: &Path) -> io::Result<u64> {
    let found = rustix::fs::statvfs(path)?;
    Ok(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The file system that `path` is on; `None` where the system does not say.
#[cfg(target_os = "linux")]
pub(crate) fn file_system(path: &Path) -> Option<FileSystem> {
    const KNOWN: &[(i64, &str, bool)] = &[
        (0x0000_ef53, "ext4", false),
        (0x9123_683e, "btrfs", false),
        (0x5846_5342, "xfs", false),
        (0x0102_1994, "tmpfs", false),
        (0x794c_7630, "overlayfs", false),
        (0x2fc1_2fc1, "zfs", false),
        (0xf2f5_2010, "f2fs", false),
        (0xca45_1a4e, "bcachefs", false),
        (0x0000_6969, "NFS", true),
        (0x517b, "SMB", true),
        (0xff53_4d42, "CIFS", true),
        (0xfe53_4d42, "SMB2", true),
        (0x6573_5546, "FUSE", true),
        (0x0102_1997, "9P", true),
        (0x00c3_6400, "Ceph", true),
        (0x5346_414f, "AFS", true),
    ];
    let magic = rustix::fs::statfs(path).ok()?.f_type & 0xffff_ffff;
    let known = KNOWN.iter().find(|(known, ..)| *known == magic);
    Some(match known {
        Some((_, name, is_network)) => FileSystem {
            name: (*name).to_owned(),
            is_network: *is_network,
        },
        None => FileSystem {
            name: format!("type {magic:#x}"),
            is_network: false,
        },
    })
}

/// Other systems are not asked: the daemon's own check at its start decides.
#[cfg(not(target_os = "linux"))]
pub(crate) fn file_system(_path: &Path) -> Option<FileSystem> {
    None
}
