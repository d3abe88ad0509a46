//! Ending what a killed supervisor left behind.

use std::{
    io,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::{
    directory,
    exit::{Exit, Reason},
    find::{Found, Processes, find},
    process::{self, Entry, Mark},
    run::Run,
};

/// How often it is looked whether they have ended.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long processes are waited for that were killed.
const KILLED_FOR: Duration = Duration::from_secs(5);
/// Longest grace, whatever the run says.
const GRACE_MAX: Duration = Duration::from_secs(60);

/// What became of the strays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strays {
    /// Processes that were ended.
    pub ended: u32,
    /// Processes that could not be ended.
    pub left: u32,
}

/// Ends every process of a run whose supervisor is [`Found::Gone`]: the agent and what is below it
/// (where it is verified to be that agent), and every process with the run's cookie in its
/// environment. Asks first (SIGTERM), and after the run's grace ends them. Then notes the end of the
/// run as [`Reason::Lost`]. Does nothing to a run in any other state. Blocks for the grace and 5 s
/// at most.
///
/// # Errors
///
/// What the file system says.
pub fn end_strays(directory: &Path) -> io::Result<Strays> {
    let Found::Gone { .. } = find(directory)? else {
        return Ok(Strays::default());
    };
    let Some(processes) = Processes::read(directory)? else {
        return Ok(Strays::default());
    };
    let run: Option<Run> = directory::read(directory, directory::RUN)?;
    let mark = run.as_ref().map(Mark::of);
    let grace = run.as_ref().map_or(Duration::ZERO, |run| {
        Duration::from_secs(run.grace_s).min(GRACE_MAX)
    });

    let mut seen: Vec<Entry> = Vec::new();
    let look = |seen: &mut Vec<Entry>, signal: Signal| {
        let found = strays(&processes, mark.as_ref());
        for stray in &found {
            let new = !seen.contains(stray);
            if new || signal == Signal::KILL {
                stray.signal(signal);
                stray.signal(Signal::CONT);
            }
            if new {
                seen.push(*stray);
            }
        }
        found.len()
    };
    let mut left = until(grace, || look(&mut seen, Signal::TERM));
    if left > 0 {
        left = until(KILLED_FOR, || look(&mut seen, Signal::KILL));
    }
    let strays = Strays {
        ended: count(seen.len().saturating_sub(left)),
        left: count(left),
    };
    let exit = Exit {
        survivors_killed: strays.ended,
        left_alive: strays.left,
        ..Exit::now(Reason::Lost)
    };
    exit.write(directory)?;
    Ok(strays)
}

/// Looks until nobody is left or the time is over. Returns how many are left.
fn until(patience: Duration, mut look: impl FnMut() -> usize) -> usize {
    let deadline = Instant::now() + patience;
    loop {
        let left = look();
        if left == 0 || Instant::now() >= deadline {
            return left;
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn strays(processes: &Processes, mark: Option<&Mark>) -> Vec<Entry> {
    let table = process::table();
    let child = &processes.child;
    let is_child = |entry: &Entry| entry.pid == child.pid && entry.started == child.started;
    let mut found = mark.map_or_else(Vec::new, |mark| mark.with_cookie(&table));
    if let Some(mark) = mark.filter(|_| child.runs()) {
        let in_group = |entry: &&Entry| entry.group == child.pid;
        let mut more: Vec<Entry> = table.iter().filter(in_group).copied().collect();
        more.extend(mark.below(&table, is_child));
        more.retain(|entry| !found.contains(entry));
        found.extend(more);
    }
    found.sort_unstable_by_key(|entry| entry.pid);
    found.dedup();
    found
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
