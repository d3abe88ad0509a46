//! A scripted session: a process that stands for an agent, and the words it says to Kite.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use kite_wire::{home::Home, request::Caller};
use serde_json::{Value, json};

use crate::{
    connect::{Daemon, op_id},
    error::Error,
    hook::{Agent, Answer},
};

/// Where the demo itself is killed, the processes of its sessions end after this many seconds.
const LIFE_S: &str = "60";

pub(super) struct Actor {
    pub(super) name: &'static str,
    /// How it calls the hook.
    pub(super) agent: Agent,
    /// How it calls Kite's tools.
    pub(super) tools: Daemon,
    process: Child,
}

impl Actor {
    /// Starts the process and says what the session is about, as a first prompt does.
    pub(super) fn enter(
        name: &'static str,
        intent: &str,
        home: &Home,
        dir: &Path,
    ) -> Result<Actor, Error> {
        let process = Command::new("sleep")
            .arg(LIFE_S)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|cause| {
                Error::failed("cannot start a process for a scripted session").because(cause)
            })?;
        let mut process = Leaving(Some(process));
        let pid = process.pid();
        let session_id = format!("demo-{}-{}", name.to_lowercase(), op_id()?);
        let agent = Agent::new(home, pid, &session_id, dir);
        let caller = Caller {
            client: "claude-code".to_owned(),
            pid: Some(pid),
            client_session_id: Some(session_id),
            cwd: Some(dir.to_string_lossy().into_owned()),
            ..Caller::default()
        };
        let tools = Daemon::connect_as(home.clone(), caller)?;
        agent.event("SessionStart", json!({ "source": "startup" }))?;
        agent.event("UserPromptSubmit", json!({ "prompt": intent }))?;
        let process = process
            .0
            .take()
            .ok_or_else(|| Error::failed("the process is gone"))?;
        Ok(Actor {
            name,
            agent,
            tools,
            process,
        })
    }

    /// Before an editing tool: Kite may let it go on, make it wait, or refuse it.
    pub(super) fn before(&self, tool: &str, call: &str, file: &Path) -> Result<Answer, Error> {
        self.agent.before(tool, call, &input(tool, file))
    }

    /// After a tool that worked, and after the hooks that follow it.
    pub(super) fn after(&self, tool: &str, call: &str, file: &Path) -> Result<(), Error> {
        self.agent.after(tool, call, &input(tool, file))?;
        let step = json!({ "tool_calls": [{ "tool_name": tool, "tool_use_id": call }] });
        self.agent.event("PostToolBatch", step).map(drop)
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) -> Result<(), Error> {
        self.process
            .kill()
            .map_err(|cause| Error::failed("cannot kill the scripted session").because(cause))?;
        // Reaped at once, so that nothing is left of it.
        let _ = self.process.wait();
        Ok(())
    }

    /// The end of the session, as the client tells it.
    pub(super) fn leave(&mut self) {
        let _ = self.agent.event("SessionEnd", json!({ "reason": "other" }));
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// A process that is killed unless it becomes an actor.
struct Leaving(Option<Child>);

impl Leaving {
    fn pid(&self) -> u32 {
        self.0.as_ref().map_or(0, Child::id)
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if let Some(process) = &mut self.0 {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// The tool's input, in Claude Code's form.
fn input(tool: &str, file: &Path) -> Value {
    match tool {
        "Write" => json!({ "file_path": file, "content": "" }),
        "Edit" => {
            json!({ "file_path": file, "old_string": "a", "new_string": "b", "replace_all": false })
        }
        _ => json!({ "file_path": file }),
    }
}
