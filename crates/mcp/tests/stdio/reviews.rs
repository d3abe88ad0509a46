//! `kite_review`: who is asked to read the brief, in both eras, and what comes of it.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    eras::modern,
    server::{Server, call, outcome},
    stand_in::{Answer, StandIn},
};

const TASK: &str = "1a2b3c4d000000000000000000000000";
const REVIEW: &str = "aabbccdd000000000000000000000000";

fn review(state: &str) -> Value {
    json!({"id": REVIEW, "task": TASK, "attempt": 1, "state": state, "brief": "00", "created_at": "", "current": true})
}

/// A daemon that gives a brief, and keeps each answer as an approval.
fn daemon(home: &Path, headless: bool) -> StandIn {
    StandIn::listen(home, move |request| match request["type"].as_str() {
        Some("review_brief") => Answer::Reply(
            json!({"review": review("open"), "text": "READ THIS", "files": 2,
            "model": "claude-sonnet-4-6", "tokens_max": 2000, "headless": headless}),
        ),
        Some("review_record") => {
            let mut kept = review("recorded");
            kept["via"] = request["via"].clone();
            kept["model"] = request["model"].clone();
            kept["text"] = request["text"].clone();
            kept["verdict"] = json!("approve");
            Answer::Reply(json!({"review": kept, "outcome": "recorded"}))
        }
        Some("review_run") => {
            Answer::Reply(json!({"review": review("running"), "outcome": "running"}))
        }
        _ => Answer::Reply(json!({})),
    })
}

/// A server whose client of the older era can sample, or cannot.
fn older(home: &Path, capabilities: &Value) -> Server {
    let mut server = Server::start(home);
    server.send(
        &json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": capabilities,
        "clientInfo": {"name": "claude-code", "version": "2.1.330"}}}),
    );
    assert_eq!(server.receive()["id"], "init");
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    server
}

fn answer(text: &str) -> Value {
    json!({"role": "assistant", "content": {"type": "text", "text": text}, "model": "some-model-1", "stopReason": "endTurn"})
}

/// A call of the newer era by a client that can sample.
fn newer(id: u64, arguments: &Value, more: Value) -> Value {
    let mut params = json!({"name": "kite_review", "arguments": arguments});
    if let (Some(params), Value::Object(more)) = (params.as_object_mut(), more) {
        params.extend(more);
    }
    let mut call = modern(id, "tools/call", params);
    call["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({"sampling": {}});
    call
}

fn is_brief_back(text: &str) -> bool {
    text.contains("Start a subagent")
        && text.contains("READ THIS")
        && text.contains("review_id=aabbccdd")
}

#[test]
fn the_older_era_is_asked_while_the_call_is_open() {
    let home = tempdir().expect("a directory");
    let daemon = daemon(home.path(), false);
    let mut server = older(home.path(), &json!({"sampling": {}}));
    server.call(
        3,
        "kite_review",
        json!({"task_id": "1a2b3c4d", "focus": "errors"}),
    );
    let asked = server.receive();
    assert_eq!(asked["method"], "sampling/createMessage", "{asked}");
    let params = &asked["params"];
    assert_eq!(params["messages"][0]["content"]["text"], "READ THIS");
    assert_eq!(
        (
            &params["maxTokens"],
            &params["modelPreferences"]["hints"][0]["name"]
        ),
        (&json!(2000), &json!("claude-sonnet-4-6"))
    );
    server
        .send(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": answer("VERDICT: approve")}));
    let (text, is_error) = outcome(&server.receive());
    assert!(!is_error, "{text}");
    assert!(
        text.contains("by sampling (model some-model-1): approve"),
        "{text}"
    );
    let requests = daemon.asked();
    assert_eq!(
        (&requests[0]["task"], &requests[0]["focus"]),
        (&json!("1a2b3c4d"), &json!("errors"))
    );
    let kept = &requests[1];
    assert_eq!(
        (&kept["review"], &kept["via"], &kept["text"]),
        (
            &json!(REVIEW),
            &json!("sampling"),
            &json!("VERDICT: approve")
        )
    );
}

#[test]
fn a_person_who_says_no_to_sampling_gets_the_brief_with_the_reason() {
    let home = tempdir().expect("a directory");
    let daemon = daemon(home.path(), false);
    let mut server = older(home.path(), &json!({"sampling": {}}));
    server.call(3, "kite_review", json!({"task_id": "1a2b3c4d"}));
    let asked = server.receive();
    let error = json!({"code": -1, "message": "User rejected sampling request"});
    server.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "error": error}));
    let (text, is_error) = outcome(&server.receive());
    assert!(!is_error && is_brief_back(&text), "{text}");
    assert!(
        text.contains("the client refused: \"User rejected sampling request\""),
        "{text}"
    );
    assert_eq!(daemon.asked().len(), 1, "nothing was kept");
}

