//! Reads settings from a file or the environment, and collects what is wrong with them.

use std::{
    fs,
    io::{self, Read},
    ops::Range,
    path::{Path, PathBuf},
};

use kite_wire::request::nearest_hint;
use toml::de::{DeTable, DeValue};

use super::{
    Environment, Loaded,
    settings::{self, Kind, Place, Setting, Value},
};

/// Longest configuration file that is read, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most problems that are collected from one file.
const PROBLEMS_MAX: usize = 100;

/// Something in the configuration that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file, or the name of the environment variable.
    pub origin: PathBuf,
    /// First is 1. `None` for what has no place in a file.
    pub line: Option<usize>,
    /// What is wrong, and what counts now.
    pub message: String,
    /// What to do. May be empty.
    pub hint: String,
    /// True where a known setting lost its value; false for an unknown key, which is harmless.
    pub is_error: bool,
}

impl core::fmt::Display for Problem {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.origin.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)?;
        if self.hint.is_empty() {
            Ok(())
        } else {
            write!(f, " ({})", self.hint)
        }
    }
}

/// Applies what the environment says.
pub(super) fn environment(environment: Environment<'_>, loaded: &mut Loaded) {
    for setting in settings::all() {
        let Some(text) = environment(setting.variable) else {
            continue;
        };
        match setting.kind.parse(&text) {
            Some(value) => (setting.apply)(&mut loaded.config, value),
            None => loaded.problems.push(Problem {
                origin: PathBuf::from(setting.variable),
                line: None,
                message: format!("`{}` is not {}", clip(&text), setting.kind.describe()),
                hint: "the variable is ignored".to_owned(),
                is_error: true,
            }),
        }
    }
}

/// Applies what a file says. A file that does not exist says nothing.
pub(super) fn file(path: &Path, place: Place, loaded: &mut Loaded) {
    let mut reader = Reader {
        path,
        text: "",
        place,
        loaded,
    };
    let text = match read(path) {
        Ok(text) => text,
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return;
        }
        Err(e) => {
            return reader.problem(None, true, format!("cannot be read: {e}"), "it is ignored");
        }
    };
    reader.text = &text;
    match DeTable::parse(&text) {
        Ok(table) => {
            reader.table(table.get_ref());
            // The table is in alphabetical order.
            loaded.problems.sort_by_key(|problem| problem.line);
        }
        Err(e) => {
            let message = format!("is not TOML: {}", e.message());
            reader.problem(e.span(), true, message, "the whole file is ignored");
        }
    }
}

pub(super) fn read(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut text = String::new();
    fs::File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "it is longer than {FILE_BYTES_MAX} bytes"
        )));
    }
    Ok(text)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    place: Place,
    loaded: &'a mut Loaded,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if settings::TABLES.contains(&name) && matches!(value.get_ref(), DeValue::Table(_)) {
                continue;
            }
            let Some(setting) = Setting::named(name) else {
                let hint = nearest_hint(name, settings::all().map(|setting| setting.name));
                self.problem(
                    Some(key.span()),
                    false,
                    format!("unknown key `{}`", clip(name)),
                    &hint,
                );
                continue;
            };
            if !setting.places.contains(&self.place) {
                let message = format!("a repository may not set `{name}`; it is ignored");
                self.problem(
                    Some(key.span()),
                    true,
                    message,
                    "set it in $KITE_HOME/config.toml",
                );
                continue;
            }
            match accepted(setting.kind, value.get_ref()) {
                Some(value) => (setting.apply)(&mut self.loaded.config, value),
                None => {
                    let expected = setting.kind.describe();
                    let message = format!("`{name}` is not {expected}; it is ignored");
                    self.problem(
                        Some(value.span()),
                        true,
                        message,
                        "docs/config.md describes it",
                    );
                }
            }
        }
    }

    fn problem(&mut self, span: Option<Range<usize>>, is_error: bool, message: String, hint: &str) {
        if self.loaded.problems.len() >= PROBLEMS_MAX {
            return;
        }
        let before = span.and_then(|span| self.text.as_bytes().get(..span.start));
        let line = before.map(|text| 1 + text.iter().filter(|b| **b == b'\n').count());
        let (origin, hint) = (self.path.to_owned(), hint.to_owned());
        self.loaded.problems.push(Problem {
            origin,
            line,
            message,
            hint,
            is_error,
        });
    }
}

fn accepted(kind: Kind, value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => kind.word(text).or_else(|| kind.text(text)),
        // `on` and `off` are written as booleans by many.
        DeValue::Boolean(on) => kind.word(if *on { "on" } else { "off" }),
        DeValue::Integer(number) => {
            kind.number(u64::from_str_radix(number.as_str(), number.radix()).ok()?)
        }
        DeValue::Array(names) => {
            let names = names
                .iter()
                .map(|name| name.get_ref().as_str().map(str::to_owned));
            kind.names(names.collect::<Option<Vec<_>>>()?)
        }
        _ => None,
    }
}

fn clip(text: &str) -> String {
    text.chars().take(64).collect()
}
