//! Notes at the command line.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::json;

use super::world::World;

#[test]
fn a_person_writes_and_finds_notes() {
    let world = World::with_daemon();
    let path = world.home.join("vault/Token refresh.md");
    world
        .kite(&[
            "vault",
            "write",
            "Token refresh",
            "--text",
            "Old ones are void.",
            "-t",
            "auth",
        ])
        .run()
        .ends(0)
        .prints(&format!("{}\n", path.display()))
        .remarks("Written.\n");
    let found = world
        .kite(&["vault", "search", "void", "tokens"])
        .run()
        .ends(0);
    assert!(found.stdout.starts_with("Token refresh  "), "{found:#?}");
    let lines: Vec<&str> = found.stdout.lines().skip(1).collect();
    assert_eq!(
        lines,
        ["  Old ones are void.", &format!("  {}", path.display())]
    );
    world
        .kite(&["--color", "always", "vault", "search", "void"])
        .run()
        .ends(0)
        .mentions("Old ones are \x1b[32mvoid\x1b[0m.");
    let found = world
        .kite(&["vault", "search", "void", "--json"])
        .run()
        .json();
    assert_eq!(found["notes"][0]["path"], json!(path));
    assert_eq!(found["notes"][0]["reviewed"], true);
    world
        .kite(&["vault", "search", "zebra"])
        .run()
        .ends(0)
        .prints("")
        .remarks("No note has these words.\n");
    world
        .kite(&["vault", "list"])
        .run()
        .ends(0)
        .mentions("Token refresh");
    world
        .kite(&["vault", "reindex"])
        .run()
        .ends(0)
        .mentions("1 notes indexed");
    world
        .kite(&["vault", "write", "Deploy", "--in-project", "--text", "x"])
        .run()
        .ends(3)
        .complains("kite trust");
    world.kite(&["vault", "why", "00000000"]).run().ends(5);
}

#[test]
fn a_person_walks_through_what_agents_wrote() {
    let mut world = World::with_daemon();
    let agent = world.agent();
    for title in ["First", "Second", "Third"] {
        world
            .kite(&[
                "vault",
                "write",
                title,
                "--text",
                "A kraken\u{202e} \x1b[2J lives here.",
            ])
            .inside(&agent)
            .run()
            .ends(0);
    }
    // An agent does not review, nor does whoever is no person at a terminal.
    for call in [
        world.kite(&["vault", "review"]).inside(&agent),
        world.kite(&["vault", "review"]),
    ] {
        call.run().ends(3).complains("person at a terminal");
    }
    world
        .kite(&["vault", "reindex"])
        .inside(&agent)
        .run()
        .ends(3);

    let editor = world.file("editor", "#!/bin/sh\necho \"$1\" >> \"$2\"\n");
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let said = world
        .kite(&["--color", "never", "vault", "review"])
        .env("EDITOR", format!("{} corrected;$(touch", editor.display()))
        .typed("what\ns\ne\ny\ny\n");
    assert!(
        said.contains("2 reviewed, 1 skipped, 1 of 3 still to look at."),
        "{said}"
    );
    assert!(
        said.contains("\\u{202e}") && !said.contains('\u{202e}'),
        "{said}"
    );
    assert!(!said.contains("\x1b[2J"), "{said}");
    let second = fs::read_to_string(world.home.join("vault/Second.md")).unwrap();
    assert!(
        second.ends_with("corrected;$(touch\n") && second.contains("reviewed: true"),
        "{second}"
    );
    let left = world
        .kite(&["vault", "list", "--unreviewed", "--json"])
        .run()
        .json();
    assert_eq!(left["notes"].as_array().map(Vec::len), Some(1), "{left}");
    assert_eq!(left["notes"][0]["title"], "First");
}

#[test]
fn what_is_not_used_is_named_by_the_doctor() {
    let world = World::with_daemon();
    world.kite(&["daemon", "start"]).run().ends(0);
    fs::create_dir(world.home.join("vault")).unwrap();
    fs::write(world.home.join("vault/latin.md"), b"\xe9").unwrap();
    fs::write(world.home.join("vault/\x1b[2J\u{202e}.md"), b"\xe9").unwrap();
    let listed = world.kite(&["vault", "list"]).run().ends(0);
    assert!(
        listed.stderr.contains("latin.md (it is not UTF-8)"),
        "{listed:#?}"
    );
    assert!(
        !listed.stderr.contains('\u{202e}') && !listed.stderr.contains('\x1b'),
        "{listed:#?}"
    );
    let report = world.kite(&["doctor", "--json"]).run().json();
    let checks = report["checks"].as_array().unwrap();
    let vault = checks
        .iter()
        .find(|check| check["name"] == "vault")
        .unwrap();
    assert_eq!(vault["state"], "warn", "{vault}");
    assert!(
        vault["found"].as_str().unwrap().contains("latin.md"),
        "{vault}"
    );
}
