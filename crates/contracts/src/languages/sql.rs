//! SQL: tables and views with their columns, functions, enumerated types.
//!
//! Read by hand: each database writes SQL of its own, and only the few statements that declare
//! something matter here. What is not understood is passed over.

mod words;

use words::{Word, words};

use super::Found;
use crate::{Item, SOURCE_BYTES_MAX, item::Text};

/// Words between `CREATE` and what is created.
const BETWEEN: &[&str] = &[
    "or",
    "replace",
    "temp",
    "temporary",
    "unlogged",
    "global",
    "local",
    "external",
    "materialized",
    "virtual",
    "foreign",
    "recursive",
    "editionable",
    "definer",
    "algorithm",
];
/// Begin an element of a table that is no column.
const CONSTRAINTS: &[&str] = &[
    "primary",
    "unique",
    "foreign",
    "constraint",
    "check",
    "key",
    "index",
    "exclude",
    "like",
    "period",
    "fulltext",
    "spatial",
];
/// End the type of a column.
const AFTER_TYPE: &[&str] = &[
    "not",
    "null",
    "default",
    "primary",
    "references",
    "check",
    "unique",
    "constraint",
    "collate",
    "generated",
    "comment",
    "auto_increment",
    "autoincrement",
    "on",
    "identity",
    "as",
];
/// End what a function returns.
const AFTER_RETURNS: &[&str] = &[
    "as",
    "language",
    "begin",
    "stable",
    "immutable",
    "volatile",
    "security",
    "strict",
    "return",
    "deterministic",
    "not",
    "reads",
    "called",
    "parallel",
    "cost",
    "sql",
    "comment",
    "with",
];

pub(super) fn exports(source: &str) -> Option<Found> {
    if source.len() > SOURCE_BYTES_MAX {
        return None;
    }
    let (words, is_whole) = words(source);
    let mut items = Vec::new();
    for statement in words.split(|word| word.is(";")) {
        // Each statement may look at all items: what comes after the limit is not read.
        if items.len() >= super::ITEMS_MAX {
            break;
        }
        read(statement, &mut items);
    }
    items.truncate(super::ITEMS_MAX);
    let faults = usize::from(!is_whole);
    Some(Found { items, faults })
}

fn read(statement: &[Word], items: &mut Vec<Item>) {
    match statement {
        [first, rest @ ..] if first.is("create") => {
            let is_between = |word: &Word| BETWEEN.iter().any(|it| word.is(it));
            let start = rest.iter().position(|word| !is_between(word));
            if let Some([kind, rest @ ..]) = start.map(|start| &rest[start..]) {
                create(kind, rest, items);
            }
        }
        [first, second, rest @ ..] if first.is("alter") && second.is("table") => {
            alter(rest, items);
        }
        [first, second, rest @ ..]
            if first.is("drop") && (second.is("table") || second.is("view")) =>
        {
            if let Some((name, _)) = name(rest) {
                let is = |item: &Item| item.owner().unwrap_or(item.name()) == name;
                items.retain(|item| !is(item));
            }
        }
        _ => {}
    }
}

/// A name, perhaps with that of its schema, after `IF [NOT] EXISTS` and `ONLY`.
fn name(words: &[Word]) -> Option<(String, &[Word])> {
    let is_noise = |word: &Word| ["if", "not", "exists", "only"].iter().any(|it| word.is(it));
    let start = words.iter().position(|word| !is_noise(word))?;
    let mut rest = &words[start..];
    let mut name = None;
    while let [first, tail @ ..] = rest {
        name = first.name();
        rest = tail;
        match rest {
            [dot, tail @ ..] if dot.is(".") => rest = tail,
            _ => break,
        }
    }
    Some((name?, rest))
}

fn create(kind: &Word, rest: &[Word], items: &mut Vec<Item>) {
    let Some((name, rest)) = name(rest) else {
        return;
    };
    if kind.is("table") {
        items.push(Item::new("table", name.as_str()));
        for element in elements(rest) {
            items.extend(column(&name, element));
        }
    } else if kind.is("view") {
        items.push(Item::new("view", name.as_str()));
        view(&name, rest, items);
    } else if kind.is("function") || kind.is("procedure") {
        let kind = if kind.is("function") {
            "function"
        } else {
            "procedure"
        };
        let (inside, after) = parenthesis(rest);
        let returns = match after.iter().position(|word| word.is("returns")) {
            Some(0) => &after[1..],
            _ => &[],
        };
        let end = returns
            .iter()
            .position(|word| word.is_one_of(AFTER_RETURNS) || word.is_body());
        let parameters = format!("({})", text(inside).shown);
        items.push(Item {
            parameters: Text::plain(parameters),
            result: text(&returns[..end.unwrap_or(returns.len())]),
            ..Item::new(kind, name)
        });
    } else if kind.is("type") {
        items.push(Item::new("type", name.as_str()));
        for element in elements(rest) {
            let is_value = element.len() == 1;
            match element.first().and_then(Word::value).filter(|_| is_value) {
                Some(value) => items.push(Item::new("value", value).of(Some(&name), ".")),
                None => items.extend(column(&name, element)),
            }
        }
    }
}

