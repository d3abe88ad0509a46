//! Kite as a person at the terminal sees it: its commands and their JSON.

use std::{ffi::OsStr, fs, io, process::Output, time::Duration};

use rustix::process::Signal;
use serde_json::Value;

use super::{Fault, Scene, Session, Stage, session::signal, wait_until};

/// How soon a session must be known after its start.
const KNOWN_WITHIN: Duration = Duration::from_secs(10);

impl Stage {
    /// `kite init` for the project.
    pub fn init(&self) -> Result<String, Fault> {
        self.kite([OsStr::new("init"), self.project.path().as_os_str()])
    }

    /// Runs `kite` in the project and returns what it printed. Fails where `kite` fails.
    pub fn kite<I: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = I>,
    ) -> Result<String, Fault> {
        let output = self.try_kite(args)?;
        let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(stdout);
        }
        let stderr = String::from_utf8_lossy(&output.stderr);
        Err(format!("kite ended with {}:\n{stdout}{stderr}", output.status).into())
    }

    /// Runs `kite`, whatever comes of it.
    pub fn try_kite<I: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = I>,
    ) -> io::Result<Output> {
        self.command(&self.kite).args(args).output()
    }

    /// Runs `kite ARGS --json`.
    pub fn kite_json(&self, args: &[&str]) -> Result<Value, Fault> {
        let text = self.kite(args.iter().chain(&["--json"]))?;
        serde_json::from_str(&text).map_err(|e| format!("kite {args:?}: {e} in {text}").into())
    }

    /// Creates a task and returns its id.
    pub fn create_task(&self, title: &str) -> Result<String, Fault> {
        let text = self.kite(["task", "create", title])?;
        // `Task created: 1a2b3c4d — title`
        let id = text
            .split_whitespace()
            .nth(2)
            .ok_or_else(|| format!("no task id in: {text}"))?;
        Ok(id.to_owned())
    }

    /// The task with this id, or one that begins with it.
    pub fn task(&self, id: &str) -> Result<Value, Fault> {
        let shown = self.kite_json(&["task", "list", "--status", "all"])?;
        let tasks = shown["tasks"].as_array().cloned().unwrap_or_default();
        let found = tasks
            .into_iter()
            .find(|task| task["id"].as_str().is_some_and(|i| i.starts_with(id)));
        found.ok_or_else(|| format!("no task {id} in {shown}").into())
    }

    /// What `kite lock list` shows of this kind (`lock` or `hold`) on a file.
    pub fn locks_on(&self, kind: &str, file: &str) -> Result<Vec<Value>, Fault> {
        let shown = self.kite_json(&["lock", "list"])?;
        let locks = shown["locks"]
            .as_array()
            .cloned()
            .ok_or("kite lock list shows no `locks`")?;
        let on_it = |lock: &Value| {
            let target = lock["target"].as_str().unwrap_or_default();
            lock["kind"] == kind && (target == file || file.ends_with(&format!("/{target}")))
        };
        Ok(locks.into_iter().filter(on_it).collect())
    }

    /// The sessions that Kite knows.
    pub fn sessions(&self) -> Result<Vec<Value>, Fault> {
        let shown = self.kite_json(&["sessions"])?;
        Ok(shown["sessions"]
            .as_array()
            .cloned()
            .ok_or("kite sessions shows no `sessions`")?)
    }

    /// What Kite shows of a session, as soon as it knows it.
    pub fn shown(&self, session: &Session) -> Result<Value, Fault> {
        let what = format!("kite sessions shows process {}", session.pid());
        let find = || {
            Ok(self
                .sessions()?
                .into_iter()
                .find(|s| s["pid"] == session.pid()))
        };
        wait_until(&what, KNOWN_WITHIN, find).map(|(shown, _)| shown)
    }

    /// Process id of the daemon, without starting one.
    pub fn daemon_pid(&self) -> Result<Option<u32>, Fault> {
        // Fails where none runs.
        let output = self.try_kite(["daemon", "status", "--json"])?;
        let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Ok(status["daemon"]["pid"]
            .as_u64()
            .map(u32::try_from)
            .transpose()?)
    }

    /// How often Kite has prevented this, by its name in `kite daemon status --json`.
    pub fn prevented(&self, what: &str) -> Result<u64, Fault> {
        let status = self.kite_json(&["daemon", "status"])?;
        let count = status["prevented"][what].as_u64();
        count.ok_or_else(|| format!("kite daemon status counts no `{what}`: {status}").into())
    }

    /// Writes the home's configuration and restarts the daemon with it.
    pub fn configure(&self, toml: &str) -> Scene {
        fs::write(self.kite_home().join("config.toml"), toml)?;
        self.kite(["daemon", "restart"])?;
        Ok(())
    }

    /// `kill -9` of the daemon. Returns the process id that it had.
    pub fn kill_daemon(&self) -> Result<u32, Fault> {
        let pid = self.daemon_pid()?.ok_or("no daemon to kill")?;
        signal(pid, Signal::KILL);
        Ok(pid)
    }
}
