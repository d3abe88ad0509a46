//! Codex, Gemini CLI and opencode beside Claude Code.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::json;

use super::{
    wiring::{self, Client, InitArgs, Scope, UninitArgs, inspect_clients},
    world::World,
};

const CODEX_CONFIG: &str = "# my Codex\nmodel = \"gpt-5\"   # keep\n\n[mcp_servers.other]\ncommand = \"x\"\n\n[tui]\nnotifications = true\n";
const GEMINI_SETTINGS: &str = "{\n    // my Gemini\n    \"theme\": \"Dracula\", /* dark */\n    \"hooks\": {\n        \"BeforeTool\": [\n            { \"matcher\": \"x\", \"hooks\": [{ \"type\": \"command\", \"command\": \"true\" }] },\n        ],\n    },\n}\n";
const OPENCODE_CONFIG: &str =
    "{\n\t\"$schema\": \"https://opencode.ai/config.json\",\n\t// mine\n\t\"model\": \"a/b\"\n}\n";

struct Files {
    codex_config: PathBuf,
    codex_hooks: PathBuf,
    gemini: PathBuf,
    opencode: PathBuf,
    plugin: PathBuf,
}

impl Files {
    fn of(world: &World) -> Files {
        let home = &world.machine.user_home;
        Files {
            codex_config: home.join(".codex/config.toml"),
            codex_hooks: home.join(".codex/hooks.json"),
            gemini: home.join(".gemini/settings.json"),
            opencode: home.join(".config/opencode/opencode.jsonc"),
            plugin: home.join(".config/opencode/plugin/kite.js"),
        }
    }

    /// Settings of all three, as people have them.
    fn written(world: &World) -> Files {
        let files = Files::of(world);
        world.write(&files.codex_config, CODEX_CONFIG);
        world.write(&files.gemini, GEMINI_SETTINGS);
        world.write(&files.opencode, OPENCODE_CONFIG);
        files
    }
}

#[test]
fn a_machine_without_other_clients_gets_nothing_of_theirs() {
    let mut world = World::new();
    world.init().expect("init");
    for dir in [".codex", ".gemini", ".config"] {
        assert!(!world.machine.user_home.join(dir).exists(), "{dir}");
    }
    assert!(inspect_clients(&world.machine).is_empty());
}

#[test]
fn what_is_found_is_wired_and_all_else_in_its_files_stays() {
    let mut world = World::new();
    let files = Files::written(&world);

    world.init().expect("init");

    let (config, gemini) = (world.read(&files.codex_config), world.read(&files.gemini));
    let home = world.machine.home.path().display().to_string();
    assert!(
        config.starts_with(CODEX_CONFIG.split("[tui]").next().expect("text")),
        "{config}"
    );
    assert!(config.contains("[tui]\nnotifications = true\n"), "{config}");
    let server = format!("[mcp_servers.kite]\ncommand = \"{home}/bin/kite\"\nargs = [\"mcp\"]\n");
    assert!(config.contains(&server), "{config}");
    for kept in [
        "// my Gemini",
        "\"theme\": \"Dracula\", /* dark */",
        "\"command\": \"true\"",
    ] {
        assert!(gemini.contains(kept), "{gemini}");
    }
    let hooks = &world.json(&files.codex_hooks)["hooks"];
    let before = &hooks["PreToolUse"][0];
    assert_eq!(before["matcher"], "apply_patch|Bash");
    let command = format!("{home}/bin/kite-hook PreToolUse codex");
    assert_eq!(before["hooks"][0]["command"], json!(command));
    let command = format!("{home}/bin/kite-hook PreToolUse gemini");
    assert!(
        gemini.contains(&command) && gemini.contains("\"timeout\": 10000"),
        "{gemini}"
    );
    let opencode = world.read(&files.opencode);
    assert!(
        opencode.starts_with("{\n\t\"$schema\"") && opencode.contains("// mine"),
        "{opencode}"
    );
    assert!(opencode.contains("\"type\": \"local\""), "{opencode}");
    assert!(
        world
            .read(&files.plugin)
            .contains(&format!("{home}/bin/kite-hook"))
    );
    let trust = |line: &String| line.contains("start `codex`, open /hooks");
    assert_eq!(
        world.heard.lines.iter().filter(|line| trust(line)).count(),
        1
    );
    for client in inspect_clients(&world.machine) {
        assert!(client.is_complete && client.is_present, "{client:?}");
        assert!(client.hook.expect("a hook").contains(" PreToolUse "));
        assert_eq!(client.is_trusted, client.client != Client::Codex);
    }
    assert_eq!(world.git_status(), "");
}

