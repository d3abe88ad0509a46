//! The project's own tools and their runs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The answer to `tool_list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectTools {
    pub tools: Vec<ProjectTool>,
    /// What is wrong with definitions, with file and line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// Runs that go on or whose end nobody saw, then the last that ended, the newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<ToolRunShown>,
}

/// A tool that the project declares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProjectTool {
    pub name: String,
    pub description: String,
    /// The JSON Schema of its arguments.
    pub input_schema: Map<String, Value>,
    /// Names this definition; `tool_run` may be given it.
    pub definition: String,
    /// `trusted`, `changed` (an earlier definition was trusted) or `untrusted`.
    pub state: String,
    #[serde(default)]
    pub read_only: bool,
    /// The named lock it takes, parameters in braces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    pub timeout_s: u64,
    /// What it starts, parameters in braces.
    pub argv: Vec<String>,
}

/// The answer to `tool_run` and `tool_settle`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OneToolRun {
    pub run: ToolRunShown,
}

/// A run of a tool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToolRunShown {
    /// 32 hexadecimal digits.
    pub id: String,
    pub tool: String,
    pub project: String,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
    /// `running`, `exited` (see `exit_code`), `signalled`, `timed_out`, `stopped`, `not_started`,
    /// `uncertain` (nobody saw its end) or `settled` (a person has looked since).
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Why it did not start; the words of whoever settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The named lock it runs under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<String>,
    /// Full id of the session that asked for it.
    pub session: String,
    pub started: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// What it wrote; of a long output the beginning and the end.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// Bytes left out of the middle of `output`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub output_omitted_bytes: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}
