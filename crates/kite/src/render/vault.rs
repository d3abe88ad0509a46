//! Notes.

use std::io;

use kite_wire::reply::vault::{
    Answer, Answers, Note, NoteText, Notes, Reindexed, Skipped, Why, Written,
};

use super::{Line, Role, Terminal, line::Piece, table::Table, text::short_id};

/// Files shown of those that are not used.
const SKIPPED_MAX: usize = 20;

pub(crate) fn print_found(terminal: &mut Terminal, found: &Answers) -> io::Result<()> {
    for answer in &found.notes {
        print_answer(terminal, answer)?;
    }
    if found.notes.is_empty() {
        terminal.note("No note has these words.")?;
    }
    incomplete(terminal, found.incomplete.as_deref())
}

fn print_answer(terminal: &mut Terminal, answer: &Answer) -> io::Result<()> {
    let note = &answer.note;
    let mut line = Line::new().with(Role::Heading, &note.title);
    if !answer.heading.is_empty() {
        line = line.plain(" > ").plain(&answer.heading);
    }
    line = line
        .plain("  ")
        .with(Role::Faint, terminal.ago(&note.modified));
    if !note.reviewed {
        line = line.plain("  ").with(Role::Caution, "unreviewed");
    }
    terminal.line(line)?;
    terminal.line(highlighted(&answer.snippet, &answer.matches))?;
    terminal.line(Line::from("  ").with(Role::Name, &note.path))
}

/// The snippet, with the words that were searched for made to stand out.
fn highlighted(snippet: &str, matches: &[(usize, usize)]) -> Line {
    let mut line = Line::from("  ");
    let mut at = 0;
    for (start, end) in matches {
        // What does not fit was not told for this text.
        let (Some(before), Some(word)) = (snippet.get(at..*start), snippet.get(*start..*end))
        else {
            continue;
        };
        line = line.plain(before).with(Role::Good, word);
        at = *end;
    }
    line.plain(snippet.get(at..).unwrap_or_default())
}

pub(crate) fn print_written(terminal: &mut Terminal, written: &Written) -> io::Result<()> {
    terminal.line(Line::new().with(Role::Name, &written.path))?;
    let what = match written.outcome.as_str() {
        "appended" => "Added to it.",
        "unchanged" => "It was there already; nothing changed.",
        _ => "Written.",
    };
    terminal.note(what)?;
    if written.redacted {
        terminal.note("What looked like a secret was taken out.")?;
    }
    match &written.similar {
        Some(similar) => terminal.note(format!("Another note has that title: {similar}")),
        None => Ok(()),
    }
}

pub(crate) fn print_list(terminal: &mut Terminal, listed: &Notes) -> io::Result<()> {
    if listed.notes.is_empty() {
        terminal.note("There are no such notes.")?;
    } else {
        table(terminal, &listed.notes).print(terminal)?;
    }
    if listed.more {
        terminal
            .note("There are more: --limit shows up to 1000, `kite vault search` finds all.")?;
    }
    let count = usize::try_from(listed.skipped_count).unwrap_or(usize::MAX);
    not_used(terminal, &listed.skipped, count)?;
    for folder in &listed.unwatched {
        terminal.note(format!(
            "{} is not watched, only looked at every few minutes: {}",
            folder.path, folder.why
        ))?;
    }
    incomplete(terminal, listed.incomplete.as_deref())
}

fn table(terminal: &Terminal, notes: &[Note]) -> Table {
    let mut table = Table::new(&["TITLE", "CHANGED", "REVIEWED", "PATH"]);
    for note in notes {
        let reviewed = match (note.reviewed, note.pinned) {
            (true, true) => Piece::new(Role::Good, "pinned"),
            (true, false) => Piece::new(Role::Plain, "yes"),
            (false, _) => Piece::new(Role::Caution, "no"),
        };
        table.row([
            Piece::new(Role::Plain, &note.title),
            Piece::new(Role::Faint, terminal.ago(&note.modified)),
            reviewed,
            Piece::new(Role::Name, &note.path),
        ]);
    }
    table
}

fn not_used(terminal: &mut Terminal, skipped: &[Skipped], count: usize) -> io::Result<()> {
    for file in skipped.iter().take(SKIPPED_MAX) {
        terminal.note(format!("Not used: {} ({})", file.path, file.why))?;
    }
    match count.saturating_sub(skipped.len().min(SKIPPED_MAX)) {
        0 => Ok(()),
        more => terminal.note(format!("Not used: {more} more files")),
    }
}

fn incomplete(terminal: &mut Terminal, why: Option<&str>) -> io::Result<()> {
    match why {
        Some(why) => terminal.note(format!("Some notes may be missing: {why}.")),
        None => Ok(()),
    }
}

pub(crate) fn print_reindexed(terminal: &mut Terminal, made: &Reindexed) -> io::Result<()> {
    terminal.line(format!(
        "{} notes indexed in {} ms, {} files not used.",
        made.notes, made.took_ms, made.skipped
    ))
}

/// A note with all that a person needs to judge it. `place` is its number, of how many.
pub(crate) fn print_for_review(
    terminal: &mut Terminal,
    shown: &NoteText,
    place: (usize, usize),
) -> io::Result<()> {
    let (number, count) = place;
    let age = terminal.ago(&shown.note.modified);
    terminal.line("")?;
    terminal.line(
        Line::new()
            .with(Role::Heading, &shown.note.title)
            .plain(format!("  {number} of {count}, "))
            .with(Role::Faint, age),
    )?;
    terminal.line(Line::new().with(Role::Name, &shown.note.path))?;
    terminal.paragraph("  ", &shown.text)?;
    if shown.cut {
        terminal.note("The note goes on: `e` opens all of it.")?;
    }
    Ok(())
}

/// What came of a walk.
pub(crate) fn note_walked(
    terminal: &mut Terminal,
    count: usize,
    reviewed: usize,
    skipped: usize,
) -> io::Result<()> {
    if count == 0 {
        return terminal.note("Every note is reviewed.");
    }
    let left = count - reviewed;
    terminal.note(format!(
        "{reviewed} reviewed, {skipped} skipped, {left} of {count} still to look at."
    ))
}

pub(crate) fn print_why(terminal: &mut Terminal, why: &Why) -> io::Result<()> {
    if why.given.is_empty() {
        return terminal.note(format!(
            "Session {} was given no note unasked.",
            short_id(&why.session)
        ));
    }
    if why.earlier > 0 {
        terminal.note(format!("{} earlier times are forgotten.", why.earlier))?;
    }
    for given in &why.given {
        let occasion = match given.on.as_str() {
            "start" => "at its start",
            "prompt" => "for a prompt",
            other => other,
        };
        let line = Line::new()
            .with(Role::Faint, terminal.ago(&given.at))
            .plain("  ")
            .plain(occasion)
            .plain(format!(", {} bytes", given.bytes));
        terminal.line(line)?;
        for note in &given.notes {
            let mut line = Line::from("  ").with(Role::Name, &note.path);
            if !note.heading.is_empty() {
                line = line.plain(" > ").plain(&note.heading);
            }
            if !note.words.is_empty() {
                line = line.plain(", for: ").plain(note.words.join(", "));
            }
            if !note.reviewed {
                line = line.plain("  ").with(Role::Caution, "unreviewed");
            }
            terminal.line(line)?;
        }
    }
    terminal.note(format!(
        "Session {}: about {} tokens by its prompts.",
        short_id(&why.session),
        why.tokens
    ))
}
