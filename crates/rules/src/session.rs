//! Who acts: sessions, and the owners under them.

use alloc::string::String;

/// Kite's own key of a session: 128 random bits. Clients' ids are attributes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u128);

impl core::fmt::Display for SessionId {
    /// 32 hexadecimal digits; `{:.8}` gives the first eight, which people and agents are shown.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        hex(self.0, f)
    }
}

/// Writes an id as hexadecimal digits, as many as the precision asks for.
pub(crate) fn hex(id: u128, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
    let digits = f.precision().unwrap_or(32).clamp(1, 32);
    write!(f, "{:0digits$x}", id >> (4 * (32 - digits)))
}

/// A session, or one of its subagents.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    pub session: SessionId,
    /// The client's id of the subagent; `None` for the session itself.
    pub agent: Option<String>,
}

impl Owner {
    #[must_use]
    pub fn session(session: SessionId) -> Owner {
        Owner {
            session,
            agent: None,
        }
    }

    /// Whether what one has keeps the other out: different sessions do, and so do two subagents
    /// of one session; a session and its own subagent do not.
    #[must_use]
    pub fn contends_with(&self, other: &Owner) -> bool {
        self.session != other.session
            || matches!((&self.agent, &other.agent), (Some(a), Some(b)) if a != b)
    }
}

/// What a session is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A coding agent's process.
    #[default]
    Agent,
    /// A person at a terminal: the controlling shell.
    Person,
    /// No process to watch: lives [`crate::limits::SESSION_TTL_MS`] from its last sign of life.
    Remote,
}

/// Where a session stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// In a turn.
    #[default]
    Active,
    /// Alive, between turns.
    Idle,
    /// Said goodbye.
    Ended,
    /// Its process died or its time ran out.
    Lost,
}

impl State {
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, State::Active | State::Idle)
    }
}

/// A process that cannot be mistaken for a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    pub pid: u32,
    /// Start time as the kernel counts it.
    pub started: u64,
}

/// A session's record. Its identity is (client, process); all else are attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub kind: Kind,
    pub client: String,
    pub client_version: Option<String>,
    pub client_session_id: Option<String>,
    pub process: Option<Process>,
    pub cwd: String,
    /// Canonical git common directory, or what stands for it.
    pub project: String,
    pub worktree: Option<String>,
    pub intent: Option<String>,
    pub fingerprint: Option<String>,
    pub state: State,
    /// Why it ended, where it has.
    pub end_reason: Option<String>,
    pub since_wall_ms: u64,
    /// Last sign of life. Only in memory between writes of the record.
    pub seen: crate::Now,
}
