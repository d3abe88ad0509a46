//! Bad input is a clear error and changes nothing.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use kite_wire::home::Home;

use super::{
    wiring::{Error, Scope},
    world::World,
};

/// Tries `init` and checks that nothing at all has changed.
fn refused(mut world: World, scope: Scope) -> Error {
    let top = world.machine.user_home.parent().expect("parent").to_owned();
    let before = world.everything(&top);
    let error = world.init_as(scope).expect_err("a refusal");
    assert_eq!(world.everything(&top), before, "{error}");
    error
}

#[test]
fn invalid_json_is_named_with_file_line_and_column() {
    let wrong = [
        ("{\n  \"a\": 1,\n  \"b\" 2\n}\n", "line 3, column 7"),
        ("{\"a\": 1,}", "line 1, column 8"),
        (
            "{\n  // Claude Code does not load this\n}",
            "line 2, column 3",
        ),
        ("{\"a\": [1, 2}", "line 1"),
        ("{\"a\": 1} {}", "line 1, column 10"),
        ("[1]", "expected an object"),
        ("{'a': 1}", "line 1, column 2"),
        ("nonsense", "line 1, column 1"),
    ];
    for (text, expected) in wrong {
        let world = World::new();
        world.write(&world.settings(), text);
        let file = world.settings();
        let error = refused(world, Scope::Personal);
        assert!(error.what.contains(file.to_str().expect("text")), "{error}");
        let why = error.why.expect("a reason");
        assert!(why.contains(expected), "{text:?}: {why}");
    }
}

#[test]
fn the_agents_own_file_is_checked_before_any_other_is_written() {
    let world = World::new();
    world.write(&world.settings(), "{}\n");
    world.write(&world.state(), "{\"projects\": {\n");
    let error = refused(world, Scope::Personal);
    assert!(
        error.what.ends_with(".claude.json is not valid JSON"),
        "{error}"
    );
}

#[test]
fn text_that_is_not_utf_8_is_named_with_its_place() {
    let world = World::new();
    world.write(&world.settings(), "");
    fs::write(world.settings(), b"{\n \"a\": \"\xff\"}").expect("write");
    let error = refused(world, Scope::Personal);
    assert!(
        error.to_string().contains("line 2, column 8: not UTF-8"),
        "{error}"
    );
}

#[test]
fn a_key_of_another_kind_or_twice_is_named() {
    let wrong = [
        ("{\"hooks\": []}", "\"hooks\" is not an object"),
        ("{\"hooks\": {\"Stop\": {}}}", "\"Stop\" is not an array"),
        (
            "{\"permissions\": {\"allow\": \"all\"}}",
            "\"allow\" is not an array",
        ),
        (
            "{\"hooks\": {}, \"hooks\": {}}",
            "\"hooks\" stands there twice",
        ),
    ];
    for (text, expected) in wrong {
        let world = World::new();
        world.write(&world.settings(), text);
        let file = world.settings();
        let error = refused(world, Scope::Personal);
        assert!(error.what.contains(expected), "{error}");
        assert!(error.what.contains(file.to_str().expect("text")), "{error}");
    }
}

#[test]
fn odd_directories_are_refused() {
    let file = |world: &World| world.project.join(".git/HEAD");
    type Pick = fn(&World) -> std::path::PathBuf;
    let odd: [(Pick, &str); 4] = [
        (|world| world.project.join("missing"), "cannot find"),
        (|_| "/".into(), "the root directory is no project"),
        (
            |world| world.machine.home.path().join("wiring"),
            "inside Kite's own home",
        ),
        (
            |world| world.machine.home.path().to_owned(),
            "inside Kite's own home",
        ),
    ];
    for (pick, expected) in odd {
        let mut world = World::new();
        fs::create_dir_all(world.machine.home.path().join("wiring")).expect("mkdir");
        world.project = pick(&world);
        let error = refused(world, Scope::Personal);
        assert!(error.what.contains(expected), "{error}");
        assert!(error.hint.is_some(), "{error}");
    }
    let mut world = World::new();
    world.project = file(&world);
    let error = refused(world, Scope::Personal);
    assert!(error.what.ends_with("is not a directory"), "{error}");
}

