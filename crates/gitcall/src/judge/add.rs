//! `git add`.

use super::{Case, Judgement, asks_elsewhere};
use crate::{
    Dirty, DirtyState,
    options::{Known, Options, flag, with},
};

const ADD: [Known; 18] = [
    flag('n', "dry-run"),
    flag('v', "verbose"),
    flag('i', "interactive"),
    flag('p', "patch"),
    flag('e', "edit-diff"),
    flag('f', "force"),
    flag('u', "update"),
    flag(' ', "renormalize"),
    flag('N', "intent-to-add"),
    flag('A', "all"),
    flag(' ', "ignore-removal"),
    flag(' ', "refresh"),
    flag(' ', "ignore-errors"),
    flag(' ', "ignore-missing"),
    flag(' ', "sparse"),
    with(' ', "chmod"),
    with(' ', "pathspec-from-file"),
    flag(' ', "pathspec-file-nul"),
];

pub(super) fn judge(case: &Case<'_>) -> Judgement {
    let words = words(case);
    let options = Options::read(&words, &ADD);
    if options.any(&["dry-run", "refresh"]) && !options.strange {
        return case.nothing();
    }
    let special = options.any(&["intent-to-add", "renormalize", "ignore-removal"]);
    if asks_elsewhere(&options) || special {
        return case.may_touch();
    }
    let paths = options.paths();
    let update = options.has("update");
    if paths.is_empty() && !update && !options.has("all") {
        return case.nothing();
    }
    let specs = case.specs(&paths);
    let forced = options.has("force") && !paths.is_empty();
    let hit = covered(case, &options);
    let known = |state: DirtyState| match state {
        DirtyState::Untracked => !update,
        DirtyState::Ignored => forced && !update,
        state => state.tracked() && state != DirtyState::Removed,
    };
    let repositories = hit.iter().any(|file| file.path.ends_with('/'));
    let understood = case.all_found(&specs, known)
        && !repositories
        && !(update && options.has("all"))
        && options.value("chmod").is_none();
    case.sweeps(&hit, understood, |mine| {
        let ignored = mine.iter().any(|file| file.state == DirtyState::Ignored);
        let force = if ignored { " -f" } else { "" };
        Some(format!("git add{force} --{}", case.paths(mine)?))
    })
}

/// The session's own files that the call takes into the index.
pub(super) fn own<'a>(case: &Case<'a>) -> Vec<&'a Dirty<'a>> {
    let words = words(case);
    let options = Options::read(&words, &ADD);
    let nothing = options.paths().is_empty() && !options.any(&["all", "update"]);
    if nothing || options.strange || options.any(&["dry-run", "refresh"]) {
        return Vec::new();
    }
    let mine = covered(case, &options).into_iter();
    mine.filter(|file| file.mine && file.state != DirtyState::Ignored)
        .collect()
}

/// The files that change in the index.
fn covered<'a>(case: &Case<'a>, options: &Options<'_>) -> Vec<&'a Dirty<'a>> {
    let paths = options.paths();
    let update = options.has("update");
    let keeps_removed = options
        .given
        .iter()
        .any(|given| given.known.long == "all" && given.negated);
    let forced = options.has("force") && !paths.is_empty();
    case.files(&case.specs(&paths), |file| match file.state {
        DirtyState::Untracked => !update,
        DirtyState::Ignored => forced && !update,
        DirtyState::Deleted => !keeps_removed,
        state => state.in_worktree(),
    })
}

fn words(case: &Case<'_>) -> Vec<String> {
    let mut words = case.call.words.clone();
    for word in &mut words {
        // An abbreviation of --edit-diff would be --e; git's own name is --edit.
        if word == "--edit" {
            "--edit-diff".clone_into(word);
        }
    }
    words
}
