//! The operations themselves, decided on the facts in memory and shared by every engine that
//! keeps them there.
//!
//! **Architecture Invariant:** an operation is decided at once, without waiting; it changes the
//! [`Ledger`] and returns what must be kept. It knows neither disk nor SQL.

mod documents;
mod locks;
mod sessions;
mod tasks;

use kite_rules::{Now, Refusal, session::SessionId};

use crate::{
    Change, Ledger, Retry,
    write::{Answer, Decision, Write},
};

/// One operation under way.
pub(crate) struct Operation<'a> {
    ledger: &'a mut Ledger,
    now: Now,
    /// Grants may be given to those who wait. Not while nothing can be made durable.
    grants: bool,
    writes: Vec<Write>,
}

impl<'a> Operation<'a> {
    pub(crate) fn new(ledger: &'a mut Ledger, now: Now) -> Operation<'a> {
        ledger.latest = now;
        Operation {
            ledger,
            now,
            grants: true,
            writes: Vec::new(),
        }
    }

    /// Leaves those who wait in the queue: what is freed will be granted later.
    pub(crate) fn without_grants(mut self) -> Operation<'a> {
        self.grants = false;
        self
    }

    /// Changes nothing.
    pub(crate) fn nothing(self) -> Decision<()> {
        self.done(())
    }

    /// Adds to the durable counters.
    pub(crate) fn tally(mut self, add: &[(&'static str, u64)]) -> Decision<()> {
        for (name, more) in add.iter().filter(|(_, more)| *more > 0) {
            let total = self.ledger.tally.entry((*name).to_owned()).or_default();
            *total = total.saturating_add(*more);
            self.writes.push(Write::Tally((*name).to_owned(), *total));
        }
        self.done(())
    }

    fn done<T>(self, verdict: T) -> Decision<T> {
        Decision {
            verdict,
            writes: self.writes,
        }
    }

    fn change(
        &mut self,
        kind: &str,
        entity: String,
        project: &str,
        what: &str,
        session: Option<SessionId>,
    ) {
        self.writes.push(Write::Change(Change {
            seq: 0,
            at_wall_ms: self.now.wall_ms,
            project: project.to_owned(),
            kind: kind.to_owned(),
            entity,
            what: what.to_owned(),
            session,
        }));
    }

    /// Only a live session may take anything: nothing would give back what a dead one took.
    fn require_live(&self, session: SessionId) -> Result<(), Refusal> {
        match self.ledger.sessions.get(&session) {
            Some(known) if known.state.is_live() => Ok(()),
            _ => Err(Refusal::UnknownSession),
        }
    }
}

/// The answer to keep for a request that succeeded.
pub(crate) fn answer<T>(
    retry: Option<&Retry<'_, T>>,
    verdict: Result<&T, &Refusal>,
    now: Now,
) -> Option<Write> {
    let (retry, value) = (retry?, verdict.ok()?);
    Some(Write::Answer(Answer {
        op_id: retry.op_id.to_owned(),
        at_wall_ms: now.wall_ms,
        body: (retry.answer)(value),
    }))
}
