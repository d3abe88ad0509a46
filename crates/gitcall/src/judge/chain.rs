//! `git add … && git commit …` in one text: what is to be run instead is the whole of it.

use super::{Case, Judgement, add, commit};
use crate::{Call, Dirty, DirtyState, Verb};

/// Where a commit follows upon `git add`, and one of them is refused, the alternative adds and
/// commits the session's own files. That of the refused command alone would leave out the rest:
/// `git add a && git commit` would only add, or would have nothing to commit.
pub(super) fn complete(
    calls: &[Call],
    judged: &mut [Judgement],
    dirty: &[Dirty<'_>],
    here: &str,
) -> Option<()> {
    let at = calls.iter().position(|call| call.verb == Verb::Commit)?;
    let is_add = |call: &&Call| call.verb == Verb::Add && call.certain;
    let adds: Vec<&Call> = calls[..at].iter().filter(is_add).collect();
    if adds.is_empty() || !calls[at].certain {
        return None;
    }
    let mut added: Vec<&Dirty<'_>> = Vec::new();
    for call in adds {
        let case = Case::new(call, dirty, here);
        let fresh = add::own(&case).into_iter();
        let known = |file: &&Dirty<'_>| added.iter().any(|it| it.path == file.path);
        let fresh: Vec<&Dirty<'_>> = fresh.filter(|file| !known(file)).collect();
        added.extend(fresh);
    }
    let staged = |file: &Dirty<'_>| match added.iter().any(|it| it.path == file.path) {
        true => file.state.added(),
        false => file.state,
    };
    let after: Vec<Dirty<'_>> = dirty
        .iter()
        .map(|file| Dirty {
            state: staged(file),
            ..*file
        })
        .collect();
    let case = Case::new(&calls[at], dirty, here);
    let commit = commit::own_alone(&Case::new(&calls[at], &after, here))?;
    let alternative = match added.is_empty() {
        true => commit,
        false => format!("git add --{} && {commit}", case.paths(&added)?),
    };
    let touched = calls.iter().zip(judged).take(at + 1);
    for (_, judgement) in touched.filter(|(call, judgement)| {
        matches!(call.verb, Verb::Add | Verb::Commit) && !judgement.theirs.is_empty()
    }) {
        judgement.mine = judgement.mine.max(added.len());
        judgement.alternative = Some(alternative.clone());
    }
    Some(())
}

impl DirtyState {
    /// What `git add` makes of it.
    fn added(self) -> DirtyState {
        match self {
            DirtyState::Untracked | DirtyState::Ignored | DirtyState::AddedModified => {
                DirtyState::Added
            }
            DirtyState::Modified | DirtyState::StagedModified => DirtyState::Staged,
            DirtyState::Deleted => DirtyState::Removed,
            other => other,
        }
    }
}
