//! `[tools.NAME]` tables, read and judged. A definition with anything wrong in it is no tool: one
//! that lost its lock for a misspelt key would be worse than none.

use std::{fmt::Display, io, ops::Range, path::Path};

use kite_wire::request::nearest_hint;
use serde_json::Value;
use toml::de::{DeTable, DeValue};

use super::{
    ARGV_MAX, DESCRIPTION_CHARS_MAX, Definition, Kind, NAME_CHARS_MAX, OUTPUT_BYTES,
    OUTPUT_BYTES_MAX, PARAMETERS_MAX, Parameter, TIMEOUT_S, TIMEOUT_S_MAX, TOOLS_MAX, Template,
    Tools, VALUE_CHARS, VALUE_CHARS_MAX, fill,
};
use crate::config::{Problem, read::read};

/// Most problems that are collected from one file.
const PROBLEMS_MAX: usize = 100;
/// Longest text of an argument, a directory, a lock or a pattern, in characters.
const TEXT_CHARS_MAX: usize = 1_000;
/// Most values that a parameter may be limited to, and most variables that are passed on.
const LIST_MAX: usize = 100;
/// Names that the faces use themselves.
const RESERVED: &[&str] = &["session", "wait_seconds"];

/// Reads the tools that a file declares.
pub(super) fn file(path: &Path) -> Tools {
    let mut tools = Tools::default();
    let text = match read(path) {
        Ok(text) => text,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return tools;
        }
        // Whoever reads the settings says so already.
        Err(_) => return tools,
    };
    let Ok(table) = DeTable::parse(&text) else {
        return tools;
    };
    let mut reader = Reader {
        path,
        text: &text,
        problems: &mut tools.problems,
    };
    let declared = table
        .get_ref()
        .iter()
        .find(|(key, _)| key.get_ref() == "tools");
    let Some(DeValue::Table(declared)) = declared.map(|(_, value)| value.get_ref()) else {
        return tools;
    };
    for (key, value) in declared {
        let name = key.get_ref().as_ref();
        if tools.definitions.len() == TOOLS_MAX {
            reader.problem(
                key.span(),
                format!("there are more than {TOOLS_MAX} tools"),
                "the rest is left out",
            );
            break;
        }
        match value.get_ref() {
            DeValue::Table(fields) => {
                let mut at = Fields {
                    reader: &mut reader,
                    name: format!("tools.{name}"),
                    span: key.span(),
                    fields,
                    good: true,
                };
                tools.definitions.extend(at.definition(name));
            }
            _ => reader.problem(
                value.span(),
                format!("`tools.{name}` is not a table"),
                "write [tools.NAME]",
            ),
        }
    }
    tools.problems.sort_by_key(|problem| problem.line);
    tools
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, span: Range<usize>, message: String, hint: &str) {
        if self.problems.len() >= PROBLEMS_MAX {
            return;
        }
        let before = self.text.as_bytes().get(..span.start);
        self.problems.push(Problem {
            origin: self.path.to_owned(),
            line: before.map(|text| 1 + text.iter().filter(|byte| **byte == b'\n').count()),
            message,
            hint: hint.to_owned(),
            is_error: true,
        });
    }
}

/// The fields of one table, and whether all of them were right so far.
struct Fields<'r, 'a, 't> {
    reader: &'r mut Reader<'a>,
    name: String,
    span: Range<usize>,
    fields: &'t DeTable<'t>,
    good: bool,
}

impl<'t> Fields<'_, '_, 't> {
    fn definition(&mut self, name: &str) -> Option<Definition> {
        self.name_is_good(name, NAME_CHARS_MAX);
        self.only(&[
            "description",
            "parameters",
            "argv",
            "directory",
            "timeout_s",
            "lock",
            "read_only",
            "environment",
            "output_bytes_max",
        ]);
        let parameters = self.parameters();
        let definition = Definition {
            name: name.to_owned(),
            description: self.required_text("description", DESCRIPTION_CHARS_MAX),
            argv: self.argv(),
            directory: self.directory(),
            timeout_s: self
                .whole_number("timeout_s", 1, TIMEOUT_S_MAX)
                .unwrap_or(TIMEOUT_S),
            lock: self
                .text("lock", TEXT_CHARS_MAX)
                .and_then(|text| self.template("lock", &text)),
            read_only: self.flag("read_only"),
            environment: self.texts("environment", LIST_MAX),
            output_bytes_max: self
                .whole_number("output_bytes_max", 1_024, OUTPUT_BYTES_MAX)
                .unwrap_or(OUTPUT_BYTES),
            parameters,
        };
        self.places_fit(&definition);
        self.good.then_some(definition)
    }

