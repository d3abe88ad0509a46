//! What a session's model received, and when.

use std::time::Instant;

use serde_json::Value;

use super::script::chosen_by;

/// One request to the model.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The client's session id. Subagents carry their parent's.
    pub session: String,
    /// The script it chose; empty where it chose none.
    pub script: String,
    /// Which turn of the script it asked for; the first is 0.
    pub turn: usize,
    /// The whole request.
    pub body: Value,
    /// When it was there as a whole.
    pub arrived: Instant,
    /// When the model began to answer; `None` while the request waits at a cue.
    pub answered: Option<Instant>,
}

/// The result of a tool call, as the model was shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolResult {
    pub is_error: bool,
    pub text: String,
}

impl Exchange {
    pub(super) fn read(session: String, body: Value, arrived: Instant) -> Exchange {
        let messages = body["messages"].as_array().map_or(&[][..], Vec::as_slice);
        let (script, turn) = messages
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, message)| message["role"] == "user")
            .find_map(|(at, message)| {
                let script = texts_of(&message["content"])
                    .find_map(chosen_by)?
                    .to_owned();
                let spoken = messages[at..]
                    .iter()
                    .filter(|m| m["role"] == "assistant")
                    .count();
                Some((script, spoken))
            })
            .unwrap_or_default();
        Exchange {
            session,
            script,
            turn,
            body,
            arrived,
            answered: None,
        }
    }

    /// Results of tool calls that came since the model's last answer.
    #[must_use]
    pub fn results(&self) -> Vec<ToolResult> {
        self.since_the_last_answer()
            .iter()
            .filter_map(|message| message["content"].as_array())
            .flatten()
            .filter(|block| block["type"] == "tool_result")
            .map(|block| ToolResult {
                is_error: block["is_error"] == true,
                text: texts_of(&block["content"]).collect::<Vec<_>>().join("\n"),
            })
            .collect()
    }

    /// Everything the model was told since its last answer, line by line.
    #[must_use]
    pub fn news(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for message in self.since_the_last_answer() {
            collect_lines(message, &mut lines);
        }
        lines
    }

    fn since_the_last_answer(&self) -> &[Value] {
        let messages = self.body["messages"]
            .as_array()
            .map_or(&[][..], Vec::as_slice);
        let since = messages
            .iter()
            .rposition(|m| m["role"] == "assistant")
            .map_or(0, |at| at + 1);
        &messages[since..]
    }

    /// Everything the model was told, line by line: the system prompt and all messages, without
    /// the definitions of tools.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        collect_lines(&self.body["system"], &mut lines);
        collect_lines(&self.body["messages"], &mut lines);
        lines
    }
}

/// The texts of a message's content, which is a string or a list of blocks.
fn texts_of(content: &Value) -> impl Iterator<Item = &str> {
    let blocks = content.as_array().map_or(&[][..], Vec::as_slice);
    content
        .as_str()
        .into_iter()
        .chain(blocks.iter().filter_map(|block| block["text"].as_str()))
}

fn collect_lines(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::String(text) => lines.extend(text.lines().map(str::to_owned)),
        Value::Array(items) => items.iter().for_each(|item| collect_lines(item, lines)),
        Value::Object(fields) => {
            for told in ["text", "content"]
                .iter()
                .filter_map(|name| fields.get(*name))
            {
                collect_lines(told, lines);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use serde_json::json;

    use super::{Exchange, ToolResult};

    #[test]
    fn the_turn_is_counted_from_the_newest_marker() {
        let body = json!({"messages": [
            {"role": "user", "content": "Old [script old]"},
            {"role": "assistant", "content": [{"type": "text", "text": "Done."}]},
            {"role": "user", "content": [{"type": "text", "text": "New\n[script new]"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "1", "name": "Read"}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "1", "is_error": true, "content": "no [script x]"}
            ]},
            {"role": "system", "content": "a note [script y]"},
        ]});
        let exchange = Exchange::read("s".to_owned(), body, Instant::now());
        assert_eq!((exchange.script.as_str(), exchange.turn), ("new", 1));
        let refused = ToolResult {
            is_error: true,
            text: "no [script x]".to_owned(),
        };
        assert_eq!(exchange.results(), [refused]);
        assert!(exchange.lines().contains(&"a note [script y]".to_owned()));
    }
}
