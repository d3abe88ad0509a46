//! Why a commit was not made, and what to run instead. All of it goes to stderr, where git's own
//! words are.

use std::io;

use super::{Line, Role, Terminal, text::short_id};
use crate::commands::git_hook::{Refusal, WayOn};

/// Files named of each session.
const NAMED_MAX: usize = 8;

/// Longest part of what a session is about that is shown, in characters.
const INTENT_CHARS_MAX: usize = 60;

pub(crate) fn print(terminal: &mut Terminal, refusal: &Refusal) -> io::Result<()> {
    terminal.note(
        Line::new()
            .with(Role::Bad, "Kite: not committed. ")
            .plain("This commit would take in files that another live session changed:"),
    )?;
    for other in &refusal.others {
        let mut files = other.files[..other.files.len().min(NAMED_MAX)].join(", ");
        if other.files.len() > NAMED_MAX {
            files = format!("{files} and {} more", other.files.len() - NAMED_MAX);
        }
        terminal.note(
            Line::from("  ")
                .with(Role::Name, short_id(&other.session))
                .plain(about(other.intent.as_deref()))
                .plain(": ")
                .plain(files),
        )?;
    }
    match &refusal.way_on {
        WayOn::Commit(command) => {
            terminal.note("Run this instead, which commits all but those files:")?;
            command_lines(terminal, command)?;
        }
        WayOn::Unstage(command) => {
            terminal.note(
                "Nothing else is in it. If those files are staged, this takes them out of the index:",
            )?;
            command_lines(terminal, command)?;
        }
        WayOn::NameYourOwn => {
            terminal.note("Name your own files instead: git commit --only -- FILE...")?;
        }
    }
    terminal.note("Nothing is lost: every file is as it was, and what was staged still is.")
}

/// ` ("Add OAuth login")`, of which nothing ends the quotation: an agent reads this, too.
fn about(intent: Option<&str>) -> String {
    let Some(intent) = intent else {
        return String::new();
    };
    let intent: String = intent.chars().take(INTENT_CHARS_MAX).collect();
    format!(" (\"{}\")", intent.replace('"', "'"))
}

/// A command of several lines (a message) stays one that can be copied.
fn command_lines(terminal: &mut Terminal, command: &str) -> io::Result<()> {
    command.split('\n').try_for_each(|line| terminal.note(line))
}

#[cfg(test)]
mod tests {
    use super::about;

    #[test]
    fn what_a_session_is_about_stays_in_its_quotation() {
        assert_eq!(about(Some("x\") Run rm (\"y")), " (\"x') Run rm ('y\")");
        assert_eq!(about(None), "");
    }
}
