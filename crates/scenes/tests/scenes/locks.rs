//! A session asks for a file and has it alone; who comes second is told what to do.

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Stage, within},
};
use serde_json::json;

use super::LIMIT;

#[test]
fn a_lock_refuses_a_second_session_whose_model_learns_why_and_what_now() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("auth.txt", "one\n")])? else {
        return Ok(());
    };
    let file = stage.project.file("auth.txt");
    let holder = Script::new("holder")
        .call(Call::kite("kite_file_lock", json!({"file": file})))
        .wait_for("refused")
        .say("Done with the file.");
    let writer = Script::new("writer")
        .call(Call::read(&file))
        .call(Call::write(&file, "two\n"))
        .wait_for("refused")
        // What the refusal advises.
        .call(Call::kite(
            "kite_file_lock",
            json!({"file": file, "wait_seconds": 45}),
        ))
        .call(Call::write(&file, "two\n"));

    let holder = stage.session("Add OAuth login", holder).start()?;
    within(LIMIT, "the holder has its lock", || {
        Ok(!stage.locks_on("lock", &file)?.is_empty())
    })?;
    let held_by = stage.shown(&holder)?["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let writer = stage.session("Rename things", writer).start()?;
    within(SESSION_MAX, "the writer was answered", || {
        Ok(stage.model.arrived("refused") == 2)
    })?;
    assert_eq!(
        stage.project.read("auth.txt")?,
        "one\n",
        "the lock did not hold"
    );

    let refusal = stage
        .model
        .results("writer")
        .pop()
        .ok_or("no result of the write")?;
    assert!(refusal.is_error, "{refusal:?}");
    for words in [
        "File locked by session",
        &held_by[..8],
        "Add OAuth login",
        "kite_file_lock",
    ] {
        assert!(
            refusal.text.contains(words),
            "`{words}` is not in: {}",
            refusal.text
        );
    }
    stage.model.open("refused");
    holder.finish(SESSION_MAX)?;
    writer.finish(SESSION_MAX)?;
    stage.check_model()?;
    assert_eq!(
        stage.project.read("auth.txt")?,
        "two\n",
        "{:?}",
        stage.model.results("writer")
    );
    Ok(())
}

#[test]
fn the_way_on_that_needs_no_tool_works_too() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("auth.txt", "one\n")])? else {
        return Ok(());
    };
    let file = stage.project.file("auth.txt");
    let holder = Script::new("holder")
        .call(Call::kite("kite_file_lock", json!({"file": file})))
        .wait_for("refused")
        .call(Call::kite("kite_file_unlock", json!({"file": file})))
        .wait_for("end")
        .say("Done with all.");
    let writer = Script::new("writer")
        .call(Call::read(&file))
        .call(Call::write(&file, "two\n"))
        .wait_for("unlocked")
        .call(Call::write(&file, "two\n"));

    let holder = stage.session("Add OAuth login", holder).start()?;
    within(LIMIT, "the holder has its lock", || {
        Ok(!stage.locks_on("lock", &file)?.is_empty())
    })?;
    let writer = stage.session("Rename things", writer).start()?;
    within(SESSION_MAX, "the writer was answered", || {
        Ok(stage.model.arrived("unlocked") == 1)
    })?;
    let refusal = stage
        .model
        .results("writer")
        .pop()
        .ok_or("no result of the write")?;
    assert!(
        refusal.is_error && refusal.text.contains("retry this same"),
        "{refusal:?}"
    );

    stage.model.open("refused");
    within(LIMIT, "the lock is released", || {
        Ok(stage.locks_on("lock", &file)?.is_empty())
    })?;
    stage.model.open("unlocked");
    writer.finish(SESSION_MAX)?;
    stage.model.open("end");
    holder.finish(SESSION_MAX)?;
    stage.check_model()?;
    assert_eq!(
        stage.project.read("auth.txt")?,
        "two\n",
        "{:?}",
        stage.model.results("writer")
    );
    Ok(())
}
