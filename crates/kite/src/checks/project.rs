//! The wiring of the project that the current directory is in.

use super::Check;
use crate::wiring::{self, Machine, Project};

/// The wiring of the project that this directory is in.
pub(super) fn project_wiring(machine: Result<Machine, wiring::Error>) -> Check {
    const NAME: &str = "wiring";
    let here = std::env::current_dir().unwrap_or_default();
    let inspected = machine.and_then(|machine| {
        let project = Project::holding(&here, &machine)?;
        Ok(wiring::inspect(&project, &machine))
    });
    let inspection = match inspected {
        Ok(inspection) => inspection,
        Err(error) => return Check::failed(NAME, &error.into()),
    };
    let root = inspection.project.root.display();
    if let Some(other) = inspection.other_home() {
        let hint = format!(
            "run `KITE_HOME={} kite uninit`, then `kite init`",
            other.display()
        );
        return Check::fail(
            NAME,
            format!("{root} is wired to another home, {}", other.display()),
            hint,
        );
    }
    let faults: Vec<&str> = inspection
        .wired()
        .flat_map(|wiring| &wiring.faults)
        .map(String::as_str)
        .collect();
    if !faults.is_empty() {
        return Check::fail(
            NAME,
            faults.join("; "),
            "correct the file, then run `kite init`",
        );
    }
    let scopes: Vec<&str> = inspection
        .wired()
        .map(|wiring| wiring.scope.name())
        .collect();
    match (inspection.is_wired(), scopes.is_empty()) {
        (true, _) if inspection.hidden_from_git == Some(false) && inspection.personal.present => {
            Check::warn(
                NAME,
                format!("{root}: the personal settings show in `git status`"),
                "run `kite init`",
            )
        }
        (true, _) => Check::ok(NAME, format!("{root} ({})", scopes.join(", "))),
        (false, true) => Check::warn(
            NAME,
            format!("{root} is not wired"),
            "run `kite init` there to guard its sessions",
        ),
        (false, false) => Check::fail(
            NAME,
            format!("{root} is wired in part ({})", scopes.join(", ")),
            "run `kite init` there",
        ),
    }
}