#[test]
fn a_cancelled_call_withdraws_the_question() {
    let home = tempdir().expect("a directory");
    let _daemon = daemon(home.path(), false);
    let mut server = older(home.path(), &json!({"sampling": {}}));
    server.call(3, "kite_review", json!({"task_id": "1a2b3c4d"}));
    let asked = server.receive();
    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}),
    );
    let withdrawn = server.receive();
    assert_eq!(
        withdrawn["method"], "notifications/cancelled",
        "{withdrawn}"
    );
    assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
    server.send(&json!({"jsonrpc": "2.0", "id": 4, "method": "tools/list"}));
    assert_eq!(
        server.receive()["id"],
        4,
        "what was cancelled is not answered"
    );
}

#[test]
fn who_cannot_sample_gets_the_brief_and_records_what_a_subagent_said() {
    let home = tempdir().expect("a directory");
    let daemon = daemon(home.path(), false);
    let mut server = older(home.path(), &json!({}));
    let (text, is_error) = server.answer("kite_review", json!({"task_id": "1a2b3c4d"}));
    assert!(!is_error && is_brief_back(&text), "{text}");
    let said = json!({"review_id": "aabbccdd", "answer": "VERDICT: approve", "model": "haiku"});
    let (text, is_error) = server.answer("kite_review", said);
    assert!(
        !is_error && text.contains("by subagent (model haiku): approve"),
        "{text}"
    );
    assert_eq!(daemon.asked()[1]["via"], "subagent");
    let (text, _) = server.answer(
        "kite_review",
        json!({"task_id": "1a2b3c4d", "how": "sampling"}),
    );
    assert!(
        is_brief_back(&text) && text.contains("does not say that it can"),
        "{text}"
    );
}

#[test]
fn a_headless_agent_is_asked_where_it_is_switched_on() {
    let home = tempdir().expect("a directory");
    let daemon = daemon(home.path(), true);
    let mut server = older(home.path(), &json!({}));
    server.call(3, "kite_review", json!({"task_id": "1a2b3c4d"}));
    daemon.wait_for("review_run");
    // Whoever cancels need not wait for it; it goes on.
    server.send(
        &json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}}),
    );
    let (text, _) = server.answer(
        "kite_review",
        json!({"task_id": "1a2b3c4d", "how": "subagent"}),
    );
    assert!(is_brief_back(&text), "{text}");
}

#[test]
fn the_newer_era_answers_with_what_it_needs_and_is_called_again() {
    let home = tempdir().expect("a directory");
    let daemon = daemon(home.path(), false);
    let mut server = Server::start(home.path());
    let arguments = json!({"task_id": "1a2b3c4d"});
    server.send(&newer(1, &arguments, json!({})));
    let needs = server.receive();
    let result = &needs["result"];
    assert_eq!(result["resultType"], "input_required", "{needs}");
    let asked = &result["inputRequests"]["review"];
    assert_eq!(asked["method"], "sampling/createMessage", "{needs}");
    assert_eq!(
        asked["params"]["messages"][0]["content"]["text"],
        "READ THIS"
    );
    let state = result["requestState"].clone();
    assert!(
        !state.to_string().contains("aabbccdd"),
        "a state says nothing: {state}"
    );

    // Nothing given: asked again, under a new state.
    server.send(&newer(2, &arguments, json!({"requestState": state})));
    let again = server.receive();
    let second = again["result"]["requestState"].clone();
    assert_eq!(again["result"]["resultType"], "input_required", "{again}");
    assert_ne!(second, state);

    let inputs = json!({"review": answer("VERDICT: approve")});
    server.send(&newer(
        3,
        &arguments,
        json!({"requestState": second, "inputResponses": inputs}),
    ));
    let reply = server.receive();
    assert_eq!(reply["result"]["resultType"], "complete", "{reply}");
    let (text, is_error) = outcome(&reply);
    assert!(
        !is_error && text.contains("by sampling (model some-model-1): approve"),
        "{text}"
    );
    let kinds: Vec<_> = daemon.asked().iter().map(|it| it["type"].clone()).collect();
    assert_eq!(kinds, ["review_brief", "review_record"]);
}

