//! What is kept of each agent: one document for one run, in the engine's own words.

use kite_rules::{
    session::{Owner, SessionId},
    task::TaskId,
};
use serde::{Deserialize, Serialize};

use crate::{config::settings::agents::PermissionMode, translate};

/// The kind of the documents of this room; the key is the agent's id.
pub(super) const KIND: &str = "agent";

/// Where a run stands. What is behind `Stopping` has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    #[default]
    Queued,
    /// A worktree is made, a process is being started; the agent's program does not run yet.
    Starting,
    Running,
    /// Its processes are being ended.
    Stopping,
    Done,
    Failed,
    Stopped,
    /// It died; another run may go on.
    Lost,
    /// Its client's service refused for now; another run goes on later.
    Waiting,
    /// Nobody starts it again by itself.
    Parked,
}

impl State {
    pub(super) fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Starting => "starting",
            State::Running => "running",
            State::Stopping => "stopping",
            State::Done => "done",
            State::Failed => "failed",
            State::Stopped => "stopped",
            State::Lost => "lost",
            State::Waiting => "waiting",
            State::Parked => "parked",
        }
    }

    /// There are, or may be, processes.
    pub(super) fn is_under_way(self) -> bool {
        matches!(self, State::Starting | State::Running | State::Stopping)
    }

    pub(super) fn has_ended(self) -> bool {
        !self.is_under_way() && self != State::Queued
    }
}

/// Where it works.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Workplace {
    /// Where it was asked for.
    #[default]
    Here,
    /// A worktree of its own. `wanted`: fails where there can be none.
    New { wanted: bool },
    /// A worktree that is there.
    At(String),
}

/// A worktree that Kite made for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Checkout {
    pub(super) id: String,
    pub(super) path: String,
    pub(super) branch: String,
}

/// One run of an agent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    /// 32 hexadecimal digits. Also the cookie of its processes.
    pub(super) id: String,
    /// Order of creation, which is the order of the queue.
    pub(super) number: u64,
    /// The first run for the same purpose; its own id, where it is the first.
    pub(super) line: String,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
    /// Of the request that it was made for.
    pub(super) op_id: Option<String>,

    pub(super) preset: String,
    /// As its sessions are shown.
    pub(super) client: String,
    pub(super) project: String,
    /// Where it was asked for.
    pub(super) asked_in: String,
    pub(super) workplace: Workplace,
    pub(super) checkout: Option<Checkout>,
    pub(super) task: Option<String>,
    pub(super) prompt: Option<String>,
    /// Its tools change nothing, and it is told its prompt and no more.
    pub(super) reads_only: bool,
    pub(super) about: String,
    pub(super) model: Option<String>,
    pub(super) max_turns: Option<u32>,
    pub(super) budget_usd: Option<f64>,
    pub(super) timeout_s: u64,
    pub(super) permission_mode: String,
    /// The session that asked for it.
    pub(super) parent: Option<String>,
    /// The session or agent that is at the beginning of its descent.
    pub(super) root: Option<String>,
    /// 1: a person or a session of a person's asked for it.
    pub(super) depth: u64,

    pub(super) state: State,
    pub(super) reason: Option<String>,
    /// Why it is to end, and by whose word; set before anything is ended.
    pub(super) stop: Option<String>,
    pub(super) session: Option<String>,
    /// The UUID that its client's session is given.
    pub(super) client_session: String,
    /// Of its claim on the task.
    pub(super) attempt: Option<u32>,
    pub(super) pid: Option<u32>,
    pub(super) created_ms: u64,
    pub(super) not_before_ms: u64,
    /// Attempts to start it that came to nothing.
    pub(super) vain_starts: u32,
    pub(super) started_ms: Option<u64>,
    pub(super) ended_ms: Option<u64>,

    /// It died: counts against the restart budget.
    pub(super) died: bool,
    pub(super) exit_code: Option<i32>,
    pub(super) result: Option<String>,
    pub(super) cost_usd: Option<f64>,
    pub(super) turns: Option<u64>,
    pub(super) last_lines: Vec<String>,
}

impl Record {
    pub(super) fn session_id(&self) -> Option<SessionId> {
        translate::session_id(self.session.as_deref()?)
    }

    pub(super) fn owner(&self) -> Option<Owner> {
        self.session_id().map(Owner::session)
    }

    pub(super) fn task_id(&self) -> Option<TaskId> {
        let id = u128::from_str_radix(self.task.as_deref()?, 16).ok()?;
        Some(TaskId(id))
    }

    pub(super) fn mode(&self) -> PermissionMode {
        PermissionMode::named(&self.permission_mode).unwrap_or_default()
    }

    /// Where it works, once that is known.
    pub(super) fn cwd(&self) -> &str {
        match (&self.checkout, &self.workplace) {
            (Some(checkout), _) => &checkout.path,
            (None, Workplace::At(path)) => path,
            (None, _) => &self.asked_in,
        }
    }

    /// Another run for the same purpose, in the same place.
    pub(super) fn again(
        &self,
        id: String,
        client_session: String,
        number: u64,
        now_ms: u64,
    ) -> Record {
        Record {
            id,
            number,
            client_session,
            previous: Some(self.id.clone()),
            next: None,
            op_id: None,
            state: State::Queued,
            reason: None,
            stop: None,
            session: None,
            attempt: None,
            pid: None,
            created_ms: now_ms,
            not_before_ms: 0,
            vain_starts: 0,
            started_ms: None,
            ended_ms: None,
            died: false,
            exit_code: None,
            result: None,
            cost_usd: None,
            turns: None,
            last_lines: Vec::new(),
            ..self.clone()
        }
    }
}
