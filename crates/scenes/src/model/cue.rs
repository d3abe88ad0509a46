//! Cues: named points where several sessions wait for each other, so that they act at one moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Condvar, Mutex},
    time::{Duration, Instant},
};

use super::lock;

/// Who came to a cue: session, script, turn. A client that repeats a request is counted once.
type Caller = (String, String, usize);

#[derive(Default)]
pub(super) struct Cues {
    places: Mutex<BTreeMap<String, Place>>,
    changed: Condvar,
}

#[derive(Default)]
struct Place {
    arrived: BTreeSet<Caller>,
    open: bool,
}

impl Cues {
    /// Waits until `number` callers have come to `cue`, or it was opened. `false`: neither
    /// happened in time.
    pub(super) fn wait(&self, cue: &str, number: usize, caller: Caller, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let mut places = lock(&self.places);
        let place = places.entry(cue.to_owned()).or_default();
        place.arrived.insert(caller);
        place.open |= place.arrived.len() >= number;
        self.changed.notify_all();
        while !places.get(cue).is_some_and(|place| place.open) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            places = match self.changed.wait_timeout(places, left) {
                Ok((places, _)) => places,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        true
    }

    pub(super) fn open(&self, cue: &str) {
        lock(&self.places).entry(cue.to_owned()).or_default().open = true;
        self.changed.notify_all();
    }

    pub(super) fn arrived(&self, cue: &str) -> usize {
        lock(&self.places)
            .get(cue)
            .map_or(0, |place| place.arrived.len())
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread, time::Duration};

    use super::Cues;

    fn caller(name: &str) -> (String, String, usize) {
        (name.to_owned(), "script".to_owned(), 0)
    }

    #[test]
    fn two_meet_and_a_repeated_request_counts_once() {
        let cues = Arc::new(Cues::default());
        assert!(!cues.wait("here", 2, caller("a"), Duration::ZERO));
        assert!(!cues.wait("here", 2, caller("a"), Duration::ZERO));
        let other = Arc::clone(&cues);
        let second =
            thread::spawn(move || other.wait("here", 2, caller("b"), Duration::from_secs(10)));
        assert!(cues.wait("here", 2, caller("a"), Duration::from_secs(10)));
        assert!(second.join().unwrap_or(false));
        assert_eq!(cues.arrived("here"), 2);
    }

    #[test]
    fn an_opened_cue_holds_nobody() {
        let cues = Cues::default();
        cues.open("here");
        assert!(cues.wait("here", 9, caller("a"), Duration::ZERO));
    }
}
