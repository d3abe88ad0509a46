//! Steps of sessions, as hooks tell them.

use std::{rc::Rc, time::Instant};

use kite_rules::session::{Owner, State};
use kite_store::{Release, Store};
use kite_wire::{frame::Header, reply::Event};

use super::{Engine, callers::Actor, dispatches, patience::Patience};
use crate::{
    dialects::{self, Effect, Step, Verdict, What},
    doors::{Receipt, WaitSender},
};

impl<S: Store> Engine<S> {
    /// Takes one step: finds the session, judges what is due, logs it. A hook whose answer counts
    /// is asked for time where that takes long. The receipt is for what is told only once.
    pub(super) async fn step(
        self: &Rc<Self>,
        header: &Header,
        step: Step,
        extend: &WaitSender,
        started: Instant,
    ) -> (Verdict, Option<Receipt>) {
        let patience = Patience::new(extend);
        let is_heard = dialects::hears(&header.client, &step.what);
        let counts = is_heard || dialects::may_continue(&step.what) || header.event == "PreToolUse";
        let judging = self.judge_step(header, step, is_heard, &patience, started);
        match counts {
            true => patience.through(judging).await,
            false => judging.await,
        }
    }

    async fn judge_step(
        self: &Rc<Self>,
        header: &Header,
        step: Step,
        is_heard: bool,
        patience: &Patience<'_>,
        started: Instant,
    ) -> (Verdict, Option<Receipt>) {
        let actor = Actor {
            client: header.client.clone(),
            pid: step.pid,
            client_session_id: step.client_session_id.clone(),
            client_version: step.client_version.clone(),
            cwd: step.cwd.clone(),
            kite_agent: header.env("KITE_AGENT").map(str::to_owned),
            ..Actor::default()
        };
        let session = match self.open(actor).await {
            Ok(Some(session)) => session,
            // Its process is gone, or the store is in trouble: a fault never refuses.
            Ok(None) | Err(_) => return (Verdict::Pass, None),
        };
        let owner = Owner {
            session,
            agent: step.agent.clone(),
        };
        self.alive(session);
        if let Some(mode) = &step.permission_mode {
            self.agents.session_may(session, mode);
        }
        self.worktree_may_be_merged(session);
        let verdict = self.take(&owner, &step, patience).await;
        let (verdict, notes) = self.with_memory(&owner, &step, is_heard, verdict).await;
        let verdict = self.with_notices(&owner, is_heard, verdict).await;
        let (verdict, receipt) = self.with_dispatches(&owner, &step.what, is_heard, verdict);
        if matches!(step.what, What::TurnEnd { .. }) && receipt.is_none() {
            self.turn_may_be_over(owner.session);
        }
        let receipt = Receipt::joined(receipt, notes);
        self.prevented
            .borrow_mut()
            .hook(started.elapsed(), patience.waited.get());
        self.log_step(header, &step, &owner, &verdict, started);
        (verdict, receipt)
    }

