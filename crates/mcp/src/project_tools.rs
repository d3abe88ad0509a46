//! The project's own tools, as a client is shown them.
//!
//! What a session has once been given stays what it is: a tool's definition is remembered when it is
//! listed first, and each call names it. The daemon refuses another one; it is never swapped.
//!
//! **Architecture Invariant:** nothing of a definition is read here but what the daemon says of it.

use std::{
    fs,
    io::Read as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use kite_wire::reply::project_tools::{OneToolRun, ProjectTool, ToolRunShown};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use crate::{
    http::handles::{self, HANDLE_PARAM},
    text,
    tools::WAIT_SECONDS_MAX,
};

/// Begins the names of all of them. Kite's own begin otherwise.
pub(crate) const PREFIX: &str = "project_";
/// The parameter by which a call waits for its lock. No tool has one of its own of that name.
pub(crate) const WAIT_PARAM: &str = "wait_seconds";
/// The parameter by which a call names the definition that it was made for.
const DEFINITION_PARAM: &str = "_definition";
/// A call waits so long for its lock where it does not say.
pub(crate) const WAIT_SECONDS: u64 = 30;
/// Largest configuration that is looked into, in bytes.
const CONFIGURATION_BYTES_MAX: u64 = 1 << 20;
/// Characters shown of what a tool wrote.
const OUTPUT_CHARS_MAX: usize = 64 << 10;
/// Characters of a reason.
const REASON_CHARS_MAX: usize = 500;

/// What this client has been given.
#[derive(Default)]
pub(crate) struct Given(Mutex<Vec<ProjectTool>>);

impl Given {
    /// Adds tools that may be run and are not known yet, and says all that are.
    pub(crate) fn add(&self, listed: Vec<ProjectTool>) -> Vec<ProjectTool> {
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for tool in listed {
            if tool.state == "trusted" && !given.iter().any(|known| known.name == tool.name) {
                given.push(tool);
            }
        }
        given.clone()
    }

    /// The definition that the client knows.
    pub(crate) fn definition(&self, name: &str) -> Option<String> {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tool = given.iter().find(|tool| tool.name == name)?;
        Some(tool.definition.clone())
    }

    pub(crate) fn is_empty(&self) -> bool {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.is_empty()
    }
}

/// Whether a directory's project may declare tools: where none does, no daemon is asked.
pub(crate) fn may_declare(directory: &Path) -> bool {
    directory.ancestors().any(|above| {
        let file = above.join(".kite/config.toml");
        if !fs::metadata(&file).is_ok_and(|it| it.is_file()) {
            return false;
        }
        let mut text = Vec::new();
        let read = fs::File::open(file)
            .and_then(|file| file.take(CONFIGURATION_BYTES_MAX).read_to_end(&mut text));
        read.is_ok() && text.windows(5).any(|word| word == b"tools")
    })
}

/// The tool as `tools/list` shows it; `with_definition` where the client's calls come without a session that
/// could remember it.
pub(crate) fn listed(tool: &ProjectTool, with_definition: bool) -> Tool {
    let mut schema = tool.input_schema.clone();
    if with_definition && let Some(Value::Object(properties)) = schema.get_mut("properties") {
        let known = &tool.definition;
        let definition = json!({"type": "string", "const": known, "default": known,
            "description": "Names this definition; give it with every call."});
        properties.insert(DEFINITION_PARAM.to_owned(), definition);
        properties.insert(HANDLE_PARAM.to_owned(), handles::schema());
    }
    if tool.lock.is_some()
        && let Some(Value::Object(properties)) = schema.get_mut("properties")
    {
        let wait = json!({"type": "integer", "minimum": 0, "maximum": WAIT_SECONDS_MAX, "default": WAIT_SECONDS,
            "description": "Wait in the queue of its lock for so long."});
        properties.insert(WAIT_PARAM.to_owned(), wait);
    }
    let annotations = ToolAnnotations::new()
        .read_only(tool.read_only)
        .destructive(!tool.read_only)
        .idempotent(false)
        .open_world(true);
    Tool::new(
        format!("{PREFIX}{}", tool.name),
        text::visible(&tool.description),
        Arc::new(schema),
    )
    .with_title(tool.name.clone())
    .with_annotations(annotations)
}

/// Takes the seconds to wait out of a call's arguments. The error is the text for the model.
pub(crate) fn take_wait(given: &mut Map<String, Value>) -> Result<u64, String> {
    match given.shift_remove(WAIT_PARAM) {
        None | Some(Value::Null) => Ok(WAIT_SECONDS),
        Some(value) => value
            .as_u64()
            .filter(|it| *it <= WAIT_SECONDS_MAX)
            .ok_or_else(|| {
                format!(
                    "Nothing was run: `{WAIT_PARAM}` is an integer from 0 to {WAIT_SECONDS_MAX}."
                )
            }),
    }
}

/// Takes the name of the definition out of a call's arguments.
pub(crate) fn take_definition(given: &mut Map<String, Value>) -> Option<String> {
    match given.shift_remove(DEFINITION_PARAM)? {
        Value::String(definition) => Some(definition),
        other => Some(other.to_string()),
    }
}

/// How a run ended. The error is for one that did not end well.
pub(crate) fn told(ended: &OneToolRun) -> Result<String, String> {
    let run = &ended.run;
    let id = text::short_id(&run.id);
    let tool = text::one_line(&run.tool, 64);
    let mut answer = match (run.state.as_str(), run.exit_code) {
        ("exited", Some(code)) => format!("{tool} ended with exit code {code} (run {id})."),
        ("timed_out", _) => {
            format!("{tool} took too long and was ended with all it had started (run {id}).")
        }
        ("not_started", _) => format!("{tool} could not be started (run {id})."),
        ("uncertain" | "lost", _) => format!(
            "Nobody saw how {tool} ended (run {id}): whether it did its work is not known. Do not repeat it. Ask the \
             person to look at what it did."
        ),
        (state, _) => format!("{tool} ended: {} (run {id}).", text::one_line(state, 32)),
    };
    if let Some(reason) = &run.reason {
        answer.push_str(&format!(" {}", text::quoted(reason, REASON_CHARS_MAX)));
    }
    if run.output.is_empty() {
        answer.push_str(" It wrote nothing.");
    } else {
        answer.push_str(" What it wrote:\n");
        answer.push_str(&text::block(&run.output, OUTPUT_CHARS_MAX));
    }
    match is_good(run) {
        true => Ok(answer),
        false => Err(answer),
    }
}

fn is_good(run: &ToolRunShown) -> bool {
    run.state == "exited" && run.exit_code == Some(0)
}
