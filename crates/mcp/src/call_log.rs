//! One line on stderr before each call and one after it:
//!
//! ```text
//! [2026-11-22T14:32:11.042+01:00] tool:kite_file_lock {"file":"src/a.rs"}
//! [2026-11-22T14:32:11.044+01:00] result:kite_file_lock "Locked: src/a.rs ..."
//! ```
//!
//! Redacted, cut, never broken over lines. Whoever started this program may never read its
//! stderr: a line that finds no room is dropped, because waiting there would stop the protocol.

use jiff::Zoned;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    pipe::PIPE_BUF,
    stdio::stderr,
};
use serde_json::{Map, Value};

use crate::text;

/// Characters of one line.
const LINE_CHARS_MAX: usize = 2_000;
/// Characters of a tool's name.
const TOOL_CHARS_MAX: usize = 64;
/// A larger input is not looked at: only its size is logged.
const INPUT_BYTES_MAX: usize = 64 << 10;

/// Logs a call and its input.
pub(crate) fn called(tool: &str, input: &Map<String, Value>) {
    let bytes: usize = input
        .iter()
        .map(|(name, value)| name.len() + weight(value))
        .sum();
    let input = if bytes > INPUT_BYTES_MAX {
        format!("{{\"cut\":\"about {bytes} bytes\"}}")
    } else {
        let mut input = Value::Object(input.clone());
        kite_redact::redact_json(&mut input);
        input.to_string()
    };
    write(&line("tool", tool, &input));
}

/// Logs the text that a call was answered with.
pub(crate) fn answered(tool: &str, answer: &str) {
    write(&line(
        "result",
        tool,
        &Value::String(kite_redact::redact(answer).into_owned()).to_string(),
    ));
}

fn line(what: &str, tool: &str, rest: &str) -> String {
    let now = Zoned::now();
    let time = now.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z");
    let line = format!(
        "[{time}] {what}:{} {rest}",
        text::one_line(&kite_redact::redact(tool), TOOL_CHARS_MAX)
    );
    let mut line = text::one_line(&line, LINE_CHARS_MAX);
    line.push('\n');
    line
}

/// Roughly the bytes of a value, counted without writing it out.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + weight(value))
            .sum(),
        _ => 8,
    }
}

fn write(line: &str) {
    // A stream that is ready takes so much without waiting.
    for part in line.as_bytes().chunks(PIPE_BUF) {
        if !has_room() || rustix::io::write(stderr(), part).is_err() {
            return;
        }
    }
}

fn has_room() -> bool {
    let fd = stderr();
    let mut fds = [PollFd::new(&fd, PollFlags::OUT)];
    let at_once = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    matches!(poll(&mut fds, Some(&at_once)), Ok(1)) && fds[0].revents().contains(PollFlags::OUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_bounded() {
        let long = line("result", "kite_sessions", &"é\n".repeat(5_000));
        assert_eq!(long.matches('\n').count(), 1);
        assert!(long.chars().count() <= LINE_CHARS_MAX + 2, "{}", long.len());
        let short = line("tool", "kite_file_lock", r#"{"file":"a"}"#);
        let (time, rest) = short.split_once("] ").expect("a time first");
        assert!(time.starts_with("[20") && time.contains('T'), "{time}");
        assert_eq!(rest, "tool:kite_file_lock {\"file\":\"a\"}\n");
    }
}
