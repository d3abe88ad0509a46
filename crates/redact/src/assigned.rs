//! Secrets known by the name they are assigned to.

use std::{borrow::Cow, ops::Range, sync::LazyLock};

use regex::Regex;

use crate::{
    names::is_secret_name,
    patterns::{is_redacted, is_reference},
};

/// A name and the sign of an assignment, up to the value. The value is read by hand, and only
/// behind names of secrets, so that every byte is looked at a bounded number of times.
static ASSIGNMENTS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?P<name>[A-Za-z_][A-Za-z0-9_.-]*)(?:\\*["'`])?(?P<before>\s*)(?P<sign>:=|=>|[:=]|%3[Dd])(?P<after>[ \t]*)(?P<open>[bfru]?\\*["'])?"#,
    )
    .expect("the pattern is valid")
});

/// Takes out the values of `API_KEY=...`, `"password": "..."`, `token: ...` and the like.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some(found) = ASSIGNMENTS.captures_at(text, from) {
        let group = |name| found.name(name).map_or("", |group| group.as_str());
        let end = found.get(0).map_or(text.len(), |whole| whole.end());
        from = end;
        if !is_secret_name(group("name")) {
            continue;
        }
        let value = if group("open").is_empty() {
            let is_tight = group("before").is_empty() && group("after").is_empty();
            let is_shell = is_tight && matches!(group("sign"), "=" | "%3D" | "%3d");
            bare(text, end, group("name"), is_shell)
        } else {
            quoted(text, end, group("open"))
        };
        let Some(value) = value else { continue };
        out.push_str(&text[copied..value.start]);
        out.push_str("[redacted:assigned]");
        copied = value.end;
        from = value.end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The value up to the closing quote. Where the quotes are escaped, as in JSON within JSON, so is
/// the closing one.
fn quoted(text: &str, start: usize, open: &str) -> Option<Range<usize>> {
    let quote = if open.ends_with('"') { b'"' } else { b'\'' };
    let is_escaped = open.contains('\\');
    let mut end = text.len();
    let mut bytes = text.bytes().enumerate().skip(start);
    while let Some((at, byte)) = bytes.next() {
        if byte == quote || (is_escaped && byte == b'\\') {
            end = at;
            break;
        }
        if byte == b'\\' {
            bytes.next();
        }
    }
    let value = &text[start..end];
    let is_secret = !value.is_empty() && !is_redacted(value) && !is_reference(value);
    is_secret.then_some(start..end)
}

/// The value up to a space or the like, where it does not look like code.
fn bare(text: &str, start: usize, name: &str, is_shell: bool) -> Option<Range<usize>> {
    const ENDS: &str = "\"'`\\&;|<>(),[]{}$";
    let is_end =
        |c: char| c.is_whitespace() || ENDS.contains(c) || (!is_shell && matches!(c, ':' | '='));
    let rest = &text[start..];
    let end = start + rest.find(is_end).unwrap_or(rest.len());
    let value = &text[start..end];
    let is_called = text[end..].starts_with(['(', '[', ':', '<', '{']);
    let is_secret = !value.is_empty() && !is_called && !is_redacted(value) && !is_code(name, value);
    is_secret.then_some(start..end)
}

/// True for what stands behind a name in a program rather than in a secret's place.
fn is_code(name: &str, value: &str) -> bool {
    const WORDS: &[&str] = &[
        "any",
        "args",
        "await",
        "bool",
        "boolean",
        "bytes",
        "config",
        "env",
        "false",
        "input",
        "int",
        "new",
        "nil",
        "none",
        "not",
        "null",
        "number",
        "option",
        "optional",
        "os",
        "process",
        "request",
        "required",
        "self",
        "settings",
        "std",
        "str",
        "string",
        "this",
        "true",
        "undefined",
    ];
    let first = value.split(['.', '?', '!']).next().unwrap_or(value);
    if WORDS.iter().any(|word| first.eq_ignore_ascii_case(word)) {
        return true;
    }
    // An environment variable's value is a value.
    if name.chars().all(|c| !c.is_ascii_lowercase()) {
        return false;
    }
    let has_digit = value.chars().any(|c| c.is_ascii_digit());
    let is_identifier = value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
    if name.to_ascii_lowercase().contains("pass") {
        let is_type = value.starts_with(|c: char| c.is_ascii_uppercase());
        return !has_digit && is_identifier && (is_type || value.contains('_'));
    }
    let is_number = value
        .chars()
        .all(|c| c.is_ascii_digit() || c == '.' || c == '_');
    is_identifier && (!has_digit || is_number || value.len() < 8)
}
