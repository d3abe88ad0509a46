//! Which file systems a home may lie on. The only place that knows.
//!
//! Refused is whatever another machine can change: there `flock` and shared memory hold for this
//! machine alone, or not at all, and two daemons could write one database. FUSE does not say
//! whether it is local; those of its file systems that are known to be are let in by name.

use std::path::Path;

/// What a directory lies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// As people call it, or `type 0x...` where it is not known.
    pub name: String,
    /// A home there would not be safe.
    pub is_unsafe: bool,
}

/// What `path` lies on; `None` where the system does not say.
#[must_use]
pub fn file_system(path: &Path) -> Option<FileSystem> {
    system::file_system(path)
}

#[cfg(target_os = "linux")]
mod system {
    use std::{fs, os::unix::fs::MetadataExt, path::Path};

    use super::FileSystem;

    const FUSE: u32 = 0x6573_5546;

    /// Kinds of FUSE that keep their files on this machine. `fuseblk` is a disk (NTFS, exFAT).
    const LOCAL_FUSE: [&str; 6] = [
        "fuseblk",
        "fuse.bindfs",
        "fuse.encfs",
        "fuse.fuse-overlayfs",
        "fuse.gocryptfs",
        "fuse.mergerfs",
    ];

    pub(super) fn file_system(path: &Path) -> Option<FileSystem> {
        let magic = rustix::fs::statfs(path).ok()?.f_type & 0xFFFF_FFFF;
        let magic = u32::try_from(magic).ok()?;
        if magic == FUSE {
            let device = fs::metadata(path).ok()?.dev();
            let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            return Some(fuse(mounted_as(&mounts, device)));
        }
        Some(known(magic))
    }

    /// By the magic numbers of `statfs(2)`.
    pub(super) fn known(magic: u32) -> FileSystem {
        let (name, is_unsafe) = match magic {
            0xEF53 => ("ext4", false),
            0x9123_683E => ("Btrfs", false),
            0x5846_5342 => ("XFS", false),
            0x0102_1994 => ("tmpfs", false),
            0x794C_7630 => ("overlayfs", false),
            0x2FC1_2FC1 => ("ZFS", false),
            0xF2F5_2010 => ("F2FS", false),
            0xCA45_1A4E => ("bcachefs", false),
            0x6969 => ("NFS", true),
            0x517B | 0xFE53_4D42 | 0xFF53_4D42 => ("SMB", true),
            0x0102_1997 => ("9p", true),
            0x6A65_6A63 => ("virtiofs", true),
            0x00C3_6400 => ("Ceph", true),
            0x5346_414F | 0x6B41_4653 => ("AFS", true),
            0x564C => ("NCP", true),
            0x7375_7245 => ("Coda", true),
            0x7461_636F => ("OCFS2", true),
            0x0116_1970 => ("GFS2", true),
            0x0BD0_0BD0 => ("Lustre", true),
            _ => {
                return FileSystem {
                    name: format!("type {magic:#x}"),
                    is_unsafe: false,
                };
            }
        };
        FileSystem {
            name: name.to_owned(),
            is_unsafe,
        }
    }

    pub(super) fn fuse(kind: Option<&str>) -> FileSystem {
        FileSystem {
            name: kind.unwrap_or("FUSE").to_owned(),
            is_unsafe: !kind.is_some_and(|kind| LOCAL_FUSE.contains(&kind)),
        }
    }

    /// The type of the mount of `device`, as `/proc/self/mountinfo` has it: the word after ` - `.
    pub(super) fn mounted_as(mounts: &str, device: u64) -> Option<&str> {
        let device = format!(
            "{}:{}",
            rustix::fs::major(device),
            rustix::fs::minor(device)
        );
        mounts.lines().find_map(|line| {
            let (mount, source) = line.split_once(" - ")?;
            let is_it = mount.split(' ').nth(2) == Some(device.as_str());
            is_it.then(|| source.split(' ').next()).flatten()
        })
    }
}

/// Elsewhere the system tells the type by name; `mount` shows it.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::{fs, os::unix::fs::MetadataExt, path::Path, process::Command};

    use super::FileSystem;

    const UNSAFE: [&str; 9] = [
        "nfs", "smbfs", "afpfs", "webdav", "ftp", "macfuse", "osxfuse", "9p", "virtiofs",
    ];

    pub(super) fn file_system(path: &Path) -> Option<FileSystem> {
        let device = fs::metadata(path).ok()?.dev();
        let output = Command::new("/sbin/mount").output().ok()?;
        let mounts = String::from_utf8(output.stdout).ok()?;
        let name = mounts.lines().find_map(|line| {
            let (_, rest) = line.split_once(" on ")?;
            let (place, options) = rest.rsplit_once(" (")?;
            let is_here = fs::metadata(place).is_ok_and(|metadata| metadata.dev() == device);
            is_here.then(|| options.split([',', ')']).next()).flatten()
        })?;
        Some(FileSystem {
            name: name.to_owned(),
            is_unsafe: UNSAFE.contains(&name),
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::system::{fuse, known, mounted_as};

    #[test]
    fn what_other_machines_can_change_is_unsafe_and_a_local_disk_is_not() {
        for (magic, name) in [(0x6969, "NFS"), (0x0102_1997, "9p"), (0xFF53_4D42, "SMB")] {
            let found = known(magic);
            assert_eq!((found.name.as_str(), found.is_unsafe), (name, true));
        }
        let local = [
            0xEF53,
            0x5846_5342,
            0x9123_683E,
            0x0102_1994,
            0x794C_7630,
            0x2FC1_2FC1,
            0x1234_5678,
        ];
        for magic in local {
            assert!(!known(magic).is_unsafe, "{magic:#x}");
        }
    }

    #[test]
    fn of_fuse_only_what_is_known_to_be_local_is_safe() {
        let mounts = "22 1 0:25 / / rw shared:1 - ext4 /dev/vda rw\n\
                      40 22 0:51 / /far rw,nosuid - fuse.sshfs host:/ rw\n\
                      41 22 0:52 / /near\\040by rw - fuse.gocryptfs /plain rw\n\
                      42 22 8:17 / /stick rw - fuseblk /dev/sdb1 rw\n";
        let kind = |major, minor| mounted_as(mounts, rustix::fs::makedev(major, minor));
        assert_eq!(kind(0, 51), Some("fuse.sshfs"));
        assert!(fuse(kind(0, 51)).is_unsafe);
        assert!(!fuse(kind(0, 52)).is_unsafe);
        assert!(!fuse(kind(8, 17)).is_unsafe);
        assert!(fuse(kind(9, 9)).is_unsafe, "not mounted here: who knows");
    }
}
