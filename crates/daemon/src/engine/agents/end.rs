//! The end of a run: seen, understood, and what follows from it for the task, the session and the
//! next run.

use std::{path::Path, rc::Rc, time::Duration};

use kite_rules::{
    limits::TEXT_CHARS_MAX,
    session::{Owner, State as SessionState},
    task::{self, TaskId},
};
use kite_store::Store;
use kite_supervisor::{Exit, Found, Reason};
use kite_wire::{reply::Fault, request::Envelope};
use tokio::sync::MutexGuard;

use super::{
    super::{Engine, callers::random, secrets::clean},
    budget::{self, After},
    limits::{self, Asker},
    reader::Reading,
    record::{Record, State},
    spawn::uuid,
};
use crate::{
    doors::Connection,
    hands::processes,
    presets::{End, Outcome, Preset, Report},
    translate::{refusal::Reader, words::inline},
};

/// Lines of output that are kept of a run that failed or is parked.
const LAST_LINES: usize = 50;
/// Characters of one of them.
const LINE_CHARS_MAX: usize = 500;
/// Characters of a reason.
const REASON_CHARS_MAX: usize = 300;
/// Characters of what the store says to a completion.
const COMPLETION_CHARS_MAX: usize = 150;

/// Looks at a run that may fail in a row before it is parked.
const LOOKS_MAX: u32 = 5;
/// Pause before the next look.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// How a run ended, as its directory tells.
#[derive(Debug)]
enum Ended {
    Exited(Exit, Texts),
    /// Its supervisor died; so many of its processes were left and ended now, and so many could not
    /// be ended.
    Gone {
        strays: usize,
        left: u32,
    },
    /// Its program never ran.
    NeverStarted,
    /// Its directory cannot be read.
    Unknown(String),
}

/// What it wrote.
#[derive(Debug, Default)]
struct Texts {
    output: String,
    log: String,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
struct Verdict {
    state: State,
    reason: Option<String>,
}

impl<S: Store> Engine<S> {
    /// Waits for the end of a run that is under way, and does what follows from it.
    pub(super) async fn watch_agent(self: &Rc<Self>, id: &str) {
        let mut failed = 0;
        loop {
            let directory = self.run_directory(id);
            let look = {
                let directory = directory.clone();
                move || kite_supervisor::find(&directory)
            };
            let found = tokio::task::spawn_blocking(look).await;
            let supervisor = match found {
                Err(_) => return, // The daemon is ending; the next one looks again.
                Ok(Ok(Found::Alive { supervisor, .. })) => supervisor,
                // A look that fails says nothing of the run.
                Ok(Err(_)) if failed < LOOKS_MAX => {
                    failed += 1;
                    tokio::time::sleep(LOOK_PAUSE).await;
                    continue;
                }
                Ok(Ok(_) | Err(_)) => break,
            };
            failed = 0;
            match processes::start_time(supervisor.pid) {
                None => {}
                Some(started) => processes::watch(supervisor.pid, started).await,
            }
        }
        self.settle_agent(id).await;
    }

    /// Whether whoever asks may clear away a worktree: a person any; a session that of an agent of
    /// its own, or of one that comes from it.
    ///
    /// # Errors
    /// Where it cannot be said who asks.
    pub(in crate::engine) async fn may_clear_checkout(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        checkout: &str,
    ) -> Result<bool, Fault> {
        let asker = self.agent_asker(connection, envelope).await?;
        if asker.session.is_none() {
            return Ok(true);
        }
        let worked_there = |run: &Record| run.checkout.as_ref().is_some_and(|it| it.id == checkout);
        let runs = self.agents.all(worked_there);
        Ok(runs
            .iter()
            .any(|run| [&run.parent, &run.root, &run.session].contains(&&asker.session)))
    }

    /// Held by whoever has an agent judged and kept: they come one after the other.
    pub(in crate::engine) async fn agents_turn(&self) -> MutexGuard<'_, ()> {
        self.agents.asking.lock().await
    }

