//! Time: the wall clock for people, a monotonic clock for leases.

use std::cell::Cell;

use rustix::time::{ClockId, clock_gettime};

/// How far the machine's clocks must drift apart to count as sleep, in milliseconds.
pub const SLEEP_MS_MIN: u64 = 5_000;

/// One reading of both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since 1970, for showing. May jump.
    pub wall_ms: u64,
    /// Milliseconds on a clock that never jumps and stands still while the machine sleeps.
    pub mono_ms: u64,
}

/// Reads the clocks, and notices when the machine has slept.
#[derive(Debug)]
pub struct Clock {
    asleep_ms: Cell<u64>,
}

impl Default for Clock {
    fn default() -> Self {
        Clock {
            asleep_ms: Cell::new(asleep_ms()),
        }
    }
}

impl Clock {
    #[must_use]
    pub fn now(&self) -> Now {
        Now {
            wall_ms: millis(ClockId::Realtime),
            mono_ms: mono_ms(),
        }
    }

    /// How long the machine has slept since this was last asked, where that is more than
    /// [`SLEEP_MS_MIN`]. Ask it on a timer of a second or so.
    pub fn slept_ms(&self) -> Option<u64> {
        self.slept_since(asleep_ms())
    }

    fn slept_since(&self, asleep_ms: u64) -> Option<u64> {
        let slept = asleep_ms.saturating_sub(self.asleep_ms.replace(asleep_ms));
        (slept > SLEEP_MS_MIN).then_some(slept)
    }
}

fn millis(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds * 1_000 + u64::try_from(time.tv_nsec).unwrap_or(0) / 1_000_000
}

/// On Linux, `CLOCK_MONOTONIC` stands still in suspend.
#[cfg(target_os = "linux")]
fn mono_ms() -> u64 {
    millis(ClockId::Monotonic)
}

/// Elsewhere `CLOCK_MONOTONIC` may run on in suspend; `Instant` uses the clock that does not.
#[cfg(not(target_os = "linux"))]
fn mono_ms() -> u64 {
    use std::{sync::OnceLock, time::Instant};
    static START: OnceLock<Instant> = OnceLock::new();
    u64::try_from(START.get_or_init(Instant::now).elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Time this machine has spent asleep since it was booted.
#[cfg(target_os = "linux")]
fn asleep_ms() -> u64 {
    millis(ClockId::Boottime).saturating_sub(millis(ClockId::Monotonic))
}

/// On macOS `CLOCK_MONOTONIC` runs on in suspend, so that its lead over `Instant` is the sleep.
#[cfg(not(target_os = "linux"))]
fn asleep_ms() -> u64 {
    millis(ClockId::Monotonic).saturating_sub(mono_ms())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_does_not_run_backwards() {
        let clock = Clock::default();
        let before = clock.now();
        let after = clock.now();
        assert!(after.mono_ms >= before.mono_ms);
        assert!(after.wall_ms > 1_700_000_000_000, "milliseconds since 1970");
    }

    #[test]
    fn a_wake_up_is_told_once_and_a_blink_is_not_one() {
        let clock = Clock {
            asleep_ms: Cell::new(1_000),
        };
        assert_eq!(clock.slept_since(4_000), None);
        assert_eq!(clock.slept_since(3_604_000), Some(3_600_000));
        assert_eq!(clock.slept_since(3_604_000), None);
    }
}
