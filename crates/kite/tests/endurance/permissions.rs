//! A home is its owner's alone.

use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt, symlink},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use rustix::process::geteuid;
use serde_json::json;

use crate::world::{World, figure};

/// Somebody who has nothing to do with whoever runs the tests.
const NOBODY: u32 = 65_534;

/// A home in which all has happened that makes files.
fn lived_in(umask: &str) -> World {
    let mut world = World::new();
    let kite = env!("CARGO_BIN_EXE_kite");
    let mut init = Command::new("sh");
    world.surround(&mut init);
    let script = format!("umask {umask}; exec \"$0\" init");
    let output = init.args(["-c", &script, kite]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let session = world.session();
    assert!(world.before_edit(&session, "a.rs").lets_go_on());
    let lock = json!({"type": "lock", "paths": ["b.rs"], "mcp_tool": "kite_file_lock", "session_id": session.id});
    assert_eq!(world.ask(&lock)["ok"], true);
    world.run(&["task", "create", "a task"]);
    // A fault, a restart: their files too.
    world.hook_with(&session, "PreToolUse", &vec![b' '; (32 << 20) + 1]);
    let mut restart = Command::new("sh");
    world.surround(&mut restart);
    let script = format!("umask {umask}; exec \"$0\" daemon restart");
    assert!(
        restart
            .args(["-c", &script, kite])
            .output()
            .unwrap()
            .status
            .success()
    );
    world
}

#[test]
fn everything_in_a_home_is_its_owners_alone() {
    for umask in ["000", "022", "077"] {
        let world = lived_in(umask);
        let mut seen = 0;
        check(&world.home, &mut seen);
        assert!(
            world.home.join("hook-faults").exists() || seen > 8,
            "{seen} files"
        );
    }
}

/// Directories 0700, files and sockets 0600, programs 0700.
fn check(path: &Path, seen: &mut usize) {
    let metadata = fs::symlink_metadata(path).unwrap();
    let mode = metadata.permissions().mode() & 0o7777;
    let kind = metadata.file_type();
    *seen += 1;
    if kind.is_dir() {
        assert_eq!(mode, 0o700, "{}", path.display());
        for entry in fs::read_dir(path).unwrap() {
            check(&entry.unwrap().path(), seen);
        }
    } else if path.parent().unwrap().ends_with("bin") {
        assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", path.display());
    } else {
        assert!(kind.is_file() || kind.is_socket(), "{}", path.display());
        assert_eq!(mode, 0o600, "{}", path.display());
    }
}

#[test]
fn another_user_cannot_connect() {
    if !geteuid().is_root() {
        return figure(format_args!("another user: not tried, that needs root"));
    }
    let mut world = World::started();
    // A way in that the modes of the directories do not bar: only the daemon itself is left to
    // look at who comes.
    let open = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o755))
        .tempdir()
        .unwrap();
    let kite = open.path().join("kite");
    fs::copy(env!("CARGO_BIN_EXE_kite"), &kite).unwrap();
    let as_nobody = |home: &Path| {
        let mut command = Command::new(&kite);
        world.surround(&mut command);
        let command = command.current_dir("/").uid(NOBODY).gid(NOBODY);
        command
            .env("KITE_HOME", home)
            .args(["daemon", "status", "--json"])
            .output()
            .unwrap()
    };
    let refused = as_nobody(&world.home);
    assert!(
        !refused.status.success() && refused.stdout.is_empty(),
        "{refused:?}"
    );

    for (path, mode) in [
        (world.home.parent().unwrap(), 0o755),
        (&world.home, 0o755),
        (&world.socket(), 0o666),
    ] {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
    let elsewhere = open.path().join("home");
    fs::create_dir(&elsewhere).unwrap();
    symlink(world.socket(), elsewhere.join("kite.sock")).unwrap();
    let ours = Command::new(&kite)
        .env("KITE_HOME", &elsewhere)
        .args(["daemon", "status"])
        .output()
        .unwrap();
    assert!(ours.status.success(), "the way in is open: {ours:?}");
    for home in [&world.home, &elsewhere] {
        let refused = as_nobody(home);
        assert!(
            !refused.status.success() && refused.stdout.is_empty(),
            "{refused:?}"
        );
    }
    let session = world.session();
    assert_eq!(
        world.ask(&json!({"type": "heartbeat", "session_id": session.id}))["ok"],
        true
    );
}
