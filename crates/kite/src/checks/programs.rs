//! The installed programs.

use std::path::Path;

use kite_undo::{Version, worktrees};
use kite_wire::home::Home;

use super::Check;
use crate::{
    hook,
    wiring::{BUILD, Machine},
};

pub(super) fn installed_hook(home: &Home, machine: Option<&Machine>) -> Check {
    const NAME: &str = "hook";
    let path = hook::installed(home);
    let shown = path.display();
    match std::fs::read(&path) {
        Err(cause) => Check::fail(
            NAME,
            format!("{shown}: {cause}"),
            "run `kite init` to install it",
        ),
        Ok(_) if !is_executable(&path) => Check::fail(
            NAME,
            format!("{shown} may not be run"),
            "run `kite init` to install it anew",
        ),
        Ok(bytes) if machine.is_none_or(|machine| bytes != machine.programs.hook) => Check::warn(
            NAME,
            format!("{shown} is of another build than this program ({BUILD})"),
            "run `kite init` with the newer of the two",
        ),
        Ok(_) => Check::ok(NAME, format!("{shown}, of this build")),
    }
}

pub(super) fn installed_program(home: &Home) -> Check {
    const NAME: &str = "program";
    let path = home.bin().join("kite");
    let shown = path.display();
    let same = |path: &Path| {
        let own = std::env::current_exe().and_then(std::fs::read).ok();
        std::fs::read(path).ok() == own && own.is_some()
    };
    if !path.is_file() {
        Check::fail(
            NAME,
            format!("{shown} is missing"),
            "run `kite init` to install it",
        )
    } else if !same(&path) {
        let hint = "`kite init` installs this program";
        Check::warn(
            NAME,
            format!("{shown} is another build than this program ({BUILD})"),
            hint,
        )
    } else {
        Check::ok(NAME, format!("{shown}, build {BUILD}"))
    }
}

/// The git that Kite's snapshots and comparisons are made with.
pub(super) fn git() -> Check {
    const NAME: &str = "git";
    let needed = worktrees::GIT_MIN;
    match Version::installed() {
        Err(error) => Check::warn(
            NAME,
            format!("{error}: uncommitted work is not kept before git commands"),
            "install git where the daemon's PATH finds it, and run `kite daemon restart`",
        ),
        Ok(Version(major, minor)) if Version(major, minor) < needed => Check::warn(
            NAME,
            format!(
                "{major}.{minor}: sessions in two worktrees whose changes would conflict are not told"
            ),
            format!("install git {}.{} or newer", needed.0, needed.1),
        ),
        Ok(Version(major, minor)) => Check::ok(NAME, format!("{major}.{minor}")),
    }
}

fn is_executable(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}
