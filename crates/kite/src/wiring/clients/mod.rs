//! Coding agents beside Claude Code: Codex, Gemini CLI and opencode.
//!
//! None of them has settings for one project that stay outside of its repository, so their user-wide
//! files are wired: once for all projects, when the first project is, and until the last one is
//! unwired. In a project where nobody else works the hooks say nothing.

mod opencode;
mod toml_server;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    command::Caller,
    document::{Document, Syntax},
    error::Error,
    events::{CODEX, GEMINI, HookSet},
    files,
    machine::Machine,
    place::{Part, Place, Remains},
    servers::{self, Entry},
    settings,
};

/// A client that is wired beside Claude Code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Client {
    Codex,
    Gemini,
    Opencode,
}

/// One file of such a client, by what of it is Kite's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClientFile {
    /// The MCP server in Codex's `config.toml`.
    CodexConfig,
    CodexHooks,
    /// Hooks and the MCP server.
    GeminiSettings,
    /// The MCP server.
    OpencodeConfig,
    /// Kite's alone.
    OpencodePlugin,
}

impl Client {
    pub(crate) const ALL: [Client; 3] = [Client::Codex, Client::Gemini, Client::Opencode];

    /// As people call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Client::Codex => "Codex",
            Client::Gemini => "Gemini CLI",
            Client::Opencode => "opencode",
        }
    }

    /// Its program, and what the hook is told of it.
    pub(crate) fn program(self) -> &'static str {
        match self {
            Client::Codex => "codex",
            Client::Gemini => "gemini",
            Client::Opencode => "opencode",
        }
    }

    /// Whether it is on this machine: its program on the path, or its settings.
    pub(crate) fn is_found(self, machine: &Machine) -> bool {
        machine.has_program(self.program()) || self.directory(machine).is_dir()
    }

    /// The clients of this machine.
    pub(crate) fn found(machine: &Machine) -> impl Iterator<Item = Client> {
        Client::ALL
            .into_iter()
            .filter(|client| client.is_found(machine))
    }

    /// Where it keeps its user-wide settings.
    fn directory(self, machine: &Machine) -> PathBuf {
        let home = &machine.user_home;
        match self {
            Client::Codex => {
                let own = machine.codex_config.clone();
                own.unwrap_or_else(|| home.join(".codex"))
            }
            Client::Gemini => {
                let home = machine.gemini_home.as_ref().unwrap_or(home);
                home.join(".gemini")
            }
            Client::Opencode => {
                let config = machine.xdg_config.clone();
                let config = config.unwrap_or_else(|| home.join(".config"));
                config.join("opencode")
            }
        }
    }

    /// Its files, in the order in which they are written.
    pub(crate) fn places(self, machine: &Machine) -> Vec<Place> {
        let directory = self.directory(machine);
        let place = |name: &str, file: ClientFile| Place {
            path: directory.join(name),
            part: Part::Client(file),
        };
        match self {
            Client::Codex => vec![
                place("config.toml", ClientFile::CodexConfig),
                place("hooks.json", ClientFile::CodexHooks),
            ],
            Client::Gemini => vec![place("settings.json", ClientFile::GeminiSettings)],
            Client::Opencode => {
                // opencode itself writes to the first of these that is there.
                let named = ["opencode.jsonc", "opencode.json", "config.json"];
                let there = named.iter().find(|name| directory.join(name).exists());
                vec![
                    place(
                        there.unwrap_or(&"opencode.json"),
                        ClientFile::OpencodeConfig,
                    ),
                    place("plugin/kite.js", ClientFile::OpencodePlugin),
                ]
            }
        }
    }

    /// What is left for the person to do, if anything.
    pub(crate) fn next_step(self) -> Option<&'static str> {
        match self {
            Client::Codex => Some(
                "Codex runs no hook that you have not agreed to: start `codex`, open /hooks, and trust Kite's",
            ),
            Client::Gemini | Client::Opencode => None,
        }
    }
}

impl ClientFile {
    /// As [`Place::wired`].
    pub(super) fn wired(
        self,
        path: &Path,
        bytes: &[u8],
        caller: &Caller,
    ) -> Result<Option<Vec<u8>>, Error> {
        let changed = |document: Document, changed: bool| changed.then(|| document.to_bytes());
        match self {
            ClientFile::CodexConfig => toml_server::wire(bytes, caller),
            ClientFile::OpencodePlugin => opencode::wire(bytes, caller),
            ClientFile::CodexHooks => {
                let document = self.document(path, bytes)?;
                let any = settings::wire(&document, caller, &CODEX)?;
                Ok(changed(document, any))
            }
            ClientFile::GeminiSettings => {
                let document = self.document(path, bytes)?;
                let server = servers::wire_entry(&document, &GEMINI_SERVER, caller)?;
                let any = settings::wire(&document, caller, &GEMINI)? || server;
                Ok(changed(document, any))
            }
            ClientFile::OpencodeConfig => {
                let document = self.document(path, bytes)?;
                let any = servers::wire_entry(&document, &OPENCODE_SERVER, caller)?;
                Ok(changed(document, any))
            }
        }
    }

