//! One conversation is resumed by two processes at once.

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Stage, within},
};
use serde_json::json;

#[test]
fn two_resumes_of_one_id_are_two_sessions() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("a.txt", "one\n")])? else {
        return Ok(());
    };
    let file = stage.project.file("a.txt");
    let first = stage
        .session("Begin", Script::new("begin").say("Begun."))
        .start()?;
    let conversation = first.finish(SESSION_MAX)?.session_id()?;
    let resume = |intent: &str, script| {
        stage
            .session(intent, script)
            .arg("--resume")
            .arg(&conversation)
            .start()
    };
    let left = Script::new("left")
        .call(Call::kite("kite_file_lock", json!({"file": file})))
        .meet("locked", 2)
        .call(Call::read(&file))
        .meet("tried", 2)
        .call(Call::edit(&file, "one", "left"))
        .wait_for("end")
        .say("Done.");
    let right = Script::new("right")
        .call(Call::read(&file))
        .meet("locked", 2)
        // Before the other has edited: Claude Code itself refuses an edit of text that is gone.
        .call(Call::edit(&file, "one", "right"))
        .meet("tried", 2)
        .call(Call::read(&file))
        .wait_for("end")
        .say("Done.");
    let (left, right) = (resume("Go left", left)?, resume("Go right", right)?);
    within(SESSION_MAX, "both have edited", || {
        Ok(stage.model.arrived("end") == 2)
    })?;

    let (one, other) = (stage.shown(&left)?, stage.shown(&right)?);
    assert_ne!(one["id"], other["id"]);
    assert_eq!(one["client_session_id"], json!(conversation));
    assert_eq!(other["client_session_id"], json!(conversation));
    assert_eq!(
        (&one["intent"], &other["intent"]),
        (&json!("Go left"), &json!("Go right"))
    );
    let results = stage.model.results("right");
    assert!(
        results
            .iter()
            .any(|result| result.is_error && result.text.contains("File locked by")),
        "{results:?}"
    );
    assert_eq!(
        stage.project.read("a.txt")?,
        "left\n",
        "{:?}",
        stage.model.results("left")
    );
    stage.model.open("end");
    left.finish(SESSION_MAX)?;
    right.finish(SESSION_MAX)?;
    stage.check_model()
}
