//! Subagents are owners of their own under one session.

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Stage},
};
use serde_json::json;

#[test]
fn siblings_contend_and_a_child_passes_what_its_parent_holds() -> Scene {
    let files = [("shared.txt", "one\n"), ("parents.txt", "one\n")];
    let Some(stage) = Stage::set_with_kite(&files)? else {
        return Ok(());
    };
    let (shared, parents) = (
        stage.project.file("shared.txt"),
        stage.project.file("parents.txt"),
    );
    stage.model.learn(
        Script::new("first")
            .call(Call::kite("kite_file_lock", json!({"file": shared})))
            .meet("locked", 2)
            .call(Call::read(&shared))
            .call(Call::edit(&shared, "one", "first"))
            .meet("tried", 2)
            .say("Mine."),
    );
    stage.model.learn(
        Script::new("second")
            .meet("locked", 2)
            .call(Call::read(&shared))
            .call(Call::edit(&shared, "one", "second"))
            .meet("tried", 2)
            .say("Not mine."),
    );
    stage.model.learn(
        Script::new("third")
            .call(Call::read(&parents))
            .call(Call::edit(&parents, "one", "child")),
    );
    let parent = Script::new("parent")
        .call(Call::kite("kite_file_lock", json!({"file": parents})))
        .call_at_once(["first", "second", "third"].map(Call::agent));
    stage
        .session("Divide the work", parent)
        .start()?
        .finish(SESSION_MAX)?;
    stage.check_model()?;

    let last = |script: &str| stage.model.results(script).pop().ok_or("no result");
    let refused = last("second")?;
    assert!(
        refused.is_error && refused.text.contains("File locked by"),
        "{refused:?}"
    );
    assert_eq!(
        stage.project.read("shared.txt")?,
        "first\n",
        "{:?}",
        stage.model.results("first")
    );
    assert_eq!(
        stage.project.read("parents.txt")?,
        "child\n",
        "{:?}",
        last("third")?
    );
    Ok(())
}