/// What stands in the first parenthesis, and what comes after it. A table may be made of a query.
fn parenthesis(words: &[Word]) -> (&[Word], &[Word]) {
    let Some(open) = words.iter().position(|word| word.is("(")) else {
        return (&[], words);
    };
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().skip(open) {
        if word.is("(") {
            depth += 1;
        } else if word.is(")") {
            depth -= 1;
            if depth == 0 {
                return (&words[open + 1..at], &words[at + 1..]);
            }
        }
    }
    (&words[open + 1..], &[])
}

/// The elements of the first parenthesis.
fn elements(words: &[Word]) -> Vec<&[Word]> {
    split(parenthesis(words).0)
}

/// Splits at commas that stand in no parenthesis.
fn split(words: &[Word]) -> Vec<&[Word]> {
    let mut depth = 0_usize;
    words
        .split(|word| {
            depth = match () {
                () if word.is("(") => depth + 1,
                () if word.is(")") => depth.saturating_sub(1),
                () => depth,
            };
            depth == 0 && word.is(",")
        })
        .filter(|element| !element.is_empty())
        .collect()
}

/// `email text NOT NULL DEFAULT ''`: its name, its type, and whether it may be nothing.
fn column(table: &str, element: &[Word]) -> Option<Item> {
    let [first, rest @ ..] = element else {
        return None;
    };
    if first.is_one_of(CONSTRAINTS) {
        return None;
    }
    let end = rest.iter().position(|word| word.is_one_of(AFTER_TYPE));
    let (of, after) = rest.split_at(end.unwrap_or(rest.len()));
    let mut result = text(of);
    let required = after
        .windows(2)
        .any(|pair| pair[0].is("not") && pair[1].is("null"));
    if required {
        result.tokens.push_str(" not null");
        result.shown.push_str(" not null");
    }
    let item = Item::new("column", first.name()?).of(Some(table), ".");
    Some(Item { result, ..item })
}

/// The columns of a view: those it lists, or what its query selects.
fn view(name: &str, words: &[Word], items: &mut Vec<Item>) {
    let column = |of: String| Item::new("column", of).of(Some(name), ".");
    if words.first().is_some_and(|word| word.is("(")) {
        let listed = elements(words);
        items.extend(
            listed
                .iter()
                .filter_map(|it| it.first()?.name())
                .map(column),
        );
        return;
    }
    let Some(select) = words.iter().position(|word| word.is("select")) else {
        return;
    };
    let mut selected = &words[select + 1..];
    if selected.first().is_some_and(|word| word.is("distinct")) {
        selected = &selected[1..];
    }
    let mut depth = 0_usize;
    let from = selected.iter().position(|word| {
        depth = match () {
            () if word.is("(") => depth + 1,
            () if word.is(")") => depth.saturating_sub(1),
            () => depth,
        };
        depth == 0 && word.is("from")
    });
    for element in split(&selected[..from.unwrap_or(selected.len())]) {
        items.extend(element.last().and_then(Word::name).map(column));
    }
}

/// `ADD COLUMN`, `DROP COLUMN` and `RENAME COLUMN` of a table.
fn alter(words: &[Word], items: &mut Vec<Item>) {
    let Some((table, rest)) = name(words) else {
        return;
    };
    for action in split(rest) {
        let [verb, rest @ ..] = action else {
            continue;
        };
        let rest = match rest {
            [column, rest @ ..] if column.is("column") => rest,
            rest => rest,
        };
        let is = |item: &Item, of: &str| item.owner() == Some(&table) && item.name() == of;
        match name(rest) {
            Some((of, _)) if verb.is("add") => {
                let at = rest
                    .iter()
                    .position(|word| word.name().as_deref() == Some(&of));
                items.extend(column(&table, &rest[at.unwrap_or(0)..]));
            }
            Some((of, _)) if verb.is("drop") => items.retain(|item| !is(item, &of)),
            Some((of, [to, new, ..])) if verb.is("rename") && to.is("to") => {
                let old = items.iter_mut().find(|item| is(item, &of));
                if let (Some(item), Some(new)) = (old, new.name()) {
                    item.name = new;
                }
            }
            _ => {}
        }
    }
}

/// Words are the same in capitals, and are shown as they are written.
fn text(words: &[Word]) -> Text {
    let mut text = Text::default();
    for word in words {
        if !text.tokens.is_empty() {
            text.tokens.push(' ');
        }
        text.tokens.push_str(&word.text.to_ascii_lowercase());
        let tight = text.shown.is_empty()
            || text.shown.ends_with(['(', '[', '.'])
            || [")", "]", ",", "(", "[", "."].iter().any(|it| word.is(it));
        if !tight {
            text.shown.push(' ');
        }
        text.shown.push_str(&word.text);
    }
    text
}
