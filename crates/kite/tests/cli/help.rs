//! Help.

use super::world::World;

const COMMANDS: &[&[&str]] = &[
    &[],
    &["status"],
    &["sessions"],
    &["task"],
    &["task", "create"],
    &["task", "list"],
    &["task", "show"],
    &["task", "claim"],
    &["task", "complete"],
    &["task", "release"],
    &["task", "fail"],
    &["task", "cancel"],
    &["review"],
    &["lock"],
    &["lock", "acquire"],
    &["lock", "release"],
    &["lock", "list"],
    &["spawn"],
    &["agents"],
    &["agent"],
    &["agent", "logs"],
    &["agent", "follow"],
    &["agent", "stop"],
    &["worktree"],
    &["worktree", "list"],
    &["worktree", "remove"],
    &["run"],
    &["trust"],
    &["vault"],
    &["vault", "search"],
    &["vault", "write"],
    &["vault", "list"],
    &["vault", "review"],
    &["vault", "reindex"],
    &["vault", "why"],
    &["log"],
    &["undo"],
    &["init"],
    &["uninit"],
    &["doctor"],
    &["demo"],
    &["dispatch"],
    &["dispatches"],
    &["daemon"],
    &["daemon", "start"],
    &["daemon", "stop"],
    &["daemon", "restart"],
    &["daemon", "run"],
    &["daemon", "status"],
    &["config"],
    &["mcp"],
    &["completions"],
];

#[test]
fn every_command_explains_itself_with_examples() {
    let world = World::new();
    for command in COMMANDS {
        let said = world
            .kite(&[command, &["--help"][..]].concat())
            .run()
            .ends(0)
            .remarks("");
        assert!(said.stdout.contains("Examples:\n  kite "), "{said:#?}");
        assert!(said.stdout.contains("Usage: "), "{said:#?}");
        assert!(said.stdout.is_ascii(), "{said:#?}");
        assert!(!said.stdout.contains('\\'), "an escape too many: {said:#?}");
    }
}

#[test]
fn exit_codes_are_in_the_help_and_in_the_documentation() {
    let world = World::new();
    world
        .kite(&["--help"])
        .run()
        .mentions("0 done   1 failed   2 wrong usage   3 refused   4 no daemon   5 not found");
    let documented = include_str!("../../../../docs/cli.md");
    for code in [
        "| 0 |", "| 1 |", "| 2 |", "| 3 |", "| 4 |", "| 5 |", "| 130 |",
    ] {
        assert!(documented.contains(code), "{code}");
    }
}

#[test]
fn every_command_is_in_the_documentation() {
    let documented = include_str!("../../../../docs/cli.md");
    for command in COMMANDS.iter().filter(|command| !command.is_empty()) {
        let line = format!("kite {}", command.join(" "));
        assert!(documented.contains(&line), "{line}");
    }
}

#[test]
fn what_only_a_person_may_do_is_told_to_no_agent() {
    let mut world = World::new();
    let agent = world.agent();
    for command in COMMANDS {
        for flag in ["-h", "--help"] {
            let said = world
                .kite(&[command, &[flag][..]].concat())
                .inside(&agent)
                .run()
                .ends(0);
            assert!(!said.stdout.contains("force"), "{said:#?}");
        }
    }
    let said = world
        .kite(&["lock", "release", "--forc", "a"])
        .inside(&agent)
        .run()
        .ends(2);
    assert!(!said.stderr.contains("--force"), "{said:#?}");
    let said = world
        .kite(&["lock", "release", "--force", "a"])
        .inside(&agent)
        .run()
        .ends(3);
    assert!(!said.stderr.contains("force"), "{said:#?}");
}

#[test]
fn no_words_at_all_show_the_help() {
    World::new()
        .kite(&[])
        .run()
        .ends(2)
        .complains("Usage: kite [OPTIONS] <COMMAND>");
}

#[test]
fn completions_are_made_for_each_shell() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        world
            .kite(&["completions", shell])
            .run()
            .ends(0)
            .mentions("sessions");
    }
}

#[test]
fn the_settings_are_documented() {
    World::new()
        .kite(&["config"])
        .run()
        .ends(0)
        .mentions("guard");
}