#[test]
fn a_state_that_was_changed_or_used_is_refused() {
    let home = tempdir().expect("a directory");
    let daemon = daemon(home.path(), false);
    let mut server = Server::start(home.path());
    let arguments = json!({"task_id": "1a2b3c4d"});
    server.send(&newer(1, &arguments, json!({})));
    let state = server.receive()["result"]["requestState"].clone();
    let state = state.as_str().expect("a state");
    let inputs = json!({"review": answer("VERDICT: approve")});
    let flipped = match state.strip_prefix('0') {
        Some(rest) => format!("1{rest}"),
        None => format!("0{}", &state[1..]),
    };
    let refused = |server: &mut Server, id: u64, arguments: &Value, state: &str| {
        server.send(&newer(
            id,
            arguments,
            json!({"requestState": state, "inputResponses": inputs}),
        ));
        let reply = server.receive();
        assert_eq!(reply["error"]["code"], -32602, "{reply}");
    };
    refused(&mut server, 2, &arguments, &flipped);
    refused(&mut server, 3, &arguments, "");
    refused(&mut server, 4, &json!({"task_id": "ffffffff"}), state);
    server.send(&newer(
        5,
        &arguments,
        json!({"requestState": state, "inputResponses": inputs}),
    ));
    assert_eq!(server.receive()["result"]["resultType"], "complete");
    refused(&mut server, 6, &arguments, state);
    let kept = daemon
        .asked()
        .iter()
        .filter(|it| it["type"] == "review_record")
        .count();
    assert_eq!(kept, 1, "one answer is kept once");
}

#[test]
fn the_newer_era_is_not_asked_for_what_it_does_not_declare() {
    let home = tempdir().expect("a directory");
    let _daemon = daemon(home.path(), false);
    let mut server = Server::start(home.path());
    let params = json!({"name": "kite_review", "arguments": {"task_id": "1a2b3c4d"}});
    server.send(&modern(1, "tools/call", params));
    let (text, is_error) = outcome(&server.receive());
    assert!(!is_error && is_brief_back(&text), "{text}");
}

#[test]
fn a_refusal_in_the_newer_era_gives_the_brief_back() {
    let home = tempdir().expect("a directory");
    let _daemon = daemon(home.path(), false);
    let mut server = Server::start(home.path());
    let arguments = json!({"task_id": "1a2b3c4d"});
    server.send(&newer(1, &arguments, json!({})));
    let state = server.receive()["result"]["requestState"].clone();
    let inputs = json!({"review": {"error": {"code": -1, "message": "User rejected"}}});
    server.send(&newer(
        2,
        &arguments,
        json!({"requestState": state, "inputResponses": inputs}),
    ));
    let (text, _) = outcome(&server.receive());
    assert!(
        is_brief_back(&text) && text.contains("User rejected"),
        "{text}"
    );
}

#[test]
fn one_process_asks_each_era_in_its_own_way() {
    let home = tempdir().expect("a directory");
    let _daemon = daemon(home.path(), false);
    let mut server = Server::start(home.path());
    let arguments = json!({"task_id": "1a2b3c4d"});
    server.send(&newer(1, &arguments, json!({})));
    assert_eq!(server.receive()["result"]["resultType"], "input_required");
    server.send(&json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {"sampling": {}}, "clientInfo": {"name": "claude-code", "version": "2"}}}));
    assert_eq!(server.receive()["id"], "init");
    server.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    server.send(&call(2, "kite_review", arguments));
    let asked = server.receive();
    assert_eq!(asked["method"], "sampling/createMessage", "{asked}");
}
