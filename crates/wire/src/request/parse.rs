//! Lines to requests and back, and the words for what is wrong with one.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{ENVELOPE_FIELDS, Envelope, Request, TYPES};
use crate::reply::Fault;

/// Longest part of a caller's text that an error repeats, in characters.
const CLIP_CHARS_MAX: usize = 160;

impl Request {
    /// Reads one line. The error is ready to be sent, together with the id where one was found.
    pub fn parse(line: &[u8]) -> Result<(Envelope, Request), (Option<u64>, Fault)> {
        let value: Value = serde_json::from_slice(line).map_err(|e| {
            (
                None,
                Fault::new("invalid_json", format!("the line is not JSON: {e}"))
                    .hint("send one JSON object on one line, ended by a newline"),
            )
        })?;
        let Value::Object(mut object) = value else {
            return Err((
                None,
                Fault::new("invalid_request", "a request is a JSON object")
                    .hint(r#"for example {"type":"query","target":"sessions"}"#),
            ));
        };
        let id = object.get("id").and_then(Value::as_u64);
        Self::parse_object(&mut object).map_err(|fault| (id, fault))
    }

    fn parse_object(object: &mut Map<String, Value>) -> Result<(Envelope, Request), Fault> {
        let Some(Value::String(name)) = object.swap_remove("type") else {
            return Err(Fault::new(
                "invalid_request",
                "the field `type` is missing or not a string",
            )
            .hint(format!("known types: {}", TYPES.join(", "))));
        };
        let Some(fields) = Self::fields_of(&name) else {
            return Err(Fault::new(
                "unknown_type",
                format!("unknown request type `{}`", clip(&name)),
            )
            .hint(nearest_hint(&name, TYPES.iter().copied())));
        };
        let mut envelope = Map::new();
        for field in ENVELOPE_FIELDS {
            if let Some(value) = object.swap_remove(*field) {
                envelope.insert((*field).to_owned(), value);
            }
        }
        if let Some(unknown) = object.keys().find(|key| !fields.contains(&key.as_str())) {
            return Err(Fault::new(
                "unknown_field",
                format!("unknown field `{}` in `{name}`", clip(unknown)),
            )
            .hint(nearest_hint(
                unknown,
                fields.iter().chain(ENVELOPE_FIELDS).copied(),
            )));
        }
        let envelope = if envelope.is_empty() {
            Envelope::default()
        } else {
            let envelope = Value::Object(envelope);
            Envelope::deserialize(&envelope).map_err(|e| {
                wrong_field(&name, &envelope, &e, |field| {
                    Envelope::deserialize(field).is_ok()
                })
            })?
        };
        let body = Value::Object(core::mem::take(object));
        match Self::from_body(&name, &body) {
            Some(Ok(request)) => Ok((envelope, request)),
            Some(Err(e)) => Err(wrong_field(&name, &body, &e, |field| {
                Self::from_body(&name, field).is_some_and(|read| read.is_ok())
            })),
            None => unreachable!("fields_of and from_body know the same names"),
        }
    }

    /// One JSON line, newline included.
    #[must_use]
    pub fn to_line(&self, envelope: &Envelope) -> Vec<u8> {
        let mut object = Map::new();
        object.insert("type".to_owned(), Value::String(self.name().to_owned()));
        for part in [serde_json::to_value(envelope), self.body()] {
            if let Ok(Value::Object(fields)) = part {
                object.extend(fields);
            }
        }
        let mut line = Value::Object(object).to_string().into_bytes();
        line.push(b'\n');
        line
    }
}

/// Names the first field of `object` that is not right by itself, as serde does not.
fn wrong_field(
    name: &str,
    object: &Value,
    error: &serde_json::Error,
    is_right: impl Fn(&Value) -> bool,
) -> Fault {
    let alone = |(field, value): (&String, &Value)| {
        Value::Object(Map::from_iter([(field.clone(), value.clone())]))
    };
    let wrong = object
        .as_object()
        .and_then(|fields| fields.iter().find(|field| !is_right(&alone(*field))));
    let place = wrong.map_or_else(|| name.to_owned(), |(field, _)| format!("{name}.{field}"));
    Fault::new(
        "invalid_field",
        format!("`{}`: {}", clip(&place), clip(&error.to_string())),
    )
    .hint("docs/protocol.md shows an example of each request")
}

/// Words of the caller are repeated to it, but not a megabyte of them.
fn clip(text: &str) -> String {
    text.chars().take(CLIP_CHARS_MAX).collect()
}

/// `did you mean ...?`, or the list of what is known where nothing is near.
pub fn nearest_hint<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let word = clip(word);
    match nearest(&word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

/// The known name nearest to `word`, if any is near.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|k| (strsim::damerau_levenshtein(word, k), k))
        .filter(|(distance, k)| *distance <= 2.max(k.len() / 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}
