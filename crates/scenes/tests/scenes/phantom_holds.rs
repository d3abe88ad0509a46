//! An edit that was announced and never happens leaves nothing behind.

use std::time::Duration;

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Session, Stage, within},
};
use rustix::process::Signal;
use serde_json::json;

use super::LIMIT;

/// After the client's next event Kite leaves a second for notices that overtook each other.
/// Meanwhile another session's edit waits in its hook, where it has two seconds.
const GONE_WITHIN: Duration = Duration::from_secs(2);

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
    others_go_on(&stage, session, "house rules")
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
    others_go_on(&stage, session, "granted")
}

#[test]
fn a_turn_is_interrupted_in_the_middle_of_an_edit() -> Scene {
    let folder = tempfile::tempdir()?;
    let gate = folder.path().join("closed");
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
    within(GONE_WITHIN, "the hold is gone", || {
        Ok(stage.locks_on("hold", &file)?.is_empty())
    })?;
    std::fs::remove_file(gate)?;
    stage.model.open("answered");
    stage
        .session("Go on", other(&stage))
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

/// The first session's edit is denied with these words. At that very moment another session edits
/// the file; it is not refused, and no hold of the first is left while its turn goes on.
fn others_go_on(stage: &Stage, session: Session, words: &str) -> Scene {
    let file = stage.project.file("a.txt");
    let other = stage.session("Go on", other(stage)).start()?;
    other.finish(SESSION_MAX)?;
    let results = stage.model.results("editor");
    let denied = results.get(1).ok_or("no result of the edit")?;
    assert!(denied.is_error && denied.text.contains(words), "{denied:?}");
    assert_eq!(
        stage.project.read("a.txt")?,
        "1\n",
        "{:?}",
        stage.model.results("other")
    );
    within(GONE_WITHIN, "no hold is left", || {
        Ok(stage.locks_on("hold", &file)?.is_empty())
    })?;
    stage.model.open("end");
    session.finish(SESSION_MAX)?;
    stage.check_model()
}

/// Announces an edit once the other is ready, and stays in its turn after it was answered.
fn editor(stage: &Stage, to: &str) -> Script {
    let file = stage.project.file("a.txt");
    Script::new("editor")
        .call(Call::read(&file))
        .call(Call::edit(&file, "one", to))
        .meet("answered", 2)
        .call(Call::bash("true"))
        .wait_for("end")
        .say("Done.")
}

fn other(stage: &Stage) -> Script {
    let file = stage.project.file("a.txt");
    Script::new("other")
        .call(Call::read(&file))
        .meet("answered", 2)
        .call(Call::edit(&file, "one", "1"))
}

/// Project settings with one more hook before each edit.
fn settings(command: &str) -> String {
    let hook = json!({"matcher": "Edit", "hooks": [{"type": "command", "command": command}]});
    json!({"hooks": {"PreToolUse": [hook]}}).to_string()
}
