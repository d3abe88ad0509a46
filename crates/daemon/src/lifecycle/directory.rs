//! The home directory: ours alone, and on a file system that can be trusted.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

use kite_wire::home::Home;
use rustix::process::geteuid;

use super::{StartError, file_system};

/// Makes the home where it is missing, and refuses one that cannot be used.
pub(super) fn prepare(home: &Home) -> Result<(), StartError> {
    let path = home.path();
    if holds_something_else(home).map_err(|e| unusable(path, &e))? {
        return Err(StartError::new(
            "unsuitable_home",
            format!(
                "{} is not a Kite home: it holds other files",
                path.display()
            ),
            "set KITE_HOME to a directory that is new or empty",
        ));
    }
    make_private(path)?;
    if let Some(on) = file_system(path).filter(|on| on.is_unsafe) {
        return Err(StartError::new(
            "unsuitable_home",
            format!(
                "{} lies on {}, where locks and databases are not safe",
                path.display(),
                on.name
            ),
            "set KITE_HOME to a directory on a local disk",
        ));
    }
    // Before anything else is put into it: without the marker it would look like a stranger's.
    let marker = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(home.marker());
    marker.map_err(|e| unusable(&home.marker(), &e))?;
    make_private(&path.join("log"))
}

/// True for a directory that is somebody's already: not marked as a Kite home, and neither empty
/// nor with nothing in it but Kite's configuration. To make it a home would change its mode.
///
/// # Errors
/// Where it cannot be read.
pub fn holds_something_else(home: &Home) -> io::Result<bool> {
    let is_marked = || home.marker().exists() || home.daemon_lock().exists();
    if is_marked() {
        return Ok(false);
    }
    let entries = match fs::read_dir(home.path()) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    };
    for entry in entries {
        // Another starter may have marked it since.
        if entry?.file_name() != "config.toml" && !is_marked() {
            return Ok(true);
        }
    }
    Ok(false)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_something_else_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("project");
        fs::create_dir(&path).expect("made");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("opened");
        fs::write(path.join("main.rs"), "").expect("a file");
        let home = Home::at(&path);
        let refused = prepare(&home).expect_err("somebody's project");
        assert_eq!(refused.code, "unsuitable_home");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o755);
        assert_eq!(fs::read_dir(&path).expect("readable").count(), 1);

        fs::rename(path.join("main.rs"), path.join("config.toml")).expect("renamed");
        prepare(&home).expect("written before the first start");
        fs::write(path.join("main.rs"), "").expect("a file");
        prepare(&home).expect("it is a home already");
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
