//! `kite trust` where a person sits at a terminal.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use super::world::World;

const QUESTION: &str = "Trust all of this? [y/N]";

/// A repository that would run something: a hook of git's.
fn shop() -> World {
    let world = World::with_daemon();
    let mut git = Command::new("git");
    git.args(["init", "-q"]).current_dir(&world.project);
    assert!(git.status().unwrap().success());
    hook(&world, "echo first");
    world
}

fn hook(world: &World, text: &str) {
    let hook = world.file(".git/hooks/pre-commit", &format!("#!/bin/sh\n{text}\n"));
    fs::set_permissions(hook, fs::Permissions::from_mode(0o755)).unwrap();
}

#[track_caller]
fn stands(world: &World, words: &str) {
    let show = world.kite(&["trust", "--show"]);
    show.run().ends(0).mentions(words);
}

#[test]
fn only_a_plain_yes_at_a_terminal_trusts() {
    let world = shop();
    for keys in ["n\n", "\n", "yesterday\n", "\u{4}"] {
        let screen = world.kite(&["trust"]).typed_ends(keys, 3);
        for part in [".git/hooks/pre-commit", "echo first", QUESTION] {
            assert!(screen.contains(part), "no {part:?} in {screen}");
        }
        assert!(screen.contains("Nothing is trusted."), "{screen}");
        stands(&world, "Not trusted");
    }
    let screen = world.kite(&["trust"]).typed("y\n");
    assert!(screen.contains(QUESTION), "{screen}");
    stands(&world, "Trusted since");
    // What is trusted is not asked about again.
    let again = world.kite(&["trust"]).typed("");
    assert!(!again.contains(QUESTION), "{again}");
}

#[test]
fn what_changed_is_shown_and_asked_about_again_and_a_person_ends_it() {
    let world = shop();
    world.kite(&["trust"]).typed("y\n");
    hook(&world, "echo second");
    stands(&world, "Changed");
    let screen = world.kite(&["trust"]).typed_ends("n\n", 3);
    for part in ["changed", ".git/hooks/pre-commit", "echo second", QUESTION] {
        assert!(screen.contains(part), "no {part:?} in {screen}");
    }
    stands(&world, "Changed");
    world.kite(&["trust"]).typed("yes\n");
    stands(&world, "Trusted since");
    world.kite(&["trust", "--revoke"]).typed("");
    stands(&world, "Not trusted");
}

#[test]
fn what_a_repository_says_cannot_steer_the_terminal_that_asks() {
    let world = shop();
    hook(&world, "echo '\u{1b}[2J\u{1b}[1;1H\u{1b}[8mnothing to see'");
    let screen = world.kite(&["trust"]).typed_ends("n\n", 3);
    assert!(screen.contains("\\u{1b}[2J\\u{1b}[1;1H"), "{screen:?}");
    assert!(!screen.contains("\u{1b}[2J"), "{screen:?}");
    assert!(!screen.contains("\u{1b}[8m"), "{screen:?}");
}
