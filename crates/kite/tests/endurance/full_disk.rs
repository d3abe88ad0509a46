//! A disk without room, on a small file system of its own.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::geteuid;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::world::{Session, World, eventually, figure};

const SIZE: &str = "size=64m,mode=0700";

/// A file system in memory, until dropped.
struct Disk(TempDir);

impl Disk {
    /// `None` where mounting is not permitted.
    fn mount() -> Option<Disk> {
        let at = tempfile::Builder::new().prefix("kite-").tempdir().unwrap();
        let mut mount = Command::new("mount");
        let mounted = mount
            .args(["-t", "tmpfs", "-o", SIZE, "kite-test"])
            .arg(at.path())
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Disk(at))
    }

    fn path(&self) -> PathBuf {
        fs::canonicalize(self.0.path()).unwrap()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn a_full_disk_refuses_what_is_new_and_loses_nothing() {
    let disk = geteuid().is_root().then(Disk::mount).flatten();
    let Some(disk) = disk else {
        return figure(format_args!(
            "full disk: not tried, mounting is not permitted"
        ));
    };
    let mut world = World::at(disk.path().join("home"));
    world.start();
    let (session, other) = (world.session(), world.session());
    let create = |number: usize| {
        let description = "x".repeat(4_000);
        let title = format!("task {number}");
        world.ask(&json!({
            "type": "task_create", "title": title, "description": description,
            "op_id": format!("op-{number}"), "session_id": session.id,
        }))
    };
    let lock = |file: &str, session: &Session| {
        json!({
            "type": "lock", "paths": [file], "keep": true, "session_id": session.id,
        })
    };
    let mut promised: Vec<Value> = (0..20).map(create).collect();
    for file in ["a.rs", "b.rs", "c.rs"] {
        assert_eq!(world.ask(&lock(file, &session))["ok"], true);
    }

    let filler = disk.path().join("filler");
    fill(&filler);
    let mut number = promised.len();
    let refused = loop {
        let reply = create(number);
        number += 1;
        match reply["ok"] == true {
            true => promised.push(reply),
            false => break reply,
        }
        assert!(number < 5_000, "the disk is never full");
    };
    assert_eq!(refused["error"]["code"], "storage_full", "{refused}");
    assert_eq!(
        world.ask(&lock("d.rs", &other))["error"]["code"],
        "storage_full"
    );
    assert_eq!(world.status()["stats"]["daemon"]["state"], "storage_full");
    let listed = world.ask(&json!({"type": "query", "target": "locks"}));
    assert_eq!(
        listed["locks"].as_array().unwrap().len(),
        3,
        "reads work: {listed}"
    );
    let released =
        world.ask(&json!({"type": "unlock", "paths": ["a.rs"], "session_id": session.id}));
    assert_eq!(released["outcome"], "released", "{released}");
    world.kill(&session);
    eventually("a death frees also now", || {
        let listed = world.ask(&json!({"type": "query", "target": "locks"}));
        listed["locks"].as_array().unwrap().is_empty()
    });

    fs::remove_file(&filler).unwrap();
    let again = eventually("there is room again", || {
        world.ask(&lock("d.rs", &other))["ok"] == true
    });
    figure(format_args!(
        "full disk: {} tasks acknowledged, refused by name afterwards; writes work {} ms after there is room",
        promised.len(),
        again.as_millis(),
    ));
    assert_eq!(world.status()["stats"]["daemon"]["state"], "ok");
    // What was promised is there after a restart, and what was released stays released.
    for how in ["running", "restarted"] {
        for task in &promised {
            let id = task["task"]["id"].as_str().unwrap();
            let shown = world.ask(&json!({"type": "task_show", "task": id}));
            assert_eq!(
                shown["task"]["title"], task["task"]["title"],
                "lost while {how}: {task}"
            );
        }
        let locks = world.ask(&json!({"type": "query", "target": "locks"}));
        assert_eq!(
            locks["locks"].as_array().unwrap().len(),
            1,
            "{how}: {locks}"
        );
        world.run(&["daemon", "restart"]);
    }
}

/// Leaves no room at all.
fn fill(path: &Path) {
    let mut file = File::create(path).unwrap();
    let mut size = 64 << 10;
    while size > 0 {
        if file.write_all(&vec![0; size]).is_err() {
            size /= 2;
        }
    }
}
