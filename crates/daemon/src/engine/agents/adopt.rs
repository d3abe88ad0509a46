//! Taking over the runs of an earlier daemon.

use std::{rc::Rc, time::Duration};

use kite_rules::session::State as SessionState;
use kite_store::Store;
use kite_supervisor::{Found, Reason};

use super::{
    super::Engine,
    record::{Record, State},
};
use crate::hands::processes;

/// How long a supervisor is waited for whose child was never let go.
const ABANDONED_WAIT: Duration = Duration::from_secs(10);

impl<S: Store> Engine<S> {
    /// Adopts what runs, settles what ended, queues again what never ran.
    pub(super) async fn adopt_agents(self: &Rc<Self>) {
        for run in self.agents.all(|run| run.state.is_under_way()) {
            self.adopt_agent(run).await;
        }
    }

    async fn adopt_agent(self: &Rc<Self>, run: Record) {
        let directory = self.run_directory(&run.id);
        let look = move || kite_supervisor::find(&directory);
        let Ok(found) = tokio::task::spawn_blocking(look).await else {
            return;
        };
        let never_ran = match &found {
            Ok(Found::NeverStarted) => true,
            Ok(Found::Ended(exit)) => exit.reason == Reason::Abandoned,
            // Its gate was not opened before the document said `running`.
            Ok(Found::Alive { .. } | Found::Gone { .. }) => run.state == State::Starting,
            Err(_) => false,
        };
        if never_ran {
            if let Ok(Found::Alive { supervisor, .. }) = found {
                // Its gate closed with the daemon before: it ends by itself, and this makes sure.
                self.signal_stop(&run).await;
                if let Some(started) = processes::start_time(supervisor.pid) {
                    let gone = processes::watch(supervisor.pid, started);
                    let _ = tokio::time::timeout(ABANDONED_WAIT, gone).await;
                }
            }
            return self.queue_again(run).await;
        }
        if run.stop.is_some() {
            self.signal_stop(&run).await;
        }
        let engine = Rc::clone(self);
        tokio::task::spawn_local(async move { engine.watch_agent(&run.id).await });
    }

    /// One whose program never ran takes its place in the queue again.
    pub(super) async fn queue_again(self: &Rc<Self>, run: Record) {
        if let Some(owner) = run.owner() {
            let why = "its agent was not started";
            if let Some(task) = run.task_id() {
                self.end_claim_of_agent(task, &owner, None, why).await;
            }
            self.end_session_now(owner.session, SessionState::Ended, why)
                .await;
        }
        let now = self.now().wall_ms;
        self.change_agent(&run.id, |run| {
            run.session = None;
            run.pid = None;
            run.started_ms = None;
            match run.stop.take() {
                Some(why) => {
                    run.state = State::Stopped;
                    run.reason = Some(why);
                    run.ended_ms = Some(now);
                }
                None => run.state = State::Queued,
            }
        })
        .await;
    }
}
