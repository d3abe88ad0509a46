//! What is done: the one place where state changes.
//!
//! The engine answers the doors ([`crate::doors::Answers`]). It finds out who asks
//! (`callers`), has the store judge and keep, holds the short-lived facts itself (holds,
//! touches, waits), and tells those who wait or watch. Everything happens on one thread; nothing
//! borrows across an await.
//!
//! **Architecture Invariant:** no SQL, no rmcp, no terminal here. No effect is told before it is
//! durable, and every effect is safe to repeat.

mod aftermath;
#[cfg(test)]
mod aftermath_stories;
mod agents;
mod callers;
mod calls;
mod changers;
mod changes;
mod checkouts;
#[cfg(test)]
mod client_stories;
#[cfg(test)]
mod contract_stories;
mod contracts;
mod dispatches;
mod edits;
mod faults;
#[cfg(test)]
mod git_stories;
mod greeting;
mod keeping;
mod locks;
mod notices;
mod patience;
mod places;
mod prevented;
mod project_tools;
mod queries;
mod queue;
mod registration;
mod requests;
mod retries;
mod reviews;
mod secrets;
mod settings;
mod shell;
#[cfg(test)]
mod stage;
mod steps;
#[cfg(test)]
mod stories;
mod subscribers;
mod targets;
mod tasks;
mod timers;
mod trust;
mod turns;
mod upkeep;
mod vaults;
#[cfg(test)]
mod worktree_stories;
mod worktrees;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    time::Instant,
};

use kite_rules::{Now, Refusal, hold::HoldTable, session::SessionId, touch::TouchLog};
use kite_store::{Store, StoreError};
use kite_wire::{
    PROTOCOL,
    frame::Header,
    home::Home,
    reply::{self, Done, Event, Fault, Welcome},
    request::{Envelope, Hello, Request},
};
use tokio::sync::{Notify, oneshot};

use crate::{
    audit::AuditLog,
    config::Config,
    dialects,
    doors::{Answers, Connection, Connections, HookAnswer, WaitSender},
    hands::{clock::Clock, processes},
    lifecycle::Stop,
    translate::refusal::{self, Reader},
};

/// Who this daemon is.
#[derive(Clone, Debug)]
pub struct Identity {
    pub home: Home,
    pub build: String,
    /// Fingerprint of the tool schemas of this build.
    pub fingerprint: String,
}

/// The state of a running daemon, over any store.
pub struct Engine<S> {
    store: S,
    log: AuditLog,
    settings: settings::Settings,
    identity: Identity,
    clock: Clock,
    started_wall_ms: u64,
    holds: RefCell<HoldTable>,
    hold_freed: Notify,
    touches: RefCell<TouchLog>,
    calls: RefCell<calls::Calls>,
    presence: RefCell<callers::Presence>,
    lock_waits: RefCell<queue::Waits>,
    cancels: RefCell<HashMap<(u64, u64), oneshot::Sender<()>>>,
    operations: retries::Operations,
    keeping: keeping::Keeping,
    reviews: reviews::Reviews,
    project_tools: project_tools::ProjectTools,
    notices: notices::Notices,
    agents: agents::Agents,
    dispatches: dispatches::Dispatches,
    aftermath: aftermath::Aftermath,
    contracts: contracts::Contracts,
    vaults: vaults::Vaults,
    worktrees: worktrees::Worktrees,
    projects: places::Projects,
    subscribers: RefCell<subscribers::Subscribers>,
    prevented: RefCell<prevented::Counters>,
    leases_changed: Notify,
    waiters_moved: Cell<bool>,
    stop: Stop,
    connections: RefCell<Connections>,
}

