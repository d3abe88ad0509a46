//! Arguments of a call, checked and put in their places.
//!
//! Models invent parameters and values: each fault is named with what is allowed instead, all of
//! them at once.

use kite_wire::request::nearest;
use regex::RegexBuilder;
use serde_json::{Map, Value};

use super::{Definition, Kind, Parameter};
use crate::translate::words::inline;

/// Faults named in one answer.
const FAULTS_MAX: usize = 8;
/// Characters of a wrong name or value that are shown back.
const SHOWN_CHARS_MAX: usize = 40;
/// Longest name of a lock, in characters.
const LOCK_CHARS_MAX: usize = 200;
/// Most memory of a compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What a call runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The program as it was written, and its arguments.
    pub argv: Vec<String>,
    pub lock: Option<String>,
}

impl Definition {
    /// Puts the arguments of a call in their places. What is `null` counts as left out.
    ///
    /// # Errors
    /// A sentence for whoever calls, with all that is wrong.
    pub fn fill(&self, given: &Map<String, Value>) -> Result<Filled, String> {
        let mut faults = self.faults(given);
        let value = |name: &str| self.value(name, given);
        let mut argv = Vec::new();
        let mut options_are_over = false;
        for template in &self.argv {
            // An argument whose value was not given is left out.
            let Some(argument) = template.fill(value) else {
                continue;
            };
            if template.begins_with_value() && argument.starts_with('-') && !options_are_over {
                let names: Vec<&str> = template.names().collect();
                faults.push(format!(
                    "`{}` must not begin with `-` here: the program could take it for an option",
                    names.first().copied().unwrap_or_default()
                ));
            }
            options_are_over |= template.text() == "--";
            argv.push(argument);
        }
        let lock = self.lock.as_ref().and_then(|lock| lock.fill(value));
        if lock
            .as_ref()
            .is_some_and(|lock| lock.chars().count() > LOCK_CHARS_MAX)
        {
            faults.push(format!(
                "its lock's name would be longer than {LOCK_CHARS_MAX} characters"
            ));
        }
        if faults.is_empty() {
            return Ok(Filled { argv, lock });
        }
        let more = faults.len().saturating_sub(FAULTS_MAX);
        faults.truncate(FAULTS_MAX);
        if more > 0 {
            faults.push(format!("and {more} more"));
        }
        Err(format!(
            "{} was not run: {}. Its parameters: {}.",
            self.name,
            faults.join("; "),
            self.parameters_text()
        ))
    }

    fn faults(&self, given: &Map<String, Value>) -> Vec<String> {
        let mut faults = Vec::new();
        for (name, value) in given.iter().filter(|(_, value)| !value.is_null()) {
            match self.parameters.iter().find(|p| p.name == *name) {
                Some(parameter) => faults.extend(parameter.fault(value)),
                None => faults.push(self.unknown(name)),
            }
        }
        let missing = |p: &&Parameter| p.required && given.get(&p.name).is_none_or(Value::is_null);
        for parameter in self.parameters.iter().filter(missing) {
            faults.push(format!("`{}` is missing", parameter.name));
        }
        faults
    }

    fn unknown(&self, name: &str) -> String {
        let shown = inline(name, SHOWN_CHARS_MAX);
        match nearest(&shown, self.parameters.iter().map(|p| p.name.as_str())) {
            Some(near) => format!("there is no parameter `{shown}` (did you mean `{near}`?)"),
            None => format!("there is no parameter `{shown}`"),
        }
    }

    fn value(&self, name: &str, given: &Map<String, Value>) -> Option<String> {
        let parameter = self.parameters.iter().find(|p| p.name == name)?;
        let value = given.get(name).filter(|value| !value.is_null());
        match value.or(parameter.default.as_ref())? {
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    fn parameters_text(&self) -> String {
        if self.parameters.is_empty() {
            return "none".to_owned();
        }
        let shown = self.parameters.iter().map(|parameter| {
            let required = if parameter.required { ", required" } else { "" };
            format!("{} ({}{required})", parameter.name, parameter.kind.words())
        });
        shown.collect::<Vec<_>>().join(", ")
    }
}

impl Parameter {
    /// What is wrong with a value, if anything.
    pub(super) fn fault(&self, value: &Value) -> Option<String> {
        let name = &self.name;
        match (&self.kind, value) {
            (Kind::Text { .. }, Value::String(text)) => self.kind.text_fault(name, text),
            (Kind::Boolean, Value::Bool(_)) => None,
            (Kind::Integer { min, max }, _) if value.is_i64() => {
                let number = value.as_i64()?;
                let fits =
                    min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
                (!fits).then(|| format!("`{name}` is {}, not {number}", self.kind.words()))
            }
            (Kind::Number { min, max }, Value::Number(_)) => {
                let number = value.as_f64()?;
                let fits =
                    min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
                (!fits).then(|| format!("`{name}` is {}, not {value}", self.kind.words()))
            }
            _ => {
                let shown = inline(&value.to_string(), SHOWN_CHARS_MAX);
                Some(format!("`{name}` is {}, not {shown}", self.kind.words()))
            }
        }
    }
}

impl Kind {
    fn text_fault(&self, name: &str, text: &str) -> Option<String> {
        let Kind::Text {
            chars_max,
            pattern,
            of,
        } = self
        else {
            return None;
        };
        let shown = inline(text, SHOWN_CHARS_MAX);
        if !of.is_empty() {
            let near = nearest(&shown, of.iter().map(String::as_str));
            let near = near.map(|near| format!(" (did you mean `{near}`?)"));
            let near = near.unwrap_or_default();
            return (!of.iter().any(|it| it == text))
                .then(|| format!("`{name}` is {}, not `{shown}`{near}", self.words()));
        }
        if text.is_empty() {
            return Some(format!("`{name}` is empty"));
        }
        if text.chars().any(char::is_control) {
            return Some(format!(
                "`{name}` must be one line without control characters"
            ));
        }
        let chars = text.chars().count() as u64;
        if chars > *chars_max {
            return Some(format!(
                "`{name}` is at most {chars_max} characters, not {chars}"
            ));
        }
        let pattern = pattern.as_ref()?;
        let matches = whole(pattern).is_ok_and(|regex| regex.is_match(text));
        (!matches).then(|| format!("`{name}` must match `{pattern}`, and `{shown}` does not"))
    }

    /// The type and its bounds, for a sentence.
    fn words(&self) -> String {
        fn bounds<T: std::fmt::Display>(min: Option<T>, max: Option<T>) -> String {
            match (min, max) {
                (Some(min), Some(max)) => format!(" from {min} to {max}"),
                (Some(min), None) => format!(" of at least {min}"),
                (None, Some(max)) => format!(" of at most {max}"),
                (None, None) => String::new(),
            }
        }
        match self {
            Kind::Text { of, .. } if !of.is_empty() => format!("one of {}", of.join(", ")),
            Kind::Text { .. } => "a string".to_owned(),
            Kind::Integer { min, max } => format!("an integer{}", bounds(*min, *max)),
            Kind::Number { min, max } => format!("a number{}", bounds(*min, *max)),
            Kind::Boolean => "true or false".to_owned(),
        }
    }
}

/// The pattern, for a whole value.
pub(super) fn whole(pattern: &str) -> Result<regex::Regex, regex::Error> {
    RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(PATTERN_BYTES_MAX)
        .build()
}
