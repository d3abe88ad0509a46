//! Where output goes: data to stdout, everything else to stderr.

use std::{
    io::{self, BufRead as _, BufWriter, IsTerminal as _, Read as _, Stderr, Stdout, Write},
    time::Duration,
};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    line::{Line, Role},
    moment,
    text::{escape, escape_json, fit, width},
};
use crate::cli::ColorChoice;

/// Columns assumed where a terminal does not say.
const COLUMNS_DEFAULT: usize = 100;
/// Fewest columns that tables are fitted to.
const COLUMNS_MIN: usize = 40;

/// A longer answer to a question is none.
const ANSWER_BYTES_MAX: u64 = 100;

/// The two streams of this program, and what is known of them.
///
/// Every method but [`Terminal::verbatim`] escapes what it is given.
pub(crate) struct Terminal {
    out: BufWriter<Stdout>,
    err: Stderr,
    out_color: bool,
    err_color: bool,
    /// Columns of the terminal at stdout; `None` where it is no terminal and nothing is cut.
    columns: Option<usize>,
    now: Timestamp,
}

impl Terminal {
    pub(crate) fn new(color: ColorChoice) -> Terminal {
        let wanted = |is_terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                is_terminal
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
                    && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            }
        };
        let (out, err) = (io::stdout(), io::stderr());
        Terminal {
            out_color: wanted(out.is_terminal()),
            err_color: wanted(err.is_terminal()),
            columns: out.is_terminal().then(columns),
            out: BufWriter::new(out),
            err,
            now: Timestamp::now(),
        }
    }

    /// Columns to fit to; `None` where nothing is cut.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.columns
    }

    /// One line of data, to stdout.
    pub(crate) fn line(&mut self, line: impl Into<Line>) -> io::Result<()> {
        let text = paint(&line.into(), self.out_color);
        writeln!(self.out, "{text}")
    }

    /// One line of data, cut to the terminal's width.
    pub(crate) fn line_fitted(&mut self, line: impl Into<Line>) -> io::Result<()> {
        let mut line = line.into();
        if let Some(columns) = self.columns {
            cut(&mut line, columns);
        }
        self.line(line)
    }

    /// Text of several lines, each escaped and indented by `indent`.
    pub(crate) fn paragraph(&mut self, indent: &str, text: &str) -> io::Result<()> {
        text.lines()
            .try_for_each(|line| self.line(Line::from(indent).plain(line)))
    }

    /// A remark beside the data, to stderr.
    pub(crate) fn note(&mut self, line: impl Into<Line>) -> io::Result<()> {
        self.out.flush()?;
        let text = paint(&line.into(), self.err_color);
        // Where nobody reads stderr the data still counts.
        let _ = writeln!(self.err, "{text}");
        Ok(())
    }

    /// Asks the person in front of the terminal. Anything but yes is no.
    pub(crate) fn confirm(&mut self, question: &str) -> io::Result<bool> {
        self.out.flush()?;
        write!(self.err, "{} [y/N] ", escape(question))?;
        let mut answer = String::new();
        io::stdin()
            .lock()
            .take(ANSWER_BYTES_MAX)
            .read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }

    /// Asks the person for a word. `None` where there is nobody to answer any more.
    pub(crate) fn answer(&mut self, question: &str) -> io::Result<Option<String>> {
        self.out.flush()?;
        write!(self.err, "{} ", escape(question))?;
        let mut answer = String::new();
        let read = io::stdin()
            .lock()
            .take(ANSWER_BYTES_MAX)
            .read_line(&mut answer)?;
        Ok((read > 0).then(|| answer.trim().to_owned()))
    }

    /// One JSON document, to stdout.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        writeln!(self.out, "{}", escape_json(&text))
    }

    /// One JSON document on one line, to stdout.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        let text = serde_json::to_string(value).map_err(io::Error::from)?;
        writeln!(self.out, "{}", escape_json(&text))
    }

    /// Bytes of Kite's own making (completion scripts, the settings reference), as they are.
    pub(crate) fn verbatim(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// A past moment: `40 s ago` for a person's eyes, the moment itself in a pipe.
    pub(crate) fn ago(&self, at: &str) -> String {
        if self.columns.is_some() {
            moment::ago(at, self.now)
        } else {
            at.to_owned()
        }
    }

    /// A coming moment: `in 29 min`, or the moment itself in a pipe.
    pub(crate) fn until(&self, at: &str) -> String {
        if self.columns.is_some() {
            moment::until(at, self.now)
        } else {
            at.to_owned()
        }
    }

    /// How long since `at`; nothing where it cannot be read.
    pub(crate) fn since(&self, at: &str) -> Option<Duration> {
        let moment: Timestamp = at.parse().ok()?;
        Duration::try_from(self.now.duration_since(moment)).ok()
    }
}

/// The line as a terminal takes it.
fn paint(line: &Line, color: bool) -> String {
    let mut text = String::new();
    for piece in &line.0 {
        if color && piece.role != Role::Plain {
            text.push_str(piece.role.start());
            text.push_str(&piece.text);
            text.push_str("\x1b[0m");
        } else {
            text.push_str(&piece.text);
        }
    }
    text
}

fn cut(line: &mut Line, columns: usize) {
    let mut left = columns;
    for piece in &mut line.0 {
        piece.text = if left == 0 {
            String::new()
        } else {
            fit(&piece.text, left)
        };
        left = left.saturating_sub(width(&piece.text));
    }
}

fn columns() -> usize {
    rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .unwrap_or(COLUMNS_DEFAULT)
        .max(COLUMNS_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_stands_outside_of_the_text() {
        let line = Line::new().with(Role::Bad, "a\u{1b}[0mb").plain(" c");
        assert_eq!(paint(&line, true), "\u{1b}[31ma\\u{1b}[0mb\u{1b}[0m c");
        assert_eq!(paint(&line, false), "a\\u{1b}[0mb c");
    }

    #[test]
    fn a_long_line_is_cut_at_the_edge() {
        let mut line = Line::from("one two ").with(Role::Name, "three four");
        cut(&mut line, 12);
        assert_eq!(paint(&line, false), "one two thr…");
    }
}
