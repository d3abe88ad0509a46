//! What can be undone, and what an undo did.

mod changes;
pub(crate) mod json;

use std::{io, path::Path};

use jiff::Timestamp;
use kite_undo::{
    BroughtBack,
    journal::{Change, Entry, EntryKind, Record, Version},
    restore::{LeftAlone, Outcome, Report, ShownFile},
};

use self::changes::Changes;
use super::{Line, Role, Terminal, line::Piece, place, table::Table, text::short_id};
use crate::wiring::shell_quoted;

/// Files of one entry that its line names.
const NAMED_MAX: usize = 3;
/// Characters of a shell command that its line shows.
const COMMAND_CHARS_MAX: usize = 60;
/// Paths that a report names for each outcome that is as it should be; all others are named.
const PATHS_MAX: usize = 50;

pub(crate) fn print_list(
    terminal: &mut Terminal,
    records: &[Record],
    top: &Path,
    more: usize,
) -> io::Result<()> {
    if records.is_empty() {
        return terminal.note("Nothing is kept here, or nothing that fits.");
    }
    let mut table = Table::new(&["N", "WHEN", "SESSION", "WHAT", "UNDONE"]);
    for record in records {
        let entry = &record.entry;
        table.row([
            Piece::from(entry.number.to_string()),
            Piece::new(Role::Faint, terminal.ago(&moment(entry.at_ms))),
            Piece::new(Role::Name, entry.session.as_deref().map_or("-", short_id)),
            Piece::from(what(entry, top)),
            Piece::from(undone(record)),
        ]);
    }
    table.print(terminal)?;
    match more {
        0 => Ok(()),
        more => terminal.note(format!("{more} older: --limit shows more.")),
    }
}

fn undone(record: &Record) -> String {
    match record.undone_by {
        Some(by) => format!("by {by}"),
        None if !record.undone_paths.is_empty() => "in part".to_owned(),
        None => String::new(),
    }
}

pub(crate) fn print_shown(
    terminal: &mut Terminal,
    number: u64,
    record: Option<&Record>,
    files: &[ShownFile],
    top: &Path,
) -> io::Result<()> {
    terminal.line(headline(terminal, "", number, record, top))?;
    if let Some(by) = record.and_then(|record| record.undone_by) {
        terminal.line(Line::from("Undone by ").plain(by.to_string()))?;
    }
    if files.is_empty() {
        return terminal.note("No file of it fits.");
    }
    for file in files {
        let changes = Changes::between(&file.before, &file.after);
        terminal.line(
            Line::new()
                .with(Role::Heading, shown_path(top, &file.path))
                .plain("  ")
                .plain(changes.words()),
        )?;
        for line in changes.lines() {
            let role = match line.as_bytes().first() {
                Some(b'+') => Role::Good,
                Some(b'-') => Role::Bad,
                Some(b'@') => Role::Name,
                _ => Role::Plain,
            };
            // A tab is for the eyes here; everything else that is hidden is shown as its code.
            terminal.line(Line::from("  ").with(role, line.replace('\t', "    ")))?;
        }
    }
    Ok(())
}

/// What an undo did; `dry`: what it would do.
pub(crate) fn print_report(
    terminal: &mut Terminal,
    record: Option<&Record>,
    report: &Report,
    top: &Path,
    dry: bool,
) -> io::Result<()> {
    // What belongs to another worktree is undone there.
    let top = record.map_or(top, |record| record.entry.worktree.as_path());
    let changed =
        report.number.is_some() || report.paths.iter().any(|path| path.outcome.is_change());
    let words = match (dry, changed) {
        (true, _) => "Would undo ",
        (false, true) => "Undone ",
        (false, false) => "Nothing changed by undoing ",
    };
    let line = match report.of.as_slice() {
        [number] => headline(terminal, words, *number, record, top),
        several => Line::from(words).plain(numbers(several)),
    };
    terminal.line(line)?;
    print_paths(terminal, report, top)?;
    if let Some((commit, branch)) = &report.head_then {
        let branch = branch.as_deref().map(|branch| format!(" ({branch})"));
        terminal.note(format!(
            "HEAD was {commit:.12}{} when this was kept; undo does not move it.",
            branch.unwrap_or_default()
        ))?;
    }
    if let Some(said) = &report.index_failed {
        terminal.note(
            Line::new()
                .with(Role::Caution, "not staged again: ")
                .plain(said),
        )?;
    }
    match report.number {
        Some(number) => terminal.line(format!("undo this with: kite undo {number}")),
        None => Ok(()),
    }
}

