//! One session has work that is not committed; another one's model runs git commands that would
//! take it along. What is certain is refused, with a command that is safe; what is not certain is
//! let go, and everything comes back by one `kite undo`.

use kite_scenes::{
    model::{Call, Script, ToolResult},
    stage::{Fault, Player, SESSION_MAX, Scene, Session, Stage, within},
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
    let mut other = Player::new(&stage, "other", "Tidy up");
    for (round, command) in CERTAIN.into_iter().enumerate() {
        works(&mut other, &stage, round)?;
        let refusal = runs(&mut other, command)?;
        assert!(refusal.is_error, "{command}: {refusal:?}");
        for words in ["uncommitted work of session", &id, "kite undo "] {
            assert!(refusal.text.contains(words), "{words}: {}", refusal.text);
        }
        let (_, after) = refusal
            .text
            .split_once("leaves that work alone: ")
            .ok_or_else(|| format!("{command} has no alternative: {}", refusal.text))?;
        let safe = after.lines().next().unwrap_or_default();
        let done = runs(&mut other, safe)?;
        assert!(!done.is_error, "{command} -> {safe}: {done:?}");
        unchanged(&stage, &format!("{command} -> {safe}"))?;
    }
    assert!(stage.prevented("git_refused")? >= 4);
    stage.model.open("end");
    owner.finish(SESSION_MAX)?;
    finish(other, &stage)
}

#[test]
fn what_is_not_certain_is_let_go_in_one_line_and_all_comes_back() -> Scene {
    let Some(stage) = set()? else { return Ok(()) };
    let owner = owner_at_work(&stage)?;
    let mut other = Player::new(&stage, "other", "Tidy up");
    works(&mut other, &stage, 0)?;
    let done = runs(&mut other, UNCERTAIN)?;
    assert!(!done.is_error, "{done:?}");
    assert_eq!(stage.project.read(TRACKED.0)?, "one\n", "nothing was lost");
    assert!(stage.project.read(UNTRACKED.0).is_err(), "nothing was lost");

    let mut told = other.news();
    told.retain(|line| line.contains("Kept "));
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
    finish(other, &stage)
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

/// Changes files of its own: one tracked, one new in each round.
fn works(other: &mut Player<'_>, stage: &Stage, round: usize) -> Scene {
    let mine = stage.project.file("mine.txt");
    let new = stage.project.file(&format!("mine-{round}.txt"));
    let results = other.plays([
        Call::read(&mine),
        Call::write(&mine, &format!("mine {round}\n")),
        Call::write(&new, &format!("new {round}\n")),
    ])?;
    match results.iter().find(|result| result.is_error) {
        Some(failed) => Err(format!("its own work failed: {failed:?}").into()),
        None => Ok(()),
    }
}

fn runs(other: &mut Player<'_>, command: &str) -> Result<ToolResult, Fault> {
    Ok(other
        .plays([Call::bash(command)])?
        .pop()
        .ok_or("no result")?)
}

fn finish(other: Player<'_>, stage: &Stage) -> Scene {
    if let Some(ending) = other.finish()? {
        assert_eq!(ending.result()?["is_error"], Value::Bool(false));
    }
    stage.check_model()
}
