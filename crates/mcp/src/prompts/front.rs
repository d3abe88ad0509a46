//! A prompt file: YAML between two lines of `---`, then Markdown.

use serde::Deserialize;
use serde_saphyr::{Budget, Options};

use super::{
    NAME_CHARS_MAX, Written,
    template::{Template, is_name},
};
use crate::text;

const FENCE: &str = "---";
/// Bytes of a file.
pub(super) const FILE_BYTES_MAX: usize = 64 << 10;
/// Bytes of its front matter.
const FRONT_BYTES_MAX: usize = 8 << 10;
/// Nodes of its front matter, and levels of them.
const NODES_MAX: usize = 500;
const DEPTH_MAX: usize = 16;
/// Arguments of a prompt.
const ARGUMENTS_MAX: usize = 16;
/// Characters of a title, and of a description.
const DESCRIPTION_CHARS_MAX: usize = 500;
/// Characters shown of why something is not YAML.
const WHY_CHARS_MAX: usize = 200;

/// The front matter.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Front {
    title: Option<String>,
    description: Option<String>,
    arguments: Vec<Argument>,
}

/// An argument of a prompt.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Argument {
    pub(super) name: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) required: bool,
    /// What its values are taken from.
    #[serde(default)]
    pub(super) complete: Option<Complete>,
}

/// What an argument can be completed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Complete {
    /// Ids of the project's tasks.
    Task,
    /// Ids of the project's living sessions.
    Session,
}

/// Reads a file's content. `place` is the file's name; the error begins with it and the line.
pub(super) fn read(content: &str, place: &str) -> Result<Written, String> {
    let content = content.strip_prefix('\u{feff}').unwrap_or(content);
    let fault = |line: usize, why: String| format!("{place}:{line}: {why}");
    let (yaml, body, body_line) = split(content).map_err(|why| fault(1, why))?;
    let front = match yaml {
        None => Front::default(),
        Some(yaml) if yaml.trim().is_empty() => Front::default(),
        // The first line is the fence.
        Some(yaml) => parse(yaml).map_err(|(line, why)| fault(line + 1, why))?,
    };
    let body = Template::parse(body, body_line);
    check(&front, &body).map_err(|(line, why)| fault(line, why))?;
    let shown = |text: String| text::one_line(&text, DESCRIPTION_CHARS_MAX);
    let arguments = front.arguments.into_iter().map(|argument| Argument {
        description: argument.description.map(shown),
        ..argument
    });
    Ok(Written {
        arguments: arguments.collect(),
        title: front.title.map(shown),
        description: front.description.map(shown),
        body,
        place: place.to_owned(),
    })
}

/// The front matter, where there is one, the body, and the line that begins in.
fn split(content: &str) -> Result<(Option<&str>, &str, usize), String> {
    let is_fence = |line: &str| line.trim_end() == FENCE;
    let mut lines = content.split_inclusive('\n');
    if !lines.next().is_some_and(is_fence) {
        return Ok((None, content, 1));
    }
    let begin = content.find('\n').map_or(content.len(), |at| at + 1);
    let mut end = begin;
    for (number, line) in lines.enumerate() {
        if is_fence(line) {
            let body = &content[end + line.len()..];
            let yaml = &content[begin..end];
            if yaml.len() > FRONT_BYTES_MAX {
                return Err(format!(
                    "the front matter is longer than {FRONT_BYTES_MAX} bytes"
                ));
            }
            return Ok((Some(yaml), body, number + 3));
        }
        end += line.len();
    }
    Err("the front matter has no end: a second line of --- is missing".to_owned())
}

/// The error is the line within the front matter, and why.
fn parse(yaml: &str) -> Result<Front, (usize, String)> {
    serde_saphyr::from_str_with_options::<Front>(yaml, options()).map_err(|error| {
        let line = error.location().map_or(1, |at| at.line());
        let why = error.without_snippet().to_string();
        let why = text::one_line(why.lines().next().unwrap_or_default(), WHY_CHARS_MAX);
        (
            usize::try_from(line).unwrap_or(1).max(1),
            format!("the front matter cannot be read: {why}"),
        )
    })
}

/// Whoever wrote a file may want it to be a burden.
fn options() -> Options {
    let mut budget = Budget::default();
    budget.max_nodes = NODES_MAX;
    budget.max_events = NODES_MAX * 2;
    budget.max_depth = DEPTH_MAX;
    budget.flow_nesting_limit = DEPTH_MAX;
    budget.max_documents = 1;
    budget.max_aliases = 0;
    budget.max_anchors = 0;
    let mut options = Options::default();
    options.budget = Some(budget);
    options
}

/// The error is the line of the file, and why.
fn check(front: &Front, body: &Template) -> Result<(), (usize, String)> {
    if front.arguments.len() > ARGUMENTS_MAX {
        return Err((1, format!("more than {ARGUMENTS_MAX} arguments")));
    }
    for (at, argument) in front.arguments.iter().enumerate() {
        let shown = text::one_line(&argument.name, NAME_CHARS_MAX);
        if !is_name(&argument.name) {
            return Err((
                1,
                format!("`{shown}` is no name of an argument: letters, digits, - and _ are"),
            ));
        }
        if front.arguments[..at]
            .iter()
            .any(|before| before.name == argument.name)
        {
            return Err((1, format!("the argument `{shown}` is declared twice")));
        }
    }
    let undeclared = body
        .holes()
        .find(|(hole, _)| !front.arguments.iter().any(|known| known.name == *hole));
    match undeclared {
        None => Ok(()),
        Some((hole, line)) => Err((
            line,
            format!(
                "`{{{{{hole}}}}}` is no declared argument. Add it to `arguments`, or write \\{{{{ where braces are meant"
            ),
        )),
    }
}
