//! Programs and assignments that stand before the program that counts.

use crate::{programs::joined, shell::Word};

use super::base_name;

/// How many wrappers may stand before one program.
const MAX_WRAPPERS: usize = 16;

/// A program that runs the rest of its words.
struct Wrapper {
    name: &'static str,
    /// Options that take the next word as their value.
    with_value: &'static [&'static str],
    /// Words between its options and the program.
    operands: usize,
    /// Whether `NAME=value` may stand before the program.
    assignments: bool,
}

const fn wrapper(name: &'static str, with_value: &'static [&'static str]) -> Wrapper {
    Wrapper {
        name,
        with_value,
        operands: 0,
        assignments: false,
    }
}

const WRAPPERS: [Wrapper; 16] = [
    wrapper("command", &[]),
    wrapper("builtin", &[]),
    wrapper("exec", &["-a"]),
    wrapper("noglob", &[]),
    wrapper("nohup", &[]),
    wrapper("setsid", &[]),
    wrapper("unbuffer", &[]),
    wrapper("chronic", &[]),
    wrapper("caffeinate", &["-t", "-w"]),
    wrapper("nice", &["-n", "--adjustment"]),
    wrapper("ionice", &["-c", "-n", "--class", "--classdata"]),
    wrapper(
        "stdbuf",
        &["-i", "-o", "-e", "--input", "--output", "--error"],
    ),
    wrapper("time", &["-f", "-o", "--format", "--output"]),
    Wrapper {
        operands: 1,
        ..wrapper("timeout", &["-s", "-k", "--signal", "--kill-after"])
    },
    Wrapper {
        assignments: true,
        ..wrapper("env", &["-u", "--unset", "-C", "--chdir"])
    },
    Wrapper {
        assignments: true,
        ..wrapper(
            "sudo",
            &[
                "-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D", "-R", "--user",
                "--group", "--chdir",
            ],
        )
    },
];

/// The words of the program that counts, and what stood before it.
pub(super) struct Unwrapped<'w> {
    pub(super) words: &'w [Word],
    /// Names of the variables that were set for it.
    pub(super) sets: Vec<&'w str>,
    /// `env -C`.
    pub(super) directory: Option<String>,
    pub(super) certain: bool,
}

/// Takes assignments and wrappers away.
pub(super) fn unwrap(words: &[Word]) -> Unwrapped<'_> {
    let mut found = Unwrapped {
        words,
        sets: Vec::new(),
        directory: None,
        certain: true,
    };
    found.take_assignments();
    for _ in 0..MAX_WRAPPERS {
        let Some((program, rest)) = found.words.split_first() else {
            return found;
        };
        let name = base_name(&program.text);
        let Some(wrapper) = WRAPPERS.iter().find(|wrapper| wrapper.name == name) else {
            return found;
        };
        if !program.literal {
            return found;
        }
        found.words = rest;
        found.take_options(wrapper);
    }
    found.certain = false;
    found
}

impl<'w> Unwrapped<'w> {
    fn take_assignments(&mut self) {
        while let Some((word, rest)) = self.words.split_first() {
            let Some(name) = assigned(&word.source) else {
                return;
            };
            self.sets.push(name);
            self.words = rest;
        }
    }

    fn take_options(&mut self, wrapper: &Wrapper) {
        while let Some((word, rest)) = self.words.split_first() {
            let text = word.text.as_str();
            if !text.starts_with('-') {
                break;
            }
            self.certain &= word.literal;
            if wrapper.name == "env" && text.len() > 2 && splits(text) {
                // Its text stands for the program.
                self.certain = false;
                return;
            }
            self.words = rest;
            if text == "--" {
                break;
            }
            if wrapper.name == "command" && matches!(text, "-v" | "-V") {
                // It only tells where the program is.
                self.words = &[];
                return;
            }
            let (name, attached) = match text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (text, None),
            };
            let takes_next = attached.is_none() && wrapper.with_value.contains(&name);
            let next = takes_next.then(|| self.words.split_first()).flatten();
            if let Some((_, rest)) = next {
                self.words = rest;
            }
            let value = attached.or(next.map(|(value, _)| value.text.as_str()));
            self.consider(wrapper, name, value);
        }
        let operands = wrapper.operands.min(self.words.len());
        self.words = &self.words[operands..];
        if wrapper.assignments {
            self.take_assignments();
        }
    }

    fn consider(&mut self, wrapper: &Wrapper, name: &str, value: Option<&str>) {
        match (wrapper.name, name) {
            ("env", "-C" | "--chdir") => {
                self.directory = value.map(|value| joined(self.directory.as_deref(), value));
            }
            // Text to be split, other roots and login shells: not looked into.
            ("env", "-S" | "--split-string") => self.certain = false,
            ("sudo", "-D" | "-R" | "-i" | "-s" | "--chdir" | "--login" | "--shell") => {
                self.certain = false;
            }
            _ => {}
        }
    }
}

/// `env -S'text'` and `env --split-string=text`.
fn splits(option: &str) -> bool {
    option.starts_with("-S") || option.starts_with("--split-string=")
}

/// The variable that a word sets, if it is an assignment.
fn assigned(source: &str) -> Option<&str> {
    let (name, _) = source.split_once('=')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    let name = name.split('[').next().unwrap_or(name);
    let mut letters = name.bytes();
    let first = letters.next()?;
    let starts_well = first == b'_' || first.is_ascii_alphabetic();
    (starts_well && letters.all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()))
        .then_some(name)
}
