//! What is shown, and what the daemon is asked for it.

use serde_json::json;

use super::{stand_in, world::World};

#[test]
fn tasks_are_listed_with_what_they_wait_for() {
    let world = World::new();
    let mut claimed = stand_in::task("1a2b3c4d5e6f", "claimed", "Add OAuth login");
    claimed["session"] = json!("3f2a91bc00000000");
    let mut blocked = stand_in::task("99887766aabb", "blocked", "Write the docs");
    blocked["depends_on"] = json!(["1a2b3c4d5e6f"]);
    let tasks = json!({ "tasks": [claimed, blocked], "next_cursor": "c2", "counts": stand_in::counts(0, 1) });
    stand_in::daemon(&world, &[("task_list", tasks)]);
    world
        .kite(&["task", "list"])
        .run()
        .ends(0)
        .prints(
            "\
ID        STATE    PRIORITY  TITLE            SESSION   WAITS FOR  CREATED
1a2b3c4d  claimed  normal    Add OAuth login  3f2a91bc             2026-11-22T12:00:00Z
99887766  blocked  normal    Write the docs             1a2b3c4d   2026-11-22T12:00:00Z
",
        )
        .remarks("More: add `--cursor c2`. In all: 1 claimed.\n");
}

#[test]
fn nothing_to_list_is_said_beside_the_data() {
    let world = World::new();
    stand_in::daemon(
        &world,
        &[
            (
                "task_list",
                json!({ "tasks": [], "counts": stand_in::counts(0, 0) }),
            ),
            ("query sessions", json!({ "sessions": [] })),
            ("query locks", json!({ "locks": [] })),
            ("query events", json!({ "events": [], "last_seq": 0 })),
        ],
    );
    world
        .kite(&["task", "list"])
        .run()
        .ends(0)
        .prints("")
        .remarks("No open tasks here.\n");
    world
        .kite(&["sessions"])
        .run()
        .ends(0)
        .prints("")
        .complains("No sessions.");
    world
        .kite(&["lock", "list"])
        .run()
        .ends(0)
        .prints("")
        .complains("Nothing is locked");
    world
        .kite(&["log"])
        .run()
        .ends(0)
        .prints("")
        .complains("Nothing in the log matches.");
}

#[test]
fn a_created_task_is_named_in_the_known_words() {
    let world = World::new();
    let reply = json!({
        "task": stand_in::task("1a2b3c4d5e6f", "ready", "Add login"),
        "outcome": "created",
        "similar": stand_in::task("0f0f0f0f0f0f", "ready", "Add login")
    });
    let asked = stand_in::daemon(&world, &[("task_create", reply)]);
    world
        .kite(&[
            "task",
            "create",
            "Add login",
            "--after",
            "99",
            "--path",
            "src/**",
            "--priority",
            "high",
            "--project",
            "sub",
        ])
        .run()
        .ends(0)
        .prints("Task created: 1a2b3c4d — Add login\n")
        .remarks("similar: 0f0f0f0f — Add login\n");
    let request = asked.last("task_create");
    assert_eq!(request["depends_on"], json!(["99"]));
    assert_eq!(request["paths"], json!(["src/**"]));
    assert_eq!(request["project"], json!(world.project.join("sub")));
    assert_eq!(
        request["op_id"].as_str().map(str::len),
        Some(32),
        "a repetition is known by its key"
    );
}

#[test]
fn a_caller_inside_an_agent_is_that_agent() {
    let mut world = World::new();
    let agent = world.agent();
    let asked = stand_in::daemon(&world, &[("query sessions", json!({ "sessions": [] }))]);
    world.kite(&["sessions"]).inside(&agent).run().ends(0);
    let caller = asked.last("hello")["caller"].clone();
    assert_eq!(caller["client"], "claude-code");
    assert_eq!(caller["pid"], agent.pid);
    assert_eq!(caller["client_session_id"], json!(agent.session_id));
    assert_eq!(caller["cwd"], json!(world.project));
}

