//! What the daemon answers.
//!
//! `{"ok":true,...}` with the fields of one of these structs, or
//! `{"ok":false,"error":{"code","message","hint"}}`. Times are RFC 3339 strings with offset,
//! ids are strings, durations say their unit in the name.

pub mod agents;
pub mod checkouts;
pub mod dispatches;
mod fault;
pub mod project_tools;
pub mod reviews;
pub mod trust;
pub mod vault;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use fault::{CODES, Fault};

/// The answer to `hello`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    pub protocol: u32,
    pub build: String,
    pub pid: u32,
    pub home: String,
}

/// A session as shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// 32 hexadecimal digits; the first 8 are what people and agents are shown.
    pub id: String,
    pub client: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_session_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// `active` (in a turn), `idle`, `ended` or `lost`.
    pub state: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    pub project: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<String>,
    /// What it is about: the first line of its latest prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Fingerprint of the tool schemas it runs with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// True where its tool schemas differ from those of this daemon's build.
    #[serde(default)]
    pub outdated: bool,
    pub since: String,
    pub last_seen: String,
    /// Paths and names it has locked.
    #[serde(default)]
    pub locks: Vec<String>,
    /// Files it is editing this moment.
    #[serde(default)]
    pub holds: Vec<String>,
    /// Ids of tasks it has claimed.
    #[serde(default)]
    pub tasks: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub id: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// `low`, `normal` or `high`.
    pub priority: String,
    pub project: String,
    /// `blocked`, `ready`, `claimed`, `done`, `failed` or `cancelled`.
    pub state: String,
    #[serde(default)]
    pub depends_on: Vec<String>,
    #[serde(default)]
    pub paths: Vec<String>,
    /// The session that holds the claim, or did the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Number of the latest claim; 0 before the first.
    pub attempt: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    /// Why it failed, was cancelled, or came back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<String>,
    /// Results that came too late, from attempts that had been taken away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late_results: Vec<LateResult>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    pub created_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LateResult {
    pub attempt: u32,
    pub session: String,
    pub result: String,
    pub at: String,
}

/// A lock or a hold as shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// A path (`dir/` for everything below), a glob, or a name.
    pub target: String,
    /// `lock` (asked for) or `hold` (an edit under way).
    pub kind: String,
    /// Full id of the holder.
    pub session: String,
    /// The holder's subagent, where it is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    pub project: String,
    /// `generation.counter`; empty for a hold.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub epoch: String,
    pub since: String,
    /// The latest it can last without a sign of life.
    pub until: String,
    #[serde(default)]
    pub keep: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Sessions waiting for it, first first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<String>,
}

/// One line of the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Grows by one with each event of this home; never reused. After a crash it skips ahead, by
    /// what had been set aside for numbers already shown but perhaps not written.
    pub seq: u64,
    pub at: String,
    /// `hook`, `tool`, `session`, `lock`, `hold`, `touch`, `task`, `daemon`, ...
    pub kind: String,
    /// What happened: `PreToolUse`, `granted`, `refused`, `claimed`, `expired`, ...
    pub what: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The file, task or lock it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// How long the daemon took over it, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_us: Option<u64>,
    /// Redacted and capped input, where logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Value>,
    /// Redacted and capped output, where logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
}

/// Answer to `query sessions`, `register`, `heartbeat`, `session_end`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Sessions {
    pub sessions: Vec<Session>,
    /// The caller's own session id, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub you: Option<String>,
}

/// Answer to `task_list` and `query tasks`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Tasks {
    pub tasks: Vec<Task>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many there are in each state, over the whole project.
    #[serde(default)]
    pub counts: TaskCounts,
    /// The project that is meant, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskCounts {
    pub blocked: u64,
    pub ready: u64,
    pub claimed: u64,
    pub done: u64,
    pub failed: u64,
    pub cancelled: u64,
}

/// Answer to every request about one task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OneTask {
    pub task: Task,
    /// `created`, `exists`, `claimed`, `already_claimed`, `completed`, `already_done`,
    /// `released`, `failed`, `cancelled`, `shown`.
    pub outcome: String,
    /// An unfinished task with the same title but other content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar: Option<Task>,
    /// Tasks that became ready by this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub woken: Vec<Task>,
    /// claim, show: the tasks it depends on, with their results.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies: Vec<Task>,
    /// show: tasks that wait for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<Task>,
    /// show: what happened to it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Event>,
    /// show: its reviews, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<reviews::Review>,
    /// complete: the note that keeps what was learnt, where something was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learnt: Option<vault::Written>,
}

/// Answer to `lock`, `unlock` and `query locks`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Locks {
    pub locks: Vec<Lock>,
    /// lock: `granted` or `already_held`. unlock: `released` or `not_held`. query: empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub outcome: String,
    /// lock: how long it waited in the queue.
    #[serde(default)]
    pub waited_ms: u64,
}

/// Answer to `file_changers`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileChangers {
    /// Those that an agent changed, in the order in which they were asked for.
    pub files: Vec<ChangedFile>,
    /// The caller's own session id, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub you: Option<String>,
    /// Whether a commit of the caller's that takes in others' files is to be refused: `git_guard`.
    #[serde(default)]
    pub guarded: bool,
}

