//! Edits: whether one may go on now, later, or not; and what is remembered of it.

use std::{path::PathBuf, rc::Rc, time::Duration};

use kite_rules::{
    Refusal,
    hold::Ticket,
    limits::{HOLD_GRACE_MS, HOLD_GRACE_UNTOLD_MS},
    refusal::InTheWay,
    session::{Owner, SessionId},
    touch::{Content, Note},
};
use kite_store::Store;
use kite_wire::request::PROOF_CLIENT;
use tokio::time::Instant;

use super::{Engine, callers::text, patience::Patience, prevented};
use crate::{
    config::Hold,
    dialects::{self, FileEdit, Verdict},
    hands::files::{self, File, Fingerprint},
    translate::{
        refusal::Reader,
        words::{ago, inline, quoted},
    },
};

/// Slack that a waiting hook gets beyond the wait itself, in milliseconds.
const ANSWER_SLACK_MS: u64 = 500;

impl<S: Store> Engine<S> {
    /// Judges a tool call that is about to edit files, and takes all of them for it, or none.
    pub(super) async fn before_edits(
        self: &Rc<Self>,
        owner: &Owner,
        edits: &[FileEdit],
        call: &str,
        patience: &Patience<'_>,
    ) -> Verdict {
        let mut said = Vec::new();
        for edit in edits {
            match self.before_edit(owner, edit, call, patience).await {
                Verdict::Pass | Verdict::Continue(_) => {}
                Verdict::Say(text) => said.push(text),
                Verdict::Deny(reason) => {
                    if edits.len() > 1 {
                        self.let_go(owner, call);
                        self.keep_nothing(owner, call);
                    }
                    // The call that they were about does not run; they hold for the next one.
                    for text in said {
                        self.tell(owner, text);
                    }
                    return Verdict::Deny(reason);
                }
            }
        }
        if said.is_empty() {
            Verdict::Pass
        } else {
            Verdict::Say(said.join("\n"))
        }
    }

    /// Judges an edit of one file, and takes the file for it.
    async fn before_edit(
        self: &Rc<Self>,
        owner: &Owner,
        edit: &FileEdit,
        call: &str,
        patience: &Patience<'_>,
    ) -> Verdict {
        let FileEdit { file, whole, new } = edit;
        let Some(file) = self.resolve(owner, file).await else {
            return Verdict::Pass;
        };
        let (key, shown) = (text(&file.key), self.shown(owner, &file));
        if let Err(refusal) = self.take_file(owner, &key, &shown, call, patience).await {
            return self.deny(&refusal);
        }
        // Behind another edit, or behind other files of this one.
        patience.renew();
        self.calls.borrow_mut().edit_begins(call, owner);
        self.leases_changed.notify_one();
        if *whole && let Some(content) = content(&file).await {
            let judged = self
                .touches
                .borrow_mut()
                .judge_overwrite(&key, owner, content);
            if let Err(refusal) = judged {
                self.let_go(owner, call);
                return self.deny(&refusal);
            }
        }
        if let Some(reason) = self.uses_stale_contract(owner, &key, &file, new).await {
            self.let_go(owner, call);
            self.prevented.borrow_mut().injected(&reason);
            return Verdict::Deny(reason);
        }
        self.keep_what_others_saw(owner, &key, &file).await;
        self.keep_before(owner, &file.shown, call).await;
        self.note_for(owner, &key)
    }

    /// Takes the file, waiting behind other sessions' edits for a bounded time.
    async fn take_file(
        &self,
        owner: &Owner,
        key: &str,
        shown: &str,
        call: &str,
        patience: &Patience<'_>,
    ) -> Result<(), Refusal> {
        let mut place: Option<Place<'_, S>> = None;
        let wait_ms = self.settings.of(owner.session).hold_wait_ms;
        let wait = Duration::from_millis(wait_ms);
        let began = Instant::now();
        loop {
            let freed = self.hold_freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            self.not_locked(owner, key, shown)?;
            let ticket = place.as_ref().map(|place| place.ticket);
            let in_the_way =
                match self
                    .holds
                    .borrow_mut()
                    .take(key, shown, owner, call, ticket, self.now())
                {
                    Ok(()) => {
                        return Ok(());
                    }
                    Err(in_the_way) => in_the_way,
                };
            if place.is_none() {
                place = Some(Place {
                    engine: self,
                    ticket: self.holds.borrow_mut().wait(key, owner),
                });
                self.count(prevented::EDITS_QUEUED, 1);
                self.waits_may_have_changed();
                patience.extend.send(wait_ms + ANSWER_SLACK_MS);
            }
            let over = tokio::time::timeout_at(began + wait, freed).await.is_err();
            patience.waited.set(began.elapsed());
            if over {
                return Err(Refusal::Busy(in_the_way));
            }
        }
    }

    fn not_locked(&self, owner: &Owner, key: &str, shown: &str) -> Result<(), Refusal> {
        let now = self.now();
        self.store
            .read(|ledger| match ledger.locks.blocking(owner, key) {
                None => Ok(()),
                Some(lock) => Err(Refusal::Locked(vec![InTheWay {
                    target: if lock.shown.is_empty() {
                        shown.to_owned()
                    } else {
                        lock.shown.clone()
                    },
                    owner: lock.owner.clone(),
                    since_wall_ms: lock.since_wall_ms,
                    until_wall_ms: now.wall_at(lock.expires_mono_ms()),
                    reason: lock.reason.clone(),
                }])),
            })
    }

    fn deny(&self, refusal: &Refusal) -> Verdict {
        let text = self.refused(refusal, Reader::Edit).to_string();
        if !self.is_proof(refusal) {
            if !matches!(refusal, Refusal::StaleWrite { .. }) {
                self.count(prevented::EDITS_REFUSED, 1);
            }
            self.prevented.borrow_mut().injected(&text);
        }
        Verdict::Deny(text)
    }

