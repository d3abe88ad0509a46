//! Who acts: sessions found, opened, watched and ended.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    rc::Rc,
};

use kite_rules::{
    limits::INTENT_CHARS_MAX,
    session::{Kind, Owner, Process, Session, SessionId, State},
};
use kite_store::{Freed, Store};
use kite_wire::{
    reply::Fault,
    request::{Caller, Envelope},
};
use tokio::task::AbortHandle;

use super::{Engine, prevented, storage};
use crate::{
    doors::Connection,
    hands::{files, processes},
    translate,
};

/// What is known of whoever acts, before a session is found for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Actor {
    pub(super) client: String,
    pub(super) pid: Option<u32>,
    pub(super) client_session_id: Option<String>,
    pub(super) client_version: Option<String>,
    pub(super) cwd: Option<String>,
    pub(super) fingerprint: Option<String>,
    pub(super) intent: Option<String>,
    /// The agent that Kite started and that acts, by the variable that it was given.
    pub(super) kite_agent: Option<String>,
}

impl From<Caller> for Actor {
    fn from(caller: Caller) -> Self {
        Actor {
            client: caller.client,
            pid: caller.pid,
            client_session_id: caller.client_session_id,
            client_version: caller.client_version,
            cwd: caller.cwd,
            fingerprint: caller.fingerprint,
            intent: None,
            kite_agent: caller.agent,
        }
    }
}

/// What is known of live sessions beside their records.
#[derive(Debug, Default)]
pub(super) struct Presence {
    by_process: HashMap<(String, u32), SessionId>,
    watches: BTreeMap<SessionId, AbortHandle>,
    /// Grows with each step of a session; tells whether a turn went on after its end.
    steps: BTreeMap<SessionId, u64>,
}

impl Presence {
    pub(super) fn step(&mut self, session: SessionId) -> u64 {
        let step = self.steps.entry(session).or_default();
        *step += 1;
        *step
    }

    pub(super) fn steps(&self, session: SessionId) -> u64 {
        self.steps.get(&session).copied().unwrap_or_default()
    }

    fn forget(&mut self, session: SessionId) {
        self.by_process.retain(|_, id| *id != session);
        self.steps.remove(&session);
        if let Some(watch) = self.watches.remove(&session) {
            watch.abort();
        }
    }
}

impl<S: Store> Engine<S> {
    /// The session of whoever acts, opened if need be. `None`: its process is gone already.
    pub(super) async fn open(self: &Rc<Self>, actor: Actor) -> Result<Option<SessionId>, Fault> {
        if let Some(id) = self.known(&actor) {
            self.refresh(id, actor).await?;
            return Ok(Some(id));
        }
        let process = match actor.pid {
            None => None,
            Some(pid) => match processes::start_time(pid) {
                None => return Ok(None),
                Some(started) => Some(Process { pid, started }),
            },
        };
        let cwd = actor.cwd.clone().unwrap_or_else(|| "/".to_owned());
        let project = files::project(PathBuf::from(&cwd)).await;
        let (project, worktree) = match project {
            Some(project) => (text(&project.key), Some(text(&project.worktree))),
            None => (cwd.clone(), None),
        };
        let now = self.now();
        let session = Session {
            id: SessionId(random()),
            kind: match (process, actor.client.as_str()) {
                (None, _) => Kind::Remote,
                (Some(_), "person") => Kind::Person,
                (Some(_), _) => Kind::Agent,
            },
            client: actor.client.clone(),
            client_version: actor.client_version.clone(),
            client_session_id: actor.client_session_id.clone(),
            process,
            cwd,
            project,
            worktree,
            intent: self.intent(None, actor.intent.as_deref()),
            fingerprint: actor.fingerprint.clone(),
            state: State::Idle,
            end_reason: None,
            since_wall_ms: now.wall_ms,
            seen: now,
        };
        let opened = self
            .store
            .open_session(session, now)
            .await
            .map_err(|e| storage(&e))?;
        if opened.new {
            self.note_of(
                "session",
                "opened",
                opened.session.id,
                Some(opened.session.project.clone()),
                None,
            );
            self.changed("sessions", &opened.session.project);
        }
        self.read_settings(&opened.session).await;
        self.begin_vaults(opened.session.id);
        self.watch(&opened.session);
        Ok(Some(opened.session.id))
    }

    /// A live session of this actor that is known without looking at the machine.
    fn known(&self, actor: &Actor) -> Option<SessionId> {
        if let Some(id) = self.session_of_agent(actor) {
            return Some(id);
        }
        if let Some(pid) = actor.pid {
            let id = self
                .presence
                .borrow()
                .by_process
                .get(&(actor.client.clone(), pid))
                .copied()?;
            return self.is_live(id).then_some(id);
        }
        let theirs = actor.client_session_id.as_deref()?;
        self.store.read(|ledger| {
            let mut live = ledger.sessions.values().filter(|session| {
                session.state.is_live() && session.client_session_id.as_deref() == Some(theirs)
            });
            let first = live.next()?.id;
            live.next().is_none().then_some(first)
        })
    }

