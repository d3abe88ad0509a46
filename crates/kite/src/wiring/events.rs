//! Which events of each client reach the hook, and which of them make the agent wait.
//!
//! **Architecture Invariant:** this table is the only place that names an event, its matcher or
//! its timeout. What is written, checked and removed is all derived from it.

/// One registration in the `hooks` of a settings file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) event: &'static str,
    /// Kite's name of the event, which the hook is called with.
    pub(crate) word: &'static str,
    /// A pattern of tool names; `None` where the event has none or all tools are meant.
    pub(crate) matcher: Option<&'static str>,
    pub(crate) wait: Wait,
    /// The client's own limit, in seconds: the outer guard around a hook that bounds itself.
    pub(crate) timeout_s: u32,
}

/// Whether the agent waits for the hook to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// A decision or a note is due before the agent goes on.
    Sync,
    /// The client starts the hook and goes on at once.
    Async,
}

const fn sync(event: &'static str, matcher: Option<&'static str>, timeout_s: u32) -> Registration {
    Registration {
        event,
        word: event,
        matcher,
        wait: Wait::Sync,
        timeout_s,
    }
}

const fn notice(event: &'static str) -> Registration {
    Registration {
        event,
        word: event,
        matcher: None,
        wait: Wait::Async,
        timeout_s: 5,
    }
}

/// Tools that write files: the ones a hold is taken for.
const EDIT_TOOLS: &str = "Write|Edit|MultiEdit|NotebookEdit";

/// Tools that run shell commands: git in them is looked at.
const SHELL_TOOLS: &str = "Bash";

/// Kite's own MCP tools: the hook ties a subagent's call to the subagent.
const OWN_TOOLS: &str = "mcp__kite__.*";

/// All registrations, in the order in which they are written.
///
/// Only what needs an answer is synchronous, since each synchronous hook costs the agent a
/// process start. An `async` SessionEnd does fire, and finishes after the client has gone.
pub(crate) const REGISTRATIONS: &[Registration] = &[
    sync("SessionStart", None, 5),
    sync("UserPromptSubmit", None, 5),
    sync("PreToolUse", Some(EDIT_TOOLS), 10),
    sync("PreToolUse", Some(SHELL_TOOLS), 10),
    sync("PreToolUse", Some(OWN_TOOLS), 10),
    notice("PostToolUse"),
    notice("PostToolUseFailure"),
    notice("PostToolBatch"),
    sync("Stop", None, 5),
    notice("StopFailure"),
    notice("SubagentStart"),
    notice("SubagentStop"),
    notice("CwdChanged"),
    Registration {
        event: "SessionEnd",
        word: "SessionEnd",
        matcher: None,
        wait: Wait::Async,
        timeout_s: 2,
    },
];

/// Codex's. Its editing tool is `apply_patch`; every shell is told as `Bash`.
const CODEX_REGISTRATIONS: &[Registration] = &[
    sync("SessionStart", None, 5),
    sync("UserPromptSubmit", None, 5),
    sync("PreToolUse", Some("apply_patch|Bash"), 10),
    sync("PostToolUse", Some("apply_patch|Bash"), 5),
    sync("Stop", None, 5),
    sync("SubagentStop", None, 5),
    sync("SessionEnd", None, 2),
];

const fn gemini(
    event: &'static str,
    word: &'static str,
    matcher: Option<&'static str>,
    timeout_s: u32,
) -> Registration {
    Registration {
        event,
        word,
        matcher,
        wait: Wait::Sync,
        timeout_s,
    }
}

/// Gemini CLI's, which waits for every hook.
const GEMINI_REGISTRATIONS: &[Registration] = &[
    gemini("SessionStart", "SessionStart", None, 5),
    gemini("BeforeAgent", "UserPromptSubmit", None, 5),
    gemini(
        "BeforeTool",
        "PreToolUse",
        Some("^(write_file|replace|run_shell_command)$"),
        10,
    ),
    gemini(
        "AfterTool",
        "PostToolUse",
        Some("^(write_file|replace|run_shell_command|read_file)$"),
        5,
    ),
    gemini("AfterAgent", "Stop", None, 5),
    gemini("SessionEnd", "SessionEnd", None, 2),
];

/// How one client has its hooks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct HookSet {
    /// The client's name, which the hook is called with; `None` for Claude Code's, which the hook
    /// takes for granted.
    pub(crate) client: Option<&'static str>,
    pub(crate) registrations: &'static [Registration],
    /// Tools that are allowed by name, in the client's settings.
    pub(crate) permissions: &'static [&'static str],
    /// How many of the client's units of time a second has.
    pub(crate) units_per_s: u32,
    /// The client shows each hook by a name.
    pub(crate) has_names: bool,
}

pub(crate) const CLAUDE_CODE: HookSet = HookSet {
    client: None,
    registrations: REGISTRATIONS,
    permissions: PERMISSIONS,
    units_per_s: 1,
    has_names: false,
};

pub(crate) const CODEX: HookSet = HookSet {
    client: Some("codex"),
    registrations: CODEX_REGISTRATIONS,
    permissions: &[],
    units_per_s: 1,
    has_names: false,
};

pub(crate) const GEMINI: HookSet = HookSet {
    client: Some("gemini"),
    registrations: GEMINI_REGISTRATIONS,
    permissions: &[],
    units_per_s: 1_000,
    has_names: true,
};

/// The permissions that `kite init` grants: the coordination tools by name and nothing else, so
/// that a refusal never recommends a tool which is itself refused.
pub(crate) const PERMISSIONS: &[&str] = &[
    "mcp__kite__kite_task_create",
    "mcp__kite__kite_task_list",
    "mcp__kite__kite_task_claim",
    "mcp__kite__kite_task_complete",
    "mcp__kite__kite_task_release",
    "mcp__kite__kite_sessions",
    "mcp__kite__kite_file_lock",
    "mcp__kite__kite_file_unlock",
    "mcp__kite__kite_task_show",
    "mcp__kite__kite_events",
    "mcp__kite__kite_vault_search",
    "mcp__kite__kite_vault_write",
];

/// The name of the MCP server in every client's configuration.
pub(crate) const SERVER: &str = "kite";
