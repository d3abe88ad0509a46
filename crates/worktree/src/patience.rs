//! Trying again: git commands of others know nothing of our lock.

use std::{thread, time::Duration};

use crate::error::Error;

/// How often something is tried where another git is in the way.
const TRIES_MAX: u32 = 8;

/// The pause after the first try; after each it is twice as long.
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// Tries again where another git was in the way, for about three seconds.
pub(crate) fn persistently<T>(mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut pause = PAUSE_MIN;
    for _ in 1..TRIES_MAX {
        match attempt() {
            Err(error) if error.is_passing() => thread::sleep(pause),
            other => return other,
        }
        pause *= 2;
    }
    attempt()
}
