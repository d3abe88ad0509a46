//! Engines that keep the facts in memory: they differ only in how what was decided is kept.

use std::cell::RefCell;

use kite_rules::{
    Now, Refusal,
    lock::{self, Granted, Ticket},
    session::{Owner, Session, SessionId, State},
    task::{Changed, NewTask, TaskId},
};

use crate::{
    Acquired, Change, Document, Freed, Judged, Ledger, Opened, Page, Release, Retry, Store,
    StoreError,
    operation::{Operation, answer},
    write::{Answer, Decision, Write},
};

/// What an engine with the facts in memory does by itself; [`Store`] follows from it.
pub(crate) trait Mirror: 'static {
    /// The facts, brought back to what is on disk if a commit has failed.
    fn ledger(&self) -> &RefCell<Ledger>;

    /// Decides and keeps. `answer` may read the facts, so it is called after the decision.
    async fn keep<T>(
        &self,
        now: Now,
        decide: impl FnOnce(Operation<'_>) -> Decision<T>,
        answer: impl FnOnce(&T) -> Option<Write>,
    ) -> Result<T, StoreError>;

    /// Like `keep`, for what frees: it succeeds in memory even where the disk is full. It may be
    /// decided a second time, on the facts as they are then.
    async fn free<T>(
        &self,
        now: Now,
        decide: impl Fn(Operation<'_>) -> Decision<T>,
        answer: impl Fn(&T) -> Option<Write>,
    ) -> Result<T, StoreError>;

    async fn kept_answer(&self, op_id: &str) -> Result<Option<Vec<u8>>, StoreError>;

    async fn page(&self, after: u64, max: usize) -> Result<Page, StoreError>;

    fn size(&self) -> u64;

    fn full(&self) -> bool;

    async fn shut(&self) -> Result<(), StoreError>;
}

/// For operations that keep no answer.
fn unanswered<T>(_: &T) -> Option<Write> {
    None
}

impl<E: Mirror> Store for E {
    fn read<R>(&self, look: impl FnOnce(&Ledger) -> R) -> R {
        look(&self.ledger().borrow())
    }

    async fn answered(&self, op_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.kept_answer(op_id).await
    }

    async fn remember(&self, op_id: &str, body: &[u8]) -> Result<(), StoreError> {
        let latest = self.ledger().borrow().latest;
        let answer = Answer {
            op_id: op_id.to_owned(),
            at_wall_ms: latest.wall_ms,
            body: body.to_vec(),
        };
        self.keep(
            latest,
            |operation| operation.nothing(),
            |()| Some(Write::Answer(answer)),
        )
        .await
    }

    async fn open_session(&self, session: Session, now: Now) -> Result<Opened, StoreError> {
        self.keep(now, |operation| operation.open_session(session), unanswered)
            .await
    }

    async fn update_session(&self, session: Session, now: Now) -> Result<(), StoreError> {
        let in_memory = session.clone();
        let kept = self
            .keep(
                now,
                |operation| operation.update_session(session),
                unanswered,
            )
            .await;
        if kept.is_err() {
            Operation::new(&mut self.ledger().borrow_mut(), now).update_in_memory(&in_memory);
        }
        kept
    }

    fn seen(&self, session: SessionId, now: Now) {
        Operation::new(&mut self.ledger().borrow_mut(), now).seen(session);
    }

    async fn end_session(
        &self,
        session: SessionId,
        state: State,
        why: &str,
        now: Now,
    ) -> Result<Freed, StoreError> {
        self.free(
            now,
            |operation| operation.end_session(session, state, why),
            unanswered,
        )
        .await
    }

    async fn acquire(
        &self,
        request: lock::Request,
        wait: bool,
        now: Now,
        retry: Option<Retry<'_, Granted>>,
    ) -> Judged<Acquired> {
        let kept = |verdict: &Result<Acquired, Refusal>| match verdict {
            Ok(Acquired::Granted(granted)) => answer(retry.as_ref(), Ok(granted), now),
            _ => None,
        };
        self.keep(now, |operation| operation.acquire(request, wait), kept)
            .await
    }

    fn leave(&self, ticket: Ticket, now: Now) -> Option<Refusal> {
        Operation::new(&mut self.ledger().borrow_mut(), now).leave(ticket)
    }

    async fn release(
        &self,
        release: Release,
        now: Now,
        retry: Option<Retry<'_, Freed>>,
    ) -> Judged<Freed> {
        let kept = |verdict: &_| answer(retry.as_ref(), Result::as_ref(verdict), now);
        self.free(now, |operation| operation.release(release.clone()), kept)
            .await
    }

    async fn expire(&self, now: Now) -> Result<Freed, StoreError> {
        self.free(now, |operation| operation.expire(), unanswered)
            .await
    }

    fn renew_all(&self, now: Now) {
        Operation::new(&mut self.ledger().borrow_mut(), now).renew_all();
    }

    async fn create_task(
        &self,
        id: TaskId,
        task: NewTask,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed> {
        let kept = |verdict: &_| answer(retry.as_ref(), Result::as_ref(verdict), now);
        self.keep(now, |operation| operation.create_task(id, task), kept)
            .await
    }

    async fn claim_next(
        &self,
        project: &str,
        owner: &Owner,
        another: bool,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed> {
        let kept = |verdict: &_| answer(retry.as_ref(), Result::as_ref(verdict), now);
        self.keep(
            now,
            |operation| operation.claim_next(project, owner, another),
            kept,
        )
        .await
    }

    async fn claim(
        &self,
        task: TaskId,
        owner: &Owner,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed> {
        let kept = |verdict: &_| answer(retry.as_ref(), Result::as_ref(verdict), now);
        self.keep(now, |operation| operation.claim(task, owner), kept)
            .await
    }

    async fn complete(
        &self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        result: Option<String>,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed> {
        let kept = |verdict: &_| answer(retry.as_ref(), Result::as_ref(verdict), now);
        self.keep(
            now,
            |operation| operation.complete(task, owner, attempt, result),
            kept,
        )
        .await
    }

    async fn release_task(
        &self,
        task: TaskId,
        owner: &Owner,
        attempt: Option<u32>,
        reason: Option<String>,
        failed: bool,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed> {
        let kept = |verdict: &_| answer(retry.as_ref(), Result::as_ref(verdict), now);
        let decide = |operation: Operation<'_>| {
            operation.release_task(task, owner, attempt, reason.clone(), failed)
        };
        self.free(now, decide, kept).await
    }

    async fn cancel_task(
        &self,
        task: TaskId,
        reason: Option<String>,
        now: Now,
        retry: Option<Retry<'_, Changed>>,
    ) -> Judged<Changed> {
        let kept = |verdict: &_| answer(retry.as_ref(), Result::as_ref(verdict), now);
        self.keep(now, |operation| operation.cancel_task(task, reason), kept)
            .await
    }

    async fn changes(&self, after: u64, max: usize) -> Result<Page, StoreError> {
        self.page(after, max.min(crate::limits::PAGE_MAX)).await
    }

    async fn tally(&self, add: &[(&'static str, u64)]) -> Result<(), StoreError> {
        let latest = self.ledger().borrow().latest;
        self.keep(latest, |operation| operation.tally(add), unanswered)
            .await
    }

    async fn keep_documents(&self, documents: &[Document], now: Now) -> Result<(), StoreError> {
        self.keep(now, |operation| operation.documents(documents), unanswered)
            .await?
    }

    fn bytes(&self) -> u64 {
        self.size()
    }

    fn is_full(&self) -> bool {
        self.full()
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.shut().await
    }
}

/// The rows after a sequence number, of a feed that still holds `oldest` to `newest`.
/// `None` where the cursor is outside of it: older than what is kept, or of another store.
pub(crate) fn page_of(
    after: u64,
    oldest: u64,
    newest: u64,
    rows: impl FnOnce() -> Vec<Change>,
) -> Page {
    if after.saturating_add(1) < oldest || after > newest {
        return Page::Resync { oldest };
    }
    Page::Changes(rows())
}
