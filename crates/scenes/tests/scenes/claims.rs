//! Two sessions claim a task at the same moment.

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Stage},
};
use serde_json::json;

const ROUNDS: usize = 5;

#[test]
fn two_claim_one_task_at_once_and_one_has_it() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[])? else {
        return Ok(());
    };
    let tasks = (0..ROUNDS)
        .map(|round| stage.create_task(&format!("Task number {round}")))
        .collect::<Result<Vec<_>, _>>()?;
    let claimant = |name: &str| {
        let script = tasks
            .iter()
            .enumerate()
            .fold(Script::new(name), |script, (round, task)| {
                let claim = Call::kite("kite_task_claim", json!({"task": task}));
                script.meet(&format!("round {round}"), 2).call(claim)
            });
        script.wait_for("end").say("All claimed.")
    };
    let sessions = ["left", "right"].map(|name| stage.session(name, claimant(name)).start());
    let [left, right] = sessions;
    let (left, right) = (left?, right?);
    kite_scenes::stage::within(SESSION_MAX, "both have claimed", || {
        Ok(stage.model.arrived("end") == 2)
    })?;

    let (of_left, of_right) = (stage.model.results("left"), stage.model.results("right"));
    assert_eq!((of_left.len(), of_right.len()), (ROUNDS, ROUNDS));
    let ids = [
        stage.shown(&left)?["id"].clone(),
        stage.shown(&right)?["id"].clone(),
    ];
    for (round, task) in tasks.iter().enumerate() {
        let shown = stage.task(task)?;
        assert_eq!(
            (&shown["state"], &shown["attempt"]),
            (&json!("claimed"), &json!(1)),
            "{shown}"
        );
        let winner = ids
            .iter()
            .position(|id| *id == shown["session"])
            .ok_or("a stranger has it")?;
        let answers = [&of_left[round], &of_right[round]];
        assert!(
            !answers[winner].is_error,
            "the winner was told: {answers:?}"
        );
        let to_loser = &answers[1 - winner].text;
        assert!(
            to_loser.contains("claimed"),
            "the loser was told: {to_loser}"
        );
        assert_ne!(
            to_loser, &answers[winner].text,
            "both were told that they won"
        );
    }
    stage.model.open("end");
    left.finish(SESSION_MAX)?;
    right.finish(SESSION_MAX)?;
    stage.check_model()
}
