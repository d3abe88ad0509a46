//! Both doors of Kite's MCP server, as Claude Code uses them: a tool call, and a resource read.

use kite_scenes::{
    model::{Call, Script},
    stage::{SESSION_MAX, Scene, Stage},
};
use serde_json::json;

const TOOLS: &str = "Read,Write,Edit,Bash,ReadMcpResourceTool,mcp__kite";

#[test]
fn a_tool_is_called_and_a_resource_read_over_stdio() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("auth.txt", "one\n")])? else {
        return Ok(());
    };
    play(&stage)
}

#[test]
fn a_tool_is_called_and_a_resource_read_over_http() -> Scene {
    let Some(stage) = Stage::set(&[("auth.txt", "one\n")])? else {
        return Ok(());
    };
    let serving = stage.serve()?;
    // A helper for headers runs for all projects of a user; for one project, once it is trusted.
    stage.kite(["init", "--user", &format!("--http={}", serving.port)])?;
    let state = std::fs::read_to_string(stage.path("home/.claude.json"))?;
    let token = std::fs::read_to_string(stage.kite_home().join("http-token"))?;
    assert!(state.contains("headersHelper"), "{state}");
    assert!(!state.contains(token.trim()), "the token is in no settings");
    play(&stage)
}

/// A session locks a file by a tool and writes it: the hooks know it as the one that has the lock.
fn play(stage: &Stage) -> Scene {
    let file = stage.project.file("auth.txt");
    let read = json!({"server": "kite", "uri": "kite://tasks/pending"});
    let script = Script::new("worker")
        .call(Call::kite(
            "kite_task_create",
            json!({"title": "Add OAuth login"}),
        ))
        .call(Call::of("ReadMcpResourceTool", read))
        .call(Call::kite("kite_file_lock", json!({"file": "auth.txt"})))
        .call(Call::read(&file))
        .call(Call::write(&file, "two\n"));
    let ending = stage
        .session("Plan the login", script)
        .tools(TOOLS)
        .start()?
        .finish(SESSION_MAX)?;
    stage.check_model()?;
    let results = stage.model.results("worker");
    let errors: Vec<_> = results.iter().filter(|result| result.is_error).collect();
    assert!(errors.is_empty(), "{errors:?}\n{}", ending.stderr);
    assert_eq!(results.len(), 5, "{results:?}");
    assert!(results[0].text.starts_with("Task created: "), "{results:?}");
    assert!(results[1].text.contains("Add OAuth login"), "{results:?}");
    assert!(
        results[2].text.starts_with("Locked: auth.txt"),
        "{results:?}"
    );
    assert_eq!(stage.project.read("auth.txt")?, "two\n");
    Ok(())
}
