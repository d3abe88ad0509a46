//! What may be asked of the daemon: one struct for each request type.
//!
//! A request is one JSON object with a `type`, the fields of that type, and the optional
//! [`Envelope`] fields, which any type may carry. Unknown types and unknown fields are refused
//! with the nearest known name.

mod parse;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use parse::{nearest, nearest_hint};

/// Fields that any request may carry beside its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Echoed in the reply. Needed only where replies may come out of order (after `hello`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Idempotency key, 1 to 64 characters, unguessable: a repeated mutating request with the
    /// same key acts once and answers the same, also after a restart of the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op_id: Option<String>,
    /// The session on whose behalf this is asked: a full Kite session id or the client's own
    /// id, as given to `register`. Without it, the caller named in `hello`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// The MCP tool this request comes from, for the log. On the wire `mcp_tool`, since `query`
    /// has a field `tool` of its own.
    #[serde(default, rename = "mcp_tool", skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The client's id of the tool call, which joins an MCP call to its hook event, and so a
    /// subagent to its call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_use_id: Option<String>,
}

/// Names of the [`Envelope`] fields.
pub const ENVELOPE_FIELDS: &[&str] = &["id", "op_id", "session_id", "mcp_tool", "tool_use_id"];

/// The client of made-up sessions by which `kite init` and `kite doctor` prove that enforcement
/// works. What they are refused is not counted as prevented.
pub const PROOF_CLIENT: &str = "kite-proof";

/// Who is at the other end of a connection. Nothing is registered by it: the first request that
/// needs a session opens one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// `claude-code`, `codex`, `gemini`, `opencode`, `person`, or another name.
    pub client: String,
    /// The process that *is* the session: the agent itself (not its MCP server), or a person's
    /// controlling shell. The daemon reads its start time and watches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The client's own session id (`CLAUDE_CODE_SESSION_ID`). An attribute, not an identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_session_id: Option<String>,
    /// Where the caller stands; relative paths and the project are resolved from here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// Version of the client, as it tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// Fingerprint of the tool schemas that the caller's MCP server offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// The agent that Kite started and that calls (`KITE_AGENT` of its environment): the session is
    /// that agent's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

