//! For one user, for a team, for all projects.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use kite_wire::home::Home;
use serde_json::{Value, json};

use super::{
    wiring::{REGISTRATIONS, Scope},
    world::World,
};

fn shared(world: &World) -> (PathBuf, PathBuf) {
    (
        world.project.join(".claude/settings.json"),
        world.project.join(".mcp.json"),
    )
}

/// The commands of all hooks in a settings file.
fn commands(settings: &Value) -> Vec<String> {
    let events = settings["hooks"].as_object().expect("hooks");
    let groups = events
        .values()
        .flat_map(|groups| groups.as_array().expect("groups"));
    let handlers = groups.flat_map(|group| group["hooks"].as_array().expect("handlers"));
    handlers
        .map(|handler| handler["command"].as_str().expect("command").to_owned())
        .collect()
}

#[test]
fn team_files_name_no_path_of_this_machine() {
    let mut world = World::new();

    let outcome = world.init_as(Scope::Team).expect("init");

    let (settings, servers) = shared(&world);
    assert_eq!(outcome.changed, [settings.clone(), servers.clone()]);
    assert!(outcome.next[0].contains(".claude/settings.json and .mcp.json"));
    for file in [settings, servers] {
        let text = world.read(&file);
        for private in [&world.machine.user_home, &world.project] {
            assert!(!text.contains(private.to_str().expect("text")), "{text}");
        }
        assert!(!text.contains("\"/"), "{text}");
    }
    assert!(!world.settings().exists() && !world.state().exists());
    assert!(world.inspect().team.is_complete());
}

#[test]
fn team_hooks_do_nothing_where_kite_is_missing_and_run_it_where_it_is() {
    let mut world = World::new();
    world.init_as(Scope::Team).expect("init");
    let (settings, servers) = shared(&world);
    let server = &world.json(&servers)["mcpServers"]["kite"];
    let mut all = commands(&world.json(&settings));
    assert_eq!(all.len(), REGISTRATIONS.len());
    let script = server["args"][1].as_str().expect("script").to_owned();
    assert_eq!(
        (&server["command"], &server["args"][0]),
        (&json!("sh"), &json!("-c"))
    );

    let nobody = world.machine.user_home.join("nobody");
    fs::create_dir(&nobody).expect("mkdir");
    let sh = |command: &str, home: &PathBuf, kite_home: Option<&PathBuf>| {
        let mut sh = Command::new("/bin/sh");
        sh.args(["-c", command])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home);
        kite_home.map(|kite_home| sh.env("KITE_HOME", kite_home));
        sh.output().expect("sh runs")
    };
    for command in all.iter().chain([&script]) {
        let output = sh(command, &nobody, None);
        assert_eq!(output.status.code(), Some(0), "{command}");
        assert!(output.stdout.is_empty(), "{command}");
    }

    let home = world.machine.user_home.join("a kite home");
    fs::create_dir_all(home.join("bin")).expect("mkdir");
    for name in ["kite", "kite-hook"] {
        let path = home.join("bin").join(name);
        fs::write(&path, "#!/bin/sh\necho \"ran $1\"\n").expect("write");
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("chmod");
    }
    all.push(script);
    for (command, event) in all.iter().zip(
        world.json(&settings)["hooks"]
            .as_object()
            .expect("hooks")
            .iter()
            .flat_map(|(event, groups)| {
                vec![event.clone(); groups.as_array().expect("groups").len()]
            })
            .chain(["mcp".to_owned()]),
    ) {
        let output = sh(command, &nobody, Some(&home));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("ran {event}\n"),
            "{command}"
        );
    }
}

#[test]
fn whoever_clones_a_wired_project_needs_nothing_more() {
    let mut world = World::new();
    world.init_as(Scope::Team).expect("a colleague");
    fs::remove_dir_all(world.machine.home.path()).expect("another machine");
    let before = world.contents();

    let outcome = world.init().expect("init");

    assert_eq!(world.contents(), before, "no second set of hooks");
    assert!(outcome.installed.is_some() && outcome.changed.is_empty());
    assert!(world.inspect().is_wired());
    world.uninit().expect("uninit");
    assert_eq!(world.contents(), before, "files that others committed stay");
    world
        .uninit_as(Some(Scope::Team))
        .expect("unless it is asked for");
    assert!(world.inspect().wired().next().is_none());
}

#[test]
fn a_home_reached_through_a_link_is_the_same_home() {
    let mut world = World::new();
    world.init().expect("init");
    let before = world.contents();
    let link = world.project.with_file_name("link");
    std::os::unix::fs::symlink(world.machine.home.path(), &link).expect("link");
    let home = std::mem::replace(&mut world.machine.home, Home::at(&link));

    let outcome = world.init().expect("again");
    assert!(outcome.changed.is_empty());
    assert!(world.inspect().personal.is_complete());
    fs::remove_file(&link).expect("rm");
    world.machine.home = home;

    assert_eq!(world.contents(), before);
}

#[test]
fn one_project_is_not_wired_twice() {
    let mut world = World::new();
    world.init().expect("init");
    let before = world.contents();

    let error = world
        .init_as(Scope::Team)
        .expect_err("hooks would run twice");

    assert!(
        error
            .why
            .as_deref()
            .is_some_and(|why| why.contains("twice")),
        "{error}"
    );
    assert_eq!(world.contents(), before);
}

#[test]
fn user_wiring_covers_every_project_and_leaves_the_project_alone() {
    let mut world = World::new();
    let user_settings = world.machine.user_home.join(".claude/settings.json");
    world.write(&user_settings, "{\"model\": \"opus\"}\n");
    world.write(
        &world.state(),
        "{\"mcpServers\": {\"theirs\": {\"command\": \"x\"}}}\n",
    );
    let before = world.contents();

    world.init_as(Scope::User).expect("init");

    assert!(!world.project.join(".claude").exists());
    let state = world.json(&world.state());
    assert_eq!(state["mcpServers"]["kite"]["args"], json!(["mcp"]));
    assert!(state["mcpServers"]["theirs"].is_object());
    assert!(world.inspect().user.is_complete() && world.inspect().is_wired());
    assert!(
        world
            .init()
            .expect("a project of its own")
            .changed
            .is_empty()
    );
    world.uninit().expect("of the project alone");
    assert!(world.inspect().is_wired());
    world.uninit_as(Some(Scope::User)).expect("uninit");
    assert_eq!(world.contents(), before);
}

#[test]
fn another_configuration_directory_is_respected() {
    let mut world = World::new();
    let dir = world.machine.user_home.join("config/claude");
    world.machine.claude_config = Some(dir.clone());
    let before = world.contents();

    world.init_as(Scope::User).expect("init");
    assert!(dir.join(".claude.json").exists() && dir.join("settings.json").exists());
    assert!(!world.state().exists());
    world.uninit_as(Some(Scope::User)).expect("uninit");

    assert_eq!(world.contents(), before);
}