    /// Whether the limits of descendants and of the queue leave room for this reader.
    ///
    /// # Errors
    /// `limit_reached`.
    pub(in crate::engine) fn has_room_for(&self, reading: &Reading) -> Result<(), Fault> {
        let parents = |session: Option<&str>| {
            let mut runs = self.agents.all(|run| run.session.as_deref() == session);
            runs.pop().filter(|_| session.is_some())
        };
        // A reader starts nobody: its generation is no matter.
        let agent = parents(reading.parent.as_deref()).map(|run| Record { depth: 0, ..run });
        let asker = Asker {
            session: reading.parent.clone(),
            agent: agent.as_ref(),
            mode: None,
        };
        let mut all = self.agents.all(|run| !run.state.has_ended());
        for reader in all.iter_mut().filter(|run| run.reads_only) {
            // It is a descendant of whoever its parent comes from.
            if let Some(above) = parents(reader.parent.as_deref()) {
                reader.root = above.root;
            }
        }
        limits::descent(&asker, all.iter(), &self.settings.of_home().agents)?;
        Ok(())
    }

    /// A run has ended: reads how, and settles everything that hung on it.
    async fn settle_agent(self: &Rc<Self>, id: &str) {
        let Some(run) = self.agents.get(id).filter(|run| run.state.is_under_way()) else {
            return;
        };
        let ended = self.read_end(&run).await;
        if let Some(why) = may_live(&run, &ended) {
            return self.park_alive(&run, &ended, why).await;
        }
        let never_ran = matches!(ended, Ended::NeverStarted) && run.stop.is_none();
        if never_ran && self.may_start_again(id).await {
            self.queue_again(run).await;
            return self.agents.wake();
        }
        let preset = self.preset(&run.preset).await.ok();
        let report = match (&ended, &preset) {
            (Ended::Exited(exit, texts), Some(preset)) => read_report(preset, exit, texts),
            _ => None,
        };
        let mut verdict = judge(&run, &ended, report.as_ref());
        let report = report.unwrap_or_default();
        let said = clean(Some(&report.text)).filter(|text| !text.is_empty());
        if let Some(why) = self.settle_task(&run, &verdict, said.as_deref()).await {
            verdict.state = State::Failed;
            verdict.reason = Some(why);
        }
        // As it is now: somebody may have asked for its end meanwhile.
        let Some(mut run) = self.agents.get(id) else {
            return;
        };
        run.state = verdict.state;
        run.reason = verdict.reason;
        run.died = verdict.state == State::Lost;
        run.ended_ms = Some(self.now().wall_ms);
        run.result = said.filter(|_| run.state == State::Done);
        run.cost_usd = report.cost_usd;
        run.turns = report.turns;
        if let Ended::Exited(exit, _) = &ended {
            run.exit_code = exit.code;
        }
        if run.state != State::Done {
            run.last_lines = self.last_lines(&run).await;
        }
        self.keep_end(run).await;
        self.agents.wake();
    }

    /// Keeps a run that has ended, together with the one that follows it.
    async fn keep_end(self: &Rc<Self>, run: Record) {
        let records = self.with_next(run);
        let ended = records[0].clone();
        if let Err(error) = self.keep_agents(records).await {
            // The next daemon finds it as it was, and settles it again.
            self.agent_trouble(&ended, &format!("its end is not stored: {error}"));
            self.agents.set(ended);
        }
    }

    /// Parks a run of which processes may live. What it worked on goes to nobody: a task that such a
    /// process may still change is failed, and one whose run cannot be read stays claimed, by a
    /// session that lasts as long as its process.
    async fn park_alive(self: &Rc<Self>, run: &Record, ended: &Ended, why: String) {
        if let Some(owner) = run.owner().filter(|_| !matches!(ended, Ended::Unknown(_))) {
            if let Some(task) = run.task_id().filter(|task| self.holds(*task, &owner)) {
                self.end_claim_of_agent(task, &owner, Some(()), &why).await;
            }
            self.end_session_now(owner.session, SessionState::Lost, &why)
                .await;
        }
        let (now, last_lines) = (self.now().wall_ms, self.last_lines(run).await);
        self.change_agent(&run.id, |run| {
            run.state = State::Parked;
            run.reason = Some(why);
            run.ended_ms = Some(now);
            run.last_lines = last_lines;
            if let Ended::Exited(exit, _) = ended {
                run.exit_code = exit.code;
            }
        })
        .await;
        self.agents.wake();
    }

