//! One command beside the uncommitted files: whom it would hit, and what to run instead.
//!
//! One verb, one file, as far as a verb has enough to say. Each knows what git really does with a
//! file in each state; `tests/real_git.rs` holds them against git itself.

mod add;
mod chain;
mod checkout;
mod clean;
mod commit;
mod others;
mod plumbing;
mod reset;
mod restore;
mod rm;
mod stash;

use crate::{
    Call, Dirty, DirtyState, Verb,
    options::Options,
    pathspec::{Pathspecs, relative, resolve},
    quote::{is_hidden, quoted},
};

/// An alternative with more paths than this is not written out.
const MAX_ALTERNATIVE_PATHS: usize = 200;

/// What a command does to uncommitted work, from nothing to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Nothing to uncommitted files, nor to refs that keep commits alive.
    None,
    /// It may change files, the index or refs; git itself refuses the worst.
    MayTouch,
    /// It takes files into the index or a commit whose author another session is.
    SweepsUp,
    /// Content that stands nowhere else is replaced or deleted in the work tree.
    Destroys,
}

/// What is to be said about one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub effect: Effect,
    /// The command, run as written, really hits files of `theirs`. Never set when it may hit
    /// nobody.
    pub certain: bool,
    /// Files of other sessions that would be hit, with the session. If not `certain`: that may be.
    pub theirs: Vec<(String, String)>,
    /// How many files of the asking session the command covers.
    pub mine: usize,
    /// A command for a POSIX shell, to be run from `here`, that does the same for the asking
    /// session's files alone. `None` with `theirs` means: nothing of the session's would be left,
    /// or there is no such command.
    pub alternative: Option<String>,
}

