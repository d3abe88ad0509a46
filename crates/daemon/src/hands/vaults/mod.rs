//! The vaults: kept indexed, watched and searched, on threads of their own.
//!
//! One thread has the index and brings it up to date: when vaults are named, when the watch tells
//! of a change, and every few minutes in any case. Two others answer questions from it and never
//! wait for it. A question that comes before the first index is answered from what is there.
//!
//! All of it starts with the first use, and what it holds of memory is let go when nobody has asked
//! for a while.
//!
//! **Architecture Invariant:** knows notes and folders. Who may find which note is for the engine
//! to say, in the [`Reach`](kite_vault::Reach) that it asks with.

mod asking;
mod keeping;
mod place;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use kite_vault::{Scan, Searcher, Vault};
use tokio::sync::oneshot;

pub use asking::Unanswered;
pub use keeping::State;
pub use place::{head_of, main_worktree};

use asking::Answerers;
use keeping::Orders;

/// The vaults of one home. Dropping it ends its threads.
#[derive(Debug)]
pub struct Vaults {
    index: PathBuf,
    orders: Arc<Orders>,
    keeper: OnceLock<bool>,
    answerers: OnceLock<Option<Answerers>>,
}

impl Vaults {
    /// Vaults whose index is this file. Nothing is opened or started yet.
    #[must_use]
    pub fn new(index: PathBuf) -> Vaults {
        Vaults {
            index,
            orders: Arc::default(),
            keeper: OnceLock::new(),
            answerers: OnceLock::new(),
        }
    }

    /// Says which vaults there are, instead of those named before. They are looked through in the
    /// background, and watched.
    pub fn name(&self, vaults: Vec<Vault>) {
        self.orders.name(vaults);
        self.start_keeper();
    }

    /// The vaults that were named last.
    #[must_use]
    pub fn named(&self) -> Vec<Vault> {
        self.orders.named()
    }

    /// Has this note looked at soon: it was just written.
    pub fn changed(&self, path: PathBuf) {
        self.orders.changed([path]);
        self.start_keeper();
    }

    /// Waits until the index knows what it was told of before this call, but not for longer than
    /// that. False where it does not yet.
    pub async fn caught_up(&self, patience: Duration) -> bool {
        let (asked, mut progress) = self.orders.progress();
        let reached = progress.wait_for(|state| state.done >= asked);
        tokio::time::timeout(patience, reached)
            .await
            .is_ok_and(|reached| reached.is_ok())
    }

    /// How the index is.
    #[must_use]
    pub fn state(&self) -> State {
        self.orders.progress().1.borrow().clone()
    }

    /// Makes the index anew. The error is for people.
    pub async fn rebuild(&self) -> Result<Scan, String> {
        let (sender, receiver) = oneshot::channel();
        self.orders.rebuild(sender);
        self.start_keeper();
        let gone = |_| Err("the thread that indexes has ended".to_owned());
        receiver.await.unwrap_or_else(gone)
    }

    /// Has a searcher answer, off the loop. Whoever stops waiting has the question dropped, if it
    /// was not begun.
    ///
    /// # Errors
    ///
    /// If there is no index yet, too many questions wait, or the index cannot be read.
    pub async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Searcher) -> Result<T, kite_vault::Error> + Send + 'static,
    ) -> Result<T, Unanswered> {
        let start = || Answerers::start(&self.index, &self.orders);
        let answerers = self.answerers.get_or_init(start).as_ref();
        answerers.ok_or(Unanswered::Busy)?.ask(question).await
    }

    /// Where the index is.
    #[must_use]
    pub fn index(&self) -> &Path {
        &self.index
    }

    fn start_keeper(&self) {
        self.keeper
            .get_or_init(|| keeping::start(&self.index, &self.orders));
    }
}

impl Drop for Vaults {
    fn drop(&mut self) {
        self.orders.end();
    }
}
