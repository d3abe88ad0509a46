//! Figures, as ratios to limits that are taken in the same run.
//!
//! Every figure is paired with its baseline, round by round, A B A B, so that a machine that
//! changes its speed changes both. Printed are the median ratio and its spread.

pub(crate) mod claude;
pub(crate) mod depth;
pub(crate) mod echo;
pub(crate) mod mcp;
pub(crate) mod processes;
pub(crate) mod shell;
pub(crate) mod sockets;
pub(crate) mod spawn;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use crate::say;

type Chapter = fn(&Kite);

/// The chapters of the bench, by name.
const CHAPTERS: [(&str, Chapter); 7] = [
    ("processes", processes::run),
    ("shell", shell::run),
    ("sockets", sockets::run),
    ("mcp", mcp::run),
    ("depth", depth::run),
    ("spawn", spawn::run),
    ("claude", claude::run),
];

/// Runs the named chapters, or all.
pub(crate) fn run(names: &[String]) -> ExitCode {
    if let Some(unknown) = names
        .iter()
        .find(|name| !CHAPTERS.iter().any(|(known, _)| known == name))
    {
        say(&format!("error: there is no chapter `{unknown}`"));
        return ExitCode::from(2);
    }
    let Some(kite) = Kite::build() else {
        say("error: kite does not build");
        return ExitCode::FAILURE;
    };
    say("Ratios to a baseline taken in the same run, round by round: median [min .. max].");
    for (name, chapter) in CHAPTERS {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            say(&format!("\n{name}"));
            chapter(&kite);
        }
    }
    ExitCode::SUCCESS
}

/// The programs under test, installed in a throw-away home with a running daemon.
pub(crate) struct Kite {
    home: tempfile::TempDir,
    program: PathBuf,
}

impl Kite {
    pub(crate) fn build() -> Option<Kite> {
        let built = program()?;
        let home = tempfile::tempdir().ok()?;
        let project = home.path().join("project");
        std::fs::create_dir(&project).ok()?;
        let kite = Kite {
            home,
            program: built,
        };
        let wired = kite.command().args(["init"]).arg(&project).output().ok()?;
        wired.status.success().then_some(kite)
    }

    /// Kite's home.
    pub(crate) fn home(&self) -> PathBuf {
        self.home.path().join("kite")
    }

    pub(crate) fn socket(&self) -> PathBuf {
        kite_wire::home::Home::at(self.home()).socket()
    }

    /// A directory of the bench's own.
    pub(crate) fn scratch(&self) -> &Path {
        self.home.path()
    }

    /// The built program, with this home.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env("KITE_HOME", self.home())
            .env("HOME", self.home.path());
        command
    }

    pub(crate) fn installed(&self, name: &str) -> PathBuf {
        self.home().join("bin").join(name)
    }
}

/// The program under test: built here, or named by `KITE_BIN`.
fn program() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("KITE_BIN") {
        // Some chapters run it elsewhere.
        return std::path::absolute(named).ok();
    }
    let built = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--package", "kite"])
        .status()
        .ok()?;
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), PathBuf::from);
    built.success().then(|| target.join("release/kite"))
}

impl Drop for Kite {
    fn drop(&mut self) {
        let _ = self.command().args(["daemon", "stop"]).output();
    }
}

/// Middle of some figures.
pub(crate) fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A row: what, its ratio to the baseline with the spread over the rounds, and the bound.
pub(crate) fn row(what: &str, ratios: &mut [f64], baseline: &str, reach: &str) {
    let middle = median(ratios);
    let (low, high) = (
        ratios.first().copied().unwrap_or(f64::NAN),
        ratios.last().copied().unwrap_or(f64::NAN),
    );
    say(&format!(
        "  {what}: {middle:.2} x [{low:.2} .. {high:.2}] of {baseline}; reach: {reach}"
    ));
}
