//! Turns: when one begins, and when it is really over.

use std::{rc::Rc, time::Duration};

use kite_rules::session::{Owner, SessionId, State};
use kite_store::{Release, Store};

use super::Engine;
use crate::config::Hold;

/// A turn is over when nothing more came for so long after its end was said: another Stop hook
/// may let it go on.
const TURN_END_QUIET: Duration = Duration::from_secs(2);

impl<S: Store> Engine<S> {
    /// Marks the session as in a turn, with what it is about where that is said.
    pub(super) async fn turn_begins(&self, session: SessionId, first_line: Option<&str>) {
        let Some(before) = self
            .store
            .read(|ledger| ledger.sessions.get(&session).cloned())
        else {
            return;
        };
        let mut after = before.clone();
        after.state = State::Active;
        if let Some(intent) = self.intent(Some(session), first_line) {
            after.intent = Some(intent);
        }
        if let Err(fault) = self.update(&before, after).await {
            self.note_of("session", "not stored", session, None, Some(fault.code));
        }
    }

    /// The client said that the turn ended: its holds end now, the rest when it stays quiet.
    pub(super) fn turn_may_be_over(self: &Rc<Self>, session: SessionId) {
        self.calls_are_over(&Owner::session(session));
        let (engine, step) = (Rc::clone(self), self.presence.borrow().steps(session));
        tokio::task::spawn_local(async move {
            tokio::time::sleep(TURN_END_QUIET).await;
            if engine.presence.borrow().steps(session) == step && engine.is_live(session) {
                engine.turn_is_over(session).await;
            }
        });
    }

    /// Holds and locks that are not kept end with the turn.
    pub(super) async fn turn_is_over(&self, session: SessionId) {
        if let Some(before) = self
            .store
            .read(|ledger| ledger.sessions.get(&session).cloned())
        {
            let after = kite_rules::session::Session {
                state: State::Idle,
                ..before.clone()
            };
            let _ = self.update(&before, after).await;
        }
        let freed_holds = self.holds.borrow_mut().drop_session(session);
        if !freed_holds.is_empty() {
            self.hold_freed.notify_waiters();
        }
        let release = Release::Session {
            session,
            unless_kept: true,
        };
        match self.store.release(release, self.now(), None).await {
            Ok(Ok(freed)) => self.freed(&freed, "released at the end of the turn"),
            Ok(Err(_)) => {}
            Err(error) => self.note_of(
                "lock",
                "release not stored",
                session,
                None,
                Some(error.to_string()),
            ),
        }
    }

    /// A later event shows that all editing calls of this owner are over.
    pub(super) fn calls_are_over(&self, owner: &Owner) {
        self.calls.borrow_mut().presume_over(owner, None);
        let freed = self.holds.borrow_mut().settle(owner, &[]);
        if !freed.is_empty() {
            self.hold_freed.notify_waiters();
        }
    }

    /// A later event of this owner: earlier editing calls whose end was seen are over; those whose
    /// end was not seen (their notice may still be on its way, or they were denied elsewhere) get
    /// the usual grace.
    pub(super) fn earlier_calls_are_over(&self, owner: &Owner, except: Option<&str>) {
        if self.settings.of(owner.session).hold == Hold::Turn {
            return;
        }
        let unseen = self.calls.borrow_mut().presume_over(owner, except);
        let mut still_open: Vec<&str> = unseen.iter().map(String::as_str).collect();
        still_open.extend(except);
        let (now, grace_ms) = (self.now(), self.hold_grace_ms(owner.session));
        let mut holds = self.holds.borrow_mut();
        for call in &unseen {
            holds.finished(owner.session, call, grace_ms, now);
        }
        let freed = holds.settle(owner, &still_open);
        drop(holds);
        if !freed.is_empty() {
            self.hold_freed.notify_waiters();
        }
        if !unseen.is_empty() {
            self.leases_changed.notify_one();
        }
    }
}
