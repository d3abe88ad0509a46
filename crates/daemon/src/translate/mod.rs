//! Between what is said (`wire`) and what is judged (`rules`): the only room that names both.
//!
//! Text that came from agents, repositories or tools is data. Whatever of it goes into a sentence
//! of Kite's passes through [`words::quoted`].

pub(crate) mod refusal;
pub(crate) mod words;

use kite_rules::{
    lock::{Epoch, Lock},
    session::{self, Owner, Session, SessionId},
    task::{LateResult, Priority, State, Task},
};
use kite_store::Ledger;
use kite_wire::reply::{self, Fault};

use words::rfc3339;

/// All states of tasks, in the order of [`Ledger::tasks`]' counts.
pub(crate) const STATES: [State; 6] = [
    State::Blocked,
    State::Ready,
    State::Claimed,
    State::Done,
    State::Failed,
    State::Cancelled,
];

pub(crate) fn state_name(state: State) -> &'static str {
    match state {
        State::Blocked => "blocked",
        State::Ready => "ready",
        State::Claimed => "claimed",
        State::Done => "done",
        State::Failed => "failed",
        State::Cancelled => "cancelled",
    }
}

/// The states that a `status` of `task_list` asks for.
pub(crate) fn states(status: &str) -> Result<Vec<State>, Fault> {
    const GROUPS: [&str; 3] = ["open", "pending", "all"];
    match status {
        "all" => Ok(STATES.to_vec()),
        "pending" => Ok(vec![State::Blocked, State::Ready]),
        "open" => Ok(vec![State::Blocked, State::Ready, State::Claimed]),
        one => STATES
            .iter()
            .find(|state| state_name(**state) == one)
            .map(|state| vec![*state])
            .ok_or_else(|| {
                let known = GROUPS.into_iter().chain(STATES.map(state_name));
                Fault::new(
                    "invalid_field",
                    format!("`status`: there is no state {}", words::quoted(one, 40)),
                )
                .hint(kite_wire::request::nearest_hint(one, known))
            }),
    }
}

pub(crate) fn priority(name: Option<&str>) -> Result<Priority, Fault> {
    match name {
        None | Some("normal") => Ok(Priority::Normal),
        Some("low") => Ok(Priority::Low),
        Some("high") => Ok(Priority::High),
        Some(other) => Err(Fault::new(
            "invalid_field",
            format!(
                "`priority`: there is no priority {}",
                words::quoted(other, 40)
            ),
        )
        .hint("allowed: low, normal, high")),
    }
}

fn priority_name(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
    }
}

pub(crate) fn session_state_name(state: session::State) -> &'static str {
    match state {
        session::State::Active => "active",
        session::State::Idle => "idle",
        session::State::Ended => "ended",
        session::State::Lost => "lost",
    }
}

/// `generation.counter`, as shown to clients.
pub(crate) fn epoch(text: &str) -> Result<Epoch, Fault> {
    let parts = text.split_once('.').and_then(|(generation, counter)| {
        Some(Epoch {
            generation: generation.parse().ok()?,
            counter: counter.parse().ok()?,
        })
    });
    parts.ok_or_else(|| {
        Fault::new(
            "invalid_field",
            format!("`epoch`: {} is not one", words::quoted(text, 60)),
        )
        .hint("give it as it came with the lock, for example 1763791200000.7")
    })
}

/// A project as shown: the directory whose `.git` is its key.
pub(crate) fn project(key: &str) -> &str {
    key.strip_suffix("/.git").unwrap_or(key)
}

/// A full session id of ours: 32 hexadecimal digits.
pub(crate) fn session_id(text: &str) -> Option<SessionId> {
    (text.len() == 32)
        .then(|| u128::from_str_radix(text, 16).ok().map(SessionId))
        .flatten()
}

