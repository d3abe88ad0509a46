//! What can be looked at: sessions, tasks, locks, events, and the figures of `kite status`.

use std::rc::Rc;

use kite_rules::session::{Session, State};
use kite_store::Store;
use kite_wire::{
    PROTOCOL,
    reply::{self, DaemonStats, Events, Fault, Locks, Sessions, Stats, ok_line},
    request::{Envelope, Query, Request, TaskList, nearest_hint},
};
use serde_json::Value;

use super::{Engine, callers::Actor};
use crate::{
    audit::Filter,
    config::Guard,
    doors::Connection,
    translate::{self, words::rfc3339},
};

const TARGETS: [&str; 5] = ["sessions", "tasks", "locks", "events", "stats"];
/// Rows of one answer: usually, and at most.
const ROWS: u32 = 50;
const EVENTS: u32 = 100;
const ROWS_MAX: u32 = 1_000;

/// The request as it stands in the log.
pub(super) fn logged_input(request: &Request) -> Value {
    serde_json::from_slice(&request.to_line(&Envelope::default())).unwrap_or_default()
}

impl<S: Store> Engine<S> {
    pub(super) async fn query(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: Query,
    ) -> Result<Vec<u8>, Fault> {
        let id = envelope.id;
        let rows = |usual: u32| request.limit.unwrap_or(usual).clamp(1, ROWS_MAX) as usize;
        let project = match request.project.as_deref() {
            None | Some("*") => None,
            Some(directory) => Some(self.project_of(directory).await),
        };
        match request.target.as_str() {
            "sessions" => {
                let mut sessions = self.sessions_shown(|session| {
                    (request.ended || session.state.is_live())
                        && is_of(project.as_deref(), session)
                        && is_named(request.session.as_deref(), session)
                });
                // The newest, oldest first.
                let older = sessions.len().saturating_sub(rows(ROWS_MAX));
                sessions.drain(..older);
                let you = self.you(connection, envelope);
                Ok(ok_line(id, &Sessions { sessions, you }))
            }
            "tasks" => {
                let list = TaskList {
                    status: Some("all".to_owned()),
                    project: Some(request.project.unwrap_or_else(|| "*".to_owned())),
                    limit: Some(request.limit.unwrap_or(ROWS)),
                    cursor: request.after.map(|after| after.to_string()),
                };
                Ok(ok_line(
                    id,
                    &self.task_list(connection, envelope, list).await?,
                ))
            }
            "locks" => Ok(ok_line(
                id,
                &self.locks_shown(project.as_deref(), rows(ROWS_MAX)),
            )),
            "events" => Ok(ok_line(id, &self.events(&request, rows(EVENTS)).await)),
            "stats" => Ok(ok_line(id, &self.stats())),
            other => {
                let shown: String = other.chars().take(40).collect();
                Err(
                    Fault::new("invalid_field", format!("`target`: there is no `{shown}`"))
                        .hint(nearest_hint(other, TARGETS.iter().copied())),
                )
            }
        }
    }

    async fn events(&self, request: &Query, limit: usize) -> Events {
        let since = request
            .since_ms
            .map(|ms| self.now().wall_ms.saturating_sub(ms));
        let filter = Filter {
            session: request.session.clone(),
            tool: request.tool.clone(),
            since_wall_ms: since,
            after: request.after,
            limit,
        };
        self.log.query(filter).await
    }

    /// The caller's own session, where it has one already.
    pub(super) fn you(&self, connection: &Connection, envelope: &Envelope) -> Option<String> {
        if let Some(given) = &envelope.session_id {
            return self.session_named(given).ok().map(|id| id.to_string());
        }
        let hello = connection.hello.borrow();
        let caller = hello.as_ref()?.caller.as_ref()?;
        if let Some(id) = self.session_of_agent(&Actor::from(caller.clone())) {
            return Some(id.to_string());
        }
        self.store.read(|ledger| {
            let mine = |session: &&Session| {
                session.state.is_live()
                    && session.client == caller.client
                    && caller.pid.is_some()
                    && session.process.map(|process| process.pid) == caller.pid
            };
            ledger
                .sessions
                .values()
                .find(mine)
                .map(|session| session.id.to_string())
        })
    }

    /// Sessions as shown, oldest first.
    pub(super) fn sessions_shown(&self, wanted: impl Fn(&Session) -> bool) -> Vec<reply::Session> {
        let holds = self.holds.borrow();
        self.store.read(|ledger| {
            let mut sessions: Vec<&Session> = ledger
                .sessions
                .values()
                .filter(|session| wanted(session))
                .collect();
            sessions.sort_by_key(|session| (session.since_wall_ms, session.id));
            let shown = sessions.into_iter().map(|session| {
                let held = holds
                    .iter()
                    .filter(|hold| hold.owner.session == session.id)
                    .map(|hold| hold.shown.clone());
                translate::session(session, ledger, held.collect(), &self.identity.fingerprint)
            });
            shown.collect()
        })
    }

    fn locks_shown(&self, project: Option<&str>, rows: usize) -> Locks {
        let now = self.now();
        let holds = self.holds.borrow();
        let locks = self.store.read(|ledger| {
            let wanted = |name: &str| project.is_none_or(|project| project == name);
            let locks = ledger.locks.iter().filter(|lock| wanted(&lock.project));
            let locks =
                locks.map(|lock| translate::lock(lock, now, &ledger.locks.waiting_for(lock)));
            let held = holds.iter().filter_map(|hold| {
                let project = ledger
                    .sessions
                    .get(&hold.owner.session)
                    .map(|session| session.project.as_str())?;
                wanted(project)
                    .then(|| translate::hold(hold, now, project, &holds.waiting(&hold.file)))
            });
            locks.chain(held).take(rows).collect()
        });
        Locks {
            locks,
            ..Locks::default()
        }
    }

    fn stats(&self) -> Stats {
        let (prevented, cost) = self.prevented_and_cost();
        let worktree_conflicts = self.worktree_conflicts();
        let home = &self.identity.home;
        let state = if self.store.is_full() {
            "storage_full"
        } else {
            "ok"
        };
        let daemon = DaemonStats {
            pid: std::process::id(),
            build: self.identity.build.clone(),
            protocol: PROTOCOL.1,
            home: home.path().display().to_string(),
            since: rfc3339(self.started_wall_ms),
            state: state.to_owned(),
            store_bytes: self.store.bytes(),
            log_bytes: self.log.bytes(),
            connections: self.connections.borrow().count() as u64,
            guard: match self.settings.of_home().guard {
                Guard::Open => "open",
                Guard::Strict => "strict",
            }
            .to_owned(),
            fingerprint: Some(self.identity.fingerprint.clone())
                .filter(|fingerprint| !fingerprint.is_empty()),
        };
        self.store.read(|ledger| {
            let in_state = |state: State| {
                ledger
                    .sessions
                    .values()
                    .filter(|session| session.state == state)
                    .count() as u64
            };
            Stats {
                daemon,
                sessions_active: in_state(State::Active),
                sessions_idle: in_state(State::Idle),
                locks: ledger.locks.len() as u64,
                holds: self.holds.borrow().len() as u64,
                tasks: translate::counts(ledger.tasks.counts(None)),
                prevented,
                cost,
                faults: self.faults(),
                worktree_conflicts,
            }
        })
    }
}

fn is_of(project: Option<&str>, session: &Session) -> bool {
    project.is_none_or(|project| project == session.project)
}

/// Whether the session's id begins so.
fn is_named(prefix: Option<&str>, session: &Session) -> bool {
    prefix.is_none_or(|prefix| session.id.to_string().starts_with(prefix))
}
