//! What Kite kept from happening, and what it cost.

use std::{collections::VecDeque, time::Duration};

use kite_rules::Refusal;
use kite_store::Store;
use kite_wire::reply::{Cost, Prevented};

use super::Engine;

/// Hook times kept for the percentiles.
const TIMES_MAX: usize = 4_096;

/// Names of the durable counters.
pub(super) const EDITS_QUEUED: &str = "edits_queued";
pub(super) const EDITS_REFUSED: &str = "edits_refused";
pub(super) const STALE_WRITES: &str = "stale_writes";
const DOUBLE_CLAIMS: &str = "double_claims";
const LATE_RESULTS: &str = "late_results";
pub(super) const FREED_AFTER_DEATH: &str = "freed_after_death";
pub(super) const NOTES: &str = "notes";
pub(super) const GIT_REFUSED: &str = "git_refused";
pub(super) const SNAPSHOTS: &str = "snapshots";

/// Counted since the last save, and times since the daemon started.
#[derive(Debug, Default)]
pub(super) struct Counters {
    unsaved: Vec<(&'static str, u64)>,
    hook_us: VecDeque<u64>,
    hooks: u64,
    hook_us_max: u64,
    waited_ms: u64,
    injected_chars: u64,
}

impl Counters {
    pub(super) fn add(&mut self, name: &'static str, count: u64) {
        match self.unsaved.iter_mut().find(|(known, _)| *known == name) {
            _ if count == 0 => {}
            Some((_, sum)) => *sum += count,
            None => self.unsaved.push((name, count)),
        }
    }

    /// A hook was answered; `waited` of the time it stood in a queue.
    pub(super) fn hook(&mut self, took: Duration, waited: Duration) {
        let us = u64::try_from(took.saturating_sub(waited).as_micros()).unwrap_or(u64::MAX);
        self.waited_ms += u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        self.hooks += 1;
        self.hook_us_max = self.hook_us_max.max(us);
        self.hook_us.push_back(us);
        if self.hook_us.len() > TIMES_MAX {
            self.hook_us.pop_front();
        }
    }

    pub(super) fn injected(&mut self, text: &str) {
        self.injected_chars += text.chars().count() as u64;
    }

    fn cost(&self) -> Cost {
        let mut sorted: Vec<u64> = self.hook_us.iter().copied().collect();
        sorted.sort_unstable();
        let percentile = |of: usize| {
            sorted
                .get(sorted.len().saturating_sub(1) * of / 100)
                .copied()
                .unwrap_or(0)
        };
        let ms = |us: u64| f64::from(u32::try_from(us).unwrap_or(u32::MAX)) / 1_000.0;
        Cost {
            hooks: self.hooks,
            hook_ms_p50: ms(percentile(50)),
            hook_ms_p95: ms(percentile(95)),
            hook_ms_max: ms(self.hook_us_max),
            waited_ms_total: self.waited_ms,
            injected_chars: self.injected_chars,
        }
    }
}

impl<S: Store> Engine<S> {
    pub(super) fn count(&self, name: &'static str, count: u64) {
        self.prevented.borrow_mut().add(name, count);
    }

    pub(super) fn count_refusal(&self, refusal: &Refusal) {
        match refusal {
            Refusal::StaleWrite { .. } => self.count(STALE_WRITES, 1),
            Refusal::AlreadyClaimed { .. } => self.count(DOUBLE_CLAIMS, 1),
            Refusal::StaleAttempt { kept: true, .. } => self.count(LATE_RESULTS, 1),
            _ => {}
        }
    }

    /// Adds what was counted to the durable counters. What could not be saved is counted on.
    pub(super) async fn save_prevented(&self) {
        let unsaved = std::mem::take(&mut self.prevented.borrow_mut().unsaved);
        if !unsaved.is_empty() && self.store.tally(&unsaved).await.is_err() {
            let mut counters = self.prevented.borrow_mut();
            for (name, count) in unsaved {
                counters.add(name, count);
            }
        }
    }

    /// A durable counter, with what is not saved yet.
    pub(super) fn counted(&self, name: &str) -> u64 {
        let counters = self.prevented.borrow();
        let unsaved = counters.unsaved.iter().filter(|(known, _)| *known == name);
        let saved = self.store.read(|ledger| ledger.tally.get(name).copied());
        saved.unwrap_or(0) + unsaved.map(|(_, count)| count).sum::<u64>()
    }

    pub(super) fn prevented_and_cost(&self) -> (Prevented, Cost) {
        let prevented = Prevented {
            edits_queued: self.counted(EDITS_QUEUED),
            edits_refused: self.counted(EDITS_REFUSED),
            stale_writes: self.counted(STALE_WRITES),
            double_claims: self.counted(DOUBLE_CLAIMS),
            late_results: self.counted(LATE_RESULTS),
            freed_after_death: self.counted(FREED_AFTER_DEATH),
            notes: self.counted(NOTES),
            git_refused: self.counted(GIT_REFUSED),
            snapshots: self.counted(SNAPSHOTS),
        };
        (prevented, self.prevented.borrow().cost())
    }
}
