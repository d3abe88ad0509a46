//! Stories of `kite init --git-hooks`: what is installed where, and how it goes again.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use kite_wire::home::Home;

use super::{
    wiring::{Error, InitArgs, Outcome, Scope},
    world::World,
};

const NAMES: [&str; 2] = ["pre-commit", "reference-transaction"];

fn init(world: &mut World) -> Result<Outcome, Error> {
    init_as(world, Scope::Personal, false)
}

fn init_as(world: &mut World, scope: Scope, dry_run: bool) -> Result<Outcome, Error> {
    let dir = world.project.clone();
    world.init_with(InitArgs {
        dir,
        scope,
        git_hooks: true,
        dry_run,
        allow_downgrade: false,
    })
}

fn hooks(world: &World) -> PathBuf {
    world.project.join(".git/hooks")
}

fn hook(world: &World, name: &str, text: &str, mode: u32) {
    let path = hooks(world).join(name);
    world.write(&path, text);
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("chmod");
}

/// A Kite that says how it was called, and ends with this code.
fn stand_in(world: &World, code: u8) -> PathBuf {
    let said = world.machine.user_home.join("said");
    let program = world.machine.home.bin().join("kite");
    let script = format!(
        "#!/bin/sh\n{{ echo \"kite $*\"; cat; }} >>'{}'\nexit {code}\n",
        said.display()
    );
    fs::write(&program, script).expect("write");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).expect("chmod");
    said
}

