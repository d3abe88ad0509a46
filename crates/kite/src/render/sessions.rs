//! Sessions.

use std::{collections::BTreeSet, io};

use kite_wire::reply::{Session, Sessions};

use super::{Line, Role, Terminal, line::Piece, place, table::Table, text::short_id};

pub(crate) fn print(terminal: &mut Terminal, sessions: &Sessions) -> io::Result<()> {
    if sessions.sessions.is_empty() {
        return terminal
            .note("No sessions. An agent in a wired project (`kite init`) shows up by itself.");
    }
    table(terminal, &sessions.sessions, sessions.you.as_deref()).print(terminal)?;
    if sessions.sessions.iter().any(|session| session.outdated) {
        terminal.note(Line::new().with(Role::Caution, "outdated:").plain(
            " runs with the tools of another build of Kite; restart that agent to renew them",
        ))?;
    }
    Ok(())
}

/// A row for each session. Columns in which nobody has anything are left out.
pub(crate) fn table(terminal: &Terminal, sessions: &[Session], you: Option<&str>) -> Table {
    let projects: BTreeSet<&str> = sessions
        .iter()
        .map(|session| session.project.as_str())
        .collect();
    let worktrees: BTreeSet<_> = sessions
        .iter()
        .filter_map(|session| session.worktree.as_deref())
        .collect();
    let mut table = Table::new(&[
        "ID", "CLIENT", "STATE", "ABOUT", "HAS", "SEEN", "PROJECT", "WORKTREE",
    ]);
    for session in sessions {
        let several = |at: &BTreeSet<&str>, dir: Option<&str>| match dir {
            Some(dir) if at.len() > 1 => Piece::from(place::name(place::project(dir))),
            _ => Piece::default(),
        };
        table.row([
            Piece::new(Role::Name, short_id(&session.id)),
            Piece::from(&session.client),
            state(session, you),
            Piece::from(session.intent.as_deref().unwrap_or_default()),
            Piece::from(has(session)),
            Piece::new(Role::Faint, terminal.ago(&session.last_seen)),
            several(&projects, Some(&session.project)),
            several(&worktrees, session.worktree.as_deref()),
        ]);
    }
    table
}

fn state(session: &Session, you: Option<&str>) -> Piece {
    let mut words = session.state.clone();
    if session.outdated {
        words.push_str(", outdated");
    }
    if you == Some(session.id.as_str()) {
        words.push_str(" (you)");
    }
    let role = match session.state.as_str() {
        "active" => Role::Good,
        "lost" => Role::Bad,
        _ => Role::Plain,
    };
    Piece::new(role, words)
}

/// What it has: locks and edits by name, tasks by id.
fn has(session: &Session) -> String {
    let locks = session.locks.iter().map(|lock| place::path(lock));
    let holds = session
        .holds
        .iter()
        .map(|hold| format!("{} (editing)", place::path(hold)));
    let tasks = session
        .tasks
        .iter()
        .map(|task| format!("task {}", short_id(task)));
    locks
        .chain(holds)
        .chain(tasks)
        .collect::<Vec<_>>()
        .join(", ")
}
