//! `git status` never shows that Kite is there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    wiring::Scope,
    world::{LOCAL_SETTINGS, World},
};

/// A repository with a commit, some changes, and files that git does not know.
fn busy_repository() -> World {
    let world = World::new();
    world.write(&world.project.join("src/a.rs"), "fn a() {}\n");
    world.write(&world.project.join(".gitignore"), "target/\n");
    world.git(&["add", "."]);
    world.git(&["commit", "--quiet", "-m", "first"]);
    world.write(
        &world.project.join("src/a.rs"),
        "fn a() { /* changed */ }\n",
    );
    world.write(&world.project.join("notes.txt"), "new\n");
    world
}

#[test]
fn git_status_is_the_same_before_and_after() {
    let mut world = busy_repository();
    let before = world.git_status();
    assert!(
        before.contains(" M src/a.rs") && before.contains("?? notes.txt"),
        "{before}"
    );

    world.init().expect("init");
    assert_eq!(world.git_status(), before);
    assert_eq!(world.inspect().hidden_from_git, Some(true));
    world.uninit().expect("uninit");

    assert_eq!(world.git_status(), before);
    assert_eq!(world.inspect().hidden_from_git, Some(false));
}

#[test]
fn a_repository_that_hides_the_file_already_is_left_alone() {
    let mut world = busy_repository();
    world.write(&world.project.join(".gitignore"), "target/\n.claude/\n");
    let exclude = world.project.join(".git/info/exclude");
    let (before, text) = (world.git_status(), world.read(&exclude));

    world.init().expect("init");

    assert_eq!(world.read(&exclude), text);
    assert_eq!(world.git_status(), before);
}

#[test]
fn an_ignore_file_that_takes_something_back_is_not_trusted() {
    let mut world = busy_repository();
    world.write(&world.project.join(".gitignore"), "!nothing\n.claude\n");
    let before = world.git_status();

    world.init().expect("init");

    assert!(
        world
            .read(&world.project.join(".git/info/exclude"))
            .contains(LOCAL_SETTINGS)
    );
    assert_eq!(world.git_status(), before);
}

#[test]
fn the_exclude_line_leaves_even_if_the_file_was_edited() {
    let mut world = busy_repository();
    let exclude = world.project.join(".git/info/exclude");
    fs::write(&exclude, "*.tmp").expect("write");
    world.init().expect("init");
    assert_eq!(
        world.read(&exclude),
        "*.tmp\n/.claude/settings.local.json\n"
    );
    let edited = format!("{}*.bak\n", world.read(&exclude));
    fs::write(&exclude, edited).expect("write");

    world.uninit().expect("uninit");

    assert_eq!(world.read(&exclude), "*.tmp\n*.bak\n");
}

#[test]
fn a_linked_worktree_is_wired_through_the_main_checkout() {
    let mut world = busy_repository();
    let main = world.project.clone();
    let linked = main.with_file_name("linked");
    world.git(&["worktree", "add", "--quiet", linked.to_str().expect("text")]);
    let status = |world: &World, dir: &Path| world.git_in(dir, &["status", "--porcelain"]);
    let before = (status(&world, &main), status(&world, &linked));
    fs::create_dir(linked.join("deep")).expect("mkdir");
    world.project = linked.join("deep");

    let outcome = world.init().expect("init");

    assert_eq!(outcome.root, main);
    assert!(main.join(LOCAL_SETTINGS).exists() && !linked.join(".claude").exists());
    let key = main.to_str().expect("text");
    assert!(world.json(&world.state())["projects"][key]["mcpServers"]["kite"].is_object());
    assert_eq!((status(&world, &main), status(&world, &linked)), before);
    world.uninit().expect("uninit");
    assert!(!main.join(".claude").exists());
    assert_eq!((status(&world, &main), status(&world, &linked)), before);
}

#[test]
fn worktrees_of_a_bare_repository_are_wired_where_they_stand() {
    let mut world = busy_repository();
    let top = world.project.parent().expect("parent").to_owned();
    world.git_in(&top, &["clone", "--quiet", "--bare", "project", "bare.git"]);
    world.git_in(
        &top.join("bare.git"),
        &["worktree", "add", "--quiet", "../tree"],
    );
    world.project = top.join("tree");
    let before = world.git_status();

    let outcome = world.init().expect("init");

    assert_eq!(outcome.root, top.join("tree"));
    assert_eq!(world.git_status(), before);
    let key = top.join("bare.git");
    let state = world.json(&world.state());
    assert!(state["projects"][key.to_str().expect("text")]["mcpServers"]["kite"].is_object());
}

