//! One answer of the model, as JSON or as a stream of server-sent events.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};

/// A whole message, ready to be sent.
pub(super) struct Message {
    id: String,
    content: Vec<Value>,
    stop_reason: &'static str,
}

impl Message {
    /// Gives each tool call an id of its own, as the real model does.
    pub(super) fn new(blocks: &[Value]) -> Message {
        let mut content = blocks.to_vec();
        let mut stop_reason = "end_turn";
        for block in content
            .iter_mut()
            .filter(|block| block["type"] == "tool_use")
        {
            block["id"] = unique("toolu").into();
            stop_reason = "tool_use";
        }
        Message {
            id: unique("msg"),
            content,
            stop_reason,
        }
    }

    pub(super) fn to_json(&self) -> String {
        self.envelope(&self.content, Some(self.stop_reason))
            .to_string()
    }

    pub(super) fn to_events(&self) -> String {
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
    if block["type"] == "tool_use" {
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

/// An id that no other run of the model gives, since Kite joins events by these.
fn unique(prefix: &str) -> String {
    static RUN: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!(
        "{prefix}_{:016x}{:08x}",
        *RUN,
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}
