//! Which files a scope touches, and what Kite's part of each is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    clients::{Client, ClientFile},
    command::Caller,
    document::Document,
    error::Error,
    events::CLAUDE_CODE,
    exclude,
    machine::Machine,
    project::Project,
    servers, settings,
};

/// Whom a wiring is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// This user in this project. Nothing shows in the repository.
    Personal,
    /// Everybody who clones the project: files to commit.
    Team,
    /// This user in all projects.
    User,
    /// The clients beside Claude Code, for this user in all projects. Not asked for by itself:
    /// it comes with the first wired project and goes with the last.
    Clients,
}

impl Scope {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scope::Personal => "personal",
            Scope::Team => "team",
            Scope::User => "user",
            Scope::Clients => "clients",
        }
    }

    /// Who stands in the files of this scope.
    ///
    /// # Errors
    /// Where the home's path cannot be written there.
    pub(crate) fn caller(self, machine: &Machine) -> Result<Caller, Error> {
        match self {
            Scope::Team => Ok(Caller::Shared),
            Scope::Personal | Scope::User | Scope::Clients => Caller::home(&machine.home),
        }
    }
}

/// One file, and what of it is Kite's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) part: Part,
}

/// Kite's part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    /// Hooks and permissions.
    Settings,
    /// The MCP server, below these keys.
    Server { keys: Vec<String> },
    /// The line that hides the personal settings from git.
    Exclude,
    /// A file of a client beside Claude Code.
    Client(ClientFile),
}

const MODE_SHARED: u32 = 0o644;
const MODE_PRIVATE: u32 = 0o600;

impl Place {
    /// The permission bits of the file, if it must be made.
    pub(crate) fn new_mode(&self) -> u32 {
        match &self.part {
            Part::Server { .. } if self.path.ends_with(".claude.json") => MODE_PRIVATE,
            Part::Client(_) => MODE_PRIVATE,
            _ => MODE_SHARED,
        }
    }

    /// The file's text with Kite's part in it; `None` where nothing is missing.
    ///
    /// # Errors
    /// Where the file cannot be understood or has no room for Kite's part. Names the file.
    pub(crate) fn wired(
        &self,
        bytes: Option<&[u8]>,
        caller: &Caller,
    ) -> Result<Option<Vec<u8>>, Error> {
        let bytes = bytes.unwrap_or_default();
        if self.part == Part::Exclude {
            return Ok(exclude::wire(bytes));
        }
        if let Part::Client(file) = self.part {
            return file
                .wired(&self.path, bytes, caller)
                .map_err(|error| self.named(error));
        }
        let document = Document::parse(&self.path, bytes)?;
        let changed = match &self.part {
            Part::Server { keys } => servers::wire(&document, keys, caller),
            _ => settings::wire(&document, caller, &CLAUDE_CODE),
        };
        Ok(changed
            .map_err(|error| self.named(error))?
            .then(|| document.to_bytes()))
    }

    /// What is left of the file without Kite's part; `None` where it has none.
    ///
    /// # Errors
    /// As [`Place::wired`].
    pub(crate) fn unwired(
        &self,
        bytes: &[u8],
        caller: &Caller,
        original: Option<&[u8]>,
    ) -> Result<Option<Remains>, Error> {
        if self.part == Part::Exclude {
            return Ok(exclude::unwire(bytes).map(|bytes| Remains {
                empty: bytes.is_empty(),
                bytes,
            }));
        }
        if let Part::Client(file) = self.part {
            return file
                .unwired(&self.path, bytes, caller, original)
                .map_err(|error| self.named(error));
        }
        let document = Document::parse(&self.path, bytes)?;
        let original = original.map_or(Ok(Value::Null), |bytes| self.value(bytes))?;
        let changed = match &self.part {
            Part::Server { keys } => servers::unwire(&document, keys, caller, &original),
            _ => settings::unwire(&document, caller, &original),
        };
        let changed = changed.map_err(|error| self.named(error))?;
        let empty = document.root().properties().is_empty();
        Ok(changed.then(|| Remains {
            bytes: document.to_bytes(),
            empty,
        }))
    }

    /// The file's content as a value.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub(crate) fn value(&self, bytes: &[u8]) -> Result<Value, Error> {
        Ok(Document::parse(&self.path, bytes)?.value())
    }

    fn named(&self, mut error: Error) -> Error {
        let path = self.path.display().to_string();
        if !error.what.contains(&path) {
            error.what = format!("{path}: {}", error.what);
        }
        error
    }
}

/// A file without Kite's part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remains {
    pub(crate) bytes: Vec<u8>,
    /// Nothing but Kite's part was in it.
    pub(crate) empty: bool,
}

/// All files of a scope, in the order in which they are written.
pub(crate) fn places(scope: Scope, project: &Project, machine: &Machine) -> Vec<Place> {
    let settings = |path: PathBuf| Place {
        path,
        part: Part::Settings,
    };
    let server = |path: PathBuf, keys: &[&str]| Place {
        path,
        part: Part::Server {
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        },
    };
    match scope {
        Scope::Personal => {
            let key = project.client_key.to_string_lossy();
            let mut places: Vec<Place> = exclude_place(project).into_iter().collect();
            places.push(settings(project.root.join(exclude::SETTINGS)));
            places.push(server(
                machine.claude_state(),
                &["projects", key.as_ref(), "mcpServers"],
            ));
            places
        }
        Scope::Team => vec![
            settings(project.root.join(".claude/settings.json")),
            server(project.root.join(".mcp.json"), &["mcpServers"]),
        ],
        Scope::Clients => Client::found(machine)
            .flat_map(|client| client.places(machine))
            .collect(),
        Scope::User => vec![
            settings(machine.user_settings()),
            server(machine.claude_state(), &["mcpServers"]),
        ],
    }
}

fn exclude_place(project: &Project) -> Option<Place> {
    let path = project.checkout.as_ref()?.exclude_file();
    Some(Place {
        path,
        part: Part::Exclude,
    })
}
