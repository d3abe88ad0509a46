//! The programs in the home, and which build may replace which.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use super::{
    wiring::{InitArgs, Installed, Scope},
    world::{World, build},
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("file").permissions().mode() & 0o777
}

#[test]
fn programs_are_installed_for_this_user_alone() {
    let mut world = World::new();

    let outcome = world.init().expect("init");

    assert_eq!(outcome.installed, Some(Installed::New));
    let home = world.machine.home.clone();
    assert!(home.marker().exists());
    assert_eq!(world.read(&home.bin().join("kite")), "the program");
    assert_eq!(world.read(&home.bin().join("kite-hook")), "the hook");
    for path in [
        home.path().to_owned(),
        home.bin(),
        home.bin().join("kite"),
        home.bin().join("kite-hook"),
    ] {
        assert_eq!(mode(&path), 0o700, "{}", path.display());
    }
}

#[test]
fn a_newer_build_replaces_an_older_one_beside_it() {
    let mut world = World::new();
    world.init().expect("init");
    let kite = world.machine.home.bin().join("kite");
    let running = fs::File::open(&kite).expect("as a session that runs it");
    fs::write(&world.machine.programs.kite, "a newer program").expect("write");
    world.machine.programs.build = build("0.2.0+50");

    let outcome = world.init().expect("init");

    assert_eq!(
        outcome.installed,
        Some(Installed::Replaced(Some(build("0.1.0+100"))))
    );
    assert_eq!(world.read(&kite), "a newer program");
    let old = std::io::read_to_string(&running).expect("the old program is still there");
    assert_eq!(old, "the program");
    assert_ne!(
        running.metadata().expect("old").ino(),
        fs::metadata(&kite).expect("new").ino()
    );
}

#[test]
fn a_changed_program_under_one_build_number_is_installed_as_well() {
    let mut world = World::new();
    world.init().expect("init");
    fs::write(&world.machine.programs.kite, "built again").expect("write");

    world.init().expect("init");

    assert_eq!(
        world.read(&world.machine.home.bin().join("kite")),
        "built again"
    );
}

#[test]
fn an_older_build_asks_and_takes_no_for_an_answer() {
    let mut world = World::new();
    world.init().expect("init");
    let home = world.machine.home.path().to_owned();
    let before = world.everything(&home);
    fs::write(&world.machine.programs.kite, "an older program").expect("write");
    world.machine.programs.build = build("0.1.0+99");

    for answer in [None, Some(false)] {
        world.heard.answer = answer;
        let error = world.init().expect_err("a newer build is installed");
        assert!(
            error.what.contains("0.1.0+100") && error.what.contains("0.1.0+99"),
            "{error}"
        );
        assert!(
            error
                .hint
                .as_deref()
                .is_some_and(|hint| hint.contains("--allow-downgrade"))
        );
        assert_eq!(world.everything(&home), before);
    }
    assert_eq!(world.heard.questions.len(), 2);

    world.heard.answer = Some(true);
    world.init().expect("yes");
    assert_eq!(world.read(&home.join("bin/kite")), "an older program");
}

#[test]
fn a_flag_answers_the_question_in_advance() {
    let mut world = World::new();
    world.init().expect("init");
    world.machine.programs.build = build("0.0.9+1");
    let dir = world.project.clone();

    let args = InitArgs {
        dir,
        scope: Scope::Personal,
        git_hooks: false,
        dry_run: false,
        allow_downgrade: true,
    };
    world.init_with(args).expect("init");

    assert!(world.heard.questions.is_empty());
    assert_eq!(
        world.read(&world.machine.home.bin().join("build")),
        "0.0.9+1\n"
    );
}

#[test]
fn a_directory_full_of_something_else_does_not_become_a_home() {
    let mut world = World::new();
    let home = world.machine.home.path().to_owned();
    fs::create_dir(&home).expect("mkdir");
    fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).expect("chmod");
    fs::write(home.join("thesis.tex"), "years of work").expect("write");

    let error = world.init().expect_err("not a Kite home");

    assert!(error.what.contains("is not a Kite home"), "{error}");
    assert_eq!(mode(&home), 0o755);
    assert!(!world.settings().exists());
}

#[test]
fn without_an_agent_it_works_and_says_so_in_one_line() {
    let mut world = World::new();

    let outcome = world.init().expect("init");
    let said = |world: &World| {
        world
            .heard
            .lines
            .iter()
            .filter(|line| line.contains("No `claude` on PATH"))
            .count()
    };
    assert!(!outcome.has_agent);
    assert_eq!(said(&world), 1);
    assert!(outcome.next.len() <= 3);

    let claude = world.machine.user_home.join("bin/claude");
    world.write(&claude, "#!/bin/sh\n");
    fs::set_permissions(&claude, fs::Permissions::from_mode(0o755)).expect("chmod");
    world.machine.path = claude.parent().expect("parent").as_os_str().to_owned();
    assert!(world.init().expect("again").has_agent);
    assert_eq!(said(&world), 1);
}
