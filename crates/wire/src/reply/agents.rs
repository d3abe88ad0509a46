//! Agents that Kite runs.

use serde::{Deserialize, Serialize};

/// One run of a coding agent. One that is started again is a new run with a new id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agent {
    /// 32 hexadecimal digits; the first 8 are what people and agents are shown.
    pub id: String,
    /// The preset by which it is started: `claude`, `codex`, ...
    pub agent: String,
    /// `queued`, `starting`, `running`, `stopping`; and at its end `done`, `failed`, `stopped`,
    /// `lost` (it died), `waiting` (its client was refused for now: `next` goes on later) or
    /// `parked` (nobody starts it again by itself).
    pub state: String,
    /// Why it is in that state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub project: String,
    /// Full id of the task it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// First line of what it was asked to do: the task's title, or of the prompt.
    pub about: String,
    /// Full id of its session, from the moment it is opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Full id of the session that asked for it, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Where it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    /// The worktree that Kite made for it: its id, and its branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The file that holds its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission_mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_turns: Option<u32>,
    /// US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_usd: Option<f64>,
    /// Seconds it may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
    /// What it said at its end, at most 2,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// US dollars, as its client tells them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns: Option<u64>,
    /// The exit code of its program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Its place among those that are queued, first is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u64>,
    /// The run that this one repeats, and the run that repeats this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    pub created_at: String,
    /// Not before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
    /// Its last lines of output, at most 50, where it failed or is parked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_lines: Vec<String>,
}

/// Answer to `agent_spawn` and `agent_stop`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OneAgent {
    pub agent: Agent,
    /// spawn: `started`, `queued`, or the state in which it ended already. stop: `stopped`,
    /// `stopping` (its processes are being ended), or `already_ended`.
    pub outcome: String,
}

/// Answer to `agent_list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agents {
    /// The newest first.
    pub agents: Vec<Agent>,
    /// In all projects.
    pub running: u64,
    pub queued: u64,
    /// How many may run at once: `max_agents`.
    pub running_max: u64,
}
