//! `git rm`.

use super::{Case, Judgement, asks_elsewhere};
use crate::{
    DirtyState,
    options::{Known, Options, flag, with},
};

const RM: [Known; 9] = [
    flag('n', "dry-run"),
    flag('q', "quiet"),
    flag(' ', "cached"),
    flag('f', "force"),
    flag('r', "r"),
    flag(' ', "ignore-unmatch"),
    flag(' ', "sparse"),
    with(' ', "pathspec-from-file"),
    flag(' ', "pathspec-file-nul"),
];

pub(super) fn judge(case: &Case<'_>) -> Judgement {
    let options = Options::read(&case.call.words, &RM);
    if options.has("dry-run") && !options.strange {
        return case.nothing();
    }
    let paths = options.paths();
    if asks_elsewhere(&options) || paths.is_empty() {
        return case.may_touch();
    }
    let specs = case.specs(&paths);
    let known = |state: DirtyState| state.tracked() && state != DirtyState::Removed;
    let covered = case.files(&specs, |file| known(file.state));
    if options.has("cached") || !options.has("force") {
        // Without -f git refuses files that differ from the last commit.
        return case.touches_index(&covered);
    }
    let tracked = case.dirty.iter().filter(|file| known(file.state));
    let needs_r = specs.any_directory(tracked.map(|file| file.path)) && !options.has("r");
    let understood = !needs_r && case.all_found(&specs, known);
    case.destroys(&covered, understood, |mine| {
        Some(format!("git rm -f --{}", case.paths(mine)?))
    })
}
