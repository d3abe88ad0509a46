//! Worktrees listed and removed for a client.

use std::{path::Path, rc::Rc};

use kite_store::Store;
use kite_wire::{
    reply::{
        Fault,
        checkouts::{Checkout, Checkouts},
        ok_line,
    },
    request::{Envelope, WorktreeList, WorktreeRemove},
};
use kite_worktree::{Disposable, Found, Look, Loss, Removal};

use super::{
    super::{Engine, callers::text, retries::with_id, storage},
    blocking,
    record::{Record, State},
    unknown,
};
use crate::{
    doors::Connection,
    translate::words::{quoted, rfc3339},
};

/// Worktrees that are looked at for one answer; more are listed without a look.
const LOOKED_AT_MAX: usize = 100;

/// Worktrees that git is asked about at the same time.
const AT_ONCE: usize = 4;

impl<S: Store> Engine<S> {
    pub(in crate::engine) async fn worktree_list(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: WorktreeList,
    ) -> Result<Vec<u8>, Fault> {
        let mut records = self.checkout_records();
        if request.project.is_some() {
            let place = self
                .place(connection, envelope, None, request.project.as_deref())
                .await?;
            records.retain(|record| record.project == place.project);
        }
        records.sort_by_key(|record| std::cmp::Reverse(record.made_ms));
        let mut worktrees = Vec::new();
        for (at, some) in records.chunks(AT_ONCE).enumerate() {
            let is_looked_at = at * AT_ONCE < LOOKED_AT_MAX;
            let looks: Vec<_> = some
                .iter()
                .map(|record| is_looked_at.then(|| look(record.clone(), self.disposable())))
                .collect();
            for (record, looked) in some.iter().zip(looks) {
                let looked = match looked {
                    Some(look) => Some(look.await.unwrap_or_else(|_| Err(super::broken()))),
                    None => None,
                };
                worktrees.push(self.checkout_shown(record, looked));
            }
        }
        Ok(ok_line(envelope.id, &Checkouts { worktrees }))
    }

    pub(in crate::engine) async fn worktree_remove(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
        request: WorktreeRemove,
    ) -> Result<Vec<u8>, Fault> {
        let record = self.find_checkout(&request.worktree)?;
        let id = &record.plan.id;
        if !self.may_clear_checkout(connection, envelope, id).await? {
            let shown = id.get(..8).unwrap_or(id);
            return Err(Fault::new(
                "not_allowed",
                format!("worktree {shown} is not of an agent that you started"),
            )
            .hint("Leave it as it is, and tell the person if it stands in the way."));
        }
        let removal = Removal {
            unmerged: request.unmerged,
            uncommitted: request.uncommitted,
        };
        let removed = self.remove_checkout(&record.plan.id, removal).await?;
        let line = ok_line(None, &removed);
        if let Some(op_id) = &envelope.op_id {
            let kept = self.store.remember(op_id, &line).await;
            kept.map_err(|error| storage(&error))?;
        }
        Ok(with_id(&line, envelope.id))
    }

    /// By its id, a unique prefix of at least four digits, its branch, or its path.
    fn find_checkout(&self, given: &str) -> Result<Record, Fault> {
        let mut fitting = self.checkout_records();
        fitting.retain(|record| {
            record.plan.branch == given
                || record.plan.path() == Path::new(given)
                || (given.len() >= 4 && record.plan.id.starts_with(given))
        });
        match fitting.len() {
            1 => Ok(fitting.remove(0)),
            0 => Err(unknown(given)),
            several => Err(Fault::new(
                "unknown_worktree",
                format!("{several} worktrees fit {}.", quoted(given, 100)),
            )
            .hint("Give more digits of the id; `kite worktree list --json` shows them all.")),
        }
    }

    fn checkout_shown(&self, record: &Record, looked: Option<Result<Look, Fault>>) -> Checkout {
        let plan = &record.plan;
        let sessions = self.sessions_in_checkout(record);
        let mut shown = Checkout {
            id: plan.id.clone(),
            path: text(plan.path()),
            branch: plan.branch.clone(),
            base: plan.base.to_string(),
            base_branch: plan.base_branch().map(str::to_owned),
            project: record.project.clone(),
            agent: record.agent.clone(),
            state: "ready".to_owned(),
            made_at: rfc3339(record.made_ms),
            sessions: sessions.iter().map(ToString::to_string).collect(),
            ..Checkout::default()
        };
        match (record.state, looked) {
            (State::Making, _) => shown.state = "making".to_owned(),
            (State::Removing, _) => shown.state = "removing".to_owned(),
            (State::Made, None) => {
                shown.note = Some("not looked at: too many at once".to_owned());
            }
            (State::Made, Some(Ok(look))) => tell(&mut shown, &look),
            (State::Made, Some(Err(fault))) => {
                shown.state = "unknown".to_owned();
                shown.note = Some(fault.message);
            }
        }
        shown
    }
}

fn look(record: Record, disposable: Disposable) -> tokio::task::JoinHandle<Result<Look, Fault>> {
    tokio::task::spawn_local(blocking(move || {
        kite_worktree::look(&record.plan, &disposable)
    }))
}

fn tell(shown: &mut Checkout, look: &Look) {
    match look.found {
        Found::There => {}
        Found::Missing => shown.state = "missing".to_owned(),
        Found::RepositoryGone => shown.state = "repository_gone".to_owned(),
        Found::NotAWorktree => {
            shown.state = "unknown".to_owned();
            shown.note = Some("git does not know it any more".to_owned());
        }
    }
    let mut others = Vec::new();
    for loss in &look.losses {
        match loss {
            Loss::Uncommitted { paths, count } => {
                shown.uncommitted = paths.iter().map(|path| text(path)).collect();
                shown.uncommitted_count = *count as u64;
            }
            Loss::Unmerged { commits, .. } => shown.unmerged_commits = *commits,
            other => others.push(other.to_string()),
        }
    }
    if !others.is_empty() {
        shown.note = Some(others.join("; "));
    }
}
