//! Coding agents beside Claude Code, each as a real process that does one prompt and ends.

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
};

use serde_json::json;

use super::{Fault, Session, Stage, programs};
use crate::model::{Call, Script, marker};

/// A client beside Claude Code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Codex,
    Gemini,
    Opencode,
}

impl Client {
    pub const ALL: [Client; 3] = [Client::Codex, Client::Gemini, Client::Opencode];

    /// Its program, which is also Kite's name of it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Client::Codex => "codex",
            Client::Gemini => "gemini",
            Client::Opencode => "opencode",
        }
    }

    /// A tool of Kite's MCP server, by the name under which this client's model knows it.
    #[must_use]
    pub fn kite(self, tool: &str, input: serde_json::Value) -> Call {
        match self {
            Client::Codex => Call::kite(tool, input),
            Client::Gemini => Call::of(&format!("mcp_kite_{tool}"), input),
            Client::Opencode => Call::of(&format!("kite_{tool}"), input),
        }
    }

    /// Replaces one line of a file by another, with the client's own tool.
    #[must_use]
    pub fn edit(self, file: &str, old: &str, new: &str) -> Call {
        match self {
            Client::Codex => {
                let change = format!("*** Update File: {file}\n@@\n-{old}\n+{new}\n");
                let patch = format!("*** Begin Patch\n{change}*** End Patch");
                Call::of("apply_patch", json!({"input": patch}))
            }
            Client::Gemini => Call::of(
                "replace",
                json!({"file_path": file, "instruction": "as told", "old_string": old, "new_string": new}),
            ),
            Client::Opencode => Call::of(
                "edit",
                json!({"filePath": file, "oldString": old, "newString": new}),
            ),
        }
    }

    /// Reads a file, where the client has a tool for that.
    #[must_use]
    pub fn read(self, file: &str) -> Option<Call> {
        match self {
            Client::Codex => None,
            Client::Gemini => Some(Call::of("read_file", json!({"file_path": file}))),
            Client::Opencode => Some(Call::of("read", json!({"filePath": file}))),
        }
    }
}

/// What the clients' person has settled before Kite is there.
pub(super) fn settle(home: &Path) -> Result<(), Fault> {
    let gemini = home.join(".gemini");
    fs::create_dir(&gemini)?;
    let auth = json!({"security": {"auth": {"selectedType": "gemini-api-key"}}});
    fs::write(gemini.join("settings.json"), auth.to_string())?;
    Ok(())
}

impl Stage {
    /// Starts this client on one prompt, played by `script`. `None`: it is not on this machine, as one
    /// line has said.
    pub fn start_client(
        &self,
        client: Client,
        intent: &str,
        script: Script,
    ) -> Result<Session, Fault> {
        let name = script.name().to_owned();
        let prompt = format!("{intent}\n{}", marker(&name));
        let codex_model = codex_model(&script);
        self.model.learn(script);
        let out = self.path("out").join(format!("{name}.out"));
        let err = out.with_extension("err");
        let url = self.model.url();
        let program = programs::client(client.name())?;
        let mut command = self.command(&program);
        command
            .env_remove("KITE_HOME")
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?);
        match client {
            Client::Codex => {
                let provider = format!(
                    "model_providers.scripted={{name=\"scripted\",base_url=\"{url}/v1\",wire_api=\"responses\"}}"
                );
                command
                    .args(["exec", "--json", "--skip-git-repo-check"])
                    .arg("--dangerously-bypass-approvals-and-sandbox")
                    .arg("--dangerously-bypass-hook-trust")
                    .args(["-c", &provider, "-c", "model_provider=\"scripted\""])
                    .args(["-m", codex_model, "--", &prompt]);
            }
            Client::Gemini => {
                command
                    .env("GEMINI_API_KEY", "test")
                    .env("GOOGLE_GEMINI_BASE_URL", url)
                    .args(["--skip-trust", "--yolo", "--output-format", "json"])
                    .args(["-m", "gemini-2.5-pro", "-p", &prompt]);
            }
            Client::Opencode => {
                let provider = json!({
                    "npm": "@ai-sdk/openai-compatible",
                    "options": {"baseURL": format!("{url}/v1"), "apiKey": "test"},
                    "models": {"scripted": {"tool_call": true}},
                });
                let config = json!({"provider": {"scripted": provider}, "share": "disabled"});
                command
                    .env("OPENCODE_CONFIG_CONTENT", config.to_string())
                    .env("OPENCODE_DISABLE_AUTOUPDATE", "1")
                    .env("OPENCODE_DISABLE_MODELS_FETCH", "1")
                    .args(["run", "-m", "scripted/scripted", "--auto", "--", &prompt]);
            }
        }
        Session::adopt(command.spawn()?, name, out, err)
    }
}

/// With a model that it knows Codex offers its patch tool, but shows MCP tools only to those who search
/// for them; with any other it is the other way round.
fn codex_model(script: &Script) -> &'static str {
    match script.calls("apply_patch") {
        true => "gpt-5.5",
        false => "scripted",
    }
}
