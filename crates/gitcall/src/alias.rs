//! Aliases of git.

use crate::{Call, Reading, calls, git, programs::Setting, quote::quoted, shell::Word};

/// What an alias runs. `definition` is the value of `alias.NAME`; the words of `call` follow it.
///
/// A definition that begins with `!` is shell, run at the top of the worktree. Any other is a git
/// command, which may be an alias again: the caller expands that, with a limit.
#[must_use]
pub fn expand_alias(call: &Call, definition: &str) -> Reading {
    let definition = definition.trim();
    let mut reading = match definition.strip_prefix('!') {
        Some(script) => expand_script(call, script),
        None => expand_words(call, definition),
    };
    for expanded in &mut reading.calls {
        expanded.adrift |= call.adrift;
        expanded.certain &= call.certain && !reading.unparseable;
        expanded.conditional |= call.conditional;
    }
    reading
}

fn expand_script(call: &Call, script: &str) -> Reading {
    let mut text = script.to_owned();
    for word in &call.words {
        text.push(' ');
        text.push_str(&quoted(word));
    }
    let mut reading = calls(&text);
    reading.mentions_git = true;
    for expanded in &mut reading.calls {
        expanded.from_top = true;
        // Where the top is depends on the directory of the call itself.
        expanded.certain &= call.directory.is_none() || call.from_top;
    }
    reading
}

fn expand_words(call: &Call, definition: &str) -> Reading {
    let Some(mut words) = split(definition) else {
        return Reading {
            mentions_git: true,
            calls: Vec::new(),
            unparseable: true,
        };
    };
    let given = call.words.iter().zip(&call.sources);
    words.extend(given.map(|(word, source)| Word {
        text: word.clone(),
        literal: true,
        source: source.clone(),
    }));
    let setting = Setting {
        directory: call.directory.clone(),
        adrift: call.adrift,
        certain: true,
        conditional: call.conditional,
    };
    let found = git::call(&words, setting, call.stdin.clone());
    Reading {
        mentions_git: true,
        calls: found
            .into_iter()
            .map(|found| Call {
                from_top: call.from_top,
                ..found
            })
            .collect(),
        unparseable: false,
    }
}

/// Splits as git splits an alias: quotes and backslashes, nothing else.
fn split(definition: &str) -> Option<Vec<Word>> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = definition.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, ' ' | '\t' | '\n') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), close) if open == close => quote = None,
            (None | Some('"'), '\\') => word.get_or_insert_default().push(letters.next()?),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    if quote.is_some() {
        return None;
    }
    words.extend(word);
    let word = |text: String| Word {
        source: quoted(&text),
        literal: true,
        text,
    };
    Some(words.into_iter().map(word).collect())
}
