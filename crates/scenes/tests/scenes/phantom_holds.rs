//! An edit that was announced and never happens leaves nothing behind.

use std::time::Duration;

use kite_scenes::{
    model::{Call, Script},
    stage::{Fault, SESSION_MAX, Scene, Session, Stage, within},
};
use rustix::process::Signal;
use serde_json::json;

use super::LIMIT;

/// "At once": the client's own events after a denied call take some 30 ms.
const GONE_WITHIN: Duration = Duration::from_secs(1);

#[test]
fn another_hook_denies_the_edit() -> Scene {
    let deny = settings("case $(cat) in *forbidden*) echo 'house rules' >&2; exit 2;; esac");
    let files = [("a.txt", "one\n"), (".claude/settings.json", deny.as_str())];
    let Some(stage) = Stage::set_with_kite(&files)? else {
        return Ok(());
    };
    let session = stage
        .session("Try it", editor(&stage, "forbidden"))
        .start()?;
    others_are_free(&stage, session, "house rules")
}

#[test]
fn permission_is_withheld() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("a.txt", "one\n")])? else {
        return Ok(());
    };
    let session = stage
        .session("Try it", editor(&stage, "two"))
        .tools("Read")
        .start()?;
    others_are_free(&stage, session, "granted")
}

#[test]
fn a_turn_is_interrupted_in_the_middle_of_an_edit() -> Scene {
    let home = tempfile::tempdir()?;
    let gate = home.path().join("closed");
    std::fs::write(&gate, "")?;
    // Holds the call open between the hooks and the edit itself.
    let slow = settings(&format!(
        "while [ -e '{}' ]; do sleep 0.05; done",
        gate.display()
    ));
    let files = [("a.txt", "one\n"), (".claude/settings.json", slow.as_str())];
    let Some(stage) = Stage::set_with_kite(&files)? else {
        return Ok(());
    };
    let file = stage.project.file("a.txt");
    let session = stage.session("Try it", editor(&stage, "two")).start()?;
    within(LIMIT, "Kite has the hold", || {
        Ok(!stage.locks_on("hold", &file)?.is_empty())
    })?;

    session.signal(Signal::INT);
    // It takes the client 0.6 to 1.6 s to stop, and until then it tells nobody.
    session.finish(SESSION_MAX)?;
    let gone = || Ok(stage.locks_on("hold", &file)?.is_empty());
    within(GONE_WITHIN, "the hold is gone after SIGINT", gone)?;
    std::fs::remove_file(gate)?;
    edit_freely(&stage)
}

/// The first session's edit was denied with these words. While its turn goes on, no hold is left
/// and another session edits the file.
fn others_are_free(stage: &Stage, session: Session, words: &str) -> Scene {
    let file = stage.project.file("a.txt");
    within(SESSION_MAX, "the edit was answered", || {
        Ok(stage.model.arrived("answered") == 1)
    })?;
    let denied = stage
        .model
        .results("editor")
        .pop()
        .ok_or("no result of the edit")?;
    assert!(denied.is_error && denied.text.contains(words), "{denied:?}");
    within(GONE_WITHIN, "the hold is gone", || {
        Ok(stage.locks_on("hold", &file)?.is_empty())
    })?;
    edit_freely(stage)?;
    stage.model.open("answered");
    session.finish(SESSION_MAX)?;
    stage.check_model()
}

fn edit_freely(stage: &Stage) -> Result<(), Fault> {
    let file = stage.project.file("a.txt");
    let script = Script::new("other")
        .call(Call::read(&file))
        .call(Call::edit(&file, "one", "1"));
    stage
        .session("Go on", script)
        .start()?
        .finish(SESSION_MAX)?;
    assert_eq!(
        stage.project.read("a.txt")?,
        "1\n",
        "{:?}",
        stage.model.results("other")
    );
    Ok(())
}

fn editor(stage: &Stage, to: &str) -> Script {
    let file = stage.project.file("a.txt");
    Script::new("editor")
        .call(Call::read(&file))
        .call(Call::edit(&file, "one", to))
        .wait_for("answered")
        .say("Done.")
}

/// Project settings with one more hook before each edit.
fn settings(command: &str) -> String {
    let hook = json!({"matcher": "Edit", "hooks": [{"type": "command", "command": command}]});
    json!({"hooks": {"PreToolUse": [hook]}}).to_string()
}
