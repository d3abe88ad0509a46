//! `kite_sessions`.

use kite_wire::{
    reply::{self, Fault, Session, Sessions},
    request::{Query, Request},
};
use serde_json::Value;

use super::{Tool, show};
use crate::{
    arguments::Arguments,
    schema::{Declaration, Effect, FIRST, Kind, PATH_CHARS_MAX, Param},
    text::{one_line, quoted, short_id, time_of_day},
};

/// Characters shown of a session's intent.
const INTENT_CHARS_MAX: usize = 80;
/// Characters shown of a client's name.
const CLIENT_CHARS_MAX: usize = 40;
/// Sessions in one answer.
const SESSIONS_MAX: u32 = 100;

const PARAMS: &[Param] = &[Param::optional(
    "all",
    Kind::Flag,
    "Also sessions of other projects, and those that have ended.",
)];

pub(super) const TOOL: Tool = Tool {
    declaration: Declaration {
        name: "kite_sessions",
        title: "List agent sessions",
        description: "List the agent sessions at work in this project: to find out who has a file or a task, whether \
                      that session is still active, or who could take work. Returns one line each: id, state, what \
                      it is about, and the locks, edits and tasks it holds.",
        effect: Effect::Read,
        params: PARAMS,
        changes: FIRST,
    },
    request,
    render,
    sift: None,
};

fn request(given: &Arguments, here: Option<&str>) -> Result<Request, String> {
    let all = given.flag("all");
    let project = if all { None } else { here.map(str::to_owned) };
    Ok(Query {
        target: "sessions".to_owned(),
        project,
        ended: all,
        limit: Some(SESSIONS_MAX),
        ..Query::default()
    }
    .into())
}

fn render(request: &Request, reply: Value) -> Result<String, Fault> {
    let Sessions { sessions, you } = reply::read(reply)?;
    let all = matches!(request, Request::Query(query) if query.ended);
    let is_you = |session: &Session| you.as_deref() == Some(session.id.as_str());
    if sessions.iter().all(is_you)
        && sessions.iter().all(|session| !holds_anything(session))
        && !all
    {
        return Ok("No other session is at work in this project, and you hold nothing.".to_owned());
    }
    let noun = if sessions.len() == 1 {
        "session"
    } else {
        "sessions"
    };
    let mut answer = format!(
        "{} {noun}{}:",
        sessions.len(),
        if all { "" } else { " in this project" }
    );
    for session in &sessions {
        answer.push('\n');
        answer.push_str(&line(session, is_you(session), all));
    }
    if sessions.len() >= SESSIONS_MAX as usize {
        answer.push_str("\nThere may be more; only these are shown.");
    }
    Ok(answer)
}

fn holds_anything(session: &Session) -> bool {
    !(session.locks.is_empty() && session.holds.is_empty() && session.tasks.is_empty())
}

fn line(session: &Session, is_you: bool, all: bool) -> String {
    let mut line = short_id(&session.id);
    if is_you {
        line.push_str(" (you)");
    }
    line.push_str(&format!(
        " {} {}, last seen {}",
        one_line(&session.client, CLIENT_CHARS_MAX),
        session.state,
        time_of_day(&session.last_seen)
    ));
    if let Some(intent) = &session.intent {
        line.push_str(&format!(", about {}", quoted(intent, INTENT_CHARS_MAX)));
    }
    if all {
        line.push_str(&format!(
            ", in {}",
            one_line(directory(&session.project), PATH_CHARS_MAX)
        ));
    }
    let held = [("locks", &session.locks), ("editing", &session.holds)];
    for (what, names) in held.iter().filter(|(_, names)| !names.is_empty()) {
        line.push_str(&format!("; {what}: {}", show::names(*names)));
    }
    if !session.tasks.is_empty() {
        line.push_str(&format!("; tasks: {}", show::ids(&session.tasks)));
    }
    if session.outdated {
        line.push_str("; runs other tool schemas than this Kite");
    }
    line
}

/// The directory that people know a project by: the one that holds its git directory.
fn directory(project: &str) -> &str {
    project.strip_suffix("/.git").unwrap_or(project)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn session(id: &str, locks: Value) -> Value {
        json!({"id": id, "client": "claude-code", "state": "active", "project": "/p", "since": "",
               "last_seen": "2026-11-22T14:32:11+01:00", "intent": "Add OAuth login", "locks": locks})
    }

    fn rendered(sessions: Value) -> String {
        let reply = json!({"ok": true, "you": "3f2a91bc00", "sessions": sessions});
        render(&Query::default().into(), reply).expect("a list")
    }

    #[test]
    fn each_session_is_a_line_with_what_it_holds() {
        let text = rendered(json!([
            session("3f2a91bc00", json!([])),
            session("77aa0011ff", json!(["src/a.rs"]))
        ]));
        assert_eq!(
            text,
            "2 sessions in this project:\n\
             3f2a91bc (you) claude-code active, last seen 14:32, about \"Add OAuth login\"\n\
             77aa0011 claude-code active, last seen 14:32, about \"Add OAuth login\"; locks: src/a.rs"
        );
    }

    #[test]
    fn alone_is_said_in_one_sentence() {
        assert!(
            rendered(json!([session("3f2a91bc00", json!([]))])).starts_with("No other session")
        );
        assert!(rendered(json!([session("3f2a91bc00", json!(["a"]))])).contains("locks: a"));
    }
}
