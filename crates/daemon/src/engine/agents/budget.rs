//! Whether a run that came to nothing is tried again, and when. Judged from what is kept of the runs
//! before it, so that a restart of the daemon forgets nothing.

use super::record::{Record, State};

/// Runs of one line that may die within [`WINDOW_MS`]; with the last of them it is parked.
pub(super) const DEATHS_MAX: usize = 3;
/// 10 minutes.
pub(super) const WINDOW_MS: u64 = 10 * 60 * 1_000;
/// Runs of one line that may die at all.
pub(super) const DEATHS_IN_ALL_MAX: usize = 10;
/// Pause after the first refusal of a client's service; it doubles with each in a row.
pub(super) const REFUSED_PAUSE_MS: u64 = 60 * 1_000;
/// The longest such pause.
pub(super) const REFUSED_PAUSE_MS_MAX: u64 = 30 * 60 * 1_000;
/// Refusals in a row after which it is parked: about half a day.
pub(super) const REFUSED_MAX: u32 = 24;

/// What comes after a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Another run, not before this time.
    Again { not_before_ms: u64 },
    /// None; why.
    Parked(String),
}

/// After a death. `line`: all runs of the line, this one among them.
pub(super) fn after_death<'a>(line: impl Iterator<Item = &'a Record>, now_ms: u64) -> After {
    let died: Vec<u64> = line
        .filter(|run| run.died)
        .map(|run| run.ended_ms.unwrap_or(now_ms))
        .collect();
    let lately = died
        .iter()
        .filter(|at| at.saturating_add(WINDOW_MS) > now_ms)
        .count();
    if lately >= DEATHS_MAX {
        let minutes = WINDOW_MS / 60_000;
        return After::Parked(format!("it died {lately} times within {minutes} minutes"));
    }
    if died.len() >= DEATHS_IN_ALL_MAX {
        return After::Parked(format!("it died {} times", died.len()));
    }
    After::Again { not_before_ms: 0 }
}

/// After its client's service refused for now. `line`: the newest run first.
pub(super) fn after_refusal<'a>(line: impl Iterator<Item = &'a Record>, now_ms: u64) -> After {
    let in_a_row = line.take_while(|run| run.state == State::Waiting).count();
    let in_a_row = u32::try_from(in_a_row).unwrap_or(u32::MAX).max(1);
    if in_a_row >= REFUSED_MAX {
        return After::Parked(format!("its service has refused {in_a_row} times in a row"));
    }
    let doubled = 1_u64.checked_shl(in_a_row - 1).unwrap_or(u64::MAX);
    let pause = REFUSED_PAUSE_MS
        .saturating_mul(doubled)
        .min(REFUSED_PAUSE_MS_MAX);
    After::Again {
        not_before_ms: now_ms.saturating_add(pause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_000_000_000;

    fn dead(minutes_ago: u64) -> Record {
        Record {
            died: true,
            state: State::Lost,
            ended_ms: Some(NOW - minutes_ago * 60_000),
            ..Record::default()
        }
    }

    #[test]
    fn the_third_death_in_ten_minutes_is_the_last() {
        let two = [dead(5), dead(0)];
        assert_eq!(
            after_death(two.iter(), NOW),
            After::Again { not_before_ms: 0 }
        );
        let three = [dead(9), dead(5), dead(0)];
        assert!(matches!(after_death(three.iter(), NOW), After::Parked(_)));
        let slower = [dead(11), dead(5), dead(0)];
        assert_eq!(
            after_death(slower.iter(), NOW),
            After::Again { not_before_ms: 0 }
        );
    }

    #[test]
    fn one_that_keeps_dying_slowly_is_parked_too() {
        let many: Vec<_> = (0..10).map(|n| dead(n * 60)).collect();
        assert!(matches!(after_death(many.iter(), NOW), After::Parked(_)));
        assert!(matches!(
            after_death(many[1..].iter(), NOW),
            After::Again { .. }
        ));
    }

    #[test]
    fn refusals_are_waited_out_longer_and_longer() {
        let refused = |count: usize| {
            let run = Record {
                state: State::Waiting,
                ..Record::default()
            };
            let line = vec![run; count];
            after_refusal(line.iter(), NOW)
        };
        let pause = |count| match refused(count) {
            After::Again { not_before_ms } => not_before_ms - NOW,
            After::Parked(_) => 0,
        };
        assert_eq!([pause(1), pause(2), pause(3)], [60_000, 120_000, 240_000]);
        assert_eq!(pause(20), REFUSED_PAUSE_MS_MAX);
        assert!(matches!(refused(24), After::Parked(_)));
    }
}
