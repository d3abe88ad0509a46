//! Whose session acts: an agent's own, by the variable that Kite gave it.

use std::path::PathBuf;

use kite_rules::session::SessionId;
use kite_store::Store;

use super::{
    super::{Engine, callers::Actor},
    record::Record,
};

impl<S: Store> Engine<S> {
    /// The session of the agent that the actor names. Whoever has a client's session of its own (a
    /// client that the agent itself started) is somebody else.
    pub(in crate::engine) fn session_of_agent(&self, actor: &Actor) -> Option<SessionId> {
        let run = self.agents.get(actor.kite_agent.as_deref()?)?;
        if run.state.has_ended() {
            return None;
        }
        let id = run.session_id().filter(|id| self.is_live(*id))?;
        if run.pid.is_some() && run.pid == actor.pid {
            return Some(id);
        }
        let known = self.store.read(|ledger| {
            let session = ledger.sessions.get(&id)?;
            session.client_session_id.clone()
        });
        let same_client = actor.client == run.client;
        match (&actor.client_session_id, known) {
            (Some(theirs), Some(known)) => (same_client && *theirs == known).then_some(id),
            (Some(_), None) => same_client.then_some(id),
            // Its own `kite`, or a server of its.
            (None, _) => Some(id),
        }
    }

    /// The directories of the runs under way, with their sessions. What an agent has started and left
    /// alone stands below its supervisor.
    pub(in crate::engine) fn runs_under_way(&self) -> Vec<(PathBuf, SessionId)> {
        let runs = self.agents.all(|run| run.state.is_under_way());
        runs.iter()
            .filter_map(|run| Some((self.run_directory(&run.id), run.session_id()?)))
            .collect()
    }

    /// The agent that is being started in this worktree, or is under way in it.
    pub(in crate::engine) fn agent_in_checkout(&self, checkout: &str) -> Option<String> {
        let is_its = |run: &Record| {
            let its = run.checkout.as_ref();
            run.state.is_under_way() && its.is_some_and(|it| it.id == checkout)
        };
        Some(self.agents.all(is_its).pop()?.id)
    }

    /// Whether the end of this session is for the end of its agent to bring: what it holds must not
    /// be handed on while some process of it may live, nor before its result is read.
    pub(in crate::engine) fn ends_with_its_agent(&self, session: SessionId) -> bool {
        self.agents
            .of_session(session)
            .is_some_and(|run| run.state.is_under_way())
    }
}
