//! Takes secrets out of text before anybody stores or shows it.
//!
//! Each secret gives way to `[redacted:kind]`. Known token formats are found by their shape,
//! others by the name they are assigned to (`API_KEY=...`, `"password": "..."`). Time is linear in
//! the text. What has neither a known shape nor a telling name is not found: this is a net, not
//! a wall.
//!
//! **Architecture Invariant:** knows text and JSON only. Redacting twice changes nothing more.

mod assigned;
mod encoded;
mod names;
mod patterns;

use std::borrow::Cow;

use serde_json::{Map, Value};

pub use names::is_secret_name;

/// What stands in place of a value whose key says that it is secret.
const BY_NAME: &str = "[redacted:named]";

/// `text` without the secrets in it.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    let passes = [patterns::redact, assigned::redact, encoded::redact];
    passes
        .into_iter()
        .fold(Cow::Borrowed(text), |text, pass| match text {
            Cow::Borrowed(text) => pass(text),
            Cow::Owned(text) => Cow::Owned(pass(&text).into_owned()),
        })
}

/// Takes the secrets out of all strings in `value`, keys included, and out of the values of keys
/// that name a secret.
pub fn redact_json(value: &mut Value) {
    match value {
        Value::String(text) => redact_in_place(text),
        Value::Array(items) => redact_array(items),
        Value::Object(fields) => redact_object(fields),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn redact_in_place(text: &mut String) {
    if let Cow::Owned(redacted) = redact(text) {
        *text = redacted;
    }
}

/// `["--password", "..."]` names its secret as a command line does.
fn redact_array(items: &mut [Value]) {
    let mut is_named = false;
    for item in items {
        let names_next = item.as_str().is_some_and(is_secret_flag);
        if is_named && item.is_string() {
            blank(item);
        } else {
            redact_json(item);
        }
        is_named = names_next;
    }
}

fn is_secret_flag(text: &str) -> bool {
    text.strip_prefix('-')
        .is_some_and(|name| is_secret_name(name.trim_start_matches('-')))
}

fn redact_object(fields: &mut Map<String, Value>) {
    let is_pair = is_secret_pair(fields);
    for (key, value) in fields.iter_mut() {
        if is_secret_name(key) || (is_pair && key.eq_ignore_ascii_case("value")) {
            blank(value);
        } else {
            redact_json(value);
        }
    }
    if fields
        .keys()
        .any(|key| matches!(redact(key), Cow::Owned(_)))
    {
        let renamed = std::mem::take(fields).into_iter();
        fields.extend(renamed.map(|(key, value)| (redact(&key).into_owned(), value)));
    }
}

/// `{"name": "API_KEY", "value": "..."}`
fn is_secret_pair(fields: &Map<String, Value>) -> bool {
    ["name", "key", "Name", "Key"].iter().any(|name| {
        fields
            .get(*name)
            .and_then(Value::as_str)
            .is_some_and(is_secret_name)
    })
}

/// Takes out everything that a secret's name stands for.
fn blank(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(text) if text.is_empty() || text.starts_with("[redacted:") => {}
        Value::String(_) | Value::Number(_) => *value = Value::String(BY_NAME.to_owned()),
        Value::Array(items) => items.iter_mut().for_each(blank),
        Value::Object(fields) => fields.values_mut().for_each(blank),
    }
}
