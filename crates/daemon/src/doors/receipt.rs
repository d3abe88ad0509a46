//! Whether what a hook was answered has reached its agent.

use tokio::sync::oneshot;

/// Goes with an answer to a hook. It is given back once the hook has written the answer out; one
/// that is dropped on the way says that the agent may not have been told.
#[derive(Debug)]
pub struct Receipt(Vec<oneshot::Sender<()>>);

impl Receipt {
    /// A receipt, and what becomes of it: `Ok` where the agent has been told.
    #[must_use]
    pub fn new() -> (Receipt, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Receipt(vec![sender]), receiver)
    }

    /// One receipt for two things that one answer tells.
    #[must_use]
    pub fn joined(one: Option<Receipt>, other: Option<Receipt>) -> Option<Receipt> {
        let both: Vec<_> = one.into_iter().chain(other).flat_map(|it| it.0).collect();
        (!both.is_empty()).then_some(Receipt(both))
    }

    /// The agent has been told.
    pub fn give(self) {
        for sender in self.0 {
            // Nobody may be left who wants to know.
            let _ = sender.send(());
        }
    }
}
