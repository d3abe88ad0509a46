//! A JSON file that belongs to somebody else: read strictly, changed in place, and otherwise left
//! exactly as it was written.

use std::path::Path;

use jsonc_parser::{
    ParseOptions,
    cst::{CstArray, CstInputValue, CstNode, CstObject, CstObjectProp, CstRootNode},
};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::error::Error;

const BOM: &str = "\u{feff}";

/// Largest file that is edited, in bytes. Claude Code's own file can reach some megabytes.
const FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A parsed file whose text can be changed piece by piece.
pub(crate) struct Document {
    has_bom: bool,
    // Nodes refer to their ancestors weakly: the root must outlive every node in use.
    tree: CstRootNode,
    root: CstObject,
}

/// Which JSON a client reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// JSON itself. Claude Code and Codex load no part of a file with a comment or a trailing
    /// comma, so wiring such a file would guard nothing.
    Strict,
    /// With comments and trailing commas, as Gemini CLI and opencode read it.
    Comments,
}

impl Document {
    /// Reads a file's bytes. An empty file, or none, is an empty object.
    ///
    /// # Errors
    /// Where it is not strict JSON, with line and column, or not an object.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Document, Error> {
        Document::parse_as(path, bytes, Syntax::Strict)
    }

    /// As [`Document::parse`], for what that client reads.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub(crate) fn parse_as(path: &Path, bytes: &[u8], syntax: Syntax) -> Result<Document, Error> {
        let text = text_of(path, bytes)?;
        let (has_bom, text) = match text.strip_prefix(BOM) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let text = if text.trim().is_empty() { "{}\n" } else { text };
        let tree = CstRootNode::parse(text, &options(syntax)).map_err(|error| {
            let place = format!(
                "line {}, column {}",
                error.line_display(),
                error.column_display()
            );
            invalid(path).because(format!("{place}: {}", lower(&error.kind().to_string())))
        })?;
        if syntax == Syntax::Strict {
            second_opinion(path, text)?;
        }
        let root = tree.object_value().ok_or_else(|| {
            invalid(path).because("line 1, column 1: expected an object".to_owned())
        })?;
        Ok(Document {
            has_bom,
            tree,
            root,
        })
    }

    pub(crate) fn root(&self) -> &CstObject {
        &self.root
    }

    pub(crate) fn value(&self) -> Value {
        parsed(&self.tree.to_string())
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut text = if self.has_bom {
            BOM.to_owned()
        } else {
            String::new()
        };
        text.push_str(&self.tree.to_string());
        text.into_bytes()
    }
}

/// The one property called `name`.
///
/// # Errors
/// Where there are two: readers disagree on which one counts.
pub(crate) fn property(object: &CstObject, name: &str) -> Result<Option<CstObjectProp>, Error> {
    let mut named = object
        .properties()
        .into_iter()
        .filter(|property| property.decoded_name().as_deref() == Some(name));
    let first = named.next();
    if named.next().is_some() {
        return Err(Error::new(format!("the key \"{name}\" stands there twice"))
            .hinted("remove one of the two, then run it again"));
    }
    Ok(first)
}

/// The object under `name`; made where it is missing.
///
/// # Errors
/// Where something else than an object stands there.
pub(crate) fn object_at(object: &CstObject, name: &str) -> Result<CstObject, Error> {
    match property(object, name)? {
        Some(found) => found.object_value().ok_or_else(|| not_a("object", name)),
        None => object
            .append(name, CstInputValue::Object(Vec::new()))
            .object_value()
            .ok_or_else(|| not_a("object", name)),
    }
}

/// The array under `name`; made where it is missing.
///
/// # Errors
/// Where something else than an array stands there.
pub(crate) fn array_at(object: &CstObject, name: &str) -> Result<CstArray, Error> {
    match property(object, name)? {
        Some(found) => found.array_value().ok_or_else(|| not_a("array", name)),
        None => object
            .append(name, CstInputValue::Array(Vec::new()))
            .array_value()
            .ok_or_else(|| not_a("array", name)),
    }
}

/// The value as a new piece of a document.
pub(crate) fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(flag) => CstInputValue::Bool(*flag),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(map) => CstInputValue::Object(
            map.iter()
                .map(|(key, value)| (key.clone(), input(value)))
                .collect(),
        ),
    }
}

pub(crate) fn value_of(node: &CstNode) -> Value {
    parsed(&node.to_string())
}

/// Comments are no part of a value.
fn parsed(text: &str) -> Value {
    let lenient = || {
        jsonc_parser::parse_to_serde_value(text, &options(Syntax::Comments)).unwrap_or(Value::Null)
    };
    serde_json::from_str(text).unwrap_or_else(|_| lenient())
}

/// From a parser that has no lenient side.
fn second_opinion(path: &Path, text: &str) -> Result<(), Error> {
    serde_json::from_str::<IgnoredAny>(text)
        .map(drop)
        .map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or_default();
            invalid(path).because(format!("{place}: {what}"))
        })
}

/// Removes the elements that `unwanted` picks and says whether there were any. An array that
/// began on its bracket's line ends there again.
pub(crate) fn remove_elements(array: &CstArray, unwanted: impl Fn(&Value) -> bool) -> bool {
    let picked: Vec<CstNode> = array
        .elements()
        .into_iter()
        .filter(|element| unwanted(&value_of(element)))
        .collect();
    let removed = !picked.is_empty();
    picked.into_iter().for_each(CstNode::remove);
    let children = array.children();
    let opens_inline = children.get(1).is_some_and(|node| !node.is_newline());
    if removed && opens_inline {
        let before_bracket = children[..children.len() - 1].iter().rev();
        for node in before_bracket.take_while(|node| node.is_newline() || node.is_whitespace()) {
            node.clone().remove();
        }
    }
    removed
}

fn text_of<'a>(path: &Path, bytes: &'a [u8]) -> Result<&'a str, Error> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(
            Error::new(format!("{} is too large to edit", path.display())).because(format!(
                "it has {} bytes; the limit is {FILE_BYTES_MAX}",
                bytes.len()
            )),
        );
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count()
            + 1;
        invalid(path).because(format!("line {line}, column {column}: not UTF-8"))
    })
}

fn invalid(path: &Path) -> Error {
    Error::new(format!("{} is not valid JSON", path.display()))
        .hinted("correct it, then run it again; nothing has been changed")
}

fn not_a(kind: &str, name: &str) -> Error {
    Error::new(format!("\"{name}\" is not an {kind}"))
        .hinted("correct it, then run it again; nothing has been changed")
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

fn options(syntax: Syntax) -> ParseOptions {
    ParseOptions {
        allow_comments: syntax == Syntax::Comments,
        allow_loose_object_property_names: false,
        allow_trailing_commas: syntax == Syntax::Comments,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}