    fn parameters(&mut self) -> Vec<Parameter> {
        let Some((span, value)) = self.find("parameters") else {
            return Vec::new();
        };
        let DeValue::Table(table) = value else {
            self.wrong(
                span,
                "`parameters` is not a table",
                "write [tools.NAME.parameters.PARAMETER]",
            );
            return Vec::new();
        };
        if table.len() > PARAMETERS_MAX {
            self.wrong(
                span,
                format!("it has more than {PARAMETERS_MAX} parameters"),
                "split the tool",
            );
            return Vec::new();
        }
        let mut parameters = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let DeValue::Table(fields) = value.get_ref() else {
                self.wrong(
                    value.span(),
                    format!("`parameters.{name}` is not a table"),
                    "write [tools.NAME.parameters.PARAMETER]",
                );
                continue;
            };
            let path = format!("{}.parameters.{name}", self.name);
            let mut at = Fields {
                reader: self.reader,
                name: path,
                span: key.span(),
                fields,
                good: true,
            };
            parameters.extend(at.parameter(name));
            self.good &= at.good;
        }
        parameters
    }

    fn parameter(&mut self, name: &str) -> Option<Parameter> {
        self.name_is_good(name, NAME_CHARS_MAX);
        if RESERVED.contains(&name) {
            self.wrong(
                self.span.clone(),
                format!("`{name}` is a parameter of Kite's own"),
                "call it something else",
            );
        }
        self.only(&[
            "type",
            "description",
            "required",
            "default",
            "enum",
            "min",
            "max",
            "max_length",
            "pattern",
        ]);
        let kind = self.kind()?;
        let parameter = Parameter {
            name: name.to_owned(),
            description: self
                .text("description", DESCRIPTION_CHARS_MAX)
                .unwrap_or_default(),
            required: self.flag("required"),
            default: self.find("default").and_then(|(_, value)| plain(value)),
            kind,
        };
        if let Some((span, _)) = self.find("default") {
            let fault = match &parameter.default {
                Some(default) => parameter.fault(default),
                None => Some("it is no plain value".to_owned()),
            };
            if let Some(fault) = fault {
                self.wrong(
                    span,
                    format!("`default`: {fault}"),
                    "give it a value that a call could give",
                );
            } else if parameter.required {
                self.wrong(
                    span,
                    "a required parameter needs no `default`",
                    "leave one of them out",
                );
            }
        }
        self.good.then_some(parameter)
    }

    fn kind(&mut self) -> Option<Kind> {
        let word = self.required_text("type", 20);
        let allowed: &[&str] = match word.as_str() {
            "string" => &["enum", "max_length", "pattern"],
            "integer" | "number" => &["min", "max"],
            "boolean" => &[],
            _ => {
                let span = self
                    .find("type")
                    .map_or(self.span.clone(), |(span, _)| span);
                self.wrong(
                    span,
                    "`type` is not string, integer, number or boolean",
                    "give it one of these",
                );
                return None;
            }
        };
        for key in ["enum", "max_length", "pattern", "min", "max"] {
            if let Some((span, _)) = self.find(key).filter(|_| !allowed.contains(&key)) {
                self.wrong(
                    span,
                    format!("`{key}` means nothing for a {word}"),
                    "take it out",
                );
            }
        }
        Some(match word.as_str() {
            "string" => self.text_kind(),
            "integer" => Kind::Integer {
                min: self.number("min").and_then(|number| number.as_i64()),
                max: self.number("max").and_then(|number| number.as_i64()),
            },
            "number" => Kind::Number {
                min: self.number("min").and_then(|number| number.as_f64()),
                max: self.number("max").and_then(|number| number.as_f64()),
            },
            _ => Kind::Boolean,
        })
    }

    fn text_kind(&mut self) -> Kind {
        let of = self.texts("enum", LIST_MAX);
        if let Some((span, _)) = self.find("enum")
            && (of.is_empty()
                || of
                    .iter()
                    .any(|value| value.is_empty() || value.chars().any(char::is_control)))
        {
            self.wrong(
                span,
                "`enum` is not a list of values of one line",
                "list what may be given",
            );
        }
        let pattern = self.text("pattern", TEXT_CHARS_MAX);
        if let Some(error) = pattern
            .as_ref()
            .and_then(|pattern| fill::whole(pattern).err())
        {
            let span = self
                .find("pattern")
                .map_or(self.span.clone(), |(span, _)| span);
            let error = error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .to_owned();
            self.wrong(
                span,
                format!("`pattern` is no regular expression: {error}"),
                "see https://docs.rs/regex",
            );
        }
        let chars_max = self
            .whole_number("max_length", 1, VALUE_CHARS_MAX)
            .unwrap_or(VALUE_CHARS);
        Kind::Text {
            chars_max,
            pattern,
            of,
        }
    }

    fn argv(&mut self) -> Vec<Template> {
        let texts = self.texts("argv", ARGV_MAX);
        let argv: Vec<Template> = texts
            .iter()
            .filter_map(|text| self.template("argv", text))
            .collect();
        let span = self
            .find("argv")
            .map_or(self.span.clone(), |(span, _)| span);
        match argv.first() {
            Some(program) if program.names().next().is_some() => {
                self.wrong(
                    span,
                    "`argv` begins with a parameter",
                    "the program itself must be written out",
                );
            }
            Some(program) if !program.text().is_empty() => {}
            _ => self.wrong(
                span,
                "`argv` names no program",
                "for example argv = [\"./deploy\", \"{env}\"]",
            ),
        }
        argv
    }

    fn directory(&mut self) -> String {
        let directory = self
            .text("directory", TEXT_CHARS_MAX)
            .unwrap_or_else(|| ".".to_owned());
        let leaves = |part: &str| part == "..";
        if directory.starts_with('/') || directory.split('/').any(leaves) {
            let span = self
                .find("directory")
                .map_or(self.span.clone(), |(span, _)| span);
            self.wrong(
                span,
                "`directory` leads out of the repository",
                "name one below its top",
            );
        }
        directory
    }

    /// Every place has its parameter, and every parameter its place.
    fn places_fit(&mut self, definition: &Definition) {
        let places = || {
            definition
                .argv
                .iter()
                .chain(&definition.lock)
                .flat_map(Template::names)
        };
        for name in places() {
            if !definition
                .parameters
                .iter()
                .any(|parameter| parameter.name == name)
                && self.good
            {
                let hint =
                    nearest_hint(name, definition.parameters.iter().map(|p| p.name.as_str()));
                self.wrong(
                    self.span.clone(),
                    format!("`{{{name}}}` names no parameter"),
                    &hint,
                );
            }
        }
        for parameter in &definition.parameters {
            if !places().any(|name| name == parameter.name) {
                let text = format!("`{{{}}}` stands nowhere in `argv`", parameter.name);
                self.wrong(self.span.clone(), text, "use the parameter or take it out");
            }
        }
        for name in definition.lock.iter().flat_map(Template::names) {
            let given = |p: &Parameter| p.name == name && (p.required || p.default.is_some());
            if !definition.parameters.iter().any(given) && self.good {
                let text = format!("`{{{name}}}` in `lock` may be left out by a call");
                self.wrong(
                    self.span.clone(),
                    text,
                    "make it required or give it a default",
                );
            }
        }
    }

    fn template(&mut self, key: &str, text: &str) -> Option<Template> {
        match Template::parse(text) {
            Ok(template) => Some(template),
            Err(why) => {
                let span = self.find(key).map_or(self.span.clone(), |(span, _)| span);
                self.wrong(span, format!("`{key}`: {why}"), "a place is {name}");
                None
            }
        }
    }

    fn name_is_good(&mut self, name: &str, chars_max: usize) {
        let good = name.len() <= chars_max
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !good {
            let text = format!("its name is not 1 to {chars_max} of a-z, 0-9 and _");
            self.wrong(self.span.clone(), text, "rename it");
        }
    }

    fn only(&mut self, known: &[&str]) {
        for (key, _) in self.fields {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let hint = nearest_hint(name, known.iter().copied());
                self.wrong(key.span(), format!("unknown key `{}`", clip(name)), &hint);
            }
        }
    }

    fn find(&self, key: &str) -> Option<(Range<usize>, &'t DeValue<'t>)> {
        let (_, value) = self.fields.iter().find(|(name, _)| name.get_ref() == key)?;
        Some((value.span(), value.get_ref()))
    }

    fn required_text(&mut self, key: &str, chars_max: usize) -> String {
        if self.find(key).is_none() {
            self.wrong(
                self.span.clone(),
                format!("`{key}` is missing"),
                "docs/project-tools.md shows an example",
            );
        }
        self.text(key, chars_max).unwrap_or_default()
    }

    fn text(&mut self, key: &str, chars_max: usize) -> Option<String> {
        let (span, value) = self.find(key)?;
        match value.as_str() {
            Some(text) if text.chars().count() <= chars_max && !text.contains('\0') => {
                Some(text.to_owned())
            }
            _ => {
                self.wrong(
                    span,
                    format!("`{key}` is not a text of at most {chars_max} characters"),
                    "write it between quotes",
                );
                None
            }
        }
    }

    fn texts(&mut self, key: &str, max: usize) -> Vec<String> {
        let Some((span, value)) = self.find(key) else {
            return Vec::new();
        };
        let texts = value.as_array().and_then(|items| {
            let text = |item: &str| {
                (item.chars().count() <= TEXT_CHARS_MAX && !item.contains('\0'))
                    .then(|| item.to_owned())
            };
            let items = items
                .iter()
                .map(|item| item.get_ref().as_str().and_then(text));
            items.collect::<Option<Vec<String>>>()
        });
        match texts {
            Some(texts) if texts.len() <= max => texts,
            _ => {
                self.wrong(
                    span,
                    format!("`{key}` is not a list of at most {max} texts"),
                    "write it as [\"a\", \"b\"]",
                );
                Vec::new()
            }
        }
    }

    fn flag(&mut self, key: &str) -> bool {
        match self.find(key) {
            None => false,
            Some((_, DeValue::Boolean(on))) => *on,
            Some((span, _)) => {
                self.wrong(
                    span,
                    format!("`{key}` is not true or false"),
                    "write it without quotes",
                );
                false
            }
        }
    }

    fn number(&mut self, key: &str) -> Option<Value> {
        let (span, value) = self.find(key)?;
        let number = plain(value).filter(Value::is_number);
        if number.is_none() {
            self.wrong(
                span,
                format!("`{key}` is not a number"),
                "write it without quotes",
            );
        }
        number
    }

    fn whole_number(&mut self, key: &str, min: u64, max: u64) -> Option<u64> {
        let (span, value) = self.find(key)?;
        let number = plain(value).and_then(|value| value.as_u64());
        let number = number.filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.wrong(
                span,
                format!("`{key}` is not a whole number from {min} to {max}"),
                "write it without quotes",
            );
        }
        number
    }

    fn wrong(&mut self, span: Range<usize>, what: impl Display, hint: &str) {
        self.good = false;
        let message = format!("`{}`: {what}; the tool is left out", clip(&self.name));
        self.reader.problem(span, message, hint);
    }
}

/// A text, number or truth value as JSON.
fn plain(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(text.as_ref().into()),
        DeValue::Boolean(on) => Some((*on).into()),
        DeValue::Integer(number) => Some(
            i64::from_str_radix(number.as_str(), number.radix())
                .ok()?
                .into(),
        ),
        DeValue::Float(number) => {
            let number: f64 = number.as_str().parse().ok()?;
            serde_json::Number::from_f64(number).map(Value::Number)
        }
        _ => None,
    }
}

fn clip(text: &str) -> String {
    text.chars().take(120).collect()
}
