//! What one session did is read by another model before it may be completed: by a headless Claude
//! Code that can only read, and by a subagent.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    process::{Child, Command, Stdio},
};

use kite_scenes::{
    model::{Call, Script, marker},
    stage::{Fault, SESSION_MAX, Scene, Stage},
};
use serde_json::{Value, json};

/// The tools that the author may use here: reviews spend money, so `kite init` allows none.
const TOOLS: &str = "Read,Write,Edit,mcp__kite__kite_review,mcp__kite__kite_task_complete,mcp__kite__kite_task_claim";

/// A shell that stands for the person, who trusts the project.
struct Person(Child);

impl Drop for Person {
    fn drop(&mut self) {
        // It ends with the scene.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Person {
    fn arrives() -> Result<Person, Fault> {
        let mut shell = Command::new("sleep");
        Ok(Person(shell.arg("600").stdin(Stdio::null()).spawn()?))
    }

    fn trusts(&self, stage: &Stage) -> Scene {
        let mut stream = UnixStream::connect(stage.kite_home().join("kite.sock"))?;
        let mut replies = BufReader::new(stream.try_clone()?).lines();
        let mut ask = |request: Value| -> Result<Value, Fault> {
            stream.write_all(format!("{request}\n").as_bytes())?;
            let line = replies.next().ok_or("the daemon hung up")??;
            Ok(serde_json::from_str(&line)?)
        };
        let caller = json!({"client": "person", "pid": self.0.id(), "cwd": stage.project.path()});
        ask(
            json!({"type": "hello", "id": 1, "protocol": [1, 1], "role": "cli", "build": "scene", "caller": caller}),
        )?;
        let shown = ask(json!({"type": "trust_show", "id": 2}))?;
        let set = ask(json!({"type": "trust_set", "id": 3, "fingerprint": shown["fingerprint"]}))?;
        match set["state"] == "trusted" {
            true => Ok(()),
            false => Err(format!("not trusted: {shown} {set}").into()),
        }
    }
}

/// A stage whose person has switched headless reviews on, and wants all tasks approved.
fn stage(headless: &str) -> Result<Option<Stage>, Fault> {
    let Some(stage) = Stage::set_with_kite(&[("login.rs", "fn login() {}\n")])? else {
        return Ok(None);
    };
    // Where it is not on the path under its own name.
    let program = match std::env::var("KITE_CLAUDE") {
        Ok(path) => format!("program = \"{path}\"\n"),
        Err(_) => String::new(),
    };
    let config = format!(
        "review_required = \"on\"\nreview_headless = \"{headless}\"\n\
         [agents.claude]\n{program}set = {{ ANTHROPIC_BASE_URL = \"{}\", ANTHROPIC_API_KEY = \"test\", \
         DISABLE_AUTOUPDATER = \"1\", DISABLE_TELEMETRY = \"1\", DISABLE_ERROR_REPORTING = \"1\" }}\n",
        stage.model.url()
    );
    fs::write(stage.kite_home().join("config.toml"), config)?;
    stage.kite(["daemon", "restart"])?;
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
    let person = Person::arrives()?;
    person.trusts(&stage)?;
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