    pub(super) fn is_live(&self, id: SessionId) -> bool {
        self.store.read(|ledger| {
            ledger
                .sessions
                .get(&id)
                .is_some_and(|session| session.state.is_live())
        })
    }

    /// Brings attributes up to date with what the actor says of itself, where it says anything.
    async fn refresh(&self, id: SessionId, actor: Actor) -> Result<(), Fault> {
        let Some(before) = self.store.read(|ledger| ledger.sessions.get(&id).cloned()) else {
            return Ok(());
        };
        let mut session = before.clone();
        let intent = self.intent(Some(id), actor.intent.as_deref());
        let set = |field: &mut Option<String>, value: Option<String>| {
            if value.is_some() {
                *field = value;
            }
        };
        set(&mut session.client_version, actor.client_version);
        set(&mut session.client_session_id, actor.client_session_id);
        set(&mut session.fingerprint, actor.fingerprint);
        set(&mut session.intent, intent);
        if let Some(cwd) = actor
            .cwd
            .filter(|_| session.kind != Kind::Remote || before.cwd == "/")
        {
            session.cwd = cwd;
        }
        self.update(&before, session).await
    }

    /// Keeps a changed record.
    pub(super) async fn update(&self, before: &Session, session: Session) -> Result<(), Fault> {
        if session != *before {
            let project = session.project.clone();
            self.store
                .update_session(session, self.now())
                .await
                .map_err(|e| storage(&e))?;
            self.changed("sessions", &project);
        }
        Ok(())
    }

    /// A sign of life: renews leases, and counts as a step of the turn.
    pub(super) fn alive(&self, session: SessionId) {
        self.store.seen(session, self.now());
        self.presence.borrow_mut().step(session);
    }

    /// The intent to keep for that line, where intents are kept at all.
    pub(super) fn intent(&self, session: Option<SessionId>, line: Option<&str>) -> Option<String> {
        let intents = match session {
            Some(session) => self.settings.of(session).intent,
            None => self.settings.of_home().intent,
        };
        let line = line.filter(|line| intents && !line.is_empty())?;
        Some(
            kite_redact::redact(line)
                .chars()
                .take(INTENT_CHARS_MAX)
                .collect(),
        )
    }

    /// Watches the session's process, once.
    fn watch(self: &Rc<Self>, session: &Session) {
        let Some(process) = session.process else {
            return;
        };
        let mut presence = self.presence.borrow_mut();
        presence
            .by_process
            .insert((session.client.clone(), process.pid), session.id);
        let (engine, id) = (Rc::clone(self), session.id);
        presence.watches.entry(session.id).or_insert_with(|| {
            let watching = tokio::task::spawn_local(async move {
                processes::watch(process.pid, process.started).await;
                engine.presence.borrow_mut().watches.remove(&id);
                engine.end(id, State::Lost, "its process ended").await;
            });
            watching.abort_handle()
        });
    }

    /// Takes over the sessions that an earlier daemon left.
    pub(super) async fn adopt(self: &Rc<Self>) {
        let left: Vec<Session> = self.store.read(|ledger| {
            ledger
                .sessions
                .values()
                .filter(|session| session.state.is_live())
                .cloned()
                .collect()
        });
        for session in left {
            self.store.seen(session.id, self.now());
            match session.process {
                Some(process) if processes::start_time(process.pid) != Some(process.started) => {
                    self.end(
                        session.id,
                        State::Lost,
                        "its process ended while no daemon ran",
                    )
                    .await;
                }
                _ => {
                    self.read_settings(&session).await;
                    self.begin_vaults(session.id);
                    self.watch(&session);
                }
            }
        }
    }

    /// Ends a session and frees all that it had. That of an agent which Kite runs lasts until the
    /// agent's end has been seen and read.
    pub(super) async fn end(&self, id: SessionId, state: State, why: &str) {
        if !self.ends_with_its_agent(id) {
            self.end_session_now(id, state, why).await;
        }
    }

