//! A hostile repository's code runs in none of our operations.

use std::fs;

use kite_undo::{
    Git,
    snapshot::{self, Keep, Options, Why},
};

use crate::support::Desk;

/// A repository where everything that git would run by itself rings a bell: it makes a file.
pub(crate) fn hostile() -> Desk {
    let desk = Desk::new();
    let bells = desk.directory.path().join("bells");
    fs::create_dir(&bells).expect("bells");
    let ring = |name: &str| format!("touch '{}'; cat", bells.join(name).display());
    desk.script("../ring.sh", &format!("#!/bin/sh\n{}\n", ring("script")));
    for (key, bell) in [
        ("core.fsmonitor", "fsmonitor"),
        ("filter.evil.clean", "clean"),
        ("filter.evil.smudge", "smudge"),
        ("filter.a=b.c.clean", "odd-clean"),
        ("filter.proc.process", "process"),
        ("diff.evil.textconv", "textconv"),
        ("diff.evil.command", "diff-command"),
        ("diff.external", "diff-external"),
        ("core.pager", "pager"),
        ("core.editor", "editor"),
        ("core.sshCommand", "ssh"),
        ("merge.evil.driver", "merge-driver"),
        ("alias.status", "alias"),
        ("hook.x.command", "config-hook"),
        ("gpg.program", "gpg"),
        ("core.alternateRefsCommand", "alternate-refs"),
    ] {
        let value = match key {
            "alias.status" => format!("!{}", ring(bell)),
            _ => ring(bell),
        };
        desk.git(["config", key, &value]);
    }
    for (key, value) in [
        ("filter.evil.required", "true"),
        ("filter.proc.required", "true"),
        ("hook.x.event", "reference-transaction"),
        ("commit.gpgSign", "true"),
        ("core.attributesFile", "/nowhere"),
    ] {
        desk.git(["config", key, value]);
    }
    // One more filter, through an include.
    desk.write(
        "../included",
        format!(
            "[filter \"included\"]\n\tclean = \"{}\"\n",
            ring("included")
        ),
    );
    desk.git(["config", "include.path", "../../included"]);
    for hook in [
        "post-index-change",
        "reference-transaction",
        "pre-commit",
        "post-commit",
        "post-checkout",
        "fsmonitor-watchman",
        "pre-auto-gc",
    ] {
        let path = format!(".git/hooks/{hook}");
        desk.script(&path, &format!("#!/bin/sh\n{}\n", ring(hook)));
    }
    desk.write(
        ".gitattributes",
        "*.txt filter=evil diff=evil merge=evil\nodd* filter=a=b.c\nproc* filter=proc\ninc* filter=included\n",
    );
    desk
}

pub(crate) fn bells(desk: &Desk) -> Vec<String> {
    let bells = fs::read_dir(desk.directory.path().join("bells")).expect("bells");
    bells
        .map(|bell| {
            bell.expect("a bell")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect()
}

fn make_dirty(desk: &Desk) {
    // Same size, other content: git must look inside to tell.
    desk.write("a.txt", "ONE\ntwo\nthree\n");
    desk.write("odd.bin", "odd\n");
    desk.write("proc.bin", "proc\n");
    desk.write("inc.bin", "inc\n");
}

#[test]
fn the_bells_ring_for_plain_git() {
    // The control: without the overrides these canaries do sing.
    let desk = hostile();
    make_dirty(&desk);
    let _ = desk.try_git(["status"]);
    let _ = desk.try_git(["add", "-A"]);
    let rung = bells(&desk);
    for bell in ["fsmonitor", "clean", "post-index-change"] {
        assert!(
            rung.iter().any(|it| it == bell),
            "{bell} did not ring: {rung:?}"
        );
    }
}

#[test]
fn no_operation_rings_a_bell() {
    let desk = hostile();
    make_dirty(&desk);
    let why = Why::default();
    let git = Git::open(&desk.repo()).expect("git");
    snapshot::dirty(&desk.repo()).expect("dirty");
    let snapshot = snapshot::take(&desk.repo(), &why, &Options::default())
        .expect("git")
        .expect("dirty");
    snapshot::load(&git, snapshot.number).expect("the snapshot");
    let keep = Keep {
        count_max: 0,
        ..Keep::default()
    };
    assert_eq!(snapshot::prune(&git, 0, &keep).expect("prune"), 1);
    // The way back, too: a merge, the index, a file that a filter would smudge.
    let edit = desk.edit("a", "a.txt", Some("1\n2\n3\n4\n"));
    desk.write("a.txt", "1\n2\n3\n4\n5\n");
    let report = desk.undo(edit);
    assert!(report.number.is_some());
    let number = desk.rescue("git stash");
    fs::remove_file(desk.path("odd.bin")).expect("remove");
    let history = desk.history();
    history.note_after(number, 0).expect("noted");
    history.show(number).expect("shown");
    desk.undo(number);
    assert_eq!(desk.text("odd.bin"), "odd\n");
    history.prune(std::time::SystemTime::now()).expect("pruned");
    assert_eq!(bells(&desk), Vec::<String>::new());
}

#[test]
fn another_sessions_git_environment_is_not_ours() {
    // Tests share a process: the environment is set for a child that runs the story above.
    let test = std::env::current_exe().expect("this test");
    let ended = std::process::Command::new(test)
        .args(["--exact", "canaries::no_operation_rings_a_bell"])
        .env("GIT_DIR", "/nowhere")
        .env("GIT_INDEX_FILE", "/nowhere/index")
        .env("GIT_EXTERNAL_DIFF", "false")
        .env("GIT_TRACE2_EVENT", "/dev/stderr")
        .output()
        .expect("the test");
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stdout)
    );
    assert!(!String::from_utf8_lossy(&ended.stderr).contains("\"event\""));
}

#[test]
fn a_work_tree_that_is_elsewhere_is_refused() {
    let desk = Desk::new();
    let elsewhere = desk.directory.path().to_str().expect("text").to_owned();
    desk.git(["config", "core.worktree", &elsewhere]);
    let refused = snapshot::take(&desk.repo(), &Why::default(), &Options::default());
    assert!(refused.is_err(), "{refused:?}");
}
