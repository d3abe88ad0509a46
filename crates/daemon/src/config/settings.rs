//! The table of settings.

use std::fmt::Write as _;

use super::{Config, Durability, Guard, Hold};

/// A file that may hold settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `$KITE_HOME/config.toml`, written by the user.
    Home,
    /// `<repository>/.kite/config.toml`, written by whoever wrote the repository.
    Repository,
}

/// What values a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of these words.
    Word(&'static [&'static str]),
    /// A whole number within these bounds.
    Number { min: u64, max: u64 },
    /// At most [`NAMES_MAX`] names.
    Names,
}

/// Most names in a list.
pub const NAMES_MAX: usize = 100;

/// A value that its [`Kind`] has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Position in the list of words.
    Word(usize),
    Number(u64),
    Names(Vec<String>),
}

/// One setting.
pub struct Setting {
    pub name: &'static str,
    pub kind: Kind,
    /// As it is written in an environment variable.
    pub default: &'static str,
    /// The environment variable that overrides all files.
    pub variable: &'static str,
    /// The places that may set it, beside the environment.
    pub places: &'static [Place],
    pub doc: &'static str,
    pub(super) apply: fn(&mut Config, Value),
}

const USER: &[Place] = &[Place::Home];
const ANYONE: &[Place] = &[Place::Home, Place::Repository];
const SWITCH: Kind = Kind::Word(&["off", "on"]);

/// All of them, in the order of the documentation.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "guard",
        kind: Kind::Word(&["open", "strict"]),
        default: "open",
        variable: "KITE_GUARD",
        places: USER,
        doc: "What a hook does that gets no answer from the daemon. `open` lets the agent go on \
              and counts it; `strict` refuses the step. Takes effect when the daemon starts.",
        apply: |config, value| {
            config.guard = if value == Value::Word(1) {
                Guard::Strict
            } else {
                Guard::Open
            };
        },
    },
    Setting {
        name: "hold",
        kind: Kind::Word(&["edit", "turn"]),
        default: "edit",
        variable: "KITE_HOLD",
        places: ANYONE,
        doc: "How long a file stays with the session that edits it: for the `edit` itself, or \
              until the end of the `turn`. `turn` refuses many edits that would have been safe.",
        apply: |config, value| {
            config.hold = if value == Value::Word(1) {
                Hold::Turn
            } else {
                Hold::Edit
            };
        },
    },
    Setting {
        name: "hold_wait_ms",
        kind: Kind::Number { min: 0, max: 4_500 },
        default: "2000",
        variable: "KITE_HOLD_WAIT_MS",
        places: ANYONE,
        doc: "How many milliseconds an edit waits for another session's edit of the same file \
              before it is refused. A hook waits 5 s at most, and with no answer lets the edit go on.",
        apply: |config, value| set_number(&mut config.hold_wait_ms, value),
    },
    Setting {
        name: "lock_ttl_s",
        kind: Kind::Number {
            min: 10,
            max: 86_400,
        },
        default: "1800",
        variable: "KITE_LOCK_TTL_S",
        places: ANYONE,
        doc: "How many seconds a lock lasts without a sign of life of its session, where the \
              request for it does not say.",
        apply: |config, value| set_number(&mut config.lock_ttl_s, value),
    },
    Setting {
        name: "session_ttl_s",
        kind: Kind::Number {
            min: 5,
            max: 86_400,
        },
        default: "60",
        variable: "KITE_SESSION_TTL_S",
        places: USER,
        doc: "How many seconds a session lives from its last sign of life where there is no \
              process to watch.",
        apply: |config, value| set_number(&mut config.session_ttl_s, value),
    },
    Setting {
        name: "intent",
        kind: SWITCH,
        default: "on",
        variable: "KITE_INTENT",
        places: ANYONE,
        doc: "Whether the first line of a session's latest prompt (80 characters) is kept and \
              shown to others as what the session is about.",
        apply: |config, value| config.intent = value == Value::Word(1),
    },
    Setting {
        name: "git_guard",
        kind: SWITCH,
        default: "on",
        variable: "KITE_GIT_GUARD",
        places: USER,
        doc: "Whether git commands of agents are looked at: uncommitted work is kept in a snapshot \
              before they may touch it, and what would certainly destroy or sweep up another live \
              session's uncommitted work is refused.",
        apply: |config, value| config.git_guard = value == Value::Word(1),
    },
    Setting {
        name: "undo_max_mib",
        kind: Kind::Number {
            min: 1,
            max: 1_048_576,
        },
        default: "1024",
        variable: "KITE_UNDO_MAX_MIB",
        places: USER,
        doc: "How many MiB the contents may take that are kept from before and after edits, for all \
              projects together, compressed. The oldest go first.",
        apply: |config, value| set_number(&mut config.undo_max_mib, value),
    },
    Setting {
        name: "undo_days",
        kind: Kind::Number { min: 1, max: 3_650 },
        default: "14",
        variable: "KITE_UNDO_DAYS",
        places: USER,
        doc: "How many days contents and snapshots are kept, and the journals of projects in which \
              nothing has happened since.",
        apply: |config, value| set_number(&mut config.undo_days, value),
    },
    Setting {
        name: "undo_snapshots",
        kind: Kind::Number {
            min: 1,
            max: 100_000,
        },
        default: "200",
        variable: "KITE_UNDO_SNAPSHOTS",
        places: USER,
        doc: "How many snapshots of uncommitted work are kept in one repository. The oldest go \
              first.",
        apply: |config, value| set_number(&mut config.undo_snapshots, value),
    },
    Setting {
        name: "notes",
        kind: SWITCH,
        default: "on",
        variable: "KITE_NOTES",
        places: ANYONE,
        doc: "Whether a session is told, in one line and once, that another session has changed \
              a file it is working with, or that its changes would conflict with those in another \
              worktree. Where the home says `off`, worktrees are not compared at all.",
        apply: |config, value| config.notes = value == Value::Word(1),
    },
    Setting {
        name: "durability",
        kind: Kind::Word(&["normal", "power"]),
        default: "normal",
        variable: "KITE_DURABILITY",
        places: USER,
        doc: "`normal`: what was acknowledged survives the death of any program. `power`: loss of \
              power too, which costs a disk flush for each group of changes. Takes effect when \
              the daemon starts.",
        apply: |config, value| {
            config.durability = if value == Value::Word(1) {
                Durability::Power
            } else {
                Durability::Normal
            };
        },
    },
    Setting {
        name: "log_days",
        kind: Kind::Number { min: 1, max: 3_650 },
        default: "14",
        variable: "KITE_LOG_DAYS",
        places: USER,
        doc: "How many days the audit log is kept.",
        apply: |config, value| set_number(&mut config.log_days, value),
    },
    Setting {
        name: "log_max_mib",
        kind: Kind::Number {
            min: 1,
            max: 1_048_576,
        },
        default: "256",
        variable: "KITE_LOG_MAX_MIB",
        places: USER,
        doc: "How many MiB the audit log may take. The oldest is deleted first.",
        apply: |config, value| set_number(&mut config.log_max_mib, value),
    },
    Setting {
        name: "log_full",
        kind: Kind::Names,
        default: "",
        variable: "KITE_LOG_FULL",
        places: USER,
        doc: "Tools whose full input and output is logged, redacted and capped; `*` for all. Of \
              other tools only name, target and outcome are logged; Kite's own are always logged \
              in full. In the variable, names are separated by commas.",
        apply: |config, value| {
            if let Value::Names(names) = value {
                config.log_full = names;
            }
        },
    },
];

