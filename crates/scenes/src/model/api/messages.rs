//! The Messages API of Anthropic.

use serde_json::{Value, json};

use super::{Body, EVENTS, JSON, is_call, unique};

/// A message, or the events that it is streamed in.
pub(super) fn answer(request: &Value, blocks: &[Value]) -> Body {
    let message = Message {
        id: unique("msg"),
        content: blocks,
        stop_reason: match blocks.iter().any(is_call) {
            true => "tool_use",
            false => "end_turn",
        },
    };
    if request["stream"] == true {
        (EVENTS, message.to_events())
    } else {
        (JSON, message.to_json())
    }
}

struct Message<'a> {
    id: String,
    content: &'a [Value],
    stop_reason: &'static str,
}

impl Message<'_> {
    fn to_json(&self) -> String {
        self.envelope(self.content, Some(self.stop_reason))
            .to_string()
    }

    fn to_events(&self) -> String {
        let mut events = String::new();
        let mut event = |name: &str, mut data: Value| {
            data["type"] = name.into();
            events.push_str(&format!("event: {name}\ndata: {data}\n\n"));
        };
        event(
            "message_start",
            json!({"message": self.envelope(&[], None)}),
        );
        for (index, block) in self.content.iter().enumerate() {
            let (start, delta) = halves(block);
            event(
                "content_block_start",
                json!({"index": index, "content_block": start}),
            );
            event(
                "content_block_delta",
                json!({"index": index, "delta": delta}),
            );
            event("content_block_stop", json!({"index": index}));
        }
        let delta = json!({"stop_reason": self.stop_reason, "stop_sequence": null});
        event(
            "message_delta",
            json!({"delta": delta, "usage": {"output_tokens": 5}}),
        );
        event("message_stop", json!({}));
        events
    }

    fn envelope(&self, content: &[Value], stop_reason: Option<&str>) -> Value {
        json!({
            "id": self.id, "type": "message", "role": "assistant", "model": "scripted",
            "content": content, "stop_reason": stop_reason, "stop_sequence": null,
            "usage": {"input_tokens": 5, "output_tokens": 5},
        })
    }
}

/// A block as it is begun, and the one delta that completes it.
fn halves(block: &Value) -> (Value, Value) {
    let mut start = block.clone();
    if is_call(block) {
        start["input"] = json!({});
        let input = block["input"].to_string();
        (
            start,
            json!({"type": "input_json_delta", "partial_json": input}),
        )
    } else {
        start["text"] = "".into();
        (start, json!({"type": "text_delta", "text": block["text"]}))
    }
}
