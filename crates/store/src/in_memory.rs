//! The engine that keeps nothing: for tests and simulations, and the measure for the others.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
};

use kite_rules::Now;

use crate::{
    Change, Ledger, Page, StoreError,
    answers::{Answers, Kept},
    limits::{ANSWERS_MAX, CHANGES_MAX},
    mirror::{Mirror, page_of},
    operation::Operation,
    write::{Decision, Write},
};

/// Everything in memory; gone when dropped.
#[derive(Debug)]
pub struct InMemoryStore {
    ledger: RefCell<Ledger>,
    answers: RefCell<Answers>,
    changes: RefCell<VecDeque<Change>>,
    closed: Cell<bool>,
}

impl InMemoryStore {
    /// An empty store whose epochs are of the generation `now`.
    #[must_use]
    pub fn new(now: Now) -> InMemoryStore {
        let ledger = Ledger {
            latest: now,
            ..Ledger::new(now.wall_ms.max(1))
        };
        InMemoryStore {
            ledger: RefCell::new(ledger),
            answers: RefCell::new(Answers::holding(ANSWERS_MAX)),
            changes: RefCell::default(),
            closed: Cell::new(false),
        }
    }

    fn apply(&self, write: Write) {
        match write {
            Write::Change(change) => {
                let mut changes = self.changes.borrow_mut();
                let seq = changes.back().map_or(1, |last| last.seq + 1);
                changes.push_back(Change { seq, ..change });
                if changes.len() as u64 > CHANGES_MAX {
                    changes.pop_front();
                }
            }
            Write::Answer(answer) => self.answers.borrow_mut().insert(&answer),
            _ => {}
        }
    }
}

impl Mirror for InMemoryStore {
    fn ledger(&self) -> &RefCell<Ledger> {
        &self.ledger
    }

    async fn keep<T>(
        &self,
        now: Now,
        decide: impl FnOnce(Operation<'_>) -> Decision<T>,
        answer: impl FnOnce(&T) -> Option<Write>,
    ) -> Result<T, StoreError> {
        if self.closed.get() {
            return Err(StoreError::Failed("it is closed".to_owned()));
        }
        let Decision { verdict, writes } =
            decide(Operation::new(&mut self.ledger.borrow_mut(), now));
        let answer = answer(&verdict);
        for write in writes.into_iter().chain(answer) {
            self.apply(write);
        }
        Ok(verdict)
    }

    async fn free<T>(
        &self,
        now: Now,
        decide: impl Fn(Operation<'_>) -> Decision<T>,
        answer: impl Fn(&T) -> Option<Write>,
    ) -> Result<T, StoreError> {
        self.keep(now, decide, answer).await
    }

    async fn kept_answer(&self, op_id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(match self.answers.borrow().get(op_id) {
            Some(Kept::Here(body)) => Some(body.to_vec()),
            Some(Kept::Away) | None => None,
        })
    }

    async fn page(&self, after: u64, max: usize) -> Result<Page, StoreError> {
        let changes = self.changes.borrow();
        let oldest = changes.front().map_or(1, |first| first.seq);
        let newest = changes.back().map_or(0, |last| last.seq);
        Ok(page_of(after, oldest, newest, || {
            let skip = usize::try_from(after + 1 - oldest).unwrap_or(usize::MAX);
            changes.iter().skip(skip).take(max).cloned().collect()
        }))
    }

    fn size(&self) -> u64 {
        0
    }

    fn full(&self) -> bool {
        false
    }

    async fn shut(&self) -> Result<(), StoreError> {
        self.closed.set(true);
        Ok(())
    }
}