/// Whether git commits, and what is said on the way.
fn commits(world: &World) -> Result<(), String> {
    let output = std::process::Command::new("git")
        .current_dir(&world.project)
        .args(["-c", "user.name=t", "-c", "user.email=t@t"])
        .args(["commit", "--quiet", "--allow-empty", "-m", "x"])
        .env("HOME", &world.machine.user_home)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .expect("git runs");
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn hooks_come_and_go_without_a_trace() {
    let mut world = World::new();
    fs::remove_dir_all(hooks(&world)).expect("git has put samples there");
    let (before, status) = (world.contents(), world.git_status());

    let dry = init_as(&mut world, Scope::Personal, true).expect("dry run");
    assert_eq!(world.contents(), before);
    assert!(dry.changed.contains(&hooks(&world).join("pre-commit")));
    assert!(
        world
            .heard
            .diffs
            .iter()
            .any(|diff| diff.contains("+#!/bin/sh")),
        "{:?}",
        world.heard.diffs
    );
    init(&mut world).expect("init");
    for name in NAMES {
        let mode = fs::metadata(hooks(&world).join(name))
            .expect(name)
            .permissions();
        assert_eq!(mode.mode() & 0o777, 0o755);
    }
    assert_eq!(world.git_status(), status);
    let wired = world.everything(&world.project);
    let again = init(&mut world).expect("a second init");
    assert_eq!(again.changed, Vec::<PathBuf>::new());
    // Not asked for again, they stay.
    world.init().expect("a plain init");
    assert_eq!(world.everything(&world.project), wired);

    world.uninit().expect("uninit");
    assert_eq!(
        world.contents(),
        before,
        "also the directory of the hooks is gone"
    );
}

#[test]
fn a_hook_that_was_there_is_kept_and_comes_back_as_it_was() {
    let mut world = World::new();
    hook(&world, "pre-commit", "#!/bin/sh\nexit 0\n", 0o750);
    world.write(&world.project.join("scripts/refs"), "#!/bin/sh\nexit 0\n");
    symlink(
        "../../scripts/refs",
        hooks(&world).join("reference-transaction"),
    )
    .expect("link");
    let before = world.everything(&world.project);

    init(&mut world).expect("init");
    let kept = |name: &str| hooks(&world).join(format!("{name}.before-kite"));
    assert_eq!(world.read(&kept("pre-commit")), "#!/bin/sh\nexit 0\n");
    assert_eq!(
        fs::read_link(kept("reference-transaction")).expect("a link stays a link"),
        Path::new("../../scripts/refs")
    );
    init(&mut world).expect("a second init keeps nothing twice");

    world.uninit().expect("uninit");
    let mut after = world.everything(&world.project);
    // The exclude file was written, and written back.
    let exclude = world.project.join(".git/info/exclude");
    after.insert(exclude.clone(), before[&exclude].clone());
    assert_eq!(after, before, "bytes, modes and times");
}

#[test]
fn a_kept_hook_runs_first_with_its_input_and_its_verdict_counts() {
    let mut world = World::new();
    let log = world.machine.user_home.join("mine");
    let mine = format!(
        "#!/bin/sh\n{{ echo \"$0 $*\"; cat; }} >>'{}'\n",
        log.display()
    );
    for name in NAMES {
        hook(&world, name, &mine, 0o755);
    }
    init(&mut world).expect("init");
    let said = stand_in(&world, 0);
    commits(&world).expect("both let it pass");
    world.git(&["branch", "side"]);

    let mine_said = world.read(&log);
    assert!(mine_said.contains("pre-commit.before-kite"), "{mine_said}");
    for part in ["prepared\n", "committed\n", " refs/heads/side\n", " HEAD\n"] {
        assert!(mine_said.contains(part), "{part:?} in {mine_said}");
    }
    let kite_said = world.read(&said);
    let expected = [
        "kite git-hook pre-commit",
        "kite git-hook reference-transaction prepared",
    ];
    for part in [&expected[..], &[" refs/heads/side\n"]].concat() {
        assert!(kite_said.contains(part), "{part:?} in {kite_said}");
    }

    for name in NAMES {
        let refusing = format!("{mine}exit 7\n");
        fs::write(hooks(&world).join(format!("{name}.before-kite")), refusing).expect("write");
        fs::remove_file(&said).expect("start anew");
        commits(&world).expect_err("the kept hook refuses");
        let kite_said = fs::read_to_string(&said).unwrap_or_default();
        assert!(!kite_said.contains(name), "{name} was asked: {kite_said}");
        fs::write(hooks(&world).join(format!("{name}.before-kite")), &mine).expect("write");
        fs::write(&said, "").expect("write");
    }
}

#[test]
fn a_hook_that_was_not_executable_does_not_run() {
    let mut world = World::new();
    hook(&world, "pre-commit", "#!/bin/sh\nexit 1\n", 0o644);
    init(&mut world).expect("init");
    stand_in(&world, 0);
    commits(&world).expect("git would not have run it either");
    world.uninit().expect("uninit");
    let mode = fs::metadata(hooks(&world).join("pre-commit")).expect("it is back");
    assert_eq!(mode.permissions().mode() & 0o777, 0o644);
}

#[test]
fn only_a_refusal_stops_git() {
    let mut world = World::new();
    init(&mut world).expect("init");
    for (code, passes) in [(0, true), (1, false), (2, true), (101, true), (127, true)] {
        stand_in(&world, code);
        assert_eq!(commits(&world).is_ok(), passes, "kite ends with {code}");
    }
    fs::write(
        world.machine.home.bin().join("kite"),
        [0x7f, b'E', b'L', b'F'],
    )
    .expect("write");
    commits(&world).expect("a program that cannot run");
    fs::remove_dir_all(world.machine.home.path()).expect("rm -r ~/.kite");
    commits(&world).expect("a home that is gone");
    world.git(&["commit", "--quiet", "--amend", "--allow-empty", "-m", "y"]);

    world.uninit().expect("what is left is known by itself");
    assert!(NAMES.iter().all(|name| !hooks(&world).join(name).exists()));
}

#[test]
fn a_home_of_any_name_is_called() {
    let mut world = World::new();
    let home = world.machine.user_home.join("it's $HOME `x`; a \"home\"");
    world.machine.home = Home::at(home);
    init(&mut world).expect("init");
    let said = stand_in(&world, 0);
    commits(&world).expect("the shell understands it");
    assert!(world.read(&said).contains("kite git-hook pre-commit"));
    world.uninit().expect("uninit");
    assert!(!hooks(&world).join("pre-commit").exists());
}

#[test]
fn hooks_that_belong_to_the_project_are_not_written_to() {
    let mut world = World::new();
    world.write(&world.project.join(".husky/pre-commit"), "npm test\n");
    world.git(&["add", "."]);
    world.git(&["commit", "--quiet", "-m", "husky"]);
    world.git(&["config", "core.hooksPath", ".husky"]);
    let status = world.git_status();

    init(&mut world).expect("the rest is wired");

    assert_eq!(world.git_status(), status);
    assert!(!hooks(&world).join("pre-commit").exists());
    let said = world.heard.lines.join("\n");
    for part in [
        "core.hooksPath",
        "this working copy",
        "\"$k\" git-hook pre-commit",
    ] {
        assert!(said.contains(part), "{part} in {said}");
    }
    // The line works in a hook of any shell.
    let line = world
        .heard
        .lines
        .iter()
        .find(|line| line.contains("git-hook pre-commit"));
    let line = line.expect("the line").trim().to_owned();
    let script = format!("{line}\necho passed\n");
    for (code, passed) in [(0, "passed\n"), (1, ""), (2, "passed\n")] {
        stand_in(&world, code);
        let output = std::process::Command::new("sh")
            .args(["-c", &script])
            .env("KITE_HOME", world.machine.home.path())
            .stdin(std::process::Stdio::null())
            .output()
            .expect("sh");
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            passed,
            "{output:?}"
        );
    }
}

