//! A linked worktree belongs to the same project, and its files are its own.

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Stage, within},
};
use serde_json::json;

use super::LIMIT;

#[test]
fn a_linked_worktree_is_served_and_its_files_are_its_own() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("a.txt", "one\n")])? else {
        return Ok(());
    };
    let tree = stage.project.add_worktree(&stage.path("tree"))?;
    let (main_file, tree_file) = (stage.project.file("a.txt"), tree.file("a.txt"));
    let holder = Script::new("holder")
        .call(Call::kite("kite_file_lock", json!({"file": main_file})))
        .wait_for("end")
        .say("Done.");
    let neighbour = Script::new("neighbour")
        .call(Call::kite("kite_file_lock", json!({"file": "a.txt"})))
        .call(Call::read(&tree_file))
        .call(Call::edit(&tree_file, "one", "two"))
        .wait_for("end")
        .say("Done.");
    let intruder = Script::new("intruder")
        .call(Call::read(&tree_file))
        .call(Call::edit(&tree_file, "two", "three"));

    let holder = stage.session("Hold the main one", holder).start()?;
    within(LIMIT, "main is locked", || {
        Ok(!stage.locks_on("lock", &main_file)?.is_empty())
    })?;
    let neighbour = stage
        .session("Work in the tree", neighbour)
        .dir(tree.path())
        .start()?;
    within(SESSION_MAX, "the neighbour is done", || {
        Ok(stage.model.arrived("end") == 2)
    })?;
    assert_eq!(
        tree.read("a.txt")?,
        "two\n",
        "{:?}",
        stage.model.results("neighbour")
    );
    stage
        .session("Come late", intruder)
        .dir(tree.path())
        .start()?
        .finish(SESSION_MAX)?;
    let refused = stage.model.results("intruder").pop().ok_or("no result")?;
    assert!(
        refused.is_error && refused.text.contains("File locked by"),
        "{refused:?}"
    );

    let (in_main, in_tree) = (stage.shown(&holder)?, stage.shown(&neighbour)?);
    assert_eq!(in_main["project"], in_tree["project"]);
    assert_eq!(in_tree["worktree"], json!(tree.path()));
    stage.model.open("end");
    holder.finish(SESSION_MAX)?;
    neighbour.finish(SESSION_MAX)?;
    assert_eq!(stage.project.status()?, "");
    stage.check_model()
}
