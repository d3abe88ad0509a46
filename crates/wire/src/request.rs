//! What may be asked of the daemon: one struct for each request type.
//!
//! A request is one JSON object with a `type`, the fields of that type, and the optional
//! [`Envelope`] fields, which any type may carry. Unknown types and unknown fields are refused
//! with the nearest known name.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::reply::Fault;

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

/// Longest part of a caller's text that an error repeats, in characters.
const CLIP_CHARS_MAX: usize = 160;

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
        /// 1 to 1,000, default 50 (events: 100, the newest).
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
