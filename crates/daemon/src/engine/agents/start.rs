//! Starting a run: a place to work, a process that waits at a gate, its session, its claim, and go.

use std::{
    fs::{self, DirBuilder},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    rc::Rc,
};

use kite_rules::{
    session::{Owner, State as SessionState},
    task::{Task, TaskId},
};
use kite_store::Store;
use kite_supervisor::{Gate, Run};

use super::{
    super::{Engine, callers::Actor, checkouts::Wanted, trust::Purpose},
    prompt,
    record::{Checkout, Record, State, Workplace},
};
use crate::{presets::Order, translate::refusal::Reader};

/// Seconds between being asked to end and being ended.
const GRACE_S: u64 = 4;
/// Bytes of output that are kept of one run.
const OUTPUT_BYTES_MAX: u64 = 16 << 20;
/// Pause before one that could not be started is tried again.
const AGAIN_PAUSE_MS: u64 = 2_000;
/// Attempts to start one run; with the last of them that comes to nothing it is parked.
const STARTS_MAX: u32 = 10;

/// Why a run did not start.
enum Stopped {
    /// Somebody wants it to end.
    Asked(String),
    /// The facts changed while it was started, or the machine lacks something for now; it goes back
    /// into the queue, [`STARTS_MAX`] times.
    Again(String),
    /// It cannot be started, nor will it be able to by itself.
    Failed(String),
    /// As `Failed`, and the person has to do something about it.
    Parked(String),
}

impl<S: Store> Engine<S> {
    /// Starts a run that is `starting`, and watches it to its end.
    pub(super) async fn start_agent(self: &Rc<Self>, id: &str) {
        let started = self.try_start(id).await;
        let now = self.now().wall_ms;
        match started {
            Ok(()) => return self.watch_agent(id).await,
            Err(Stopped::Again(why)) => {
                self.change_agent(id, |run| match count_vain_start(run, now) {
                    Ok(()) => {
                        run.state = State::Queued;
                        run.reason = Some(why);
                    }
                    Err(parked) => {
                        run.state = State::Parked;
                        run.reason = Some(format!("{parked}; at last: {why}"));
                        run.ended_ms = Some(now);
                    }
                })
                .await;
            }
            Err(Stopped::Failed(why)) => return self.agent_failed(id, why).await,
            Err(Stopped::Parked(why)) => {
                self.change_agent(id, |run| {
                    run.state = State::Parked;
                    run.reason = Some(why);
                    run.ended_ms = Some(now);
                })
                .await;
            }
            Err(Stopped::Asked(why)) => {
                self.change_agent(id, |run| {
                    run.state = State::Stopped;
                    run.reason = Some(why);
                    run.ended_ms = Some(now);
                })
                .await;
            }
        }
        self.agents.wake();
    }

    async fn try_start(self: &Rc<Self>, id: &str) -> Result<(), Stopped> {
        let run = self.still_wanted(id)?;
        // It may have been queued for long.
        let trusted = self.trusts(&run.project, Purpose::Agents).await;
        trusted.map_err(|fault| Stopped::Failed(fault.to_string()))?;
        let run = self.with_workplace(run).await?;
        // A worktree's own commit may bring along other settings than those that were looked at.
        let trusted = self
            .trusts_at(&run.project, run.cwd(), Purpose::Agents)
            .await;
        trusted.map_err(|fault| Stopped::Failed(fault.to_string()))?;
        let (gate, client_session) = self.at_the_gate(&run).await?;
        let run = self.still_wanted(id)?;
        let ready = self.with_session(&run, &gate, client_session).await;
        match ready {
            Ok(()) => {}
            Err(stopped) => {
                drop(gate);
                self.end_session_of(id, "it was not started").await;
                return Err(stopped);
            }
        }
        let opened = tokio::task::spawn_blocking(move || gate.open()).await;
        if !matches!(opened, Ok(Ok(()))) {
            // The supervisor died: whoever watches it finds out.
            self.agent_trouble(&run, "its supervisor ended before it was told to go");
        }
        // Asked while it was let go.
        if let Some(run) = self.agents.get(id).filter(|run| run.stop.is_some()) {
            self.change_agent(id, |run| run.state = State::Stopping)
                .await;
            self.signal_stop(&run).await;
        }
        Ok(())
    }

