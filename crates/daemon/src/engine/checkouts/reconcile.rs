//! What an earlier daemon left half done is finished or taken back when the next one starts.

use std::rc::Rc;

use kite_store::Store;
use kite_worktree::{Abandoned, Found, Removal};

use super::{
    super::Engine,
    blocking,
    record::{Record, State},
};

impl<S: Store> Engine<S> {
    /// Looks after the worktrees of earlier daemons, beside everything else. Call before anybody can
    /// ask for a new one.
    pub(in crate::engine) fn reconcile_checkouts(self: &Rc<Self>) {
        let records = self.checkout_records();
        if records.is_empty() {
            return;
        }
        let engine = Rc::clone(self);
        tokio::task::spawn_local(async move {
            for record in records {
                engine.reconcile(record).await;
            }
        });
    }

    async fn reconcile(&self, mut record: Record) {
        match record.state {
            State::Making => {
                let plan = record.plan.clone();
                match blocking(move || kite_worktree::abandon(&plan)).await {
                    Ok(Abandoned::Gone) => {
                        let _ = self.forget_checkout(&record).await;
                        self.note_checkout("abandoned", &record, None);
                    }
                    Ok(Abandoned::Kept) => {
                        record.state = State::Made;
                        let _ = self.keep_checkout(&record).await;
                    }
                    Err(fault) => self.note_checkout("abandoned", &record, Some(fault.message)),
                }
            }
            State::Made | State::Removing => {
                let (plan, disposable) = (record.plan.clone(), self.disposable());
                let looked = blocking(move || kite_worktree::look(&plan, &disposable)).await;
                match looked.map(|look| look.found) {
                    Ok(Found::Missing) => {
                        // With what git notes about it, and its branch where that has nothing of its own.
                        let _ = self.remove(record, Removal::default()).await;
                    }
                    Ok(Found::RepositoryGone) if !record.plan.path().exists() => {
                        let _ = self.forget_checkout(&record).await;
                        self.note_checkout("forgotten", &record, None);
                    }
                    _ if record.state == State::Removing => {
                        record.state = State::Made;
                        let _ = self.keep_checkout(&record).await;
                    }
                    _ => {}
                }
            }
        }
    }
}
