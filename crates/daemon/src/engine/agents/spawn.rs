//! Asking for an agent.

use std::{rc::Rc, time::Duration};

use kite_rules::{session::SessionId, task};
use kite_store::Store;
use kite_wire::{
    reply::{Fault, agents::OneAgent, ok_line},
    request::{AgentSpawn, Envelope},
};

use super::{
    super::{Engine, callers::random, retries::with_id, trust::Purpose},
    limits::{self, Asker, MODEL_CHARS_MAX, PROMPT_CHARS_MAX, TURNS_MAX},
    record::{Record, State, Workplace},
    register::stored,
};
use crate::{
    config::settings::agents::PermissionMode,
    doors::Connection,
    presets,
    translate::{state_name, words::inline},
};

/// How long an answer waits for the run to be under way, so that it can name its session.
const ANSWER_WAIT: Duration = Duration::from_secs(8);
/// Characters of the line that says what a run is about.
const ABOUT_CHARS_MAX: usize = 120;
/// The preset where none is named.
const USUAL_PRESET: &str = "claude";

impl<S: Store> Engine<S> {
    pub(in crate::engine) async fn agent_spawn(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: AgentSpawn,
    ) -> Result<Vec<u8>, Fault> {
        // A daemon that died after it kept the run, and before it answered.
        let repeated = envelope.op_id.as_ref().and_then(|op_id| {
            let mut made = self.agents.all(|run| run.op_id.as_ref() == Some(op_id));
            made.pop()
        });
        let record = match repeated {
            Some(record) => record,
            None => {
                let _judged_alone = self.agents.asking.lock().await;
                let record = self.agent_wanted(connection, envelope, request).await?;
                stored(self.keep_agent(record.clone()).await)?;
                self.agents.wake();
                record
            }
        };
        let record = self.under_way(&record.id).await.unwrap_or(record);
        let outcome = match record.state {
            State::Queued | State::Starting => "queued",
            State::Running | State::Stopping => "started",
            ended => ended.name(),
        };
        let body = OneAgent {
            agent: self.agent_shown(&record),
            outcome: outcome.to_owned(),
        };
        let line = ok_line(None, &body);
        if let Some(op_id) = &envelope.op_id {
            stored(self.store.remember(op_id, &line).await)?;
        }
        Ok(with_id(&line, envelope.id))
    }

    /// The run as it is once it has started or has to wait.
    async fn under_way(&self, id: &str) -> Option<Record> {
        let settled = async {
            loop {
                let mut changed = std::pin::pin!(self.agents.changed.notified());
                changed.as_mut().enable();
                let record = self.agents.get(id)?;
                let waits = record.state == State::Queued && !self.can_start_now(&record);
                if waits || !matches!(record.state, State::Queued | State::Starting) {
                    return Some(record);
                }
                changed.await;
            }
        };
        match tokio::time::timeout(ANSWER_WAIT, settled).await {
            Ok(record) => record,
            Err(_) => self.agents.get(id),
        }
    }

