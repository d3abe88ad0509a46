use super::*;
use crate::hash::Hash;

fn text(bytes: &str) -> Content {
    Content {
        bytes: bytes.as_bytes().to_vec(),
        shape: Shape::Regular,
    }
}

fn loaded(bytes: &str) -> Loaded {
    Loaded::Content(text(bytes))
}

fn check(now: Option<&str>, base: &Loaded, theirs: &Loaded) -> (Outcome, Option<String>) {
    let scratch = tempfile::tempdir().expect("a directory");
    let now = now.map(text);
    let result = merge(
        now.as_ref(),
        std::slice::from_ref(base),
        theirs,
        41,
        scratch.path(),
    )
    .expect("merged");
    let content = result
        .content
        .map(|it| String::from_utf8(it.bytes).expect("text"));
    (result.outcome, content)
}

fn came_out(outcome: Outcome, content: &str) -> (Outcome, Option<String>) {
    (outcome, Some(content.to_owned()))
}

#[test]
fn what_nobody_touched_since_simply_comes_back() {
    let new = loaded("new\n");
    let old = loaded("old\n");
    let restored = came_out(Outcome::Restored, "old\n");
    assert_eq!(check(Some("new\n"), &new, &old), restored);
    let known_by_hash = Loaded::Hash(Hash::of(b"new\n"), Shape::Regular);
    assert_eq!(check(Some("new\n"), &known_by_hash, &old), restored);
    assert_eq!(check(None, &new, &old), restored);
    assert_eq!(
        check(Some("new\n"), &new, &Loaded::Absent),
        (Outcome::Removed, None)
    );
    assert_eq!(
        check(Some("old\n"), &new, &old),
        came_out(Outcome::Unchanged, "old\n")
    );
    assert_eq!(
        check(None, &new, &Loaded::Absent),
        (Outcome::Unchanged, None)
    );
}

#[test]
fn what_came_later_is_merged() {
    assert_eq!(
        check(
            Some("A\nb\nc\nd\nE later\n"),
            &loaded("A\nb\nc\nd\ne\n"),
            &loaded("a\nb\nc\nd\ne\n"),
        ),
        came_out(Outcome::Merged, "a\nb\nc\nd\nE later\n")
    );
}

#[test]
fn conflicts_look_as_git_shows_them() {
    assert_eq!(
        check(Some("later\n"), &loaded("new\n"), &loaded("old\n")),
        came_out(
            Outcome::Conflict,
            "<<<<<<< now\nlater\n=======\nold\n>>>>>>> kite undo 41\n"
        )
    );
}

#[test]
fn work_of_others_is_never_taken_away() {
    assert_eq!(
        check(Some("later\n"), &loaded("new\n"), &Loaded::Absent),
        came_out(Outcome::LeftAlone(LeftAlone::ChangedSince), "later\n")
    );
    let gone = Loaded::Hash(Hash::of(b"old\n"), Shape::Regular);
    for theirs in [gone, Loaded::Unknown] {
        assert_eq!(
            check(Some("new\n"), &loaded("new\n"), &theirs),
            came_out(Outcome::LeftAlone(LeftAlone::NotKept), "new\n")
        );
    }
}

#[test]
fn binary_content_is_put_beside() {
    let scratch = tempfile::tempdir().expect("a directory");
    let now = text("later\0");
    let (base, theirs) = (loaded("new\0"), loaded("old\0"));
    let result = merge(Some(&now), &[base], &theirs, 1, scratch.path()).expect("merged");
    assert_eq!(result.content, Some(now));
    assert_eq!(result.beside, Some(text("old\0")));
}

#[test]
fn a_mode_that_only_one_side_changed_is_that_sides() {
    let scratch = tempfile::tempdir().expect("a directory");
    let executable = |bytes| Content {
        shape: Shape::Executable,
        ..text(bytes)
    };
    let result = merge(
        Some(&text("A\nb\nc\nD\n")),
        &[loaded("A\nb\nc\nd\n")],
        &Loaded::Content(executable("a\nb\nc\nd\n")),
        1,
        scratch.path(),
    )
    .expect("merged");
    assert_eq!(result.outcome, Outcome::Merged);
    assert_eq!(result.content, Some(executable("a\nb\nc\nD\n")));
}
