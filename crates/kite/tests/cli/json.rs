//! `--json`: objects of a stable shape, as `docs/cli.md` describes them.

use serde_json::{Value, json};

use super::{stand_in, world::World};

fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn world() -> World {
    let world = World::new();
    let event =
        json!({ "seq": 7, "at": "2026-11-22T12:00:00Z", "kind": "lock", "what": "granted" });
    stand_in::daemon(
        &world,
        &[
            (
                "query sessions",
                json!({ "sessions": [stand_in::session("3f2a91bc", "idle", "x")] }),
            ),
            (
                "task_list",
                json!({ "tasks": [stand_in::task("1a2b3c4d", "ready", "x")], "counts": stand_in::counts(1, 0) }),
            ),
            (
                "query locks",
                json!({ "locks": [stand_in::lock("/w/shop/a", "3f2a91bc")] }),
            ),
            ("query events", json!({ "events": [event], "last_seq": 7 })),
            ("query stats", stand_in::stats("/h")),
            (
                "lock",
                json!({ "locks": [stand_in::lock("/w/shop/a", "3f2a91bc")], "outcome": "granted", "waited_ms": 0 }),
            ),
            (
                "task_create",
                json!({ "task": stand_in::task("1a2b3c4d", "ready", "x"), "outcome": "created" }),
            ),
        ],
    );
    world
}

#[test]
fn each_listing_is_an_object_with_its_key() {
    let world = world();
    let listings: &[(&[&str], &str)] = &[
        (&["sessions"], "sessions"),
        (&["task", "list"], "tasks"),
        (&["lock", "list"], "locks"),
        (&["log"], "events"),
    ];
    for (words, key) in listings {
        let said = world
            .kite(&[words, &["--json"][..]].concat())
            .run()
            .ends(0)
            .remarks("");
        let value = said.json();
        assert_eq!(value[key].as_array().map(Vec::len), Some(1), "{said:#?}");
        assert!(
            value.get("ok").is_none() && value.get("id").is_none(),
            "the wire shows: {said:#?}"
        );
    }
}

#[test]
fn ids_are_strings_and_times_are_rfc_3339() {
    let world = world();
    let session = world.kite(&["sessions", "--json"]).run().json()["sessions"][0].clone();
    assert!(session["id"].is_string());
    for field in ["since", "last_seen"] {
        session[field]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .expect(field);
    }
}

#[test]
fn status_is_one_object() {
    let value = world().kite(&["status", "--json"]).run().ends(0).json();
    assert_eq!(keys(&value), ["stats", "sessions", "locks"]);
    assert_eq!(value["stats"]["daemon"]["pid"], 4711);
}

#[test]
fn what_was_done_is_an_object_too() {
    let world = world();
    let value = world
        .kite(&["lock", "acquire", "a", "--json"])
        .run()
        .ends(0)
        .json();
    assert_eq!(
        (&value["outcome"], &value["locks"][0]["epoch"]),
        (&json!("granted"), &json!("17.1"))
    );
    let value = world
        .kite(&["task", "create", "x", "--json"])
        .run()
        .ends(0)
        .json();
    assert_eq!(
        (&value["outcome"], &value["task"]["id"]),
        (&json!("created"), &json!("1a2b3c4d"))
    );
}

#[test]
fn the_doctor_speaks_json() {
    let world = World::new();
    let value = world.kite(&["doctor", "--json"]).run().ends(1).json();
    assert_eq!(keys(&value), ["ok", "checks"]);
    assert_eq!(value["ok"], false);
    assert_eq!(value["checks"][0]["name"], "home");
    assert_eq!(value["checks"][0]["state"], "fail");
    assert!(!world.home.exists(), "the doctor changes nothing");
}
