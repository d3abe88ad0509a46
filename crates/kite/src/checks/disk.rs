//! The home's directory and the disk below it.

use std::os::unix::fs::MetadataExt as _;

use kite_daemon::lifecycle;
use kite_wire::home::Home;

use super::Check;
use crate::machine;

/// Below this there is cause for concern: the daemon refuses writes on a full disk.
const FREE_BYTES_LOW: u64 = 200 << 20;
/// Below this it will not be long.
const FREE_BYTES_MIN: u64 = 20 << 20;

pub(super) fn home_directory(home: &Home) -> Check {
    const NAME: &str = "home";
    let shown = home.path().display();
    match std::fs::metadata(home.path()) {
        Err(cause) => Check::fail(
            NAME,
            format!("{shown}: {cause}"),
            "run `kite init` in a project",
        ),
        Ok(found) if !found.is_dir() => Check::fail(
            NAME,
            format!("{shown} is not a directory"),
            "set KITE_HOME to a directory",
        ),
        Ok(found) if found.uid() != rustix::process::geteuid().as_raw() => Check::fail(
            NAME,
            format!("{shown} belongs to user {}", found.uid()),
            "set KITE_HOME to a directory of your own",
        ),
        Ok(found) if found.mode() & 0o077 != 0 => Check::fail(
            NAME,
            format!(
                "{shown} is open to others (mode {:o})",
                found.mode() & 0o777
            ),
            format!("chmod 700 {shown}"),
        ),
        Ok(_) => Check::ok(NAME, format!("{shown}, open to you alone")),
    }
}

pub(super) fn file_system(home: &Home) -> Check {
    const NAME: &str = "file_system";
    match lifecycle::file_system(home.path()) {
        Some(kind) if kind.is_unsafe => Check::fail(
            NAME,
            format!(
                "{}: locks and the database do not work reliably there",
                kind.name
            ),
            "set KITE_HOME to a directory on a local disk",
        ),
        Some(kind) => Check::ok(NAME, kind.name),
        None => Check::warn(
            NAME,
            "of unknown kind",
            "Kite wants a local disk; network file systems do not do",
        ),
    }
}

pub(super) fn free_space(home: &Home) -> Check {
    const NAME: &str = "disk_space";
    let Ok(free) = machine::free_bytes(home.path()) else {
        return Check::warn(NAME, "cannot be told", "see `df`");
    };
    let found = format!("{} MiB free", free >> 20);
    if free < FREE_BYTES_MIN {
        Check::fail(
            NAME,
            found,
            "free some space: a full disk makes Kite refuse writes",
        )
    } else if free < FREE_BYTES_LOW {
        Check::warn(NAME, found, "free some space soon")
    } else {
        Check::ok(NAME, found)
    }
}
