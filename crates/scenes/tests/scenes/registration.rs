//! Every session is known by itself, without a call by anybody.

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Stage, within},
};
use serde_json::json;

use super::LIMIT;

#[test]
fn each_session_is_shown_with_what_it_is_about() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("docs/a.txt", "one\n")])? else {
        return Ok(());
    };
    let docs = stage.project.path().join("docs");
    let file = stage.project.file("docs/a.txt");
    let script = |name: &str| {
        Script::new(name)
            .call(Call::read(&file))
            .wait_for("end")
            .say("Done.")
    };
    let left = stage.session("Add OAuth login", script("left")).start()?;
    let right = stage
        .session("Write the docs", script("right"))
        .dir(&docs)
        .start()?;
    within(SESSION_MAX, "both work", || {
        Ok(stage.model.arrived("end") == 2)
    })?;

    let about = |session: &serde_json::Value| session["intent"].is_string();
    within(LIMIT, "both are about something", || {
        Ok(about(&stage.shown(&left)?) && about(&stage.shown(&right)?))
    })?;
    for (session, intent, cwd) in [
        (&left, "Add OAuth login", stage.project.path()),
        (&right, "Write the docs", docs.as_path()),
    ] {
        let shown = stage.shown(session)?;
        assert_eq!(shown["client"], "claude-code", "{shown}");
        assert_eq!(shown["pid"], json!(session.pid()), "{shown}");
        assert_eq!(shown["cwd"], json!(cwd), "{shown}");
        assert_eq!(shown["intent"], intent, "{shown}");
        assert_eq!(shown["state"], "active", "{shown}");
        assert!(shown["client_session_id"].is_string(), "{shown}");
    }
    assert_eq!(stage.sessions()?.len(), 2, "one entry for each process");

    let pids = [left.pid(), right.pid()];
    stage.model.open("end");
    left.finish(SESSION_MAX)?;
    right.finish(SESSION_MAX)?;
    within(LIMIT, "both have ended", || {
        let alive = |s: &serde_json::Value| pids.iter().any(|pid| s["pid"] == *pid);
        Ok(!stage.sessions()?.iter().any(alive))
    })?;
    stage.check_model()
}