/// Who changed a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangedFile {
    /// As it was asked for.
    pub path: String,
    /// The session that did so last: another live one, where there is one.
    pub session: String,
    /// What that session is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Whether it lives.
    pub live: bool,
    /// Whether the caller changed it, too.
    pub yours: bool,
}

/// Answer to `query events`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Events {
    pub events: Vec<Event>,
    /// Give it as `after` for what comes next.
    pub last_seq: u64,
}

/// Answer to `query stats`: what `kite status` shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    pub daemon: DaemonStats,
    /// Sessions alive now: in a turn, and not.
    pub sessions_active: u64,
    pub sessions_idle: u64,
    pub locks: u64,
    pub holds: u64,
    pub tasks: TaskCounts,
    pub prevented: Prevented,
    pub cost: Cost,
    pub faults: Faults,
    /// Worktrees whose uncommitted or unmerged changes would conflict, were they merged now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worktree_conflicts: Vec<WorktreeConflict>,
}

/// Two worktrees of one project whose changes a merge could not put together by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorktreeConflict {
    pub project: String,
    /// Two of them.
    pub worktrees: Vec<Worktree>,
    /// Paths in the worktrees that a merge would leave in conflict, at most 50.
    pub files: Vec<String>,
    /// How many there are.
    pub files_count: u64,
    pub since: String,
}

/// A worktree, and who works in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worktree {
    pub path: String,
    /// Full ids of the live sessions in it.
    pub sessions: Vec<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DaemonStats {
    pub pid: u32,
    pub build: String,
    pub protocol: u32,
    pub home: String,
    pub since: String,
    /// `ok`, `storage_full` or `draining`.
    pub state: String,
    pub store_bytes: u64,
    pub log_bytes: u64,
    /// Open now, the asker's own among them.
    pub connections: u64,
    pub guard: String,
    /// Fingerprint of the tool schemas of this build, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

/// What Kite kept from happening, since the home was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prevented {
    /// Edits that waited for another session's edit of the same file.
    pub edits_queued: u64,
    /// Edits refused because the file was locked or stayed busy.
    pub edits_refused: u64,
    /// Whole-file writes refused over what another session had changed, and edits refused because
    /// they used a name that meant something else since it was read.
    pub stale_writes: u64,
    /// Claims that lost to another session's claim.
    pub double_claims: u64,
    /// Results of taken-away attempts that were kept apart.
    pub late_results: u64,
    /// Locks and claims freed because their session had died.
    pub freed_after_death: u64,
    /// Notes given about another session's change.
    pub notes: u64,
    /// git commands refused because they would destroy or sweep up another's uncommitted work.
    #[serde(default)]
    pub git_refused: u64,
    /// Snapshots of uncommitted work taken before git commands.
    #[serde(default)]
    pub snapshots: u64,
}

/// What the hooks cost, in the daemon, since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    pub hooks: u64,
    pub hook_ms_p50: f64,
    pub hook_ms_p95: f64,
    pub hook_ms_max: f64,
    /// Time that edits spent waiting for another's edit.
    pub waited_ms_total: u64,
    /// Characters of context given to agents.
    pub injected_chars: u64,
}

/// Hook calls that found no answer and let the agent go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Faults {
    pub unreachable: u64,
    pub timeouts: u64,
    pub other: u64,
}

/// Answer where there is nothing to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {}

/// A line pushed to a subscriber: `{"push":"tasks","project":"..."}`. It says that something of
/// the topic changed, not what: read again. For `events` it carries the event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Push {
    pub push: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// tasks: full ids of those that read differently now, their neighbours among them. Empty
    /// where they were too many, or where an older daemon speaks: it may be any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// While a `lock` waits: the request's id and its place in the queue, first is 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u64>,
}

/// One reply line, newline included.
pub fn ok_line<T: Serialize>(id: Option<u64>, body: &T) -> Vec<u8> {
    #[derive(Serialize)]
    struct Line<'a, T> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        ok: bool,
        #[serde(flatten)]
        body: &'a T,
    }
    to_line(&Line { id, ok: true, body })
}

/// One error line, newline included.
#[must_use]
pub fn fault_line(id: Option<u64>, fault: &Fault) -> Vec<u8> {
    #[derive(Serialize)]
    struct Line<'a> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        ok: bool,
        error: &'a Fault,
    }
    to_line(&Line {
        id,
        ok: false,
        error: fault,
    })
}

/// One push line, newline included.
#[must_use]
pub fn push_line(push: &Push) -> Vec<u8> {
    to_line(push)
}

fn to_line<T: Serialize>(value: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).unwrap_or_else(|_| br#"{"ok":false}"#.to_vec());
    line.push(b'\n');
    line
}

/// Reads a reply object (already parsed) as `T`, or as the fault it carries.
pub fn read<T: DeserializeOwned>(reply: Value) -> Result<T, Fault> {
    let malformed = |why: String| Fault::new("malformed_reply", why);
    if reply.get("ok").and_then(Value::as_bool) == Some(true) {
        serde_json::from_value(reply).map_err(|e| malformed(format!("reply of another shape: {e}")))
    } else {
        let fault = reply.get("error").cloned().unwrap_or_default();
        Err(serde_json::from_value(fault).unwrap_or_else(|e| malformed(format!("{e}"))))
    }
}
