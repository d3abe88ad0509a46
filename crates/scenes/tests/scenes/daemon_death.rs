//! The daemon is killed at noon, while sessions work.

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Stage, tell, wait_until, within},
};
use serde_json::json;

use super::LIMIT;

#[test]
fn a_killed_daemon_comes_back_and_the_next_edits_are_guarded() -> Scene {
    let files = [("locked.txt", "one\n"), ("free.txt", "one\n")];
    let Some(stage) = Stage::set_with_kite(&files)? else {
        return Ok(());
    };
    let (locked, free) = (
        stage.project.file("locked.txt"),
        stage.project.file("free.txt"),
    );
    let holder = Script::new("holder")
        .call(Call::kite("kite_file_lock", json!({"file": locked})))
        .wait_for("end")
        .say("Done.");
    let writer = Script::new("writer")
        .call(Call::read(&locked))
        .call(Call::read(&free))
        .wait_for("killed")
        .call(Call::edit(&free, "one", "two"))
        .wait_for("back")
        .call(Call::edit(&locked, "one", "two"))
        .call(Call::edit(&free, "two", "three"));
    let holder = stage.session("Hold it", holder).start()?;
    within(LIMIT, "the file is locked", || {
        Ok(!stage.locks_on("lock", &locked)?.is_empty())
    })?;
    let writer = stage.session("Write it", writer).start()?;
    within(SESSION_MAX, "the writer is ready", || {
        Ok(stage.model.arrived("killed") == 1)
    })?;

    let old = stage.kill_daemon()?;
    stage.model.open("killed");
    // The edit that meets no daemon goes through, and starts one.
    within(SESSION_MAX, "the first edit is made", || {
        Ok(stage.model.arrived("back") == 1)
    })?;
    assert_eq!(
        stage.project.read("free.txt")?,
        "two\n",
        "{:?}",
        stage.model.results("writer")
    );
    let (new, took) = wait_until("the daemon is back", LIMIT, || {
        Ok(stage.daemon_pid()?.filter(|pid| *pid != old))
    })?;
    tell(&format!(
        "killed daemon: {old} came back as {new}, seen {} ms later",
        took.as_millis()
    ));
    stage.model.open("back");
    writer.finish(SESSION_MAX)?;

    let results = stage.model.results("writer");
    let [_, _, _, refused, allowed] = results.as_slice() else {
        return Err(format!("five results expected: {results:?}").into());
    };
    assert!(
        refused.is_error && refused.text.contains("File locked by"),
        "{refused:?}"
    );
    assert!(
        refused.text.contains("Hold it"),
        "the holder is not named: {}",
        refused.text
    );
    assert!(!allowed.is_error, "{allowed:?}");
    stage.model.open("end");
    holder.finish(SESSION_MAX)?;
    stage.check_model()
}
