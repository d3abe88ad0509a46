//! The loop of a supervisor: outputs, input, signals, and the clock.

use std::{
    io::Read as _,
    os::unix::net::UnixStream,
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{WaitOptions, WaitStatus, wait},
};

use crate::{
    directory,
    exit::{self, Exit, Reason},
    find::Processes,
    gate::{GO, Report},
    output::Output,
    process::Process,
    run::Run,
    supervise::{child::Gated, ending::Ending, pipes::Pipes, signals::Signals, tell},
};

/// How long outputs are read that somebody else holds open, when nothing of the run is left.
const LAST_WORDS_FOR: Duration = Duration::from_secs(1);

/// A run that runs.
pub(super) struct Keeper {
    signals: Signals,
    pipes: Pipes,
    output: Output,
    ending: Ending,
    leader: u32,
    /// How the program ended, when it has.
    ended: Option<WaitStatus>,
    started_ms: u64,
}

impl Keeper {
    /// Makes the child, tells the starter, and waits until the child may run. `None` where the
    /// starter went away before it said so, or the supervisor was asked to end.
    pub(super) fn start(
        directory: &Path,
        run: Run,
        mut signals: Signals,
        link: &UnixStream,
    ) -> Result<Option<Self>, String> {
        let gated = Gated::make(&run)?;
        match announce(directory, gated.pid) {
            Ok(processes) => tell(link, &Report::Ready(processes)),
            Err(why) => {
                gated.close();
                return Err(why);
            }
        }
        if !is_let_go(link, &mut signals) {
            gated.close();
            return Ok(None);
        }
        let child = gated.open(&run)?;
        Ok(Some(Self::of(directory, run, signals, child)))
    }

    fn of(directory: &Path, run: Run, signals: Signals, mut child: Child) -> Self {
        let leader = child.id();
        Self {
            signals,
            output: Output::open(directory, run.output_bytes()),
            ending: Ending::of(&run, leader, Instant::now()),
            pipes: Pipes::of(&mut child, run.input),
            leader,
            ended: None,
            started_ms: exit::now_ms(),
        }
    }

    /// Until nothing of the run is left.
    pub(super) fn keep(mut self) -> Exit {
        loop {
            self.wait_until(self.ending.next(self.ended.is_none()));
            self.turn();
            if self.ending.turn(self.ended.is_none(), Instant::now()) {
                break;
            }
        }
        let enough = Instant::now() + LAST_WORDS_FOR;
        while !self.pipes.at_end() && Instant::now() < enough {
            self.wait_until(Some(enough));
            self.turn();
        }
        self.exit()
    }

    fn turn(&mut self) {
        self.signals.clear();
        self.pipes.turn(&mut self.output);
        if self.signals.asked() && self.ended.is_none() {
            self.ending.ask(Reason::Stopped, Instant::now());
        }
        self.reap();
    }

    /// Sleeps until something happens, or `deadline`.
    fn wait_until(&self, deadline: Option<Instant>) {
        let mut interests = vec![PollFd::new(&self.signals, PollFlags::IN)];
        interests.extend(self.pipes.interests());
        let patience = deadline.map(|at| timespec(at.saturating_duration_since(Instant::now())));
        // Interrupted or not: everything is looked at.
        let _ = poll(&mut interests, patience.as_ref());
    }

    /// Takes note of every child that has ended, adopted ones among them.
    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid.as_raw_nonzero().get().unsigned_abs() == self.leader {
                self.ended = Some(status);
            }
        }
    }

    fn exit(self) -> Exit {
        let code = self.ended.and_then(WaitStatus::exit_status);
        let by_itself = match code {
            Some(_) => Reason::Exited,
            None => Reason::Signalled,
        };
        Exit {
            code,
            signal: self.ended.and_then(WaitStatus::terminating_signal),
            started_ms: self.started_ms,
            survivors_killed: count(self.ending.survivors()),
            left_alive: count(self.ending.left_alive),
            output_bytes: self.output.bytes,
            output_bytes_lost: self.output.bytes_lost,
            ..Exit::now(self.ending.why.unwrap_or(by_itself))
        }
    }
}

/// Notes who runs it, before anybody can rely on it.
fn announce(directory: &Path, child: u32) -> Result<Processes, String> {
    let gone = || "the process ended before its program was started".to_owned();
    let processes = Processes {
        supervisor: Process::of(std::process::id()).ok_or_else(gone)?,
        child: Process::of(child).ok_or_else(gone)?,
    };
    directory::write(directory, directory::PROCESSES, &processes)
        .map_err(|error| format!("{} cannot be written to: {error}", directory.display()))?;
    Ok(processes)
}

/// Waits for the starter's word.
fn is_let_go(mut link: &UnixStream, signals: &mut Signals) -> bool {
    loop {
        let mut interests = [
            PollFd::new(link, PollFlags::IN),
            PollFd::new(signals, PollFlags::IN),
        ];
        let polled = poll(&mut interests, None);
        let heard = !interests[0].revents().is_empty();
        signals.clear();
        if signals.asked() {
            return false;
        }
        if polled.is_ok() && heard {
            let mut word = [0];
            return link.read_exact(&mut word).is_ok() && word == [GO];
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    // A deadline that is due is due: no rounding to nothing before it.
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: duration.subsec_nanos().into(),
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
