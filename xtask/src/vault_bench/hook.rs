//! What the vault adds to the hook of a prompt: the whole process and the daemon's answer, with
//! memory on and off, in turns, on the same notes and the same daemon.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::json;

use super::{
    pages::Pages,
    speed::{high, write_notes},
};
use crate::{
    bench::{Kite, median, processes::timed},
    say,
};

/// Prompts of each kind.
const PROMPTS: usize = 200;
/// How long the first index may take.
const PATIENCE: Duration = Duration::from_secs(300);

pub(super) fn run(pages: &Pages) -> Result<(), String> {
    let kite = Kite::build().ok_or("kite does not build")?;
    // A session that has spent its budget is not looked things up for.
    let budget = "\nmemory_session_tokens = 100000\n";
    let config = kite.home().join("config.toml");
    let known = fs::read_to_string(&config).unwrap_or_default();
    fs::write(&config, known + budget).map_err(|it| it.to_string())?;
    let _ = kite.command().args(["daemon", "stop"]).output();
    write_notes(pages, &kite.home().join("vault")).map_err(|it| it.to_string())?;
    let (on, off) = (
        Session::new(&kite, "on", "inject")?,
        Session::new(&kite, "off", "off")?,
    );
    wait_for_index(&kite, &on)?;
    let step = (pages.questions().count() / PROMPTS).max(1);
    let (mut with, mut without, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for (_, question) in pages.questions().step_by(step).take(PROMPTS) {
        let prompt = format!("Please look at our program, it should {question}. Why does it fail?");
        let (memory_off, memory_on) = (off.is_prompted(&prompt), on.is_prompted(&prompt));
        with.push(memory_on);
        without.push(memory_off);
        added.push(memory_on - memory_off);
    }
    let (with_p50, without_p50) = (median(&mut with), median(&mut without));
    let (with_p95, without_p95) = (high(&with), high(&without));
    say(&format!(
        "\nthe hook of a prompt, whole process: p50 {with_p50:.1} ms, p95 {with_p95:.1} ms\n  \
         the same with memory off (the baseline): p50 {without_p50:.1} ms, p95 {without_p95:.1} ms\n  \
         memory adds: {:.1} ms at p50, {:.1} ms at p95; of each prompt: p50 {:.1} ms; \
         reach: 5 ms at p95",
        with_p50 - without_p50,
        with_p95 - without_p95,
        median(&mut added),
    ));
    Ok(())
}

/// Until notes are found, and nothing is said to be missing.
fn wait_for_index(kite: &Kite, session: &Session<'_>) -> Result<(), String> {
    session.hook("SessionStart", &json!({"source": "startup"}));
    let began = Instant::now();
    loop {
        let mut search = kite.command();
        search.args(["vault", "search", "--json", "program"]);
        let answer = search.current_dir(&session.directory).output();
        let answer = answer.map_err(|it| it.to_string())?;
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        if answer.contains("\"path\"") && !answer.contains("\"incomplete\"") {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err(format!("the notes are not indexed: {answer}"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A session in a project of its own.
struct Session<'a> {
    kite: &'a Kite,
    process: Child,
    directory: PathBuf,
}

impl<'a> Session<'a> {
    fn new(kite: &'a Kite, name: &str, memory: &str) -> Result<Session<'a>, String> {
        let directory = kite.scratch().join(format!("memory-{name}"));
        is_project(&directory, memory).map_err(|it| it.to_string())?;
        let process = Command::new("sleep")
            .arg("3600")
            .stdin(Stdio::null())
            .spawn()
            .map_err(|it| it.to_string())?;
        Ok(Session {
            kite,
            process,
            directory,
        })
    }

    /// Milliseconds that the hook takes.
    fn is_prompted(&self, prompt: &str) -> f64 {
        self.hook("UserPromptSubmit", &json!({"prompt": prompt})) * 1e3
    }

    fn hook(&self, event: &str, more: &serde_json::Value) -> f64 {
        let pid = self.process.id();
        let mut input = more.clone();
        input["session_id"] = json!(format!("bench-{pid}"));
        input["cwd"] = json!(self.directory);
        input["hook_event_name"] = json!(event);
        let mut hook = Command::new(self.kite.installed("kite-hook"));
        hook.arg(event)
            .env("CLAUDE_PID", pid.to_string())
            .env("KITE_HOME", self.kite.home());
        timed(&mut hook, input.to_string().as_bytes())
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A repository that asks for that much memory.
fn is_project(directory: &Path, memory: &str) -> std::io::Result<()> {
    fs::create_dir_all(directory.join(".kite"))?;
    let setting = format!("memory = \"{memory}\"\n");
    fs::write(directory.join(".kite/config.toml"), setting)?;
    let mut init = Command::new("git");
    init.args(["init", "-q"]).current_dir(directory);
    init.status().map(drop)
}
