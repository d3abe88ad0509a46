//! Tasks: created, claimed, ended, listed.

use std::rc::Rc;

use kite_rules::{
    Refusal,
    limits::TASK_PATHS_MAX,
    session::{Owner, SessionId},
    task::{Changed, NewTask, TaskId},
};
use kite_store::{Judged, Store};
use kite_wire::{
    reply::{Fault, OneTask, Tasks, ok_line},
    request::{
        Envelope, TaskCancel, TaskClaim, TaskComplete, TaskCreate, TaskList, TaskRelease, TaskShow,
    },
};

use super::{
    Engine, callers,
    retries::{Once, retry},
    secrets::clean,
    storage, targets,
};
use crate::{
    audit::Filter,
    doors::Connection,
    translate::{self, refusal::Reader},
};

/// Tasks on one page: usually, and at most.
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 200;
/// Events shown with a task, and newest events of the log that are searched for them.
const HISTORY_MAX: usize = 50;
const HISTORY_SEARCHED: usize = 5_000;

impl<S: Store> Engine<S> {
    pub(super) async fn task_create(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: TaskCreate,
    ) -> Result<Vec<u8>, Fault> {
        let priority = translate::priority(request.priority.as_deref())?;
        let asker = self.asker(connection, envelope).await?;
        let place = self
            .place(connection, envelope, asker, request.project.as_deref())
            .await?;
        if request.paths.len() > TASK_PATHS_MAX {
            let refusal = Refusal::Limit {
                what: "paths of a task",
                max: TASK_PATHS_MAX as u64,
            };
            return Err(self.refused(&refusal, Reader::Request));
        }
        let paths = if request.paths.is_empty() {
            Vec::new()
        } else {
            targets::resolve(&place.directory, &request.paths).await?
        };
        let new = NewTask {
            project: place.project,
            title: kite_redact::redact(&request.title).into_owned(),
            description: clean(request.description.as_deref()),
            priority,
            depends_on: request.depends_on,
            paths,
            created_by: asker,
        };
        let said = Once::new(|changed: &Changed| {
            ok_line(None, &self.task_body(changed, "created", "exists"))
        });
        let keep = |changed: &Changed| said.keep(changed);
        let retry = retry(envelope, &keep);
        let id = TaskId(callers::random());
        let judged = self.store.create_task(id, new, self.now(), retry).await;
        let say = |changed: &Changed| said.say(changed, envelope.id);
        self.task_answer(judged, asker, "created", say)
    }

    pub(super) async fn task_claim(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: TaskClaim,
    ) -> Result<Vec<u8>, Fault> {
        let owner = self.owner(connection, envelope).await?;
        let said = Once::new(|changed: &Changed| {
            ok_line(None, &self.task_body(changed, "claimed", "already_claimed"))
        });
        let keep = |changed: &Changed| said.keep(changed);
        let retry = retry(envelope, &keep);
        let judged = match &request.task {
            Some(given) => {
                let task = self.find(given)?;
                self.store.claim(task, &owner, self.now(), retry).await
            }
            None => {
                let place = self
                    .place(
                        connection,
                        envelope,
                        Some(owner.session),
                        request.project.as_deref(),
                    )
                    .await?;
                self.store
                    .claim_next(&place.project, &owner, request.another, self.now(), retry)
                    .await
            }
        };
        if let Ok(Ok(changed)) = &judged {
            self.assignment_claimed(changed.task, &owner).await;
        }
        let say = |changed: &Changed| said.say(changed, envelope.id);
        self.task_answer(judged, Some(owner.session), "claimed", say)
    }

