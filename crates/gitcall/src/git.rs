//! From the words after `git` to a call.

use crate::{
    Call, Verb,
    programs::{Setting, joined},
    shell::Word,
};

/// Options of git itself that take the next word.
const WITH_VALUE: [&str; 8] = [
    "-C",
    "-c",
    "--git-dir",
    "--work-tree",
    "--namespace",
    "--exec-path",
    "--config-env",
    "--attr-source",
];
/// Options that change nothing about what the command does to files.
const INDIFFERENT: [&str; 10] = [
    "-p",
    "--paginate",
    "-P",
    "--no-pager",
    "--no-replace-objects",
    "--no-lazy-fetch",
    "--no-optional-locks",
    "--no-advice",
    "--html-path",
    "--literal-pathspecs",
];
/// Options that only print something.
const QUESTIONS: [&str; 7] = [
    "--version",
    "-v",
    "--help",
    "-h",
    "--man-path",
    "--info-path",
    "--list-cmds",
];

/// The call that `git words…` is; none where git only prints something about itself.
pub(crate) fn call(words: &[Word], mut setting: Setting, stdin: Option<String>) -> Option<Call> {
    let mut autostash = false;
    let mut alias = None;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        if !word.text.starts_with('-') {
            break;
        }
        at += 1;
        setting.certain &= word.literal;
        let text = word.text.as_str();
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) if text.starts_with("--") => (name, Some(value)),
            _ => (text, None),
        };
        if INDIFFERENT.contains(&text) {
            continue;
        }
        if QUESTIONS.contains(&name) || text == "--exec-path" {
            return None;
        }
        let mut value = attached.unwrap_or_default();
        if attached.is_none() && WITH_VALUE.contains(&name) {
            let next = words.get(at)?;
            at += 1;
            setting.adrift |= name == "-C" && !next.literal;
            // A message or a name in the configuration says nothing about files.
            setting.certain &= next.literal || (name == "-c" && is_plain_setting(&next.text));
            value = &next.text;
        }
        match name {
            "-C" => setting.directory = Some(joined(setting.directory.as_deref(), value)),
            "-c" => {
                autostash |= asks_for_autostash(value);
                alias = alias.or(value.strip_prefix("alias."));
                setting.certain &= is_plain_setting(value);
            }
            "--exec-path" | "--attr-source" => {}
            _ => setting.adrift = true,
        }
    }
    let verb = words.get(at)?;
    let rest = &words[at + 1..];
    if let Some((_, definition)) = alias.and_then(|alias| alias.split_once('=')) {
        return expanded(definition, rest, setting, stdin);
    }
    Some(build(verb, rest, setting, stdin, autostash))
}

/// An alias that is defined and used in one command: seen through one step, never certain.
fn expanded(
    definition: &str,
    rest: &[Word],
    mut setting: Setting,
    stdin: Option<String>,
) -> Option<Call> {
    setting.certain = false;
    let word = |text: &str| Word {
        text: text.to_owned(),
        literal: true,
        source: text.to_owned(),
    };
    let definition = definition.trim_start_matches('!');
    let definition = definition.strip_prefix("git ").unwrap_or(definition);
    let mut words: Vec<Word> = definition.split_whitespace().map(word).collect();
    words.extend_from_slice(rest);
    let (verb, rest) = words.split_first()?;
    Some(build(verb, rest, setting, stdin, false))
}

fn build(
    name: &Word,
    rest: &[Word],
    setting: Setting,
    stdin: Option<String>,
    autostash: bool,
) -> Call {
    let verb = match name.literal {
        true => Verb::of(&name.text),
        false => Verb::Unknown,
    };
    let adrift = setting.adrift || verb == Verb::Unknown;
    let certain = setting.certain && !adrift && words_are_literal(&verb, rest);
    let mut words: Vec<String> = rest.iter().map(|word| word.text.clone()).collect();
    let mut sources: Vec<String> = rest.iter().map(|word| word.source.clone()).collect();
    if autostash && matches!(verb, Verb::Rebase | Verb::Pull | Verb::Merge) {
        words.insert(0, "--autostash".to_owned());
        sources.insert(0, "--autostash".to_owned());
    }
    Call {
        verb,
        words,
        sources,
        directory: setting.directory,
        from_top: false,
        adrift,
        certain,
        conditional: setting.conditional,
        stdin,
    }
}

fn asks_for_autostash(setting: &str) -> bool {
    let (name, value) = setting.split_once('=').unwrap_or((setting, "true"));
    matches!(
        name.to_ascii_lowercase().as_str(),
        "rebase.autostash" | "merge.autostash"
    ) && !matches!(value, "false" | "no" | "off" | "0")
}

/// Settings that change which files a command works on.
fn is_plain_setting(setting: &str) -> bool {
    let name = setting.split('=').next().unwrap_or_default();
    let name = name.to_ascii_lowercase();
    let section = name.split('.').next().unwrap_or_default();
    !matches!(
        section,
        "alias" | "core" | "clean" | "stash" | "add" | "extensions" | "safe" | "include"
    ) || matches!(
        name.as_str(),
        "core.pager" | "core.editor" | "core.quotepath" | "core.hookspath" | "core.commentchar"
    )
}

/// All words are literal but for those that hold a message, an author or a date.
fn words_are_literal(verb: &Verb, words: &[Word]) -> bool {
    let has_message = matches!(verb, Verb::Commit | Verb::Stash);
    let mut value_follows = false;
    let mut only_paths = false;
    for word in words {
        let free = value_follows || (has_message && !only_paths && holds_a_message(&word.source));
        if !word.literal && !free {
            return false;
        }
        only_paths |= word.literal && word.text == "--" && !value_follows;
        value_follows = has_message && !only_paths && !value_follows && wants_a_message(&word.text);
    }
    true
}

fn wants_a_message(word: &str) -> bool {
    const LONG: [&str; 5] = ["--message", "--file", "--author", "--date", "--trailer"];
    LONG.contains(&word)
        || (word.starts_with('-')
            && !word.starts_with("--")
            && word.ends_with(['m', 'F'])
            && word[1..].find(['m', 'F', 'C', 'c', 'S', 't', 'u']) == Some(word.len() - 2))
}

fn holds_a_message(source: &str) -> bool {
    const ATTACHED: [&str; 7] = [
        "--message=",
        "--file=",
        "--author=",
        "--date=",
        "--trailer=",
        "-m\"",
        "-m$",
    ];
    ATTACHED.iter().any(|start| source.starts_with(start))
}
