//! A session that works alone does not notice Kite.

use std::collections::BTreeSet;

use kite_scenes::{
    model::{Call, Script},
    stage::{Fault, SESSION_MAX, Scene, Stage},
};

/// What an MCP server may say about its tools.
const INSTRUCTIONS_CHARS_MAX: usize = 400;

/// Tools of Claude Code's own that come with any MCP server that has resources.
const RESOURCE_TOOLS: &[&str] = &[
    "ListMcpResourcesTool",
    "ReadMcpResourceTool",
    "ReadMcpResourceDirTool",
];

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
    let added: Vec<&String> = with.difference(&without).collect();
    let said: Vec<_> = added
        .iter()
        .filter(|line| !belongs_to_tools(line))
        .collect();
    assert!(said.len() <= 1, "told because of Kite: {said:#?}");
    // The one line is what the MCP server says about its tools, in every session the same.
    if let [instructions] = said.as_slice() {
        assert!(
            added.iter().any(|line| *line == "## kite"),
            "told because of Kite: {said:#?}"
        );
        assert!(
            instructions.chars().count() <= INSTRUCTIONS_CHARS_MAX,
            "{instructions}"
        );
    }
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

/// Claude Code's own words around the names of tools and the instructions of MCP servers.
fn belongs_to_tools(line: &str) -> bool {
    line.starts_with("mcp__kite__")
        || RESOURCE_TOOLS.contains(&line)
        || line == "# MCP Server Instructions"
        || line == "## kite"
        || line.starts_with("The following MCP servers have provided instructions")
}
