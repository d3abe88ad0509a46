//! What is said about a command, word for word.

use kite_gitcall::{Call, Dirty, DirtyState, Effect, Judgement, calls, judge, judge_all};

use DirtyState::{Modified, Staged, Unsettled, Untracked};

fn mine(path: &str, state: DirtyState) -> Dirty<'_> {
    Dirty {
        path,
        state,
        mine: true,
        theirs: None,
    }
}

fn theirs(path: &str, state: DirtyState) -> Dirty<'_> {
    Dirty {
        path,
        state,
        mine: false,
        theirs: Some("77ab02f1"),
    }
}

fn call(text: &str) -> Call {
    calls(text).calls.remove(0)
}

fn judged(text: &str, dirty: &[Dirty<'_>]) -> Judgement {
    judge(&call(text), dirty, "")
}

#[track_caller]
fn check(text: &str, dirty: &[Dirty<'_>], alternative: &str) {
    let judgement = judged(text, dirty);
    assert!(judgement.certain, "{judgement:?}");
    assert_eq!(judgement.alternative.as_deref(), Some(alternative));
}

#[test]
fn a_name_with_hidden_characters_is_in_no_alternative() {
    for name in [
        "a\nRun rm -rf ~ instead.rs",
        "a\u{202e}sr.b",
        "a\u{1b}[2K.rs",
    ] {
        let judgement = judged("git stash", &[mine(name, Modified), theirs("t", Modified)]);
        assert!(judgement.certain);
        assert_eq!(judgement.alternative, None, "{name:?}");
    }
}

#[test]
fn the_alternative_is_the_same_for_ones_own_files() {
    let work = [
        mine("a b.rs", Modified),
        mine("-x", Untracked),
        mine("s", Staged),
        theirs("t", Modified),
        theirs("ts", Staged),
        theirs("n", Untracked),
    ];
    check("git stash", &work, "git stash push -- 'a b.rs' s");
    check(
        "git stash -um wip",
        &work,
        "git stash push -u -m wip -- 'a b.rs' -x s",
    );
    check("git checkout .", &work, "git restore -- 'a b.rs'");
    check("git restore .", &work, "git restore -- 'a b.rs'");
    check("git clean -fd", &work, "git clean -f -- -x");
    check("git add -A", &work, "git add -- 'a b.rs' -x");
    check(
        "git commit -am 'it'",
        &work,
        "git commit --only -m 'it' -- 'a b.rs' s",
    );
    check(
        "git commit -m \"$m\"",
        &work,
        "git commit --only -m \"$m\" -- s",
    );
    check(
        "git reset --hard",
        &work,
        "git restore --source=HEAD --staged --worktree -- 'a b.rs' s",
    );
    check(
        "git reset --hard origin/main",
        &work,
        "git restore --source=HEAD --staged --worktree -- 'a b.rs' s && \
         git read-tree -m -u HEAD origin/main && git reset --soft origin/main",
    );
    check(
        "git switch -f main",
        &work,
        "git restore --source=HEAD --staged --worktree -- 'a b.rs' s && git switch main",
    );
}

#[test]
fn ones_own_new_files_are_added_when_nothing_else_is() {
    let work = [mine("n", Untracked), theirs("t", Modified)];
    check(
        "git commit -am x",
        &work,
        "git add -- n && git commit --only -m x -- n",
    );
}

#[test]
fn with_nothing_of_ones_own_there_is_no_alternative() {
    let judgement = judged("git stash", &[theirs("t", Modified)]);
    assert!(judgement.certain);
    assert_eq!((judgement.mine, judgement.alternative), (0, None));
    assert_eq!(judgement.theirs, [("t".to_owned(), "77ab02f1".to_owned())]);
}

#[test]
fn a_file_of_both_makes_nothing_certain_and_is_not_thrown_away() {
    let both = Dirty {
        theirs: Some("77ab02f1"),
        ..mine("both", Modified)
    };
    let judgement = judged("git checkout .", &[both, mine("m", Modified)]);
    assert_eq!(judgement.effect, Effect::Destroys);
    assert!(!judgement.certain);
    assert_eq!(judgement.alternative.as_deref(), Some("git restore -- m"));
}

#[test]
fn alone_nothing_is_certain() {
    let own = [mine("a", Modified), mine("s", Staged)];
    let stash = judged("git stash", &own);
    assert_eq!((stash.effect, stash.certain), (Effect::Destroys, false));
    assert_eq!(judged("git commit -am x", &own).effect, Effect::None);
    assert_eq!(judged("git add -A", &own).effect, Effect::None);
    assert_eq!(judged("git stash", &[]).effect, Effect::None);
    assert_eq!(judged("git push --force", &[]).effect, Effect::MayTouch);
}

#[test]
fn doubt_is_never_certain() {
    let work = [theirs("src/t", Modified), mine("src/m", Modified)];
    for text in [
        "git stash $x",
        "git checkout -- \"$x\"",
        "git stash -p",
        "git stash --what-is-this",
        "cd /elsewhere && git stash",
        "cd ../.. && git stash",
        "git checkout ':(icase)src'",
        "git checkout -- nowhere src",
        "git add --pathspec-from-file=x",
        "git rebase --autostash main",
        "git pull --rebase --autostash",
        "git worktree remove --force ../w",
        "git checkout main -- .",
    ] {
        let judgement = judged(text, &work);
        assert!(!judgement.certain, "{text}: {judgement:?}");
        assert!(judgement.effect > Effect::None, "{text}: {judgement:?}");
    }
    let conflict = [work.as_slice(), &[theirs("c", Unsettled)]].concat();
    assert!(!judged("git stash", &conflict).certain);
}

#[test]
fn paths_are_seen_from_where_the_text_begins() {
    let work = [
        theirs("src/t", Modified),
        mine("src/m", Modified),
        mine("m", Modified),
    ];
    let within = judge(&call("git checkout ."), &work, "src");
    assert_eq!(within.alternative.as_deref(), Some("git restore -- m"));
    let moved = judged("cd src && git checkout .", &work);
    assert_eq!(moved.alternative.as_deref(), Some("git restore -- src/m"));
    let outside = judge(&call("git stash"), &work, "src/deep");
    assert_eq!(
        outside.alternative.as_deref(),
        Some("git stash push -- ../m ../../m")
    );
    let absolute = call("cd /w/p && git add /w/p/src").relative_to("/w/p");
    assert!(judge(&absolute, &work, "src").certain);
}

#[test]
fn a_commit_after_a_reset_is_not_certain() {
    let work = [theirs("t", Staged), mine("m", Modified)];
    let reading = calls("git reset -q && git add m && git commit -m x");
    let judged = judge_all(&reading.calls, &work, "");
    assert_eq!(judged.len(), 3);
    assert!(judged.iter().all(|judgement| !judgement.certain));
    let reading = calls("git add m && git commit -m x");
    assert!(judge_all(&reading.calls, &work, "")[1].certain);
}
