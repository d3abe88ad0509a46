//! Named locks that a run has beyond the lock table: its session may be over while it still goes on,
//! and a run whose end nobody saw keeps its name until a person has looked.

use kite_rules::{pattern::Target, session::SessionId};
use kite_store::Store;
use kite_wire::reply::Fault;

use super::{Record, State};
use crate::{
    engine::Engine,
    translate::words::{inline, time_of_day},
};

impl<S: Store> Engine<S> {
    /// Refuses locks whose names a run keeps although the lock table does not know of it.
    ///
    /// # Errors
    /// `locked` or `uncertain`.
    pub(in crate::engine) fn names_are_free(
        &self,
        targets: &[(Target, String)],
        asker: SessionId,
    ) -> Result<(), Fault> {
        for (target, _) in targets {
            let Target::Name { project, name } = target else {
                continue;
            };
            let keeps = |run: &Record| {
                run.has_lock(project, name)
                    && (run.state == State::Uncertain || !self.run_is_its_sessions(run))
            };
            if let Some(run) = self.project_tools.find(keeps) {
                return Err(self.kept_by(&run, asker));
            }
        }
        Ok(())
    }

    /// What a run's lock is refused with.
    pub(super) fn kept_by(&self, run: &Record, _asker: SessionId) -> Fault {
        let lock = inline(run.lock.as_deref().unwrap_or_default(), 80);
        let (tool, id) = (&run.tool, run.id.get(..8).unwrap_or(&run.id));
        let session = run.session.get(..8).unwrap_or(&run.session);
        let since = time_of_day(run.started_ms, self.now().wall_ms, false);
        if run.state == State::Uncertain {
            return Fault::new(
                "uncertain",
                format!(
                    "Nobody saw how run {id} of `{tool}` ended, which session {session} began at {since} under the lock `{lock}`. \
                     Whether it did its work is not known, so `{lock}` stays closed."
                ),
            )
            .hint("Ask the person to look at what it did and to settle that run; until then do not repeat it.");
        }
        Fault::new(
            "locked",
            format!("`{lock}` is kept by run {id} of `{tool}`, which session {session} began at {since} and which goes on."),
        )
        .hint("Wait for it to end, or do something else.")
    }

    /// Whether the session that asked for a run lives: then the lock table knows of its lock.
    fn run_is_its_sessions(&self, run: &Record) -> bool {
        run.session_id()
            .is_some_and(|session| self.is_live(session))
    }
}
