//! What was learnt by a task, kept as a note.

use std::{path::PathBuf, time::Duration};

use kite_rules::{
    session::Owner,
    task::{State, TaskId},
};
use kite_store::Store;
use kite_wire::reply::{Fault, vault::Written};

use super::{super::Engine, writing::Entry};

/// A completion does not wait longer for its note.
const PATIENCE: Duration = Duration::from_secs(2);
/// The tag of such notes.
const TAG: &str = "learnt";

impl<S: Store> Engine<S> {
    /// Keeps what an owner learnt by a task that it is about to complete. `None` where it is not
    /// its to complete, or nothing was learnt. Never fails: what went wrong is in the answer.
    pub(in super::super) async fn keep_learnt(
        &self,
        task: TaskId,
        owner: &Owner,
        learnt: Option<&str>,
        op_id: Option<&str>,
    ) -> Option<Written> {
        let learnt = learnt.filter(|text| !text.trim().is_empty())?;
        let title = self.store.read(|ledger| {
            let task = ledger.tasks.get(task)?;
            let is_theirs = task.state == State::Claimed
                && (task.owner.as_ref()).is_some_and(|holder| !holder.contends_with(owner));
            is_theirs.then(|| task.title.clone())
        })?;
        let entry = Entry {
            title,
            text: learnt.to_owned(),
            tags: vec![TAG.to_owned()],
            heading: None,
            task: Some(task),
            op_id: op_id.map(str::to_owned),
        };
        let failed = |why: String| Written {
            outcome: "failed".to_owned(),
            why: Some(why),
            ..Written::default()
        };
        let kept = tokio::time::timeout(PATIENCE, self.write_learnt(owner, entry)).await;
        Some(match kept {
            Ok(Ok(written)) => written,
            Ok(Err(fault)) => failed(fault.message),
            Err(_) => failed("the vault did not answer in time".to_owned()),
        })
    }

    async fn write_learnt(&self, owner: &Owner, entry: Entry) -> Result<Written, Fault> {
        let session = self.session_of(owner.session)?;
        let worktree = session.worktree.clone();
        self.know_vault(&session.project, worktree.as_deref()).await;
        let vault = self.open_home_vault().await?;
        let project = session.project.clone();
        let worktree = worktree.map(PathBuf::from);
        self.write_note(&session, &project, worktree, vault, entry)
            .await
    }
}
