use std::fs;

use serde_json::{Map, Value, json};

use super::{Definition, of_repository};

const DEPLOY: &str = r#"
[tools.deploy_branch]
description = "Deploy a branch."
argv = ["./deploy", "--env={env}", "--retries={retries}", "{branch}"]
lock = "deploy:{env}"
timeout_s = 60

[tools.deploy_branch.parameters.env]
type = "string"
enum = ["staging", "prod"]
required = true

[tools.deploy_branch.parameters.branch]
type = "string"
required = true
pattern = "[A-Za-z0-9][A-Za-z0-9/_.-]*"

[tools.deploy_branch.parameters.retries]
type = "integer"
min = 0
max = 5
"#;

fn read(text: &str) -> (Vec<Definition>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join(".kite")).unwrap();
    fs::write(directory.path().join(".kite/config.toml"), text).unwrap();
    let tools = of_repository(directory.path());
    let told =
        |problem: &super::Problem| format!("{}: {}", problem.line.unwrap_or(0), problem.message);
    (tools.definitions, tools.problems.iter().map(told).collect())
}

fn deploy() -> Definition {
    let (mut tools, problems) = read(DEPLOY);
    assert_eq!(problems, Vec::<String>::new());
    tools.pop().unwrap()
}

fn given(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[test]
fn values_stand_where_the_definition_puts_them() {
    let filled = deploy()
        .fill(&given(json!({"env": "prod", "branch": "feature/a"})))
        .unwrap();
    assert_eq!(filled.argv, ["./deploy", "--env=prod", "feature/a"]);
    assert_eq!(filled.lock.as_deref(), Some("deploy:prod"));
    let filled = deploy()
        .fill(&given(json!({"env": "prod", "branch": "a", "retries": 2})))
        .unwrap();
    assert_eq!(filled.argv[2], "--retries=2");
}

#[test]
fn every_fault_of_a_call_is_named_at_once() {
    let fault = deploy()
        .fill(&given(json!({"env": "prd", "brnch": "a", "retries": 9})))
        .unwrap_err();
    for part in [
        "`env` is one of staging, prod, not `prd` (did you mean `prod`?)",
        "there is no parameter `brnch` (did you mean `branch`?)",
        "`branch` is missing",
        "`retries` is an integer from 0 to 5, not 9",
        "branch (a string, required)",
    ] {
        assert!(fault.contains(part), "{part}\n{fault}");
    }
}

#[test]
fn no_value_becomes_an_option_or_more_than_one_argument() {
    let free = DEPLOY.replace("pattern = \"[A-Za-z0-9][A-Za-z0-9/_.-]*\"", "");
    let tool = read(&free).0.pop().unwrap();
    let fill = |branch: &str| tool.fill(&given(json!({"env": "prod", "branch": branch})));
    for refused in [
        "-x",
        "--output=f",
        "a\nb",
        "a\0b",
        "\u{1b}[2J",
        "",
        &"x".repeat(201),
    ] {
        assert!(fill(refused).is_err(), "{refused:?}");
        assert!(
            deploy()
                .fill(&given(json!({"env": "prod", "branch": refused})))
                .is_err()
        );
    }
    for taken in [
        "$(id)",
        "a b; rm -rf /",
        "../../x",
        "`id`",
        "{env}",
        "{{",
        "%s",
    ] {
        assert_eq!(
            fill(taken).unwrap().argv,
            ["./deploy", "--env=prod", taken],
            "{taken:?}"
        );
    }
    assert!(
        tool.fill(&given(json!({"env": "prod\u{0}", "branch": "a"})))
            .is_err()
    );
    assert!(
        tool.fill(&given(json!({"env": ["prod"], "branch": {"a": 1}})))
            .is_err()
    );
}

#[test]
fn behind_two_dashes_a_value_may_begin_with_one() {
    let text = DEPLOY
        .replace("\"{branch}\"", "\"--\", \"{branch}\"")
        .replace("[A-Za-z0-9][", "[-A-Za-z0-9][");
    let filled = read(&text)
        .0
        .pop()
        .unwrap()
        .fill(&given(json!({"env": "prod", "branch": "-x"})));
    assert_eq!(filled.unwrap().argv, ["./deploy", "--env=prod", "--", "-x"]);
}

#[test]
fn the_schema_says_what_is_checked() {
    let schema = Value::Object(deploy().input_schema());
    assert_eq!(schema["required"], json!(["branch", "env"]));
    assert_eq!(
        schema["properties"]["env"]["enum"],
        json!(["staging", "prod"])
    );
    assert_eq!(
        schema["properties"]["retries"],
        json!({"type": "integer", "minimum": 0, "maximum": 5})
    );
    assert_eq!(
        schema["properties"]["branch"]["pattern"],
        "^(?:[A-Za-z0-9][A-Za-z0-9/_.-]*)$"
    );
    assert_eq!(schema["additionalProperties"], false);
}

#[test]
fn whatever_a_definition_says_changes_its_name() {
    let before = deploy().fingerprint();
    assert_eq!(before, deploy().fingerprint());
    for (from, to) in [
        ("./deploy", "./deploy2"),
        ("Deploy a branch.", "Deploy one."),
        ("max = 5", "max = 6"),
        ("deploy:{env}", "deploy"),
        ("timeout_s = 60", "timeout_s = 61"),
        ("timeout_s = 60", "read_only = true"),
        ("timeout_s = 60", "environment = [\"TOKEN\"]"),
        ("timeout_s = 60", "directory = \"ops\""),
        ("required = true\npattern", "pattern"),
    ] {
        let (tools, problems) = read(&DEPLOY.replace(from, to));
        assert_eq!(problems, Vec::<String>::new(), "{to}");
        assert_ne!(before, tools[0].fingerprint(), "{to}");
    }
}

#[test]
fn a_bad_definition_is_told_by_its_line_and_is_no_tool() {
    for (from, to, told) in [
        (
            "lock = ",
            "lok = ",
            "5: `tools.deploy_branch`: unknown key `lok`",
        ),
        (
            "[\"./deploy\"",
            "[\"{branch}\"",
            "4: `tools.deploy_branch`: `argv` begins with a parameter",
        ),
        (
            "{branch}\"",
            "{brunch}\"",
            "2: `tools.deploy_branch`: `{brunch}` names no parameter",
        ),
        (
            "timeout_s = 60",
            "timeout_s = 0",
            "6: `tools.deploy_branch`: `timeout_s` is not a whole number",
        ),
        (
            "timeout_s = 60",
            "directory = \"../x\"",
            "6: `tools.deploy_branch`: `directory` leads out",
        ),
        (
            "type = \"integer\"",
            "type = \"int\"",
            "`type` is not string",
        ),
        (
            "pattern = \"[A",
            "pattern = \"[[A",
            "`pattern` is no regular expression",
        ),
        (
            "deploy:{env}",
            "deploy:{retries}",
            "`{retries}` in `lock` may be left out",
        ),
        ("deploy:{env}", "deploy:{env", "a `{` is not closed"),
        (
            "description = \"Deploy a branch.\"",
            "",
            "`description` is missing",
        ),
        (
            "parameters.env]",
            "parameters.session]",
            "`session` is a parameter of Kite's own",
        ),
        (
            "[tools.deploy_branch]",
            "[tools.\"../x\"]",
            "its name is not 1 to 40",
        ),
        ("max = 5", "max = \"5\"", "`max` is not a number"),
        (
            "max = 5",
            "default = 7\nmax = 5",
            "`default`: `retries` is an integer from 0 to 5, not 7",
        ),
    ] {
        let (tools, problems) = read(&DEPLOY.replace(from, to));
        assert!(
            tools.iter().all(|tool| tool.name != "deploy_branch"),
            "{to}"
        );
        assert!(
            problems.iter().any(|problem| problem.contains(told)),
            "{told}\n{problems:#?}"
        );
    }
    assert_eq!(read("tools = 1").0, Vec::new());
    assert_eq!(read("not toml [").0, Vec::new());
}
