//! The project's own tools, run under its named locks.
//!
//! A tool runs only as a person has trusted it, with arguments that fit its definition, under a
//! supervisor process of its own: the end of this daemon, or of whoever asked, is not the end of a
//! run. Where nobody saw how one ended, its lock stays closed until a person has looked.
//!
//! **Architecture Invariant:** what is run is an array of arguments that the definition wrote; a run is
//! durable before its program starts; and a repeated request starts nothing twice.

mod ended;
mod launch;
mod names;
mod record;
mod shown;
#[cfg(test)]
mod stories;
mod turn;

use std::{path::PathBuf, rc::Rc, time::Duration};

use kite_rules::{limits::LOCK_WAIT_MS_MAX, session::Owner};
use kite_store::Store;
use kite_wire::{
    reply::{Fault, ok_line, project_tools as shown_as},
    request::{Envelope, ToolList, ToolRun, ToolSettle, nearest_hint},
};
use tokio::time::{Instant, timeout_at};

use super::{Engine, callers::random, retries::with_id, storage, to_its_end, trust::working_copy};
use crate::{
    config::tools::Definition, doors::Connection, hands::trust as facts, translate::words::inline,
};
pub(super) use record::ProjectTools;
use record::{Record, State};

/// The kind of this room's documents; the key is the run's id.
const KIND: &str = "tool_run";
/// How long a request waits for the end of a run before it says that it still goes on.
const SLICE: Duration = Duration::from_secs(10);

impl<S: Store> Engine<S> {
    pub(super) async fn tool_list(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: ToolList,
    ) -> Result<Vec<u8>, Fault> {
        let place = self
            .place(connection, envelope, None, request.project.as_deref())
            .await?;
        let worktree = working_copy(&place.directory).await;
        let (tools, problems) = facts::tools(PathBuf::from(worktree)).await;
        let tools = tools.iter().map(|(tool, hash)| {
            let state = self.tool_trust(&place.project, &tool.name, hash);
            shown::tool(tool, state)
        });
        let body = shown_as::ProjectTools {
            tools: tools.collect(),
            problems: problems.iter().map(ToString::to_string).collect(),
            runs: self.runs_of(&place.project),
        };
        Ok(ok_line(envelope.id, &body))
    }

    pub(super) async fn tool_run(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        envelope: &Envelope,
        request: ToolRun,
    ) -> Result<Vec<u8>, Fault> {
        if let Some(id) = &request.run {
            let id = self.run_named(id)?.id;
            return self.answer_run(envelope, &id).await;
        }
        let owner = self.owner(connection, envelope).await?;
        if let Some(id) = self.run_of_operation(envelope) {
            return self.answer_run(envelope, &id).await;
        }
        let wait_ms = request.wait_s.unwrap_or(0).saturating_mul(1_000);
        if wait_ms > LOCK_WAIT_MS_MAX {
            let most = LOCK_WAIT_MS_MAX / 1_000;
            return Err(Fault::new("invalid_field", "`wait_s` is out of bounds")
                .hint(format!("wait_s: 0 to {most}; ask again to wait longer")));
        }
        let (order, run) = self.order(connection, envelope, &owner, &request).await?;
        let wait = Duration::from_millis(wait_ms);
        let run = self
            .take_turn(connection, envelope, &owner, run, wait)
            .await?;
        let id = run.id.clone();
        let engine = Rc::clone(self);
        // From here on it is done whoever goes away.
        to_its_end(async move { engine.launch(run, order).await }).await?;
        self.answer_run(envelope, &id).await
    }

    /// What is to run: the definition as it is trusted, with the arguments in their places.
    async fn order(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        owner: &Owner,
        request: &ToolRun,
    ) -> Result<(launch::Order, Record), Fault> {
        let named = request.project.as_deref();
        let place = self
            .place(connection, envelope, Some(owner.session), named)
            .await?;
        let worktree = PathBuf::from(working_copy(&place.directory).await);
        let name = &request.name;
        let Some((tool, hash)) = facts::tool(worktree.clone(), name.clone()).await else {
            return Err(unknown(worktree, name).await);
        };
        if request
            .definition
            .as_ref()
            .is_some_and(|known| *known != tool.fingerprint())
        {
            return Err(Fault::new(
                "definition_changed",
                format!("The definition of the project's tool `{name}` changed since this session was given it. Nothing was run."),
            )
            .hint("A session that starts now is given the new one; tell the person."));
        }
        self.trusts_tool(&place.project, name, &hash)?;
        let filled = tool
            .fill(&request.arguments)
            .map_err(|why| Fault::new("invalid_field", why).hint("Correct this and call again."))?;
        let run = Record {
            id: format!("{:032x}", random()),
            tool: tool.name.clone(),
            project: place.project,
            arguments: cleaned(&request.arguments),
            lock: filled.lock,
            session: owner.session.to_string(),
            agent: owner.agent.clone(),
            op_id: envelope.op_id.clone(),
            read_only: tool.read_only,
            timeout_s: tool.timeout_s,
            output_bytes_max: tool.output_bytes_max,
            started_ms: self.now().wall_ms,
            ..Record::default()
        };
        let order = launch::order(&tool, filled.argv, worktree, &run.id).await?;
        Ok((order, run))
    }