#[test]
fn hooks_of_all_repositories_are_not_written_to() {
    let mut world = World::new();
    let global = world.machine.user_home.join(".githooks");
    fs::create_dir(&global).expect("mkdir");
    world.git(&["config", "--global", "core.hooksPath", "~/.githooks"]);

    init(&mut world).expect("the rest is wired");

    assert_eq!(fs::read_dir(&global).expect("list").count(), 0);
    assert!(!hooks(&world).join("pre-commit").exists());
    let said = world.heard.lines.join("\n");
    assert!(said.contains("outside of this repository"), "{said}");
}

#[test]
fn a_linked_worktree_has_the_hooks_of_its_repository() {
    let mut world = World::new();
    world.git(&["commit", "--quiet", "--allow-empty", "-m", "x"]);
    let main = world.project.clone();
    let linked = main.with_file_name("linked");
    world.git(&["worktree", "add", "--quiet", linked.to_str().expect("text")]);
    world.project = linked;
    init(&mut world).expect("init");
    assert!(main.join(".git/hooks/pre-commit").exists());
    let said = stand_in(&world, 0);
    commits(&world).expect("in the linked one");
    assert!(world.read(&said).contains("pre-commit"));
    world.uninit().expect("uninit");
    assert!(!main.join(".git/hooks/pre-commit").exists());
}

#[test]
fn hooks_of_another_home_and_hooks_replaced_since_are_refused() {
    let mut world = World::new();
    init(&mut world).expect("init");
    let ours = world.machine.home.clone();
    world.machine.home = Home::at(world.machine.user_home.join("other"));
    world.uninit().expect("nothing of this home is there");
    assert!(
        hooks(&world).join("pre-commit").exists(),
        "of another home, so left alone"
    );

    world.machine.home = ours;
    world.uninit().expect("uninit");
    hook(&world, "pre-commit", "#!/bin/sh\n", 0o755);
    init(&mut world).expect("init");
    hook(&world, "pre-commit", "#!/bin/sh\n# of a framework\n", 0o755);
    let before = world.contents();
    let error = init(&mut world).expect_err("which of them would be kept?");
    assert!(
        error.to_string().contains("pre-commit.before-kite"),
        "{error}"
    );
    assert_eq!(world.contents(), before);
}

#[test]
fn without_a_repository_there_are_no_hooks() {
    let mut world = World::new();
    fs::remove_dir_all(world.project.join(".git")).expect("rm");
    let error = init(&mut world).expect_err("no repository");
    assert!(
        error.to_string().contains("is in no git repository"),
        "{error}"
    );
}

#[test]
fn a_project_that_a_wider_scope_wires_gets_hooks_alone() {
    let mut world = World::new();
    init_as(&mut world, Scope::User, false).expect("user");
    fs::remove_file(hooks(&world).join("pre-commit")).expect("rm");
    let outcome = init(&mut world).expect("init");
    assert_eq!(outcome.changed, [hooks(&world).join("pre-commit")]);
    assert!(!world.settings().exists());
}