    fn still_wanted(&self, id: &str) -> Result<Record, Stopped> {
        let run = self.agents.get(id);
        let run = run.ok_or_else(|| Stopped::Failed("it is not kept any more".to_owned()))?;
        match &run.stop {
            Some(why) => Err(Stopped::Asked(why.clone())),
            None => Ok(run),
        }
    }

    /// Makes the worktree that it is to have.
    async fn with_workplace(self: &Rc<Self>, run: Record) -> Result<Record, Stopped> {
        let Workplace::New { wanted } = run.workplace else {
            return Ok(run);
        };
        if let Some(checkout) = &run.checkout {
            // Of the run before.
            if self.checkout(&checkout.id).is_some() {
                return Ok(run);
            }
        }
        let base = self.base_of(&run);
        let about = Wanted {
            agent: Some(run.id.clone()),
            about: run.about.clone(),
            base,
        };
        let made = match self.checkout_of_agent(&run.id) {
            // Made by a daemon that died before it had noted it here.
            Some(made) => Ok(made),
            None => self.make_checkout(Path::new(&run.asked_in), about).await,
        };
        let made = match made {
            Ok(made) => made,
            // By default one has a worktree where there can be one.
            Err(fault) if !wanted && fault.code == "not_a_repository" => {
                let changed = self
                    .change_agent(&run.id, |run| run.workplace = Workplace::Here)
                    .await;
                return changed
                    .ok_or_else(|| Stopped::Failed("it is not kept any more".to_owned()));
            }
            Err(fault) => {
                return Err(Stopped::Failed(format!(
                    "no worktree could be made: {fault}"
                )));
            }
        };
        let checkout = Checkout {
            id: made.id,
            path: made.path.display().to_string(),
            branch: made.branch,
        };
        let changed = self
            .change_agent(&run.id, |run| run.checkout = Some(checkout))
            .await;
        changed.ok_or_else(|| Stopped::Failed("it is not kept any more".to_owned()))
    }

    /// A worktree for a task that builds upon one other's begins with that one's branch.
    fn base_of(&self, run: &Record) -> Option<String> {
        let id = run.task_id()?;
        let depends_on = self
            .store
            .read(|ledger| ledger.tasks.get(id).map(|task| task.depends_on.clone()))?;
        match depends_on.as_slice() {
            [one] => self.branch_of(*one),
            _ => None,
        }
    }

    /// The branch of the agent that did a task.
    fn branch_of(&self, task: TaskId) -> Option<String> {
        let task = task.to_string();
        let is_its = |run: &Record| run.task.as_ref() == Some(&task) && run.state == State::Done;
        let run = self.agents.all(is_its).pop()?;
        let checkout = run.checkout?;
        self.checkout(&checkout.id).map(|checkout| checkout.branch)
    }

    /// Has its process made, which waits.
    async fn at_the_gate(self: &Rc<Self>, run: &Record) -> Result<(Gate, Option<String>), Stopped> {
        let preset = self.preset(&run.preset).await;
        let preset = preset.map_err(|fault| Stopped::Parked(fault.to_string()))?;
        let kite = kite_program(self.identity.home.bin());
        let kite =
            kite.ok_or_else(|| Stopped::Parked("Kite's own program was not found".to_owned()))?;
        let directory = self.run_directory(&run.id);
        let order = Order {
            agent: run.id.clone(),
            prompt: self.prompt_of(run),
            session_id: run.client_session.clone(),
            model: run.model.clone(),
            max_turns: run.max_turns,
            budget_usd: run.budget_usd,
            permission_mode: run.mode(),
            reads_only: run.reads_only,
            directory: directory.clone(),
            cwd: PathBuf::from(run.cwd()),
            home: self.identity.home.path().to_owned(),
            kite: kite.clone(),
        };
        let names: Vec<String> = std::env::vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .collect();
        let command = preset.command(&order, &|name| std::env::var(name).ok(), &names);
        let supervised = Run {
            argv: command.argv,
            directory: order.cwd,
            environment: command.environment,
            cookie: run.id.clone(),
            input: command.input,
            time_max_s: Some(run.timeout_s),
            grace_s: GRACE_S,
            output_bytes_max: OUTPUT_BYTES_MAX,
            umask: 0o022,
        };
        let (prompt_file, client_session) = (command.prompt_file, command.client_session_id);
        let begin = move || -> Result<Gate, kite_supervisor::Error> {
            make_directory(&directory)?;
            if let Some(text) = prompt_file {
                write_private(&directory.join("prompt.md"), &text)?;
            }
            kite_supervisor::prepare(&directory, &supervised)?;
            kite_supervisor::start(&kite, &directory)
        };
        match tokio::task::spawn_blocking(begin).await {
            Ok(Ok(gate)) => Ok((gate, client_session)),
            Ok(Err(error)) if may_pass(&error) => Err(Stopped::Again(error.to_string())),
            Ok(Err(error)) => Err(Stopped::Parked(error.to_string())),
            Err(_) => Err(Stopped::Again("the daemon was ending".to_owned())),
        }
    }

