//! Any text at all: no panic, an answer in time that grows with the length only.

use std::time::{Duration, Instant};

use kite_gitcall::{Dirty, DirtyState, calls, expand_alias, judge};
use proptest::prelude::*;

/// Pieces that shell text is made of.
const PIECES: &[&str] = &[
    "git ",
    "stash",
    "reset --hard",
    "checkout",
    "-f",
    "add -A",
    "commit -am x",
    "clean -fd",
    " ",
    "\n",
    ";",
    "&&",
    "||",
    "|",
    "&",
    "(",
    ")",
    "((",
    "))",
    "$(",
    "${",
    "}",
    "{ ",
    "`",
    "'",
    "\"",
    "\\",
    "$'",
    "$((",
    "<<EOF\n",
    "EOF\n",
    "<<-'X' ",
    "\nX\n",
    "<<<",
    "<(",
    ">",
    "2>&1",
    "#",
    "if ",
    "then ",
    "else ",
    "fi",
    "for x in ",
    "do ",
    "done",
    "case x in ",
    "esac",
    ";;",
    "while ",
    "[[ ",
    " ]]",
    "f() ",
    "function f ",
    "bash -c ",
    "sh",
    "eval ",
    "xargs ",
    "env ",
    "sudo -u ",
    "cd ",
    "sub",
    "/",
    "..",
    "-C ",
    "--",
    ".",
    ":!",
    ":(",
    "*",
    "?",
    "[",
    "~",
    "=",
    "A=",
    "a=(",
    "é",
    "\u{0}",
    "\r\n",
    "-",
    "--m",
    "HEAD",
    "t.txt",
    "time ",
    "! ",
    "coproc ",
    "-m",
    "\t",
];

fn text() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..40);
    prop_oneof![pieces.prop_map(|pieces| pieces.concat()), ".{0,60}"]
}

fn look_at(text: &str) {
    let dirty = [
        ("t.txt", DirtyState::Modified, false),
        ("sub/t.txt", DirtyState::Untracked, false),
        ("m.txt", DirtyState::AddedModified, true),
    ];
    let dirty = dirty.map(|(path, state, mine)| Dirty {
        path,
        state,
        mine,
        theirs: (!mine).then_some("77ab02f1"),
    });
    let reading = calls(text);
    for call in &reading.calls {
        assert!(!(reading.unparseable && call.certain));
        assert_eq!(call.words.len(), call.sources.len());
        for here in ["", "sub"] {
            let judgement = judge(call, &dirty, here);
            assert!(!judgement.certain || (call.certain && !judgement.theirs.is_empty()));
        }
        drop(expand_alias(call, text));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_is_too_strange(text in text()) {
        look_at(&text);
        look_at(&format!("git {text}"));
    }
}

#[test]
fn a_long_text_takes_time_by_its_length() {
    const PIECE_BYTES: usize = 1 << 18;
    const TEXT_BYTES: usize = 1 << 20;
    let short = PIECES.iter().map(|piece| (*piece, PIECE_BYTES));
    let long = [
        "git stash;",
        "git stash 'x' ",
        "$(git ",
        "$(($((",
        "((",
        "<<a ",
        "cat <<a <<b\n",
        "`\\`",
        "\"$(",
        "bash -c '",
        "eval git ",
        "( ",
        "{ ",
        "f() { ",
        "if x; then ",
        "case x in x) ",
        "${x:-",
        "a=( ",
        "x | ",
        "git add a && ",
        "[ x ] ",
        "<<E\n$(x)\nE\n",
        "\"`",
        "$'\\'",
        "cd a && ",
        "echo git |",
    ];
    for (piece, length) in short.chain(long.map(|piece| (piece, TEXT_BYTES))) {
        let text = format!("git\n{}", piece.repeat(length / piece.len()));
        let start = Instant::now();
        drop(calls(&text));
        let took = start.elapsed();
        assert!(took < Duration::from_secs(8), "{piece:?} took {took:?}");
    }
}

#[test]
fn beyond_the_limits_it_says_so() {
    assert!(calls(&format!("git stash; {}", "x".repeat(5 << 20))).unparseable);
    assert!(calls(&format!("{}git stash{}", "$(".repeat(500), ")".repeat(500))).unparseable);
    let many = calls(&"git stash;".repeat(1000));
    assert!(many.unparseable && many.calls.len() == 256);
}