pub(crate) fn task(task: &Task) -> reply::Task {
    reply::Task {
        id: task.id.to_string(),
        title: task.title.clone(),
        description: task.description.clone(),
        priority: priority_name(task.priority).to_owned(),
        project: project(&task.project).to_owned(),
        state: state_name(task.state).to_owned(),
        depends_on: task.depends_on.iter().map(ToString::to_string).collect(),
        paths: task.paths.iter().map(|(_, shown)| shown.clone()).collect(),
        session: task.owner.as_ref().map(|owner| owner.session.to_string()),
        attempt: task.attempt,
        result: task.result.clone(),
        reasons: task.reasons.clone(),
        late_results: task.late_results.iter().map(late_result).collect(),
        created_by: task.created_by.map(|id| id.to_string()),
        created_at: rfc3339(task.created_wall_ms),
        claimed_at: task.claimed_wall_ms.map(rfc3339),
        ended_at: task.ended_wall_ms.map(rfc3339),
    }
}

fn late_result(late: &LateResult) -> reply::LateResult {
    reply::LateResult {
        attempt: late.attempt,
        session: late.session.to_string(),
        result: late.result.clone(),
        at: rfc3339(late.at_wall_ms),
    }
}

pub(crate) fn counts(
    [blocked, ready, claimed, done, failed, cancelled]: [u64; 6],
) -> reply::TaskCounts {
    reply::TaskCounts {
        blocked,
        ready,
        claimed,
        done,
        failed,
        cancelled,
    }
}

pub(crate) fn lock(lock: &Lock, now: kite_rules::Now, waiting: &[Owner]) -> reply::Lock {
    reply::Lock {
        target: lock.shown.clone(),
        kind: "lock".to_owned(),
        session: lock.owner.session.to_string(),
        agent: lock.owner.agent.clone(),
        project: project(&lock.project).to_owned(),
        epoch: lock.epoch.to_string(),
        since: rfc3339(lock.since_wall_ms),
        until: rfc3339(now.wall_at(lock.expires_mono_ms())),
        keep: lock.keep,
        reason: lock.reason.clone(),
        waiting: waiting
            .iter()
            .map(|owner| owner.session.to_string())
            .collect(),
    }
}

pub(crate) fn hold(
    hold: &kite_rules::hold::Hold,
    now: kite_rules::Now,
    project: &str,
    waiting: &[&Owner],
) -> reply::Lock {
    reply::Lock {
        waiting: waiting
            .iter()
            .map(|owner| owner.session.to_string())
            .collect(),
        target: hold.shown.clone(),
        kind: "hold".to_owned(),
        session: hold.owner.session.to_string(),
        agent: hold.owner.agent.clone(),
        project: self::project(project).to_owned(),
        since: rfc3339(hold.since.wall_ms),
        until: rfc3339(now.wall_at(hold.until_mono_ms)),
        ..reply::Lock::default()
    }
}

/// A session as shown, with what it has. `fingerprint` is that of this build's tools.
pub(crate) fn session(
    session: &Session,
    ledger: &Ledger,
    holds: Vec<String>,
    fingerprint: &str,
) -> reply::Session {
    let locks = ledger
        .locks
        .iter()
        .filter(|lock| lock.owner.session == session.id);
    let tasks = ledger.tasks.claimed_by(session.id);
    let outdated = session
        .fingerprint
        .as_deref()
        .is_some_and(|theirs| !fingerprint.is_empty() && theirs != fingerprint);
    reply::Session {
        id: session.id.to_string(),
        client: session.client.clone(),
        client_version: session.client_version.clone(),
        client_session_id: session.client_session_id.clone(),
        pid: session.process.map(|process| process.pid),
        state: session_state_name(session.state).to_owned(),
        cwd: Some(session.cwd.clone()),
        project: project(&session.project).to_owned(),
        worktree: session.worktree.clone(),
        intent: session.intent.clone(),
        fingerprint: session.fingerprint.clone(),
        outdated,
        since: rfc3339(session.since_wall_ms),
        last_seen: rfc3339(session.seen.wall_ms),
        locks: locks.map(|lock| lock.shown.clone()).collect(),
        holds,
        tasks: tasks.iter().map(ToString::to_string).collect(),
    }
}
