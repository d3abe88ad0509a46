//! A session writes a whole file from what it read before another session changed it.

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Stage, within},
};

#[test]
fn a_stale_whole_file_write_is_refused_once_and_accepted_after_reading_again() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("auth.txt", "one\n")])? else {
        return Ok(());
    };
    let file = stage.project.file("auth.txt");
    let slow = Script::new("slow")
        .call(Call::read(&file))
        .wait_for("changed")
        .call(Call::write(&file, "mine\n"))
        .call(Call::read(&file))
        .call(Call::write(&file, "two and mine\n"));
    let quick = Script::new("quick")
        .call(Call::read(&file))
        .call(Call::edit(&file, "one", "two"));

    let slow = stage.session("Rewrite the file", slow).start()?;
    within(SESSION_MAX, "the slow one has read", || {
        Ok(stage.model.arrived("changed") == 1)
    })?;
    let quick = stage.session("Count to two", quick).start()?;
    let quick_id = stage.shown(&quick)?["id"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    quick.finish(SESSION_MAX)?;
    stage.model.open("changed");
    slow.finish(SESSION_MAX)?;
    stage.check_model()?;

    let results = stage.model.results("slow");
    let [_, refused, _, accepted] = results.as_slice() else {
        return Err(format!("four results expected: {results:?}").into());
    };
    assert!(
        refused.is_error,
        "the stale write was accepted: {refused:?}"
    );
    assert!(
        refused.text.contains("PreToolUse:Write hook error"),
        "not Kite's: {}",
        refused.text
    );
    for words in [&quick_id[..8], "Count to two", "read"] {
        assert!(
            refused.text.contains(words),
            "`{words}` is not in: {}",
            refused.text
        );
    }
    assert!(!accepted.is_error, "{accepted:?}");
    assert_eq!(stage.project.read("auth.txt")?, "two and mine\n");
    Ok(())
}
