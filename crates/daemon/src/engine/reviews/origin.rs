//! Where a task's change is to be looked for, from what the engine knows.

use std::path::PathBuf;

use kite_rules::task::{State, Task, TaskId};
use kite_store::{Ledger, Store};

use super::{
    brief::About,
    change::{Checkout, Origin},
};
use crate::{engine::Engine, translate};

impl<S: Store> Engine<S> {
    /// What the brief says of a task, and where its change is.
    pub(super) fn origin(&self, task: TaskId, focus: Option<String>) -> (About, Origin) {
        let home = self.identity.home.path().to_owned();
        let undo = self.settings.of_home().undo();
        let Some((about, origin)) = self.store.read(|ledger| {
            let task = ledger.tasks.get(task)?;
            Some((about(task, focus), origin(task, ledger)))
        }) else {
            return Default::default();
        };
        let checkout = self.checkout_of(task);
        let origin = Origin {
            home,
            undo,
            checkout,
            ..origin
        };
        (about, origin)
    }

    /// The worktree that Kite made for the task's current attempt, as long as it is there.
    fn checkout_of(&self, task: TaskId) -> Option<Checkout> {
        let attempt = self
            .store
            .read(|ledger| ledger.tasks.get(task).map(|task| task.attempt))?;
        let checkout = self.checkout(&self.checkout_for(task, attempt)?)?;
        Some(Checkout {
            top: checkout.path,
            base: checkout.base,
            branch: Some(checkout.branch),
        })
    }
}

fn about(task: &Task, focus: Option<String>) -> About {
    About {
        id: format!("{:.8}", task.id),
        attempt: task.attempt,
        title: task.title.clone(),
        description: task.description.clone(),
        result: task.result.clone(),
        focus,
    }
}

fn origin(task: &Task, ledger: &Ledger) -> Origin {
    let owner = task.owner.as_ref();
    let session = owner.and_then(|owner| ledger.sessions.get(&owner.session));
    let worktree = session.and_then(|session| session.worktree.clone());
    let main = translate::project(&task.project).to_owned();
    let has_ended = matches!(task.state, State::Done | State::Failed | State::Cancelled);
    Origin {
        project: task.project.clone(),
        directories: worktree
            .into_iter()
            .chain([main])
            .map(PathBuf::from)
            .collect(),
        session: owner.map(|owner| owner.session.to_string()),
        since_ms: task.claimed_wall_ms.unwrap_or(task.created_wall_ms),
        until_ms: task.ended_wall_ms.filter(|_| has_ended),
        task: task.id.to_string(),
        created_ms: task.created_wall_ms,
        ..Origin::default()
    }
}