    async fn agent_wanted(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: AgentSpawn,
    ) -> Result<Record, Fault> {
        check(&request)?;
        let asked_by = self.agent_asker(connection, envelope).await?;
        let session = asked_by
            .session
            .as_deref()
            .and_then(crate::translate::session_id);
        let place = self
            .place(connection, envelope, session, request.project.as_deref())
            .await?;
        self.trusts(&place.project, Purpose::Agents).await?;
        let name = request
            .agent
            .clone()
            .unwrap_or_else(|| USUAL_PRESET.to_owned());
        let client = self.preset(&name).await?.client;
        let (task, about) = self.agent_task(&place.project, &request)?;
        let workplace = self
            .workplace(&place.project, request.worktree.as_deref())
            .await?;
        let settings = &self.settings.of_home().agents;
        let asker = Asker {
            session: asked_by.session.clone(),
            agent: asked_by.agent.as_ref(),
            mode: asked_by.mode,
        };
        let mode = limits::mode(
            request.permission_mode.as_deref(),
            asker.mode,
            settings.permission_mode,
        )?;
        let descent = self
            .agents
            .with(|all| limits::descent(&asker, all, settings))?;
        let id = format!("{:032x}", random());
        let timeout_s = request.timeout_s.unwrap_or(settings.timeout_s);
        Ok(Record {
            line: id.clone(),
            id,
            number: self.agents.next_number(),
            op_id: envelope.op_id.clone(),
            preset: name,
            client,
            project: place.project,
            asked_in: place.directory,
            workplace,
            task: task.map(|task| task.to_string()),
            prompt: request
                .prompt
                .map(|prompt| kite_redact::redact(&prompt).into_owned()),
            about,
            model: request.model,
            max_turns: request.max_turns,
            budget_usd: limits::at_most(request.budget_usd, settings.budget_usd),
            timeout_s: timeout_s.clamp(1, settings.timeout_s.max(1)),
            permission_mode: mode.name().to_owned(),
            parent: asked_by.session,
            root: descent.root,
            depth: descent.depth,
            client_session: uuid(random()),
            created_ms: self.now().wall_ms,
            ..Record::default()
        })
    }

    /// A preset, read off the loop.
    pub(super) async fn preset(&self, name: &str) -> Result<presets::Preset, Fault> {
        let (home, name) = (self.identity.home.path().to_owned(), name.to_owned());
        let read = tokio::task::spawn_blocking(move || presets::named(&home, &name)).await;
        read.unwrap_or_else(|_| Err(Fault::new("draining", "the daemon is ending")))
    }

    /// The task it is for, and what it is about.
    fn agent_task(
        &self,
        project: &str,
        request: &AgentSpawn,
    ) -> Result<(Option<task::TaskId>, String), Fault> {
        let first_line = |text: &str| {
            let line = text.lines().map(str::trim).find(|line| !line.is_empty());
            inline(
                &kite_redact::redact(line.unwrap_or_default()),
                ABOUT_CHARS_MAX,
            )
        };
        let Some(given) = &request.task else {
            return Ok((
                None,
                first_line(request.prompt.as_deref().unwrap_or_default()),
            ));
        };
        let id = self.find(given)?;
        let (title, state, of) = self.store.read(|ledger| {
            let task = ledger.tasks.get(id);
            task.map_or_else(Default::default, |task| {
                (task.title.clone(), task.state, task.project.clone())
            })
        });
        if of != project {
            return Err(Fault::new(
                "invalid_field",
                format!("task {id:.8} is of another project"),
            )
            .hint("name its directory as `project`"));
        }
        if !matches!(state, task::State::Ready | task::State::Blocked) {
            let code = match state {
                task::State::Claimed => "already_claimed",
                _ => "not_ready",
            };
            return Err(Fault::new(
                code,
                format!(
                    "task {id:.8} is {}: no agent can claim it",
                    state_name(state)
                ),
            )
            .hint("`task_list` shows those that are ready"));
        }
        let task = id.to_string();
        let is_same = |run: &Record| !run.state.has_ended() && run.task.as_ref() == Some(&task);
        match self.agents.all(is_same).first() {
            None => Ok((Some(id), first_line(&title))),
            Some(run) => Err(Fault::new(
                "already_claimed",
                format!(
                    "agent {} is {} for task {id:.8} already",
                    &run.id[..8],
                    run.state.name()
                ),
            )
            .hint("`agent_list` shows how it stands; its result will stand in the task")),
        }
    }

    async fn workplace(&self, project: &str, asked: Option<&str>) -> Result<Workplace, Fault> {
        match asked {
            None if self.settings.of_home().agents.own_worktree => {
                Ok(Workplace::New { wanted: false })
            }
            None | Some("none") => Ok(Workplace::Here),
            Some("new") => Ok(Workplace::New { wanted: true }),
            Some(path) if path.starts_with('/') => {
                if self.project_of(path).await == project {
                    return Ok(Workplace::At(path.to_owned()));
                }
                Err(
                    Fault::new("invalid_field", "`worktree` is not in this project")
                        .hint("give `none`, `new`, or the absolute path of one of its worktrees"),
                )
            }
            Some(_) => Err(
                Fault::new("invalid_field", "`worktree` is not an absolute path")
                    .hint("give `none`, `new`, or the absolute path of a worktree of the project"),
            ),
        }
    }

