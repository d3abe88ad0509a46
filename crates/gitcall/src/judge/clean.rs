//! `git clean`.

use super::{Case, Judgement};
use crate::{
    Dirty, DirtyState,
    options::{Known, Options, flag, with},
};

const CLEAN: [Known; 8] = [
    flag('q', "quiet"),
    flag('n', "dry-run"),
    flag('f', "force"),
    flag('i', "interactive"),
    flag('d', "d"),
    with('e', "exclude"),
    flag('x', "x"),
    flag('X', "X"),
];

pub(super) fn judge(case: &Case<'_>) -> Judgement {
    let options = Options::read(&case.call.words, &CLEAN);
    if options.strange || options.has("interactive") {
        return case.may_touch();
    }
    if options.has("dry-run") {
        return case.nothing();
    }
    if !options.has("force") {
        // git refuses, unless clean.requireForce is off.
        return case.may_touch();
    }
    let paths = options.paths();
    let specs = match paths.is_empty() {
        // Without paths it works below the current directory.
        true => case.specs(&["."]),
        false => case.specs(&paths),
    };
    let (ignored_too, ignored_only) = (options.has("x"), options.has("X"));
    let affects = |file: &Dirty<'_>| match file.state {
        DirtyState::Untracked => !ignored_only,
        DirtyState::Ignored => ignored_too || ignored_only,
        _ => false,
    };
    let covered = case.files(&specs, affects);
    let deep = options.has("d") || !paths.is_empty();
    let tracked = case.dirty.iter();
    let tracked: Vec<&str> = tracked
        .filter(|file| file.state.tracked() && file.state != DirtyState::Removed)
        .map(|file| file.path)
        .collect();
    let hit: Vec<_> = covered
        .iter()
        .copied()
        .filter(|file| deep || reached(&tracked, file.path))
        .collect();
    let repositories = hit.iter().any(|file| file.path.ends_with('/'));
    let excludes = options.value("exclude").is_some();
    let both = ignored_too && ignored_only;
    if hit.is_empty() && !covered.is_empty() {
        // In directories that may hold no tracked file: git would pass them by.
        return case.may_touch();
    }
    let understood = specs.understood && !repositories && !excludes && !both;
    case.destroys(&hit, understood, |mine| {
        let ignored = mine.iter().any(|file| file.state == DirtyState::Ignored);
        let x = if ignored { " -x" } else { "" };
        Some(format!("git clean -f{x} --{}", case.paths(mine)?))
    })
}

/// Whether clean looks into the file's directory without `-d`: a tracked file is known below it.
fn reached(tracked: &[&str], path: &str) -> bool {
    let Some((directory, _)) = path.rsplit_once('/') else {
        return true;
    };
    tracked.iter().any(|file| {
        file.strip_prefix(directory)
            .is_some_and(|rest| rest.starts_with('/'))
    })
}
