//! The tool list as clients see it, and its fingerprint.

use std::sync::{Arc, OnceLock};

use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    http::handles::{self, HANDLE_PARAM},
    schema::{Declaration, Effect},
    tools::TOOLS,
};

/// All tools, in their fixed order.
pub(crate) fn tools() -> Vec<Tool> {
    TOOLS.iter().map(|tool| listed(&tool.declaration)).collect()
}

/// [`tools`], each with the optional argument by which a client says who it is where the protocol
/// does not.
pub(crate) fn tools_with_handle() -> Vec<Tool> {
    let with_handle = |mut tool: Tool| {
        let schema = Arc::make_mut(&mut tool.input_schema);
        if let Some(Value::Object(properties)) = schema.get_mut("properties") {
            properties
                .entry(HANDLE_PARAM)
                .or_insert_with(handles::schema);
        }
        tool
    };
    tools().into_iter().map(with_handle).collect()
}

/// `{"tools": [...]}`, as `tools/list` gives it.
pub(crate) fn list() -> Value {
    json!({ "tools": tools() })
}

/// 16 hexadecimal digits that change whenever the list does: xxh3 of the list as JSON without
/// spaces, the fields of each object sorted by name.
pub(crate) fn fingerprint() -> String {
    static FINGERPRINT: OnceLock<String> = OnceLock::new();
    let fingerprint = FINGERPRINT.get_or_init(|| {
        let mut list = list();
        list.sort_all_objects();
        format!("{:016x}", xxh3_64(list.to_string().as_bytes()))
    });
    fingerprint.clone()
}

fn listed(declaration: &Declaration) -> Tool {
    let effect = declaration.effect;
    let annotations = ToolAnnotations::new()
        .read_only(effect == Effect::Read)
        // What ends is kept: tasks with their history, locks in the log.
        .destructive(false)
        .idempotent(effect != Effect::Each)
        .open_world(false);
    Tool::new(
        declaration.name,
        declaration.description,
        Arc::new(declaration.input_schema()),
    )
    .with_title(declaration.title)
    .with_annotations(annotations)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_that_changes_something_takes_a_handle() {
        let acts = TOOLS
            .iter()
            .filter(|tool| tool.declaration.effect != Effect::Read);
        for tool in acts {
            let declaration = &tool.declaration;
            assert!(!declaration.takes(HANDLE_PARAM), "{}", declaration.name);
        }
        for tool in tools_with_handle() {
            assert!(tool.input_schema["properties"][HANDLE_PARAM].is_object());
        }
    }

    #[test]
    fn the_fingerprint_is_that_of_the_canonical_list() {
        let fingerprint = fingerprint();
        assert_eq!(fingerprint.len(), 16);
        assert_eq!(fingerprint, super::fingerprint());
        let mut changed = list();
        changed["tools"][0]["description"] = "other".into();
        changed.sort_all_objects();
        assert_ne!(
            fingerprint,
            format!("{:016x}", xxh3_64(changed.to_string().as_bytes()))
        );
    }
}
