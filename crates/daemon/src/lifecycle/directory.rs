//! The home directory: ours alone, and on a file system that can be trusted.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use kite_wire::home::Home;
use rustix::process::geteuid;

use super::StartError;

/// Makes the home where it is missing, and refuses one that cannot be used.
pub(super) fn prepare(home: &Home) -> Result<(), StartError> {
    let path = home.path();
    make_private(path)?;
    make_private(&home.path().join("log"))?;
    if let Some(kind) = network_file_system(path) {
        return Err(StartError::new(
            "unsuitable_home",
            format!(
                "{} lies on {kind}, where locks and databases are not safe",
                path.display()
            ),
            "set KITE_HOME to a directory on a local disk",
        ));
    }
    let marker = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(home.marker());
    marker.map(drop).map_err(|e| unusable(&home.marker(), &e))
}

/// Makes `path` a directory of this user that nobody else can enter.
pub(super) fn make_private(path: &Path) -> Result<(), StartError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| unusable(path, &e))?;
    let metadata = fs::metadata(path).map_err(|e| unusable(path, &e))?;
    if metadata.uid() != geteuid().as_raw() {
        return Err(StartError::new(
            "unsuitable_home",
            format!("{} belongs to another user", path.display()),
            "set KITE_HOME to a directory of your own",
        ));
    }
    if metadata.mode() & 0o777 != 0o700 {
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(|e| unusable(path, &e))?;
    }
    Ok(())
}

pub(super) fn unusable(path: &Path, error: &io::Error) -> StartError {
    StartError::new(
        "unsuitable_home",
        format!("cannot use {}: {error}", path.display()),
        "make it writable for you, or set KITE_HOME to another directory",
    )
}

/// The name of the network or foreign file system that `path` lies on.
#[cfg(target_os = "linux")]
fn network_file_system(path: &Path) -> Option<&'static str> {
    let magic = rustix::fs::statfs(path).ok()?.f_type;
    network_name(u32::try_from(magic & 0xFFFF_FFFF).ok()?)
}

/// By the magic numbers of `statfs(2)`.
#[cfg(target_os = "linux")]
fn network_name(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "NFS",
        0x517B | 0xFE53_4D42 | 0xFF53_4D42 => "SMB",
        0x0102_1997 => "9p",
        0x6A65_6A63 => "virtiofs",
        0x6573_5546 => "FUSE",
        0x00C3_6400 => "Ceph",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x564C => "NCP",
        0x7375_7245 => "Coda",
        0x7461_636F => "OCFS2",
        0x0116_1970 => "GFS2",
        0x0BD0_0BD0 => "Lustre",
        _ => return None,
    })
}

/// Elsewhere the system tells the type by name; `mount` shows it.
#[cfg(not(target_os = "linux"))]
fn network_file_system(path: &Path) -> Option<&'static str> {
    let device = fs::metadata(path).ok()?.dev();
    let output = std::process::Command::new("/sbin/mount").output().ok()?;
    let mounts = String::from_utf8(output.stdout).ok()?;
    let mut kinds = mounts.lines().filter_map(|line| {
        let (_, rest) = line.split_once(" on ")?;
        let (place, options) = rest.rsplit_once(" (")?;
        let is_here = fs::metadata(place).is_ok_and(|metadata| metadata.dev() == device);
        is_here.then(|| {
            options
                .split([',', ')'])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
    });
    let kind = kinds.next()?;
    let known = [
        "nfs", "smbfs", "afpfs", "webdav", "ftp", "macfuse", "osxfuse", "9p", "virtiofs",
    ];
    known.into_iter().find(|name| *name == kind)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_and_local_ones_are_not() {
        assert_eq!(network_name(0x6969), Some("NFS"));
        assert_eq!(network_name(0x0102_1997), Some("9p"));
        for local in [
            0xEF53,
            0x5846_5342,
            0x9123_683E,
            0x0102_1994,
            0x794C_7630,
            0x2FC1_2FC1,
        ] {
            assert_eq!(
                network_name(local),
                None,
                "ext4, XFS, Btrfs, tmpfs, overlay, ZFS"
            );
        }
    }

    #[test]
    fn a_directory_is_made_private_and_a_foreign_one_is_refused() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("a/b");
        make_private(&path).expect("made");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("loosened");
        make_private(&path).expect("tightened");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o700);
        fs::write(directory.path().join("file"), "").expect("a file");
        let refused = make_private(&directory.path().join("file")).expect_err("not a directory");
        assert_eq!(refused.code, "unsuitable_home");
    }
}
