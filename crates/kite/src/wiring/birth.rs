//! What an agent that Kite starts is born with: settings of its own, in the directory of its run,
//! that tie it to Kite although no file of the project or of the person says so.
//!
//! Hooks are written as `kite init` writes them, to the letter: a client runs identical commands once,
//! also where they come from two files.
//!
//! **Architecture Invariant:** nothing outside of the run's directory is changed, but that Kite's
//! programs are installed in its home where they are missing.

use std::{io, path::Path};

use serde_json::{Map, Value, json};

use super::{
    clients::{Client, ClientFile, inspect_clients},
    command::Caller,
    document::{Document, Syntax},
    error::Error,
    events::{CLAUDE_CODE, SERVER},
    files,
    install::install,
    machine::Machine,
    report::Report,
    settings,
};

/// The files, by the names that presets give their programs.
const CLAUDE_SETTINGS: &str = "settings.json";
const CLAUDE_SERVERS: &str = "mcp.json";
const GEMINI_SETTINGS: &str = "gemini.json";
const OPENCODE_CONFIG: &str = "opencode.json";
const MODE: u32 = 0o600;

/// Writes the files into the directory of a run, which is called by its agent's id.
///
/// # Errors
/// Where the home cannot be named in a settings file, or writing fails.
pub(crate) fn write_birth_files(directory: &Path) -> io::Result<()> {
    let machine = Machine::this().map_err(told)?;
    let agent = directory.file_name().and_then(|name| name.to_str());
    let agent = agent.ok_or_else(|| io::Error::other("the run's directory has no name"))?;
    let birth = Birth {
        directory,
        agent,
        machine: &machine,
        caller: Caller::home(&machine.home).map_err(told)?,
    };
    birth.write().map_err(told)
}

fn told(error: Error) -> io::Error {
    io::Error::other(error.to_string())
}

struct Birth<'a> {
    directory: &'a Path,
    agent: &'a str,
    machine: &'a Machine,
    caller: Caller,
}

impl Birth<'_> {
    fn write(&self) -> Result<(), Error> {
        if !self.machine.home.bin().join("kite-hook").is_file() {
            install(self.machine, false, &mut Silent)?;
        }
        self.put(CLAUDE_SETTINGS, &self.claude_settings()?)?;
        let mut server = self.caller.server();
        server["env"] = self.variables();
        self.put_json(CLAUDE_SERVERS, &json!({ "mcpServers": { SERVER: server } }))?;
        self.put_json(GEMINI_SETTINGS, &self.gemini_settings()?)?;
        let mut opencode = self.of_client(ClientFile::OpencodeConfig)?;
        opencode["mcp"][SERVER]["environment"] = self.variables();
        self.put_json(OPENCODE_CONFIG, &opencode)
    }

    /// Hooks, and the coordination tools allowed by name.
    fn claude_settings(&self) -> Result<Vec<u8>, Error> {
        let path = self.directory.join(CLAUDE_SETTINGS);
        let document = Document::parse_as(&path, b"{}", Syntax::Strict)?;
        settings::wire(&document, &self.caller, &CLAUDE_CODE)?;
        Ok(document.to_bytes())
    }

    /// The server, and the hooks unless the person's own settings have them: both would run.
    fn gemini_settings(&self) -> Result<Value, Error> {
        let mut gemini = self.of_client(ClientFile::GeminiSettings)?;
        gemini["mcpServers"][SERVER]["env"] = self.variables();
        // Where nobody is asked, its way out of a plan leads to all rights.
        gemini["general"]["plan"]["enabled"] = json!(false);
        let wired = inspect_clients(self.machine);
        let is_wired = |client: Client| {
            let mut found = wired.iter().filter(|wiring| wiring.client == client);
            found.any(|wiring| wiring.is_present)
        };
        if is_wired(Client::Gemini)
            && let Some(object) = gemini.as_object_mut()
        {
            object.remove("hooks");
        }
        Ok(gemini)
    }

    /// What `kite init` writes into an empty file.
    fn of_client(&self, file: ClientFile) -> Result<Value, Error> {
        let bytes = file.wired(self.directory, b"{}", &self.caller)?;
        let bytes = bytes.unwrap_or_else(|| b"{}".to_vec());
        serde_json::from_slice(&bytes).map_err(|cause| {
            Error::new("the settings of an agent came out wrong").because(cause.to_string())
        })
    }

    /// By these Kite knows the agent's server, whatever the client hides of its own environment.
    fn variables(&self) -> Value {
        let home = self.machine.home.path().display().to_string();
        let variables = [("KITE_AGENT", self.agent.to_owned()), ("KITE_HOME", home)];
        let variables = variables.into_iter();
        Value::Object(
            variables
                .map(|(name, value)| (name.to_owned(), Value::String(value)))
                .collect::<Map<_, _>>(),
        )
    }

    fn put_json(&self, name: &str, value: &Value) -> Result<(), Error> {
        self.put(name, format!("{value:#}\n").as_bytes())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        files::replace(&self.directory.join(name), bytes, MODE)
    }
}

/// Nobody is there to be told or asked.
struct Silent;

impl Report for Silent {
    fn say(&mut self, _line: &str) {}

    fn diff(&mut self, _diff: &str) {}

    fn ask(&mut self, _question: &str) -> Option<bool> {
        None
    }
}
