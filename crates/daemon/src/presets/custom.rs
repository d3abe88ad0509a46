//! Presets as the person declares or changes them: `[agents.NAME]` in the home's `config.toml`. A
//! repository has no say in it.

use std::{fs, io, path::Path};

use kite_wire::{reply::Fault, request::nearest_hint};
use toml::{Table, Value};

use super::{
    BUILT_IN, PLACEHOLDERS, Preset, claude, codex, gemini, opencode, plain, template::Argument,
};
use crate::translate::words::quoted;

/// Longest configuration file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Most arguments, and most variables, of one preset.
const ENTRIES_MAX: usize = 256;
/// Characters of a preset's name.
const NAME_CHARS_MAX: usize = 64;

const KEYS: [&str; 6] = ["argv", "program", "client", "environment", "set", "like"];

/// The preset of that name. Reads a file: not for the loop.
///
/// # Errors
/// Where there is none, or where its declaration cannot be used.
pub(crate) fn named(home: &Path, name: &str) -> Result<Preset, Fault> {
    let tables = tables(home).map_err(|why| broken(name, &why))?;
    let declared = tables.get(name);
    let preset = match (declared, built_in(name)) {
        (None, None) => {
            let own: Vec<&str> = tables.keys().map(String::as_str).collect();
            let known = BUILT_IN.into_iter().chain(own);
            return Err(Fault::new(
                "invalid_field",
                format!(
                    "`agent`: there is no preset {}",
                    quoted(name, NAME_CHARS_MAX)
                ),
            )
            .hint(nearest_hint(name, known)));
        }
        (None, Some(preset)) => return Ok(preset),
        (Some(Value::Table(table)), base) => declared_as(name, table, base),
        (Some(_), _) => Err(format!("[agents.{name}] is not a table")),
    };
    preset.map_err(|why| broken(name, &why))
}

/// The variables that any preset of the home asks for. Reads a file; one that cannot be used asks for
/// nothing.
pub(crate) fn variables(home: &Path) -> Vec<String> {
    let tables = tables(home).unwrap_or_default();
    let wanted = tables.values().filter_map(|table| table.get("environment"));
    wanted
        .filter_map(|names| texts("environment", names).ok())
        .flatten()
        .collect()
}

fn built_in(name: &str) -> Option<Preset> {
    match name {
        "claude" => Some(claude::preset()),
        "codex" => Some(codex::preset()),
        "gemini" => Some(gemini::preset()),
        "opencode" => Some(opencode::preset()),
        _ => None,
    }
}

fn broken(name: &str, why: &str) -> Fault {
    Fault::new(
        "invalid_field",
        format!(
            "the preset {} cannot be used: {why}",
            quoted(name, NAME_CHARS_MAX)
        ),
    )
    .hint("its table [agents.NAME] in $KITE_HOME/config.toml is described in docs/agents.md")
}

fn tables(home: &Path) -> Result<Table, String> {
    let path = home.join("config.toml");
    let unreadable = |e: io::Error| format!("{} cannot be read: {e}", path.display());
    match fs::metadata(&path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Table::new()),
        Err(e) => return Err(unreadable(e)),
        Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
            return Err(format!(
                "{} is longer than {FILE_BYTES_MAX} bytes",
                path.display()
            ));
        }
        Ok(_) => {}
    }
    let text = fs::read_to_string(&path).map_err(unreadable)?;
    let mut table: Table = text
        .parse()
        .map_err(|e: toml::de::Error| format!("{} is not TOML: {}", path.display(), e.message()))?;
    match table.remove("agents") {
        Some(Value::Table(agents)) => Ok(agents),
        _ => Ok(Table::new()),
    }
}

fn declared_as(name: &str, table: &Table, base: Option<Preset>) -> Result<Preset, String> {
    if let Some(unknown) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!(
            "unknown key `{unknown}`, {}",
            nearest_hint(unknown, KEYS.into_iter())
        ));
    }
    let like =
        match table.get("like") {
            None => base,
            Some(like) => {
                let like = text("like", like)?;
                Some(built_in(like).ok_or_else(|| {
                    format!("`like`: {}", nearest_hint(like, BUILT_IN.into_iter()))
                })?)
            }
        };
    let mut preset = like.unwrap_or_else(|| Preset {
        name: String::new(),
        client: name.to_owned(),
        argv: Vec::new(),
        environment: Vec::new(),
        set: std::collections::BTreeMap::new(),
        rights: plain::rights,
        read: plain::read,
    });
    name.clone_into(&mut preset.name);
    if let Some(argv) = table.get("argv") {
        preset.argv = arguments(argv)?;
    }
    if let Some(program) = table.get("program") {
        let program = Argument::new(vec![text("program", program)?.to_owned()]);
        let program = program.map_err(|name| unknown_placeholder(&name))?;
        preset.with_program(program);
    }
    if let Some(client) = table.get("client") {
        text("client", client)?.clone_into(&mut preset.client);
    }
    if let Some(names) = table.get("environment") {
        preset.environment.extend(texts("environment", names)?);
    }
    if let Some(set) = table.get("set") {
        let set = set.as_table().filter(|set| set.len() <= ENTRIES_MAX);
        for (name, value) in set.ok_or("`set` is not a table of at most 256 variables")? {
            preset
                .set
                .insert(name.clone(), text("set", value)?.to_owned());
        }
    }
    match preset.argv.is_empty() {
        true => Err("it has no `argv`".to_owned()),
        false => Ok(preset),
    }
}

fn arguments(argv: &Value) -> Result<Vec<Argument>, String> {
    let argv = argv.as_array().filter(|argv| argv.len() <= ENTRIES_MAX);
    let argv = argv.ok_or("`argv` is not a list of at most 256 arguments")?;
    let argument = |value: &Value| {
        let words = match value {
            Value::Array(_) => texts("argv", value)?,
            one => vec![text("argv", one)?.to_owned()],
        };
        Argument::new(words).map_err(|name| unknown_placeholder(&name))
    };
    argv.iter().map(argument).collect()
}

fn unknown_placeholder(name: &str) -> String {
    format!(
        "there is no placeholder {{{name}}}, {}",
        nearest_hint(name, PLACEHOLDERS.into_iter())
    )
}

fn text<'a>(key: &str, value: &'a Value) -> Result<&'a str, String> {
    let text = value.as_str().filter(|text| !text.contains('\0'));
    text.ok_or_else(|| format!("`{key}` takes texts"))
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().filter(|list| list.len() <= ENTRIES_MAX);
    let list = list.ok_or_else(|| format!("`{key}` is not a list of texts"))?;
    list.iter()
        .map(|value| text(key, value).map(str::to_owned))
        .collect()
}

impl Preset {
    fn with_program(&mut self, program: Argument) {
        match self.argv.first_mut() {
            Some(first) => first.replace_first(program),
            None => self.argv.push(program),
        }
    }
}
