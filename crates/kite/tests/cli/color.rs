//! Colour: on a terminal only, and never where it is not wanted.

use serde_json::json;

use super::{stand_in, world::World};

fn world() -> World {
    let world = World::new();
    let tasks = json!({ "tasks": [stand_in::task("1a2b3c4d", "ready", "Add login")], "counts": stand_in::counts(1, 0) });
    stand_in::daemon(&world, &[("task_list", tasks)]);
    world
}

#[test]
fn a_pipe_gets_no_colour() {
    let said = world().kite(&["task", "list"]).run().ends(0);
    assert!(!said.stdout.contains('\u{1b}'), "{said:#?}");
}

#[test]
fn colour_can_be_forced_and_forbidden() {
    let world = world();
    world
        .kite(&["task", "list", "--color", "always"])
        .run()
        .mentions("\u{1b}[32mready");
    let said = world
        .kite(&["--color=never", "task", "list"])
        .env("TERM", "xterm-256color")
        .run();
    assert!(!said.stdout.contains('\u{1b}'), "{said:#?}");
    let said = world.kite(&["task", "list"]).env("NO_COLOR", "1").run();
    assert!(!said.stdout.contains('\u{1b}'), "{said:#?}");
}

#[test]
fn help_and_errors_obey_too() {
    let world = World::new();
    world
        .kite(&["--color", "always", "--help"])
        .run()
        .mentions("\u{1b}[");
    world
        .kite(&["--color=always", "daemon", "status"])
        .run()
        .complains("\u{1b}[31merror:\u{1b}[0m");
    let said = world.kite(&["--color", "never", "nonsense"]).run();
    assert!(!said.stderr.contains('\u{1b}'), "{said:#?}");
}

#[test]
fn colour_says_nothing_that_words_do_not() {
    let world = world();
    let plain = world
        .kite(&["task", "list", "--color", "never"])
        .run()
        .stdout;
    let mut colored = world
        .kite(&["task", "list", "--color", "always"])
        .run()
        .stdout;
    while let Some(start) = colored.find('\u{1b}') {
        let end = start + colored[start..].find('m').unwrap();
        colored.replace_range(start..=end, "");
    }
    assert_eq!(plain, colored);
}