#[test]
fn locks_are_told_in_the_known_words() {
    let world = World::new();
    let file = world.project.join("a.rs").to_string_lossy().into_owned();
    let held = json!({ "locks": [stand_in::lock(&file, "3f2a91bc")], "outcome": "already_held", "waited_ms": 0 });
    let asked = stand_in::daemon(
        &world,
        &[
            ("lock", held),
            (
                "unlock",
                json!({ "locks": [], "outcome": "not_held", "waited_ms": 0 }),
            ),
        ],
    );
    let said = world
        .kite(&[
            "lock", "acquire", "a.rs", "--wait", "30s", "--ttl", "2h", "--keep",
        ])
        .run()
        .ends(0);
    assert!(
        said.stdout.starts_with("Lock already held: a.rs (until "),
        "{said:#?}"
    );
    let request = asked.last("lock");
    assert_eq!(
        (&request["wait_s"], &request["ttl_s"], &request["keep"]),
        (&json!(30), &json!(7_200), &json!(true))
    );
    world
        .kite(&["lock", "release", "a.rs"])
        .run()
        .ends(0)
        .prints("")
        .remarks("You did not hold a.rs: nothing to release.\n");
}

#[test]
fn status_is_one_screen() {
    let world = World::new();
    let session = stand_in::session("3f2a91bc00000000", "active", "Add OAuth login");
    stand_in::daemon(
        &world,
        &[
            ("query stats", stand_in::stats("/h/.kite")),
            ("query sessions", json!({ "sessions": [session] })),
            (
                "query locks",
                json!({ "locks": [stand_in::lock("/w/shop/a.rs", "3f2a91bc00000000")] }),
            ),
        ],
    );
    world.kite(&["status"]).run().ends(0).remarks("").prints(
        "\
Daemon    running, pid 4711, build 0.1.0+1, since 2026-11-22T11:00:00Z
Home      /h/.kite (state 1 MiB, log 0 MiB)
Sessions  1 active, 1 idle
  ID        CLIENT       STATE   ABOUT            SEEN
  3f2a91bc  claude-code  active  Add OAuth login  2026-11-22T12:05:00Z
Locks     1 lock
  TARGET        KIND  SESSION   SINCE                 UNTIL
  /w/shop/a.rs  lock  3f2a91bc  2026-11-22T12:00:00Z  2026-11-22T12:30:00Z
Tasks     3 ready, 1 claimed
Prevented 2 edits let wait for another's, 1 edit of a locked or busy file
Cost      1024 hook calls, 0.21 ms each (p50), 0.90 ms (p95), 4.00 ms at most; edits waited 1300 ms in all
Faults    none: every hook call was answered
",
    );
}

#[test]
fn status_shows_worktrees_that_would_conflict() {
    let world = World::new();
    let tree = |path: &str, id: &str| json!({ "path": path, "sessions": [id] });
    let mut stats = stand_in::stats("/h/.kite");
    stats["worktree_conflicts"] = json!([{
        "project": "/w/shop/.git",
        "worktrees": [tree("/w/shop", "3f2a91bc00000000"), tree("/w/shop-b", "77ab02f100000000")],
        "files": ["a.rs", "b.rs", "c.rs", "d.rs"], "files_count": 12, "since": "2026-11-22T12:00:00Z"
    }]);
    stand_in::daemon(
        &world,
        &[
            ("query stats", stats),
            ("query sessions", json!({ "sessions": [] })),
            ("query locks", json!({ "locks": [] })),
        ],
    );
    let said = world.kite(&["status"]).run().ends(0);
    let shown = "\
Worktrees one pair would conflict if it were merged now
  /w/shop (3f2a91bc) and /w/shop-b (77ab02f1): a.rs, b.rs, c.rs, and 9 more
Tasks ";
    assert!(said.stdout.contains(shown), "{said:#?}");
}

#[test]
fn the_log_can_be_narrowed() {
    let world = World::new();
    let event = json!({
        "seq": 7, "at": "2026-11-22T12:00:00Z", "kind": "hook", "what": "PreToolUse", "session": "3f2a91bc00000000",
        "tool": "Write", "target": world.project.join("a.rs"), "outcome": "refused", "took_us": 1234
    });
    let asked = stand_in::daemon(
        &world,
        &[("query events", json!({ "events": [event], "last_seq": 7 }))],
    );
    world
        .kite(&[
            "log",
            "--session",
            "3f2a",
            "--tool",
            "Write",
            "--since",
            "10m",
            "-n",
            "5",
        ])
        .run()
        .ends(0)
        .prints(
            "2026-11-22T12:00:00Z  3f2a91bc  hook     PreToolUse  Write  a.rs → refused  1.23 ms\n",
        );
    let request = asked.last("query");
    assert_eq!(
        (
            &request["session"],
            &request["tool"],
            &request["since_ms"],
            &request["limit"]
        ),
        (&json!("3f2a"), &json!("Write"), &json!(600_000), &json!(5))
    );
}
