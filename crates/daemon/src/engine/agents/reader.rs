//! Agents that only read: they are given a text, in a client whose tools change nothing, and what
//! they say at last comes back.

use std::rc::Rc;

use kite_rules::task::TaskId;
use kite_store::Store;
use kite_wire::reply::Fault;

use super::{
    super::{Engine, callers::random, trust::Purpose},
    record::{Record, State, Workplace},
    register::stored,
    spawn::uuid,
};
use crate::config::settings::agents::PermissionMode;

/// The only client that can be held to reading.
const PRESET: &str = "claude";
/// Turns that one may take.
const TURNS_MAX: u32 = 30;
/// Seconds that one may take.
const TIME_MAX_S: u64 = 900;

/// What is to be read.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Reading {
    /// The key of the project, and the directory in it to stand in.
    pub(in crate::engine) project: String,
    pub(in crate::engine) directory: String,
    /// All that it is told.
    pub(in crate::engine) prompt: String,
    /// In a few words, for people.
    pub(in crate::engine) about: String,
    pub(in crate::engine) model: Option<String>,
    pub(in crate::engine) budget_usd: f64,
    /// The session that asked for it.
    pub(in crate::engine) parent: Option<String>,
}

/// How it stands with one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Heard {
    /// It waits for its turn, or reads.
    Nothing,
    Said {
        text: String,
        /// The model that was asked for.
        model: Option<String>,
    },
    /// It came to no end: why.
    Failed(String),
}

impl<S: Store> Engine<S> {
    /// Has an agent read: its id. It takes its place in the queue of all agents.
    ///
    /// # Errors
    /// `not_trusted` where the person has not said that agents may run in the project,
    /// `invalid_field` where the person's own arguments do not limit its tools, or where the store
    /// fails.
    pub(in crate::engine) async fn spawn_reader(
        self: &Rc<Self>,
        reading: Reading,
    ) -> Result<String, Fault> {
        self.trusts(&reading.project, Purpose::Agents).await?;
        let preset = self.preset(PRESET).await?;
        if !preset.can_only_read() {
            return Err(Fault::new(
                "invalid_field",
                format!("the preset `{PRESET}` cannot be held to reading: no argument has {{reads_only}}"),
            )
            .hint("Ask the person to add those of Kite's own preset to [agents.claude]: docs/agents.md."));
        }
        let client = preset.client;
        let id = format!("{:032x}", random());
        let record = Record {
            line: id.clone(),
            id: id.clone(),
            number: self.agents.next_number(),
            preset: PRESET.to_owned(),
            client,
            project: reading.project,
            asked_in: reading.directory,
            workplace: Workplace::Here,
            prompt: Some(reading.prompt),
            reads_only: true,
            about: reading.about,
            model: reading.model.filter(|model| !model.is_empty()),
            max_turns: Some(TURNS_MAX),
            budget_usd: Some(reading.budget_usd),
            timeout_s: TIME_MAX_S,
            permission_mode: PermissionMode::Plan.name().to_owned(),
            root: reading.parent.clone(),
            parent: reading.parent,
            depth: 1,
            client_session: uuid(random()),
            created_ms: self.now().wall_ms,
            ..Record::default()
        };
        stored(self.keep_agent(record).await)?;
        self.agents.wake();
        Ok(id)
    }

    /// What an agent that reads has said so far. One that died is followed to the run after it.
    pub(in crate::engine) fn heard(&self, id: &str) -> Heard {
        let mut next = Some(id.to_owned());
        while let Some(id) = next {
            let Some(run) = self.agents.get(&id) else {
                break;
            };
            if !run.state.has_ended() {
                return Heard::Nothing;
            }
            if run.state == State::Done {
                return Heard::Said {
                    text: run.result.unwrap_or_default(),
                    model: run.model,
                };
            }
            if run.next.is_none() {
                let why = run.reason.unwrap_or_else(|| run.state.name().to_owned());
                return Heard::Failed(why);
            }
            next = run.next;
        }
        Heard::Failed("the agent is not kept any more".to_owned())
    }

    /// The id of the worktree in which an agent did this attempt of a task.
    pub(in crate::engine) fn checkout_for(&self, task: TaskId, attempt: u32) -> Option<String> {
        let task = task.to_string();
        let mut runs = self
            .agents
            .all(|run| run.task.as_ref() == Some(&task) && run.attempt == Some(attempt));
        Some(runs.pop()?.checkout?.id)
    }

    /// Waits until that is an end.
    pub(in crate::engine) async fn heard_at_last(&self, id: &str) -> Heard {
        loop {
            let mut changed = std::pin::pin!(self.agents.changed.notified());
            changed.as_mut().enable();
            match self.heard(id) {
                Heard::Nothing => changed.await,
                end => return end,
            }
        }
    }
}
