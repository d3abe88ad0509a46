//! What clients' hooks say, in each client's own format.
//!
//! A dialect reads a hook's raw input as a [`Step`], which is the same for every client, and
//! renders a [`Verdict`] as the bytes and exit code that client understands.
//!
//! **Architecture Invariant:** a dialect decides nothing and remembers nothing. Formats of
//! clients change here and nowhere else.

mod claude_code;
mod codex;
mod gemini;
mod opencode;
mod patch;
mod text;

use kite_wire::frame::Header;

use crate::doors::HookAnswer;

/// One step of a session, as its client told it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Step {
    /// The client's own session id.
    pub(crate) client_session_id: Option<String>,
    /// The process that is the session, as the hook's environment names it.
    pub(crate) pid: Option<u32>,
    pub(crate) client_version: Option<String>,
    /// The client's id of the subagent that acts, if one does.
    pub(crate) agent: Option<String>,
    pub(crate) cwd: Option<String>,
    /// What the session may do without being asked, as its client calls it.
    pub(crate) permission_mode: Option<String>,
    /// What the model was told before is no longer in its context, or is there as a summary only.
    pub(crate) context_lost: bool,
    /// The client's id of the tool call.
    pub(crate) tool_use_id: Option<String>,
    pub(crate) what: What,
    /// Raw JSON of the tool's input and of its outcome, for the log.
    pub(crate) input: Option<String>,
    pub(crate) output: Option<String>,
}

/// What happened, or is about to. Closed: a client's event that is none of these is `Other`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum What {
    SessionStart,
    /// A prompt; its first line says what the session is about.
    Prompt {
        first_line: String,
        /// All of it, within [`text::PROMPT_BYTES_MAX`].
        text: String,
    },
    /// An editing tool is about to run, on one file or on several together.
    BeforeEdit {
        tool: String,
        edits: Vec<FileEdit>,
    },
    /// A shell command is about to run.
    BeforeShell {
        tool: String,
        command: String,
    },
    /// Another tool is about to run.
    BeforeTool {
        tool: String,
        target: Option<String>,
    },
    /// A tool has run, or (`failed`) tried to.
    AfterTool {
        tool: String,
        effect: Effect,
        failed: bool,
    },
    /// All tools of one step, and their hooks, are over.
    BatchEnd {
        calls: Vec<String>,
    },
    /// A turn is about to end.
    TurnEnd {
        /// It was continued once by a hook, or cannot be: nobody asks for more.
        continued: bool,
    },
    SubagentStart,
    SubagentEnd,
    /// `process_stays`: only the conversation ended (`/clear`, `/resume`).
    SessionEnd {
        process_stays: bool,
    },
    DirectoryChanged,
    #[default]
    Other,
}

/// What an editing tool is about to do to one file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FileEdit {
    pub(crate) file: String,
    /// It replaces the whole content.
    pub(crate) whole: bool,
    /// The text that it puts there, as far as that is known.
    pub(crate) new: String,
}

/// What a tool did to files.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    Edited(Vec<String>),
    Read(String),
    /// A shell command ran; whatever it did.
    Shell(String),
    /// Anything else; the target is for the log only.
    Other(Option<String>),
}

/// What the client is to be told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// Nothing: let it go on.
    Pass,
    /// Let it go on, and give the model this.
    Say(String),
    /// Refuse the tool call with this reason.
    Deny(String),
    /// The turn does not end: the model goes on with this. Only where [`may_continue`] says so.
    Continue(String),
}

/// Reads a hook call. The error says what is wrong with it; the call is then let pass.
pub(crate) fn read(header: &Header, input: &[u8]) -> Result<Step, String> {
    match header.client.as_str() {
        "claude-code" => claude_code::read(header, input),
        "codex" => codex::read(header, input),
        "gemini" => gemini::read(header, input),
        "opencode" => opencode::read(header, input),
        other => Err(format!("no dialect for the client `{other}`")),
    }
}

/// Renders a verdict on `event` for that client.
pub(crate) fn answer(header: &Header, verdict: &Verdict) -> HookAnswer {
    match header.client.as_str() {
        "claude-code" => claude_code::answer(&header.event, verdict),
        "codex" => codex::answer(&header.event, verdict),
        "gemini" => gemini::answer(verdict),
        "opencode" => opencode::answer(&header.event, verdict),
        _ => HookAnswer::default(),
    }
}

/// Whether what is said at this step reaches the client's model.
pub(crate) fn hears(client: &str, what: &What) -> bool {
    match client {
        "gemini" => gemini::hears(what),
        "opencode" => opencode::hears(what),
        _ => matches!(
            what,
            What::SessionStart
                | What::Prompt { .. }
                | What::BeforeEdit { .. }
                | What::BeforeShell { .. }
                | What::BeforeTool { .. }
        ),
    }
}

/// Whether the turn goes on where this step is answered with [`Verdict::Continue`].
pub(crate) fn may_continue(what: &What) -> bool {
    matches!(what, What::TurnEnd { continued: false })
}

/// Whether this client tells when all hooks of a step are over. The others wait for each hook.
pub(crate) fn tells_end_of_step(client: &str) -> bool {
    client == "claude-code"
}

/// Whether this client's environment leaves open which process is the session: then it is the one
/// that had the hook run.
pub(crate) fn is_known_by_its_process(client: &str) -> bool {
    matches!(client, "codex" | "gemini" | "opencode")
}

impl HookAnswer {
    /// JSON on stdout with exit code 0.
    fn json(value: &serde_json::Value) -> HookAnswer {
        HookAnswer {
            stdout: value.to_string().into_bytes(),
            ..HookAnswer::default()
        }
    }
}
