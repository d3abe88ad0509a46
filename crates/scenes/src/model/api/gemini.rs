//! The Gemini API.

use serde_json::{Value, json};

use super::{Body, EVENTS, JSON, data, is_call, joined, result_block, text_block};

pub(super) fn read(body: &Value) -> Value {
    let contents = body["contents"].as_array().map_or(&[][..], Vec::as_slice);
    let items = contents.iter().flat_map(|content| {
        let role = match content["role"].as_str() {
            Some("model") => "assistant",
            _ => "user",
        };
        let parts = content["parts"].as_array().map_or(&[][..], Vec::as_slice);
        parts
            .iter()
            .filter_map(move |part| Some((role, block(part)?)))
    });
    let told = body["systemInstruction"]["parts"].as_array();
    let system = told.into_iter().flatten().filter_map(block);
    json!({
        "tools": body["tools"],
        "system": system.collect::<Vec<_>>(),
        "messages": joined(items),
    })
}

fn block(part: &Value) -> Option<Value> {
    if let Some(text) = part["text"].as_str() {
        return Some(text_block(text));
    }
    if let Some(call) = part["functionCall"].as_object() {
        return Some(json!({"type": "tool_use", "name": call.get("name")}));
    }
    let response = part["functionResponse"]["response"].as_object()?;
    let told = |name: &str| {
        response.get(name).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    Some(match told("error") {
        Some(error) => result_block(&error, true),
        None => result_block(
            &told("output").unwrap_or_else(|| json!(response).to_string()),
            false,
        ),
    })
}

pub(super) fn answer(path: &str, blocks: &[Value]) -> Body {
    let parts: Vec<Value> = blocks
        .iter()
        .map(|block| match is_call(block) {
            true => json!({"functionCall": {
                "id": block["id"], "name": block["name"], "args": block["input"],
            }}),
            false => json!({"text": block["text"]}),
        })
        .collect();
    let answer = json!({
        "candidates": [{
            "index": 0, "finishReason": "STOP",
            "content": {"role": "model", "parts": parts},
        }],
        "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 5, "totalTokenCount": 10},
    });
    if path.ends_with(":streamGenerateContent") {
        (EVENTS, data(&answer))
    } else {
        (JSON, answer.to_string())
    }
}
