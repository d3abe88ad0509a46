//! Running the installed hook as an agent would: the proof and the demo speak through it.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use kite_wire::home::Home;
use serde_json::{Value, json};

use crate::error::Error;

/// A made-up Claude Code session that calls the hook.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) hook: PathBuf,
    pub(crate) home: PathBuf,
    /// The process that stands for the agent.
    pub(crate) pid: u32,
    pub(crate) session_id: String,
    /// Where it works.
    pub(crate) dir: PathBuf,
}

/// What the hook made of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The agent goes on.
    Allowed,
    /// The tool call is refused, in these words.
    Denied(String),
}

/// A verdict, and how long the whole call of the hook took.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    pub(crate) took: Duration,
}

/// Where the hook of a home is installed.
#[must_use]
pub(crate) fn installed(home: &Home) -> PathBuf {
    home.bin().join("kite-hook")
}

impl Agent {
    /// An agent of this home.
    pub(crate) fn new(home: &Home, pid: u32, session_id: &str, dir: &Path) -> Agent {
        Agent {
            hook: installed(home),
            home: home.path().to_owned(),
            pid,
            session_id: session_id.to_owned(),
            dir: dir.to_owned(),
        }
    }

    /// A hook event without a tool: `SessionStart`, `UserPromptSubmit`,
    /// `PostToolBatch`, `Stop`, `SessionEnd`.
    pub(crate) fn event(&self, event: &str, more: Value) -> Result<Answer, Error> {
        let mut input = json!({
            "session_id": self.session_id,
            "transcript_path": self.dir.join("transcript.jsonl"),
            "cwd": self.dir,
            "permission_mode": "default",
            "hook_event_name": event,
        });
        if let (Value::Object(input), Value::Object(more)) = (&mut input, more) {
            input.extend(more);
        }
        self.call(event, &input)
    }

    /// Before a tool call. `tool_input` is in the client's own form.
    pub(crate) fn before(
        &self,
        tool: &str,
        tool_use_id: &str,
        tool_input: &Value,
    ) -> Result<Answer, Error> {
        let call =
            json!({ "tool_name": tool, "tool_use_id": tool_use_id, "tool_input": tool_input });
        self.event("PreToolUse", call)
    }

    /// After a tool call that worked.
    pub(crate) fn after(
        &self,
        tool: &str,
        tool_use_id: &str,
        tool_input: &Value,
    ) -> Result<Answer, Error> {
        let call = json!({
            "tool_name": tool,
            "tool_use_id": tool_use_id,
            "tool_input": tool_input,
            "tool_response": { "filePath": tool_input["file_path"] },
        });
        self.event("PostToolUse", call)
    }

    fn call(&self, event: &str, input: &Value) -> Result<Answer, Error> {
        let failed = |cause: io::Error| {
            Error::failed(format!("cannot run the hook {}", self.hook.display()))
                .because(cause)
                .hinted("run `kite init` to install it")
        };
        let mut command = Command::new(&self.hook);
        command
            .arg(event)
            .current_dir(&self.dir)
            .env("KITE_HOME", &self.home)
            .env("CLAUDE_PID", self.pid.to_string())
            .env("CLAUDE_CODE_SESSION_ID", &self.session_id)
            .env("CLAUDE_PROJECT_DIR", &self.dir);
        answered(command, input).map_err(failed)
    }
}

/// Runs the hook command of another client as that client does: through a shell.
pub(crate) fn run_command(command: &str, dir: &Path, input: &Value) -> Result<Answer, Error> {
    let failed = |cause: io::Error| {
        Error::failed(format!("cannot run `{command}`"))
            .because(cause)
            .hinted("run `kite init` to install it")
    };
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(dir);
    answered(shell, input).map_err(failed)
}

/// Gives a hook its input, as a client does, and waits for what it says.
fn answered(mut hook: Command, input: &Value) -> io::Result<Answer> {
    let began = Instant::now();
    let mut child = hook
        .env_remove("KITE_SESSION")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook that does not read its input has its reasons, seen in its output.
        let _ = stdin.write_all(input.to_string().as_bytes());
    }
    let output = child.wait_with_output()?;
    Ok(Answer {
        verdict: verdict(&output),
        took: began.elapsed(),
    })
}

/// What a client makes of a hook's output: Claude Code's words, or Gemini CLI's.
fn verdict(output: &Output) -> Verdict {
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let specific = &reply["hookSpecificOutput"];
    let reason = if specific["permissionDecision"] == "deny" {
        &specific["permissionDecisionReason"]
    } else if reply["decision"] == "deny" {
        &reply["reason"]
    } else if output.status.code() == Some(2) {
        return Verdict::Denied(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    } else {
        return Verdict::Allowed;
    };
    Verdict::Denied(reason.as_str().unwrap_or_default().to_owned())
}
