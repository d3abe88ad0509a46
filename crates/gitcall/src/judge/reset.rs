//! `git reset`.

use super::{Case, Judgement, asks_elsewhere, is_head};
use crate::{
    Dirty, DirtyState,
    options::{Known, Options, flag, may, with},
    quote::quoted,
};

const RESET: [Known; 13] = [
    flag('q', "quiet"),
    flag(' ', "refresh"),
    flag(' ', "mixed"),
    flag('N', "intent-to-add"),
    flag(' ', "soft"),
    flag(' ', "hard"),
    flag(' ', "merge"),
    flag(' ', "keep"),
    may(' ', "recurse-submodules"),
    flag('p', "patch"),
    with('U', "unified"),
    with(' ', "pathspec-from-file"),
    flag(' ', "pathspec-file-nul"),
];

pub(super) fn judge(case: &Case<'_>) -> Judgement {
    let options = Options::read(&case.call.words, &RESET);
    if asks_elsewhere(&options) {
        return case.may_touch();
    }
    if options.any(&["hard", "merge"]) {
        return overwrite(case, &options);
    }
    if options.any(&["soft", "keep"]) {
        // --keep leaves every change in the work tree, or refuses.
        let moves = options.operands.iter().any(|revision| !is_head(revision));
        let unstages = options.has("keep") && case.dirty.iter().any(|file| file.state.in_index());
        return match moves || unstages || !case.sure {
            true => case.touches_refs(),
            false => case.nothing(),
        };
    }
    let paths: &[&str] = match &options.after {
        Some(after) => after,
        None => options.operands.get(1..).unwrap_or_default(),
    };
    let specs = case.specs(paths);
    let staged = case.files(&specs, |file| file.state.in_index());
    match (options.operands.first(), staged.is_empty()) {
        (Some(revision), true) if !is_head(revision) => case.touches_refs(),
        _ => case.touches_index(&staged),
    }
}

/// `--hard` and `--merge`.
fn overwrite(case: &Case<'_>, options: &Options<'_>) -> Judgement {
    if options
        .after
        .as_ref()
        .is_some_and(|paths| !paths.is_empty())
    {
        return case.nothing();
    }
    let modes = ["hard", "merge", "keep", "soft", "mixed"];
    let one_mode = modes.iter().filter(|mode| options.has(mode)).count() == 1;
    let merge = options.has("merge");
    // --merge leaves what is not staged, and refuses if a staged file was changed again.
    let changed_again = |file: &&Dirty<'_>| file.state.in_index() && file.state.in_worktree();
    let refuses = merge && case.dirty.iter().any(|file| changed_again(&file));
    let hit = case.files(&case.specs(&[]), |file| match merge {
        true => file.state.in_index(),
        false => file.state.tracked(),
    });
    let revision = options.operands.first().copied();
    let understood = one_mode && !refuses && options.operands.len() <= 1;
    let judgement = case.destroys(&hit, understood, |mine| alternative(case, revision, mine));
    match revision {
        Some(revision) if !is_head(revision) && judgement.effect == super::Effect::None => {
            case.touches_refs()
        }
        _ => judgement,
    }
}

/// The session's own files go back to the last commit. If the branch is to move, a two-way merge
/// carries everybody else's changes over, or refuses: `reset --keep`, which forgets what was
/// staged, or where others have staged something, `read-tree -m`, which keeps that too.
fn alternative(case: &Case<'_>, revision: Option<&str>, mine: &[&Dirty<'_>]) -> Option<String> {
    let restore = case.restore_from("HEAD", mine);
    let Some(revision) = revision.filter(|revision| !is_head(revision)) else {
        return restore;
    };
    if !mine.is_empty() && restore.is_none() {
        return None;
    }
    let revision = quoted(revision);
    let others_staged = case
        .dirty
        .iter()
        .any(|file| file.state.in_index() && (!file.mine || file.theirs.is_some()));
    let unsettled = case
        .dirty
        .iter()
        .any(|file| file.state == DirtyState::Unsettled);
    let step = match others_staged {
        _ if unsettled => return None,
        true => format!("git read-tree -m -u HEAD {revision} && git reset --soft {revision}"),
        false => format!("git reset --keep {revision}"),
    };
    let steps: Vec<String> = restore.into_iter().chain([step]).collect();
    Some(steps.join(" && "))
}
