//! The prompts: Kite's own, the user's in `$KITE_HOME/prompts`, the repository's in
//! `.kite/prompts`. All are Markdown with front matter, read by the same code.
//!
//! Files are read when prompts are listed or asked for, so an edited one is there at once. One that
//! cannot be used is listed with the reason as its description, and takes no other away.
//!
//! **Architecture Invariant:** what a repository holds is data. It is bounded, read as plain files
//! inside of it and nowhere else, shown with what hides escaped, and never replaces a prompt of the
//! user's or of Kite's.

mod builtin;
mod folder;
mod front;
mod template;

use std::path::Path;

use kite_wire::request::nearest;
use rmcp::model::{GetPromptResult, Prompt, PromptArgument, PromptMessage, Role};
use serde_json::{Map, Value};

use crate::text;
use front::Argument;
pub(crate) use front::Complete;
use template::Template;

/// Characters of a prompt's name, and of an argument's.
const NAME_CHARS_MAX: usize = 64;
/// Characters of one argument's value.
const VALUE_CHARS_MAX: usize = 8_000;
/// Characters of a filled prompt.
const FILLED_CHARS_MAX: usize = 200_000;

/// A prompt that can be used, or why it cannot.
struct Known {
    name: String,
    source: Source,
    written: Result<Written, String>,
}

/// What a file holds.
struct Written {
    title: Option<String>,
    description: Option<String>,
    arguments: Vec<Argument>,
    body: Template,
    /// The file, as errors name it.
    place: String,
}

/// Where a prompt comes from, the most trusted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Kite,
    User,
    Repository,
}

/// The prompts that are there for somebody who works in a directory.
pub(crate) struct Prompts(Vec<Known>);

impl Prompts {
    /// Reads all prompts. Blocks.
    pub(crate) fn load(home: &Path, here: Option<&Path>) -> Prompts {
        let mut all = builtin::all();
        let users = folder::users(home);
        let repositorys = here
            .map(|here| folder::repositorys(here, home))
            .unwrap_or_default();
        for known in users.into_iter().chain(repositorys) {
            add(&mut all, known);
        }
        Prompts(all)
    }

    /// `prompts/list`: Kite's own first, each source by name.
    pub(crate) fn list(&self) -> Vec<Prompt> {
        self.0.iter().map(listed).collect()
    }

    /// The prompt of this name with these arguments filled in. The error says what to do.
    pub(crate) fn get(
        &self,
        name: &str,
        given: &Map<String, Value>,
    ) -> Result<GetPromptResult, String> {
        let known = self.find(name)?;
        let written = known.written.as_ref().map_err(String::clone)?;
        let values = written.values(&known.name, given)?;
        let filled = written
            .body
            .fill(|hole| values.get(hole).copied().unwrap_or_default());
        if filled.chars().count() > FILLED_CHARS_MAX {
            return Err(format!(
                "{}: filled in, {} is longer than {FILLED_CHARS_MAX} characters. Give shorter arguments.",
                written.place, known.name
            ));
        }
        let message = PromptMessage::new_text(Role::User, text::visible(&filled));
        let mut result = GetPromptResult::new(vec![message]);
        result.description = written.description.clone();
        Ok(result)
    }

    /// How values of an argument can be completed.
    pub(crate) fn completion(&self, name: &str, argument: &str) -> Option<Complete> {
        let written = self.find(name).ok()?.written.as_ref().ok()?;
        let argument = written
            .arguments
            .iter()
            .find(|known| known.name == argument)?;
        argument.complete
    }

    fn find(&self, name: &str) -> Result<&Known, String> {
        if let Some(known) = self.0.iter().find(|known| known.name == name) {
            return Ok(known);
        }
        let shown = text::one_line(name, NAME_CHARS_MAX);
        let names = || self.0.iter().map(|known| known.name.as_str());
        let near = nearest(&shown, names())
            .map(|near| format!(" Did you mean {near}?"))
            .unwrap_or_default();
        Err(format!(
            "There is no prompt {shown}.{near} Prompts: {}.",
            names().collect::<Vec<_>>().join(", ")
        ))
    }
}

