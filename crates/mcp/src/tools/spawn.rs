//! `kite_spawn`.

use kite_wire::{
    reply::{
        self, Fault,
        agents::{Agent, OneAgent},
    },
    request::{AgentSpawn, Request},
};
use serde_json::Value;

use super::Tool;
use crate::{
    arguments::Arguments,
    schema::{Declaration, Effect, FIRST, ID_CHARS_MAX, Kind, PATH_CHARS_MAX, Param},
    text::{one_line, quoted, short_id},
};

/// Longest prompt: as long as the daemon takes.
const PROMPT_CHARS_MAX: usize = 32_000;
/// Longest name of a preset, a model or a mode.
const NAME_CHARS_MAX: usize = 100;
/// Characters shown of what it is about, and of a reason.
const ABOUT_CHARS_MAX: usize = 200;
const REASON_CHARS_MAX: usize = 500;

const PARAMS: &[Param] = &[
    Param::optional(
        "task",
        Kind::Text {
            chars_max: ID_CHARS_MAX,
        },
        "The task that it claims and does. This, or `prompt`, or both.",
    ),
    Param::optional(
        "prompt",
        Kind::Text {
            chars_max: PROMPT_CHARS_MAX,
        },
        "What it is to do, complete in itself: it knows nothing of this conversation.",
    ),
    Param::optional(
        "agent",
        Kind::Text {
            chars_max: NAME_CHARS_MAX,
        },
        "claude (default), codex, gemini, opencode, or one that the person has set up.",
    ),
    Param::optional(
        "worktree",
        Kind::Text {
            chars_max: PATH_CHARS_MAX,
        },
        "`new`: a git worktree with a branch of its own. `none`: here. Or the absolute path of a worktree. \
         Default: as the person has set it, else new.",
    ),
    Param::optional(
        "model",
        Kind::Text {
            chars_max: NAME_CHARS_MAX,
        },
        "The model, by its client's name for it.",
    ),
    Param::optional(
        "max_turns",
        Kind::Integer {
            min: 1,
            max: 10_000,
            default: None,
        },
        "Most turns that it may take.",
    ),
    Param::optional(
        "budget_usd",
        Kind::Integer {
            min: 1,
            max: 10_000,
            default: None,
        },
        "Most US dollars that it may spend.",
    ),
    Param::optional(
        "timeout_s",
        Kind::Integer {
            min: 1,
            max: 604_800,
            default: None,
        },
        "Seconds that it may take.",
    ),
    Param::optional(
        "permission_mode",
        Kind::Text {
            chars_max: NAME_CHARS_MAX,
        },
        "plan, default, acceptEdits, auto or bypassPermissions: at most your own, and what the person allows.",
    ),
];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_spawn",
        title: "Start an agent",
        description: "Start another coding agent that works beside you, for a task of the queue or for a prompt: when \
                      work can be done in parallel and the person wants that. It costs money. Returns its session, \
                      worktree, branch and log at once; it goes on by itself, and its task holds the result.",
        effect: Effect::Each,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, _here: Option<&str>) -> Result<Request, String> {
    if given.text("task").is_none() && given.text("prompt").is_none() {
        return Err("What is it to do? Give `task`, the id of a task, or `prompt`.".to_owned());
    }
    Ok(AgentSpawn {
        task: given.text("task"),
        prompt: given.text("prompt"),
        agent: given.text("agent"),
        worktree: given.text("worktree"),
        model: given.text("model"),
        max_turns: given.integer_u32("max_turns"),
        budget_usd: given.integer_u32("budget_usd").map(f64::from),
        timeout_s: given.integer("timeout_s"),
        permission_mode: given.text("permission_mode"),
        project: None,
    }
    .into())
}

fn render(_request: &Request, reply: Value) -> Result<String, Fault> {
    let OneAgent { agent, outcome } = reply::read(reply)?;
    let id = short_id(&agent.id);
    let what = format!(
        "{id} ({}), {}",
        one_line(&agent.agent, NAME_CHARS_MAX),
        quoted(&agent.about, ABOUT_CHARS_MAX)
    );
    let mut answer = match (outcome.as_str(), agent.place) {
        ("started", _) => format!("Agent started: {what}."),
        ("queued", Some(place)) => {
            format!("Agent queued: {what}. It is number {place} in the queue.")
        }
        ("queued", None) => format!("Agent queued: {what}."),
        (state, _) => format!(
            "The agent ended at once: {what} is {}.",
            one_line(state, 20)
        ),
    };
    if let Some(reason) = &agent.reason {
        answer.push_str(&format!("\nReason: {}", quoted(reason, REASON_CHARS_MAX)));
    }
    push_facts(&mut answer, &agent);
    answer.push_str(&match &agent.task {
        Some(task) => format!(
            "\nIt works by itself. Its result will stand in the task: kite_task_show task={}. \
             What it says: `kite agent logs {id}` in a shell.",
            short_id(task)
        ),
        None => format!(
            "\nIt works by itself. What it says: `kite agent logs {id}` in a shell; how it stands: `kite agents`."
        ),
    });
    Ok(answer)
}

fn push_facts(answer: &mut String, agent: &Agent) {
    let session = agent.session.as_deref().map(short_id);
    let task = agent.task.as_deref().map(short_id);
    for (what, fact) in [
        ("Session", session),
        ("Task", task),
        ("Works in", agent.directory.clone()),
        ("Branch", agent.branch.clone()),
        ("Log", agent.log.clone()),
    ] {
        if let Some(fact) = fact {
            answer.push_str(&format!("\n{what}: {}", one_line(&fact, PATH_CHARS_MAX)));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rendered(agent: Value, outcome: &str) -> String {
        let reply = json!({"ok": true, "outcome": outcome, "agent": agent});
        render(&AgentSpawn::default().into(), reply).expect("a reply of this shape")
    }

    fn agent() -> Value {
        json!({"id": "c3d4e5f60718293a4b5c6d7e8f901234", "agent": "claude", "state": "running", "project": "/p",
            "about": "Add OAuth\nlogin", "task": "1a2b3c4d5e6f7081", "session": "77aa91bc4d5e6f70",
            "directory": "/home/ada/.kite/worktrees/shop-1f0c2d3e/5b1c09d2", "branch": "kite/add-oauth-5b1c09d2",
            "log": "/home/ada/.kite/agents/c3d4/output.log", "created_at": ""})
    }

    #[test]
    fn what_was_started_is_told_with_how_to_follow_it() {
        assert_eq!(
            rendered(agent(), "started"),
            "Agent started: c3d4e5f6 (claude), \"Add OAuth login\".\n\
             Session: 77aa91bc\nTask: 1a2b3c4d\n\
             Works in: /home/ada/.kite/worktrees/shop-1f0c2d3e/5b1c09d2\n\
             Branch: kite/add-oauth-5b1c09d2\nLog: /home/ada/.kite/agents/c3d4/output.log\n\
             It works by itself. Its result will stand in the task: kite_task_show task=1a2b3c4d. \
             What it says: `kite agent logs c3d4e5f6` in a shell."
        );
    }

    #[test]
    fn a_place_in_the_queue_and_an_early_end_are_told() {
        let mut queued = agent();
        queued["place"] = json!(3);
        assert!(rendered(queued, "queued").contains("It is number 3 in the queue."));
        let mut parked = agent();
        parked["reason"] = json!("there is no program `claude`");
        let told = rendered(parked, "parked");
        assert!(
            told.starts_with("The agent ended at once: c3d4e5f6"),
            "{told}"
        );
        assert!(
            told.contains("Reason: \"there is no program `claude`\""),
            "{told}"
        );
    }
}
