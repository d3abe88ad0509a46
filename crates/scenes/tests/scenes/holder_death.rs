//! A session that holds a lock and a task is killed with `kill -9`.

use std::time::{Duration, Instant};

use kite_scenes::{
    model::{Call, Script},
    stage::{Scene, Stage, tell, within},
};
use rustix::process::Signal;
use serde_json::json;

use super::LIMIT;

/// What is promised.
const FREE_WITHIN: Duration = Duration::from_secs(2);

#[test]
fn what_a_killed_session_held_is_free_within_two_seconds() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("auth.txt", "one\n")])? else {
        return Ok(());
    };
    let file = stage.project.file("auth.txt");
    let task = stage.create_task("Add OAuth login")?;
    let script = Script::new("holder")
        .call(Call::kite("kite_task_claim", json!({})))
        .call(Call::kite("kite_file_lock", json!({"file": file})))
        .wait_for("never")
        .say("Never said.");
    let holder = stage.session("Work on the queue", script).start()?;
    within(LIMIT, "the session has its lock", || {
        Ok(!stage.locks_on("lock", &file)?.is_empty())
    })?;
    assert_eq!(stage.task(&task)?["state"], "claimed");

    let killed = Instant::now();
    holder.signal(Signal::KILL);
    within(FREE_WITHIN, "the lock is free", || {
        Ok(stage.locks_on("lock", &file)?.is_empty())
    })?;
    let lock_free = killed.elapsed();
    within(FREE_WITHIN, "the task is ready", || {
        Ok(stage.task(&task)?["state"] == "ready")
    })?;
    let task_free = killed.elapsed();
    let ms = |took: Duration| took.as_millis();
    tell(&format!(
        "killed holder: lock free after {} ms, task {} ms",
        ms(lock_free),
        ms(task_free)
    ));
    assert!(task_free < FREE_WITHIN, "the task took {task_free:?}");
    assert_eq!(stage.task(&task)?["attempt"], 1);
    stage.check_model()
}
