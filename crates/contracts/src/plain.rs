//! What changed in files of which only lines are known.

use std::{collections::HashSet, time::Duration};

use similar::{Algorithm, ChangeTag, TextDiff};

use crate::{Changed, difference::abridged};

/// How long two texts may be compared.
const DIFF_MAX: Duration = Duration::from_millis(200);

/// Words that begin a declaration in one language or another.
const DECLARING: &[&str] = &[
    "abstract",
    "attr_accessor",
    "attr_reader",
    "case",
    "class",
    "const",
    "data",
    "def",
    "defmodule",
    "enum",
    "export",
    "extern",
    "fn",
    "fun",
    "func",
    "function",
    "interface",
    "internal",
    "module",
    "namespace",
    "object",
    "open",
    "override",
    "package",
    "proc",
    "property",
    "protected",
    "protocol",
    "public",
    "record",
    "sealed",
    "static",
    "struct",
    "sub",
    "trait",
    "type",
    "typedef",
    "union",
    "val",
    "virtual",
];

/// The first changed lines of a schema or of settings.
pub(crate) fn changed_lines(before: &str, after: &str) -> Option<Changed> {
    changed(before, after, |line| !is_comment(line))
}

/// The first changed lines that look like declarations: those that begin at the margin, or with a
/// word that declares.
pub(crate) fn changed_declarations(before: &str, after: &str) -> Option<Changed> {
    changed(before, after, |line| {
        let word = line.trim_start();
        let word = word
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next();
        let declares = word.is_some_and(|word| DECLARING.contains(&word));
        let at_margin = line.starts_with(|c: char| c.is_alphabetic() || c == '_')
            || line.starts_with("#define");
        (declares || at_margin) && !is_comment(line)
    })
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["//", "#!", "# ", "/*", "*", "--", ";", "<!--", "\"\"\""]
        .iter()
        .any(|start| line.starts_with(start))
        || line == "#"
}

/// Lines that are gone, each with the one that stands there instead. What was only added, and
/// changed indentation, says nothing.
fn changed(before: &str, after: &str, counts: impl Fn(&str) -> bool) -> Option<Changed> {
    let lines = |text: &'_ str| -> Vec<String> {
        let counted = text.lines().filter(|line| counts(line));
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        counted
            .map(words)
            .filter(|line| line.chars().any(char::is_alphanumeric))
            .collect()
    };
    let (old, new) = (lines(before), lines(after));
    let old: Vec<&str> = old.iter().map(String::as_str).collect();
    let new: Vec<&str> = new.iter().map(String::as_str).collect();
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Myers)
        .timeout(DIFF_MAX)
        .diff_slices(&old, &new);
    let there: HashSet<&str> = new.iter().copied().collect();
    let mut findings = Vec::new();
    let mut gone: Vec<&str> = Vec::new();
    let mut come: Vec<&str> = Vec::new();
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Delete => gone.push(change.value()),
            ChangeTag::Insert => come.push(change.value()),
            ChangeTag::Equal => pair(&mut gone, &mut come, &there, &mut findings),
        }
    }
    pair(&mut gone, &mut come, &there, &mut findings);
    Changed::of(findings, Vec::new())
}

fn pair<'a>(
    gone: &mut Vec<&'a str>,
    come: &mut Vec<&'a str>,
    there: &HashSet<&str>,
    findings: &mut Vec<String>,
) {
    let mut come = come.drain(..);
    for line in gone.drain(..) {
        // What only moved is still there.
        if there.contains(line) {
            continue;
        }
        findings.push(match come.next() {
            Some(instead) => abridged(line, instead),
            None => format!("removed: {line}"),
        });
    }
}
