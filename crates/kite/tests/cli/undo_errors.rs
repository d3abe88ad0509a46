//! What `kite undo` cannot do is told, with what to do now. None of it needs a daemon.

use std::fs;

use super::world::World;

#[test]
fn a_home_that_is_not_there_is_named_and_not_made() {
    let world = World::new();
    for words in [
        &["undo", "--list"][..],
        &["undo", "4"],
        &["undo", "--show", "4"],
    ] {
        world
            .kite(words)
            .run()
            .ends(1)
            .prints("")
            .complains(&format!(
                "error: there is no Kite home at {}",
                world.home.display()
            ))
            .complains("hint: set KITE_HOME");
    }
    assert!(!world.home.exists());
}

#[test]
fn what_nothing_is_kept_of_ends_with_5() {
    let world = World::new();
    fs::create_dir(&world.home).unwrap();
    world
        .kite(&["undo", "--list"])
        .run()
        .ends(0)
        .prints("")
        .complains("Nothing is kept here");
    world
        .kite(&["undo", "41"])
        .run()
        .ends(5)
        .complains("nothing to undo for number 41")
        .complains("kite undo --list");
    world.kite(&["undo", "--show", "41"]).run().ends(5);
    world.kite(&["undo"]).run().ends(5);
    world
        .kite(&["undo", "--session", "3f2a91bc", "--list"])
        .run()
        .ends(5)
        .complains("nothing is kept of a session");
    assert!(!world.home.join("kite.sock").exists());
}

#[test]
fn wrong_words_end_with_2() {
    let world = World::new();
    fs::create_dir(&world.home).unwrap();
    for words in [
        &["undo", "0"][..],
        &["undo", "4", "--list"],
        &["undo", "4", "--show", "4"],
        &["undo", "--list", "--limit", "0"],
        &["undo", "4", "--path", "/elsewhere"],
    ] {
        world.kite(words).run().ends(2).prints("");
    }
}
