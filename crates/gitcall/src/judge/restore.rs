//! `git restore`.

use super::{Case, Judgement, asks_elsewhere, is_head};
use crate::{
    DirtyState,
    options::{Known, Options, flag, may, with},
    quote::quoted,
};

const RESTORE: [Known; 16] = [
    with('s', "source"),
    flag('S', "staged"),
    flag('W', "worktree"),
    flag(' ', "ignore-unmerged"),
    flag(' ', "overlay"),
    flag('q', "quiet"),
    may(' ', "recurse-submodules"),
    flag(' ', "progress"),
    flag('m', "merge"),
    with(' ', "conflict"),
    flag('2', "ours"),
    flag('3', "theirs"),
    flag('p', "patch"),
    flag(' ', "ignore-skip-worktree-bits"),
    with(' ', "pathspec-from-file"),
    flag(' ', "pathspec-file-nul"),
];

pub(super) fn judge(case: &Case<'_>) -> Judgement {
    let options = Options::read(&case.call.words, &RESTORE);
    let paths = options.paths();
    let special =
        options.any(&["ours", "theirs", "merge", "overlay"]) || options.value("conflict").is_some();
    if asks_elsewhere(&options) || special {
        return case.may_touch();
    }
    if paths.is_empty() {
        // git asks for paths.
        return case.nothing();
    }
    let specs = case.specs(&paths);
    let staged = options.has("staged");
    if staged && !options.has("worktree") {
        return case.touches_index(&case.files(&specs, |file| file.state.in_index()));
    }
    let source = options.value("source");
    let from_commit = staged || source.is_some();
    let hit = case.files(&specs, |file| match from_commit {
        true => file.state.tracked(),
        false => file.state.in_worktree(),
    });
    let known = |state: DirtyState| match from_commit {
        true => state.tracked(),
        false => state.tracked() && state != DirtyState::Removed,
    };
    // Another commit may not have a file either whose deletion is staged.
    let only_removed = source.is_some_and(|source| !is_head(source))
        && hit.iter().all(|file| file.state == DirtyState::Removed);
    let understood = case.all_found(&specs, known) && !only_removed;
    case.destroys(&hit, understood, |mine| {
        let source = source.map(|source| format!(" --source={}", quoted(source)));
        let places = match staged {
            true => " --staged --worktree",
            false => "",
        };
        let paths = case.paths(mine)?;
        Some(format!(
            "git restore{}{places} --{paths}",
            source.unwrap_or_default()
        ))
    })
}
