//! The tool list, held against the one that was last agreed on.

use std::{env, fs, path::Path};

use serde_json::{Value, json};

/// With `KITE_BLESS=1` the test writes the list instead of comparing it.
const GOLDEN: &str = "tests/golden/tools.json";
/// The list of the latest release. Written by whoever releases, by copying the one above.
const RELEASED: &str = "tests/golden/released.json";

#[test]
fn the_tool_list_is_the_agreed_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(GOLDEN);
    let now = serde_json::to_string_pretty(&kite_mcp::tool_list()).expect("JSON") + "\n";
    if env::var_os("KITE_BLESS").is_some() {
        fs::write(&path, &now).expect("the golden file is writable");
    }
    let agreed = fs::read_to_string(&path).expect("the golden file");
    assert!(
        now == agreed,
        "the tool list differs from {GOLDEN}. Sessions that run keep the old one: change it by addition only, raise \
         the tool's `_version` with an entry in its changelog, then run this test with KITE_BLESS=1.\n{now}"
    );
}

#[test]
fn what_was_released_still_works() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(RELEASED);
    let released = fs::read_to_string(path).expect("the released list");
    let released: Value = serde_json::from_str(&released).expect("JSON");
    let now = kite_mcp::tool_list();
    let mut broken = Vec::new();
    let mut after = 0;
    for old in tools(&released) {
        let name = old["name"].as_str().expect("a name");
        let Some(at) = tools(&now).iter().position(|tool| tool["name"] == name) else {
            broken.push(format!("{name} is gone"));
            continue;
        };
        if at < after {
            broken.push(format!("{name} has moved up"));
        }
        after = at;
        narrowed(
            name,
            &old["inputSchema"],
            &tools(&now)[at]["inputSchema"],
            &mut broken,
        );
        for hint in ["readOnlyHint", "idempotentHint"] {
            if old["annotations"][hint] == true && tools(&now)[at]["annotations"][hint] != true {
                broken.push(format!("{name} is no longer {hint}"));
            }
        }
    }
    assert!(
        broken.is_empty(),
        "agents that learnt the tools from {RELEASED} would fail: {broken:#?}"
    );
}

fn tools(list: &Value) -> &[Value] {
    list["tools"].as_array().expect("tools")
}

/// Collects what the old schema allowed and the new one does not.
fn narrowed(place: &str, old: &Value, new: &Value, broken: &mut Vec<String>) {
    if old["type"] != new["type"] {
        broken.push(format!("{place} has another type"));
        return;
    }
    for (bound, is_narrower) in [
        ("maxLength", i64::lt as fn(&i64, &i64) -> bool),
        ("maxItems", i64::lt),
        ("maximum", i64::lt),
        ("minLength", i64::gt),
        ("minimum", i64::gt),
    ] {
        let is = |schema: &Value| schema[bound].as_i64();
        if is(new).is_some_and(|new| is(old).is_none_or(|old| is_narrower(&new, &old))) {
            broken.push(format!("{place} has a narrower {bound}"));
        }
    }
    let list = |schema: &Value, key: &str| schema[key].as_array().cloned().unwrap_or_default();
    for word in list(old, "enum")
        .iter()
        .filter(|word| !list(new, "enum").contains(word))
    {
        broken.push(format!("{place} no longer takes {word}"));
    }
    for word in list(new, "required")
        .iter()
        .filter(|word| !list(old, "required").contains(word))
    {
        broken.push(format!("{place} now needs {word}"));
    }
    if old.get("default") != new.get("default") && !place.ends_with("._version") {
        broken.push(format!("{place} has another default"));
    }
    for (name, old) in old["properties"].as_object().into_iter().flatten() {
        match new["properties"].get(name) {
            Some(new) => narrowed(&format!("{place}.{name}"), old, new, broken),
            None => broken.push(format!("{place}.{name} is gone")),
        }
    }
    if old.get("items").is_some() {
        narrowed(&format!("{place}[]"), &old["items"], &new["items"], broken);
    }
}

#[test]
fn a_narrowing_is_noticed() {
    let property = |schema: Value| json!({"type": "object", "properties": {"p": schema}});
    let old =
        property(json!({"type": "string", "maxLength": 9, "enum": ["a", "b"], "default": "a"}));
    for new in [
        json!({"type": "string", "maxLength": 8, "enum": ["a", "b"], "default": "a"}),
        json!({"type": "string", "maxLength": 9, "minLength": 1, "enum": ["a", "b"], "default": "a"}),
        json!({"type": "string", "maxLength": 9, "enum": ["a"], "default": "a"}),
        json!({"type": "string", "maxLength": 9, "enum": ["a", "b"], "default": "b"}),
        json!({"type": "integer"}),
    ] {
        let mut broken = Vec::new();
        narrowed("t", &old, &property(new.clone()), &mut broken);
        assert_eq!(broken.len(), 1, "{new}: {broken:?}");
    }
    let mut broken = Vec::new();
    let wider = property(
        json!({"type": "string", "maxLength": 99, "enum": ["a", "b", "c"], "default": "a"}),
    );
    narrowed("t", &old, &wider, &mut broken);
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn schemas_stay_within_what_every_client_reads() {
    for tool in kite_mcp::tool_list()["tools"].as_array().expect("tools") {
        let name = tool["name"].as_str().expect("a name");
        let schema = &tool["inputSchema"];
        assert_eq!(schema["type"], "object", "{name}");
        assert_eq!(schema["additionalProperties"], false, "{name}");
        assert!(
            tool.get("outputSchema").is_none(),
            "{name}: results are text"
        );
        let properties = schema["properties"].as_object().expect("properties");
        assert_eq!(
            properties["_version"]["const"], properties["_version"]["default"],
            "{name}"
        );
        for (property, schema) in properties {
            let place = format!("{name}.{property}");
            assert!(
                schema["description"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty()),
                "{place}: description"
            );
            assert!(bounded(schema), "{place}: {schema}");
        }
    }
}

#[test]
fn the_list_stays_small_in_the_models_context() {
    let size = kite_mcp::tool_list().to_string().len();
    assert!(
        size < 18_000,
        "{size} bytes; each of them is read by every session"
    );
}

/// Has one type, and an end.
fn bounded(schema: &Value) -> bool {
    match schema["type"].as_str() {
        Some("string") => schema["maxLength"].is_u64() || schema["enum"].is_array(),
        Some("integer") => {
            schema["const"].is_u64() || (schema["minimum"].is_u64() && schema["maximum"].is_u64())
        }
        Some("boolean") => true,
        Some("array") => schema["maxItems"].is_u64() && bounded(&schema["items"]),
        _ => false,
    }
}
