//! `git commit`.

use super::{Case, Judgement, asks_elsewhere};
use crate::{
    Dirty, DirtyState,
    options::{Given, Known, Options, flag, may, with},
    quote::quoted,
};

const COMMIT: [Known; 39] = [
    flag('q', "quiet"),
    flag('v', "verbose"),
    with('F', "file"),
    with(' ', "author"),
    with(' ', "date"),
    with('m', "message"),
    with('c', "reedit-message"),
    with('C', "reuse-message"),
    with(' ', "fixup"),
    with(' ', "squash"),
    flag(' ', "reset-author"),
    with(' ', "trailer"),
    flag('s', "signoff"),
    with('t', "template"),
    flag('e', "edit"),
    with(' ', "cleanup"),
    flag(' ', "status"),
    may('S', "gpg-sign"),
    flag('a', "all"),
    flag('i', "include"),
    flag(' ', "interactive"),
    flag('p', "patch"),
    flag('o', "only"),
    flag('n', "no-verify"),
    flag(' ', "verify"),
    flag(' ', "dry-run"),
    flag(' ', "short"),
    flag(' ', "branch"),
    flag(' ', "ahead-behind"),
    flag(' ', "porcelain"),
    flag(' ', "long"),
    flag('z', "null"),
    flag(' ', "amend"),
    flag(' ', "no-post-rewrite"),
    may('u', "untracked-files"),
    with(' ', "pathspec-from-file"),
    flag(' ', "pathspec-file-nul"),
    flag(' ', "allow-empty"),
    flag(' ', "allow-empty-message"),
];

/// Options that decide what is committed, or that only show: they do not go into an alternative.
const NOT_KEPT: [&str; 7] = [
    "all",
    "include",
    "only",
    "quiet",
    "verbose",
    "status",
    "untracked-files",
];

pub(super) fn judge(case: &Case<'_>) -> Judgement {
    let options = Options::read(&case.call.words, &COMMIT);
    let shows = ["dry-run", "short", "porcelain", "long"];
    if !options.strange && options.any(&shows) {
        return case.nothing();
    }
    let paths = options.paths();
    let specs = case.specs(&paths);
    let (all, include) = (options.has("all"), options.has("include"));
    let hit = covered(case, &options, &paths);
    let contradicts = (all && !paths.is_empty()) || (include && options.has("only"));
    let understood = !asks_elsewhere(&options)
        && !contradicts
        && (paths.is_empty() || case.all_found(&specs, DirtyState::tracked));
    case.sweeps(&hit, understood, |mine| {
        alternative(case, &options, &paths, mine)
    })
}

/// The command for the session's own files alone; `None` where it covers none of them.
pub(super) fn own_alone(case: &Case<'_>) -> Option<String> {
    let options = Options::read(&case.call.words, &COMMIT);
    let shows = ["dry-run", "short", "porcelain", "long"];
    if options.any(&shows) || asks_elsewhere(&options) {
        return None;
    }
    let paths = options.paths();
    let mut mine = covered(case, &options, &paths);
    mine.retain(|file| file.mine);
    match mine.is_empty() {
        true => None,
        false => alternative(case, &options, &paths, &mine),
    }
}

/// The files that go into the commit.
fn covered<'a>(case: &Case<'a>, options: &Options<'_>, paths: &[&str]) -> Vec<&'a Dirty<'a>> {
    let specs = case.specs(paths);
    let (all, include) = (options.has("all"), options.has("include"));
    case.files(&case.specs(&[]), |file| match (paths.is_empty(), all) {
        (true, true) => file.state.tracked(),
        (true, false) => file.state.in_index() && !options.has("only"),
        (false, _) => {
            (file.state.tracked() && specs.covers(file.path)) || (include && file.state.in_index())
        }
    })
}

fn alternative(
    case: &Case<'_>,
    options: &Options<'_>,
    paths: &[&str],
    mine: &[&Dirty<'_>],
) -> Option<String> {
    let mut command = "git commit --only".to_owned();
    for given in &options.given {
        if !NOT_KEPT.contains(&given.known.long) {
            command.push_str(&kept(case, given)?);
        }
    }
    let stdin = case.call.stdin.iter().map(|stdin| format!(" {stdin}"));
    let stdin: String = stdin.collect();
    if !mine.is_empty() {
        return Some(format!("{command} --{}{stdin}", case.paths(mine)?));
    }
    // Nothing of the session's is tracked: its new files are what it can mean.
    let new: Vec<&Dirty<'_>> = case
        .dirty
        .iter()
        .filter(|file| file.mine && file.state == DirtyState::Untracked)
        .filter(|_| paths.is_empty() && options.has("all"))
        .collect();
    let paths = case.paths(&new)?;
    Some(format!("git add --{paths} && {command} --{paths}{stdin}"))
}

/// The option as a word of the alternative, a value that only a shell knows as it was written.
fn kept(case: &Case<'_>, given: &Given<'_>) -> Option<String> {
    let Known { short, long, .. } = given.known;
    if given.negated {
        return Some(format!(" --no-{long}"));
    }
    let Some(value) = given.value else {
        return Some(format!(" --{long}"));
    };
    let source = match given.value_word {
        Some(word) => case.call.sources.get(word)?.clone(),
        None => {
            let source = case.call.sources.get(given.word)?;
            let expands = source.contains(['$', '`']);
            let whole = source.starts_with(&format!("--{long}="))
                || (short != ' ' && source.starts_with(&format!("-{short}")));
            match (expands, whole) {
                (false, _) => quoted(value),
                (true, true) => return Some(format!(" {source}")),
                (true, false) => return None,
            }
        }
    };
    Some(match (long, given.value_word) {
        ("message", _) => format!(" -m {source}"),
        ("file", _) => format!(" -F {source}"),
        (long, _) => format!(" --{long}={source}"),
    })
}
