//! Two sessions in two linked worktrees change the same lines. Both models are told, once each, and
//! `kite status` shows the pair until the conflict is gone.

use kite_scenes::{
    model::{Call, Script},
    stage::{Fault, SESSION_MAX, Scene, Stage, within},
};
use serde_json::json;

use super::LIMIT;

#[test]
fn what_would_conflict_between_worktrees_is_told_both_once() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("a.txt", "one\ntwo\nthree\n"), ("b.txt", "one\n")])?
    else {
        return Ok(());
    };
    let trees = [
        stage.project.add_worktree(&stage.path("left"))?,
        stage.project.add_worktree(&stage.path("right"))?,
    ];
    let mut sessions = Vec::new();
    for (name, tree) in ["left", "right"].into_iter().zip(&trees) {
        let file = tree.file("a.txt");
        let script = Script::new(name)
            .call(Call::read(&file))
            .call(Call::edit(&file, "one", name))
            .wait_for("compared")
            .call(Call::bash("true"))
            .call(Call::bash("true"))
            .wait_for("end")
            .say("Done.");
        let intent = format!("Rewrite the {name} side");
        sessions.push(stage.session(&intent, script).dir(tree.path()).start()?);
    }
    let pairs =
        || Ok::<_, Fault>(stage.kite_json(&["status"])?["stats"]["worktree_conflicts"].clone());
    within(SESSION_MAX, "the pair is shown", || {
        Ok(pairs()?.as_array().is_some_and(|pairs| pairs.len() == 1))
    })?;
    let pair = pairs()?[0].clone();
    assert_eq!(pair["files"], json!(["a.txt"]));
    for ((at, tree), session) in trees.iter().enumerate().zip(&sessions) {
        assert_eq!(pair["worktrees"][at]["path"], json!(tree.path()));
        let id = stage.shown(session)?["id"].clone();
        assert_eq!(pair["worktrees"][at]["sessions"], json!([id]));
    }
    let screen = stage.kite(["status"])?;
    assert!(screen.contains("one pair would conflict"), "{screen}");

    stage.model.open("compared");
    within(SESSION_MAX, "both have run their commands", || {
        Ok(stage.model.arrived("end") == 2)
    })?;
    for (name, other) in [("left", "right"), ("right", "left")] {
        let newest = stage.model.newest(name).ok_or("it said nothing")?;
        let told: Vec<String> = (newest.lines().into_iter())
            .filter(|line| line.contains("would conflict"))
            .collect();
        let [note] = told.as_slice() else {
            return Err(format!("{name} was not told once: {told:?}").into());
        };
        for words in ["in a.txt", &format!("Rewrite the {other} side")] {
            assert!(note.contains(words), "{words}: {note}");
        }
    }
    stage.model.open("end");
    for session in sessions {
        session.finish(SESSION_MAX)?;
    }
    within(LIMIT, "the pair goes with its sessions", || {
        Ok(pairs()?.is_null())
    })?;
    for tree in &trees {
        assert_eq!(tree.status()?, " M a.txt\n", "nothing else was touched");
    }
    stage.check_model()
}