    /// Who asks: a person, a session of one, or an agent that Kite runs.
    pub(super) async fn agent_asker(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<AskedBy, Fault> {
        let asker = self.asker(connection, envelope).await?;
        let id = match asker.filter(|id| !self.is_person(*id)) {
            Some(id) => id,
            // Whoever an agent started is no person, whatever they say of themselves.
            None => match self.agent_above(connection).await? {
                Some(id) => id,
                None => return Ok(AskedBy::default()),
            },
        };
        let agent = self.agents.of_session(id);
        let told = self.agents.mode_of(id);
        let given = agent.as_ref().map(Record::mode);
        // A client that does not tell what it may do is taken to edit files, and no more.
        let mode = match (told, given) {
            // What it says of itself gives it no more than it was started with.
            (Some(told), Some(given)) => told.min(given),
            (one, other) => one.or(other).unwrap_or(PermissionMode::AcceptEdits),
        };
        Ok(AskedBy {
            session: Some(id.to_string()),
            mode: Some(mode),
            agent,
        })
    }

    fn is_person(&self, id: SessionId) -> bool {
        self.store.read(|ledger| {
            let session = ledger.sessions.get(&id);
            session.is_some_and(|session| session.kind == kite_rules::session::Kind::Person)
        })
    }
}

/// Who asks. Nothing is set for a person.
#[derive(Default)]
pub(super) struct AskedBy {
    pub(super) session: Option<String>,
    pub(super) agent: Option<Record>,
    pub(super) mode: Option<PermissionMode>,
}

fn check(request: &AgentSpawn) -> Result<(), Fault> {
    let invalid =
        |message: String, hint: &str| Err(Fault::new("invalid_field", message).hint(hint));
    let prompt = request.prompt.as_deref().unwrap_or_default();
    if request.task.is_none() && prompt.trim().is_empty() {
        let hint = "give the `task` it is to claim, or a `prompt`, or both";
        return invalid("an agent needs something to do".to_owned(), hint);
    }
    if prompt.chars().count() > PROMPT_CHARS_MAX {
        let hint = "put the rest into a file, and name it in the prompt";
        return invalid(
            format!("`prompt` is longer than {PROMPT_CHARS_MAX} characters"),
            hint,
        );
    }
    if let Some(model) = &request.model {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._/:@[]".contains(c);
        let fits = !model.is_empty() && model.len() <= MODEL_CHARS_MAX;
        if !fits || model.starts_with('-') || !model.chars().all(is_plain) {
            return invalid(
                "`model` is not the name of one".to_owned(),
                "leave it out for the usual one",
            );
        }
    }
    if request
        .max_turns
        .is_some_and(|turns| turns == 0 || turns > TURNS_MAX)
    {
        return invalid(
            format!("`max_turns` is not within 1 and {TURNS_MAX}"),
            "leave it out for no limit",
        );
    }
    if request
        .budget_usd
        .is_some_and(|usd| !usd.is_finite() || usd <= 0.0)
    {
        return invalid(
            "`budget_usd` is not more than 0".to_owned(),
            "leave it out for the usual one",
        );
    }
    if request.timeout_s == Some(0) {
        return invalid(
            "`timeout_s` is 0".to_owned(),
            "leave it out for the usual one",
        );
    }
    Ok(())
}

/// A UUID of random bits, version 4.
pub(super) fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    parts.join("-")
}

#[cfg(test)]
mod tests {
    use super::uuid;

    #[test]
    fn a_uuid_says_that_it_is_random() {
        assert_eq!(uuid(u128::MAX), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
    }
}
