//! The Responses API of OpenAI, as Codex uses it: always streamed.

use serde_json::{Value, json};

use super::{Body, EVENTS, data, is_call, joined, result_block, text_block, unique};

pub(super) fn read(body: &Value) -> Value {
    let items = body["input"].as_array().map_or(&[][..], Vec::as_slice);
    json!({
        "stream": true,
        "tools": body["tools"],
        "system": [text_block(body["instructions"].as_str().unwrap_or_default())],
        "messages": joined(items.iter().flat_map(blocks)),
    })
}

fn blocks(item: &Value) -> Vec<(&'static str, Value)> {
    match item["type"].as_str().unwrap_or("message") {
        "message" => {
            let role = match item["role"].as_str() {
                Some("assistant") => "assistant",
                Some("user") => "user",
                _ => "system",
            };
            let parts = item["content"].as_array().map_or(&[][..], Vec::as_slice);
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.map(|text| (role, text_block(text))).collect()
        }
        "function_call" | "custom_tool_call" => {
            vec![(
                "assistant",
                json!({"type": "tool_use", "name": item["name"]}),
            )]
        }
        "function_call_output" | "custom_tool_call_output" => {
            vec![("user", result_block(&told(&item["output"]), false))]
        }
        _ => Vec::new(),
    }
}

/// What a tool said: text, or a list of texts.
fn told(output: &Value) -> String {
    match output {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|p| p["text"].as_str()).collect();
            texts.join("\n")
        }
        other => other.to_string(),
    }
}

pub(super) fn answer(request: &Value, blocks: &[Value]) -> Body {
    let id = unique("resp");
    let mut events = data(&json!({"type": "response.created", "response": {"id": id}}));
    for block in blocks {
        let item = item(&request["tools"], block);
        events += &data(&json!({"type": "response.output_item.done", "item": item}));
    }
    let usage = json!({
        "input_tokens": 5, "input_tokens_details": null,
        "output_tokens": 5, "output_tokens_details": null, "total_tokens": 10,
    });
    let response = json!({"id": id, "usage": usage});
    events += &data(&json!({"type": "response.completed", "response": response}));
    (EVENTS, events)
}

/// A call as the tool's own kind wants it: tools of an MCP server stand in a namespace, and a custom
/// tool takes text. The text is the only value of the script's input.
fn item(tools: &Value, block: &Value) -> Value {
    if !is_call(block) {
        let content = json!([{"type": "output_text", "text": block["text"]}]);
        return json!({
            "type": "message", "role": "assistant", "id": unique("msg"), "content": content,
        });
    }
    let name = block["name"].as_str().unwrap_or_default();
    let tools = tools.as_array().map_or(&[][..], Vec::as_slice);
    let is_custom = |tool: &&Value| tool["type"] == "custom" && tool["name"] == name;
    if tools.iter().any(|tool| is_custom(&tool)) {
        let text = block["input"].as_object().and_then(|o| o.values().next());
        return json!({
            "type": "custom_tool_call", "id": unique("ctc"), "call_id": block["id"],
            "name": name, "input": text,
        });
    }
    let mut call = json!({
        "type": "function_call", "id": unique("fc"), "call_id": block["id"],
        "name": name, "arguments": block["input"].to_string(),
    });
    let spaces = tools.iter().filter(|tool| tool["type"] == "namespace");
    for space in spaces.filter_map(|tool| tool["name"].as_str()) {
        let inner = name
            .strip_prefix(space)
            .map(|rest| rest.trim_start_matches("__"));
        if let Some(inner) = inner {
            call["namespace"] = space.into();
            call["name"] = inner.into();
        }
    }
    call
}
