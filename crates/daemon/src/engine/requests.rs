//! Requests to the rooms that answer them.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::{self, Done, Event, Fault},
    request::{Envelope, Request},
};

use super::Engine;
use crate::doors::Connection;

impl<S: Store> Engine<S> {
    /// Has the right room answer.
    pub(super) async fn answer_request(
        self: &Rc<Self>,
        connection: &Rc<Connection>,
        envelope: &Envelope,
        request: Request,
    ) -> Result<Vec<u8>, Fault> {
        let id = envelope.id;
        match request {
            Request::Hello(hello) => self
                .hello(&hello)
                .map(|welcome| reply::ok_line(id, &welcome)),
            Request::Register(r) => self
                .register(envelope, r)
                .await
                .map(|b| reply::ok_line(id, &b)),
            Request::Heartbeat(_) => self
                .heartbeat(connection, envelope)
                .await
                .map(|b| reply::ok_line(id, &b)),
            Request::FileTouch(r) => self
                .file_touch(connection, envelope, r)
                .await
                .map(|b| reply::ok_line(id, &b)),
            Request::SessionEnd(_) => self
                .session_end(connection, envelope)
                .await
                .map(|b| reply::ok_line(id, &b)),
            Request::TaskCreate(r) => self.task_create(connection, envelope, r).await,
            Request::TaskClaim(r) => self.task_claim(connection, envelope, r).await,
            Request::TaskComplete(r) => self.task_complete(connection, envelope, r).await,
            Request::TaskRelease(r) => self.task_release(connection, envelope, r).await,
            Request::TaskCancel(r) => self.task_cancel(connection, envelope, r).await,
            Request::TaskList(r) => self
                .task_list(connection, envelope, r)
                .await
                .map(|b| reply::ok_line(id, &b)),
            Request::TaskShow(r) => self.task_show(&r).await.map(|b| reply::ok_line(id, &b)),
            Request::Lock(r) => self.lock(connection, envelope, r).await,
            Request::Unlock(r) => self.unlock(connection, envelope, r).await,
            Request::FileChangers(r) => self
                .file_changers(connection, envelope, r)
                .map(|b| reply::ok_line(id, &b)),
            Request::AgentSpawn(r) => self.agent_spawn(connection, envelope, r).await,
            Request::AgentList(r) => self.agent_list(connection, envelope, r).await,
            Request::AgentStop(r) => self.agent_stop(connection, envelope, r).await,
            Request::WorktreeList(r) => self.worktree_list(connection, envelope, r).await,
            Request::WorktreeRemove(r) => self.worktree_remove(connection, envelope, r).await,
            Request::Dispatch(r) => self.dispatch(connection, envelope, r).await,
            Request::DispatchList(r) => self.dispatch_list(connection, envelope, r).await,
            Request::ReviewBrief(r) => self.review_brief(connection, envelope, r).await,
            Request::ReviewRecord(r) => self.review_record(connection, envelope, r).await,
            Request::ReviewRun(r) => self.review_run(connection, envelope, r).await,
            Request::TrustShow(r) => self.trust_show(connection, envelope, r).await,
            Request::TrustSet(r) => self.trust_set(connection, envelope, r).await,
            Request::ToolList(r) => self.tool_list(connection, envelope, r).await,
            Request::ToolRun(r) => self.tool_run(connection, envelope, r).await,
            Request::ToolSettle(r) => self.tool_settle(connection, envelope, r).await,
            Request::VaultSearch(r) => self.vault_search(connection, envelope, r).await,
            Request::VaultWrite(r) => self.vault_write(connection, envelope, r).await,
            Request::VaultList(r) => self.vault_list(connection, envelope, r).await,
            Request::VaultRead(r) => self.vault_read(connection, envelope, r).await,
            Request::VaultReview(r) => self.vault_review(connection, envelope, r).await,
            Request::VaultReindex(r) => self.vault_reindex(connection, envelope, r).await,
            Request::VaultWhy(r) => self.vault_why(connection, envelope, r).await,
            Request::Query(r) => self.query(connection, envelope, r).await,
            Request::Subscribe(r) => self
                .subscribe(connection, &r)
                .map(|b| reply::ok_line(id, &b)),
            Request::Cancel(r) => Ok(reply::ok_line(id, &self.cancel(connection, r.request))),
            Request::Shutdown(r) => {
                let outcome = Some(r.reason);
                self.note(Event {
                    kind: "daemon".into(),
                    what: "asked to stop".into(),
                    outcome,
                    ..Event::default()
                });
                self.stop.request();
                Ok(reply::ok_line(id, &Done {}))
            }
        }
    }
}

/// Requests that change nothing, or that wait: nobody needs them once their client is gone.
pub(super) fn may_be_cut_short(request: &Request) -> bool {
    matches!(
        request,
        Request::Hello(_)
            | Request::TaskList(_)
            | Request::TaskShow(_)
            | Request::Lock(_)
            | Request::AgentList(_)
            | Request::WorktreeList(_)
            | Request::DispatchList(_)
            | Request::TrustShow(_)
            | Request::ToolList(_)
            | Request::ToolRun(_)
            | Request::VaultSearch(_)
            | Request::VaultList(_)
            | Request::VaultRead(_)
            | Request::VaultWhy(_)
            | Request::FileChangers(_)
            | Request::Query(_)
            | Request::Subscribe(_)
            | Request::Cancel(_)
    )
}