    pub(super) async fn task_complete(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: TaskComplete,
    ) -> Result<Vec<u8>, Fault> {
        let owner = self.owner(connection, envelope).await?;
        let task = self.find(&request.task)?;
        self.approved(task, &owner, request.attempt)?;
        // First: a completion that is told has its note, also after a crash in between.
        let learnt = self
            .keep_learnt(
                task,
                &owner,
                request.learnt.as_deref(),
                envelope.op_id.as_deref(),
            )
            .await;
        let said = Once::new(|changed: &Changed| {
            let mut body = self.task_body(changed, "completed", "already_done");
            body.learnt.clone_from(&learnt);
            ok_line(None, &body)
        });
        let keep = |changed: &Changed| said.keep(changed);
        let retry = retry(envelope, &keep);
        let judged = self
            .store
            .complete(
                task,
                &owner,
                request.attempt,
                clean(request.result.as_deref()),
                self.now(),
                retry,
            )
            .await;
        let say = |changed: &Changed| said.say(changed, envelope.id);
        self.task_answer(judged, Some(owner.session), "completed", say)
    }

    pub(super) async fn task_release(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: TaskRelease,
    ) -> Result<Vec<u8>, Fault> {
        let owner = self.owner(connection, envelope).await?;
        let task = self.find(&request.task)?;
        let outcome = if request.failed { "failed" } else { "released" };
        let said = Once::new(|changed: &Changed| {
            ok_line(None, &self.task_body(changed, outcome, outcome))
        });
        let keep = |changed: &Changed| said.keep(changed);
        let retry = retry(envelope, &keep);
        let judged = self
            .store
            .release_task(
                task,
                &owner,
                request.attempt,
                clean(request.reason.as_deref()),
                request.failed,
                self.now(),
                retry,
            )
            .await;
        let say = |changed: &Changed| said.say(changed, envelope.id);
        self.task_answer(judged, Some(owner.session), outcome, say)
    }

    pub(super) async fn task_cancel(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: TaskCancel,
    ) -> Result<Vec<u8>, Fault> {
        let asker = self.asker(connection, envelope).await?;
        let task = self.find(&request.task)?;
        let said = Once::new(|changed: &Changed| {
            ok_line(None, &self.task_body(changed, "cancelled", "cancelled"))
        });
        let keep = |changed: &Changed| said.keep(changed);
        let retry = retry(envelope, &keep);
        let judged = self
            .store
            .cancel_task(task, clean(request.reason.as_deref()), self.now(), retry)
            .await;
        let say = |changed: &Changed| said.say(changed, envelope.id);
        self.task_answer(judged, asker, "cancelled", say)
    }

    /// Turns a judgement into the reply line, and tells the log and those who watch.
    fn task_answer(
        &self,
        judged: Judged<Changed>,
        by: Option<SessionId>,
        done: &str,
        say: impl Fn(&Changed) -> Vec<u8>,
    ) -> Result<Vec<u8>, Fault> {
        let changed = match judged.map_err(|e| storage(&e))? {
            Ok(changed) => changed,
            Err(refusal) => return Err(self.refused(&refusal, Reader::Request)),
        };
        if !changed.repeated {
            self.task_changed(&changed, done, by);
        }
        Ok(say(&changed))
    }

    /// Logs a change of a task and of those it woke.
    pub(super) fn task_changed(&self, changed: &Changed, what: &str, by: Option<SessionId>) {
        let (project, state) = self
            .store
            .read(|ledger| match ledger.tasks.get(changed.task) {
                Some(task) => (task.project.clone(), translate::state_name(task.state)),
                None => (String::new(), "gone"),
            });
        let note = |id: TaskId, what: &str, outcome: &str| {
            self.note(kite_wire::reply::Event {
                kind: "task".to_owned(),
                what: what.to_owned(),
                session: by.map(|id| id.to_string()),
                target: Some(id.to_string()),
                outcome: Some(outcome.to_owned()),
                ..kite_wire::reply::Event::default()
            });
        };
        note(changed.task, what, state);
        for woken in &changed.woken {
            note(*woken, "ready", "ready");
        }
        self.assignment_moved(changed.task);
        self.tasks_changed(&project, changed);
    }

