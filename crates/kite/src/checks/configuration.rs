//! What is wrong in the configuration files and variables.

use kite_daemon::config::{self, Problem};
use kite_wire::home::Home;

use super::Check;
use crate::wiring::{Machine, Project};

/// The home's configuration, and that of the repository of the current directory.
pub(super) fn configuration(home: &Home, machine: Option<&Machine>) -> Check {
    const NAME: &str = "configuration";
    let loaded = config::load(home.path(), &config::process_environment);
    let mut problems = loaded.problems;
    let here = std::env::current_dir().unwrap_or_default();
    let project = machine.and_then(|machine| Project::holding(&here, machine).ok());
    if let Some(checkout) = project.and_then(|project| project.checkout)
        && checkout.top.join(".kite") != home.path()
    {
        let own =
            config::for_repository(&loaded.config, &checkout.top, &config::process_environment);
        problems.extend(own.problems);
        problems.extend(config::tools::of_repository(&checkout.top).problems);
    }
    if problems.is_empty() {
        return Check::ok(NAME, "understood");
    }
    let told: Vec<String> = problems.iter().map(Problem::to_string).collect();
    let hint = "correct it, then run `kite daemon restart`; `kite config` lists the settings";
    if problems.iter().any(|problem| problem.is_error) {
        Check::fail(NAME, told.join("; "), hint)
    } else {
        Check::warn(NAME, told.join("; "), hint)
    }
}