/// Judges one call.
///
/// `dirty` is all of the worktree that the call works on; `here` is where the text began to run,
/// relative to the top of that worktree (empty at the top). A call whose `directory` is absolute
/// is not certain: see [`Call::relative_to`]. The caller makes sure that the directory belongs to
/// this worktree, not to one inside or beside it.
#[must_use]
pub fn judge(call: &Call, dirty: &[Dirty<'_>], here: &str) -> Judgement {
    let case = Case::new(call, dirty, here);
    match &call.verb {
        Verb::Stash => stash::judge(&case),
        Verb::Reset => reset::judge(&case),
        Verb::Checkout => checkout::judge(&case),
        Verb::Switch => checkout::judge_switch(&case),
        Verb::Restore => restore::judge(&case),
        Verb::Clean => clean::judge(&case),
        Verb::Commit => commit::judge(&case),
        Verb::Add => add::judge(&case),
        Verb::Rm => rm::judge(&case),
        Verb::ReadTree => plumbing::judge_read_tree(&case),
        Verb::CheckoutIndex => plumbing::judge_checkout_index(&case),
        _ => others::judge(&case),
    }
}

/// Judges the removal of the working copy that `dirty` is all of, as by
/// [`Call::removes_worktree`]. There is no alternative.
#[must_use]
pub fn judge_removal(call: &Call, dirty: &[Dirty<'_>]) -> Judgement {
    let hit: Vec<&Dirty<'_>> = dirty.iter().collect();
    let here = Case::new(call, dirty, "");
    Case {
        sure: call.certain,
        ..here
    }
    .verdict(Effect::Destroys, &hit, true, || None)
}

/// Judges the calls of one text, in their order.
///
/// As [`judge`], but a commit of what is staged is no longer certain once an earlier call may have
/// taken others' files out of the index (`git reset && git commit -m x`), and the alternative of
/// `git add` with `git commit` does both.
#[must_use]
pub fn judge_all(calls: &[Call], dirty: &[Dirty<'_>], here: &str) -> Vec<Judgement> {
    let mut index_touched = false;
    let judged = calls.iter().map(|call| {
        let mut judgement = judge(call, dirty, here);
        judgement.certain &= !(index_touched && call.verb == Verb::Commit);
        index_touched |= judgement.effect == Effect::MayTouch && !judgement.theirs.is_empty();
        judgement
    });
    let mut judged: Vec<Judgement> = judged.collect();
    chain::complete(calls, &mut judged, dirty, here);
    judged
}

/// A call with its surroundings.
struct Case<'a> {
    call: &'a Call,
    dirty: &'a [Dirty<'a>],
    here: &'a str,
    /// Where the call runs, relative to the top, if that is known and below it.
    place: Option<String>,
    /// The call is literal, its place known and the worktree in a common state.
    sure: bool,
}

impl<'a> Case<'a> {
    fn new(call: &'a Call, dirty: &'a [Dirty<'a>], here: &'a str) -> Self {
        let from = if call.from_top { "" } else { here };
        let place = match call.directory.as_deref() {
            Some(directory) if directory.starts_with('/') => None,
            Some(directory) => resolve(from, directory),
            None => resolve(from, ""),
        };
        let settled = dirty.iter().all(|file| file.state != DirtyState::Unsettled);
        Case {
            call,
            dirty,
            here,
            sure: call.certain && settled && place.is_some(),
            place,
        }
    }

    fn specs(&self, words: &[&str]) -> Pathspecs {
        Pathspecs::new(words, self.place.as_deref())
    }

    /// The files that `words` cover and `affects` holds for.
    fn files(&self, specs: &Pathspecs, affects: impl Fn(&Dirty<'_>) -> bool) -> Vec<&'a Dirty<'a>> {
        let covered = self.dirty.iter().filter(|file| specs.covers(file.path));
        covered.filter(|file| affects(file)).collect()
    }

    /// Whether git finds something for each path, so that the command does not refuse.
    fn all_found(&self, specs: &Pathspecs, known: impl Fn(DirtyState) -> bool) -> bool {
        let known: Vec<&str> = self
            .dirty
            .iter()
            .filter(|file| known(file.state))
            .map(|file| file.path)
            .collect();
        specs.understood && specs.each_found(known.iter().copied())
    }

    fn nothing(&self) -> Judgement {
        Judgement {
            effect: Effect::None,
            certain: false,
            theirs: Vec::new(),
            mine: 0,
            alternative: None,
        }
    }

    /// Something may happen to any uncommitted file; to none if there is none.
    fn may_touch(&self) -> Judgement {
        match self.dirty.is_empty() {
            true => self.nothing(),
            false => self.touches_refs(),
        }
    }

    /// Something may happen to commits.
    fn touches_refs(&self) -> Judgement {
        Judgement {
            effect: Effect::MayTouch,
            ..self.nothing()
        }
    }

    /// Only the index entries of `hit` are touched.
    fn touches_index(&self, hit: &[&Dirty<'_>]) -> Judgement {
        match hit.is_empty() && self.sure {
            true => self.nothing(),
            false => Judgement {
                theirs: listed(hit),
                ..self.may_touch()
            },
        }
    }

    /// `hit` would be destroyed. `understood`: the command does exactly that.
    fn destroys(
        &self,
        hit: &[&'a Dirty<'a>],
        understood: bool,
        alternative: impl FnOnce(&[&'a Dirty<'a>]) -> Option<String>,
    ) -> Judgement {
        let mine = own(hit, |file| file.mine && file.theirs.is_none());
        self.verdict(Effect::Destroys, hit, understood, || alternative(&mine))
    }

    /// `hit` would be taken into the index or a commit.
    fn sweeps(
        &self,
        hit: &[&'a Dirty<'a>],
        understood: bool,
        alternative: impl FnOnce(&[&'a Dirty<'a>]) -> Option<String>,
    ) -> Judgement {
        let mine = own(hit, |file| file.mine);
        if self.sure && understood && mine.len() == hit.len() && listed(hit).is_empty() {
            return self.nothing();
        }
        self.verdict(Effect::SweepsUp, hit, understood, || alternative(&mine))
    }

    fn verdict(
        &self,
        effect: Effect,
        hit: &[&Dirty<'_>],
        understood: bool,
        alternative: impl FnOnce() -> Option<String>,
    ) -> Judgement {
        let sure = self.sure && understood;
        if hit.is_empty() {
            return if sure {
                self.nothing()
            } else {
                self.may_touch()
            };
        }
        let theirs = listed(hit);
        let others = hit.iter().any(|file| file.theirs.is_some() && !file.mine);
        Judgement {
            effect,
            certain: sure && others,
            alternative: if theirs.is_empty() {
                None
            } else {
                alternative()
            },
            theirs,
            mine: hit.iter().filter(|file| file.mine).count(),
        }
    }

    /// The paths as words of pathspecs, each with a blank before it. `None` if there are none, or
    /// too many.
    fn paths(&self, files: &[&Dirty<'_>]) -> Option<String> {
        self.words(files, |path| {
            let magic = path.starts_with(':') || path.contains(['*', '?', '[', '\\']);
            match magic {
                true => format!(":(literal){path}"),
                false => path,
            }
        })
    }

    /// The paths as plain words. None with characters that nobody sees: who is told the command
    /// reads it as text, and a name may hold lines of its own.
    fn words(&self, files: &[&Dirty<'_>], word: impl Fn(String) -> String) -> Option<String> {
        let hides = |file: &&Dirty<'_>| file.path.chars().any(is_hidden);
        if files.is_empty() || files.len() > MAX_ALTERNATIVE_PATHS || files.iter().any(hides) {
            return None;
        }
        let paths = files.iter().map(|file| relative(self.here, file.path));
        Some(
            paths
                .map(|path| format!(" {}", quoted(&word(path))))
                .collect(),
        )
    }

    /// Puts the session's own files back to `source`, in the index and the work tree.
    fn restore_from(&self, source: &str, files: &[&Dirty<'_>]) -> Option<String> {
        let source = quoted(source);
        let paths = self.paths(files)?;
        Some(format!(
            "git restore --source={source} --staged --worktree --{paths}"
        ))
    }
}

fn own<'a>(hit: &[&'a Dirty<'a>], owns: impl Fn(&Dirty<'_>) -> bool) -> Vec<&'a Dirty<'a>> {
    hit.iter().copied().filter(|file| owns(file)).collect()
}

fn listed(hit: &[&Dirty<'_>]) -> Vec<(String, String)> {
    hit.iter()
        .filter_map(|file| Some((file.path.to_owned(), file.theirs?.to_owned())))
        .collect()
}

fn is_head(revision: &str) -> bool {
    matches!(revision, "HEAD" | "@")
}

/// Interactive modes and paths from files: what they will do is not in the words.
fn asks_elsewhere(options: &Options<'_>) -> bool {
    options.strange || options.any(&["patch", "interactive", "edit-diff", "pathspec-from-file"])
}
