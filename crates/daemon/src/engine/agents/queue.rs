//! Who is next: in the order of creation, as many at once as `max_agents`, and only those whose task
//! is ready and whose time has come.

use std::{rc::Rc, time::Duration};

use kite_rules::task;
use kite_store::Store;

use super::{
    super::Engine,
    record::{Record, State},
    register::{is_queued, is_under_way},
};
use crate::translate::state_name;

/// While somebody is queued, the queue is looked at this often, for what nobody tells of.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often old runs are forgotten.
const PRUNE_EVERY_MS: u64 = 3_600_000;

/// Runs until the daemon ends.
pub(in crate::engine) async fn run<S: Store>(engine: Rc<Engine<S>>) {
    engine.adopt_agents().await;
    let mut prune_at = 0;
    loop {
        let now = engine.now().wall_ms;
        if now >= prune_at {
            engine.prune_agents().await;
            prune_at = now.saturating_add(PRUNE_EVERY_MS);
        }
        engine.start_due().await;
        let look_again = match engine.agents.count(is_queued) {
            0 => Duration::from_millis(PRUNE_EVERY_MS),
            _ => LOOK_EVERY,
        };
        tokio::select! {
            () = engine.agents.due.notified() => {}
            () = tokio::time::sleep(look_again) => {}
        }
    }
}

/// What a queued run waits for, if anything.
enum Turn {
    Now,
    Later,
    /// Its task will not be claimable again by waiting.
    Never(String),
}

impl<S: Store> Engine<S> {
    async fn start_due(self: &Rc<Self>) {
        let max = self.settings.of_home().agents.running_max();
        for run in self.agents.all(is_queued) {
            if self.agents.count(is_under_way) >= max {
                return;
            }
            // Somebody may have stopped it while those before it were stored.
            let Some(run) = self.agents.get(&run.id).filter(is_queued) else {
                continue;
            };
            match self.turn(&run) {
                Turn::Later => {}
                Turn::Never(why) => self.agent_failed(&run.id, why).await,
                Turn::Now => {
                    let mut run = run;
                    run.state = State::Starting;
                    run.reason = None;
                    let stored = self.keep_agent(run.clone()).await;
                    if stored.is_err() {
                        // Nothing is started that a next daemon would not know of.
                        return;
                    }
                    let engine = Rc::clone(self);
                    tokio::task::spawn_local(async move { engine.start_agent(&run.id).await });
                }
            }
        }
    }

    /// Whether nothing but its turn keeps it waiting.
    pub(super) fn can_start_now(&self, run: &Record) -> bool {
        let max = self.settings.of_home().agents.running_max();
        let before = |other: &Record| is_queued(other) && other.number < run.number;
        matches!(self.turn(run), Turn::Now | Turn::Never(_))
            && self.agents.count(is_under_way) + self.agents.count(before) < max
    }

    fn turn(&self, run: &Record) -> Turn {
        if run.not_before_ms > self.now().wall_ms {
            return Turn::Later;
        }
        let Some(id) = run.task_id() else {
            return Turn::Now;
        };
        let found = self.store.read(|ledger| {
            let task = ledger.tasks.get(id)?;
            let holder = task.owner.as_ref().map(|owner| owner.session);
            Some((task.state, holder))
        });
        match found {
            Some((task::State::Ready, _)) => Turn::Now,
            Some((task::State::Blocked, _)) => Turn::Later,
            Some((task::State::Claimed, Some(holder))) => Turn::Never(format!(
                "its task was claimed by session {holder:.8} in the meantime"
            )),
            Some((state, _)) => Turn::Never(format!("its task is {} already", state_name(state))),
            None => Turn::Never("its task is not kept any more".to_owned()),
        }
    }

    /// A run that is not started after all.
    pub(super) async fn agent_failed(self: &Rc<Self>, id: &str, why: String) {
        let now = self.now().wall_ms;
        self.change_agent(id, |run| {
            run.state = State::Failed;
            run.reason = Some(why);
            run.ended_ms = Some(now);
        })
        .await;
        self.agents.wake();
    }
}
