//! A session writes a whole file from what it read before another session changed it.

use kite_scenes::{
    model::{Call, Script, ToolResult},
    stage::{Fault, SESSION_MAX, Scene, Stage, within},
};
use serde_json::json;

use super::LIMIT;

/// Claude Code has a check of its own, which comes first where the change is already there.
#[test]
fn a_stale_whole_file_write_is_refused_once_and_accepted_after_reading_again() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("auth.txt", "one\n")])? else {
        return Ok(());
    };
    let slow = stage.session("Rewrite the file", slow(&stage)).start()?;
    within(SESSION_MAX, "the slow one has read", || {
        Ok(stage.model.arrived("changed") == 1)
    })?;
    let quick = stage.session("Count to two", quick(&stage)).start()?;
    quick.finish(SESSION_MAX)?;
    stage.model.open("changed");
    slow.finish(SESSION_MAX)?;
    let (refused, _) = refused_once(&stage)?;
    assert!(
        refused.text.contains("ead"),
        "it does not say to read again: {}",
        refused.text
    );
    Ok(())
}

/// What Claude Code cannot see: the file changes while its write waits for the other's edit.
#[test]
fn a_write_that_waited_for_an_edit_does_not_undo_it() -> Scene {
    let folder = tempfile::tempdir()?;
    let gate = folder.path().join("closed");
    std::fs::write(&gate, "")?;
    // Keeps the edit, not the write, between its hooks and the file.
    let command = format!("while [ -e '{}' ]; do sleep 0.02; done", gate.display());
    let hook = json!({"matcher": "Edit", "hooks": [{"type": "command", "command": command}]});
    let settings = json!({"hooks": {"PreToolUse": [hook]}}).to_string();
    let files = [
        ("auth.txt", "one\n"),
        (".claude/settings.json", settings.as_str()),
    ];
    let Some(stage) = Stage::set_with_kite(&files)? else {
        return Ok(());
    };
    // Two seconds would do on a machine that has nothing else to do.
    stage.configure("hold_wait_ms = 8000\n")?;
    let file = stage.project.file("auth.txt");
    let slow = stage.session("Rewrite the file", slow(&stage)).start()?;
    within(SESSION_MAX, "the slow one has read", || {
        Ok(stage.model.arrived("changed") == 1)
    })?;
    let quick = stage.session("Count to two", quick(&stage)).start()?;
    within(LIMIT, "the edit is under way", || {
        Ok(!stage.locks_on("hold", &file)?.is_empty())
    })?;
    let editor = stage.shown(&quick)?["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    stage.model.open("changed");
    within(LIMIT, "the write waits", || {
        Ok(stage.prevented("edits_queued")? == 1)
    })?;
    std::fs::remove_file(gate)?;
    quick.finish(SESSION_MAX)?;
    slow.finish(SESSION_MAX)?;

    let (refused, _) = refused_once(&stage)?;
    for words in [
        "PreToolUse:Write hook error",
        &editor[..8],
        "Count to two",
        "Read the file again",
    ] {
        assert!(
            refused.text.contains(words),
            "`{words}` is not in: {}",
            refused.text
        );
    }
    Ok(())
}

/// The results of the stale write and of the one after reading again.
fn refused_once(stage: &Stage) -> Result<(ToolResult, ToolResult), Fault> {
    stage.check_model()?;
    let results = stage.model.results("slow");
    let [_, refused, _, accepted] = results.as_slice() else {
        return Err(format!("four results expected: {results:?}").into());
    };
    assert!(
        refused.is_error,
        "the stale write was accepted: {refused:?}"
    );
    assert!(!accepted.is_error, "{accepted:?}");
    assert_eq!(stage.project.read("auth.txt")?, "two and mine\n");
    Ok((refused.clone(), accepted.clone()))
}

fn slow(stage: &Stage) -> Script {
    let file = stage.project.file("auth.txt");
    Script::new("slow")
        .call(Call::read(&file))
        .wait_for("changed")
        .call(Call::write(&file, "mine\n"))
        .call(Call::read(&file))
        .call(Call::write(&file, "two and mine\n"))
}

fn quick(stage: &Stage) -> Script {
    let file = stage.project.file("auth.txt");
    Script::new("quick")
        .call(Call::read(&file))
        .call(Call::edit(&file, "one", "two"))
}
