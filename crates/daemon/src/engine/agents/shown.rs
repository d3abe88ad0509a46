//! A run as it is shown.

use kite_store::Store;
use kite_wire::reply::agents::Agent;

use super::{
    super::Engine,
    record::{Record, State},
    register::is_queued,
};
use crate::translate::{self, words::rfc3339};

/// Characters of a result as shown.
const RESULT_CHARS_MAX: usize = 2_000;

impl<S: Store> Engine<S> {
    pub(super) fn agent_shown(&self, record: &Record) -> Agent {
        let is_there = record.state != State::Queued;
        let log = self
            .run_directory(&record.id)
            .join(kite_supervisor::OUTPUT_FILE);
        let place = is_queued(record).then(|| {
            let before = |other: &Record| is_queued(other) && other.number < record.number;
            1 + self.agents.count(before) as u64
        });
        Agent {
            id: record.id.clone(),
            agent: record.preset.clone(),
            state: record.state.name().to_owned(),
            reason: record.reason.clone().or_else(|| self.waits_for(record)),
            project: translate::project(&record.project).to_owned(),
            task: record.task.clone(),
            about: record.about.clone(),
            session: record.session.clone(),
            parent: record.parent.clone(),
            directory: is_there.then(|| record.cwd().to_owned()),
            worktree: record.checkout.as_ref().map(|checkout| checkout.id.clone()),
            branch: record
                .checkout
                .as_ref()
                .map(|checkout| checkout.branch.clone()),
            log: is_there.then(|| log.display().to_string()),
            pid: record.pid.filter(|_| record.state.is_under_way()),
            model: record.model.clone(),
            permission_mode: Some(record.permission_mode.clone()),
            max_turns: record.max_turns,
            budget_usd: record.budget_usd,
            timeout_s: Some(record.timeout_s),
            result: record.result.as_deref().map(last_words),
            cost_usd: record.cost_usd,
            turns: record.turns,
            exit_code: record.exit_code,
            place,
            previous: record.previous.clone(),
            next: record.next.clone(),
            created_at: rfc3339(record.created_ms),
            not_before: (is_queued(record) && record.not_before_ms > self.now().wall_ms)
                .then(|| rfc3339(record.not_before_ms)),
            started_at: record.started_ms.map(rfc3339),
            ended_at: record.ended_ms.map(rfc3339),
            last_lines: record.last_lines.clone(),
        }
    }

    /// Why a queued one is not started yet.
    fn waits_for(&self, record: &Record) -> Option<String> {
        if !is_queued(record) {
            return None;
        }
        let blocked = record.task_id().is_some_and(|id| {
            self.store.read(|ledger| {
                let task = ledger.tasks.get(id);
                task.is_some_and(|task| task.state == kite_rules::task::State::Blocked)
            })
        });
        if blocked {
            return Some("waits until all that its task depends on is done".to_owned());
        }
        let max = self.settings.of_home().agents.running_max();
        let running = self.agents.count(super::register::is_under_way);
        (running >= max)
            .then(|| format!("waits for its turn: {running} agents run, `max_agents` is {max}"))
    }
}

/// The end of a result: what came to it stands there.
fn last_words(text: &str) -> String {
    let skipped = text.chars().count().saturating_sub(RESULT_CHARS_MAX);
    text.chars().skip(skipped).collect()
}