    /// As [`Place::unwired`].
    pub(super) fn unwired(
        self,
        path: &Path,
        bytes: &[u8],
        caller: &Caller,
        original: Option<&[u8]>,
    ) -> Result<Option<Remains>, Error> {
        match self {
            ClientFile::CodexConfig => return toml_server::unwire(bytes, caller, original),
            ClientFile::OpencodePlugin => return Ok(opencode::unwire(bytes, caller)),
            _ => {}
        }
        let document = self.document(path, bytes)?;
        let original = match original {
            Some(bytes) => self.document(path, bytes)?.value(),
            None => Value::Null,
        };
        let server = match self {
            ClientFile::GeminiSettings => Some(&GEMINI_SERVER),
            ClientFile::OpencodeConfig => Some(&OPENCODE_SERVER),
            _ => None,
        };
        let mut any = match server {
            Some(server) => servers::unwire_entry(&document, server, caller, &original)?,
            None => false,
        };
        if self.hooks().is_some() {
            any |= settings::unwire(&document, caller, &original)?;
        }
        let empty = document.root().properties().is_empty();
        Ok(any.then(|| Remains {
            bytes: document.to_bytes(),
            empty,
        }))
    }

    fn hooks(self) -> Option<&'static HookSet> {
        match self {
            ClientFile::CodexHooks => Some(&CODEX),
            ClientFile::GeminiSettings => Some(&GEMINI),
            _ => None,
        }
    }

    fn document(self, path: &Path, bytes: &[u8]) -> Result<Document, Error> {
        let syntax = match self {
            ClientFile::CodexHooks => Syntax::Strict,
            _ => Syntax::Comments,
        };
        Document::parse_as(path, bytes, syntax)
    }
}

const GEMINI_SERVER: Entry = Entry {
    keys: &["mcpServers"],
    value: |program| json!({ "command": program, "args": ["mcp"] }),
    program: |entry| {
        let is_ours = entry.get("args")? == &json!(["mcp"]);
        is_ours.then(|| entry.get("command")?.as_str()).flatten()
    },
};

const OPENCODE_SERVER: Entry = Entry {
    keys: &["mcp"],
    value: |program| json!({ "type": "local", "command": [program, "mcp"], "enabled": true }),
    program: |entry| match entry.get("command")?.as_array()?.as_slice() {
        [program, mcp] if mcp == "mcp" => program.as_str(),
        _ => None,
    },
};

/// How one client stands, for `kite doctor`.
#[derive(Debug, Clone)]
pub(crate) struct ClientWiring {
    pub(crate) client: Client,
    /// Every file has all of Kite's part.
    pub(crate) is_complete: bool,
    /// At least one file has some of it.
    pub(crate) is_present: bool,
    /// Files that could not be read or understood: what is wrong with them.
    pub(crate) faults: Vec<String>,
    /// The client's own command that asks Kite before an edit, as it stands in its file.
    pub(crate) hook: Option<String>,
    /// The person has agreed to the hooks, where the client asks for that.
    pub(crate) is_trusted: bool,
}

/// Looks at every client of this machine.
pub(crate) fn inspect_clients(machine: &Machine) -> Vec<ClientWiring> {
    Client::found(machine)
        .map(|client| inspect(client, machine))
        .collect()
}

fn inspect(client: Client, machine: &Machine) -> ClientWiring {
    let mut wiring = ClientWiring {
        client,
        is_complete: true,
        is_present: false,
        faults: Vec::new(),
        hook: None,
        is_trusted: true,
    };
    let caller = match Caller::home(&machine.home) {
        Ok(caller) => caller,
        Err(error) => {
            wiring.faults.push(error.to_string());
            return wiring;
        }
    };
    for place in client.places(machine) {
        if let Err(error) = wiring.look_at(&place, &caller) {
            wiring.is_complete = false;
            wiring.faults.push(error.to_string());
        }
    }
    if client == Client::Codex {
        wiring.is_trusted = toml_server::trusts_hooks(&client.directory(machine));
    }
    wiring
}

impl ClientWiring {
    fn look_at(&mut self, place: &Place, caller: &Caller) -> Result<(), Error> {
        let bytes = files::snapshot(&place.path, 0)?.bytes;
        self.is_complete &= place.wired(bytes.as_deref(), caller)?.is_none();
        let (Some(bytes), Part::Client(file)) = (bytes, &place.part) else {
            return Ok(());
        };
        self.is_present |= place.unwired(&bytes, caller, None)?.is_some();
        let found = match file {
            ClientFile::OpencodePlugin => opencode::hook(&bytes),
            _ if file.hooks().is_some() => {
                let value = file.document(&place.path, &bytes)?.value();
                settings::hooks(&value)
                    .into_iter()
                    .filter(|hook| hook.caller == *caller)
                    .filter_map(|hook| Some(hook.handler.get("command")?.as_str()?.to_owned()))
                    .find(|command| command.contains(" PreToolUse "))
            }
            _ => None,
        };
        self.hook = found.or(self.hook.take());
        Ok(())
    }
}
