//! What a shell command of an agent waits for: the hook alone where there is no git in it, a
//! snapshot of 100 changed files of 10,000 before `git stash`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::json;

use super::{
    Kite, median,
    processes::{rounds, timed},
    row,
};
use crate::say;

const FILES: usize = 10_000;
const FILES_PER_DIRECTORY: usize = 100;
const DIRTY: usize = 100;
const SNAPSHOTS: usize = 31;

pub(crate) fn run(kite: &Kite) {
    without_git(kite);
    match Repository::make(&kite.scratch().join("large")) {
        Some(repository) => snapshot(kite, &repository),
        None => say("  a snapshot: not measured here (git does not make a repository)"),
    }
}

fn without_git(kite: &Kite) {
    let agent = Agent::new(kite, &kite.scratch().join("project"));
    let mut hook = || agent.is_about_to_run("cargo test --workspace");
    let mut truth = || timed(&mut Command::new("/bin/true"), b"");
    row(
        "a shell command without git: whole hook process, p50",
        &mut rounds(&mut hook, &mut truth),
        "/bin/true",
        "at most 1.5 x",
    );
}

/// Each snapshot is a new one: a file changes before each. Beside it what git itself takes to
/// write a commit of the tracked changes.
fn snapshot(kite: &Kite, repository: &Repository) {
    let agent = Agent::new(kite, &repository.top);
    let (mut ours, mut gits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..=SNAPSHOTS {
        repository.change(0, &format!("snapshot {run}\n"));
        let of_git = timed(&mut repository.git(&["stash", "create"]), b"");
        let of_hook = agent.is_about_to_run("git stash");
        if run > 0 {
            ratios.push(of_hook / of_git);
            ours.push(of_hook * 1e3);
            gits.push(of_git * 1e3);
        }
    }
    let kept = repository.count("refs/kite/rescue");
    say(&format!(
        "  before `git stash`, {DIRTY} of {FILES} files changed: {:.0} ms [{:.0} .. {:.0}], {kept} snapshots; reach: at most 100 ms",
        median(&mut ours),
        ours.first().copied().unwrap_or(f64::NAN),
        ours.last().copied().unwrap_or(f64::NAN),
    ));
    row(
        "the same, p50",
        &mut ratios,
        &format!("`git stash create` ({:.0} ms)", median(&mut gits)),
        "none",
    );
}

/// A session that is about to run commands.
struct Agent<'a> {
    kite: &'a Kite,
    process: Child,
    directory: PathBuf,
}

impl<'a> Agent<'a> {
    fn new(kite: &'a Kite, directory: &Path) -> Agent<'a> {
        let mut command = Command::new("sleep");
        let process = command.arg("600").stdin(Stdio::null()).spawn();
        match process {
            Ok(process) => Agent {
                kite,
                process,
                directory: directory.to_owned(),
            },
            Err(error) => {
                say(&format!("error: no process for a session: {error}"));
                std::process::exit(1);
            }
        }
    }

    /// Seconds that the hook takes.
    fn is_about_to_run(&self, command: &str) -> f64 {
        let pid = self.process.id();
        let input = json!({
            "session_id": format!("bench-{pid}"), "cwd": self.directory, "hook_event_name": "PreToolUse",
            "tool_name": "Bash", "tool_use_id": "toolu_bench", "tool_input": {"command": command},
        });
        let mut hook = Command::new(self.kite.installed("kite-hook"));
        hook.arg("PreToolUse")
            .env("CLAUDE_PID", pid.to_string())
            .env("KITE_HOME", self.kite.home());
        timed(&mut hook, input.to_string().as_bytes())
    }
}

impl Drop for Agent<'_> {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

struct Repository {
    top: PathBuf,
}

impl Repository {
    fn make(top: &Path) -> Option<Repository> {
        let repository = Repository {
            top: top.to_owned(),
        };
        for file in 0..FILES {
            let path = repository.file(file);
            fs::create_dir_all(path.parent()?).ok()?;
            fs::write(path, format!("file {file}\n").repeat(50)).ok()?;
        }
        for words in [
            &["init", "-q"][..],
            &["add", "-A"],
            &["commit", "-qm", "files"],
        ] {
            repository
                .git(words)
                .status()
                .ok()?
                .success()
                .then_some(())?;
        }
        for file in 0..DIRTY {
            repository.change(file * (FILES / DIRTY), "changed\n");
        }
        Some(repository)
    }

    fn file(&self, number: usize) -> PathBuf {
        let directory = format!("d{}", number / FILES_PER_DIRECTORY);
        self.top.join(directory).join(format!("f{number}.txt"))
    }

    fn change(&self, number: usize, content: &str) {
        if let Err(error) = fs::write(self.file(number), content) {
            say(&format!("error: a file cannot be changed: {error}"));
        }
    }

    fn git(&self, words: &[&str]) -> Command {
        let mut git = Command::new("git");
        git.arg("-C").arg(&self.top).args(words);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "bench")
            .env("GIT_AUTHOR_EMAIL", "bench@localhost")
            .env("GIT_COMMITTER_NAME", "bench")
            .env("GIT_COMMITTER_EMAIL", "bench@localhost");
        git
    }

    fn count(&self, refs: &str) -> usize {
        let listed = self.git(&["for-each-ref", refs]).output();
        listed.map_or(0, |listed| {
            listed.stdout.split(|byte| *byte == b'\n').count() - 1
        })
    }
}
