//! What a session is told when it starts: who else works here. Alone, it is told nothing.

use kite_rules::session::{Kind, Owner, Session, State};
use kite_store::Store;

use super::{Engine, prevented};
use crate::{
    dialects::Verdict,
    translate::words::{inline, quoted},
};

/// Others that are named; the rest are counted. Keeps the greeting under 120 tokens.
const NAMED_MAX: usize = 3;

impl<S: Store> Engine<S> {
    pub(super) fn greet(&self, owner: &Owner) -> Verdict {
        let others = self.store.read(|ledger| {
            let me = ledger.sessions.get(&owner.session)?;
            let here = |s: &&Session| {
                s.id != me.id
                    && s.state.is_live()
                    && s.kind != Kind::Person
                    && s.project == me.project
            };
            let mut others: Vec<Session> = ledger.sessions.values().filter(here).cloned().collect();
            others.sort_by_key(|session| std::cmp::Reverse(session.seen.wall_ms));
            Some(others)
        });
        let others = others.unwrap_or_default();
        if others.is_empty() || !self.settings.of(owner.session).notes {
            return Verdict::Pass;
        }
        let mut named: Vec<String> = others
            .iter()
            .take(NAMED_MAX)
            .map(|session| self.one_line(session))
            .collect();
        if others.len() > NAMED_MAX {
            named.push(format!("and {} more", others.len() - NAMED_MAX));
        }
        let text = format!(
            "Kite: other agent sessions work in this checkout: {}. Racing edits of one file are queued by themselves; \
             kite_sessions shows who does what.",
            named.join("; ")
        );
        self.count(prevented::NOTES, 1);
        self.prevented.borrow_mut().injected(&text);
        Verdict::Say(text)
    }

    /// `3f2a91bc "Add OAuth login" (last edit: src/auth.ts)`.
    fn one_line(&self, session: &Session) -> String {
        let mut line = format!("{:.8}", session.id);
        match &session.intent {
            Some(intent) => line = format!("{line} {}", quoted(intent, 60)),
            None if session.state == State::Idle => line.push_str(" idle"),
            None => {}
        }
        let edited = self.touches.borrow().changed_by(session.id, 1);
        if let Some((file, _)) = edited.first() {
            let name = session
                .worktree
                .as_deref()
                .and_then(|top| file.strip_prefix(top))
                .unwrap_or(file);
            line = format!(
                "{line} (last edit: {})",
                inline(name.trim_start_matches('/'), 60)
            );
        }
        line
    }
}
