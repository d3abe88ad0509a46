//! Prompts: listed, filled, completed.

use std::fs;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    eras::modern,
    server::Server,
    stand_in::{Answer, StandIn},
};

fn ask(server: &mut Server, method: &str, params: Value) -> Value {
    server.send(&json!({"jsonrpc": "2.0", "id": 6, "method": method, "params": params}));
    let reply = server.receive();
    assert_eq!(reply["id"], 6, "{reply}");
    reply
}

fn names(list: &Value) -> Vec<&str> {
    let prompts = list["result"]["prompts"].as_array();
    let prompts = prompts.unwrap_or_else(|| panic!("prompts: {list}"));
    prompts
        .iter()
        .map(|prompt| prompt["name"].as_str().expect("a name"))
        .collect()
}

#[test]
fn prompts_come_from_kite_the_user_and_the_repository() {
    let home = tempdir().expect("a directory");
    let repository = tempdir().expect("a directory");
    for folder in [
        home.path().join("prompts"),
        repository.path().join(".kite/prompts"),
        repository.path().join(".git"),
    ] {
        fs::create_dir_all(folder).expect("a folder");
    }
    let greet =
        "---\narguments: [{name: who, description: Whom, required: true}]\n---\nHello {{who}}";
    fs::write(home.path().join("prompts/greet.md"), greet).expect("a file");
    fs::write(repository.path().join(".kite/prompts/bad.md"), "---\n").expect("a file");
    let here = repository.path().to_str().expect("a name").to_owned();
    let claude = [("CLAUDECODE", "1"), ("CLAUDE_PROJECT_DIR", here.as_str())];
    let mut server = Server::start_with(home.path(), &claude);

    server.send(&modern(1, "prompts/list", json!({})));
    let list = server.receive();
    assert_eq!(
        names(&list),
        [
            "plan", "work", "review", "handoff", "standup", "greet", "bad"
        ]
    );
    assert_eq!(list["result"]["ttlMs"], 0, "files are edited");
    assert_eq!(
        list["result"]["prompts"][5]["arguments"][0],
        json!({"name": "who", "description": "Whom", "required": true})
    );
    server.send(&modern(
        2,
        "prompts/get",
        json!({"name": "greet", "arguments": {"who": "{{who}}"}}),
    ));
    let greeting = server.receive();
    assert_eq!(
        greeting["result"]["messages"][0]["content"]["text"],
        "Hello {{who}}"
    );

    server.initialize("claude-code");
    assert_eq!(names(&ask(&mut server, "prompts/list", json!({}))).len(), 7);
    let missing = ask(&mut server, "prompts/get", json!({"name": "greet"}));
    assert_eq!(missing["error"]["code"], -32602);
    assert!(
        missing["error"]["message"].as_str().is_some_and(|text| text
            .contains("prompts/greet.md:4: the prompt greet needs the argument `who` (Whom)")),
        "{missing}"
    );
    let bad = ask(&mut server, "prompts/get", json!({"name": "bad"}));
    assert!(
        bad["error"]["message"].as_str().is_some_and(
            |text| text.starts_with(".kite/prompts/bad.md:1: the front matter has no end")
        ),
        "{bad}"
    );
    fs::write(repository.path().join(".kite/prompts/bad.md"), "Good.").expect("a file");
    let mended = ask(&mut server, "prompts/get", json!({"name": "bad"}));
    assert_eq!(mended["result"]["messages"][0]["content"]["text"], "Good.");
}

#[test]
fn arguments_are_completed_with_what_there_is() {
    let home = tempdir().expect("a directory");
    let _daemon = StandIn::listen(home.path(), |request| {
        Answer::Reply(match request["type"].as_str() {
            Some("task_list") => {
                json!({"tasks": [{"id": "1a2b3c4d00", "title": "Login", "priority": "normal", "project": "/p",
                "state": "ready", "attempt": 0, "created_at": "t"}]})
            }
            _ => {
                json!({"sessions": [{"id": "77aa01de00", "client": "codex", "state": "idle", "project": "/p", "since": "t",
                "last_seen": "t"}]})
            }
        })
    });
    let mut server = Server::initialized(home.path());
    let mut completed = |prompt: &str, argument: &str| {
        let params = json!({"ref": {"type": "ref/prompt", "name": prompt}, "argument": {"name": argument, "value": ""}});
        ask(&mut server, "completion/complete", params)["result"]["completion"]["values"].clone()
    };
    assert_eq!(completed("work", "task"), json!(["1a2b3c4d"]));
    assert_eq!(completed("handoff", "to"), json!(["77aa01de"]));
    assert_eq!(completed("plan", "goal"), json!([]));
    assert_eq!(completed("unknown", "task"), json!([]));
}
