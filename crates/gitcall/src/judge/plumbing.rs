//! `git read-tree` and `git checkout-index`.

use super::{Case, Judgement};
use crate::{
    DirtyState,
    options::{Known, Options, flag, may, with},
};

const READ_TREE: [Known; 16] = [
    with(' ', "index-output"),
    flag(' ', "empty"),
    flag('v', "verbose"),
    flag('m', "m"),
    flag(' ', "trivial"),
    flag(' ', "aggressive"),
    flag(' ', "reset"),
    with(' ', "prefix"),
    flag('u', "u"),
    with(' ', "exclude-per-directory"),
    flag('i', "i"),
    flag('n', "dry-run"),
    flag(' ', "sparse-checkout"),
    flag(' ', "debug-unpack"),
    may(' ', "recurse-submodules"),
    flag('q', "quiet"),
];
const CHECKOUT_INDEX: [Known; 11] = [
    flag('a', "all"),
    flag(' ', "ignore-skip-worktree-bits"),
    flag('f', "force"),
    flag('q', "quiet"),
    flag('n', "no-create"),
    flag('u', "index"),
    flag('z', "z"),
    flag(' ', "stdin"),
    flag(' ', "temp"),
    with(' ', "prefix"),
    with(' ', "stage"),
];

pub(super) fn judge_read_tree(case: &Case<'_>) -> Judgement {
    let options = Options::read(&case.call.words, &READ_TREE);
    if options.has("dry-run") && !options.strange {
        return case.nothing();
    }
    let overwrites = options.has("reset") && options.has("u");
    if options.strange || !overwrites {
        return case.may_touch();
    }
    let understood = options.operands.len() == 1
        && !options.any(&["m", "i", "empty"])
        && options.value("prefix").is_none()
        && options.value("index-output").is_none();
    let hit = case.files(&case.specs(&[]), |file| file.state.tracked());
    case.destroys(&hit, understood, |mine| {
        case.restore_from(options.operands.first()?, mine)
    })
}

pub(super) fn judge_checkout_index(case: &Case<'_>) -> Judgement {
    let options = Options::read(&case.call.words, &CHECKOUT_INDEX);
    let elsewhere = options.has("temp") || options.value("prefix").is_some();
    if !options.strange && elsewhere {
        return case.nothing();
    }
    if options.strange || !options.has("force") || options.value("stage").is_some() {
        return case.may_touch();
    }
    let paths = options.paths();
    let all = options.has("all");
    if !all && paths.is_empty() {
        return case.may_touch();
    }
    let specs = case.specs(if all { &["."] } else { &paths });
    let hit = case.files(&specs, |file| {
        file.state.in_worktree() && !(options.has("no-create") && file.state == DirtyState::Deleted)
    });
    let known = |state: DirtyState| state.tracked() && state != DirtyState::Removed;
    let tracked = case.dirty.iter().filter(|file| known(file.state));
    let tracked: Vec<&str> = tracked.map(|file| file.path).collect();
    // It takes file names, not pathspecs.
    let exact = all
        || (!specs.any_directory(tracked.iter().copied())
            && paths.iter().all(|path| !path.contains([':', '*', '?'])));
    let understood = exact && !options.has("stdin") && (!all || paths.is_empty());
    case.destroys(&hit, understood, |mine| {
        let paths = case.words(mine, |path| path)?;
        Some(format!("git checkout-index -f --{paths}"))
    })
}