impl<S: Store> Engine<S> {
    /// An engine over an open store. `stop` is used when a client asks for it.
    pub fn new(
        store: S,
        log: AuditLog,
        config: Config,
        identity: Identity,
        stop: Stop,
    ) -> Rc<Self> {
        let clock = Clock::default();
        let started_wall_ms = clock.now().wall_ms;
        let vaults = vaults::Vaults::new(identity.home.path(), &config.vault.folders);
        Rc::new(Engine {
            store,
            log,
            settings: settings::Settings::new(config),
            identity,
            clock,
            started_wall_ms,
            holds: RefCell::default(),
            hold_freed: Notify::new(),
            touches: RefCell::default(),
            calls: RefCell::default(),
            presence: RefCell::default(),
            lock_waits: RefCell::default(),
            cancels: RefCell::default(),
            operations: retries::Operations::default(),
            keeping: keeping::Keeping::default(),
            reviews: reviews::Reviews::default(),
            project_tools: project_tools::ProjectTools::default(),
            notices: notices::Notices::default(),
            agents: agents::Agents::default(),
            dispatches: dispatches::Dispatches::default(),
            aftermath: aftermath::Aftermath::default(),
            contracts: contracts::Contracts::default(),
            vaults,
            worktrees: worktrees::Worktrees::default(),
            projects: places::Projects::default(),
            subscribers: RefCell::default(),
            prevented: RefCell::default(),
            leases_changed: Notify::new(),
            waiters_moved: Cell::default(),
            stop,
            connections: RefCell::default(),
        })
    }

    /// Has the figures tell how many connections the door has open.
    pub fn show_connections(&self, connections: Connections) {
        self.connections.replace(connections);
    }

    /// Adopts the sessions of an earlier daemon, ends those whose process is gone, and starts the
    /// timers. Call once, within a `LocalSet`.
    pub async fn start(self: &Rc<Self>) {
        self.take_up_dispatches();
        self.take_up_reviews();
        self.load_agents();
        self.adopt().await;
        self.take_up_runs();
        self.answers_again();
        self.absorb_faults();
        tokio::task::spawn_local(timers::run(Rc::clone(self)));
        tokio::task::spawn_local(agents::run(Rc::clone(self)));
        tokio::task::spawn_local(worktrees::run(Rc::clone(self)));
        self.reconcile_checkouts();
        tokio::task::spawn_local(subscribers::pass_on_events(Rc::clone(self)));
        tokio::task::spawn_local(subscribers::pass_on_ends(Rc::clone(self)));
        self.note(Event {
            kind: "daemon".into(),
            what: "started".into(),
            ..Event::default()
        });
    }

    /// Makes everything durable. Call when no request is in flight any more.
    pub async fn stop(&self) {
        self.save_prevented().await;
        self.note(Event {
            kind: "daemon".into(),
            what: "stopped".into(),
            ..Event::default()
        });
        if let Err(error) = self.store.close().await {
            let outcome = Some(error.to_string());
            self.note(Event {
                kind: "daemon".into(),
                what: "store failed to close".into(),
                outcome,
                ..Event::default()
            });
        }
        self.log.flush().await;
    }

    fn now(&self) -> Now {
        let now = self.clock.now();
        Now {
            wall_ms: now.wall_ms,
            mono_ms: now.mono_ms,
        }
    }

    /// Writes an event to the log, from where it reaches those who follow.
    fn note(&self, event: Event) {
        self.log.record(event);
    }

    /// Like [`Engine::note`], about something of a session.
    fn note_of(
        &self,
        kind: &str,
        what: &str,
        session: SessionId,
        target: Option<String>,
        outcome: Option<String>,
    ) {
        self.note(Event {
            kind: kind.to_owned(),
            what: what.to_owned(),
            session: Some(session.to_string()),
            target,
            outcome,
            ..Event::default()
        });
    }

    fn refused(&self, refusal: &Refusal, reader: Reader) -> Fault {
        let now = self.now();
        self.count_refusal(refusal);
        self.store
            .read(|ledger| refusal::fault(refusal, reader, ledger, now))
    }

    fn hello(&self, hello: &Hello) -> Result<Welcome, Fault> {
        let (low, high) = hello.protocol;
        if high < PROTOCOL.0 || low > PROTOCOL.1 {
            return Err(Fault::new(
                "protocol_mismatch",
                format!("this daemon speaks protocols {} to {}, you speak {low} to {high}", PROTOCOL.0, PROTOCOL.1),
            )
            .hint("run `kite daemon restart` with the newer build; state is kept and clients reconnect"));
        }
        Ok(Welcome {
            protocol: high.min(PROTOCOL.1),
            build: self.identity.build.clone(),
            pid: std::process::id(),
            home: self.identity.home.path().display().to_string(),
        })
    }

    fn cancel(&self, connection: &Connection, request: u64) -> Done {
        if let Some(cancel) = self.cancels.borrow_mut().remove(&(connection.id, request)) {
            let _ = cancel.send(());
        }
        Done {}
    }