impl Written {
    /// The value of each argument that is given, by its name.
    fn values<'a>(
        &self,
        name: &str,
        given: &'a Map<String, Value>,
    ) -> Result<std::collections::HashMap<&'a str, &'a str>, String> {
        let place = &self.place;
        let mut values = std::collections::HashMap::new();
        for (argument, value) in given {
            if !self.arguments.iter().any(|known| known.name == *argument) {
                let shown = text::one_line(argument, NAME_CHARS_MAX);
                return Err(format!(
                    "The prompt {name} takes no argument `{shown}`, only: {} ({place}).",
                    self.arguments_text()
                ));
            }
            let value = match value {
                Value::String(value) => value.as_str(),
                Value::Null => continue,
                _ => return Err(format!("`{argument}` of the prompt {name} must be text.")),
            };
            if value.chars().count() > VALUE_CHARS_MAX {
                return Err(format!(
                    "`{argument}` of the prompt {name} is longer than {VALUE_CHARS_MAX} characters."
                ));
            }
            values.insert(argument.as_str(), value);
        }
        let is_missing = |argument: &&Argument| {
            argument.required
                && values
                    .get(argument.name.as_str())
                    .is_none_or(|value| value.trim().is_empty())
        };
        if let Some(missing) = self.arguments.iter().find(is_missing) {
            let line = self.body.line_of(&missing.name).unwrap_or(1);
            let what = missing
                .description
                .as_ref()
                .map(|description| format!(" ({description})"))
                .unwrap_or_default();
            return Err(format!(
                "{place}:{line}: the prompt {name} needs the argument `{}`{what}. Give it and ask again.",
                missing.name
            ));
        }
        Ok(values)
    }

    fn arguments_text(&self) -> String {
        match self.arguments.as_slice() {
            [] => "none".to_owned(),
            arguments => {
                let names: Vec<&str> = arguments.iter().map(|one| one.name.as_str()).collect();
                names.join(", ")
            }
        }
    }
}

/// Adds a prompt. A usable one of the user's replaces one of Kite's; otherwise a name that is taken
/// is put behind a word that says where the other comes from.
fn add(all: &mut Vec<Known>, mut known: Known) {
    let taken = all.iter().position(|other| other.name == known.name);
    match (taken, known.source) {
        (Some(at), Source::User) if known.written.is_ok() && all[at].source == Source::Kite => {
            all[at] = known;
        }
        (Some(_), source) => {
            let word = if source == Source::Repository {
                "repository"
            } else {
                "own"
            };
            known.name = format!("{word}-{}", known.name);
            if !all.iter().any(|other| other.name == known.name) {
                all.push(known);
            }
        }
        (None, _) => all.push(known),
    }
}

fn listed(known: &Known) -> Prompt {
    let from = if known.source == Source::Repository {
        " (from this repository)"
    } else {
        ""
    };
    let written = match &known.written {
        Ok(written) => written,
        Err(why) => {
            return Prompt::new(&known.name, Some(format!("Cannot be used. {why}")), None);
        }
    };
    let arguments: Vec<PromptArgument> = written
        .arguments
        .iter()
        .map(|argument| {
            let mut shown = PromptArgument::new(&argument.name).with_required(argument.required);
            shown.description.clone_from(&argument.description);
            shown
        })
        .collect();
    let description = written.description.as_deref().unwrap_or(&known.name);
    let mut prompt = Prompt::new(
        &known.name,
        Some(format!("{description}{from}")),
        Some(arguments).filter(|arguments| !arguments.is_empty()),
    );
    prompt.title.clone_from(&written.title);
    prompt
}

#[cfg(test)]
mod tests;
