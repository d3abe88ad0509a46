//! `kite vault review`: a person walks through what agents wrote.

use std::process::Command;

use clap::Args;
use kite_wire::{
    reply::vault::{NoteText, Notes},
    request::{VaultList, VaultRead, VaultReview},
};

use crate::{
    commands::lock::person_at_terminal,
    connect::Daemon,
    error::{Error, Exit, Kind},
    render::{self, Terminal},
};

/// Most notes of one walk.
const LIMIT: u32 = 1_000;
/// Where neither VISUAL nor EDITOR says.
const EDITOR: &str = "vi";

/// Walk through notes that agents wrote and nobody has looked at.
///
/// Each is shown. `y` marks it as reviewed: every project finds it then, and it may be brought into
/// sessions as a person's. `s` skips it, `e` opens it in your editor, `q` ends the walk.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite vault review
  EDITOR=\"code --wait\" kite vault review")]
pub(super) struct ReviewArgs {}

/// What the person says about a note.
enum Word {
    Reviewed,
    Skip,
    Edit,
    Quit,
}

pub(super) fn run(_args: &ReviewArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    if !person_at_terminal() {
        return Err(
            Error::new(Kind::Refused, "only a person at a terminal reviews notes")
                .hinted("`kite vault list --unreviewed` lists them"),
        );
    }
    let mut daemon = Daemon::connect()?;
    let listed: Notes = daemon.ask(VaultList {
        unreviewed: true,
        limit: Some(LIMIT),
        project: None,
    })?;
    let (mut reviewed, mut skipped) = (0, 0);
    for (number, note) in listed.notes.iter().enumerate() {
        let place = (number + 1, listed.notes.len());
        match walk(&mut daemon, terminal, &note.path, place)? {
            Word::Reviewed => reviewed += 1,
            Word::Quit => break,
            _ => skipped += 1,
        }
    }
    render::vault::note_walked(terminal, listed.notes.len(), reviewed, skipped)?;
    Ok(Exit::Success)
}

/// One note, until the person is done with it.
fn walk(
    daemon: &mut Daemon,
    terminal: &mut Terminal,
    path: &str,
    place: (usize, usize),
) -> Result<Word, Error> {
    loop {
        let read = VaultRead {
            path: path.to_owned(),
            project: None,
        };
        let shown: NoteText = match daemon.ask(read) {
            Ok(shown) => shown,
            // Removed meanwhile, or no note any more.
            Err(error) if error.kind == Kind::NotFound => {
                terminal.note(error.sentence())?;
                return Ok(Word::Skip);
            }
            Err(error) => return Err(error),
        };
        render::vault::print_for_review(terminal, &shown, place)?;
        match ask(terminal)? {
            Word::Edit => edit(terminal, path)?,
            Word::Reviewed => {
                let review = VaultReview {
                    path: path.to_owned(),
                    hash: shown.hash,
                    project: None,
                };
                match daemon.ask::<NoteText>(review) {
                    Ok(_) => return Ok(Word::Reviewed),
                    // It has changed: shown again.
                    Err(error) if error.kind == Kind::Refused => {
                        terminal.note(error.sentence())?;
                    }
                    Err(error) => return Err(error),
                }
            }
            done => return Ok(done),
        }
    }
}

fn ask(terminal: &mut Terminal) -> Result<Word, Error> {
    loop {
        let answer = terminal.answer("[y] reviewed  [s] skip  [e] edit  [q] quit:")?;
        match answer.as_deref().map(str::to_lowercase).as_deref() {
            Some("y" | "yes") => return Ok(Word::Reviewed),
            Some("s" | "n" | "") => return Ok(Word::Skip),
            Some("e") => return Ok(Word::Edit),
            Some("q") | None => return Ok(Word::Quit),
            Some(_) => {}
        }
    }
}

/// Opens a note in the person's editor. Its words become arguments; no shell reads them.
fn edit(terminal: &mut Terminal, path: &str) -> Result<(), Error> {
    let set = |name: &str| std::env::var(name).ok().filter(|it| !it.trim().is_empty());
    let editor = set("VISUAL")
        .or_else(|| set("EDITOR"))
        .unwrap_or_else(|| EDITOR.to_owned());
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or(EDITOR);
    terminal.flush()?;
    let ended = Command::new(program).args(words).arg(path).status();
    let fault = match ended {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    terminal.note(format!("The editor {program} did not do it: {fault}"))?;
    Ok(())
}