    async fn take(self: &Rc<Self>, owner: &Owner, step: &Step, patience: &Patience<'_>) -> Verdict {
        let call = step.tool_use_id.as_deref().unwrap_or_default();
        match &step.what {
            What::SessionStart => {
                self.look_at_turn(owner);
                return self.greet(owner);
            }
            What::Prompt { first_line, text } => {
                self.look_at_turn(owner);
                self.calls_are_over(owner);
                let about = (!dispatches::is_frame(text)).then_some(first_line.as_str());
                self.turn_begins(owner.session, about).await;
            }
            What::BeforeEdit { edits, .. } => {
                self.turn_begins(owner.session, None).await;
                self.calls.borrow_mut().begin(call, owner);
                self.earlier_calls_are_over(owner, Some(call));
                return self.before_edits(owner, edits, call, patience).await;
            }
            What::BeforeShell { command, .. } => {
                self.calls.borrow_mut().begin(call, owner);
                self.earlier_calls_are_over(owner, Some(call));
                let verdict = self.before_shell(owner, command, call, patience).await;
                if !matches!(verdict, Verdict::Deny(_)) {
                    self.shell_begins(owner, command, call);
                }
                return verdict;
            }
            What::BeforeTool { .. } => {
                self.calls.borrow_mut().begin(call, owner);
                self.earlier_calls_are_over(owner, Some(call));
            }
            What::AfterTool {
                tool,
                effect,
                failed,
            } => match effect {
                Effect::Edited(files) => {
                    // While they are still held: what they hold now is what this edit left.
                    if *failed {
                        self.keep_nothing(owner, call);
                    } else {
                        self.keep_after(owner, call, tool).await;
                    }
                    self.after_edits(owner, files, call, *failed).await;
                }
                Effect::Shell(command) => {
                    self.after_shell(owner, call).await;
                    let input = step.input.as_deref();
                    self.shell_ended(owner, command, call, input).await;
                }
                Effect::Read(file) if !failed => self.has_read(owner, file).await,
                _ => {}
            },
            What::BatchEnd { .. } => {
                self.earlier_calls_are_over(owner, None);
                self.edits_are_over(owner);
            }
            What::SubagentEnd => {
                self.calls_are_over(owner);
                self.notices.agent_is_gone(owner);
                self.subagent_ended(owner).await;
            }
            What::SessionEnd {
                process_stays: true,
            } => self.turn_may_be_over(owner.session),
            What::SessionEnd {
                process_stays: false,
            } => {
                self.end(owner.session, State::Ended, "its client ended it")
                    .await;
            }
            // What waits for the session decides whether it is one.
            What::TurnEnd { .. } => {}
            What::SubagentStart | What::DirectoryChanged | What::Other => {}
        }
        Verdict::Pass
    }

    async fn subagent_ended(&self, owner: &Owner) {
        if owner.agent.is_none() {
            return;
        }
        if let Ok(Ok(freed)) = self
            .store
            .release(Release::Agent(owner.clone()), self.now(), None)
            .await
        {
            self.freed(&freed, "released: its subagent ended");
        }
    }

    fn log_step(
        &self,
        header: &Header,
        step: &Step,
        owner: &Owner,
        verdict: &Verdict,
        started: Instant,
    ) {
        let (tool, target) = match &step.what {
            What::BeforeEdit { tool, edits } => {
                (Some(tool), names(edits.iter().map(|edit| &edit.file)))
            }
            What::BeforeShell { tool, command } => (Some(tool), Some(command.clone())),
            What::BeforeTool { tool, target } => (Some(tool), target.clone()),
            What::AfterTool { tool, effect, .. } => match effect {
                Effect::Edited(files) => (Some(tool), names(files.iter())),
                Effect::Read(target) | Effect::Shell(target) => (Some(tool), Some(target.clone())),
                Effect::Other(target) => (Some(tool), target.clone()),
            },
            _ => (None, None),
        };
        let full = tool.is_some_and(|tool| {
            self.settings
                .of_home()
                .log_full
                .iter()
                .any(|wanted| wanted == tool || wanted == "*")
        });
        let raw = |json: &Option<String>| {
            json.as_deref()
                .filter(|_| full)
                .and_then(|json| serde_json::from_str(json).ok())
        };
        let outcome = match (verdict, &step.what) {
            (Verdict::Deny(reason), _) => format!("refused: {reason}"),
            (Verdict::Say(text), _) => format!("said: {text}"),
            (Verdict::Continue(reason), _) => format!("continued: {reason}"),
            (Verdict::Pass, What::AfterTool { failed: true, .. }) => "failed".to_owned(),
            (Verdict::Pass, _) => "passed".to_owned(),
        };
        self.note(Event {
            kind: "hook".to_owned(),
            what: header.event.clone(),
            session: Some(owner.session.to_string()),
            tool: tool.cloned(),
            target,
            outcome: Some(outcome),
            took_us: u64::try_from(started.elapsed().as_micros()).ok(),
            input: raw(&step.input),
            output: raw(&step.output),
            ..Event::default()
        });
    }
}

/// The files of one call, for the log.
fn names<'a>(files: impl Iterator<Item = &'a String>) -> Option<String> {
    let names: Vec<&str> = files.map(String::as_str).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
