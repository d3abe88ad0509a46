//! Other people's files stay as they were.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::{Value, json};

use super::{
    wiring::{InitArgs, PERMISSIONS, REGISTRATIONS, Scope},
    world::World,
};

const FOUR_SPACES: &str = r#"{
    "zebra": 1,
    "permissions": {
        "deny": ["Bash(rm:*)"],
        "allow": ["Bash(ls:*)", "Bash(cat:*)"]
    },
    "hooks": {
        "PreToolUse": [
            { "matcher": "Bash", "hooks": [{ "type": "command", "command": "/their/check", "timeout": 3 }] }
        ],
        "Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]
    },
    "apple": {"b": 1, "a": [1, 2,   3]}
}
"#;

#[test]
fn uninit_restores_every_style_of_file_byte_for_byte() {
    let styles = [
        ("four spaces", FOUR_SPACES.to_owned()),
        ("tabs", FOUR_SPACES.replace("    ", "\t")),
        ("two spaces", FOUR_SPACES.replace("    ", "  ")),
        ("carriage returns", FOUR_SPACES.replace('\n', "\r\n")),
        ("byte order mark", format!("\u{feff}{FOUR_SPACES}")),
        ("no newline at the end", FOUR_SPACES.trim_end().to_owned()),
        (
            "one line",
            "{\"hooks\":{},\"permissions\":{\"allow\":[]},\"x\":[ 1,2 ]}".to_owned(),
        ),
        ("empty object", "{}".to_owned()),
        ("empty file", String::new()),
        ("blank lines", "\n\n{ }\n\n".to_owned()),
        (
            "escapes",
            "{\"caf\\u00e9\": \"\\ud83d\\ude00 \\/\", \"n\": 1.0e+2}\n".to_owned(),
        ),
    ];
    for (name, text) in styles {
        let mut world = World::new();
        world.write(&world.settings(), &text);
        world.write(
            &world.state(),
            "{\"numStartups\": 3,\"projects\": {\"/other\": {\"mcpServers\": {}}}}",
        );
        let before = world.contents();

        world.init().expect(name);
        let wired = world.inspect();
        assert!(wired.personal.is_complete(), "{name}: {:?}", wired.personal);
        assert_ne!(world.read(&world.settings()), text, "{name}");
        world.uninit().expect(name);

        assert_eq!(world.contents(), before, "{name}");
    }
}

#[test]
fn a_fresh_machine_is_left_as_it_was_found() {
    let mut world = World::new();
    let before = world.contents();

    world.init().expect("init");
    assert!(world.settings().exists() && world.state().exists());
    world.uninit().expect("uninit");

    assert_eq!(
        world.contents(),
        before,
        "files, .claude/ and the exclude line are gone"
    );
    assert!(
        !world
            .machine
            .home
            .path()
            .join("wiring")
            .read_dir()
            .is_ok_and(|mut d| d.next().is_some())
    );
}

