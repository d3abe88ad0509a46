//! Whether what a hook was answered has reached its agent.

use tokio::sync::oneshot;

/// Goes with an answer to a hook. It is given back once the hook has written the answer out; one
/// that is dropped on the way says that the agent may not have been told.
#[derive(Debug)]
pub struct Receipt(oneshot::Sender<()>);

impl Receipt {
    /// A receipt, and what becomes of it: `Ok` where the agent has been told.
    #[must_use]
    pub fn new() -> (Receipt, oneshot::Receiver<()>) {
        let (sender, receiver) = oneshot::channel();
        (Receipt(sender), receiver)
    }

    /// The agent has been told.
    pub fn give(self) {
        // Nobody may be left who wants to know.
        let _ = self.0.send(());
    }
}
