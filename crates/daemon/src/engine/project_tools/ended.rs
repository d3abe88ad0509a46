//! The end of runs: watched, found after a restart, or seen by nobody.

use std::{rc::Rc, time::Duration};

use kite_store::{Document, Store};
use kite_supervisor::{Exit, Found, Reason};
use kite_wire::reply::{Event, Fault};

use super::{KIND, Record, State};
use crate::{
    engine::{Engine, storage},
    hands::processes,
};

/// Ended runs that are kept.
const ENDED_MAX: usize = 100;

impl<S: Store> Engine<S> {
    /// Takes over the runs that an earlier daemon left.
    pub(in crate::engine) fn take_up_runs(self: &Rc<Self>) {
        for run in self
            .kept_runs()
            .into_iter()
            .filter(|run| run.state.is_open())
        {
            let (engine, id, goes_on) =
                (Rc::clone(self), run.id.clone(), run.state == State::Running);
            self.project_tools.put(run);
            if goes_on {
                tokio::task::spawn_local(async move { engine.watch_run(&id).await });
            }
        }
    }

    /// Waits for the end of a run and keeps how it was.
    pub(super) async fn watch_run(self: &Rc<Self>, id: &str) {
        let mut left = 0;
        let ended = loop {
            let directory = self.tool_run_directory(id);
            let found =
                tokio::task::spawn_blocking(move || kite_supervisor::find(&directory)).await;
            match found {
                Ok(Ok(Found::Alive { supervisor, .. })) => {
                    processes::watch(supervisor.pid, supervisor.started).await;
                }
                Ok(Ok(Found::Ended(exit))) => {
                    left = exit.left_alive;
                    break Some(exit);
                }
                Ok(Ok(Found::Gone { child, .. })) => {
                    // It may go on by itself. It is not ended in the middle of its work before its time.
                    if child.runs() {
                        let left = self.time_left(id);
                        let ended = processes::watch(child.pid, child.started);
                        let _ = tokio::time::timeout(left, ended).await;
                    }
                    let directory = self.tool_run_directory(id);
                    let end = move || kite_supervisor::end_strays(&directory);
                    // Whatever is left of it, nobody saw its end.
                    if let Ok(Ok(strays)) = tokio::task::spawn_blocking(end).await {
                        left = strays.left;
                    }
                    break None;
                }
                Ok(Ok(Found::NeverStarted) | Err(_)) => break None,
                // The runtime is ending; the next daemon looks again.
                Err(_) => return,
            }
        };
        let kept = self
            .end_run(id, |run| tell_end(run, ended.as_ref(), left))
            .await;
        if let Err(fault) = kept {
            self.note(Event {
                kind: "tool_run".into(),
                what: "end not stored".into(),
                target: Some(id.to_owned()),
                outcome: Some(fault.to_string()),
                ..Event::default()
            });
        }
    }

    fn time_left(&self, id: &str) -> Duration {
        let Some(run) = self.project_tools.get(id) else {
            return Duration::ZERO;
        };
        let until = run.started_ms + run.timeout_s * 1_000;
        Duration::from_millis(until.saturating_sub(self.now().wall_ms))
    }

    /// Keeps the end of a run, frees its lock unless that is uncertain, and tells those who wait.
    pub(super) async fn end_run(
        &self,
        id: &str,
        change: impl FnOnce(&mut Record),
    ) -> Result<(), Fault> {
        let Some(mut run) = self.project_tools.get(id) else {
            return Ok(());
        };
        change(&mut run);
        run.ended_ms = Some(self.now().wall_ms);
        let kept = self.keep_run(&run).await;
        self.project_tools.put(run.clone());
        if run.state != State::Uncertain {
            self.end_turn(&run).await;
        }
        self.run_noted(&run, run.state.word());
        self.forget_old_runs().await;
        kept
    }

    pub(super) async fn keep_run(&self, run: &Record) -> Result<(), Fault> {
        let body = serde_json::to_string(run).unwrap_or_default();
        self.store
            .keep_documents(&[Document::put(KIND, &run.id, body)], self.now())
            .await
            .map_err(|error| storage(&error))
    }

    /// Runs that are over, the newest first.
    pub(super) fn ended_runs(&self) -> Vec<Record> {
        let mut runs = self.kept_runs();
        runs.retain(|run| !run.state.is_open());
        runs.sort_by_key(|run| std::cmp::Reverse(run.started_ms));
        runs
    }

    fn kept_runs(&self) -> Vec<Record> {
        self.store.read(|ledger| {
            let kept = ledger.documents.of(KIND);
            kept.filter_map(|(_, body)| serde_json::from_str(body).ok())
                .collect()
        })
    }

    async fn forget_old_runs(&self) {
        let old: Vec<Record> = self.ended_runs().into_iter().skip(ENDED_MAX).collect();
        if old.is_empty() {
            return;
        }
        let gone: Vec<Document> = old
            .iter()
            .map(|run| Document::forget(KIND, &run.id))
            .collect();
        if self.store.keep_documents(&gone, self.now()).await.is_ok() {
            let directories: Vec<_> = old
                .iter()
                .map(|run| self.tool_run_directory(&run.id))
                .collect();
            // What cannot be removed is a little disk space.
            tokio::task::spawn_blocking(move || {
                directories
                    .iter()
                    .for_each(|it| drop(std::fs::remove_dir_all(it)));
            });
        }
    }

    pub(super) fn run_noted(&self, run: &Record, what: &str) {
        self.note(Event {
            kind: "tool_run".into(),
            what: what.to_owned(),
            session: Some(run.session.clone()),
            tool: Some(run.tool.clone()),
            target: run.lock.clone(),
            outcome: run.exit_code.map(|code| format!("exit code {code}")),
            ..Event::default()
        });
    }
}

/// What is known of a run's end. Where nobody saw it, its lock stays closed, unless it only read.
/// Where `left` of its processes could not be ended, it is not over.
fn tell_end(run: &mut Record, exit: Option<&Exit>, left: u32) {
    run.state = match exit.map(|exit| exit.reason) {
        Some(Reason::Exited) => State::Exited,
        Some(Reason::Signalled) => State::Signalled,
        Some(Reason::TimedOut) => State::TimedOut,
        Some(Reason::Stopped) => State::Stopped,
        Some(Reason::NotStarted | Reason::Abandoned) => State::NotStarted,
        Some(Reason::Lost) | None if run.lock.is_some() && !run.read_only => State::Uncertain,
        Some(Reason::Lost) | None => State::Lost,
    };
    if let Some(exit) = exit {
        run.exit_code = exit.code;
        run.signal = exit.signal;
        run.reason.clone_from(&exit.error);
        run.output_bytes = exit.output_bytes;
    }
    if left > 0 {
        run.state = State::Uncertain;
        run.reason = Some(format!(
            "{left} of its processes could not be ended and may still work"
        ));
    }
}
