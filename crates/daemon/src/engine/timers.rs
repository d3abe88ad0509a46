//! What time brings about: leases that run out, sessions without a process that fall silent, a
//! machine that woke up.

use std::{rc::Rc, time::Duration};

use kite_rules::session::{Kind, SessionId, State};
use kite_store::Store;
use tokio::time::Instant;

use super::{Engine, upkeep};

/// The longest the timers sleep: sleep of the machine is noticed this soon.
const TICK: Duration = Duration::from_secs(1);
/// A timer that is later than this was held up: the daemon was stopped, or starved.
const LATE: Duration = Duration::from_millis(500);
/// Counters are saved this often, in ticks.
const SAVE_EVERY_TICKS: u64 = 30;

/// Runs until the daemon ends.
pub(super) async fn run<S: Store>(engine: Rc<Engine<S>>) {
    let mut upkeep = upkeep::Due::after_start(engine.now().wall_ms);
    for tick in 1_u64.. {
        let due = engine.next_due().map_or(TICK, |due| due.min(TICK));
        let slept = Instant::now();
        tokio::select! {
            () = tokio::time::sleep(due) => {}
            () = engine.leases_changed.notified() => {}
        }
        if engine.clock.slept_ms().is_some() {
            engine.woke_up("the machine woke up");
        } else if slept.elapsed() > due + LATE {
            // Nobody could renew a lease meanwhile, and hooks found no answer.
            engine.woke_up("the daemon was held up");
            engine.answers_again();
        }
        engine.give_back().await;
        engine.expire().await;
        engine.end_silent_sessions().await;
        engine.dispatches_due().await;
        if tick.is_multiple_of(SAVE_EVERY_TICKS) {
            engine.absorb_faults();
            engine.save_prevented().await;
        }
        if upkeep.is_now(engine.now().wall_ms) {
            engine.begin_upkeep();
        }
    }
}

impl<S: Store> Engine<S> {
    /// Time until the next lease or hold runs out.
    fn next_due(&self) -> Option<Duration> {
        let now = self.now().mono_ms;
        let locks = self.store.read(|ledger| ledger.locks.next_expiry());
        let holds = self.holds.borrow().next_expiry();
        let next = locks.into_iter().chain(holds).min()?;
        Some(Duration::from_millis(next.saturating_sub(now).max(1)))
    }

    fn woke_up(&self, why: &str) {
        self.store.renew_all(self.now());
        let live: Vec<SessionId> = self.store.read(|ledger| {
            ledger
                .sessions
                .values()
                .filter(|s| s.state.is_live())
                .map(|s| s.id)
                .collect()
        });
        for session in live {
            self.store.seen(session, self.now());
        }
        self.note(kite_wire::reply::Event {
            kind: "daemon".into(),
            what: format!("{why}: every lease has its full time again"),
            ..kite_wire::reply::Event::default()
        });
    }

    /// A waiter has left the queue: those behind it may be next.
    pub(super) fn waiter_left(&self) {
        self.waiters_moved.set(true);
        self.leases_changed.notify_one();
        self.waits_may_have_changed();
    }

    async fn expire(&self) {
        let now = self.now();
        if !self.holds.borrow_mut().expire(now).is_empty() {
            self.hold_freed.notify_waiters();
        }
        let due = self.store.read(|ledger| {
            ledger
                .locks
                .next_expiry()
                .is_some_and(|at| at <= now.mono_ms)
        });
        let waiters_moved = self.waiters_moved.replace(false);
        if (due || waiters_moved)
            && let Ok(freed) = self.store.expire(now).await
        {
            self.freed(&freed, "expired");
        }
    }

    async fn end_silent_sessions(&self) {
        let now = self.now().mono_ms;
        let ttl = self.settings.of_home().session_ttl_s * 1_000;
        let silent: Vec<SessionId> = self.store.read(|ledger| {
            let remote = ledger
                .sessions
                .values()
                .filter(|s| s.state.is_live() && s.kind == Kind::Remote);
            remote
                .filter(|s| s.seen.mono_ms + ttl <= now)
                .map(|s| s.id)
                .collect()
        });
        for session in silent {
            self.end(session, State::Lost, "no sign of life").await;
        }
    }
}