    /// One that was ready, but whose program was never let go. Whether it is to be tried again.
    pub(super) async fn may_start_again(self: &Rc<Self>, id: &str) -> bool {
        let now = self.now().wall_ms;
        let mut may = false;
        let count = |run: &mut Record| may = count_vain_start(run, now).is_ok();
        self.change_agent(id, count).await;
        may
    }

    fn prompt_of(&self, run: &Record) -> String {
        if run.reads_only {
            return run.prompt.clone().unwrap_or_default();
        }
        let why_again = run.previous.as_deref().and_then(|id| {
            let before = self.agents.get(id)?;
            (before.state == State::Lost).then_some(before.reason)?
        });
        self.store.read(|ledger| {
            let task = run.task_id().and_then(|id| ledger.tasks.get(id));
            let before: Vec<&Task> = task
                .iter()
                .flat_map(|task| &task.depends_on)
                .filter_map(|id| ledger.tasks.get(*id))
                .collect();
            let done: Vec<prompt::Done<'_>> = before
                .into_iter()
                .map(|task| prompt::Done {
                    task,
                    branch: self.branch_of(task.id),
                })
                .collect();
            let claimed = task.map(|task| (task, task.attempt + 1));
            prompt::write(run, claimed, &done, why_again.as_deref())
        })
    }

    /// Opens its session, claims its task, and keeps both before anything runs.
    async fn with_session(
        self: &Rc<Self>,
        run: &Record,
        gate: &Gate,
        client_session: Option<String>,
    ) -> Result<(), Stopped> {
        let actor = Actor {
            client: run.client.clone(),
            pid: Some(gate.child.pid),
            client_session_id: client_session,
            cwd: Some(run.cwd().to_owned()),
            intent: Some(run.about.clone()),
            ..Actor::default()
        };
        let opened = self.open(actor).await;
        let session = match opened {
            Ok(Some(session)) => session,
            Ok(None) => return Err(Stopped::Again("its process ended at the gate".to_owned())),
            Err(fault) => return Err(Stopped::Again(fault.to_string())),
        };
        let now = self.now().wall_ms;
        let pid = gate.child.pid;
        self.change_agent(&run.id, |run| {
            run.session = Some(session.to_string());
            run.pid = Some(pid);
        })
        .await;
        let attempt = match run.task_id() {
            None => None,
            Some(task) => Some(self.claim_for(task, &Owner::session(session)).await?),
        };
        let changed = self
            .change_agent(&run.id, |run| {
                run.state = State::Running;
                run.attempt = attempt;
                run.started_ms = Some(now);
            })
            .await;
        match changed {
            Some(_) => Ok(()),
            None => Err(Stopped::Failed("it is not kept any more".to_owned())),
        }
    }

