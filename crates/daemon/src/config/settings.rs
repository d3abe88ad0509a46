//! The table of settings.

pub mod agents;
mod coordination;
pub mod reviews;
pub mod vault;

use std::fmt::Write as _;

use super::Config;

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
    /// One line of at most [`TEXT_CHARS_MAX`] characters, all of which show.
    Text,
    /// At most [`NAMES_MAX`] names.
    Names,
}

/// Longest text of a setting, in characters.
pub const TEXT_CHARS_MAX: usize = 200;
/// Most names in a list.
pub const NAMES_MAX: usize = 100;

/// A value that its [`Kind`] has accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Position in the list of words.
    Word(usize),
    Number(u64),
    Text(String),
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

/// May be set by the user alone.
const USER: &[Place] = &[Place::Home];
/// May be set by a repository, too.
const ANYONE: &[Place] = &[Place::Home, Place::Repository];
const SWITCH: Kind = Kind::Word(&["off", "on"]);

/// All of them, by what they are about, in the order of the documentation.
const GROUPS: &[&[Setting]] = &[
    coordination::SETTINGS,
    agents::SETTINGS,
    reviews::SETTINGS,
    vault::SETTINGS,
];

/// Tables that are not settings and are read by those whom they concern: the presets of agents
/// (home only), and the project's own tools.
pub const TABLES: &[&str] = &["agents", "tools"];

/// All of them, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Setting> + Clone {
    GROUPS.iter().copied().flatten()
}

fn set_text(place: &mut String, value: Value) {
    if let Value::Text(text) = value {
        *place = text;
    }
}

fn set_number(place: &mut u64, value: Value) {
    if let Value::Number(number) = value {
        *place = number;
    }
}

impl Setting {
    /// The setting of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Setting> {
        all().find(|setting| setting.name == name)
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
            Kind::Text => self.text(text),
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

    /// The text, where it is one line of what shows and not too long.
    #[must_use]
    pub fn text(&self, text: &str) -> Option<Value> {
        let fits = *self == Kind::Text
            && text.chars().count() <= TEXT_CHARS_MAX
            && !text.contains(char::is_control);
        fits.then(|| Value::Text(text.to_owned()))
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
            Kind::Text => format!("a text of at most {TEXT_CHARS_MAX} characters on one line"),
            Kind::Names => format!("a list of at most {NAMES_MAX} names"),
        }
    }

    /// A value as it is written in TOML.
    fn in_toml(&self, text: &str) -> String {
        match self {
            Kind::Word(_) | Kind::Text => format!("\"{text}\""),
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
    for setting in all() {
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