/// What came of a lost commit's branch; `dry`: what would come of it.
pub(crate) fn print_brought_back(
    terminal: &mut Terminal,
    number: u64,
    back: &BroughtBack,
    dry: bool,
) -> io::Result<()> {
    let kept = format!("refs/kite/rescue/{number}");
    match back {
        BroughtBack::Branch { name, commit } => {
            let would = if dry {
                "Would bring back"
            } else {
                "Brought back"
            };
            terminal.line(
                Line::from(would)
                    .plain(" branch ")
                    .with(Role::Heading, name)
                    .plain(format!(" at {commit:.12}")),
            )
        }
        BroughtBack::Taken { name, commit } => {
            terminal.line(
                Line::from("Nothing changed: there is a branch ")
                    .with(Role::Heading, name)
                    .plain(format!(
                        ", and undo moves none. What it had is {commit:.12}"
                    )),
            )?;
            let word = shell_quoted(&format!("{name}-before"));
            terminal.line(format!("a branch of it: git branch {word} {kept}"))
        }
        BroughtBack::Nameless { commit } => {
            terminal.line(format!("Nothing changed: no branch had {commit:.12}"))?;
            terminal.line(format!("a branch of it: git branch NAME {kept}"))
        }
    }
}

fn print_paths(terminal: &mut Terminal, report: &Report, top: &Path) -> io::Result<()> {
    let mut told = [0_usize; 2];
    let mut untold = 0;
    for path in &report.paths {
        let count = &mut told[usize::from(path.outcome == Outcome::Unchanged)];
        *count += 1;
        let (role, word, why) = outcome(&path.outcome, top);
        if *count > PATHS_MAX && role != Role::Bad && role != Role::Caution {
            untold += 1;
            continue;
        }
        let mut line = Line::from("  ")
            .with(role, format!("{word:<10}"))
            .plain("  ")
            .plain(shown_path(top, &path.path));
        if !why.is_empty() {
            line = line.plain(": ").plain(why);
        }
        terminal.line(line)?;
    }
    if untold > 0 {
        terminal.line(format!("  and {untold} more"))?;
    }
    match report.staged.len() {
        0 => Ok(()),
        staged => terminal.line(format!("  staged as before: {}", files(staged))),
    }
}

/// A role, a word, and what there is to say of it.
fn outcome(outcome: &Outcome, top: &Path) -> (Role, &'static str, String) {
    let (role, word, why) = match outcome {
        Outcome::Restored => (Role::Good, "restored", ""),
        Outcome::Removed => (Role::Good, "removed", ""),
        Outcome::Merged => (Role::Good, "merged", ""),
        Outcome::Unchanged => (Role::Faint, "unchanged", ""),
        Outcome::Conflict => (
            Role::Bad,
            "CONFLICT",
            "both versions are marked in the file, as git marks them",
        ),
        Outcome::Beside(at) => {
            let why = format!(
                "cannot be merged; the old one is in {}",
                shown_path(top, at)
            );
            return (Role::Caution, "beside", why);
        }
        Outcome::LeftAlone(why) => (Role::Caution, "left alone", left_alone(*why)),
    };
    (role, word, why.to_owned())
}

pub(super) fn left_alone(why: LeftAlone) -> &'static str {
    match why {
        LeftAlone::NotKept => "its old content is not kept (secret, too large, or too long ago)",
        LeftAlone::ChangedSince => "the change had made it, and it was changed since",
        LeftAlone::InTheWay => {
            "something is in the way: a directory, a link, a permission, a full disk"
        }
        LeftAlone::NotSaved => "what is there now could not be kept first",
    }
}