    pub(super) async fn tool_settle(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: ToolSettle,
    ) -> Result<Vec<u8>, Fault> {
        self.person(connection, envelope).await?;
        let run = self.run_named(&request.run)?;
        if run.state != State::Uncertain {
            let message = format!(
                "Run {} is not uncertain: it is {}.",
                &run.id[..8],
                run.state.word()
            );
            return Err(Fault::new("invalid_field", message).hint("There is nothing to settle."));
        }
        let reason = super::secrets::clean(request.reason.as_deref());
        self.end_run(&run.id, |run| {
            run.state = State::Settled;
            run.reason = reason;
        })
        .await?;
        self.answer_run(envelope, &run.id).await
    }

    /// Says how a run ended, or after a while that it still goes on.
    async fn answer_run(&self, envelope: &Envelope, id: &str) -> Result<Vec<u8>, Fault> {
        let until = Instant::now() + SLICE;
        let run = loop {
            let mut moved = std::pin::pin!(self.project_tools.moved.notified());
            moved.as_mut().enable();
            let run = self.run_named(id)?;
            if run.state != State::Running || timeout_at(until, moved).await.is_err() {
                break run;
            }
        };
        let goes_on = run.state == State::Running;
        let body = shown_as::OneToolRun {
            run: self.run_with_output(run).await,
        };
        let line = ok_line(None, &body);
        if let Some(op_id) = envelope.op_id.as_ref().filter(|_| !goes_on) {
            let kept = self.store.remember(op_id, &line).await;
            kept.map_err(|error| storage(&error))?;
        }
        Ok(with_id(&line, envelope.id))
    }

    /// The run of a request that came before.
    fn run_of_operation(&self, envelope: &Envelope) -> Option<String> {
        let op_id = envelope.op_id.as_deref()?;
        let its = |run: &Record| run.op_id.as_deref() == Some(op_id);
        let open = self.project_tools.find(its);
        open.or_else(|| self.ended_runs().into_iter().find(its))
            .map(|run| run.id)
    }

    /// The run with this id, or with the only one that begins so.
    fn run_named(&self, id: &str) -> Result<Record, Fault> {
        if let Some(run) = self.project_tools.get(id) {
            return Ok(run);
        }
        let mut found: Vec<Record> = self.ended_runs();
        found.retain(|run| run.id.starts_with(id));
        found.extend(self.project_tools.find(|run| run.id.starts_with(id)));
        found.dedup_by(|a, b| a.id == b.id);
        match found.as_slice() {
            [run] if id.len() >= 4 => Ok(run.clone()),
            _ => Err(Fault::new(
                "invalid_field",
                format!("no run of a tool is called `{}`", inline(id, 40)),
            )
            .hint("give its id, or the first 8 characters of it")),
        }
    }
}

/// The arguments as they are kept: without secrets.
fn cleaned(
    arguments: &serde_json::Map<String, serde_json::Value>,
) -> serde_json::Map<String, serde_json::Value> {
    let clean = |value: &serde_json::Value| match value.as_str() {
        Some(text) => kite_redact::redact(text).into_owned().into(),
        None => value.clone(),
    };
    arguments
        .iter()
        .map(|(name, value)| (name.clone(), clean(value)))
        .collect()
}

async fn unknown(worktree: PathBuf, name: &str) -> Fault {
    let (tools, problems) = facts::tools(worktree).await;
    let shown = inline(name, 60);
    let bad = problems
        .iter()
        .find(|problem| problem.message.starts_with(&format!("`tools.{name}")));
    if let Some(problem) = bad {
        return Fault::new(
            "unknown_tool",
            format!("the project's tool `{shown}` is not declared rightly: {problem}"),
        )
        .hint("correct the definition");
    }
    let names = tools
        .iter()
        .map(|(tool, _): &(Definition, String)| tool.name.as_str());
    let hint = match tools.is_empty() {
        true => "it declares none; docs/project-tools.md says how".to_owned(),
        false => nearest_hint(name, names),
    };
    Fault::new(
        "unknown_tool",
        format!("the project declares no tool `{shown}`"),
    )
    .hint(hint)
}
