//! The check of a call's arguments against the tool's declaration.
//!
//! Models invent parameters and values. Each fault is named with what is allowed instead, and all
//! of them at once, so that the next call can be right.

use kite_wire::request::nearest;
use serde_json::{Map, Value};

use crate::{
    schema::{Declaration, Kind, Param, VERSION_PARAM},
    text,
};

/// Faults named in one answer.
const FAULTS_MAX: usize = 8;
/// Characters of a wrong name or value that are shown back.
const SHOWN_CHARS_MAX: usize = 40;

/// Arguments that fit their declaration. What was `null` counts as left out.
#[derive(Debug, Default)]
pub(crate) struct Arguments(Map<String, Value>);

impl Arguments {
    /// Checks `given`. The error is the text for the model.
    pub(crate) fn check(
        tool: &Declaration,
        mut given: Map<String, Value>,
    ) -> Result<Arguments, String> {
        given.retain(|_, value| !value.is_null());
        if let Some(version) = given.shift_remove(VERSION_PARAM)
            && version.as_u64() != Some(u64::from(tool.version()))
        {
            return Err(other_version(tool, &version));
        }
        let mut faults = Vec::new();
        for (name, value) in &given {
            match tool.params.iter().find(|param| param.name == name) {
                Some(param) => faults.extend(fault_of(param, value)),
                None => faults.push(unknown(tool, name)),
            }
        }
        for param in tool.params.iter().filter(|param| param.required) {
            if !given.contains_key(param.name) {
                faults.push(format!("`{}` is missing", param.name));
            }
        }
        if faults.is_empty() {
            return Ok(Arguments(given));
        }
        let more = faults.len().saturating_sub(FAULTS_MAX);
        faults.truncate(FAULTS_MAX);
        if more > 0 {
            faults.push(format!("and {more} more"));
        }
        Err(format!(
            "{} was not called: {}. Its parameters: {}. Correct this and call again.",
            tool.name,
            faults.join("; "),
            tool.params_text()
        ))
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    pub(crate) fn integer(&self, name: &str) -> Option<u64> {
        self.0.get(name).and_then(Value::as_u64)
    }

    pub(crate) fn integer_u32(&self, name: &str) -> Option<u32> {
        self.integer(name)
            .and_then(|number| u32::try_from(number).ok())
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        let items = self
            .0
            .get(name)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        items
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }
}

fn unknown(tool: &Declaration, name: &str) -> String {
    let shown = text::one_line(name, SHOWN_CHARS_MAX);
    match nearest(&shown, tool.params.iter().map(|param| param.name)) {
        Some(near) => format!("there is no parameter `{shown}` (did you mean `{near}`?)"),
        None => format!("there is no parameter `{shown}`"),
    }
}

fn fault_of(param: &Param, value: &Value) -> Option<String> {
    let name = param.name;
    match param.kind {
        Kind::Text { chars_max } => match value.as_str() {
            Some(text) => text_fault(name, text, chars_max),
            None => Some(wrong_type(name, "a string", value)),
        },
        Kind::Choice { of, .. } => match value.as_str() {
            Some(text) if of.contains(&text) => None,
            Some(text) => {
                let shown = text::one_line(text, SHOWN_CHARS_MAX);
                let near = nearest(&shown, of.iter().copied());
                let near = near
                    .map(|near| format!(" (did you mean `{near}`?)"))
                    .unwrap_or_default();
                Some(format!(
                    "`{name}` is one of {}, not `{shown}`{near}",
                    of.join(", ")
                ))
            }
            None => Some(wrong_type(
                name,
                &format!("one of {}", of.join(", ")),
                value,
            )),
        },
        Kind::Integer { min, max, .. } => match value.as_u64() {
            Some(number) if (min..=max).contains(&number) => None,
            _ => Some(wrong_type(
                name,
                &format!("an integer from {min} to {max}"),
                value,
            )),
        },
        Kind::Flag if value.is_boolean() => None,
        Kind::Flag => Some(wrong_type(name, "true or false", value)),
        Kind::List {
            items_max,
            chars_max,
        } => match value.as_array() {
            Some(items) if items.len() > items_max => Some(format!(
                "`{name}` takes at most {items_max} items, not {}",
                items.len()
            )),
            Some(items) => items.iter().find_map(|item| match item.as_str() {
                Some(text) => text_fault(name, text, chars_max),
                None => Some(wrong_type(name, "a list of strings", item)),
            }),
            None => Some(wrong_type(name, "a list of strings", value)),
        },
    }
}

fn text_fault(name: &str, text: &str, chars_max: usize) -> Option<String> {
    match text.chars().count() {
        0 => Some(format!(
            "`{name}` is empty; leave it out or give it a value"
        )),
        chars if chars > chars_max => Some(format!(
            "`{name}` is at most {chars_max} characters, not {chars}"
        )),
        _ => None,
    }
}

fn wrong_type(name: &str, wanted: &str, value: &Value) -> String {
    let given = match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => format!("the string \"{}\"", text::one_line(text, SHOWN_CHARS_MAX)),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    };
    format!("`{name}` is {wanted}, not {given}")
}

