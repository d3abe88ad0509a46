//! Listing and stopping agents.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::{
        Fault,
        agents::{Agents, OneAgent},
        ok_line,
    },
    request::{AgentList, AgentStop, Envelope},
};

use super::{
    super::Engine,
    record::{Record, State},
    register::{is_queued, is_under_way, stored},
    spawn::AskedBy,
};
use crate::{doors::Connection, translate::words::inline};

/// Agents on one page: usually, and at most.
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 200;
/// Characters of the reason that somebody gives for stopping.
const REASON_CHARS_MAX: usize = 200;

/// A person ends any agent; a session those that come from it, and its own.
fn may_stop(asker: &AskedBy, record: &Record) -> bool {
    asker.session.is_none()
        || [&record.parent, &record.root, &record.session].contains(&&asker.session)
}

impl<S: Store> Engine<S> {
    pub(in crate::engine) async fn agent_list(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: AgentList,
    ) -> Result<Vec<u8>, Fault> {
        let found = match &request.agent {
            Some(given) => vec![self.agents.find(given)?],
            None => {
                let project = match request.project.as_deref() {
                    Some("*") => None,
                    given => self.place(connection, envelope, None, given).await.ok(),
                };
                let is_wanted = |run: &Record| {
                    let there = project
                        .as_ref()
                        .is_none_or(|place| place.project == run.project);
                    there && (request.ended || !run.state.has_ended())
                };
                let mut found = self.agents.all(is_wanted);
                found.reverse();
                found.truncate(request.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX) as usize);
                found
            }
        };
        let body = Agents {
            agents: found.iter().map(|run| self.agent_shown(run)).collect(),
            running: self.agents.count(is_under_way) as u64,
            queued: self.agents.count(is_queued) as u64,
            running_max: self.settings.of_home().agents.running_max() as u64,
        };
        Ok(ok_line(envelope.id, &body))
    }

    pub(in crate::engine) async fn agent_stop(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: AgentStop,
    ) -> Result<Vec<u8>, Fault> {
        let asker = self.agent_asker(connection, envelope).await?;
        let record = self.agents.find(&request.agent)?;
        if !may_stop(&asker, &record) {
            return Err(Fault::new(
                "not_allowed",
                format!("agent {} was started by somebody else", &record.id[..8]),
            )
            .hint(
                "Ask the person; an agent is ended by them, or by the session that it comes from.",
            ));
        }
        let by = match &asker.session {
            Some(session) => format!("session {}", &session[..8]),
            None => "a person".to_owned(),
        };
        let why = match &request.reason {
            Some(reason) => format!(
                "stopped by {by}: {}",
                inline(&kite_redact::redact(reason), REASON_CHARS_MAX)
            ),
            None => format!("stopped by {by}"),
        };
        let (record, outcome) = self.stop_agent(&record, why).await?;
        let body = OneAgent {
            agent: self.agent_shown(&record),
            outcome: outcome.to_owned(),
        };
        let line = ok_line(None, &body);
        if let Some(op_id) = &envelope.op_id {
            stored(self.store.remember(op_id, &line).await)?;
        }
        Ok(super::super::retries::with_id(&line, envelope.id))
    }

    /// Has a run end; what is said of it now.
    pub(super) async fn stop_agent(
        self: &Rc<Self>,
        record: &Record,
        why: String,
    ) -> Result<(Record, &'static str), Fault> {
        let ended = |run: Record| (run, "already_ended");
        let now = self.now().wall_ms;
        match record.state {
            State::Queued => {
                let mut stopped = record.clone();
                stopped.state = State::Stopped;
                stopped.reason = Some(why);
                stopped.ended_ms = Some(now);
                stored(self.keep_agent(stopped.clone()).await)?;
                self.agents.wake();
                Ok((stopped, "stopped"))
            }
            State::Starting | State::Running | State::Stopping => {
                let mut stopping = record.clone();
                stopping.stop.get_or_insert(why);
                // One that is being started sees it before its program may run.
                if stopping.state == State::Running {
                    stopping.state = State::Stopping;
                }
                stopping.reason.clone_from(&stopping.stop);
                stored(self.keep_agent(stopping.clone()).await)?;
                self.signal_stop(&stopping).await;
                Ok((stopping, "stopping"))
            }
            _ => Ok(ended(record.clone())),
        }
    }

    /// Asks the supervisor of a run to end it. Its end is seen by whoever watches it.
    pub(super) async fn signal_stop(&self, record: &Record) {
        let directory = self.run_directory(&record.id);
        let stop = move || kite_supervisor::stop(&directory).map(drop);
        if let Ok(Err(error)) = tokio::task::spawn_blocking(stop).await {
            self.agent_trouble(record, &format!("cannot be asked to end: {error}"));
        }
    }
}
