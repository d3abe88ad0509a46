//! One session has work that is not committed; another one's model runs git commands that would
//! take it along. What is certain is refused, with a command that is safe; what is not certain is
//! let go, and everything comes back by one `kite undo`.

use kite_scenes::{
    model::{Call, Script, ToolResult},
    stage::{Fault, SESSION_MAX, Scene, Session, Stage, within},
};
use serde_json::Value;

use super::LIMIT;

/// Each would destroy or sweep up the owner's work.
const CERTAIN: [&str; 4] = [
    "git stash",
    "git add -A && git commit -m x",
    "git checkout .",
    "git clean -fd",
];

/// What it does depends on a variable, which only the shell knows.
const UNCERTAIN: &str = "git checkout $NOTHING -- . ; git clean -fdq $NOTHING";

/// The owner's files, one tracked and one not, as it leaves them.
const TRACKED: (&str, &str) = ("owner.txt", "by the owner\n");
const UNTRACKED: (&str, &str) = ("notes/new.txt", "only here\n");

#[test]
fn what_would_take_anothers_work_is_refused_and_the_alternative_leaves_it_alone() -> Scene {
    let Some(stage) = set()? else { return Ok(()) };
    let owner = owner_at_work(&stage)?;
    let id = stage.shown(&owner)?["id"].as_str().unwrap_or_default()[..8].to_owned();
    let mut other = Player::new(&stage);
    for (round, command) in CERTAIN.into_iter().enumerate() {
        other.works(round)?;
        let refusal = other.runs(command)?;
        assert!(refusal.is_error, "{command}: {refusal:?}");
        for words in ["uncommitted work of session", &id, "kite undo "] {
            assert!(refusal.text.contains(words), "{words}: {}", refusal.text);
        }
        let (_, after) = refusal
            .text
            .split_once("leaves that work alone: ")
            .ok_or_else(|| format!("{command} has no alternative: {}", refusal.text))?;
        let safe = after.lines().next().unwrap_or_default();
        let done = other.runs(safe)?;
        assert!(!done.is_error, "{command} -> {safe}: {done:?}");
        unchanged(&stage, &format!("{command} -> {safe}"))?;
    }
    assert!(stage.prevented("git_refused")? >= 4);
    stage.model.open("end");
    owner.finish(SESSION_MAX)?;
    other.finish()
}

#[test]
fn what_is_not_certain_is_let_go_in_one_line_and_all_comes_back() -> Scene {
    let Some(stage) = set()? else { return Ok(()) };
    let owner = owner_at_work(&stage)?;
    let mut other = Player::new(&stage);
    other.works(0)?;
    let done = other.runs(UNCERTAIN)?;
    assert!(!done.is_error, "{done:?}");
    assert_eq!(stage.project.read(TRACKED.0)?, "one\n", "nothing was lost");
    assert!(stage.project.read(UNTRACKED.0).is_err(), "nothing was lost");

    let told: Vec<String> = (stage.model.exchanges("other").iter())
        .next_back()
        .map(kite_scenes::model::Exchange::lines)
        .unwrap_or_default()
        .into_iter()
        .filter(|line| line.contains("Kept "))
        .collect();
    let [line] = told.as_slice() else {
        return Err(format!("not told in one line: {told:?}").into());
    };
    let (_, number) = line.split_once("kite undo ").ok_or("no number")?;
    let digits = number.chars().take_while(char::is_ascii_digit);
    let said = stage.kite(["undo", &digits.collect::<String>()])?;
    unchanged(&stage, &said)?;
    assert_eq!(stage.project.read("mine.txt")?, "mine 0\n", "{said}");
    assert_eq!(stage.project.read("mine-0.txt")?, "new 0\n", "{said}");
    stage.model.open("end");
    owner.finish(SESSION_MAX)?;
    other.finish()
}