    fn task_body(&self, changed: &Changed, done: &str, repeated: &str) -> OneTask {
        self.store.read(|ledger| {
            let shown = |id: TaskId| ledger.tasks.get(id).map(translate::task);
            let dependencies = ledger
                .tasks
                .get(changed.task)
                .map(|task| task.depends_on.clone())
                .unwrap_or_default();
            let with_dependencies = done == "claimed" || done == "shown";
            OneTask {
                task: shown(changed.task).unwrap_or_default(),
                outcome: if changed.repeated { repeated } else { done }.to_owned(),
                similar: changed.similar.and_then(shown),
                woken: changed.woken.iter().copied().filter_map(shown).collect(),
                dependencies: dependencies
                    .into_iter()
                    .filter(|_| with_dependencies)
                    .filter_map(shown)
                    .collect(),
                ..OneTask::default()
            }
        })
    }

    pub(super) async fn task_show(&self, request: &TaskShow) -> Result<OneTask, Fault> {
        let id = self.find(&request.task)?;
        let changed = Changed {
            task: id,
            ..Changed::default()
        };
        let mut body = self.task_body(&changed, "shown", "shown");
        body.dependents = self.store.read(|ledger| {
            let dependents = ledger.tasks.dependents(id).into_iter();
            dependents
                .filter_map(|id| ledger.tasks.get(id))
                .take(PAGE_MAX as usize)
                .map(translate::task)
                .collect()
        });
        let about = id.to_string();
        let recent = self
            .log
            .query(Filter {
                limit: HISTORY_SEARCHED,
                ..Filter::default()
            })
            .await
            .events;
        body.history = recent
            .into_iter()
            .filter(|event| event.target.as_ref() == Some(&about))
            .collect();
        let older = body.history.len().saturating_sub(HISTORY_MAX);
        body.history.drain(..older);
        body.reviews = self.reviews_of(id);
        Ok(body)
    }

    pub(super) async fn task_list(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: TaskList,
    ) -> Result<Tasks, Fault> {
        let states = translate::states(request.status.as_deref().unwrap_or("open"))?;
        let limit = request.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX) as usize;
        let after = match &request.cursor {
            None => 0,
            Some(cursor) => cursor.parse().map_err(|_| {
                Fault::new("invalid_field", "`cursor` is not one")
                    .hint("give the `next_cursor` of the page before")
            })?,
        };
        let project = match request.project.as_deref() {
            Some("*") => None,
            given => self
                .place(connection, envelope, None, given)
                .await
                .ok()
                .map(|place| place.project),
        };
        Ok(self.store.read(|ledger| {
            let mut page: Vec<_> = ledger
                .tasks
                .page(project.as_deref(), &states, after, limit + 1)
                .map(|t| (t.number, translate::task(t)))
                .collect();
            let more = page.len() > limit;
            page.truncate(limit);
            Tasks {
                next_cursor: page
                    .last()
                    .filter(|_| more)
                    .map(|(number, _)| number.to_string()),
                tasks: page.into_iter().map(|(_, task)| task).collect(),
                counts: translate::counts(ledger.tasks.counts(project.as_deref())),
                project: project
                    .as_deref()
                    .map(translate::project)
                    .map(str::to_owned),
            }
        }))
    }

    pub(super) fn find(&self, given: &str) -> Result<TaskId, Fault> {
        let found = self.store.read(|ledger| ledger.tasks.find(given));
        found.map_err(|refusal| self.refused(&refusal, Reader::Request))
    }

    /// Who asks, where that is not needed to be known: creation and cancelling are open to
    /// whoever may use the socket.
    pub(super) async fn asker(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<Option<SessionId>, Fault> {
        let named = envelope.session_id.is_some()
            || connection
                .hello
                .borrow()
                .as_ref()
                .is_some_and(|hello| hello.caller.is_some());
        if !named {
            return Ok(None);
        }
        let Owner { session, .. } = self.owner(connection, envelope).await?;
        Ok(Some(session))
    }
}