#[test]
fn a_bare_repository_has_nothing_to_edit() {
    let mut world = busy_repository();
    let top = world.project.parent().expect("parent").to_owned();
    world.git_in(&top, &["clone", "--quiet", "--bare", "project", "bare.git"]);
    for inside in ["bare.git", "bare.git/objects"] {
        world.project = top.join(inside);
        let error = world.init().expect_err("no project");
        assert!(error.what.contains("is a bare repository"), "{error}");
        assert!(!world.project.join(".claude").exists());
    }
}

#[test]
fn a_home_that_was_deleted_leaves_nothing_behind_in_the_project() {
    let mut world = busy_repository();
    let before = world.git_status();
    for wired_again in [false, true] {
        world.init().expect("init");
        fs::remove_dir_all(world.machine.home.path()).expect("rm -r ~/.kite");
        if wired_again {
            world.init().expect("init in a new home");
            assert_eq!(world.git_status(), before);
        }
        world.uninit().expect("uninit");
        assert!(!world.settings().exists());
        assert_eq!(world.git_status(), before);
    }
}

#[test]
fn a_repository_kept_elsewhere_is_followed() {
    let mut world = busy_repository();
    let top = world.project.parent().expect("parent").to_owned();
    world.git_in(
        &top,
        &["init", "--quiet", "--separate-git-dir", "kept.git", "apart"],
    );
    world.project = top.join("apart");

    world.init().expect("init");

    assert_eq!(world.git_status(), "");
    assert!(
        world
            .read(&top.join("kept.git/info/exclude"))
            .contains(LOCAL_SETTINGS)
    );
}

#[test]
fn a_stray_pointer_does_not_lead_into_another_repository() {
    let mut world = busy_repository();
    let top = world.project.parent().expect("parent").to_owned();
    let linked = top.join("linked");
    world.git(&["worktree", "add", "--quiet", linked.to_str().expect("text")]);
    world.write(&top.join("stray/.git"), &world.read(&linked.join(".git")));
    world.project = top.join("stray");

    let error = world
        .init()
        .expect_err("the repository does not know this directory");

    assert!(
        error.to_string().contains("does not know this worktree"),
        "{error}"
    );
}

#[test]
fn committed_settings_are_refused_whatever_the_index_looks_like() {
    for version in ["2", "3", "4"] {
        let mut world = busy_repository();
        world.write(&world.project.join(".claude/settings.json"), "{}\n");
        world.git(&["add", "."]);
        world.git(&["update-index", "--index-version", version]);
        world.init().expect("a neighbour is no reason to refuse");
        world.uninit().expect("uninit");
        world.write(&world.settings(), "{}\n");
        world.git(&["add", "--force", "."]);
        world.git(&["update-index", "--index-version", version]);
        let before = world.contents();

        let error = world.init().expect_err("it would show in git status");

        assert!(error.what.contains("is committed"), "{error}");
        assert_eq!(world.contents(), before, "index version {version}");
    }
}

#[test]
fn without_git_the_directory_itself_is_the_project() {
    let mut world = World::new();
    fs::remove_dir_all(world.project.join(".git")).expect("rm");
    let before = world.contents();

    let outcome = world.init().expect("init");

    assert_eq!(outcome.root, world.project);
    assert_eq!(world.inspect().hidden_from_git, None);
    world.uninit().expect("uninit");
    assert_eq!(world.contents(), before);
}

#[test]
fn shared_files_are_the_only_thing_git_sees_of_a_team_wiring() {
    let mut world = busy_repository();
    let before = world.git_status();

    world.init_as(Scope::Team).expect("init");
    let shown: Vec<PathBuf> = world
        .git_status()
        .lines()
        .filter(|line| !before.contains(line))
        .map(|line| PathBuf::from(&line[3..]))
        .collect();
    assert_eq!(
        shown,
        [Path::new(".claude/settings.json"), Path::new(".mcp.json")]
    );
    world
        .uninit()
        .expect("what was written from here is taken back from here");

    assert_eq!(world.git_status(), before);
}
