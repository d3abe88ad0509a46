//! How a coding agent is started, and how its end reads: one preset for each client, and those that
//! a person declares under `[agents.NAME]` in the home's `config.toml`.
//!
//! ```toml
//! [agents.mine]
//! argv = ["my-agent", "--quiet", ["--model", "{model}"], "--prompt-file", "{prompt_file}"]
//! environment = ["MY_AGENT_*"]        # more variables of the daemon's own that it gets
//! set = { MY_AGENT_COLOUR = "off" }   # variables with a value of their own
//!
//! [agents.claude]                     # a preset of Kite's, with another program and an end point
//! program = "/opt/claude/bin/claude"
//! set = { ANTHROPIC_BASE_URL = "http://127.0.0.1:9000" }
//! ```
//!
//! The task is told on standard input unless an argument takes it (`{prompt}`, `{prompt_file}`).
//!
//! **Architecture Invariant:** a preset decides nothing and remembers nothing: an order in, a command
//! out; an exit and a text in, a report out. It never makes a shell line.

mod claude;
mod codex;
mod custom;
mod environment;
mod gemini;
mod opencode;
mod plain;
mod template;

use std::{collections::BTreeMap, path::PathBuf};

pub(crate) use custom::{named, variables};
pub(crate) use environment::passes;
use template::Argument;

use crate::config::settings::agents::PermissionMode;

/// Names of the presets that are always there.
pub(crate) const BUILT_IN: [&str; 4] = ["claude", "codex", "gemini", "opencode"];

/// What is to be run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// The agent's id, 32 hexadecimal digits.
    pub(crate) agent: String,
    /// What it is told first.
    pub(crate) prompt: String,
    /// The UUID that its client's session is to have.
    pub(crate) session_id: String,
    pub(crate) model: Option<String>,
    pub(crate) max_turns: Option<u32>,
    pub(crate) budget_usd: Option<f64>,
    pub(crate) permission_mode: PermissionMode,
    /// Nothing but tools that read.
    pub(crate) reads_only: bool,
    /// The run's own directory.
    pub(crate) directory: PathBuf,
    /// Where the agent works.
    pub(crate) cwd: PathBuf,
    pub(crate) home: PathBuf,
    /// Kite's own program.
    pub(crate) kite: PathBuf,
}

/// How it is run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) argv: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
    /// Standard input.
    pub(crate) input: String,
    /// The content of the file `prompt.md` in the run's directory, where an argument names it.
    pub(crate) prompt_file: Option<String>,
    /// The client's own session id, where the client takes one that is given.
    pub(crate) client_session_id: Option<String>,
}

/// How one client is started.
#[derive(Clone, Debug)]
pub(crate) struct Preset {
    pub(crate) name: String,
    /// As its sessions are shown.
    pub(crate) client: String,
    argv: Vec<Argument>,
    /// Names of variables that it gets from the daemon's own; `PREFIX*` for all that begin so.
    environment: Vec<String>,
    /// Variables with a value; placeholders count.
    set: BTreeMap<String, String>,
    /// What a permission mode is in the client's own words, for the placeholder `{rights}`: never
    /// more than the mode, and said in every mode, so that the person's own settings add nothing.
    rights: fn(PermissionMode) -> String,
    read: fn(&End) -> Report,
}

/// What is known of a program that has ended by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct End {
    /// `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) signal: Option<i32>,
    /// The end of what it wrote to standard output.
    pub(crate) output: String,
    /// The last lines of all that it wrote.
    pub(crate) log: String,
}

impl End {
    fn is_success(&self) -> bool {
        self.code == Some(0)
    }

    /// `exit code 3`, `signal 9`.
    fn told(&self) -> String {
        match (self.code, self.signal) {
            (Some(code), _) => format!("exit code {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown end".to_owned(),
        }
    }
}

/// How a run ended, as the client tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Report {
    pub(crate) outcome: Outcome,
    /// What it said at last, or what went wrong.
    pub(crate) text: String,
    pub(crate) cost_usd: Option<f64>,
    pub(crate) turns: Option<u64>,
}

