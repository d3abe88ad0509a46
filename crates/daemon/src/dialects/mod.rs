//! What clients' hooks say, in each client's own format.
//!
//! A dialect reads a hook's raw input as a [`Step`], which is the same for every client, and
//! renders a [`Verdict`] as the bytes and exit code that client understands.
//!
//! **Architecture Invariant:** a dialect decides nothing and remembers nothing. Formats of
//! clients change here and nowhere else.

mod claude_code;

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
    },
    /// An editing tool is about to run. `whole`: it replaces the whole content. `new`: the text
    /// that it puts there, as far as that is known.
    BeforeEdit {
        tool: String,
        file: String,
        whole: bool,
        new: String,
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
    TurnEnd,
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

/// What a tool did to a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    Edited(String),
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
}

/// Reads a hook call. The error says what is wrong with it; the call is then let pass.
pub(crate) fn read(header: &Header, input: &[u8]) -> Result<Step, String> {
    match header.client.as_str() {
        "claude-code" => claude_code::read(header, input),
        other => Err(format!("no dialect for the client `{other}`")),
    }
}

/// Renders a verdict on `event` for that client.
pub(crate) fn answer(header: &Header, verdict: &Verdict) -> HookAnswer {
    match header.client.as_str() {
        "claude-code" => claude_code::answer(&header.event, verdict),
        _ => HookAnswer::default(),
    }
}
