//! What `kite doctor` looks at.
//!
//! **Architecture Invariant:** a check looks and never changes anything. Those that concern the
//! daemon do not start it.

mod clients;
mod configuration;
mod daemon;
mod disk;
mod programs;
mod project;
mod vault;

use kite_wire::home::Home;
use serde::Serialize;

use crate::{connect::Daemon, error::Error, wiring::Machine};

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Check {
    /// A stable word for programs.
    pub(crate) name: &'static str,
    pub(crate) state: State,
    /// What was found.
    pub(crate) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

/// All checks of this home, and of the project of the current directory.
pub(crate) fn examine(home: &Home) -> Vec<Check> {
    let mut checks = vec![disk::home_directory(home)];
    if checks[0].state == State::Fail {
        return checks;
    }
    let machine = Machine::this();
    let hook = programs::installed_hook(home, machine.as_ref().ok());
    checks.extend([
        disk::file_system(home),
        disk::free_space(home),
        hook,
        programs::installed_program(home),
        programs::git(),
        configuration::configuration(home, machine.as_ref().ok()),
    ]);
    match Daemon::connect_running(home.clone()) {
        Ok(mut daemon) => {
            checks.push(daemon::daemon_build(home, &daemon));
            checks.extend(daemon::daemon_state(&mut daemon));
            checks.push(daemon::outdated_sessions(&mut daemon));
            checks.push(vault::notes(&mut daemon));
            checks.push(daemon::last_stop(&mut daemon));
            checks.push(daemon::enforcement(home));
        }
        Err(error) => checks.push(Check::failed("daemon", &error)),
    }
    if let Ok(machine) = &machine {
        checks.extend(clients::clients(home, machine));
    }
    checks.extend([daemon::stand_aside(home), project::project_wiring(machine)]);
    checks
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Check {
        Check {
            name,
            state: State::Ok,
            found: found.into(),
            hint: None,
        }
    }

    fn warn(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Check {
        Check {
            name,
            state: State::Warn,
            found: found.into(),
            hint: Some(hint.into()),
        }
    }

    fn fail(name: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Check {
        Check {
            name,
            state: State::Fail,
            found: found.into(),
            hint: Some(hint.into()),
        }
    }

    fn failed(name: &'static str, error: &Error) -> Check {
        Check {
            name,
            state: State::Fail,
            found: error.sentence(),
            hint: error.hint.clone(),
        }
    }
}