/// `41  edited src/a.rs by Edit  (3f2a91bc, 5 min ago)`.
fn headline(
    terminal: &Terminal,
    words: &str,
    number: u64,
    record: Option<&Record>,
    top: &Path,
) -> Line {
    let line = Line::from(words).with(Role::Heading, number.to_string());
    let Some(entry) = record.map(|record| &record.entry) else {
        return line.plain(": a snapshot that is only in this repository");
    };
    let when = terminal.ago(&moment(entry.at_ms));
    let told = match entry.session.as_deref() {
        Some(session) => format!(" ({}, {when})", short_id(session)),
        None => format!(" ({when})"),
    };
    line.plain(": ")
        .plain(what(entry, top))
        .with(Role::Faint, told)
}

/// A command as its line names it; `--json` has more of it.
fn short(command: &str) -> String {
    match command.char_indices().nth(COMMAND_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &command[..end]),
        None => command.to_owned(),
    }
}

/// What an entry is, in a few words.
fn what(entry: &Entry, top: &Path) -> String {
    match &entry.kind {
        EntryKind::Edit {
            changes,
            tool,
            command,
            ..
        } => {
            let by = match (command.as_deref(), tool.as_deref()) {
                (Some(command), _) => format!(" by `{}`", short(command)),
                (None, Some(tool)) => format!(" by {tool}"),
                (None, None) => String::new(),
            };
            format!("{}{by}", edited(changes, top))
        }
        EntryKind::Snapshot {
            command,
            files_count,
            ..
        } => {
            let before = command
                .as_deref()
                .map(|command| format!(" before `{command}`"));
            format!(
                "snapshot of {}{}",
                files(*files_count),
                before.unwrap_or_default()
            )
        }
        EntryKind::Lost {
            reference,
            commit,
            subject,
            moved_to,
        } => {
            let subject = subject.as_deref();
            let subject = subject.map(|subject| format!(" (\"{subject}\")"));
            let commit = format!("{commit:.12}{}", subject.unwrap_or_default());
            match (reference.strip_prefix("refs/heads/"), moved_to) {
                (None, _) => format!("commit {commit} that no branch had"),
                (Some(branch), None) => format!("branch {branch}, deleted at {commit}"),
                (Some(branch), Some(_)) => format!("commit {commit} that {branch} moved away from"),
            }
        }
        EntryKind::Undo { of, .. } => format!("undo of {}", numbers(of)),
        // Belongs to its snapshot, and is never listed.
        EntryKind::After { .. } => String::new(),
    }
}

/// `created src/a.rs`, `edited a.rs, b.rs, c.rs and 4 more`.
fn edited(changes: &[Change], top: &Path) -> String {
    let verb = match changes {
        [change] if change.before == Version::Absent => "created",
        [change] if change.after == Version::Absent => "deleted",
        _ => "edited",
    };
    let named: Vec<String> = (changes.iter().take(NAMED_MAX))
        .map(|change| shown_path(top, change.path.as_path()))
        .collect();
    let more = match changes.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{verb} {}{more}", named.join(", "))
}

fn numbers(of: &[u64]) -> String {
    const MAX: usize = 5;
    let named: Vec<String> = of.iter().take(MAX).map(u64::to_string).collect();
    match of.len().saturating_sub(MAX) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

fn files(count: usize) -> String {
    format!("{count} file{}", if count == 1 { "" } else { "s" })
}

/// As it is typed from here.
fn shown_path(top: &Path, path: &Path) -> String {
    place::path(&top.join(path).to_string_lossy())
}

fn moment(at_ms: u64) -> String {
    let at = i64::try_from(at_ms).map(Timestamp::from_millisecond);
    match at {
        Ok(Ok(at)) => at.to_string(),
        _ => format!("{at_ms} ms"),
    }
}