/// Kinds of ends, by what is to be done next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Outcome {
    Done,
    /// It died, or broke off: another run may do better.
    #[default]
    Died,
    /// The client's service refuses for now.
    RateLimited,
    /// The client's service does not know the person, or wants to be paid.
    Unauthorized,
    /// It has spent its budget, or taken all of its turns.
    Exhausted,
}

impl Preset {
    /// The command for an order.
    pub(crate) fn command(
        &self,
        order: &Order,
        variables: &dyn Fn(&str) -> Option<String>,
        names: &[String],
    ) -> Command {
        let mut values = order.values();
        values.insert("rights", (self.rights)(order.permission_mode));
        let argv: Vec<String> = self
            .argv
            .iter()
            .flat_map(|argument| argument.filled(&values))
            .collect();
        let takes = |name: &str| self.argv.iter().any(|argument| argument.takes(name));
        let mut environment = environment::of(&self.environment, names, variables);
        for (name, value) in &self.set {
            if let Some(value) = template::filled(value, &values) {
                environment.insert(name.clone(), value);
            }
        }
        // Whatever the person has set: by these Kite knows it again.
        environment.insert("KITE_AGENT".to_owned(), order.agent.clone());
        environment.insert("KITE_HOME".to_owned(), order.home.display().to_string());
        let told_by_argument = takes("prompt") || takes("prompt_file");
        Command {
            argv,
            environment: environment.into_iter().collect(),
            input: if told_by_argument {
                String::new()
            } else {
                order.prompt.clone()
            },
            prompt_file: takes("prompt_file").then(|| order.prompt.clone()),
            client_session_id: takes("session_id").then(|| order.session_id.clone()),
        }
    }

    /// Whether an agent of it can be held to tools that read.
    pub(crate) fn can_only_read(&self) -> bool {
        self.argv
            .iter()
            .any(|argument| argument.takes("reads_only"))
    }

    /// What the end of such a run means.
    pub(crate) fn read(&self, end: &End) -> Report {
        (self.read)(end)
    }
}

impl Order {
    /// The values of the placeholders; those that are not set have none.
    fn values(&self) -> BTreeMap<&'static str, String> {
        let path = |name: &str| self.directory.join(name).display().to_string();
        let given = [
            ("prompt", Some(self.prompt.clone())),
            ("prompt_file", Some(path("prompt.md"))),
            ("session_id", Some(self.session_id.clone())),
            ("settings", Some(path("settings.json"))),
            ("mcp_config", Some(path("mcp.json"))),
            ("directory", Some(self.directory.display().to_string())),
            ("cwd", Some(self.cwd.display().to_string())),
            ("home", Some(self.home.display().to_string())),
            ("kite", Some(self.kite.display().to_string())),
            ("agent", Some(self.agent.clone())),
            ("model", self.model.clone()),
            ("max_turns", self.max_turns.map(|turns| turns.to_string())),
            ("budget_usd", self.budget_usd.map(|usd| usd.to_string())),
            (
                "permission_mode",
                Some(self.permission_mode.name().to_owned()),
            ),
            ("reads_only", self.reads_only.then(String::new)),
            ("may_edit", self.may_edit().then(String::new)),
            ("may_all", self.may_all().then(String::new)),
        ];
        given
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    fn may_edit(&self) -> bool {
        self.permission_mode >= PermissionMode::AcceptEdits
    }

    fn may_all(&self) -> bool {
        self.permission_mode >= PermissionMode::BypassPermissions
    }
}

/// Names of all placeholders.
const PLACEHOLDERS: [&str; 18] = [
    "prompt",
    "prompt_file",
    "session_id",
    "settings",
    "mcp_config",
    "directory",
    "cwd",
    "home",
    "kite",
    "agent",
    "model",
    "max_turns",
    "budget_usd",
    "permission_mode",
    "rights",
    "reads_only",
    "may_edit",
    "may_all",
];

#[cfg(test)]
mod tests;