    async fn answer(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        envelope: &Envelope,
        request: Request,
    ) -> Vec<u8> {
        let started = Instant::now();
        let name = request.name();
        let input = envelope
            .tool
            .is_some()
            .then(|| queries::logged_input(&request));
        let answer = self.dispatch_once(connection, envelope, request).await;
        if input.is_some() || answer.is_err() {
            self.log_request(connection, envelope, name, input, &answer, started);
        }
        answer.unwrap_or_else(|fault| reply::fault_line(envelope.id, &fault))
    }

    async fn hear(
        self: &Rc<Self>,
        header: &Header,
        input: Vec<u8>,
        hook: Option<u32>,
        extend: &WaitSender,
    ) -> HookAnswer {
        let started = Instant::now();
        let (verdict, receipt) = match dialects::read(header, &input) {
            Ok(mut step) => {
                drop(input);
                if step.pid.is_none() && dialects::is_known_by_its_process(&header.client) {
                    step.pid = processes::client_of(hook).await;
                }
                self.step(header, step, extend, started).await
            }
            Err(why) => {
                self.note(Event {
                    kind: "hook".into(),
                    what: header.event.clone(),
                    outcome: Some(format!("not understood: {why}")),
                    ..Event::default()
                });
                (dialects::Verdict::Pass, None)
            }
        };
        HookAnswer {
            receipt,
            ..dialects::answer(header, &verdict)
        }
    }

    /// Logs a tool call with its input and output, or a request that was refused.
    fn log_request(
        &self,
        connection: &Connection,
        envelope: &Envelope,
        name: &str,
        input: Option<serde_json::Value>,
        answer: &Result<Vec<u8>, Fault>,
        began: Instant,
    ) {
        let (outcome, output) = match answer {
            Ok(line) => ("ok".to_owned(), serde_json::from_slice(line).ok()),
            Err(fault) => (fault.code.clone(), serde_json::to_value(fault).ok()),
        };
        self.note(Event {
            kind: if envelope.tool.is_some() {
                "tool"
            } else {
                "request"
            }
            .to_owned(),
            what: name.to_owned(),
            session: self.you(connection, envelope),
            tool: envelope.tool.clone(),
            outcome: Some(outcome),
            took_us: u64::try_from(began.elapsed().as_micros()).ok(),
            input,
            output,
            ..Event::default()
        });
    }
}

/// Runs `work` to its end, also where whoever awaits it goes away: what has been begun is done,
/// and those whom it concerns are told.
async fn to_its_end<T: 'static>(work: impl Future<Output = T> + 'static) -> T {
    match tokio::task::spawn_local(work).await {
        Ok(done) => done,
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// Storage trouble as clients are told it.
fn storage(error: &StoreError) -> Fault {
    match error {
        StoreError::Full => Fault::new(
            "storage_full",
            "The disk that holds Kite's state is full; nothing was changed.",
        )
        .hint("Free some space and ask again. Reading and releasing still work."),
        other => Fault::new("storage_error", format!("{other}; nothing was changed"))
            .hint("Ask again; `kite doctor` looks into it."),
    }
}

impl<S: Store> Answers for Engine<S> {
    async fn request(
        self: Rc<Self>,
        connection: Rc<Connection>,
        envelope: Envelope,
        request: Request,
    ) -> Vec<u8> {
        if requests::may_be_cut_short(&request) {
            return self.answer(&connection, &envelope, request).await;
        }
        to_its_end(async move { self.answer(&connection, &envelope, request).await }).await
    }

    async fn hook(
        self: Rc<Self>,
        connection: Rc<Connection>,
        header: Header,
        input: Vec<u8>,
        extend: WaitSender,
    ) -> HookAnswer {
        let hook = connection.peer_pid;
        drop(connection);
        // Only an edit waits for others. All else is done to its end, so that nobody is left
        // waiting for what a killed hook was about to free.
        if header.event == "PreToolUse" {
            return self.hear(&header, input, hook, &extend).await;
        }
        to_its_end(async move { self.hear(&header, input, hook, &extend).await }).await
    }

    fn closed(&self, connection: &Connection) {
        self.subscribers.borrow_mut().leave(connection.id);
        self.cancels
            .borrow_mut()
            .retain(|(owner, _), _| *owner != connection.id);
    }
}