    /// Whether a made-up session is in the way, which only proves that enforcement works.
    fn is_proof(&self, refusal: &Refusal) -> bool {
        let Refusal::Locked(in_the_way) = refusal else {
            return false;
        };
        self.store.read(|ledger| {
            let holders = in_the_way
                .iter()
                .filter_map(|lock| ledger.sessions.get(&lock.owner.session));
            holders
                .into_iter()
                .any(|session| session.client == PROOF_CLIENT)
        })
    }

    /// The hold of a call that will not run.
    fn let_go(&self, owner: &Owner, call: &str) {
        self.calls.borrow_mut().edit_is_gone(owner.session, call);
        self.holds.borrow_mut().drop_call(owner.session, call);
        self.hold_freed.notify_waiters();
    }

    /// The one line about another session's change of this file, where one is due.
    fn note_for(&self, owner: &Owner, key: &str) -> Verdict {
        let now = self.now();
        if !self.settings.of(owner.session).notes {
            return Verdict::Pass;
        }
        let Some(note) = self.touches.borrow_mut().note_before_edit(key, owner, now) else {
            return Verdict::Pass;
        };
        let text = self.note_line(&note, now.mono_ms.saturating_sub(note.at.mono_ms));
        self.count(prevented::NOTES, 1);
        self.prevented.borrow_mut().injected(&text);
        Verdict::Say(text)
    }

    /// `auth.ts: 3f2a91bc edited it 40 s ago ("Add OAuth login")`.
    fn note_line(&self, note: &Note, age_ms: u64) -> String {
        let intent = self.store.read(|ledger| {
            ledger
                .sessions
                .get(&note.by.session)
                .and_then(|s| s.intent.clone())
        });
        let about = intent
            .map(|intent| format!(" ({})", quoted(&intent, 60)))
            .unwrap_or_default();
        format!(
            "{}: {:.8} edited it {}{about}.",
            inline(&note.shown, 120),
            note.by.session,
            ago(age_ms)
        )
    }

    /// How long a hold outlasts its tool, where nothing ends it earlier.
    pub(super) fn hold_grace_ms(&self, session: SessionId) -> u64 {
        let tells = self.store.read(|ledger| {
            let session = ledger.sessions.get(&session);
            session.is_some_and(|session| dialects::tells_end_of_step(&session.client))
        });
        match tells {
            true => HOLD_GRACE_MS,
            false => HOLD_GRACE_UNTOLD_MS,
        }
    }

    /// An editing tool has run, or failed.
    pub(super) async fn after_edits(
        &self,
        owner: &Owner,
        files: &[String],
        call: &str,
        failed: bool,
    ) {
        if failed {
            self.let_go(owner, call);
            return;
        }
        for file in files {
            self.edited(owner, file).await;
        }
        let presumed_over = self.calls.borrow_mut().edit_is_over(owner.session, call);
        if self.settings.of(owner.session).hold == Hold::Turn {
            return;
        }
        if presumed_over {
            self.let_go(owner, call);
        } else {
            let now = self.now();
            let grace_ms = self.hold_grace_ms(owner.session);
            let mut holds = self.holds.borrow_mut();
            holds.finished(owner.session, call, grace_ms, now);
            drop(holds);
            self.leases_changed.notify_one();
        }
    }

    /// Remembers that this owner changed a file.
    pub(super) async fn edited(&self, owner: &Owner, file: &str) {
        let Some(file) = self.resolve(owner, file).await else {
            return;
        };
        let Some(content) = content(&file).await else {
            return;
        };
        self.file_changed(owner, &file, content);
    }

    /// Remembers that this owner has seen a file.
    pub(super) async fn has_read(&self, owner: &Owner, file: &str) {
        let Some(file) = self.resolve(owner, file).await else {
            return;
        };
        if let Some(content) = content(&file).await {
            self.touches
                .borrow_mut()
                .saw(&text(&file.key), owner, content, self.now());
            self.keep_what_was_read(owner, &file).await;
        }
    }

    pub(super) async fn resolve(&self, owner: &Owner, file: &str) -> Option<File> {
        let base = self
            .store
            .read(|ledger| ledger.sessions.get(&owner.session).map(|s| s.cwd.clone()))?;
        files::resolve(PathBuf::from(base), vec![PathBuf::from(file)])
            .await?
            .pop()
    }

    /// Relative to the session's working copy where it lies in it.
    pub(super) fn shown(&self, owner: &Owner, file: &File) -> String {
        let top = self.store.read(|ledger| {
            ledger
                .sessions
                .get(&owner.session)
                .and_then(|s| s.worktree.clone())
        });
        let inside = top.and_then(|top| file.shown.strip_prefix(top).ok().map(text));
        inside
            .filter(|inside| !inside.is_empty())
            .unwrap_or_else(|| text(&file.shown))
    }
}

pub(super) async fn content(file: &File) -> Option<Content> {
    Some(match files::fingerprint(file.shown.clone()).await? {
        Fingerprint::Absent => Content::Absent,
        Fingerprint::Content(hash) | Fingerprint::Outside(hash) => Content::Hash(hash),
    })
}

/// A place in a file's queue, left when dropped: the edit goes on, gives up, or its client is gone.
struct Place<'a, S: Store> {
    engine: &'a Engine<S>,
    ticket: Ticket,
}

impl<S: Store> Drop for Place<'_, S> {
    fn drop(&mut self) {
        self.engine.holds.borrow_mut().leave(self.ticket);
        self.engine.hold_freed.notify_waiters();
    }
}
