//! The Chat Completions API, which opencode speaks to models of any provider.

use serde_json::{Value, json};

use super::{Body, EVENTS, JSON, data, is_call, joined, result_block, text_block, unique};

pub(super) fn read(body: &Value) -> Value {
    let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
    json!({
        "stream": body["stream"],
        "tools": body["tools"],
        "messages": joined(messages.iter().flat_map(blocks)),
    })
}

fn blocks(message: &Value) -> Vec<(&'static str, Value)> {
    let texts: Vec<&str> = match &message["content"] {
        Value::String(text) => vec![text],
        Value::Array(parts) => parts.iter().filter_map(|p| p["text"].as_str()).collect(),
        _ => Vec::new(),
    };
    let role = match message["role"].as_str() {
        Some("tool") => return vec![("user", result_block(&texts.join("\n"), false))],
        Some("assistant") => "assistant",
        Some("user") => "user",
        _ => "system",
    };
    let calls = message["tool_calls"].as_array().into_iter().flatten();
    let calls = calls.map(|call| {
        let name = &call["function"]["name"];
        (role, json!({"type": "tool_use", "name": name}))
    });
    let texts = texts.into_iter().map(|text| (role, text_block(text)));
    texts.chain(calls).collect()
}

pub(super) fn answer(request: &Value, blocks: &[Value]) -> Body {
    let text = blocks.iter().find_map(|block| block["text"].as_str());
    let calls: Vec<Value> = blocks
        .iter()
        .filter(|block| is_call(block))
        .enumerate()
        .map(|(index, block)| {
            let function = json!({"name": block["name"], "arguments": block["input"].to_string()});
            json!({"index": index, "id": block["id"], "type": "function", "function": function})
        })
        .collect();
    let reason = if calls.is_empty() {
        "stop"
    } else {
        "tool_calls"
    };
    let mut message = json!({"role": "assistant", "content": text});
    if !calls.is_empty() {
        message["tool_calls"] = calls.into();
    }
    let id = unique("chatcmpl");
    let whole = |object: &str, choice: Value| json!({"id": id, "object": object, "created": 1, "model": "scripted", "choices": [choice]});
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 10});
    if request["stream"] != true {
        let choice = json!({"index": 0, "message": message, "finish_reason": reason});
        let mut answer = whole("chat.completion", choice);
        answer["usage"] = usage;
        return (JSON, answer.to_string());
    }
    let chunk = "chat.completion.chunk";
    let first = whole(
        chunk,
        json!({"index": 0, "delta": message, "finish_reason": null}),
    );
    let mut last = whole(
        chunk,
        json!({"index": 0, "delta": {}, "finish_reason": reason}),
    );
    last["usage"] = usage;
    (EVENTS, data(&first) + &data(&last) + "data: [DONE]\n\n")
}