/// The answer to a caller that knows another version of the schema: what changed, what to do.
fn other_version(tool: &Declaration, given: &Value) -> String {
    let current = tool.version();
    let known = given.as_u64().unwrap_or(0);
    let shown = text::one_line(&given.to_string(), SHOWN_CHARS_MAX);
    let mut answer = format!(
        "{} was not called: its schema is `_version` {current} here, not {shown}. ",
        tool.name
    );
    if known > u64::from(current) {
        answer.push_str(
            "The schema you have comes from a newer Kite than the one that serves this session. ",
        );
    } else {
        answer.push_str("Since then: ");
        let changes = tool
            .changes
            .iter()
            .filter(|change| u64::from(change.version) > known);
        let changes: Vec<String> = changes
            .map(|change| format!("{}: {}", change.version, change.what))
            .collect();
        answer.push_str(&changes.join("; "));
        answer.push_str(". ");
    }
    answer.push_str("Its parameters now: ");
    answer.push_str(&tool.params_text());
    answer.push_str(
        ". Call again with these and without `_version`; a new session reads the new schema.",
    );
    answer
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{schema::Change, tools};

    fn refusal(tool: &str, given: Value) -> String {
        let tool = tools::find(tool).expect("a tool of this name");
        let Value::Object(given) = given else {
            panic!("arguments are an object")
        };
        Arguments::check(&tool.declaration, given).expect_err("these arguments are wrong")
    }

    #[test]
    fn an_invented_parameter_is_answered_with_the_nearest_and_all() {
        let text = refusal(
            "kite_task_create",
            json!({"title": "t", "depend_on": ["1a2b3c4d"]}),
        );
        assert!(
            text.contains("no parameter `depend_on` (did you mean `depends_on`?)"),
            "{text}"
        );
        assert!(
            text.contains("Its parameters: title (required), description, priority"),
            "{text}"
        );
    }

    #[test]
    fn a_wrong_enum_value_is_answered_with_the_allowed_ones() {
        let text = refusal(
            "kite_task_create",
            json!({"title": "t", "priority": "hight"}),
        );
        assert!(
            text.contains(
                "`priority` is one of low, normal, high, not `hight` (did you mean `high`?)"
            ),
            "{text}"
        );
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let text = refusal(
            "kite_file_lock",
            json!({"files": "a", "ttl_seconds": 0, "keep": "yes", "wait_seconds": 46}),
        );
        assert!(
            text.contains("`files` is a list of strings, not the string \"a\""),
            "{text}"
        );
        assert!(
            text.contains("`ttl_seconds` is an integer from 1 to 86400, not 0"),
            "{text}"
        );
        assert!(text.contains("`keep` is true or false"), "{text}");
        assert!(
            text.contains("`wait_seconds` is an integer from 0 to 45, not 46"),
            "{text}"
        );
    }

    #[test]
    fn bounds_hold_for_texts_and_lists() {
        let text = refusal(
            "kite_task_create",
            json!({"title": "x".repeat(201), "paths": vec!["a"; 65]}),
        );
        assert!(
            text.contains("`title` is at most 200 characters, not 201"),
            "{text}"
        );
        assert!(
            text.contains("`paths` takes at most 64 items, not 65"),
            "{text}"
        );
        assert!(refusal("kite_task_create", json!({})).contains("`title` is missing"));
        assert!(refusal("kite_task_create", json!({"title": ""})).contains("`title` is empty"));
    }

    #[test]
    fn a_thousand_faults_make_a_short_answer() {
        let given: Map<String, Value> = (0..1_000)
            .map(|i| (format!("bogus_number_{i}"), json!(1)))
            .collect();
        let text = refusal("kite_sessions", Value::Object(given));
        assert!(
            text.contains("and 992 more") && text.len() < 1_000,
            "{text}"
        );
    }

    #[test]
    fn null_counts_as_left_out() {
        let tool = tools::find("kite_task_claim").expect("the tool");
        let Value::Object(given) = json!({"task": null, "another": true}) else {
            unreachable!()
        };
        let arguments = Arguments::check(&tool.declaration, given).expect("fits");
        assert_eq!(arguments.text("task"), None);
        assert!(arguments.flag("another"));
    }

    #[test]
    fn another_version_is_told_what_changed() {
        const CHANGED: Declaration = Declaration {
            name: "kite_example",
            title: "",
            description: "",
            effect: crate::schema::Effect::Read,
            params: &[Param::optional("file", Kind::Flag, "")],
            changes: &[
                Change {
                    version: 1,
                    what: "first version",
                },
                Change {
                    version: 2,
                    what: "`path` is called `file`",
                },
            ],
        };
        let check = |version: u64| {
            let Value::Object(given) = json!({"_version": version}) else {
                unreachable!()
            };
            Arguments::check(&CHANGED, given)
        };
        let older = check(1).expect_err("an older version is refused");
        assert!(
            older.contains("Since then: 2: `path` is called `file`."),
            "{older}"
        );
        let newer = check(3).expect_err("a newer version is refused");
        assert!(newer.contains("from a newer Kite"), "{newer}");
        assert!(check(2).is_ok());
    }
}
