//! Where the socket lies: bound, found again, and taken away by its owner alone.

use std::{
    env, fs, io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use kite_wire::home::{Home, SOCKET_PATH_BYTES_MAX};
use rustix::process::geteuid;
use tokio::net::UnixListener;

use super::{StartError, directory};

/// A bound socket.
#[derive(Debug)]
pub(super) struct Address {
    pub(super) path: PathBuf,
    /// Device and inode, to know it again.
    pub(super) identity: (u64, u64),
}

/// Binds the socket of `home`. Only for the holder of the lock: whatever an earlier daemon left
/// there is removed.
pub(super) fn bind(home: &Home) -> Result<(UnixListener, Address), StartError> {
    let path = choose(home)?;
    remove_stale(&path)?;
    let bound = UnixListener::bind(&path).and_then(|listener| {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        let metadata = fs::symlink_metadata(&path)?;
        Ok((listener, (metadata.dev(), metadata.ino())))
    });
    let (listener, identity) = bound.map_err(|e| {
        let message = format!("cannot listen at {}: {e}", path.display());
        StartError::new("failed", message, "set KITE_HOME to another directory")
    })?;
    Ok((listener, Address { path, identity }))
}

impl Address {
    /// Takes the socket away, if it is still this one.
    pub(super) fn unlink(&self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.identity);
        if is_ours {
            // Somebody else removed it in between: then it is gone, as it should be.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// `kite.sock` in the home. Where that path is too long for a socket: a short one, which is
/// written to the file `socket`, where clients look for it.
fn choose(home: &Home) -> Result<PathBuf, StartError> {
    let usual = home.path().join("kite.sock");
    if usual.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
        return Ok(usual);
    }
    let name = xxhash_rust::xxh3::xxh3_64(usual.as_os_str().as_encoded_bytes());
    let path = short_directory()?.join(format!("{name:016x}.sock"));
    if path.as_os_str().len() > SOCKET_PATH_BYTES_MAX {
        let message = format!(
            "the socket path {} is longer than {SOCKET_PATH_BYTES_MAX} bytes",
            path.display()
        );
        return Err(StartError::new(
            "unsuitable_home",
            message,
            "set KITE_HOME to a shorter path",
        ));
    }
    publish(home, &path).map_err(|e| directory::unusable(&home.path().join("socket"), &e))?;
    Ok(path)
}

fn publish(home: &Home, path: &Path) -> io::Result<()> {
    let new = home.path().join("socket.new");
    fs::write(&new, format!("{}\n", path.display()))?;
    fs::rename(new, home.path().join("socket"))
}

/// A directory of this user that others cannot enter, at a short path.
fn short_directory() -> Result<PathBuf, StartError> {
    let runtime = env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    if let Some(runtime) = runtime.filter(|path| path.is_absolute() && path.as_os_str().len() < 64)
    {
        let directory = runtime.join("kite");
        if make_own(&directory).is_ok() {
            return Ok(directory);
        }
    }
    let directory = PathBuf::from(format!("/tmp/kite-{}", geteuid().as_raw()));
    make_own(&directory)?;
    Ok(directory)
}

/// `/tmp` is everybody's: what lies there under our name may be another user's trap.
fn make_own(path: &Path) -> Result<(), StartError> {
    if fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir()) {
        return Err(StartError::new(
            "unsuitable_home",
            format!("{} is not a directory", path.display()),
            "remove it, or set KITE_HOME to a shorter path",
        ));
    }
    directory::make_private(path)
}

/// Removes a socket; anything else at its place is somebody's file, and stays.
fn remove_stale(path: &Path) -> Result<(), StartError> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(directory::unusable(path, &e)),
        Ok(metadata) if metadata.file_type().is_socket() => {
            fs::remove_file(path).map_err(|e| directory::unusable(path, &e))
        }
        Ok(_) => Err(StartError::new(
            "foreign_socket",
            format!("{} is in the way: it is not a socket", path.display()),
            "move it elsewhere; Kite removes nothing that is not its own",
        )),
    }
}
