//! The project's own tools: their list, and a call of one.

use std::{path::PathBuf, time::Duration};

use kite_wire::{
    reply::{
        self,
        project_tools::{OneToolRun, ProjectTool, ProjectTools},
    },
    request::{Caller, Envelope, ToolList, ToolRun},
};
use rmcp::{RoleServer, service::RequestContext};
use serde_json::{Map, Value};
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Server, call};
use crate::{
    daemon::Question,
    http::handles::Handle,
    project_tools::{self, PREFIX},
    text,
};

/// How long a list of tools waits for the daemon's part of it.
const LIST_MAX: Duration = Duration::from_secs(3);

impl Server {
    /// The tools that this client is given, in the order in which it was.
    pub(super) async fn project_tools(
        &self,
        context: &RequestContext<RoleServer>,
    ) -> Vec<ProjectTool> {
        let caller = self.caller(context);
        let Some(directory) = caller.cwd.clone().map(PathBuf::from) else {
            return Vec::new();
        };
        let looking = tokio::task::spawn_blocking(move || project_tools::may_declare(&directory));
        let may = matches!(timeout(LIST_MAX, looking).await, Ok(Ok(true)));
        if !may && self.given.is_empty() {
            return Vec::new();
        }
        let question = Question {
            request: ToolList::default().into(),
            envelope: Envelope::default(),
            patience: Duration::ZERO,
            place: watch::Sender::new(None),
            withdrawn: CancellationToken::new(),
        };
        let asked = timeout(LIST_MAX, self.daemon.ask(&caller, &question)).await;
        let listed = match asked {
            Ok(Ok(reply)) => reply::read::<ProjectTools>(reply).unwrap_or_default(),
            _ => ProjectTools::default(),
        };
        self.given.add(listed.tools)
    }

    /// Runs a tool of the project for whoever calls, to its end.
    pub(super) async fn call_project_tool(
        &self,
        name: &str,
        mut given: Map<String, Value>,
        handle: Option<Value>,
        context: &RequestContext<RoleServer>,
    ) -> (Result<String, String>, Option<Handle>) {
        let wait_s = match project_tools::take_wait(&mut given) {
            Ok(wait_s) => wait_s,
            Err(text) => return (Err(text), None),
        };
        let named = project_tools::take_definition(&mut given);
        let request = ToolRun {
            name: name.to_owned(),
            arguments: given,
            definition: self.given.definition(name).or(named),
            wait_s: Some(wait_s),
            ..ToolRun::default()
        };
        let introduction = self.introduction(context);
        let clients = &self.common.clients;
        match clients.identify(&introduction, context, handle, true) {
            Ok((caller, minted)) => (self.run_tool(request, &caller, context).await, minted),
            Err(text) => (Err(text), None),
        }
    }

    /// Asks until the run is over. Cancelled, the call ends; a run that has begun does not.
    async fn run_tool(
        &self,
        mut request: ToolRun,
        caller: &Caller,
        context: &RequestContext<RoleServer>,
    ) -> Result<String, String> {
        let begun = Instant::now();
        let name = format!("{PREFIX}{}", request.name);
        loop {
            let mut question = self.question(&name, request.clone().into(), context)?;
            if request.run.is_some() {
                // Its call is in the log already.
                question.envelope.tool = None;
                question.envelope.op_id = None;
            }
            let reply = self.wait(caller, &question, begun, context).await;
            let reply = match (reply, &request.run) {
                (Ok(reply), _) => reply,
                (Err(_), Some(run)) if question.withdrawn.is_cancelled() => {
                    return Err(goes_on(run));
                }
                (Err(unanswered), _) => return Err(call::no_reply(&unanswered)),
            };
            let run: OneToolRun = reply::read(reply).map_err(|fault| call::refusal(&fault))?;
            if run.run.state != "running" {
                return project_tools::told(&run);
            }
            if question.withdrawn.is_cancelled() {
                return Err(goes_on(&run.run.id));
            }
            request = ToolRun {
                name: request.name,
                run: Some(run.run.id),
                ..ToolRun::default()
            };
        }
    }
}

fn goes_on(run: &str) -> String {
    format!(
        "The call was cancelled; run {} goes on under its lock. `kite run` in a shell lists it.",
        text::short_id(run)
    )
}