    /// As [`Engine::end`], whoever's it is.
    pub(super) async fn end_session_now(&self, id: SessionId, state: State, why: &str) {
        if !self.is_live(id) {
            return;
        }
        self.receiver_ends(id).await;
        let ended = self.store.end_session(id, state, why, self.now()).await;
        let kind = self
            .store
            .read(|ledger| ledger.sessions.get(&id).map(|session| session.kind));
        self.presence.borrow_mut().forget(id);
        self.calls.borrow_mut().forget(id);
        self.settings.forget(id);
        self.touches.borrow_mut().forget_reader(id);
        self.notices.forget(id);
        self.forget_memory(id);
        self.agents.forget_session(id);
        let freed_holds = self.holds.borrow_mut().drop_session(id);
        if !freed_holds.is_empty() {
            self.hold_freed.notify_waiters();
        }
        self.note_of(
            "session",
            translate::session_state_name(state),
            id,
            None,
            Some(why.to_owned()),
        );
        match ended {
            Ok(freed) => {
                // A person's shell that is closed is no accident.
                if state == State::Lost && kind != Some(Kind::Person) {
                    self.count(
                        prevented::FREED_AFTER_DEATH,
                        (freed.locks.len() + freed.tasks.len()) as u64,
                    );
                }
                self.freed(&freed, "freed: its session ended");
            }
            Err(error) => self.note_of(
                "session",
                "end not stored",
                id,
                None,
                Some(error.to_string()),
            ),
        }
        let project = self.store.read(|ledger| {
            ledger
                .sessions
                .get(&id)
                .map(|session| session.project.clone())
        });
        self.changed("sessions", &project.unwrap_or_default());
    }

    /// Tells those who waited for what became free, and the log.
    pub(super) fn freed(&self, freed: &Freed, what: &str) {
        for lock in &freed.locks {
            self.note_of(
                "lock",
                what,
                lock.owner.session,
                Some(lock.shown.clone()),
                None,
            );
            self.changed("locks", &lock.project);
        }
        for task in &freed.tasks {
            self.task_changed(task, what, None);
        }
        for (ticket, granted) in &freed.promoted {
            self.hand_over(*ticket, granted.clone());
        }
        if !freed.locks.is_empty() || !freed.promoted.is_empty() {
            self.leases_changed.notify_one();
        }
    }

    /// The owner on whose behalf a request is made, its session opened if need be.
    pub(super) async fn owner(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<Owner, Fault> {
        let session = match &envelope.session_id {
            Some(given) => self.session_named(given)?,
            None => {
                let caller = connection
                    .hello
                    .borrow()
                    .as_ref()
                    .and_then(|hello| hello.caller.clone());
                let named = |caller: &Caller| {
                    let by = (caller.pid, &caller.client_session_id, &caller.agent);
                    !matches!(by, (None, None, None))
                };
                let mut actor = Actor::from(caller.filter(named).ok_or_else(no_session)?);
                if self.known(&actor).is_some() {
                    // Where a session stands is for its hooks to say.
                    actor.cwd = None;
                }
                self.open(actor).await?.ok_or_else(|| {
                    Fault::new(
                        "no_session",
                        "The process that you named as your session does not run.",
                    )
                    .hint("Name the agent's own process in `hello`.")
                })?
            }
        };
        self.alive(session);
        let known = envelope
            .tool_use_id
            .as_deref()
            .and_then(|id| self.calls.borrow().owner(session, id).cloned());
        Ok(known.unwrap_or(Owner::session(session)))
    }

    /// The live session with this id of ours or of its client.
    pub(super) fn session_named(&self, given: &str) -> Result<SessionId, Fault> {
        let unknown = || {
            Fault::new("unknown_session", "there is no live session with that `session_id`")
                .hint(r#"register it first: {"type":"register","session_id":"...","cwd":"/your/project"}"#)
        };
        if let Some(id) = translate::session_id(given).filter(|id| self.is_live(*id)) {
            return Ok(id);
        }
        self.store.read(|ledger| {
            let mut live = ledger.sessions.values().filter(|session| {
                session.state.is_live() && session.client_session_id.as_deref() == Some(given)
            });
            let first = live.next().ok_or_else(unknown)?.id;
            match live.next() {
                None => Ok(first),
                Some(_) => Err(Fault::new(
                    "unknown_session",
                    "two live sessions have that `session_id`",
                )
                .hint("give the 32-digit id that `query sessions` shows")),
            }
        })
    }
}

fn no_session() -> Fault {
    Fault::new(
        "no_session",
        "this request needs a session, and none was named",
    )
    .hint("give `session_id`, or name the caller in `hello`")
}

/// A path as text; bytes that are not UTF-8 are written as `%XX`, so that two paths stay two.
pub(super) fn text(path: &std::path::Path) -> String {
    use std::os::unix::ffi::OsStrExt;
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => {
            let mut encoded = Vec::new();
            kite_wire::frame::encode(path.as_os_str().as_bytes(), &mut encoded);
            String::from_utf8_lossy(&encoded).into_owned()
        }
    }
}

/// 128 random bits, for ids.
pub(super) fn random() -> u128 {
    let mut bytes = [0; 16];
    if getrandom::fill(&mut bytes).is_err() {
        // No entropy source answers: the clock and an address still tell ids of one home apart.
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        return now.as_nanos() ^ ((&raw const bytes as usize as u128) << 64);
    }
    u128::from_le_bytes(bytes)
}
