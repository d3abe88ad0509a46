//! What `kite init` and `kite uninit` tell on the way, and what they ask.

use std::io::{self, BufRead as _, IsTerminal as _};

use super::{Line, Role, Terminal};
use crate::{proof::Proof, wiring::Report};

/// Longest answer to a question that is read, in bytes.
const ANSWER_BYTES_MAX: u64 = 256;

impl Report for Terminal {
    fn say(&mut self, line: &str) {
        // Where nobody reads along, the files count all the same.
        let _ = self.line(line);
    }

    fn diff(&mut self, diff: &str) {
        for line in diff.lines() {
            let role = match line.as_bytes() {
                [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Role::Heading,
                [b'+', ..] => Role::Good,
                [b'-', ..] => Role::Bad,
                [b'@', ..] => Role::Name,
                _ => Role::Plain,
            };
            let _ = self.line(Line::new().with(role, line));
        }
    }

    fn ask(&mut self, question: &str) -> Option<bool> {
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return None;
        }
        self.note(Line::from(question).with(Role::Faint, " [y/N]"))
            .ok()?;
        let mut answer = String::new();
        io::Read::take(io::stdin().lock(), ANSWER_BYTES_MAX)
            .read_line(&mut answer)
            .ok()?;
        Some(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}

/// The one line that says that it works.
pub(crate) fn print_proof(terminal: &mut Terminal, proof: &Proof) -> io::Result<()> {
    terminal.line(
        Line::new()
            .with(Role::Heading, format!("{:<10}", "Proof"))
            .with(Role::Good, "enforced")
            .plain(format!(
                ": a made-up edit was refused in {:.1} ms: ",
                proof.took_ms
            ))
            .plain(&proof.refusal),
    )
}

/// What to do next.
pub(crate) fn print_next(terminal: &mut Terminal, steps: &[String]) -> io::Result<()> {
    for (at, step) in steps.iter().enumerate() {
        let name = if at == 0 { "Next" } else { "" };
        terminal.line(
            Line::new()
                .with(Role::Heading, format!("{name:<10}"))
                .plain(step),
        )?;
    }
    Ok(())
}

/// An empty line between two parts.
pub(crate) fn print_gap(terminal: &mut Terminal) -> io::Result<()> {
    terminal.line("")
}
