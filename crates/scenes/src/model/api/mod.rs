//! The APIs by which clients ask their models, each read into the one form that scripts and records
//! know (that of the Messages API), and answered in its own.
//!
//! - [`messages`]: Claude Code. - [`responses`]: Codex. - [`gemini`]: Gemini CLI. - [`chat`]: opencode.

mod chat;
mod gemini;
mod messages;
mod responses;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Api {
    Messages,
    Responses,
    Gemini,
    Chat,
}

/// The kind and the text of an answer.
pub(super) type Body = (&'static str, String);

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

impl Api {
    /// The API that a path asks for an answer of the model.
    pub(super) fn of(path: &str) -> Option<Api> {
        match path {
            "/v1/messages" => Some(Api::Messages),
            "/v1/responses" => Some(Api::Responses),
            "/v1/chat/completions" => Some(Api::Chat),
            _ if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") => {
                Some(Api::Gemini)
            }
            _ => None,
        }
    }

    /// The request as the Messages API would have it.
    pub(super) fn read(self, body: Value) -> Value {
        match self {
            Api::Messages => body,
            Api::Responses => responses::read(&body),
            Api::Gemini => gemini::read(&body),
            Api::Chat => chat::read(&body),
        }
    }

    /// Whether an agent's turn is asked for. Clients ask their models for titles and the like, too,
    /// with the prompt in it, but without tools.
    pub(super) fn is_turn(self, body: &Value) -> bool {
        self == Api::Messages
            || body["tools"]
                .as_array()
                .is_some_and(|tools| !tools.is_empty())
    }

    /// The answer that holds these blocks. `request` is what was asked, in this API's own form.
    pub(super) fn answer(self, path: &str, request: &Value, blocks: &[Value]) -> Body {
        let blocks = with_ids(blocks);
        match self {
            Api::Messages => messages::answer(request, &blocks),
            Api::Responses => responses::answer(request, &blocks),
            Api::Gemini => gemini::answer(path, &blocks),
            Api::Chat => chat::answer(request, &blocks),
        }
    }
}

/// Gives each tool call an id of its own, as the real models do.
fn with_ids(blocks: &[Value]) -> Vec<Value> {
    let mut blocks = blocks.to_vec();
    for block in blocks.iter_mut().filter(|block| is_call(block)) {
        block["id"] = unique("toolu").into();
    }
    blocks
}

fn is_call(block: &Value) -> bool {
    block["type"] == "tool_use"
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

/// Messages from items, of which neighbours with one role are one message, so that messages of the
/// assistant count its turns.
fn joined(items: impl IntoIterator<Item = (&'static str, Value)>) -> Vec<Value> {
    let mut messages: Vec<Value> = Vec::new();
    for (role, block) in items {
        match messages.last_mut() {
            Some(last) if last["role"] == role => {
                if let Some(blocks) = last["content"].as_array_mut() {
                    blocks.push(block);
                }
            }
            _ => messages.push(json!({"role": role, "content": [block]})),
        }
    }
    messages
}

fn text_block(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn result_block(text: &str, is_error: bool) -> Value {
    json!({"type": "tool_result", "is_error": is_error, "content": text})
}

/// One event of a stream, without a name.
fn data(value: &Value) -> String {
    format!("data: {value}\n\n")
}
