//! A session: one real `claude -p` process.

use std::{
    ffi::OsString,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};

use super::{Fault, Stage, wait_until};
use crate::model::{Script, marker};

/// Tools that a session may use without being asked, unless the scene says otherwise.
const TOOLS: &str = "Read,Write,Edit,Bash,Agent";

/// A session that has not been started.
pub struct SessionBuilder<'a> {
    stage: &'a Stage,
    script: String,
    prompt: String,
    tools: String,
    dir: PathBuf,
    args: Vec<OsString>,
}

/// A running session. It is killed where the scene drops it before its end.
pub struct Session {
    child: Child,
    script: String,
    out: PathBuf,
    err: PathBuf,
}

/// How a session ended.
#[derive(Debug)]
pub struct Ending {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl<'a> SessionBuilder<'a> {
    pub(super) fn new(stage: &'a Stage, intent: &str, script: Script) -> Self {
        let name = script.name().to_owned();
        let prompt = format!("{intent}\n{}", marker(&name));
        stage.model.learn(script);
        let dir = stage.project.path().to_owned();
        SessionBuilder {
            stage,
            script: name,
            prompt,
            tools: TOOLS.into(),
            dir,
            args: Vec::new(),
        }
    }

    /// Only these tools are allowed, separated by commas; for all others permission is withheld.
    #[must_use]
    pub fn tools(mut self, tools: &str) -> Self {
        tools.clone_into(&mut self.tools);
        self
    }

    /// Works in this directory instead of the project's root.
    #[must_use]
    pub fn dir(mut self, dir: &Path) -> Self {
        dir.clone_into(&mut self.dir);
        self
    }

    /// Adds an argument of `claude`.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Starts the process.
    pub fn start(self) -> Result<Session, Fault> {
        let stage = self.stage;
        let out = stage.path("out").join(format!("{}.out", self.script));
        let err = out.with_extension("err");
        let child = stage
            .command(&stage.claude)
            .env_remove("KITE_HOME")
            .env("CLAUDE_CODE_TMPDIR", stage.path("tmp"))
            .env("ANTHROPIC_BASE_URL", stage.model.url())
            .env("ANTHROPIC_API_KEY", "test")
            .env("DISABLE_AUTOUPDATER", "1")
            .env("DISABLE_TELEMETRY", "1")
            .env("DISABLE_ERROR_REPORTING", "1")
            .current_dir(&self.dir)
            .args([
                "--print",
                "--output-format",
                "json",
                "--allowedTools",
                &self.tools,
            ])
            .args(&self.args)
            .arg("--")
            .arg(&self.prompt)
            .stdin(Stdio::null())
            .stdout(File::create(&out)?)
            .stderr(File::create(&err)?)
            .spawn()?;
        Session::adopt(child, self.script, out, err)
    }
}

impl Session {
    /// A session of a process that was just started, with its output in these files.
    pub(super) fn adopt(
        child: Child,
        script: String,
        out: PathBuf,
        err: PathBuf,
    ) -> Result<Session, Fault> {
        Ok(Session {
            child,
            script,
            out,
            err,
        })
    }

    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the process itself, not to its children.
    pub fn signal(&self, name: Signal) {
        signal(self.pid(), name);
    }

    /// Waits for the end of the session.
    pub fn finish(mut self, limit: Duration) -> Result<Ending, Fault> {
        let what = format!("session `{}` ends", self.script);
        let ended = wait_until(&what, limit, || Ok(self.child.try_wait()?));
        let texts = (
            fs::read_to_string(&self.out)?,
            fs::read_to_string(&self.err)?,
        );
        match (ended, texts) {
            (Ok((status, _)), (stdout, stderr)) => Ok(Ending {
                status,
                stdout,
                stderr,
            }),
            (Err(fault), (stdout, stderr)) => {
                Err(format!("{fault}\nits output: {stdout}{stderr}").into())
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Does nothing where it has been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ending {
    /// The result object that `claude` printed.
    pub fn result(&self) -> Result<serde_json::Value, Fault> {
        serde_json::from_str(&self.stdout)
            .map_err(|e| format!("{e}, in: {}{}", self.stdout, self.stderr).into())
    }

    /// The client's own session id, as for `--resume`.
    pub fn session_id(&self) -> Result<String, Fault> {
        let id = self.result()?["session_id"].as_str().map(str::to_owned);
        Ok(id.ok_or("the result has no session_id")?)
    }
}

/// Signals a process that this process has started. It may have ended.
pub(super) fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}
