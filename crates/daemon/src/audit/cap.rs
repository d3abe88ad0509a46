//! How much of an event is kept.

use kite_wire::reply::Event;
use serde_json::{Map, Value};

/// Longest text of one field that is kept, in bytes.
pub(super) const FIELD_BYTES_MAX: usize = 4 << 10;
/// Longest input or output that is kept, in bytes of JSON.
pub(super) const PART_BYTES_MAX: usize = 12 << 10;
/// What is looked at for secrets. More than is kept, so that none is cut in two before it is
/// recognised.
const LOOKED_AT_BYTES_MAX: usize = 16 << 10;
/// Most items of a list or fields of an object that are kept.
const ITEMS_MAX: usize = 256;

/// Cuts what would make the queue heavy. Cheap; the rest happens on the log's thread.
pub(super) fn before_queueing(event: &mut Event) {
    for part in [&mut event.input, &mut event.output].into_iter().flatten() {
        cap_texts(part, LOOKED_AT_BYTES_MAX);
    }
    for text in [&mut event.target, &mut event.outcome]
        .into_iter()
        .flatten()
    {
        cut(text, LOOKED_AT_BYTES_MAX);
    }
}

/// Takes out secrets, then cuts to what is kept.
pub(super) fn clean(event: &mut Event) {
    for part in [&mut event.input, &mut event.output].into_iter().flatten() {
        kite_redact::redact_json(part);
        cap_texts(part, FIELD_BYTES_MAX);
        cap_whole(part);
    }
    let texts = [
        &mut event.target,
        &mut event.outcome,
        &mut event.tool,
        &mut event.session,
    ];
    for text in texts.into_iter().flatten() {
        redact_text(text);
    }
    redact_text(&mut event.what);
    redact_text(&mut event.kind);
}

fn redact_text(text: &mut String) {
    if let std::borrow::Cow::Owned(redacted) = kite_redact::redact(text) {
        *text = redacted;
    }
    cut(text, FIELD_BYTES_MAX);
}

fn cap_texts(value: &mut Value, bytes_max: usize) {
    match value {
        Value::String(text) => cut(text, bytes_max),
        Value::Array(items) => {
            if items.len() > ITEMS_MAX {
                let more = format!("… and {} more", items.len() - ITEMS_MAX);
                items.truncate(ITEMS_MAX);
                items.push(Value::String(more));
            }
            items.iter_mut().for_each(|item| cap_texts(item, bytes_max));
        }
        Value::Object(fields) => {
            if fields.len() > ITEMS_MAX {
                let kept = std::mem::take(fields).into_iter().take(ITEMS_MAX);
                *fields = kept.collect::<Map<_, _>>();
            }
            fields
                .values_mut()
                .for_each(|item| cap_texts(item, bytes_max));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn cap_whole(value: &mut Value) {
    let text = value.to_string();
    if text.len() > PART_BYTES_MAX {
        let mut head = text;
        cut(&mut head, FIELD_BYTES_MAX);
        *value = serde_json::json!({ "capped": head });
    }
}

/// Cuts `text` to `bytes_max` bytes and says how much is missing. The end of what is left goes
/// back to a space or the like, so that no half of a token stays that is no longer recognised.
fn cut(text: &mut String, bytes_max: usize) {
    const BACK_BYTES_MAX: usize = 512;
    if text.len() <= bytes_max {
        return;
    }
    let end = text.floor_char_boundary(bytes_max);
    let start = text.floor_char_boundary(end.saturating_sub(BACK_BYTES_MAX));
    let is_boundary = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '&');
    let end = text[start..end]
        .rfind(is_boundary)
        .map_or(start, |at| start + at);
    let missing = text.len() - end;
    text.truncate(end);
    text.push_str(&format!("… [{missing} bytes more]"));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_that_would_be_cut_in_two_is_not_left_in_half() {
        let token = format!("ghp_{}", "Ab3dEf6hIj9lMn2pQr5tUv8xYz1BcD4fGh7j");
        for before in (FIELD_BYTES_MAX - 60)..(FIELD_BYTES_MAX + 20) {
            let text = format!(
                "{} {token} {}",
                "x ".repeat(before / 2),
                "y ".repeat(20_000)
            );
            let mut event = Event {
                input: Some(json!({ "command": text })),
                ..Event::default()
            };
            before_queueing(&mut event);
            clean(&mut event);
            let kept = event
                .input
                .map(|input| input.to_string())
                .unwrap_or_default();
            assert!(!kept.contains("Ab3d"), "{before}");
            assert!(kept.len() < PART_BYTES_MAX + 1_000);
        }
    }

    #[test]
    fn large_parts_are_cut_and_say_so() {
        let many: Vec<_> = (0..100_000).collect();
        let mut event = Event {
            input: Some(json!({ "list": many, "long": "é".repeat(50_000) })),
            output: Some(json!(vec!["z".repeat(3_000); 30])),
            ..Event::default()
        };
        before_queueing(&mut event);
        clean(&mut event);
        let input = event.input.expect("kept").to_string();
        assert!(
            input.contains("more") && input.len() < PART_BYTES_MAX,
            "{}",
            input.len()
        );
        assert!(event.output.expect("kept").get("capped").is_some());
    }
}