#[test]
fn what_is_read_only_is_named_and_stays() {
    let lock = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    };
    let world = World::new();
    world.write(&world.settings(), "{}\n");
    lock(&world.settings(), 0o444);
    let error = refused(world, Scope::Personal);
    assert!(
        error.what.ends_with("settings.local.json is read-only"),
        "{error}"
    );

    let world = World::new();
    lock(&world.project, 0o555);
    let project = world.project.clone();
    let error = refused(world, Scope::Personal);
    assert!(
        error.what.contains(project.to_str().expect("text")),
        "{error}"
    );
    assert!(error.hint.is_some(), "{error}");
}

#[test]
fn links_that_lead_nowhere_and_directories_in_the_way_are_refused() {
    let world = World::new();
    fs::create_dir_all(world.project.join(".claude")).expect("mkdir");
    std::os::unix::fs::symlink("/nowhere/settings.json", world.settings()).expect("link");
    let error = refused(world, Scope::Personal);
    assert!(
        error.what.contains("is a link that leads nowhere"),
        "{error}"
    );

    let world = World::new();
    fs::create_dir_all(world.settings()).expect("mkdir");
    let error = refused(world, Scope::Personal);
    assert!(error.what.contains("is not a file"), "{error}");

    let world = World::new();
    world.write(&world.project.join(".claude"), "a file");
    refused(world, Scope::Personal);
}

#[test]
fn a_project_of_another_home_is_refused_by_name() {
    let mut world = World::new();
    world.init().expect("init");
    let first = world.machine.home.path().to_owned();
    world.machine.home = Home::at(world.machine.user_home.join("other kite's home"));

    let error = world.init().expect_err("it is wired to another home");
    assert!(
        error.what.contains(first.to_str().expect("text")),
        "{error}"
    );
    assert!(
        error
            .hint
            .as_deref()
            .is_some_and(|hint| hint.contains("kite uninit")),
        "{error}"
    );
    assert!(
        !world.machine.home.path().exists(),
        "nothing was installed either"
    );
    assert_eq!(world.inspect().other_home(), Some(first.as_path()));

    let before = world.contents();
    assert_eq!(world.uninit().expect("nothing of ours").changed.len(), 0);
    assert_eq!(
        world.contents(),
        before,
        "another home's wiring is not ours to remove"
    );
}

#[test]
fn a_stranger_called_kite_keeps_its_name() {
    let world = World::new();
    let key = world.project.display();
    let theirs = format!(
        "{{\"projects\": {{\"{key}\": {{\"mcpServers\": {{\"kite\": {{\"command\": \"fly\"}}}}}}}}}}"
    );
    world.write(&world.state(), &theirs);
    let error = refused(world, Scope::Personal);
    assert!(
        error.what.contains("another MCP server is called \"kite\""),
        "{error}"
    );
}

#[test]
fn the_agent_holding_its_file_is_waited_for() {
    let mut world = World::new();
    let lock = world.machine.user_home.join(".claude.json.lock");
    fs::create_dir(&lock).expect("mkdir");
    let state = world.state();
    let holder = std::thread::spawn({
        let lock = lock.clone();
        move || {
            // Long enough for `init` to arrive; the outcome is the same if it does not.
            std::thread::yield_now();
            fs::write(state, "{\"written\": \"while locked\"}").expect("write");
            fs::remove_dir(lock).expect("unlock");
        }
    });

    world.init().expect("init");
    holder.join().expect("the holder");

    let state = world.json(&world.state());
    assert_eq!(state["written"], "while locked");
    assert!(state["projects"].is_object());
    assert!(!lock.exists());
}
