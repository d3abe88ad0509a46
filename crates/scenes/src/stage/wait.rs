//! Waiting for a condition, always with a deadline.

use std::{
    thread,
    time::{Duration, Instant},
};

use super::Fault;

/// Pause between two looks. Short against everything that a scene measures.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks until there is something to see, and returns it with the time it took. The error says
/// what was waited for.
pub fn wait_until<T>(
    what: &str,
    limit: Duration,
    mut look: impl FnMut() -> Result<Option<T>, Fault>,
) -> Result<(T, Duration), Fault> {
    let start = Instant::now();
    loop {
        let seen = look()?;
        let took = start.elapsed();
        match seen {
            Some(seen) => return Ok((seen, took)),
            None if took > limit => {
                return Err(format!("waited {} s in vain: {what}", limit.as_secs_f32()).into());
            }
            None => thread::sleep(LOOK_EVERY),
        }
    }
}

/// Waits until a condition holds, and returns how long it took.
pub fn within(
    limit: Duration,
    what: &str,
    mut holds: impl FnMut() -> Result<bool, Fault>,
) -> Result<Duration, Fault> {
    wait_until(what, limit, || Ok(holds()?.then_some(()))).map(|((), took)| took)
}
