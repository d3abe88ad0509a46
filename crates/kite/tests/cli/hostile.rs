//! Text from agents and repositories is data: no terminal is told what to do by it.

use serde_json::{Value, json};

use super::{
    stand_in,
    world::{Said, World},
};

/// Clears the screen, sets the window title, hides and reverses text, forges a line.
const HOSTILE: &str = "a\u{1b}[2Jb\u{1b}]0;owned\u{7}c\u{9b}31md\u{202e}e\u{200b}f\u{2066}g\r\nready  h\u{7f}\u{feff}";

fn is_harmless(said: &Said) {
    for text in [&said.stdout, &said.stderr] {
        let bad = text.chars().find(|c| {
            (c.is_control() && *c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        });
        assert_eq!(bad, None, "{said:#?}");
    }
}

fn world() -> World {
    let world = World::new();
    let mut task = stand_in::task("1a2b3c4d", "ready", HOSTILE);
    for field in ["description", "result"] {
        task[field] = json!(HOSTILE);
    }
    task["reasons"] = json!([HOSTILE]);
    task["paths"] = json!([HOSTILE]);
    let mut session = stand_in::session("3f2a91bc00000000", "active", HOSTILE);
    session["holds"] = json!([HOSTILE]);
    let mut lock = stand_in::lock(HOSTILE, HOSTILE);
    lock["reason"] = json!(HOSTILE);
    let event = json!({ "seq": 1, "at": HOSTILE, "kind": HOSTILE, "what": HOSTILE, "target": HOSTILE,
                        "outcome": HOSTILE, "input": { "a": HOSTILE } });
    let fault = json!({ "error": { "code": "locked", "message": HOSTILE, "hint": HOSTILE } });
    stand_in::daemon(
        &world,
        &[
            (
                "task_list",
                json!({ "tasks": [task], "counts": stand_in::counts(1, 0) }),
            ),
            (
                "task_show",
                json!({ "task": task, "outcome": "shown", "dependencies": [task], "history": [event] }),
            ),
            (
                "task_create",
                json!({ "task": task, "outcome": "created", "similar": task }),
            ),
            (
                "task_claim",
                json!({ "task": task, "outcome": "claimed", "dependencies": [task] }),
            ),
            ("query sessions", json!({ "sessions": [session] })),
            ("query locks", json!({ "locks": [lock] })),
            ("query events", json!({ "events": [event], "last_seq": 1 })),
            ("query stats", stand_in::stats(HOSTILE)),
            ("lock", fault),
        ],
    );
    world
}

#[test]
fn stored_text_cannot_reach_the_terminal() {
    let world = world();
    let calls: &[&[&str]] = &[
        &["task", "list"],
        &["task", "show", "1a2b"],
        &["task", "create", "x"],
        &["task", "claim"],
        &["sessions"],
        &["lock", "list"],
        &["lock", "acquire", "x"],
        &["log"],
        &["status"],
    ];
    for words in calls {
        is_harmless(&world.kite(words).run());
    }
    world
        .kite(&["task", "list"])
        .run()
        .mentions("a\\u{1b}[2Jb\\u{1b}]0;owned\\u{7}c\\u{9b}31md\\u{202e}e\\u{200b}f");
}

#[test]
fn json_is_harmless_and_says_the_same() {
    let world = world();
    let said = world.kite(&["task", "list", "--json"]).run().ends(0);
    is_harmless(&said);
    assert_eq!(
        said.json()["tasks"][0]["title"],
        Value::String(HOSTILE.to_owned())
    );
}
