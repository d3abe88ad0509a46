//! What went wrong, as people are told it: what, why, what now. And the exit codes.

use std::io;

use kite_wire::{client, home::Home, reply::Fault};

use crate::wiring;

/// Exit codes. They are part of the interface: `docs/cli.md` lists them, and none changes its
/// meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done.
    Success = 0,
    /// It failed, for a reason that has no code of its own.
    Error = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Refused by the rules: locked, claimed by another, an old attempt, not allowed here. Also an
    /// undo that leaves something to a person: a conflict, or a path that could not come back.
    Refused = 3,
    /// No daemon answers and none could be started.
    Unreachable = 4,
    /// No such task, session, lock or file.
    NotFound = 5,
    /// Ended by Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        (exit as u8).into()
    }
}

/// Kinds of failure, each with its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Failed,
    Usage,
    Refused,
    Unreachable,
    NotFound,
    /// Ctrl-C.
    Interrupted,
    /// The reader of our output has gone, such as `head`. Nobody is told.
    ReaderGone,
}

impl Kind {
    pub(crate) fn exit(self) -> Exit {
        match self {
            Kind::Failed => Exit::Error,
            Kind::Usage => Exit::Usage,
            Kind::Refused => Exit::Refused,
            Kind::Unreachable => Exit::Unreachable,
            Kind::NotFound => Exit::NotFound,
            Kind::Interrupted => Exit::Interrupted,
            Kind::ReaderGone => Exit::Success,
        }
    }

    /// The kind of a fault that the daemon answered with.
    fn of(code: &str) -> Kind {
        match code {
            "locked" | "busy" | "already_claimed" | "not_claimed" | "not_ready" | "stale_epoch"
            | "stale_attempt" | "stale_write" | "dependency_cycle" | "limit_reached"
            | "not_allowed" | "not_trusted" | "definition_changed" | "uncertain"
            | "worktree_in_use" | "work_would_be_lost" | "cancelled" | "refused" => Kind::Refused,
            "unknown_session" | "unknown_agent" | "unknown_worktree" | "unknown_tool"
            | "unknown_task" | "ambiguous_task" | "nothing_ready" | "unknown_note" | "no_vault"
            | "nobody_idle" | "unknown_dispatch" => Kind::NotFound,
            "invalid_field" | "unknown_field" | "too_long" => Kind::Usage,
            _ => Kind::Failed,
        }
    }
}

/// A failure: what happened, why, and what to do now.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) kind: Kind,
    pub(crate) what: String,
    pub(crate) why: Option<String>,
    pub(crate) hint: Option<String>,
}

impl Error {
    pub(crate) fn new(kind: Kind, what: impl Into<String>) -> Error {
        Error {
            kind,
            what: what.into(),
            why: None,
            hint: None,
        }
    }

    pub(crate) fn failed(what: impl Into<String>) -> Error {
        Error::new(Kind::Failed, what)
    }

    #[must_use]
    pub(crate) fn because(mut self, why: impl ToString) -> Error {
        self.why = Some(why.to_string()).filter(|why| !why.is_empty());
        self
    }

    #[must_use]
    pub(crate) fn hinted(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self
    }

    /// What and why, in one line.
    pub(crate) fn sentence(&self) -> String {
        match &self.why {
            Some(why) => format!("{}: {why}", self.what),
            None => self.what.clone(),
        }
    }

    /// No daemon serves this home.
    pub(crate) fn no_daemon(home: &Home) -> Error {
        Error::new(Kind::Unreachable, "no Kite daemon is running")
            .because(format!("nobody listens on {}", home.socket().display()))
            .hinted("start it with `kite daemon start`")
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        let error = Error::new(Kind::of(&fault.code), in_shell_words(&fault.message));
        match fault.code.as_str() {
            "protocol_mismatch" => {
                error.hinted("the daemon is of another build: `kite daemon restart`")
            }
            _ => error.hinted(in_shell_words(&fault.hint)),
        }
    }
}

/// The daemon speaks to agents of their tools; at a prompt these are commands.
fn in_shell_words(text: &str) -> String {
    const COMMANDS: &[(&str, &str)] = &[
        ("kite_task_create", "`kite task create`"),
        ("kite_task_list", "`kite task list`"),
        ("kite_task_claim", "`kite task claim`"),
        ("kite_task_complete", "`kite task complete`"),
        ("kite_task_release", "`kite task release`"),
        ("kite_sessions", "`kite sessions`"),
        ("kite_file_lock", "`kite lock acquire`"),
        ("kite_file_unlock", "`kite lock release`"),
        ("kite_task_show", "`kite task show`"),
        ("kite_events", "`kite log`"),
        ("kite_vault_search", "`kite vault search`"),
        ("kite_vault_write", "`kite vault write`"),
    ];
    COMMANDS
        .iter()
        .fold(text.to_owned(), |text, (tool, command)| {
            text.replace(tool, command)
        })
}

impl From<client::Error> for Error {
    fn from(error: client::Error) -> Error {
        match error {
            client::Error::Fault(fault) => fault.into(),
            client::Error::Io(cause) => {
                Error::new(Kind::Unreachable, "no answer from the Kite daemon")
                    .because(cause)
                    .hinted("see `kite doctor`")
            }
        }
    }
}

impl From<wiring::Error> for Error {
    fn from(error: wiring::Error) -> Error {
        Error {
            kind: Kind::Failed,
            what: error.what,
            why: error.why,
            hint: error.hint,
        }
    }
}

impl From<kite_undo::Error> for Error {
    fn from(error: kite_undo::Error) -> Error {
        use kite_undo::Error as Undo;
        let kind = match &error {
            Undo::NothingFits { .. } | Undo::WorktreeGone { .. } => Kind::NotFound,
            Undo::Escapes { .. } => Kind::Usage,
            _ => Kind::Failed,
        };
        let hint = match &error {
            Undo::NothingFits { .. } => "`kite undo --list` shows what there is",
            Undo::Io { .. } => "what had been changed before that is in `kite undo --list`",
            _ => "",
        };
        let why = std::error::Error::source(&error).map(ToString::to_string);
        Error::new(kind, error.to_string())
            .because(why.unwrap_or_default())
            .hinted(hint)
    }
}

/// Only output does bare IO: whatever else fails says what it was doing.
impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::BrokenPipe => {
                Error::new(Kind::ReaderGone, "the reader of the output has gone")
            }
            _ => Error::failed("cannot write the output").because(error),
        }
    }
}