fn set_number(place: &mut u64, value: Value) {
    if let Value::Number(number) = value {
        *place = number;
    }
}

impl Setting {
    /// The setting of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    pub(super) fn default_value(&self) -> Value {
        self.kind
            .parse(self.default)
            .unwrap_or(Value::Names(Vec::new()))
    }
}

impl Kind {
    /// Reads the value of an environment variable.
    #[must_use]
    pub fn parse(&self, text: &str) -> Option<Value> {
        match self {
            Kind::Word(_) => self.word(text),
            Kind::Number { .. } => self.number(text.parse().ok()?),
            Kind::Names => {
                let names = text
                    .split(',')
                    .map(str::trim)
                    .filter(|name| !name.is_empty());
                self.names(names.map(str::to_owned).collect())
            }
        }
    }

    /// The word, where it is one of this kind's.
    #[must_use]
    pub fn word(&self, text: &str) -> Option<Value> {
        let Kind::Word(words) = self else { return None };
        words.iter().position(|word| *word == text).map(Value::Word)
    }

    /// The number, where it is within this kind's bounds.
    #[must_use]
    pub fn number(&self, number: u64) -> Option<Value> {
        let Kind::Number { min, max } = self else {
            return None;
        };
        (*min..=*max)
            .contains(&number)
            .then_some(Value::Number(number))
    }

    /// The names, where they are not too many.
    #[must_use]
    pub fn names(&self, names: Vec<String>) -> Option<Value> {
        (*self == Kind::Names && names.len() <= NAMES_MAX).then_some(Value::Names(names))
    }

    /// What this kind takes, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Kind::Word(words) => {
                let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                quoted.join(" or ")
            }
            Kind::Number { min, max } => format!("a whole number from {min} to {max}"),
            Kind::Names => format!("a list of at most {NAMES_MAX} names"),
        }
    }

    /// A value as it is written in TOML.
    fn in_toml(&self, text: &str) -> String {
        match self {
            Kind::Word(_) => format!("\"{text}\""),
            Kind::Number { .. } => text.to_owned(),
            Kind::Names => {
                let names = text.split(',').filter(|name| !name.is_empty());
                format!(
                    "[{}]",
                    names
                        .map(|name| format!("\"{name}\""))
                        .collect::<Vec<_>>()
                        .join(", ")
                )
            }
        }
    }
}

/// The documentation of all settings, as `docs/config.md` holds it.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(INTRODUCTION);
    for setting in SETTINGS {
        let places = if setting.places.contains(&Place::Repository) {
            "home, repository"
        } else {
            "home only"
        };
        let default = setting.kind.in_toml(setting.default);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n## `{}`\n\n{}\n\n- Values: {}\n- Default: `{default}`\n- May be set in: {places}\n- Variable: `{}`\n",
            setting.name,
            wrapped(setting.doc),
            setting.kind.describe(),
            setting.variable,
        );
    }
    text
}

const INTRODUCTION: &str = "\
# Configuration

Settings are read from `$KITE_HOME/config.toml` (`~/.kite/config.toml`), then, where the setting
allows it, from the repository's own `.kite/config.toml`, then from environment variables of the
daemon. The later one counts. A repository's file may not set what guards the user from the
repository.

A key that Kite does not know is reported with the nearest one it knows; a value of the wrong type
or out of bounds is reported with its line, and the default counts. `kite doctor` shows both.

This page is generated from the declarations in `crates/daemon/src/config/settings.rs`.
";

/// Lines of at most 100 characters.
fn wrapped(text: &str) -> String {
    const WIDTH: usize = 100;
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        if width > 0 && width + 1 + word.len() > WIDTH {
            lines.push('\n');
            width = 0;
        } else if width > 0 {
            lines.push(' ');
            width += 1;
        }
        lines.push_str(word);
        width += word.len();
    }
    lines
}
