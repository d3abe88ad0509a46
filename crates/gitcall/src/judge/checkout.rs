//! `git checkout` and `git switch`.

use super::{Case, Judgement, asks_elsewhere, is_head};
use crate::{
    Dirty, DirtyState,
    options::{Known, Options, flag, may, with},
    quote::quoted,
};

const CHECKOUT: [Known; 23] = [
    with('b', "b"),
    with('B', "B"),
    flag('l', "l"),
    flag(' ', "guess"),
    flag(' ', "overlay"),
    flag('q', "quiet"),
    may(' ', "recurse-submodules"),
    flag(' ', "progress"),
    flag('m', "merge"),
    with(' ', "conflict"),
    flag('d', "detach"),
    may('t', "track"),
    flag('f', "force"),
    with(' ', "orphan"),
    flag(' ', "overwrite-ignore"),
    flag(' ', "ignore-other-worktrees"),
    flag('2', "ours"),
    flag('3', "theirs"),
    flag('p', "patch"),
    flag(' ', "ignore-skip-worktree-bits"),
    with(' ', "pathspec-from-file"),
    flag(' ', "pathspec-file-nul"),
    with('U', "unified"),
];
const SWITCH: [Known; 14] = [
    with('c', "create"),
    with('C', "force-create"),
    flag(' ', "guess"),
    flag(' ', "discard-changes"),
    flag('q', "quiet"),
    may(' ', "recurse-submodules"),
    flag(' ', "progress"),
    flag('m', "merge"),
    with(' ', "conflict"),
    flag('d', "detach"),
    may('t', "track"),
    flag('f', "force"),
    with(' ', "orphan"),
    flag(' ', "ignore-other-worktrees"),
];

pub(super) fn judge(case: &Case<'_>) -> Judgement {
    let options = Options::read(&case.call.words, &CHECKOUT);
    if asks_elsewhere(&options) || options.any(&["ours", "theirs"]) {
        return case.may_touch();
    }
    let creates = ["b", "B", "orphan"]
        .iter()
        .any(|name| options.value(name).is_some());
    if !creates && let Some((tree, paths)) = paths(case, &options) {
        return overwrite(case, &options, tree, &paths);
    }
    switch(case, &options, creates, &["force"], "checkout")
}

pub(super) fn judge_switch(case: &Case<'_>) -> Judgement {
    let options = Options::read(&case.call.words, &SWITCH);
    if options.strange {
        return case.may_touch();
    }
    let creating = ["create", "force-create"];
    let creates = creating.iter().any(|name| options.value(name).is_some());
    let orphan = options.value("orphan").is_some();
    if options.operands.is_empty() && options.after.is_none() && !orphan {
        // Without a place to go to, even --force leaves the work tree alone.
        return match case.sure {
            true => case.nothing(),
            false => case.may_touch(),
        };
    }
    switch(
        case,
        &options,
        creates,
        &["force", "discard-changes"],
        "switch",
    )
}

/// The tree and the paths, if the words mean paths rather than a branch.
fn paths<'c>(case: &Case<'_>, options: &Options<'c>) -> Option<(Option<&'c str>, Vec<&'c str>)> {
    let operands = &options.operands;
    if let Some(after) = options.after.as_ref().filter(|after| !after.is_empty()) {
        return Some((operands.first().copied(), after.clone()));
    }
    if options.after.is_some() {
        return None;
    }
    let (first, rest) = operands.split_first()?;
    let specs = case.specs(&[first]);
    let is_path = first.starts_with(['.', ':'])
        || (specs.understood && case.dirty.iter().any(|file| specs.covers(file.path)));
    match (is_path && !is_head(first), rest.is_empty()) {
        (true, _) => Some((None, operands.clone())),
        (false, true) => None,
        (false, false) => Some((Some(first), rest.to_vec())),
    }
}

fn overwrite(
    case: &Case<'_>,
    options: &Options<'_>,
    tree: Option<&str>,
    paths: &[&str],
) -> Judgement {
    let specs = case.specs(paths);
    let overlay = !options
        .given
        .iter()
        .any(|given| given.known.long == "overlay" && given.negated);
    let hit = case.files(&specs, |file| match tree {
        None => file.state.in_worktree(),
        // A new file is not in the tree: it stays.
        Some(_) => file.state.tracked() && !file.state.uncommitted(),
    });
    let known = |state: DirtyState| match tree {
        None => state.tracked() && state != DirtyState::Removed,
        Some(_) => state.tracked() && !state.uncommitted(),
    };
    let understood = overlay
        && options.operands.len() <= 1.max(paths.len() + 1)
        && tree.is_none_or(is_head)
        && !options.has("merge")
        && options.value("conflict").is_none()
        && case.all_found(&specs, known);
    case.destroys(&hit, understood, |mine| {
        let paths = case.paths(mine)?;
        Some(match tree {
            None => format!("git restore --{paths}"),
            Some(tree) => format!("git checkout {} --{paths}", quoted(tree)),
        })
    })
}

fn switch(
    case: &Case<'_>,
    options: &Options<'_>,
    creates: bool,
    force: &[&str],
    command: &str,
) -> Judgement {
    let stays = options.operands.is_empty()
        && (creates || case.call.words.is_empty())
        && options.value("orphan").is_none();
    if !options.any(force) {
        return match stays && case.sure {
            true => case.nothing(),
            false => case.may_touch(),
        };
    }
    let hit = case.files(&case.specs(&[]), |file| file.state.tracked());
    let target = options.operands.len() <= 1
        && (command == "checkout" || creates || !options.operands.is_empty());
    let understood = target
        && !options.has("merge")
        && options.value("conflict").is_none()
        && options.value("orphan").is_none();
    case.destroys(&hit, understood, |mine| {
        alternative(case, options, force, command, mine)
    })
}

/// The session's own changes are dropped, then git switches without force: it carries the others'
/// changes over, or refuses.
fn alternative(
    case: &Case<'_>,
    options: &Options<'_>,
    force: &[&str],
    command: &str,
    mine: &[&Dirty<'_>],
) -> Option<String> {
    let restore = case.restore_from("HEAD", mine);
    if !mine.is_empty() && restore.is_none() {
        return None;
    }
    let mut switch = format!("git {command}");
    for given in options
        .given
        .iter()
        .filter(|given| !force.contains(&given.known.long))
    {
        let name = match (given.known.long, given.negated) {
            (name, true) => format!("--no-{name}"),
            (name, false) if name.len() == 1 => format!("-{name}"),
            (name, false) => format!("--{name}"),
        };
        switch.push_str(&match (given.value, given.value_word) {
            (Some(value), None) if name.starts_with("--") => format!(" {name}={}", quoted(value)),
            (Some(value), _) => format!(" {name} {}", quoted(value)),
            (None, _) => format!(" {name}"),
        });
    }
    for operand in &options.operands {
        switch.push_str(&format!(" {}", quoted(operand)));
    }
    let does_something = switch.len() > "git ".len() + command.len();
    let steps: Vec<String> = restore
        .into_iter()
        .chain(does_something.then_some(switch))
        .collect();
    (!steps.is_empty()).then(|| steps.join(" && "))
}