fn set() -> Result<Option<Stage>, Fault> {
    let stage = Stage::set_with_kite(&[("owner.txt", "one\n"), ("mine.txt", "one\n")])?;
    if let Some(stage) = &stage {
        // A safe commit is a real one.
        let who = "[user]\n\tname = Scene\n\temail = scene@localhost\n";
        std::fs::write(stage.path("home").join(".gitconfig"), who)?;
    }
    Ok(stage)
}

/// A session that has changed its two files, and lives until the cue `end`.
fn owner_at_work(stage: &Stage) -> Result<Session, Fault> {
    let file = stage.project.file(TRACKED.0);
    let script = Script::new("owner")
        .call(Call::read(&file))
        .call(Call::edit(&file, "one\n", TRACKED.1))
        .call(Call::write(&stage.project.file(UNTRACKED.0), UNTRACKED.1))
        .wait_for("end")
        .say("Done.");
    let owner = stage.session("Add OAuth login", script).start()?;
    within(SESSION_MAX, "the owner has changed its files", || {
        Ok(stage.model.arrived("end") == 1)
    })?;
    within(LIMIT, "both changes are kept", || {
        let kept = stage.kite_json(&["undo", "--list"])?;
        Ok(kept["entries"].as_array().map(Vec::len) == Some(2))
    })?;
    Ok(owner)
}

fn unchanged(stage: &Stage, after: &str) -> Scene {
    for (name, text) in [TRACKED, UNTRACKED] {
        assert_eq!(stage.project.read(name)?, text, "{name} after {after}");
    }
    Ok(())
}

/// A session whose model is told its next calls while it runs, so that they can follow from what
/// it was shown.
struct Player<'a> {
    stage: &'a Stage,
    script: Script,
    session: Option<Session>,
    gates: usize,
}

impl<'a> Player<'a> {
    fn new(stage: &'a Stage) -> Player<'a> {
        Player {
            stage,
            script: Script::new("other"),
            session: None,
            gates: 0,
        }
    }

    /// Changes files of its own: one tracked, one new in each round.
    fn works(&mut self, round: usize) -> Scene {
        let mine = self.stage.project.file("mine.txt");
        let new = self.stage.project.file(&format!("mine-{round}.txt"));
        let results = self.plays([
            Call::read(&mine),
            Call::write(&mine, &format!("mine {round}\n")),
            Call::write(&new, &format!("new {round}\n")),
        ])?;
        match results.iter().find(|result| result.is_error) {
            Some(failed) => Err(format!("its own work failed: {failed:?}").into()),
            None => Ok(()),
        }
    }

    fn runs(&mut self, command: &str) -> Result<ToolResult, Fault> {
        Ok(self
            .plays([Call::bash(command)])?
            .pop()
            .ok_or("no result")?)
    }

    /// Makes these calls, one after the other, and gives their results. The model then stands at
    /// a gate, before a call that does nothing.
    fn plays<const N: usize>(&mut self, calls: [Call; N]) -> Result<Vec<ToolResult>, Fault> {
        let behind = self.gate();
        self.gates += 1;
        let gate = self.gate();
        let script = calls.into_iter().fold(self.script.clone(), Script::call);
        self.script = script.wait_for(&gate).call(Call::bash("true"));
        if self.session.is_some() {
            self.stage.model.learn(self.script.clone());
            self.stage.model.open(&behind);
        } else {
            let session = self.stage.session("Tidy up", self.script.clone());
            self.session = Some(session.start()?);
        }
        within(SESSION_MAX, "its calls are answered", || {
            Ok(self.stage.model.arrived(&gate) == 1)
        })?;
        let mut results = self.stage.model.results("other");
        let first = results.len().checked_sub(N).ok_or("a call had no result")?;
        Ok(results.split_off(first))
    }

    fn gate(&self) -> String {
        format!("gate {}", self.gates)
    }

    fn finish(self) -> Scene {
        self.stage.model.open(&self.gate());
        if let Some(session) = self.session {
            let ending = session.finish(SESSION_MAX)?;
            assert_eq!(ending.result()?["is_error"], Value::Bool(false));
        }
        self.stage.check_model()
    }
}
