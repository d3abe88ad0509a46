//! Bad input and other failures: what, why, what now, and an exit code.

use serde_json::json;

use super::{stand_in, world::World};

#[test]
fn a_wrong_command_line_ends_with_2() {
    let world = World::new();
    let wrong: &[(&[&str], &str)] = &[
        (&["stauts"], "status"),
        (&["task", "create"], "<TITLE>"),
        (
            &["task", "create", "x", "--priority", "urgent"],
            "low, normal, high",
        ),
        (&["task", "list", "--status", "doen"], "done"),
        (&["task", "list", "--limit", "0"], "1..=200"),
        (
            &["task", "claim", "1a2b", "--another"],
            "cannot be used with",
        ),
        (&["lock", "acquire"], "<PATH>"),
        (
            &["lock", "acquire", "a", "--wait", "soon"],
            "30s, 10m, 2h or 1d",
        ),
        (&["lock", "acquire", "a", "--wait", "1h"], "at most 45s"),
        (&["lock", "acquire", "a", "--ttl", "0"], "1s to 24h"),
        (&["lock", "release"], "<PATH>"),
        (&["log", "--since=-1m"], "30s, 10m, 2h or 1d"),
        (&["log", "--limit", "1001"], "1..=1000"),
        (&["init", "--team", "--user"], "cannot be used with"),
        (&["status", "--color", "sometimes"], "auto, always, never"),
    ];
    for (words, part) in wrong {
        world.kite(words).run().ends(2).prints("").complains(part);
    }
}

#[test]
fn a_refusal_ends_with_3_and_speaks_of_commands() {
    let world = World::new();
    let error = json!({ "error": {
        "code": "already_claimed",
        "message": "Task 1a2b3c4d is claimed by session 3f2a91bc since 14:02:11.",
        "hint": "Claim the next ready one with kite_task_claim, without an id."
    } });
    stand_in::daemon(&world, &[("task_claim", error)]);
    world
        .kite(&["task", "claim", "1a2b"])
        .run()
        .ends(3)
        .prints("")
        .remarks(
            "error: Task 1a2b3c4d is claimed by session 3f2a91bc since 14:02:11.\n \
         hint: Claim the next ready one with `kite task claim`, without an id.\n",
        );
}

#[test]
fn what_is_not_there_ends_with_5() {
    let world = World::new();
    let error = json!({ "error": { "code": "unknown_task", "message": "There is no task \"zz\".", "hint": "" } });
    stand_in::daemon(&world, &[("task_show", error)]);
    world
        .kite(&["task", "show", "zz"])
        .run()
        .ends(5)
        .remarks("error: There is no task \"zz\".\n");
}

#[test]
fn no_daemon_ends_with_4() {
    let world = World::new();
    world
        .kite(&["daemon", "status"])
        .run()
        .ends(4)
        .prints("")
        .complains("error: no Kite daemon is running\n  why: nobody listens on ")
        .complains("hint: start it with `kite daemon start`");
}

#[test]
fn init_of_a_place_that_is_none_changes_nothing() {
    let world = World::new();
    let file = world.file("notes.txt", "x");
    for place in [file.to_str().unwrap(), "/nowhere/at/all"] {
        let said = world.kite(&["init", place]).run().ends(1).prints("");
        assert!(said.stderr.starts_with("error: "), "{said:#?}");
        assert!(said.stderr.contains("hint: "), "{said:#?}");
    }
    assert!(!world.home.exists());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let world = World::new();
    let task = stand_in::task("1a2b3c4d", "ready", &"long ".repeat(1_000));
    let tasks = json!({ "tasks": vec![task; 50], "counts": stand_in::counts(50, 0) });
    stand_in::daemon(&world, &[("task_list", tasks)]);
    let mut child = world.kite(&["task", "list"]).spawn();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
