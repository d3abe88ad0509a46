//! The hook frame, sans IO: one header line, then the hook's input as raw bytes.
//!
//! ```text
//! hook TAB 1 TAB <event> TAB <client> TAB <input length> { TAB <NAME>=<value> } LF <input>
//! ```
//!
//! Field values are percent-encoded ([`encode`]): `%`, control characters and bytes above 0x7E.
//! The daemon answers with any number of `wait <ms>` lines ("something is in the way: give me so
//! much longer from now"), then one `done` line and the bytes it announces, and closes:
//!
//! ```text
//! wait 2000 LF
//! done <exit code> <stdout length> <stderr length> LF <stdout> <stderr>
//! ```
//!
//! The hook copies them out and exits with that code. Nothing here is parsed but these lines.
//!
//! A hook whose header names [`RECEIPT`] among its variables says, once its stdout is written, that
//! the agent has it: [`TOLD`]. A daemon that has something to say only once then knows whether it
//! was said. Other hooks are believed to write what they are given.

/// Version of this frame.
pub const VERSION: u32 = 1;
/// Longest JSON line, and longest header line, in bytes.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// Most input a hook sends, in bytes.
pub const INPUT_BYTES_MAX: usize = 32 << 20;
/// Most output a hook accepts, in bytes.
pub const OUTPUT_BYTES_MAX: usize = 1 << 20;
/// First bytes of every hook frame, as against `{` of a JSON line.
pub const MAGIC: &[u8] = b"hook\t";

/// The variable by which a hook promises to say [`TOLD`].
pub const RECEIPT: &str = "KITE_RECEIPT";
/// What a hook says after its stdout has been written.
pub const TOLD: &[u8] = b"told\n";

/// The header of a hook frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The hook event, such as `PreToolUse`.
    pub event: String,
    /// The client whose dialect the input is in, such as `claude-code`.
    pub client: String,
    /// Length of the input that follows, in bytes.
    pub input_len: usize,
    /// Environment variables, name and raw bytes.
    pub env: Vec<(String, Vec<u8>)>,
}

impl Header {
    /// The header line, newline included.
    #[must_use]
    pub fn to_line(&self) -> Vec<u8> {
        let mut line = MAGIC.to_vec();
        line.extend(VERSION.to_string().bytes());
        for field in [&self.event, &self.client] {
            line.push(b'\t');
            encode(field.as_bytes(), &mut line);
        }
        line.push(b'\t');
        line.extend(self.input_len.to_string().bytes());
        for (name, value) in &self.env {
            line.push(b'\t');
            encode(name.as_bytes(), &mut line);
            line.push(b'=');
            encode(value, &mut line);
        }
        line.push(b'\n');
        line
    }

    /// Reads a header line (with or without its newline). `None` for anything else.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<Header> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let rest = line.strip_prefix(MAGIC)?;
        let mut fields = rest.split(|b| *b == b'\t');
        let number = |field: &[u8]| core::str::from_utf8(field).ok()?.parse::<usize>().ok();
        if number(fields.next()?)? != VERSION as usize {
            return None;
        }
        let event = String::from_utf8(decode(fields.next()?)).ok()?;
        let client = String::from_utf8(decode(fields.next()?)).ok()?;
        let input_len = number(fields.next()?)?;
        let mut env = Vec::new();
        for field in fields {
            let equals = field.iter().position(|b| *b == b'=')?;
            let name = String::from_utf8(decode(&field[..equals])).ok()?;
            env.push((name, decode(&field[equals + 1..])));
        }
        Some(Header {
            event,
            client,
            input_len,
            env,
        })
    }

    /// The value of one environment variable, where it is text.
    #[must_use]
    pub fn env(&self, name: &str) -> Option<&str> {
        let (_, value) = self.env.iter().find(|(n, _)| n == name)?;
        core::str::from_utf8(value).ok()
    }
}

/// Percent-encodes `%`, control characters, and everything outside ASCII.
pub fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &b in bytes {
        if b == b'%' || !(0x20..=0x7E).contains(&b) {
            out.extend([b'%', HEX[usize::from(b >> 4)], HEX[usize::from(b & 15)]]);
        } else {
            out.push(b);
        }
    }
}

/// Undoes [`encode`]. A `%` without two hexadecimal digits stands for itself.
#[must_use]
pub fn decode(bytes: &[u8]) -> Vec<u8> {
    let hex = |b: u8| (b as char).to_digit(16).map(|d| d as u8);
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&b, tail)) = rest.split_first() {
        rest = tail;
        if let (b'%', [high, low, ..]) = (b, tail)
            && let (Some(high), Some(low)) = (hex(*high), hex(*low))
        {
            out.push(high << 4 | low);
            rest = &tail[2..];
            continue;
        }
        out.push(b);
    }
    out
}

/// A line of the daemon's answer to a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerLine {
    /// Wait up to so many milliseconds more, from now.
    Wait { ms: u64 },
    /// The end: an exit code, and how many bytes of stdout and stderr follow.
    Done {
        exit: u8,
        stdout_len: usize,
        stderr_len: usize,
    },
}

impl AnswerLine {
    /// The line, newline included.
    #[must_use]
    pub fn to_line(self) -> String {
        match self {
            AnswerLine::Wait { ms } => format!("wait {ms}\n"),
            AnswerLine::Done {
                exit,
                stdout_len,
                stderr_len,
            } => {
                format!("done {exit} {stdout_len} {stderr_len}\n")
            }
        }
    }

    /// Reads one line, without its newline. `None` for anything else.
    #[must_use]
    pub fn parse(line: &[u8]) -> Option<AnswerLine> {
        let line = core::str::from_utf8(line).ok()?;
        let mut words = line.split(' ');
        let answer = match words.next()? {
            "wait" => AnswerLine::Wait {
                ms: words.next()?.parse().ok()?,
            },
            "done" => AnswerLine::Done {
                exit: words.next()?.parse().ok()?,
                stdout_len: words.next()?.parse().ok()?,
                stderr_len: words.next()?.parse().ok()?,
            },
            _ => return None,
        };
        words.next().is_none().then_some(answer)
    }
}
