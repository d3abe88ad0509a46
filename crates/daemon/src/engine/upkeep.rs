//! Once a day, what is kept for undo is brought within its limits: contents, journals, and the
//! snapshots in the repositories of all sessions that are known.

use std::{collections::BTreeSet, path::PathBuf, rc::Rc, time::SystemTime};

use kite_store::Store;
use kite_undo::upkeep::{self, Swept};
use kite_wire::reply::Event;

use super::Engine;

/// After the start of the daemon, others have work to do first.
const FIRST_AFTER_MS: u64 = 5 * 60 * 1_000;
/// Then once in so long, by the wall clock: a machine that sleeps at night has its turn as well.
const EVERY_MS: u64 = 24 * 60 * 60 * 1_000;

/// When it is time, by the wall clock.
pub(super) struct Due {
    at_wall_ms: u64,
}

impl Due {
    pub(super) fn after_start(now_wall_ms: u64) -> Due {
        Due {
            at_wall_ms: now_wall_ms.saturating_add(FIRST_AFTER_MS),
        }
    }

    /// True once a day.
    pub(super) fn is_now(&mut self, now_wall_ms: u64) -> bool {
        let due = now_wall_ms >= self.at_wall_ms;
        // A clock that was set back must not put it off for longer than a day.
        let latest = now_wall_ms.saturating_add(EVERY_MS);
        self.at_wall_ms = if due {
            latest
        } else {
            self.at_wall_ms.min(latest)
        };
        due
    }
}

impl<S: Store> Engine<S> {
    /// Prunes off the loop; nobody waits for it.
    pub(super) fn begin_upkeep(self: &Rc<Self>) {
        let engine = Rc::clone(self);
        tokio::task::spawn_local(async move { engine.upkeep(SystemTime::now()).await });
    }

    pub(super) async fn upkeep(&self, now: SystemTime) {
        let worktrees: BTreeSet<PathBuf> = self.store.read(|ledger| {
            let sessions = ledger.sessions.values();
            sessions
                .filter_map(|session| session.worktree.as_ref().map(PathBuf::from))
                .collect()
        });
        let worktrees: Vec<PathBuf> = worktrees.into_iter().collect();
        let home = self.identity.home.path().to_owned();
        let limits = self.settings.of_home().undo();
        let sweep = move || upkeep::sweep(&home, &worktrees, &limits, now);
        let Ok(swept) = tokio::task::spawn_blocking(sweep).await else {
            return;
        };
        for fault in &swept.faults {
            self.log_upkeep("not pruned", fault.to_string());
        }
        self.log_upkeep("pruned", told(&swept));
    }

    fn log_upkeep(&self, what: &str, outcome: String) {
        self.note(Event {
            kind: "undo".into(),
            what: what.to_owned(),
            outcome: Some(outcome),
            ..Event::default()
        });
    }
}

fn told(swept: &Swept) -> String {
    let mib = |bytes: u64| bytes.div_ceil(1 << 20);
    format!(
        "{} contents ({} MiB), {} journals, {} snapshots of {} repositories; {} MiB stay",
        swept.contents.removed,
        mib(swept.contents.removed_bytes),
        swept.journals,
        swept.snapshots,
        swept.repositories,
        mib(swept.contents.left_bytes),
    )
}

#[cfg(test)]
mod tests {
    use super::{Due, EVERY_MS, FIRST_AFTER_MS};

    #[test]
    fn it_is_due_once_a_day_whatever_the_clock_does() {
        let start = 1_795_000_000_000;
        let mut due = Due::after_start(start);
        assert!(!due.is_now(start + FIRST_AFTER_MS - 1));
        assert!(due.is_now(start + FIRST_AFTER_MS));
        assert!(!due.is_now(start + EVERY_MS));
        assert!(due.is_now(start + FIRST_AFTER_MS + EVERY_MS));
        // Set back by a year.
        let past = start - 365 * EVERY_MS;
        assert!(!due.is_now(past));
        assert!(due.is_now(past + EVERY_MS));
    }
}
