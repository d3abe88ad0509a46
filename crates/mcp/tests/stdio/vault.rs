//! Notes: searched, written, read as resources.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::{
    server::Server,
    stand_in::{Answer, StandIn},
};

const PATH: &str = "/home/ann/my notes/Auth.md";

fn note() -> Value {
    json!({"path": PATH, "vault": "home", "title": "Auth", "modified": "2026-11-20T09:12:44+01:00", "age_s": 60,
        "reviewed": true})
}

fn answered(request: &Value) -> Answer {
    Answer::Reply(match request["type"].as_str() {
        Some("vault_search") => {
            let mut found = note();
            found["snippet"] = json!("Tokens rotate.");
            found["matches"] = json!([[0, 6]]);
            found["score"] = json!(7.5);
            json!({"notes": [found]})
        }
        Some("vault_write") => {
            json!({"outcome": "created", "path": PATH, "reviewed": false})
        }
        Some("vault_list") => {
            let mut other = note();
            other["path"] = json!("/home/ann/Deploy.md");
            other["title"] = json!("How we deploy");
            json!({"notes": [note(), other], "skipped": [], "skipped_count": 0})
        }
        Some("vault_read") if request["path"] == PATH => {
            json!({"note": note(), "text": "Tokens\u{202e} rotate.\n", "hash": "5f"})
        }
        _ => {
            json!({"ok": false, "error": {"code": "unknown_note", "message": "there is no note", "hint": ""}})
        }
    })
}

#[test]
fn notes_are_searched_and_written() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), answered);
    let mut server = Server::initialized(home.path());
    let arguments = json!({"query": "tokens", "tags": ["auth"], "limit": 3});
    let (text, is_error) = server.answer("kite_vault_search", arguments);
    assert!(!is_error && text.contains("> Tokens rotate."), "{text}");
    let asked = daemon.wait_for("vault_search");
    assert_eq!(
        (&asked["tags"], &asked["limit"]),
        (&json!(["auth"]), &json!(3))
    );

    let arguments = json!({"title": "Auth", "text": "Tokens rotate.", "heading": "Why"});
    let (text, is_error) = server.answer("kite_vault_write", arguments);
    assert!(!is_error && text == format!("Noted in {PATH}"), "{text}");
    let asked = daemon.wait_for("vault_write");
    assert_eq!(asked["heading"], "Why");
    assert_eq!(asked["op_id"].as_str().map(str::len), Some(32));
    let (text, is_error) = server.answer("kite_vault_write", json!({"title": "Auth"}));
    assert!(is_error && text.contains("`text`"), "{text}");
}

#[test]
fn a_note_is_a_resource() {
    let home = tempdir().expect("a directory");
    let daemon = StandIn::listen(home.path(), answered);
    let mut server = Server::initialized(home.path());
    let mut read = |uri: &str| {
        server.send(
            &json!({"jsonrpc": "2.0", "id": 5, "method": "resources/read", "params": {"uri": uri}}),
        );
        server.receive()
    };
    for uri in [
        "kite://vault/%2Fhome%2Fann%2Fmy%20notes%2FAuth.md",
        "kite://vault//home/ann/my%20notes/Auth.md",
    ] {
        let reply = read(uri);
        let text = reply["result"]["contents"][0]["text"].as_str();
        let content: Value = serde_json::from_str(text.expect("a text")).expect("JSON");
        assert_eq!(content["note"]["title"], "Auth", "{uri}");
        assert_eq!(
            content["text"], "Tokens\\u{202e} rotate.\n",
            "what hides is shown"
        );
    }
    let unknown = read("kite://vault/Elsewhere.md");
    assert_eq!(unknown["error"]["code"], -32002, "{unknown}");
    let nothing = read("kite://vault/");
    assert!(nothing["error"].is_object(), "{nothing}");
    assert!(
        daemon
            .asked()
            .iter()
            .all(|request| request.get("op_id").is_none()),
        "reading changes nothing"
    );

    let mut completed = |start: &str| {
        server.send(&json!({"jsonrpc": "2.0", "id": 3, "method": "completion/complete", "params": {
            "ref": {"type": "ref/resource", "uri": "kite://vault/{path}"}, "argument": {"name": "path", "value": start}}}));
        server.receive()["result"]["completion"]["values"].clone()
    };
    assert_eq!(completed("how we"), json!(["/home/ann/Deploy.md"]));
    assert_eq!(completed("/home/ann/my"), json!([PATH]));
    assert_eq!(completed("zebra"), json!([]));
}