macro_rules! requests {
    ($( $(#[$meta:meta])* $wire:literal $name:ident { $( $(#[$fmeta:meta])* $field:ident : $ty:ty ),* $(,)? } )*) => {
        $(
            $(#[$meta])*
            #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields, default)]
            pub struct $name { $( $(#[$fmeta])* pub $field: $ty, )* }
            impl $name {
                /// Names of this request's own fields.
                pub const FIELDS: &[&str] = &[$( stringify!($field) ),*];
            }
            impl From<$name> for Request { fn from(r: $name) -> Self { Request::$name(r) } }
        )*

        /// Every request there is. The table of contents of the protocol.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request { $( $(#[$meta])* $name($name), )* }

        /// Names of all request types.
        pub const TYPES: &[&str] = &[$( $wire ),*];

        impl Request {
            /// The `type` of this request.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $( Request::$name(_) => $wire, )* }
            }

            /// Names of the fields that a type has beside the envelope's.
            #[must_use]
            pub fn fields_of(name: &str) -> Option<&'static [&'static str]> {
                match name { $( $wire => Some($name::FIELDS), )* _ => None }
            }

            fn body(&self) -> serde_json::Result<Value> {
                match self { $( Request::$name(r) => serde_json::to_value(r), )* }
            }

            fn from_body(name: &str, body: &Value) -> Option<serde_json::Result<Request>> {
                match name {
                    $( $wire => Some($name::deserialize(body).map(Request::$name)), )*
                    _ => None,
                }
            }
        }
    };
}

fn is_false(b: &bool) -> bool {
    !*b
}

requests! {
    /// Opens a lasting connection: afterwards it stays open, requests carry `id`s, may be sent
    /// before earlier ones are answered, and are answered in any order.
    "hello" Hello {
        /// Lowest and highest protocol version the caller speaks.
        protocol: (u32, u32),
        /// The caller's program version.
        #[serde(skip_serializing_if = "String::is_empty")] build: String,
        /// Which face is calling: `mcp`, `cli`, ...
        #[serde(skip_serializing_if = "String::is_empty")] role: String,
        /// Who calls.
        #[serde(skip_serializing_if = "Option::is_none")] caller: Option<Caller>,
    }
    /// Registers a session by a client's own id (the envelope's `session_id`, required). With a
    /// `pid` it lives as long as that process, without one it lives 60 s from its last sign of life.
    "register" Register {
        #[serde(skip_serializing_if = "Option::is_none")] client: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")] pid: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")] cwd: Option<String>,
        /// What the session is about, one line.
        #[serde(skip_serializing_if = "Option::is_none")] intent: Option<String>,
    }
    /// A sign of life and activity (`session_id` required).
    "heartbeat" Heartbeat {}
    /// Says that the session (`session_id` required) has read or changed a file.
    "file_touch" FileTouch {
        /// The file, absolute or relative to the session's directory.
        file: String,
        /// `edit` (default) or `read`.
        #[serde(skip_serializing_if = "Option::is_none")] action: Option<String>,
    }
    /// Ends the session (`session_id` or caller) and frees what it held.
    "session_end" SessionEnd {}
    "task_create" TaskCreate {
        title: String,
        #[serde(skip_serializing_if = "Option::is_none")] description: Option<String>,
        /// `low`, `normal` (default) or `high`.
        #[serde(skip_serializing_if = "Option::is_none")] priority: Option<String>,
        /// A directory in the project; default: the caller's project.
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
        /// Ids or unique prefixes of tasks that must be done first.
        #[serde(skip_serializing_if = "Vec::is_empty")] depends_on: Vec<String>,
        /// Paths or globs that the task expects to touch.
        #[serde(skip_serializing_if = "Vec::is_empty")] paths: Vec<String>,
    }
    "task_list" TaskList {
        /// `blocked`, `ready`, `claimed`, `done`, `failed`, `cancelled`, `pending` (blocked or
        /// ready), `open` (pending or claimed; the default) or `all`.
        #[serde(skip_serializing_if = "Option::is_none")] status: Option<String>,
        /// A directory in the project; `*` for all projects. Default: the caller's.
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
        /// 1 to 200, default 50.
        #[serde(skip_serializing_if = "Option::is_none")] limit: Option<u32>,
        /// The `next_cursor` of the page before.
        #[serde(skip_serializing_if = "Option::is_none")] cursor: Option<String>,
    }
    /// One task with its dependencies, dependents and history.
    "task_show" TaskShow { task: String }
    "task_claim" TaskClaim {
        /// Id or unique prefix. Without it: the next ready task.
        #[serde(skip_serializing_if = "Option::is_none")] task: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
        /// Claim-next although the caller already holds a claim.
        #[serde(skip_serializing_if = "is_false")] another: bool,
    }
    "task_complete" TaskComplete {
        task: String,
        /// The attempt number that the claim gave. An older one changes nothing.
        #[serde(skip_serializing_if = "Option::is_none")] attempt: Option<u32>,
        /// What came of it; dependents read it. At most 8,000 characters.
        #[serde(skip_serializing_if = "Option::is_none")] result: Option<String>,
        /// What was learnt, kept as a note in the vault where later sessions find it.
        #[serde(skip_serializing_if = "Option::is_none")] learnt: Option<String>,
    }
    /// Gives a claimed task back (ready again), or ends it as failed.
    "task_release" TaskRelease {
        task: String,
        #[serde(skip_serializing_if = "Option::is_none")] attempt: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")] reason: Option<String>,
        #[serde(skip_serializing_if = "is_false")] failed: bool,
    }
    "task_cancel" TaskCancel {
        task: String,
        #[serde(skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
    /// Takes an exclusive lock on all of `paths` and `name`, or on none.
    "lock" Lock {
        /// Files, directories (`dir/`: everything below) or globs, absolute or relative to the caller's directory.
        #[serde(skip_serializing_if = "Vec::is_empty")] paths: Vec<String>,
        /// A named lock of the project, such as `deploy:prod`.
        #[serde(skip_serializing_if = "Option::is_none")] name: Option<String>,
        /// Seconds; default 1800, at most 86,400. Renewed by the session's activity.
        #[serde(skip_serializing_if = "Option::is_none")] ttl_s: Option<u64>,
        /// Seconds to wait in the queue where it is not free; default 0, at most 45.
        #[serde(skip_serializing_if = "Option::is_none")] wait_s: Option<u64>,
        /// Keep it past the end of the turn.
        #[serde(skip_serializing_if = "is_false")] keep: bool,
        #[serde(skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
    /// Releases locks of the caller. Unlocking what is free is no error.
    "unlock" Unlock {
        #[serde(skip_serializing_if = "Vec::is_empty")] paths: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")] name: Option<String>,
        /// Release only the lock with this epoch (`generation.counter`); an old one is refused.
        #[serde(skip_serializing_if = "Option::is_none")] epoch: Option<String>,
        /// Release everything the caller holds.
        #[serde(skip_serializing_if = "is_false")] all: bool,
        /// Break another session's lock. For a person at a terminal only.
        #[serde(skip_serializing_if = "is_false")] force: bool,
    }
    /// Asks who changed each of these files, as far as agents' tools told it. What nobody of Kite's
    /// changed is not in the answer.
    "file_changers" FileChangers {
        /// Absolute paths, links in directories resolved. What is no UTF-8 is written as `%XX`.
        paths: Vec<String>,
    }
    /// Starts an agent under a supervisor, for a task or for a prompt, or queues it where
    /// `max_agents` run. Only in a project that its person trusts.
    "agent_spawn" AgentSpawn {
        /// The task it claims: id or unique prefix. This, or `prompt`, or both.
        #[serde(skip_serializing_if = "Option::is_none")] task: Option<String>,
        /// What it is to do, at most 32,000 characters.
        #[serde(skip_serializing_if = "Option::is_none")] prompt: Option<String>,
        /// A preset of the configuration: `claude`, `codex`, `gemini`, `opencode`, or one's own.
        #[serde(skip_serializing_if = "Option::is_none")] agent: Option<String>,
        /// `none`, `new`, or the absolute path of a worktree of the project.
        #[serde(skip_serializing_if = "Option::is_none")] worktree: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")] model: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")] max_turns: Option<u32>,
        /// US dollars.
        #[serde(skip_serializing_if = "Option::is_none")] budget_usd: Option<f64>,
        /// Seconds it may take.
        #[serde(skip_serializing_if = "Option::is_none")] timeout_s: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")] permission_mode: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// Agents that are queued or run; with `ended`, also those that have ended.
    "agent_list" AgentList {
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
        /// Only this one: id or unique prefix.
        #[serde(skip_serializing_if = "Option::is_none")] agent: Option<String>,
        #[serde(skip_serializing_if = "is_false")] ended: bool,
        /// 1 to 200, default 50, the newest.
        #[serde(skip_serializing_if = "Option::is_none")] limit: Option<u32>,
    }
    /// Ends an agent and all of its processes; a queued one leaves the queue.
    "agent_stop" AgentStop {
        /// Id or unique prefix.
        agent: String,
        #[serde(skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
    /// The worktrees that Kite made.
    "worktree_list" WorktreeList {
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// Removes a worktree that Kite made, where nothing would be lost.
    "worktree_remove" WorktreeRemove {
        /// Id, unique prefix, branch or absolute path.
        worktree: String,
        /// Also where its branch is not merged; the branch then stays.
        #[serde(skip_serializing_if = "is_false")] unmerged: bool,
        /// Also where files are not committed; they are first kept as a snapshot.
        #[serde(skip_serializing_if = "is_false")] uncommitted: bool,
    }
    /// Assigns a task or says something to a running session, at its next step.
    "dispatch" Dispatch {
        /// A session's id or unique prefix, an agent's id, or `idle`: whoever has nothing to do.
        to: String,
        /// The task to work on: id or unique prefix. It is reserved until `deadline_s`.
        #[serde(skip_serializing_if = "Option::is_none")] task: Option<String>,
        /// At most 4,000 characters.
        #[serde(skip_serializing_if = "Option::is_none")] message: Option<String>,
        /// Seconds within which an assignment must be claimed; default 900.
        #[serde(skip_serializing_if = "Option::is_none")] deadline_s: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// What became of dispatches: one by its id, or the newest that the caller sent or was sent.
    "dispatch_list" DispatchList {
        #[serde(skip_serializing_if = "Option::is_none")] dispatch: Option<String>,
        /// 1 to 200, default 50.
        #[serde(skip_serializing_if = "Option::is_none")] limit: Option<u32>,
    }
    /// Gathers a task's change and makes the brief that a reviewer reads.
    "review_brief" ReviewBrief {
        /// Id or unique prefix.
        task: String,
        #[serde(skip_serializing_if = "Option::is_none")] focus: Option<String>,
    }
    /// Keeps the answer of a reviewer with its task.
    "review_record" ReviewRecord {
        /// The id that `review_brief` gave.
        review: String,
        /// `approve`, `changes_needed` or `could_not_review`. Read from `text` where left out.
        #[serde(skip_serializing_if = "Option::is_none")] verdict: Option<String>,
        /// The reviewer's words, at most 16,000 characters.
        text: String,
        /// How it was read: `sampling`, `subagent`, `headless` or `person`.
        via: String,
        #[serde(skip_serializing_if = "Option::is_none")] model: Option<String>,
    }
    /// Has a headless agent with read-only tools read the brief, where the person switched it on.
    "review_run" ReviewRun {
        /// The id that `review_brief` gave.
        review: String,
    }
    /// What would run of a repository's own, and whether its person trusts it.
    "trust_show" TrustShow {
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// Trusts a repository as it was shown. For a person at a terminal only.
    "trust_set" TrustSet {
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
        /// The fingerprint that `trust_show` gave; another one changes nothing. Empty: trust ends.
        fingerprint: String,
    }
    /// The project's own tools that may be run.
    "tool_list" ToolList {
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// Runs one of the project's own tools. One that takes long is answered as `running`; ask again
    /// with its id in `run`.
    "tool_run" ToolRun {
        /// The tool. Not needed with `run`.
        #[serde(skip_serializing_if = "String::is_empty")] name: String,
        /// Starts nothing: waits some seconds for the end of this run.
        #[serde(skip_serializing_if = "Option::is_none")] run: Option<String>,
        #[serde(skip_serializing_if = "Map::is_empty")] arguments: Map<String, Value>,
        /// The fingerprint of the definition that the caller knows; another one is refused.
        #[serde(skip_serializing_if = "Option::is_none")] definition: Option<String>,
        /// Seconds to wait for its lock; default 0, at most 45.
        #[serde(skip_serializing_if = "Option::is_none")] wait_s: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// Says how a run ended whose end nobody saw, and so frees its lock. For a person only.
    "tool_settle" ToolSettle {
        /// The run's id.
        run: String,
        #[serde(skip_serializing_if = "Option::is_none")] reason: Option<String>,
    }
    /// Searches the notes that the caller may see.
    "vault_search" VaultSearch {
        query: String,
        /// Only notes with all of these tags.
        #[serde(skip_serializing_if = "Vec::is_empty")] tags: Vec<String>,
        /// 1 to 50, default 8.
        #[serde(skip_serializing_if = "Option::is_none")] limit: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// Writes a note, or adds to one.
    "vault_write" VaultWrite {
        title: String,
        text: String,
        #[serde(skip_serializing_if = "Vec::is_empty")] tags: Vec<String>,
        /// Adds the text at the end of the section under this heading of the note with that title.
        #[serde(skip_serializing_if = "Option::is_none")] heading: Option<String>,
        /// `home` (default) or `project`.
        #[serde(skip_serializing_if = "Option::is_none")] vault: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")] task: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// Lists notes, and what of the vaults could not be read.
    "vault_list" VaultList {
        #[serde(skip_serializing_if = "is_false")] unreviewed: bool,
        /// 1 to 1,000, default 100.
        #[serde(skip_serializing_if = "Option::is_none")] limit: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// The text of one note.
    "vault_read" VaultRead {
        /// As `vault_search` and `vault_list` give it.
        path: String,
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// Marks a note as reviewed. For a person only.
    "vault_review" VaultReview {
        path: String,
        /// The `hash` of what was looked at, as `vault_read` gave it: a note that has changed since
        /// stays unreviewed.
        hash: String,
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
    }
    /// Makes the index anew.
    "vault_reindex" VaultReindex {}
    /// What was brought into a session: when, and for which words.
    "vault_why" VaultWhy {
        /// A session's id or unique prefix.
        session: String,
    }
    /// Reads state: `sessions`, `tasks`, `locks`, `events` or `stats`.
    "query" Query {
        target: String,
        /// A directory in the project; `*` or nothing for all projects.
        #[serde(skip_serializing_if = "Option::is_none")] project: Option<String>,
        /// events: only of this session (id or unique prefix). sessions: only this one.
        #[serde(skip_serializing_if = "Option::is_none")] session: Option<String>,
        /// events: only of this tool.
        #[serde(skip_serializing_if = "Option::is_none")] tool: Option<String>,
        /// events: only of the last so many milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")] since_ms: Option<u64>,
        /// events: only those after this sequence number.
        #[serde(skip_serializing_if = "Option::is_none")] after: Option<u64>,
        /// sessions: also those that have ended.
        #[serde(skip_serializing_if = "is_false")] ended: bool,
        /// 1 to 1,000, default 50 (sessions: 1,000, the newest; events: 100, the newest).
        #[serde(skip_serializing_if = "Option::is_none")] limit: Option<u32>,
    }
    /// After `hello`: pushes a [`crate::reply::Push`] line for each change of these topics
    /// (`sessions`, `tasks`, `locks`, `events`, or `log`: that there are new events), until the
    /// connection ends. Replaces earlier topics.
    "subscribe" Subscribe { topics: Vec<String> }
    /// After `hello`: withdraws a request of this connection that still waits. It leaves its queue
    /// and is answered with `cancelled`.
    "cancel" Cancel { request: u64 }
    /// Asks the daemon to drain and end, for a restart or a hand-over to a newer build.
    "shutdown" Shutdown {
        #[serde(skip_serializing_if = "String::is_empty")] reason: String,
    }
}
