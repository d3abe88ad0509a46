//! The tool list, held against the one that was last agreed on.

use std::{env, fs, path::Path};

use serde_json::Value;

/// With `KITE_BLESS=1` the test writes the list instead of comparing it.
const GOLDEN: &str = "tests/golden/tools.json";

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
        size < 10_000,
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
