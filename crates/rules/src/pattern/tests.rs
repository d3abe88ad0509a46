use alloc::{format, string::ToString};

use super::{Pattern, Target};
use crate::{Refusal, limits};

fn glob(text: &str) -> Pattern {
    Pattern::compile(Target::Glob(text.into())).expect(text)
}

fn path(text: &str) -> Pattern {
    Pattern::compile(Target::Path(text.into())).expect(text)
}

fn tree(text: &str) -> Pattern {
    Pattern::compile(Target::Tree(text.into())).expect(text)
}

fn refused(target: Target) -> Refusal {
    Pattern::compile(target).expect_err("refused")
}

#[test]
fn a_glob_covers_what_its_words_say() {
    for (pattern, inside, outside) in [
        ("/p/*.rs", "/p/a.rs", "/p/src/a.rs"),
        ("/p/?.rs", "/p/é.rs", "/p/ab.rs"),
        ("/p/src/**", "/p/src/a/b.rs", "/p/src"),
        ("/p/**/b.rs", "/p/b.rs", "/p/ab.rs"),
        ("/p/**/b.rs", "/p/x/y/b.rs", "/p/x/y/c.rs"),
        ("/p/a**z", "/p/abcz", "/p/a/z"),
        ("/p/[a-c]x", "/p/bx", "/p/dx"),
        ("/p/[!a-c]x", "/p/dx", "/p/bx"),
        ("/p/[]x]", "/p/]", "/p/y"),
        ("/p/[a-]", "/p/-", "/p/b"),
        ("/p/{a,b{c,d}}.rs", "/p/bd.rs", "/p/b.rs"),
        ("/p/{src/**,doc}/x", "/p/src/a/x", "/p/doc/a/x"),
        ("/p/\\*.rs", "/p/*.rs", "/p/a.rs"),
        ("/p/src/{,lib.rs}", "/p/src", "/p/src/main.rs"),
        ("/**", "/a", "/"),
    ] {
        assert!(glob(pattern).covers(inside), "{pattern} covers {inside}");
        assert!(!glob(pattern).covers(outside), "{pattern} spares {outside}");
    }
}

#[test]
fn globs_that_share_a_file_overlap_and_others_do_not() {
    for (one, other, shared) in [
        ("/p/src/**", "/p/**/a.rs", true),
        ("/p/src/*.rs", "/p/src/*.ts", false),
        ("/p/src/a*", "/p/src/*z", true),
        ("/p/{a,b}/*", "/p/b/x", true),
        ("/p/{a,b}/*", "/p/c/*", false),
        ("/p/[!x]", "/p/x", false),
        ("/p/[a-f]", "/p/[f-z]", true),
        ("/p/*/x", "/p/**/y/x", true),
        ("/p/*/x", "/p/a/b/*", false),
        ("/p/**", "/q/**", false),
        ("/p/a/**", "/p/ab/**", false),
    ] {
        assert_eq!(glob(one).overlaps(&glob(other)), shared, "{one} {other}");
        assert_eq!(glob(other).overlaps(&glob(one)), shared, "{other} {one}");
    }
}

#[test]
fn a_tree_is_the_directory_and_all_below() {
    assert!(tree("/p/a").overlaps(&path("/p/a")));
    assert!(tree("/p/a").overlaps(&path("/p/a/b/c")));
    assert!(!tree("/p/a").overlaps(&path("/p/ab")));
    assert!(tree("/").overlaps(&path("/p")));
    assert!(tree("/p").overlaps(&tree("/p/a")));
    assert!(tree("/p/a/b").overlaps(&glob("/p/*/b/*.rs")));
    assert!(tree("/p/a/b").overlaps(&glob("/p/**/x")));
    assert!(tree("/p/a").overlaps(&glob("/p/*")));
    assert!(!tree("/p/a/b").overlaps(&glob("/p/*")));
}

#[test]
fn names_belong_to_their_project_and_are_no_files() {
    let name = |project: &str| {
        Pattern::compile(Target::Name {
            project: project.into(),
            name: "/p/a".into(),
        })
        .expect("a name")
    };
    assert!(name("one").overlaps(&name("one")));
    assert!(!name("one").overlaps(&name("two")));
    assert!(!name("one").overlaps(&path("/p/a")));
    assert!(!name("one").covers("/p/a"));
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    for (glob, why) in [
        ("src/*.rs", "not absolute"),
        ("/p/../q/*", "'..' segment"),
        ("/p/*/../q", "'..' as a segment"),
        ("/p/[a", "at byte 3: '[' without ']'"),
        ("/p/{a,b", "at byte 3: '{' without '}'"),
        ("/p/a}", "'}' without '{'"),
        ("/p/[z-a]", "wrong way round"),
        ("/p/[a/b]", "cannot contain '/'"),
        ("/p/a\\", "nothing after"),
        ("/{,}", "root directory"),
    ] {
        let refusal = refused(Target::Glob(glob.into()));
        assert!(
            matches!(&refusal, Refusal::Invalid { why: given, .. } if given.contains(why)),
            "{glob}: {refusal:?}"
        );
    }
    for path in ["", "a", "/a/", "/a//b", "/a/./b", "/a/..", "/a\0b"] {
        let refusal = refused(Target::Path(path.into()));
        assert!(matches!(refusal, Refusal::Invalid { .. }), "{path:?}");
    }
}

#[test]
fn what_is_too_big_is_refused_by_its_limit() {
    let long = "/".to_string() + &"a".repeat(limits::TARGET_CHARS_MAX);
    assert!(matches!(refused(Target::Path(long)), Refusal::Limit { .. }));
    let long = "/p/*".to_string() + &"a".repeat(limits::GLOB_CHARS_MAX);
    assert!(matches!(refused(Target::Glob(long)), Refusal::Limit { .. }));
    let deep = format!("/p/{}{}", "{".repeat(9), "}".repeat(9));
    assert!(matches!(refused(Target::Glob(deep)), Refusal::Limit { .. }));
    let bomb = "/p/".to_string() + &"{a,b,c,d}".repeat(50);
    assert!(matches!(
        refused(Target::Glob(bomb)),
        Refusal::Invalid { .. }
    ));
}

#[test]
fn a_kept_glob_that_is_not_understood_covers_too_much_rather_than_too_little() {
    let kept = Pattern::compile_kept(Target::Glob("/p/src/[a".into()));
    assert!(kept.covers("/p/src/a"));
    assert!(!kept.covers("/p/doc/a"));
}
