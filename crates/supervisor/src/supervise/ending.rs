//! Ending a run: asked first, then ended, until nothing of it is left.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    exit::Reason,
    process::{self, Entry, Mark, ORPHANS_ARE_ADOPTED},
    run::Run,
};

/// What the program started and left behind has this long to end when asked.
const SURVIVORS_GRACE: Duration = Duration::from_secs(1);
/// How often it is looked who is left.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long processes are waited for that were killed. The system may hold them in a call.
const KILLED_FOR: Duration = Duration::from_secs(10);

/// The end of one run.
pub(super) struct Ending {
    /// The program: its number, which is its group's too.
    leader: u32,
    mark: Mark,
    grace: Duration,
    time_is_over: Option<Instant>,
    /// Why it was asked to end, where it was.
    pub(super) why: Option<Reason>,
    kill_at: Option<Instant>,
    look_at: Option<Instant>,
    give_up_at: Option<Instant>,
    survivors: Vec<Entry>,
    /// Who could not be ended.
    pub(super) left_alive: usize,
}

impl Ending {
    pub(super) fn of(run: &Run, leader: u32, now: Instant) -> Self {
        let after = |seconds| now.checked_add(Duration::from_secs(seconds));
        Self {
            leader,
            mark: Mark::of(run),
            grace: Duration::from_secs(run.grace_s),
            time_is_over: run.time_max_s.and_then(after),
            why: None,
            kill_at: None,
            look_at: None,
            give_up_at: None,
            survivors: Vec::new(),
            left_alive: 0,
        }
    }

    /// Other processes that were alive after the program's end.
    pub(super) fn survivors(&self) -> usize {
        self.survivors.len().saturating_sub(self.left_alive)
    }

    /// When there is something to do next, whatever happens.
    pub(super) fn next(&self, leader_runs: bool) -> Option<Instant> {
        match (self.look_at, self.kill_at) {
            (Some(look), _) => Some(look),
            (None, Some(kill)) => Some(kill),
            (None, None) if leader_runs => self.time_is_over,
            (None, None) => None,
        }
    }

    /// Asks the program's group to end. It must not have been reaped yet.
    pub(super) fn ask(&mut self, why: Reason, now: Instant) {
        if self.why.is_some() {
            return;
        }
        self.why = Some(why);
        self.kill_at = Some(now.checked_add(self.grace).unwrap_or(now));
        self.signal_group(Signal::TERM);
        // A stopped process hears nothing else.
        self.signal_group(Signal::CONT);
    }

    /// Does what is due. `leader_runs` until the program has been reaped. Returns true when nothing
    /// is left, or nothing more can be done.
    pub(super) fn turn(&mut self, leader_runs: bool, now: Instant) -> bool {
        if leader_runs && self.time_is_over.is_some_and(|at| at <= now) {
            self.ask(Reason::TimedOut, now);
        }
        if self.look_at.is_some_and(|at| at > now) {
            return false;
        }
        if leader_runs {
            let is_due = self.kill_at.is_some_and(|at| at <= now);
            return is_due && self.kill_all(now);
        }
        self.end_survivors(now)
    }

    fn kill_all(&mut self, now: Instant) -> bool {
        self.signal_group(Signal::KILL);
        let rest = self.rest();
        for process in &rest {
            process.signal(Signal::KILL);
        }
        self.left_alive = rest.len();
        self.look_again(now);
        self.gives_up(now)
    }

    fn end_survivors(&mut self, now: Instant) -> bool {
        let rest = self.rest();
        self.left_alive = rest.len();
        if rest.is_empty() {
            return true;
        }
        let kill_at = *self.kill_at.get_or_insert(now + SURVIVORS_GRACE);
        let kill = kill_at <= now;
        for process in rest {
            let new = !self.survivors.contains(&process);
            if new {
                self.survivors.push(process);
            }
            if kill {
                process.signal(Signal::KILL);
            } else if new {
                process.signal(Signal::TERM);
                process.signal(Signal::CONT);
            }
        }
        self.look_again(now);
        kill && self.gives_up(now)
    }

    fn look_again(&mut self, now: Instant) {
        self.look_at = Some(now + LOOK_EVERY);
    }

    /// Counts from the first time that is asked.
    fn gives_up(&mut self, now: Instant) -> bool {
        *self.give_up_at.get_or_insert(now + KILLED_FOR) <= now
    }

    /// Everything of the run: whoever is below this process and, when that is nobody, whoever has
    /// the cookie.
    fn rest(&self) -> Vec<Entry> {
        let me = std::process::id();
        let table = process::table();
        let mut rest = self.mark.below(&table, |entry| entry.pid == me);
        if !ORPHANS_ARE_ADOPTED {
            let in_group = |entry: &&Entry| entry.group == self.leader && !rest.contains(entry);
            let more: Vec<Entry> = table.iter().filter(in_group).copied().collect();
            rest.extend(more);
        }
        if rest.is_empty() {
            rest = self.mark.with_cookie(&table);
        }
        rest
    }

    fn signal_group(&self, signal: Signal) {
        let group = i32::try_from(self.leader).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            let _ = kill_process_group(group, signal);
        }
    }
}
