//! Verbs that git itself mostly guards: it refuses to overwrite uncommitted work. They are never
//! certain.

use super::{Case, Effect, Judgement, listed};
use crate::{Dirty, Verb};

pub(super) fn judge(case: &Case<'_>) -> Judgement {
    let says = |words: &[&str]| {
        case.call
            .words
            .iter()
            .any(|word| words.contains(&word.as_str()))
    };
    match &case.call.verb {
        Verb::Harmless => case.nothing(),
        Verb::Unknown => all_perhaps(case, |_| true),
        Verb::Rebase if says(&["--abort", "--skip", "--autostash"]) => lost_perhaps(case),
        Verb::Rebase | Verb::Revert | Verb::CherryPick | Verb::Am | Verb::Merge
            if says(&["--abort", "--skip", "--autostash"]) =>
        {
            lost_perhaps(case)
        }
        Verb::Pull if says(&["--autostash"]) => lost_perhaps(case),
        Verb::Mv if says(&["-f", "--force"]) => lost_perhaps(case),
        Verb::Submodule if says(&["-f", "--force"]) => lost_perhaps(case),
        Verb::Apply if says(&["--check", "--stat", "--numstat", "--summary"]) => match case.sure {
            true => case.nothing(),
            false => case.may_touch(),
        },
        Verb::Worktree => worktree(case),
        Verb::Branch => refs(case, &["-D", "-M", "-C", "-f", "--force", "-d", "--delete"]),
        Verb::Push => push(case),
        Verb::UpdateRef | Verb::Rewrite => case.touches_refs(),
        Verb::Reflog => refs(case, &["expire", "delete", "drop"]),
        Verb::Gc => case.touches_refs(),
        Verb::UpdateIndex if case.sure && only_refreshes(case) => case.nothing(),
        _ => case.may_touch(),
    }
}

/// All tracked changes may be lost on the way, though often they come back.
fn lost_perhaps(case: &Case<'_>) -> Judgement {
    all_perhaps(case, |file| file.state.tracked())
}

fn all_perhaps(case: &Case<'_>, affects: impl Fn(&Dirty<'_>) -> bool) -> Judgement {
    let hit: Vec<&Dirty<'_>> = case.dirty.iter().filter(|file| affects(file)).collect();
    match hit.is_empty() {
        true => case.may_touch(),
        false => Judgement {
            effect: Effect::Destroys,
            theirs: listed(&hit),
            mine: hit.iter().filter(|file| file.mine).count(),
            ..case.nothing()
        },
    }
}

/// Another worktree's files are not among those that are known here.
fn worktree(case: &Case<'_>) -> Judgement {
    let mut words = case.call.words.iter().map(String::as_str);
    match words.next() {
        Some("remove") if words.any(|word| matches!(word, "-f" | "--force" | "-ff")) => Judgement {
            effect: Effect::Destroys,
            ..case.nothing()
        },
        Some("list" | "add" | "lock" | "unlock" | "repair") if case.sure => case.nothing(),
        _ => case.touches_refs(),
    }
}

fn refs(case: &Case<'_>, dangerous: &[&str]) -> Judgement {
    let short = |word: &str| {
        word.starts_with('-')
            && !word.starts_with("--")
            && dangerous
                .iter()
                .any(|name| name.len() == 2 && word[1..].contains(&name[1..]))
    };
    let found = case
        .call
        .words
        .iter()
        .any(|word| dangerous.contains(&word.as_str()) || short(word));
    match found || !case.call.certain {
        true => case.touches_refs(),
        false => case.nothing(),
    }
}

fn push(case: &Case<'_>) -> Judgement {
    let forces = |word: &String| {
        word.starts_with("--force")
            || word.starts_with(['+', ':'])
            || matches!(word.as_str(), "--mirror" | "--prune" | "--delete")
            || (word.starts_with('-') && !word.starts_with("--") && word.contains(['f', 'd']))
    };
    match case.call.words.iter().any(forces) || !case.call.certain {
        true => case.touches_refs(),
        false => case.nothing(),
    }
}

fn only_refreshes(case: &Case<'_>) -> bool {
    let quiet = [
        "-q",
        "--refresh",
        "--really-refresh",
        "--unmerged",
        "--ignore-missing",
    ];
    case.call
        .words
        .iter()
        .all(|word| quiet.contains(&word.as_str()))
}
