//! Worktrees that Kite made.

use std::io;

use kite_wire::reply::checkouts::{Checkout, CheckoutRemoved, Checkouts};

use super::{Line, Role, Terminal, line::Piece, place, table::Table, text::short_id};

pub(crate) fn print(terminal: &mut Terminal, found: &Checkouts) -> io::Result<()> {
    if found.worktrees.is_empty() {
        return terminal.note("Kite made no worktree here.");
    }
    let mut table = Table::new(&[
        "ID",
        "STATE",
        "BRANCH",
        "FROM",
        "WOULD BE LOST",
        "MADE",
        "PATH",
    ]);
    for worktree in &found.worktrees {
        let from = match &worktree.base_branch {
            Some(branch) => branch.clone(),
            None => worktree.base.chars().take(8).collect(),
        };
        table.row([
            Piece::new(Role::Name, short_id(&worktree.id)),
            state(worktree),
            Piece::from(&worktree.branch),
            Piece::from(from),
            Piece::new(Role::Caution, losses(worktree)),
            Piece::new(Role::Faint, terminal.ago(&worktree.made_at)),
            Piece::from(place::path(&worktree.path)),
        ]);
    }
    table.print(terminal)
}

pub(crate) fn print_removed(terminal: &mut Terminal, removed: &CheckoutRemoved) -> io::Result<()> {
    terminal.line(
        Line::from("Worktree removed: ")
            .with(Role::Name, short_id(&removed.worktree))
            .plain(format!(" ({})", place::path(&removed.path))),
    )?;
    if let Some(note) = &removed.note {
        terminal.note(Line::from(note))?;
    }
    if removed.branch_kept {
        terminal.note(Line::from("Its branch stays: ").plain(&removed.branch))?;
    }
    if let Some(number) = removed.rescue {
        terminal.note(format!(
            "What was not committed is kept: refs/kite/rescue/{number}"
        ))?;
    }
    Ok(())
}

fn state(worktree: &Checkout) -> Piece {
    match (worktree.state.as_str(), worktree.sessions.is_empty()) {
        ("ready", false) => Piece::new(Role::Good, "in use"),
        ("ready", true) => Piece::from("ready"),
        (other, _) => Piece::new(Role::Caution, other),
    }
}

fn losses(worktree: &Checkout) -> String {
    let mut losses = Vec::new();
    match worktree.uncommitted_count {
        0 => {}
        1 => losses.push("1 uncommitted file".to_owned()),
        count => losses.push(format!("{count} uncommitted files")),
    }
    match worktree.unmerged_commits {
        0 => {}
        1 => losses.push("1 commit".to_owned()),
        count => losses.push(format!("{count} commits")),
    }
    losses.extend(worktree.note.clone());
    losses.join(", ")
}
