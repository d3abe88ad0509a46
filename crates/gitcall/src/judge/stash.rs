//! `git stash`.

use super::{Case, Judgement, asks_elsewhere};
use crate::{
    Dirty, DirtyState,
    options::{Known, Options, flag, with},
    quote::quoted,
};

const PUSH: [Known; 9] = [
    flag('p', "patch"),
    flag('S', "staged"),
    flag('k', "keep-index"),
    flag('u', "include-untracked"),
    flag('a', "all"),
    flag('q', "quiet"),
    with('m', "message"),
    with(' ', "pathspec-from-file"),
    flag(' ', "pathspec-file-nul"),
];

pub(super) fn judge(case: &Case<'_>) -> Judgement {
    let words = &case.call.words;
    match words.first().map(String::as_str) {
        None => push(case, &[], true),
        Some("push") => push(case, &words[1..], true),
        Some("save") => push(case, &words[1..], false),
        Some("list" | "show" | "create" | "export") => case.nothing(),
        // Stashes belong to everybody: dropping one may lose another session's.
        Some("drop" | "clear" | "store" | "import") => case.touches_refs(),
        Some(option) if option.starts_with('-') => push(case, words, true),
        // `pop`, `apply` and `branch` refuse where they would overwrite. Other words are errors.
        _ => case.may_touch(),
    }
}

fn push(case: &Case<'_>, words: &[String], takes_paths: bool) -> Judgement {
    let options = Options::read(words, &PUSH);
    let paths = match takes_paths {
        true => options.paths(),
        false => Vec::new(),
    };
    let specs = case.specs(&paths);
    let (all, untracked) = (options.has("all"), options.has("include-untracked"));
    let (staged_only, keep_index) = (options.has("staged"), options.has("keep-index"));
    let affects = |file: &Dirty<'_>| match file.state {
        DirtyState::Untracked => (untracked || all) && !staged_only,
        DirtyState::Ignored => all && !staged_only,
        state if staged_only => state.in_index(),
        state if keep_index => state.in_worktree(),
        state => state.tracked(),
    };
    let hit = case.files(&specs, affects);
    // With --staged, a file that was changed again makes the whole command fail.
    let changed_again = staged_only
        && case
            .dirty
            .iter()
            .any(|file| file.state.in_worktree() && file.state.in_index());
    let known = |state: DirtyState| match state {
        DirtyState::Untracked => untracked || all,
        DirtyState::Ignored => all,
        // Not in the index: no path of a stash matches it.
        DirtyState::Removed => false,
        _ => true,
    };
    let understood = !asks_elsewhere(&options)
        && !changed_again
        && (paths.is_empty() || case.all_found(&specs, known))
        && !(staged_only && (untracked || all || !paths.is_empty()));
    case.destroys(&hit, understood, |mine| alternative(case, &options, mine))
}

fn alternative(case: &Case<'_>, options: &Options<'_>, mine: &[&Dirty<'_>]) -> Option<String> {
    let mine: Vec<&Dirty<'_>> = mine
        .iter()
        .copied()
        .filter(|file| file.state != DirtyState::Removed)
        .collect();
    let any = |state| mine.iter().any(|file| file.state == state);
    let mut command = "git stash push".to_owned();
    if any(DirtyState::Ignored) {
        command.push_str(" -a");
    } else if any(DirtyState::Untracked) {
        command.push_str(" -u");
    }
    if options.has("keep-index") {
        command.push_str(" --keep-index");
    }
    if let Some(message) = options.value("message").filter(|_| case.call.certain) {
        command.push_str(&format!(" -m {}", message_word(case, message)));
    }
    Some(format!("{command} --{}", case.paths(&mine)?))
}

/// The message as it was written where it is a word of its own, else quoted anew.
fn message_word(case: &Case<'_>, message: &str) -> String {
    let words = case.call.words.iter().zip(&case.call.sources);
    let mut same = words.filter(|(word, _)| *word == message);
    match same.next() {
        Some((_, source)) => source.clone(),
        None => quoted(message),
    }
}
