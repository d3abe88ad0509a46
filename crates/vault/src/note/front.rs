//! Front matter: the YAML between two lines of `---` at the very start.

use std::ops::Range;

use serde_json::{Map, Value};
use serde_saphyr::{Budget, DuplicateKeyPolicy, Options};

use super::{Written, keys};
use crate::{
    limits::{FRONT_BYTES_MAX, FRONT_DEPTH_MAX, FRONT_NODES_MAX},
    provenance::Line,
};

/// The line that ends front matter, and starts it.
pub(crate) const FRONT_END: &str = "---";

/// The values of a front matter.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Front {
    pub(crate) values: Map<String, Value>,
    /// Where the body starts.
    pub(crate) end: usize,
    /// Why there are no values although there is a front matter.
    pub(crate) fault: Option<String>,
    /// An agent wrote to the note, by a word that stands in front matter nobody can read.
    agents: bool,
}

impl Front {
    pub(crate) fn of(text: &str) -> Front {
        let Some(range) = front_range(text) else {
            return Front::default();
        };
        let end = range.end + line_end(&text[range.end..]);
        let source = &text[range];
        let (values, fault) = match parse(source) {
            Ok(values) => (values, None),
            Err(why) => (Map::new(), Some(why)),
        };
        let agents = fault.is_some() && source.contains(keys::WRITTEN);
        Front {
            values,
            end,
            fault,
            agents,
        }
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        let text = scalar(self.values.get(key)?)?;
        (!text.trim().is_empty()).then_some(text)
    }

    pub(super) fn is_true(&self, key: &str) -> bool {
        self.values.get(key).is_some_and(is_yes)
    }

    pub(super) fn is_never(&self, key: &str) -> bool {
        match self.values.get(key) {
            None | Some(Value::Null | Value::Bool(true)) => false,
            Some(Value::String(word)) => !matches!(word.trim(), "" | "always" | "true" | "yes"),
            Some(_) => true,
        }
    }

    /// Names under any of these keys: a list, or one name.
    pub(super) fn names(&self, keys: &[&str]) -> Vec<String> {
        let found = keys.iter().filter_map(|key| self.values.get(*key));
        found.flat_map(list).collect()
    }

    pub(crate) fn tags(&self) -> Vec<String> {
        self.words(&["tags", "tag"])
    }

    /// As [`Front::names`], where one text may hold several with commas or spaces between.
    fn words(&self, keys: &[&str]) -> Vec<String> {
        let split = |c: char| c == ',' || c.is_whitespace();
        let found = keys.iter().filter_map(|key| self.values.get(*key));
        found
            .flat_map(|value| match value {
                Value::Array(_) => list(value),
                value => list(value)
                    .iter()
                    .flat_map(|text| text.split(split).map(str::to_owned).collect::<Vec<_>>())
                    .collect(),
            })
            .collect()
    }

    /// The lines that tell who wrote to the note.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.names(&[keys::WRITTEN])
    }

    pub(crate) fn written(&self) -> Written {
        let lines = self.lines();
        let reviewed = self.values.get(keys::REVIEWED);
        // A person's own note says nothing about it. What an agent wrote counts only once the
        // note says that it was looked at.
        let unreviewed = match reviewed {
            Some(Value::Bool(false)) => true,
            Some(value) if is_yes(value) => false,
            _ => !lines.is_empty() || self.values.contains_key(keys::WRITTEN),
        };
        let last = lines.iter().rev().find_map(|line| Line::project_of(line));
        Written {
            unreviewed: unreviewed || self.agents,
            project: last,
        }
    }
}

/// The bytes between the two lines, or `None` where a note has no front matter.
pub(crate) fn front_range(text: &str) -> Option<Range<usize>> {
    let first = line_end(text);
    if first == 0 || text[..first].trim_end() != FRONT_END {
        return None;
    }
    let mut at = first;
    while at < text.len() {
        let end = at + line_end(&text[at..]);
        let line = text[at..end].trim_end();
        if line == FRONT_END || line == "..." {
            return Some(first..at);
        }
        at = end;
        if at - first > 4 * FRONT_BYTES_MAX {
            break;
        }
    }
    None
}

/// The length of the first line with its end.
fn line_end(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |at| at + 1)
}

fn parse(text: &str) -> Result<Map<String, Value>, String> {
    if text.len() > FRONT_BYTES_MAX {
        return Err(format!(
            "its front matter is longer than {FRONT_BYTES_MAX} bytes"
        ));
    }
    if text.trim().is_empty() {
        return Ok(Map::new());
    }
    match serde_saphyr::from_str_with_options::<Value>(text, options()) {
        Ok(Value::Object(values)) => Ok(values),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err("its front matter is not a list of `key: value`".to_owned()),
        Err(fault) => {
            let fault = fault.to_string();
            let first = fault.lines().next().unwrap_or_default();
            Err(format!("its front matter is not YAML: {first}"))
        }
    }
}

fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_events = FRONT_NODES_MAX * 2;
    budget.max_aliases = 64;
    budget.max_anchors = 64;
    budget.max_depth = FRONT_DEPTH_MAX;
    budget.max_nodes = FRONT_NODES_MAX;
    budget.max_documents = 1;
    budget.flow_nesting_limit = FRONT_DEPTH_MAX;
    budget.max_recorded_anchor_events = FRONT_NODES_MAX;
    budget.max_recorded_anchor_bytes = FRONT_BYTES_MAX;
    let mut options = Options::default();
    options.budget = Some(budget);
    options.duplicate_keys = DuplicateKeyPolicy::LastWins;
    options
}

fn is_yes(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        // A date, a name: somebody said when, or who.
        Value::String(word) => !matches!(
            word.trim().to_ascii_lowercase().as_str(),
            "" | "false" | "no" | "never" | "null" | "off" | "0"
        ),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn list(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().filter_map(scalar).collect(),
        value => scalar(value).into_iter().collect(),
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    }
}