    async fn claim_for(&self, task: TaskId, owner: &Owner) -> Result<u32, Stopped> {
        let expected = self
            .store
            .read(|ledger| ledger.tasks.get(task).map(|task| task.attempt + 1));
        let judged = self.store.claim(task, owner, self.now(), None).await;
        let changed = match judged {
            Err(error) => return Err(Stopped::Again(error.to_string())),
            Ok(Err(refusal)) => {
                let fault = self.refused(&refusal, Reader::Request);
                return Err(Stopped::Failed(format!(
                    "its task could not be claimed: {}",
                    fault.message
                )));
            }
            Ok(Ok(changed)) => changed,
        };
        self.task_changed(&changed, "claimed", Some(owner.session));
        let attempt = self
            .store
            .read(|ledger| ledger.tasks.get(task).map_or(0, |task| task.attempt));
        match expected == Some(attempt) {
            true => Ok(attempt),
            // Somebody had it and gave it back in between: the prompt names another attempt.
            false => Err(Stopped::Again(
                "its task moved on while it was started".to_owned(),
            )),
        }
    }

    /// Ends the session of a run that does not go on.
    async fn end_session_of(self: &Rc<Self>, id: &str, why: &str) {
        let Some(run) = self.agents.get(id) else {
            return;
        };
        if let Some(owner) = run.owner() {
            if let Some(task) = run.task_id() {
                self.end_claim_of_agent(task, &owner, None, why).await;
            }
            self.end_session_now(owner.session, SessionState::Ended, why)
                .await;
        }
        self.change_agent(id, |run| {
            run.session = None;
            run.pid = None;
        })
        .await;
    }
}

/// Counts one more attempt, and puts the next one off.
///
/// # Errors
/// That was the last.
fn count_vain_start(run: &mut Record, now_ms: u64) -> Result<(), String> {
    run.vain_starts = run.vain_starts.saturating_add(1);
    run.not_before_ms = now_ms.saturating_add(AGAIN_PAUSE_MS);
    match run.vain_starts < STARTS_MAX {
        true => Ok(()),
        false => Err(format!("{STARTS_MAX} attempts to start it came to nothing")),
    }
}

/// Whether it may go better later: the machine is short of processes, memory, files or space, or so
/// busy that the supervisor said nothing in time.
fn may_pass(error: &kite_supervisor::Error) -> bool {
    match error {
        kite_supervisor::Error::Io(error) => !matches!(
            error.kind(),
            io::ErrorKind::NotFound
                | io::ErrorKind::PermissionDenied
                | io::ErrorKind::InvalidInput
                | io::ErrorKind::InvalidData
                | io::ErrorKind::NotADirectory
                | io::ErrorKind::ReadOnlyFilesystem
        ),
        // Its words alone tell why: a shortage, or a place to work that is not there.
        kite_supervisor::Error::Refused(_) | kite_supervisor::Error::Silent(_) => true,
    }
}

/// The program that becomes the supervisor: the installed one, for this one may be about to be
/// replaced, else this one.
fn kite_program(bin: PathBuf) -> Option<PathBuf> {
    let installed = bin.join("kite");
    if installed.is_file() {
        return Some(installed);
    }
    std::env::current_exe().ok()
}

fn make_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    let options = options.create(true).write(true).truncate(true).mode(0o600);
    options.open(path)?.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use kite_supervisor::Error;

    use super::*;

    #[test]
    fn a_start_is_tried_a_counted_number_of_times() {
        let mut run = Record::default();
        for _ in 1..STARTS_MAX {
            assert_eq!(count_vain_start(&mut run, 1_000), Ok(()));
            assert_eq!(run.not_before_ms, 1_000 + AGAIN_PAUSE_MS);
        }
        let told = count_vain_start(&mut run, 1_000).unwrap_err();
        assert_eq!(told, "10 attempts to start it came to nothing");
        // The run that follows it begins anew.
        let next = run.again("b".to_owned(), String::new(), 2, 2_000);
        assert_eq!(next.vain_starts, 0);
    }

    #[test]
    fn a_shortage_passes_and_what_is_missing_stays_missing() {
        let fault = |kind: io::ErrorKind| Error::Io(kind.into());
        for passing in [
            fault(io::ErrorKind::WouldBlock),
            fault(io::ErrorKind::StorageFull),
            fault(io::ErrorKind::OutOfMemory),
            fault(io::ErrorKind::ResourceBusy),
            fault(io::ErrorKind::ExecutableFileBusy),
            Error::Silent(String::new()),
        ] {
            assert!(may_pass(&passing), "{passing}");
        }
        for lasting in [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied] {
            assert!(!may_pass(&fault(lasting)), "{lasting}");
        }
    }
}