#[test]
fn others_keep_their_text_their_order_and_their_style() {
    let mut world = World::new();
    world.write(&world.settings(), FOUR_SPACES);

    world.init().expect("init");

    let text = world.read(&world.settings());
    for line in FOUR_SPACES.lines().filter(|line| line.trim().len() > 3) {
        let kept = line.trim_end_matches([',', ']']);
        assert!(text.contains(kept), "{kept:?} is gone from\n{text}");
    }
    assert!(
        text.contains(r#""allow": ["Bash(ls:*)", "Bash(cat:*)", "mcp__kite__"#),
        "{text}"
    );
    assert!(
        text.contains("\n            {\n                \"matcher\": \"Write|"),
        "{text}"
    );
    let value = world.json(&world.settings());
    let keys: Vec<&String> = value.as_object().expect("object").keys().collect();
    assert_eq!(keys, ["zebra", "permissions", "hooks", "apple"]);
    assert_eq!(
        value["hooks"]["PreToolUse"][0]["hooks"][0]["command"],
        "/their/check"
    );
}

#[test]
fn what_is_written_is_exactly_what_the_table_says() {
    let mut world = World::new();

    world.init().expect("init");

    let settings = world.json(&world.settings());
    let hook = world.machine.home.bin().join("kite-hook");
    let mut count = 0;
    for registration in REGISTRATIONS {
        let groups = settings["hooks"][registration.event]
            .as_array()
            .expect("groups");
        let group = groups
            .iter()
            .find(|group| group.get("matcher").and_then(Value::as_str) == registration.matcher)
            .expect(registration.event);
        let handler = &group["hooks"][0];
        assert_eq!(
            handler["command"],
            format!("{} {}", hook.display(), registration.event)
        );
        assert_eq!(handler["timeout"], registration.timeout_s);
        let waits = matches!(
            registration.event,
            "PreToolUse" | "SessionStart" | "UserPromptSubmit" | "Stop"
        );
        assert_eq!(handler.get("async"), (!waits).then_some(&Value::Bool(true)));
        count += 1;
    }
    let written: usize = settings["hooks"]
        .as_object()
        .expect("hooks")
        .values()
        .map(|groups| groups.as_array().expect("groups").len())
        .sum();
    assert_eq!(written, count);
    assert_eq!(settings["permissions"]["allow"], json!(PERMISSIONS));
    let key = world.project.to_str().expect("text");
    let server = &world.json(&world.state())["projects"][key]["mcpServers"]["kite"];
    let kite = world.machine.home.bin().join("kite");
    assert_eq!(
        *server,
        json!({"type": "stdio", "command": kite, "args": ["mcp"], "env": {}})
    );
}

#[test]
fn a_second_run_changes_nothing_at_all() {
    let mut world = World::new();
    world.write(&world.settings(), FOUR_SPACES);
    world.init().expect("first");
    let top = world.project.parent().expect("parent").to_owned();
    let before = world.everything(&top);

    let outcome = world.init().expect("second");

    assert_eq!(outcome.changed, Vec::<std::path::PathBuf>::new());
    assert_eq!(
        world.everything(&top),
        before,
        "bytes, modes, inodes and times are the same"
    );
}

#[test]
fn a_dry_run_shows_the_diff_and_changes_nothing() {
    let mut world = World::new();
    world.write(&world.settings(), FOUR_SPACES);
    let top = world.project.parent().expect("parent").to_owned();
    let before = world.everything(&top);
    let dir = world.project.clone();

    let args = InitArgs {
        dir,
        scope: Scope::Personal,
        git_hooks: false,
        dry_run: true,
        allow_downgrade: false,
    };
    let outcome = world.init_with(args).expect("dry run");

    assert_eq!(world.everything(&top), before);
    assert_eq!(outcome.changed.len(), 3);
    let shown = world.heard.diffs.concat();
    assert!(
        shown.contains("--- /dev/null\n+++ ~/.claude.json"),
        "{shown}"
    );
    assert!(
        shown.contains("+++ ") && shown.contains("kite-hook PreToolUse"),
        "{shown}"
    );
    assert!(shown.contains("+/.claude/settings.local.json"), "{shown}");
}

#[test]
fn an_edit_in_between_survives_uninit() {
    let mut world = World::new();
    world.write(&world.settings(), FOUR_SPACES);
    world.init().expect("init");
    let edited = world
        .read(&world.settings())
        .replace("\"zebra\": 1", "\"zebra\": 2");
    world.write(&world.settings(), &edited);

    let restored = world.uninit().expect("uninit");

    assert_eq!(restored.edited_since, [world.settings()]);
    assert_eq!(
        world.read(&world.settings()),
        FOUR_SPACES.replace("\"zebra\": 1", "\"zebra\": 2")
    );
}

#[test]
fn claude_code_may_rewrite_its_own_file_in_between() {
    let mut world = World::new();
    let key = world.project.to_str().expect("text").to_owned();
    world.init().expect("init");
    let mut state = world.json(&world.state());
    state["numStartups"] = json!(1);
    state["projects"][&key]["allowedTools"] = json!([]);
    state["projects"][&key]["mcpServers"]["theirs"] = json!({"command": "x"});
    world.write(&world.state(), &state.to_string());

    world.uninit().expect("uninit");

    let mut expected = state;
    expected["projects"][&key]["mcpServers"]
        .as_object_mut()
        .expect("servers")
        .remove("kite");
    assert_eq!(world.json(&world.state()), expected);
}

#[test]
fn no_empty_container_of_ours_stays_behind() {
    let mut world = World::new();
    world.init().expect("init");
    let mut state = world.json(&world.state());
    state["numStartups"] = json!(1);
    world.write(&world.state(), &state.to_string());
    let mut settings = world.json(&world.settings());
    settings["model"] = json!("opus");
    world.write(&world.settings(), &settings.to_string());

    world.uninit().expect("uninit");

    assert_eq!(world.json(&world.state()), json!({"numStartups": 1}));
    assert_eq!(world.json(&world.settings()), json!({"model": "opus"}));
}

#[test]
fn a_permission_and_an_empty_list_that_were_there_before_stay() {
    let mut world = World::new();
    let before = json!({
        "hooks": {"Stop": []},
        "permissions": {"allow": ["mcp__kite__kite_sessions"]},
    });
    world.write(&world.settings(), &before.to_string());
    world.init().expect("init");
    let mut edited = world.json(&world.settings());
    edited["x"] = json!(1);
    world.write(&world.settings(), &edited.to_string());

    world.uninit().expect("uninit");

    let mut expected = before;
    expected["x"] = json!(1);
    assert_eq!(world.json(&world.settings()), expected);
}

#[test]
fn old_registrations_are_brought_up_to_date_and_still_undone() {
    let mut world = World::new();
    world.write(&world.settings(), FOUR_SPACES);
    world.init().expect("init");
    // As an older version might have left it: another timeout, an event that is gone by now.
    let hook = world
        .machine
        .home
        .bin()
        .join("kite-hook")
        .display()
        .to_string();
    let mut old = world.json(&world.settings());
    old["hooks"]["Stop"][1]["hooks"][0]["timeout"] = json!(60);
    old["hooks"]["Setup"] =
        json!([{"hooks": [{"type": "command", "command": format!("{hook} Setup"), "timeout": 5}]}]);
    world.write(&world.settings(), &old.to_string());
    let inspection = world.inspect();
    assert_eq!(inspection.personal.gaps.events, ["Stop"]);
    assert_eq!(inspection.personal.gaps.surplus, ["Setup", "Stop"]);

    world.init().expect("again");
    assert!(world.inspect().personal.is_complete());
    world.uninit().expect("uninit");

    let left = world.json(&world.settings());
    assert_eq!(
        left,
        serde_json::from_str::<Value>(FOUR_SPACES).expect("JSON")
    );
}

#[test]
fn a_link_of_a_dotfile_manager_stays_a_link() {
    let mut world = World::new();
    let real = world.machine.user_home.join("dotfiles/claude.json");
    world.write(&real, "{\"a\": 1}\n");
    std::os::unix::fs::symlink(&real, world.state()).expect("link");

    world.init().expect("init");
    assert_eq!(fs::read_link(world.state()).expect("still a link"), real);
    assert!(world.read(&real).contains("\"kite\""));
    world.uninit().expect("uninit");

    assert_eq!(fs::read_link(world.state()).expect("still a link"), real);
    assert_eq!(world.read(&real), "{\"a\": 1}\n");
}

#[test]
fn modes_stay_and_new_private_files_are_private() {
    let mut world = World::new();
    world.write(&world.settings(), "{}\n");
    let mode = |path: &Path| fs::metadata(path).expect("file").permissions().mode() & 0o777;
    fs::set_permissions(world.settings(), fs::Permissions::from_mode(0o640)).expect("chmod");

    world.init().expect("init");

    assert_eq!(mode(&world.settings()), 0o640);
    assert_eq!(mode(&world.state()), 0o600);
    for entry in world
        .everything(&world.machine.home.path().join("wiring"))
        .keys()
    {
        let expected = if entry.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(mode(entry), expected, "{}", entry.display());
    }
}

#[test]
fn two_projects_share_the_agents_file_and_leave_in_any_order() {
    let mut world = World::new();
    world.write(&world.state(), "{\"numStartups\": 3}\n");
    let first = world.project.clone();
    let second = first.with_file_name("second");
    fs::create_dir(&second).expect("mkdir");
    let original = world.json(&world.state());

    world.init().expect("first");
    world.project.clone_from(&second);
    world.init().expect("second");
    world.project = first;
    world.uninit().expect("the first one leaves first");
    let key = second.to_str().expect("text");
    assert!(world.json(&world.state())["projects"][key]["mcpServers"]["kite"].is_object());
    world.project = second;
    world.uninit().expect("then the second");

    assert_eq!(world.json(&world.state()), original);
}
