//! A session that works alone does not notice Kite.

use std::collections::BTreeSet;

use kite_scenes::{
    model::{Call, Script},
    stage::{Fault, SESSION_MAX, Scene, Stage},
};

#[test]
fn a_lone_session_is_told_nothing() -> Scene {
    let files = [("a.txt", "one\n")];
    let Some(stage) = Stage::set(&files)? else {
        return Ok(());
    };
    let without = told(&stage)?;
    drop(stage);
    let Some(stage) = Stage::set_with_kite(&files)? else {
        return Ok(());
    };
    let with = told(&stage)?;
    let added: Vec<&String> = with
        .difference(&without)
        .filter(|line| !names_tools(line))
        .collect();
    assert!(added.is_empty(), "told because of Kite: {added:#?}");
    Ok(())
}

/// Every line that the model was told in a whole session.
fn told(stage: &Stage) -> Result<BTreeSet<String>, Fault> {
    let (file, new) = (stage.project.file("a.txt"), stage.project.file("new.txt"));
    let script = Script::new("alone")
        .call(Call::read(&file))
        .call(Call::edit(&file, "one", "two"))
        .call(Call::write(&new, "new\n"))
        .call(Call::bash("cat a.txt new.txt"))
        .call(Call::write(&file, "three\n"));
    stage
        .session("Work alone", script)
        .start()?
        .finish(SESSION_MAX)?;
    stage.check_model()?;
    assert_eq!(
        stage.project.read("a.txt")?,
        "three\n",
        "{:?}",
        stage.model.results("alone")
    );
    let root = stage.path("");
    let root = root.to_string_lossy();
    let root = root.trim_end_matches('/');
    // Claude Code also spells paths with dashes.
    let dashed = root.replace(['/', '.'], "-");
    let same = |line: String| line.replace(root, "ROOT").replace(&dashed, "ROOT");
    let exchanges = stage.model.exchanges("alone");
    Ok(exchanges
        .iter()
        .flat_map(kite_scenes::model::Exchange::lines)
        .map(same)
        .collect())
}

/// The list of tools is no message: a session that may use them must know their names.
fn names_tools(line: &str) -> bool {
    line.starts_with("mcp__kite__")
}
