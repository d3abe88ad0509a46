//! Agents that Kite starts, on this stage: trusted, with the scripted model, and looked at.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
};

use serde_json::{Value, json};

use super::{Fault, SESSION_MAX, Scene, Stage};

impl Stage {
    /// Has Kite's agents of Claude Code ask this stage's model, with these further settings of the
    /// home, and has the person trust the project.
    pub fn let_agents_work(&self, settings: &str) -> Scene {
        let url = self.model.url();
        self.configure(&format!(
            "{settings}\n[agents.claude]\nprogram = {:?}\n[agents.claude.set]\nANTHROPIC_BASE_URL = \"{url}\"\nANTHROPIC_API_KEY = \"test\"\n\
             DISABLE_AUTOUPDATER = \"1\"\nDISABLE_TELEMETRY = \"1\"\n\
             GIT_AUTHOR_NAME = \"Agent\"\nGIT_AUTHOR_EMAIL = \"agent@example.org\"\n\
             GIT_COMMITTER_NAME = \"Agent\"\nGIT_COMMITTER_EMAIL = \"agent@example.org\"\n",
            self.claude
        ))?;
        let shown = self.ask(&json!({"type": "trust_show"}))?;
        let trust = json!({"type": "trust_set", "fingerprint": shown["fingerprint"]});
        let trusted = self.ask(&trust)?;
        match trusted["state"] == "trusted" {
            true => Ok(()),
            false => Err(format!("the project is not trusted: {trusted}").into()),
        }
    }

    /// The daemon's answer to one request of a person, who stands in the project.
    pub fn ask(&self, request: &Value) -> Result<Value, Fault> {
        let socket = UnixStream::connect(self.kite_home().join("kite.sock"))?;
        socket.set_read_timeout(Some(SESSION_MAX))?;
        let mut socket = BufReader::new(socket);
        let caller = json!({
            "client": "person", "pid": std::process::id(), "cwd": self.project.path(),
        });
        let hello = json!({"type": "hello", "id": 1, "protocol": [1, 1], "caller": caller});
        let mut request = request.clone();
        request["id"] = json!(2);
        let mut answer = String::new();
        for question in [hello, request] {
            let line = format!("{question}\n");
            socket.get_mut().write_all(line.as_bytes())?;
            answer.clear();
            socket.read_line(&mut answer)?;
        }
        Ok(serde_json::from_str(&answer)?)
    }

    /// All agents of the project, those that have ended too, as `kite agents` shows them.
    pub fn agents(&self) -> Result<Vec<Value>, Fault> {
        let shown = self.kite_json(&["agents", "--all"])?;
        let agents = shown["agents"].as_array().cloned();
        agents.ok_or_else(|| format!("kite agents shows no `agents`: {shown}").into())
    }

    /// Processes that an agent of Kite's started, or is. Linux tells; elsewhere none are found.
    #[must_use]
    pub fn agents_processes(&self) -> Vec<String> {
        let home = format!("KITE_HOME={}", self.kite_home().display());
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let processes = entries.filter_map(|entry| {
            let environment = fs::read(entry.path().join("environ")).ok()?;
            let has = |what: &dyn Fn(&[u8]) -> bool| environment.split(|b| *b == 0).any(what);
            let is_agents = has(&|variable| variable.starts_with(b"KITE_AGENT="));
            let is_ours = has(&|variable| variable == home.as_bytes());
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            (is_agents && is_ours).then(|| String::from_utf8_lossy(&line).replace('\0', " "))
        });
        processes.collect()
    }
}
