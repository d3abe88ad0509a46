//! How a project is wired, for `kite doctor` and for `kite init` itself.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{
    command::Caller,
    document::Document,
    events::CLAUDE_CODE,
    exclude,
    machine::Machine,
    place::{Part, Place, Scope, places},
    project::Project,
    servers::{self, Owner},
    settings::{self, Gaps},
};

/// One scope, as its files stand now.
#[derive(Debug, Clone)]
pub(crate) struct Wiring {
    pub(crate) scope: Scope,
    /// The settings file.
    pub(crate) settings: PathBuf,
    /// Events, permissions and surplus hooks in it; everything is missing where it is not there.
    pub(crate) gaps: Gaps,
    /// Whether any hook or server of this scope's own caller is there.
    pub(crate) present: bool,
    /// Whether the MCP server is there and the expected one.
    pub(crate) server: bool,
    /// Another program's MCP server has Kite's name.
    pub(crate) stranger: bool,
    /// Homes other than this one that the files name.
    pub(crate) other_homes: Vec<PathBuf>,
    /// Files that could not be read or understood: what is wrong with them.
    pub(crate) faults: Vec<String>,
}

impl Wiring {
    /// Nothing is missing and nothing is out of date.
    pub(crate) fn is_complete(&self) -> bool {
        self.gaps.none() && self.server && self.faults.is_empty()
    }
}

/// All that can be said of a project without changing it.
#[derive(Debug, Clone)]
pub(crate) struct Inspection {
    pub(crate) project: Project,
    pub(crate) personal: Wiring,
    pub(crate) team: Wiring,
    pub(crate) user: Wiring,
    /// The personal settings do not show in `git status`; `None` where there is no repository.
    pub(crate) hidden_from_git: Option<bool>,
}

impl Inspection {
    /// The scopes with anything of this home, or shared, in them.
    pub(crate) fn wired(&self) -> impl Iterator<Item = &Wiring> {
        [&self.personal, &self.team, &self.user]
            .into_iter()
            .filter(|wiring| wiring.present)
    }

    /// Whether sessions in this project reach this home through at least one complete scope.
    pub(crate) fn is_wired(&self) -> bool {
        self.wired().any(Wiring::is_complete)
    }

    /// Another home that this project is wired to for this user, if any.
    pub(crate) fn other_home(&self) -> Option<&Path> {
        [&self.personal, &self.user]
            .into_iter()
            .flat_map(|w| &w.other_homes)
            .map(PathBuf::as_path)
            .next()
    }
}

/// Reads every file that could wire `project`. Files that cannot be understood are reported in
/// [`Wiring::faults`].
pub(crate) fn inspect(project: &Project, machine: &Machine) -> Inspection {
    let of = |scope| wiring(scope, project, machine);
    let hidden_from_git = project.checkout.as_ref().map(|checkout| {
        exclude::is_covered(&project.root, machine)
            || fs::read(checkout.exclude_file()).is_ok_and(|text| exclude::has_line(&text))
    });
    Inspection {
        personal: of(Scope::Personal),
        team: of(Scope::Team),
        user: of(Scope::User),
        project: project.clone(),
        hidden_from_git,
    }
}

fn wiring(scope: Scope, project: &Project, machine: &Machine) -> Wiring {
    let mut wiring = Wiring {
        scope,
        settings: PathBuf::new(),
        gaps: Gaps::default(),
        present: false,
        server: false,
        stranger: false,
        other_homes: Vec::new(),
        faults: Vec::new(),
    };
    let caller = match scope.caller(machine) {
        Ok(caller) => caller,
        Err(error) => {
            wiring.faults.push(error.to_string());
            return wiring;
        }
    };
    for place in places(scope, project, machine) {
        match &place.part {
            Part::Exclude | Part::Client(_) => {}
            Part::Settings => {
                let value = wiring.read(&place);
                wiring.settings.clone_from(&place.path);
                wiring.look_at_settings(&value, &caller);
            }
            Part::Server { keys } => {
                let value = wiring.read(&place);
                wiring.look_at_server(&value, keys, &caller);
            }
        }
    }
    wiring
}

impl Wiring {
    fn read(&mut self, place: &Place) -> Value {
        let bytes = match fs::read(&place.path) {
            Ok(bytes) => bytes,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Value::Null,
            Err(cause) => {
                self.faults
                    .push(format!("cannot read {}: {cause}", place.path.display()));
                return Value::Null;
            }
        };
        match Document::parse(&place.path, &bytes) {
            Ok(document) => document.value(),
            Err(error) => {
                let why = error.why.unwrap_or_default();
                self.faults.push(format!("{}: {why}", error.what));
                Value::Null
            }
        }
    }

    fn look_at_settings(&mut self, value: &Value, caller: &Caller) {
        self.gaps = settings::gaps(value, caller, &CLAUDE_CODE);
        for hook in settings::hooks(value) {
            self.note(hook.caller, caller);
        }
    }

    fn look_at_server(&mut self, value: &Value, keys: &[String], caller: &Caller) {
        let Some(entry) = servers::entry(value, keys) else {
            return;
        };
        self.server = servers::is_whole(entry, caller);
        match servers::owner(entry) {
            Owner::Kite(found) => self.note(found, caller),
            Owner::Stranger => self.stranger = true,
        }
    }

    fn note(&mut self, found: Caller, expected: &Caller) {
        match found {
            _ if found == *expected => self.present = true,
            Caller::Home(home) if !self.other_homes.contains(&home) => self.other_homes.push(home),
            Caller::Home(_) | Caller::Shared => {}
        }
    }
}