    /// How it ended. What cannot be read is looked at again, a few times.
    async fn read_end(&self, run: &Record) -> Ended {
        let mut failed = 0;
        loop {
            let directory = self.run_directory(&run.id);
            let read = tokio::task::spawn_blocking(move || read_directory(&directory)).await;
            let ended = read.unwrap_or_else(|_| Ended::Unknown("the daemon was ending".to_owned()));
            if failed == LOOKS_MAX || !matches!(ended, Ended::Unknown(_)) {
                return ended;
            }
            failed += 1;
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// The last lines of its output, for people: redacted, bounded, escaped where they are shown.
    async fn last_lines(&self, run: &Record) -> Vec<String> {
        let directory = self.run_directory(&run.id);
        let read = move || kite_supervisor::tail(&directory, LAST_LINES).unwrap_or_default();
        let log = tokio::task::spawn_blocking(read).await.unwrap_or_default();
        let log = kite_redact::redact(&log);
        log.lines()
            .map(|line| line.chars().take(LINE_CHARS_MAX).collect())
            .collect()
    }

    /// What its end means for its task and its session. Returns why its task is not completed, although
    /// it did what it was to do.
    async fn settle_task(
        self: &Rc<Self>,
        run: &Record,
        verdict: &Verdict,
        text: Option<&str>,
    ) -> Option<String> {
        let owner = run.owner()?;
        let mut not_completed = None;
        let why = verdict
            .reason
            .clone()
            .unwrap_or_else(|| "its agent ended".to_owned());
        if let Some(task) = run.task_id().filter(|task| self.holds(*task, &owner)) {
            match verdict.state {
                State::Done => {
                    not_completed = self.complete_for(run, task, &owner, text).await.err()
                }
                State::Failed => self.end_claim_of_agent(task, &owner, Some(()), &why).await,
                // The session's end gives it back, and counts the death.
                State::Lost => {}
                _ => self.end_claim_of_agent(task, &owner, None, &why).await,
            }
        }
        let (state, why) = match verdict.state {
            State::Lost => (SessionState::Lost, format!("its agent died: {why}")),
            _ => (SessionState::Ended, "its agent ended".to_owned()),
        };
        self.end_session_now(owner.session, state, &why).await;
        not_completed
    }

    fn holds(&self, task: TaskId, owner: &Owner) -> bool {
        self.store.read(|ledger| {
            ledger.tasks.get(task).is_some_and(|task| {
                let holder = task.owner.as_ref().map(|holder| holder.session);
                task.state == task::State::Claimed && holder == Some(owner.session)
            })
        })
    }

    /// # Errors
    /// Why its task is not completed, and what to do now. It is ready again then, or will be with the
    /// end of the session.
    async fn complete_for(
        self: &Rc<Self>,
        run: &Record,
        task: TaskId,
        owner: &Owner,
        text: Option<&str>,
    ) -> Result<(), String> {
        let again = format!("`kite spawn --task {task:.8}`");
        if let Err(fault) = self.approved(task, owner, run.attempt) {
            self.end_claim_of_agent(task, owner, None, &fault.message)
                .await;
            return Err(format!(
                "it ended well, but no review has approved of its attempt, so its task is ready again; \
                 the next attempt must have its work reviewed (kite_review) before it ends: {again}"
            ));
        }
        let result = text.unwrap_or("(it left no words)");
        let result = result.chars().take(TEXT_CHARS_MAX).collect();
        let (attempt, now) = (run.attempt, self.now());
        let judged = self
            .store
            .complete(task, owner, attempt, Some(result), now, None)
            .await;
        let why = match judged {
            Ok(Ok(changed)) => {
                self.task_changed(&changed, "completed", Some(owner.session));
                return Ok(());
            }
            Ok(Err(refusal)) => self.refused(&refusal, Reader::Request).message,
            Err(error) => error.to_string(),
        };
        self.agent_trouble(run, &format!("its task could not be completed: {why}"));
        let why = inline(&why, COMPLETION_CHARS_MAX);
        Err(format!(
            "it ended well, but its task was not completed: {why}; look at `kite task show {task:.8}`, \
             and if it is ready, start another: {again}"
        ))
    }

    /// Ends a claim: the task is ready again or, with `failed`, failed.
    pub(super) async fn end_claim_of_agent(
        self: &Rc<Self>,
        task: TaskId,
        owner: &Owner,
        failed: Option<()>,
        why: &str,
    ) {
        let reason = Some(why.to_owned());
        let failed = failed.is_some();
        let judged = self
            .store
            .release_task(task, owner, None, reason, failed, self.now(), None)
            .await;
        if let Ok(Ok(changed)) = judged {
            let what = if failed { "failed" } else { "released" };
            self.task_changed(&changed, what, Some(owner.session));
        }
    }

    /// The run, and the one that follows it, if one does; else it may be parked.
    fn with_next(&self, mut run: Record) -> Vec<Record> {
        let now = self.now().wall_ms;
        if !matches!(run.state, State::Lost | State::Waiting) {
            return vec![run];
        }
        let mut line = self
            .agents
            .all(|other| other.line == run.line && other.id != run.id);
        line.push(run.clone());
        line.reverse();
        let after = match run.state {
            State::Waiting => budget::after_refusal(line.iter(), now),
            _ => budget::after_death(line.iter(), now),
        };
        let not_before_ms = match (after, self.cannot_go_on(&run)) {
            (After::Again { not_before_ms }, None) => not_before_ms,
            (After::Parked(why), _) | (After::Again { .. }, Some(why)) => {
                let last = run.reason.take().unwrap_or_default();
                run.state = State::Parked;
                run.reason = Some(format!("{why}; at last: {last}"));
                return vec![run];
            }
        };
        let id = format!("{:032x}", random());
        let mut next = run.again(id, uuid(random()), self.agents.next_number(), now);
        next.not_before_ms = not_before_ms;
        run.next = Some(next.id.clone());
        vec![run, next]
    }

    /// Why another run would have nothing to do.
    fn cannot_go_on(&self, run: &Record) -> Option<String> {
        let id = run.task_id()?;
        let state = self
            .store
            .read(|ledger| ledger.tasks.get(id).map(|task| task.state));
        match state {
            Some(task::State::Ready) => None,
            Some(state) => Some(format!(
                "its task is {}",
                crate::translate::state_name(state)
            )),
            None => Some("its task is not kept any more".to_owned()),
        }
    }
}

/// Reads the end of a run, and ends what a dead supervisor left. Blocks.
fn read_directory(directory: &Path) -> Ended {
    match kite_supervisor::find(directory) {
        Err(error) => Ended::Unknown(error.to_string()),
        Ok(Found::NeverStarted) => Ended::NeverStarted,
        Ok(Found::Ended(exit)) if exit.reason == Reason::Abandoned => Ended::NeverStarted,
        Ok(Found::Ended(exit)) => Ended::Exited(exit, texts(directory)),
        Ok(Found::Alive { supervisor, .. }) => Ended::Unknown(format!(
            "its supervisor, process {}, still runs",
            supervisor.pid
        )),
        Ok(Found::Gone { .. }) => match kite_supervisor::end_strays(directory) {
            Ok(strays) => Ended::Gone {
                strays: strays.ended as usize,
                left: strays.left,
            },
            Err(error) => Ended::Unknown(error.to_string()),
        },
    }
}

/// Why processes of the run may live although it is not watched any more.
fn may_live(run: &Record, ended: &Ended) -> Option<String> {
    let program = run.pid.map_or_else(String::new, |pid| {
        format!(" (its program was process {pid})")
    });
    let why = match ended {
        Ended::Unknown(why) => format!(
            "how it stands cannot be read{program}, and it may still run; its task is kept from others: {why}"
        ),
        Ended::Gone { left, .. }
        | Ended::Exited(
            Exit {
                left_alive: left, ..
            },
            _,
        ) if *left > 0 => {
            format!(
                "{left} of its processes could not be ended{program} and may still change files"
            )
        }
        _ => return None,
    };
    Some(inline(&kite_redact::redact(&why), REASON_CHARS_MAX))
}

fn texts(directory: &Path) -> Texts {
    let output = kite_supervisor::stdout(directory).unwrap_or_default();
    Texts {
        output: String::from_utf8_lossy(&output).into_owned(),
        log: kite_supervisor::tail(directory, LAST_LINES).unwrap_or_default(),
    }
}

/// What its client says of its end, where it ended by itself.
fn read_report(preset: &Preset, exit: &Exit, texts: &Texts) -> Option<Report> {
    let by_itself = matches!(exit.reason, Reason::Exited | Reason::Signalled);
    by_itself.then(|| {
        preset.read(&End {
            code: exit.code,
            signal: exit.signal,
            output: texts.output.clone(),
            log: texts.log.clone(),
        })
    })
}

/// What a run came to. Pure.
fn judge(run: &Record, ended: &Ended, report: Option<&Report>) -> Verdict {
    let verdict = |state: State, reason: Option<String>| Verdict {
        state,
        reason: reason.map(|reason| inline(&kite_redact::redact(&reason), REASON_CHARS_MAX)),
    };
    // Whoever asked for its end has it, however it looks.
    if let Some(why) = &run.stop {
        let by_itself = report.is_some_and(|report| report.outcome == Outcome::Done);
        if !by_itself {
            return verdict(State::Stopped, Some(why.clone()));
        }
    }
    let exit = match ended {
        Ended::Exited(exit, _) => exit,
        Ended::Gone { strays: 0, .. } => {
            return verdict(State::Lost, Some("its supervisor died".to_owned()));
        }
        Ended::Gone { strays, .. } => {
            let why = format!("its supervisor died; {strays} of its processes were left and ended");
            return verdict(State::Lost, Some(why));
        }
        Ended::NeverStarted => {
            let why = "its supervisor ended before its program was let go, each time";
            return verdict(State::Parked, Some(why.to_owned()));
        }
        Ended::Unknown(why) => {
            return verdict(State::Lost, Some(format!("its end cannot be read: {why}")));
        }
    };
    match (exit.reason, report) {
        (Reason::TimedOut, _) => {
            let why = format!("it took longer than {} s", run.timeout_s);
            verdict(State::Failed, Some(why))
        }
        (Reason::NotStarted, _) => {
            let why = exit.error.clone().unwrap_or_default();
            verdict(State::Parked, Some(format!("it cannot be started: {why}")))
        }
        (Reason::Exited | Reason::Signalled, Some(report)) => {
            let why = Some(report.text.clone());
            match report.outcome {
                Outcome::Done => verdict(State::Done, None),
                Outcome::Died => verdict(State::Lost, why),
                Outcome::Exhausted => verdict(State::Failed, why),
                Outcome::RateLimited => verdict(State::Waiting, why),
                Outcome::Unauthorized => verdict(State::Parked, why),
            }
        }
        (Reason::Stopped, _) => {
            // Nobody of Kite's asked for it: somebody signalled the supervisor.
            verdict(
                State::Lost,
                Some("its supervisor was told to end".to_owned()),
            )
        }
        (Reason::Exited | Reason::Signalled | Reason::Lost | Reason::Abandoned, _) => {
            let why = exit.error.clone().unwrap_or_else(|| "it died".to_owned());
            verdict(State::Lost, Some(why))
        }
    }
}
