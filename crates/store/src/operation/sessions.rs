//! Sessions: opened, changed, ended.

use kite_rules::session::{Session, SessionId, State};

use super::Operation;
use crate::{
    Freed, Opened,
    limits::{ENDED_SESSION_AGE_MS, ENDED_SESSIONS_MAX},
    write::{Decision, Write},
};

impl Operation<'_> {
    pub(crate) fn open_session(mut self, session: Session) -> Decision<Opened> {
        let now = self.now;
        let known = self
            .ledger
            .sessions
            .values()
            .find(|known| known.state.is_live() && same(known, &session));
        let Some(known) = known.cloned() else {
            let session = Session {
                seen: now,
                ..session
            };
            self.ledger.sessions.insert(session.id, session.clone());
            self.keep_session(&session, "opened");
            return self.done(Opened { session, new: true });
        };
        let brought = up_to_date(&known, session);
        let changed = brought != known;
        let session = Session {
            seen: now,
            ..brought
        };
        self.ledger.sessions.insert(session.id, session.clone());
        self.ledger.locks.renew(session.id, now);
        if changed {
            self.keep_session(&session, "updated");
        }
        self.done(Opened {
            session,
            new: false,
        })
    }

    pub(crate) fn update_session(mut self, session: Session) -> Decision<()> {
        let Some(known) = self
            .ledger
            .sessions
            .get_mut(&session.id)
            .filter(|known| known.state.is_live())
        else {
            return self.done(());
        };
        // Ends go through `end_session`, which gives back what the session has.
        let state = if session.state.is_live() {
            session.state
        } else {
            known.state
        };
        let session = Session {
            state,
            end_reason: None,
            ..session
        };
        let kept = Session {
            seen: known.seen,
            state: known.state,
            ..session.clone()
        };
        let changed = kept != *known;
        known.clone_from(&session);
        if changed {
            self.keep_session(&session, "updated");
        }
        self.done(())
    }

    /// Keeps the state and the sign of life of an update that the disk has no room for.
    pub(crate) fn update_in_memory(self, session: &Session) {
        if let Some(known) = self.ledger.sessions.get_mut(&session.id)
            && known.state.is_live()
            && session.state.is_live()
        {
            known.state = session.state;
            known.seen = session.seen;
        }
    }

    pub(crate) fn seen(self, session: SessionId) {
        if let Some(known) = self.ledger.sessions.get_mut(&session)
            && known.state.is_live()
        {
            known.seen = self.now;
            self.ledger.locks.renew(session, self.now);
        }
    }

    pub(crate) fn end_session(
        mut self,
        session: SessionId,
        state: State,
        why: &str,
    ) -> Decision<Freed> {
        let now = self.now;
        let Some(known) = self
            .ledger
            .sessions
            .get_mut(&session)
            .filter(|known| known.state.is_live())
        else {
            return self.done(Freed::default());
        };
        known.state = if state.is_live() { State::Ended } else { state };
        known.end_reason = Some(why.to_owned());
        known.seen = now;
        let ended = known.clone();
        self.keep_session(
            &ended,
            if ended.state == State::Lost {
                "lost"
            } else {
                "ended"
            },
        );
        let released = self.ledger.locks.release_all(session, false);
        let locks = self.unlocked(released, "released");
        let tasks = self.orphan(session, why);
        let promoted = self.promote();
        self.forget_sessions();
        self.done(Freed {
            locks,
            promoted,
            tasks,
        })
    }

    /// Forgets what is not to be remembered any more.
    pub(crate) fn forget_ended(mut self) -> Decision<()> {
        self.forget_sessions();
        self.done(())
    }

    /// Forgets ended sessions that are too old or too many.
    fn forget_sessions(&mut self) {
        let oldest_ms = self.now.wall_ms.saturating_sub(ENDED_SESSION_AGE_MS);
        let mut ended: Vec<(u64, SessionId)> = self
            .ledger
            .sessions
            .values()
            .filter(|session| !session.state.is_live())
            .map(|session| (session.seen.wall_ms, session.id))
            .collect();
        let excess = ended.len().saturating_sub(ENDED_SESSIONS_MAX);
        let old = ended.iter().filter(|(at, _)| *at < oldest_ms).count();
        if excess.max(old) == 0 {
            return;
        }
        ended.sort_unstable();
        for (_, id) in ended.into_iter().take(excess.max(old)) {
            self.ledger.sessions.remove(&id);
            self.writes.push(Write::ForgetSession(id));
        }
    }

    fn keep_session(&mut self, session: &Session, what: &str) {
        self.writes.push(Write::Session(Box::new(session.clone())));
        self.change(
            "session",
            session.id.to_string(),
            &session.project,
            what,
            Some(session.id),
        );
    }
}

/// Whether two records are of one session: one process of one client, or, where there is no
/// process to know it by, one of the client's own ids.
fn same(known: &Session, session: &Session) -> bool {
    known.client == session.client
        && known.process == session.process
        && (session.process.is_some()
            || session.client_session_id.is_some()
                && known.client_session_id == session.client_session_id)
}

/// The known record with the attributes that the new one brings. The project stays: a session
/// belongs to the one it started in.
fn up_to_date(known: &Session, new: Session) -> Session {
    let known = known.clone();
    Session {
        client_version: new.client_version.or(known.client_version),
        client_session_id: new.client_session_id.or(known.client_session_id),
        cwd: if new.cwd.is_empty() {
            known.cwd
        } else {
            new.cwd
        },
        worktree: new.worktree.or(known.worktree),
        intent: new.intent.or(known.intent),
        fingerprint: new.fingerprint.or(known.fingerprint),
        ..known
    }
}
