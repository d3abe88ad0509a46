//! Who is connected. A connection is a stranger's until one request on it has shown the token.
//!
//! Strangers have few places and little time, and the oldest makes room for the newest: however
//! many of them come, those who are known are not disturbed, and one who has the token gets in.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Connections of strangers at one time.
pub(super) const STRANGERS_MAX: usize = 64;
/// Connections that are known, at one time.
pub(super) const KNOWN_MAX: usize = 512;
/// How long a connection may stay a stranger's.
pub(super) const STRANGER_MAX: Duration = Duration::from_secs(10);

/// All connections of a server.
#[derive(Default)]
pub(super) struct Connections(Mutex<Places>);

#[derive(Default)]
struct Places {
    next: u64,
    /// The oldest first.
    strangers: VecDeque<(u64, CancellationToken)>,
    known: usize,
}

/// The place of one connection, free again when this is dropped.
pub(super) struct Place {
    number: u64,
    connections: Arc<Connections>,
    known: AtomicBool,
    lost: CancellationToken,
}

impl Connections {
    /// A place for a connection that has just come.
    pub(super) fn enter(self: &Arc<Self>) -> Place {
        let lost = CancellationToken::new();
        let number = self.with(|places| {
            if places.strangers.len() >= STRANGERS_MAX
                && let Some((_, oldest)) = places.strangers.pop_front()
            {
                oldest.cancel();
            }
            places.next += 1;
            places.strangers.push_back((places.next, lost.clone()));
            places.next
        });
        Place {
            number,
            connections: Arc::clone(self),
            known: AtomicBool::new(false),
            lost,
        }
    }

    fn with<T>(&self, use_it: impl FnOnce(&mut Places) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Place {
    /// The token was shown. False where too many are known already.
    pub(super) fn know(&self) -> bool {
        if self.known.load(Ordering::Relaxed) {
            return true;
        }
        let number = self.number;
        let has_room = self.connections.with(|places| {
            let has_room = places.known < KNOWN_MAX;
            if has_room {
                places.known += 1;
                places.strangers.retain(|(other, _)| *other != number);
            }
            has_room
        });
        self.known.store(has_room, Ordering::Relaxed);
        has_room
    }

    /// Returns when this connection is to be closed: a stranger for too long, or pushed out.
    pub(super) async fn lost(&self) {
        tokio::select! {
            () = self.lost.cancelled() => {
                if !self.known.load(Ordering::Relaxed) { return }
            }
            () = sleep(STRANGER_MAX) => {
                if !self.known.load(Ordering::Relaxed) { return }
            }
        }
        std::future::pending().await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (number, known) = (self.number, self.known.load(Ordering::Relaxed));
        self.connections.with(|places| {
            if known {
                places.known -= 1;
            } else {
                places.strangers.retain(|(other, _)| *other != number);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_push_out_strangers_and_nobody_else() {
        let connections = Arc::new(Connections::default());
        let known = connections.enter();
        assert!(known.know());
        let strangers: Vec<Place> = (0..3 * STRANGERS_MAX)
            .map(|_| connections.enter())
            .collect();
        let lost = strangers.iter().filter(|place| place.lost.is_cancelled());
        assert_eq!(lost.count(), 2 * STRANGERS_MAX);
        assert!(!known.lost.is_cancelled());
        assert!(strangers.last().expect("the newest").know());
        drop(strangers);
        drop(known);
        connections.with(|places| {
            assert_eq!((places.strangers.len(), places.known), (0, 0));
        });
    }

    #[test]
    fn those_who_are_known_have_a_limit_too() {
        let connections = Arc::new(Connections::default());
        let places: Vec<Place> = (0..KNOWN_MAX).map(|_| connections.enter()).collect();
        assert!(places.iter().all(Place::know));
        let one_more = connections.enter();
        assert!(!one_more.know());
        drop(places);
        assert!(one_more.know());
    }
}
