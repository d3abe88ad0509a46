//! A session whose next calls are decided while it runs, from what its model was shown.

use super::{Ending, Fault, SESSION_MAX, Session, SessionBuilder, Stage, within};
use crate::model::{Call, Exchange, Script, ToolResult};

/// A session that waits before each of its model's turns until it is told what to do.
pub struct Player<'a> {
    stage: &'a Stage,
    intent: String,
    script: Script,
    session: Option<Session>,
    turns: usize,
    prepare: fn(SessionBuilder<'_>) -> SessionBuilder<'_>,
}

impl<'a> Player<'a> {
    /// The session is started with its first turn. `name` is its script's.
    #[must_use]
    pub fn new(stage: &'a Stage, name: &str, intent: &str) -> Player<'a> {
        Player {
            stage,
            intent: intent.to_owned(),
            script: Script::new(name),
            session: None,
            turns: 0,
            prepare: |session| session,
        }
    }

    /// Has the session prepared by this before it is started.
    #[must_use]
    pub fn prepared(self, prepare: fn(SessionBuilder<'_>) -> SessionBuilder<'_>) -> Player<'a> {
        Player { prepare, ..self }
    }

    /// Makes these calls in one turn, and gives their results when the model asks what now.
    pub fn plays(
        &mut self,
        calls: impl IntoIterator<Item = Call>,
    ) -> Result<Vec<ToolResult>, Fault> {
        self.begins(calls)?;
        self.ends()
    }

    /// Begins a turn of these calls, without waiting for their results.
    pub fn begins(&mut self, calls: impl IntoIterator<Item = Call>) -> Result<(), Fault> {
        let behind = self.gate();
        self.turns += 1;
        self.script = self.script.clone().call_at_once(calls);
        let script = self.script.clone().wait_for(&self.gate());
        if self.session.is_some() {
            self.stage.model.learn(script);
            self.stage.model.open(&behind);
        } else {
            let session = self.stage.session(&self.intent, script);
            self.session = Some((self.prepare)(session).start()?);
        }
        Ok(())
    }

    /// The results of the turn that was begun.
    pub fn ends(&self) -> Result<Vec<ToolResult>, Fault> {
        let gate = self.gate();
        let what = format!("turn {} of `{}` ends", self.turns, self.script.name());
        within(SESSION_MAX, &what, || {
            Ok(self.stage.model.arrived(&gate) == 1)
        })?;
        let newest = self.newest();
        Ok(newest.map(|it| it.results()).unwrap_or_default())
    }

    /// What the model was told after its last calls, line by line: results, notes, reminders.
    #[must_use]
    pub fn news(&self) -> Vec<String> {
        self.newest().map(|it| it.news()).unwrap_or_default()
    }

    /// The process, if it was started.
    #[must_use]
    pub fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// Lets the session end. `None` where it was never started.
    pub fn finish(self) -> Result<Option<Ending>, Fault> {
        self.stage.model.open(&self.gate());
        self.session.map(|it| it.finish(SESSION_MAX)).transpose()
    }

    fn newest(&self) -> Option<Exchange> {
        self.stage.model.newest(self.script.name())
    }

    fn gate(&self) -> String {
        format!("{} after turn {}", self.script.name(), self.turns)
    }
}