#[test]
fn a_second_run_changes_nothing_and_uninit_restores_every_byte() {
    let mut world = World::new();
    let _files = Files::written(&world);
    let before = world.contents();
    world.init().expect("init");
    let wired = world.everything(&world.machine.user_home.clone());

    let again = world.init().expect("init again");

    assert_eq!(again.changed, Vec::<PathBuf>::new());
    let mut now = world.everything(&world.machine.user_home.clone());
    let own = world.machine.home.path().to_owned();
    let mut then = wired;
    now.retain(|path, _| !path.starts_with(&own));
    then.retain(|path, _| !path.starts_with(&own));
    assert_eq!(now, then);
    world.uninit().expect("uninit");
    assert_eq!(world.contents(), before);
}

#[test]
fn a_dry_run_shows_every_file_and_changes_none() {
    let mut world = World::new();
    let files = Files::written(&world);
    let before = world.contents();
    let args = InitArgs {
        dir: world.project.clone(),
        scope: Scope::Personal,
        git_hooks: false,
        dry_run: true,
        allow_downgrade: false,
    };
    world.init_with(args).expect("dry run");
    assert_eq!(world.contents(), before);
    let diffs = world.heard.diffs.concat();
    for file in [
        files.codex_config,
        files.codex_hooks,
        files.gemini,
        files.opencode,
        files.plugin,
    ] {
        let name = world.machine.shown(&file);
        assert!(diffs.contains(&name), "{name} is not in\n{diffs}");
    }
}

#[test]
fn a_client_is_found_by_its_program_alone_and_its_directory_goes_again() {
    let mut world = World::new();
    let bin = world.machine.user_home.join("programs");
    fs::create_dir(&bin).expect("mkdir");
    world.write(&bin.join("gemini"), "#!/bin/sh\n");
    fs::set_permissions(bin.join("gemini"), fs::Permissions::from_mode(0o755)).expect("chmod");
    world.machine.path = bin.into();
    let before = world.contents();

    world.init().expect("init");

    let files = Files::of(&world);
    assert_eq!(
        world.json(&files.gemini)["mcpServers"]["kite"]["args"],
        json!(["mcp"])
    );
    assert!(!files.codex_hooks.exists() && !files.plugin.exists());
    world.uninit().expect("uninit");
    assert_eq!(world.contents(), before);
}

#[test]
fn what_was_edited_since_stays_and_only_kites_part_goes() {
    let mut world = World::new();
    let files = Files::written(&world);
    world.init().expect("init");
    let config = world.read(&files.codex_config);
    // What Codex itself writes when its person trusts the hooks, and a model chosen since.
    let key = format!("{}:pre_tool_use:0:0", files.codex_hooks.display());
    let state = format!("\n[hooks.state.\"{key}\"]\ntrusted_hash = \"sha256:1\"\n");
    world.write(
        &files.codex_config,
        &(config.replace("gpt-5", "gpt-6") + &state),
    );
    let gemini = world.read(&files.gemini);
    world.write(&files.gemini, &gemini.replace("Dracula", "Light"));
    let codex = inspect_clients(&world.machine).remove(0);
    assert!(codex.is_complete && codex.is_trusted, "{codex:?}");

    world.uninit().expect("uninit");

    let config = world.read(&files.codex_config);
    assert_eq!(config, CODEX_CONFIG.replace("gpt-5", "gpt-6") + &state);
    assert_eq!(
        world.read(&files.gemini),
        GEMINI_SETTINGS.replace("Dracula", "Light")
    );
    assert!(!files.codex_hooks.exists() && !files.plugin.exists());
}

#[test]
fn the_clients_stay_wired_until_the_last_project_is_unwired() {
    let mut world = World::new();
    let files = Files::written(&world);
    world.init().expect("init");
    let first = world.project.clone();
    let second = first.with_file_name("second");
    fs::create_dir(&second).expect("mkdir");
    world.git_in(&second, &["init", "--quiet"]);
    world.project = second;
    world.init().expect("init of the second");

    world.project = first;
    world.uninit().expect("uninit of the first");
    assert!(world.read(&files.gemini).contains("kite-hook"));

    world.project = world.project.with_file_name("second");
    world.uninit().expect("uninit of the second");
    assert_eq!(world.read(&files.gemini), GEMINI_SETTINGS);
    assert_eq!(world.read(&files.codex_config), CODEX_CONFIG);
}

