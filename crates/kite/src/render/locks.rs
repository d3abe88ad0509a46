//! Locks, and edits under way.

use std::{collections::BTreeSet, io};

use kite_wire::reply::{Lock, Locks};

use super::{Line, Role, Terminal, line::Piece, moment, place, table::Table, text::short_id};

/// A shorter wait goes unnoticed.
const WAIT_WORTH_TELLING_MS: u64 = 100;

pub(crate) fn print(terminal: &mut Terminal, locks: &[Lock]) -> io::Result<()> {
    if locks.is_empty() {
        return terminal.note("Nothing is locked, and no edit is under way.");
    }
    table(terminal, locks).print(terminal)
}

/// A row for each. Columns in which nothing stands are left out.
pub(crate) fn table(terminal: &Terminal, locks: &[Lock]) -> Table {
    let projects: BTreeSet<&str> = locks.iter().map(|lock| lock.project.as_str()).collect();
    let mut table = Table::new(&[
        "TARGET", "KIND", "SESSION", "SINCE", "UNTIL", "WAITING", "REASON", "PROJECT",
    ]);
    for lock in locks {
        let project = match projects.len() {
            ..2 => String::new(),
            _ => place::name(place::project(&lock.project)),
        };
        let waiting = match lock.waiting.len() {
            0 => String::new(),
            count => count.to_string(),
        };
        table.row([
            Piece::from(place::path(&lock.target)),
            Piece::from(&lock.kind),
            Piece::new(Role::Name, short_id(&lock.session)),
            Piece::new(Role::Faint, terminal.ago(&lock.since)),
            Piece::from(terminal.until(&lock.until)),
            Piece::from(waiting),
            Piece::from(lock.reason.as_deref().unwrap_or_default()),
            Piece::from(project),
        ]);
    }
    table
}

pub(crate) fn print_acquired(terminal: &mut Terminal, locks: &Locks) -> io::Result<()> {
    for lock in &locks.locks {
        let words = if locks.outcome == "already_held" {
            "Lock already held"
        } else {
            "Lock acquired"
        };
        terminal.line(
            Line::from(words)
                .plain(": ")
                .plain(place::path(&lock.target))
                .with(
                    Role::Faint,
                    format!(" (until {})", moment::clock(&lock.until)),
                ),
        )?;
    }
    if locks.waited_ms >= WAIT_WORTH_TELLING_MS {
        terminal.note(format!(
            "It was free after {:.1} s.",
            seconds(locks.waited_ms)
        ))?;
    }
    Ok(())
}

pub(crate) fn print_released(
    terminal: &mut Terminal,
    locks: &Locks,
    asked: &[String],
) -> io::Result<()> {
    for lock in &locks.locks {
        terminal.line(Line::from("Lock released: ").plain(place::path(&lock.target)))?;
    }
    if locks.locks.is_empty() {
        let what = if asked.is_empty() {
            "anything".to_owned()
        } else {
            asked.join(", ")
        };
        terminal.note(format!("You did not hold {what}: nothing to release."))?;
    }
    Ok(())
}

/// Says where in the queue a wait stands.
pub(crate) fn note_place(terminal: &mut Terminal, place: u64) -> io::Result<()> {
    terminal.note(match place {
        1 => "Waiting: next in the queue.".to_owned(),
        _ => format!("Waiting: number {place} in the queue."),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a wait is at most 45 s")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}
