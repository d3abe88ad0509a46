//! What one session did is read by another model before it may be completed: by a headless Claude
//! Code that can only read, and by a subagent.

use kite_scenes::{
    model::{Call, Script, marker},
    stage::{Fault, SESSION_MAX, Scene, Stage},
};
use serde_json::json;

/// The tools that the author may use here: reviews spend money, so `kite init` allows none.
const TOOLS: &str = "Read,Write,Edit,mcp__kite__kite_review,mcp__kite__kite_task_complete,mcp__kite__kite_task_claim";

/// A stage whose person has switched headless reviews on or off, and wants all tasks approved.
fn stage(headless: &str) -> Result<Option<Stage>, Fault> {
    let Some(stage) = Stage::set_with_kite(&[("login.rs", "fn login() {}\n")])? else {
        return Ok(None);
    };
    stage.let_agents_work(&format!(
        "review_required = \"on\"\nreview_headless = \"{headless}\"\n"
    ))?;
    Ok(Some(stage))
}

fn task(stage: &Stage, description: &str) -> Result<String, Fault> {
    let created = stage.kite_json(&[
        "task",
        "create",
        "Check passwords",
        "--description",
        description,
    ])?;
    Ok(created["task"]["id"].as_str().ok_or("no id")?[..8].to_owned())
}

#[test]
fn a_headless_claude_code_that_can_only_read_reviews_what_a_session_did() -> Scene {
    let Some(stage) = stage("on")? else {
        return Ok(());
    };
    let file = stage.project.file("login.rs");
    // The reviewer looks at the file, tries to change it, and answers.
    let reviewer = Script::new("reviewer")
        .call(Call::read(&file))
        .call(Call::write(&file, "fn login() { /* by the reviewer */ }\n"))
        .say("VERDICT: approve\nI read login.rs.");
    stage.model.learn(reviewer);
    let id = task(&stage, &format!("With a hash. {}", marker("reviewer")))?;
    let author = Script::new("author")
        .call(Call::kite("kite_task_claim", json!({"task": id})))
        .call(Call::read(&file))
        .call(Call::write(&file, "fn login() { check() }\n"))
        .call(Call::kite("kite_task_complete", json!({"task": id})))
        .call(Call::kite("kite_review", json!({"task_id": id})))
        .call(Call::kite(
            "kite_review",
            json!({"task_id": id, "how": "subagent"}),
        ))
        .call(Call::kite("kite_task_complete", json!({"task": id})));
    let ended = stage
        .session("Do the task", author)
        .tools(TOOLS)
        .start()?
        .finish(SESSION_MAX)?;
    let results = stage.model.results("author");
    let said = |at: usize| results.get(at).map_or("", |result| result.text.as_str());
    assert!(
        said(3).contains("kite_review with task_id="),
        "{ended:?} {results:#?}"
    );
    assert!(
        said(4).contains("by headless") && said(4).contains("): approve"),
        "{}",
        said(4)
    );
    assert!(said(6).contains("Task done"), "{}", said(6));

    let brief = stage.model.exchanges("reviewer");
    let brief = format!("{:?}", brief.first().ok_or("the reviewer was never asked")?);
    assert!(
        brief.contains("+fn login() { check() }"),
        "the change is in the brief: {brief}"
    );
    assert_eq!(
        stage.project.read("login.rs")?,
        "fn login() { check() }\n",
        "the reviewer wrote"
    );
    let refused = stage
        .model
        .results("reviewer")
        .pop()
        .ok_or("no result of the write")?;
    assert!(refused.is_error, "{refused:?}");
    let reviews = stage.kite_json(&["review", &id])?;
    assert_eq!(reviews["reviews"][0]["via"], "headless", "{reviews}");
    stage.check_model()
}

#[test]
fn without_it_the_brief_goes_back_and_a_subagents_answer_counts() -> Scene {
    let Some(stage) = stage("off")? else {
        return Ok(());
    };
    let file = stage.project.file("login.rs");
    let id = task(&stage, "With a hash.")?;
    let author = Script::new("author")
        .call(Call::kite("kite_task_claim", json!({"task": id})))
        .call(Call::read(&file))
        .call(Call::write(&file, "fn login() { check() }\n"))
        .call(Call::kite("kite_review", json!({"task_id": id})));
    stage
        .session("Do the task", author)
        .tools(TOOLS)
        .start()?
        .finish(SESSION_MAX)?;
    let results = stage.model.results("author");
    let brief = results.get(3).map_or("", |result| result.text.as_str());
    assert!(
        brief.contains("Start a subagent") && brief.contains("| +fn login() { check() }"),
        "{brief}"
    );
    stage.check_model()
}