#[test]
fn a_directory_that_its_client_has_come_to_use_keeps_no_other_one() {
    let mut world = World::new();
    let bin = world.machine.user_home.join("programs");
    for program in ["codex", "opencode"] {
        world.write(&bin.join(program), "#!/bin/sh\n");
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(bin.join(program), mode).expect("chmod");
    }
    world.machine.path = bin.into();
    world.init().expect("init");
    let history = world.machine.user_home.join(".codex/history.jsonl");
    world.write(&history, "{}\n");

    world.uninit().expect("uninit");

    assert!(history.exists());
    assert!(!world.machine.user_home.join(".config").exists());
}

#[test]
fn kites_part_goes_also_where_the_home_was_deleted_in_between() {
    let mut world = World::new();
    let files = Files::written(&world);
    world.init().expect("init");
    fs::remove_dir_all(world.machine.home.path()).expect("rm -r ~/.kite");

    world.uninit().expect("uninit");

    assert_eq!(world.read(&files.gemini), GEMINI_SETTINGS);
    assert_eq!(world.read(&files.codex_config), CODEX_CONFIG);
    assert_eq!(world.read(&files.opencode), OPENCODE_CONFIG);
    assert!(!files.codex_hooks.exists() && !files.plugin.exists());
}

#[test]
fn a_client_whose_settings_cannot_be_understood_is_left_out_whole() {
    for (file, text) in [
        (".codex/config.toml", "model = \n"),
        (".codex/config.toml", "mcp_servers = 3\n"),
        (
            ".codex/config.toml",
            "[mcp_servers.kite]\ncommand = \"other\"\n",
        ),
        (".codex/hooks.json", "{ // no comments here\n}"),
    ] {
        let mut world = World::new();
        let path = world.machine.user_home.join(file);
        world.write(&path, text);
        let files = Files::of(&world);
        world.write(&files.gemini, GEMINI_SETTINGS);

        world.init().expect("the others are wired");

        assert_eq!(world.read(&path), text);
        assert_ne!(files.codex_hooks.exists(), file.ends_with("config.toml"));
        assert_ne!(files.codex_config.exists(), file.ends_with("hooks.json"));
        assert!(world.read(&files.gemini).contains("kite-hook"));
        let told = |line: &String| line.starts_with("Codex is left out: ") && line.contains(file);
        assert!(
            world.heard.lines.iter().any(told),
            "{:?}",
            world.heard.lines
        );
        world.uninit().expect("uninit");
        assert_eq!(world.read(&files.gemini), GEMINI_SETTINGS);
    }
}

#[test]
fn another_plugin_of_that_name_is_not_touched() {
    let mut world = World::new();
    let files = Files::of(&world);
    world.write(&files.plugin, "export const Mine = 1\n");
    world.init().expect("init");
    assert_eq!(world.read(&files.plugin), "export const Mine = 1\n");
    assert!(
        !files.opencode.with_extension("json").exists(),
        "no half of it"
    );
}

#[test]
fn places_are_where_the_environment_says() {
    let mut world = World::new();
    let top = world.machine.user_home.clone();
    world.machine.codex_config = Some(top.join("cx"));
    world.machine.gemini_home = Some(top.join("gm"));
    world.machine.xdg_config = Some(top.join("xdg"));
    for dir in ["cx", "gm/.gemini", "xdg/opencode"] {
        fs::create_dir_all(top.join(dir)).expect("mkdir");
    }
    world.init().expect("init");
    for file in [
        "cx/hooks.json",
        "gm/.gemini/settings.json",
        "xdg/opencode/opencode.json",
    ] {
        assert!(top.join(file).is_file(), "{file}");
    }
}

#[test]
fn team_files_are_for_claude_code_alone() {
    let mut world = World::new();
    let files = Files::written(&world);
    world.init_as(Scope::Team).expect("init");
    assert_eq!(world.read(&files.gemini), GEMINI_SETTINGS);
    let args = UninitArgs {
        dir: world.project.clone(),
        scope: Some(Scope::Team),
        dry_run: false,
    };
    wiring::uninit(&args, &world.machine, &mut world.heard).expect("uninit");
    assert_eq!(world.read(&files.codex_config), CODEX_CONFIG);
}
