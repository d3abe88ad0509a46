//! Threads that answer questions from the index.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use kite_vault::{Error, Searcher};
use tokio::sync::oneshot;

use super::keeping::Orders;

/// Threads that answer. A long list on one must not keep a prompt waiting.
const ANSWERERS: usize = 2;
/// Questions that wait at once, at most.
const QUESTIONS_MAX: usize = 64;
/// After so long without a question, a thread closes the index and lets go of its memory.
const IDLE: Duration = Duration::from_secs(60);

/// Why a question has no answer.
#[derive(Debug)]
pub enum Unanswered {
    /// There is no index yet: nothing has been looked through.
    NotYet,
    /// Too many questions wait.
    Busy,
    /// The index cannot be read, or what was asked for is not there.
    Failed(Error),
}

/// What a thread does with its searcher.
type Question = Box<dyn FnOnce(Result<&mut Searcher, Error>) + Send>;

/// The threads. They end when this is dropped.
#[derive(Debug)]
pub(super) struct Answerers {
    questions: SyncSender<Question>,
    index: PathBuf,
    orders: Arc<Orders>,
}

impl Answerers {
    /// Starts the threads; `None` where the system gives none.
    pub(super) fn start(index: &Path, orders: &Arc<Orders>) -> Option<Answerers> {
        let (sender, receiver) = sync_channel(QUESTIONS_MAX);
        let receiver = Arc::new(Mutex::new(receiver));
        let started = (0..ANSWERERS).filter(|number| {
            let (index, receiver) = (index.to_owned(), Arc::clone(&receiver));
            let thread = thread::Builder::new().name(format!("vault-ask-{number}"));
            thread.spawn(move || answer(&index, &receiver)).is_ok()
        });
        (started.count() > 0).then(|| Answerers {
            questions: sender,
            index: index.to_owned(),
            orders: Arc::clone(orders),
        })
    }

    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Searcher) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Unanswered> {
        // An index that an earlier daemon left knows notes of vaults that are no longer used.
        if !self.orders.is_made() {
            return Err(Unanswered::NotYet);
        }
        let (sender, receiver) = oneshot::channel();
        let asked: Question = Box::new(move |searcher| {
            if !sender.is_closed() {
                let _ = sender.send(searcher.and_then(question));
            }
        });
        self.questions
            .try_send(asked)
            .map_err(|_| Unanswered::Busy)?;
        match receiver.await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(fault)) => {
                if !self.index.exists() {
                    // Somebody has deleted it, which is allowed: it is made anew.
                    self.orders.everything();
                    return Err(Unanswered::NotYet);
                }
                if fault.is_damage() {
                    self.orders.damaged();
                }
                Err(Unanswered::Failed(fault))
            }
            Err(_) => Err(Unanswered::Busy),
        }
    }
}

fn answer(index: &Path, questions: &Mutex<Receiver<Question>>) {
    let mut searcher: Option<Searcher> = None;
    loop {
        // Whoever waits here holds the lock; the other thread waits for that, and is next.
        let next = {
            let questions = questions.lock().unwrap_or_else(PoisonError::into_inner);
            questions.recv_timeout(IDLE)
        };
        let question = match next {
            Ok(question) => question,
            Err(RecvTimeoutError::Timeout) => {
                searcher = None;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        if searcher.is_none() {
            match Searcher::open(index) {
                Ok(opened) => searcher = Some(opened),
                Err(fault) => {
                    question(Err(fault));
                    continue;
                }
            }
        }
        if let Some(open) = searcher.as_mut() {
            // A question that panics ends with itself.
            let answering = AssertUnwindSafe(|| question(Ok(open)));
            if catch_unwind(answering).is_err() {
                searcher = None;
            }
        }
    }
}
