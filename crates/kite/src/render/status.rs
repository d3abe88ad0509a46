//! `kite status`: one screen.

use std::io;

use kite_wire::reply::{Cost, Faults, Prevented, Stats, Worktree, WorktreeConflict};

use super::{Line, Role, Terminal, daemon, locks, place, sessions, tasks, text::short_id};
use crate::commands::status::Status;

/// Most sessions, most locks and most pairs of worktrees on the one screen.
const ROWS_MAX: usize = 10;

/// Most files of a pair of worktrees that are named.
const FILES_MAX: usize = 3;

pub(crate) fn print(terminal: &mut Terminal, status: &Status) -> io::Result<()> {
    let stats = &status.stats;
    daemon::print_status(terminal, &stats.daemon)?;
    heading(terminal, "Sessions", &session_counts(stats))?;
    if !status.sessions.is_empty() {
        let shown = &status.sessions[..status.sessions.len().min(ROWS_MAX)];
        sessions::table(terminal, shown, None)
            .indented("  ")
            .print(terminal)?;
        more(terminal, status.sessions.len(), "kite sessions")?;
    }
    heading(terminal, "Locks", &lock_counts(stats))?;
    if !status.locks.is_empty() {
        let shown = &status.locks[..status.locks.len().min(ROWS_MAX)];
        locks::table(terminal, shown)
            .indented("  ")
            .print(terminal)?;
        more(terminal, status.locks.len(), "kite lock list")?;
    }
    print_worktrees(terminal, &stats.worktree_conflicts)?;
    heading(terminal, "Tasks", &tasks::counts(&stats.tasks))?;
    heading(
        terminal,
        "Prevented",
        &listed(&prevented(&stats.prevented), "nothing yet"),
    )?;
    heading(terminal, "Cost", &cost(&stats.cost))?;
    print_faults(terminal, &stats.faults)
}

fn heading(terminal: &mut Terminal, name: &str, text: &str) -> io::Result<()> {
    terminal.line_fitted(
        Line::new()
            .with(Role::Heading, format!("{name:<10}"))
            .plain(text),
    )
}

/// Pairs of worktrees whose changes would conflict; nothing where there are none.
fn print_worktrees(terminal: &mut Terminal, pairs: &[WorktreeConflict]) -> io::Result<()> {
    if pairs.is_empty() {
        return Ok(());
    }
    let count = match pairs.len() {
        1 => "one pair would conflict if it were merged now".to_owned(),
        count => format!("{count} pairs would conflict if they were merged now"),
    };
    heading(terminal, "Worktrees", &count)?;
    for pair in pairs.iter().take(ROWS_MAX) {
        let mut line = Line::from("  ");
        for (at, worktree) in pair.worktrees.iter().enumerate() {
            let and = if at == 0 { "" } else { " and " };
            line = side(line.plain(and), worktree);
        }
        let mut files: Vec<String> = pair.files.iter().take(FILES_MAX).cloned().collect();
        let named = files.len() as u64;
        if pair.files_count > named {
            files.push(format!("and {} more", pair.files_count - named));
        }
        terminal.line_fitted(line.plain(": ").plain(files.join(", ")))?;
    }
    more(terminal, pairs.len(), "kite status --json")
}

fn side(line: Line, worktree: &Worktree) -> Line {
    let sessions: Vec<&str> = worktree.sessions.iter().map(|id| short_id(id)).collect();
    line.plain(place::path(&worktree.path))
        .plain(" (")
        .with(Role::Name, sessions.join(", "))
        .plain(")")
}

fn more(terminal: &mut Terminal, count: usize, command: &str) -> io::Result<()> {
    match count.checked_sub(ROWS_MAX) {
        None | Some(0) => Ok(()),
        Some(left) => {
            terminal.line(Line::new().with(Role::Faint, format!("  and {left} more: {command}")))
        }
    }
}

fn session_counts(stats: &Stats) -> String {
    listed(
        &counted(&[
            (stats.sessions_active, "active"),
            (stats.sessions_idle, "idle"),
        ]),
        "none",
    )
}

fn lock_counts(stats: &Stats) -> String {
    let locks = counted(&[(stats.locks, if stats.locks == 1 { "lock" } else { "locks" })]);
    let holds = counted(&[(
        stats.holds,
        if stats.holds == 1 {
            "edit under way"
        } else {
            "edits under way"
        },
    )]);
    listed(&[locks, holds].concat(), "none")
}

fn counted(counts: &[(u64, &str)]) -> Vec<String> {
    counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect()
}

fn listed(parts: &[String], none: &str) -> String {
    if parts.is_empty() {
        none.to_owned()
    } else {
        parts.join(", ")
    }
}

/// What Kite kept from happening, in words; what never happened is left out.
#[must_use]
pub(crate) fn prevented(prevented: &Prevented) -> Vec<String> {
    let plural = |count: u64, one: &'static str, many: &'static str| {
        (count, if count == 1 { one } else { many })
    };
    counted(&[
        plural(
            prevented.edits_queued,
            "edit let wait for another's",
            "edits let wait for another's",
        ),
        plural(
            prevented.edits_refused,
            "edit of a locked or busy file",
            "edits of locked or busy files",
        ),
        plural(
            prevented.stale_writes,
            "write over unseen changes",
            "writes over unseen changes",
        ),
        plural(prevented.double_claims, "double claim", "double claims"),
        plural(
            prevented.late_results,
            "late result set apart",
            "late results set apart",
        ),
        plural(
            prevented.freed_after_death,
            "lock or claim freed after a death",
            "locks and claims freed after deaths",
        ),
        plural(
            prevented.notes,
            "note about another's change",
            "notes about others' changes",
        ),
        plural(
            prevented.git_refused,
            "git command refused over another's work",
            "git commands refused over others' work",
        ),
        plural(
            prevented.snapshots,
            "snapshot before a git command",
            "snapshots before git commands",
        ),
    ])
}

fn cost(cost: &Cost) -> String {
    if cost.hooks == 0 {
        return "no hook calls yet".to_owned();
    }
    let mut text = format!(
        "{} hook calls, {:.2} ms each (p50), {:.2} ms (p95), {:.2} ms at most",
        cost.hooks, cost.hook_ms_p50, cost.hook_ms_p95, cost.hook_ms_max
    );
    if cost.waited_ms_total > 0 {
        text.push_str(&format!(
            "; edits waited {} ms in all",
            cost.waited_ms_total
        ));
    }
    if cost.injected_chars > 0 {
        text.push_str(&format!(
            "; {} characters told to agents",
            cost.injected_chars
        ));
    }
    text
}

fn print_faults(terminal: &mut Terminal, faults: &Faults) -> io::Result<()> {
    let parts = counted(&[
        (faults.unreachable, "found no daemon"),
        (faults.timeouts, "got no answer in time"),
        (faults.other, "failed otherwise"),
    ]);
    let name = Line::new().with(Role::Heading, format!("{:<10}", "Faults"));
    terminal.line_fitted(if parts.is_empty() {
        name.plain("none: every hook call was answered")
    } else {
        name.with(
            Role::Caution,
            "hook calls that let the agent go on unguarded: ",
        )
        .plain(parts.join(", "))
    })
}
