//! A hostile repository's code runs in none of our operations.

use std::fs;

use kite_worktree::{Abandoned, Removal, abandon, look, make};

use crate::support::{Desk, disposable, try_git, write};

/// A repository where everything that git would run by itself rings a bell: it makes a file.
fn hostile() -> Desk {
    let desk = Desk::new();
    let bells = desk.root().join("bells");
    fs::create_dir(&bells).expect("bells");
    let ring = |name: &str| format!("touch '{}'; cat", bells.join(name).display());
    for hook in [
        "post-checkout",
        "post-index-change",
        "reference-transaction",
        "pre-auto-gc",
        "post-merge",
        "fsmonitor-watchman",
    ] {
        let script = format!("#!/bin/sh\n{}\n", ring(hook));
        desk.script(&format!("../hooks/{hook}"), &script);
        desk.script(&format!(".git/hooks/{hook}"), &script);
    }
    desk.write(
        ".gitattributes",
        "*.txt filter=evil diff=evil merge=evil\nproc* filter=proc\ninc* filter=included\n\
         only* filter=only-there\nbranch* filter=only-branch\nodd* filter=a=b.c\n",
    );
    for name in ["proc", "inc", "only", "branch", "odd"] {
        desk.write(format!("{name}.bin"), format!("{name}\n"));
    }
    // Committed before the filters are there, so that it is in the repository as it is here.
    desk.commit("files");
    for (key, bell) in [
        ("core.fsmonitor", "fsmonitor"),
        ("filter.evil.clean", "clean"),
        ("filter.evil.smudge", "smudge"),
        ("filter.a=b.c.smudge", "odd-smudge"),
        ("filter.proc.process", "process"),
        ("diff.evil.textconv", "textconv"),
        ("diff.evil.command", "diff-command"),
        ("diff.external", "diff-external"),
        ("merge.evil.driver", "merge-driver"),
        ("core.pager", "pager"),
        ("core.sshCommand", "ssh"),
        ("hook.x.command", "config-hook"),
        ("core.alternateRefsCommand", "alternate-refs"),
    ] {
        desk.git(["config", key, &ring(bell)]);
    }
    for alias in [
        "status",
        "worktree",
        "reset",
        "rev-parse",
        "update-ref",
        "reflog",
    ] {
        desk.git([
            "config",
            &format!("alias.{alias}"),
            &format!("!{}", ring("alias")),
        ]);
    }
    let hooks = desk.root().join("hooks").display().to_string();
    for (key, value) in [
        ("core.hooksPath", hooks.as_str()),
        ("hook.x.event", "post-checkout"),
        ("filter.evil.required", "true"),
        ("filter.proc.required", "true"),
        ("submodule.recurse", "true"),
    ] {
        desk.git(["config", key, value]);
    }
    // Settings that only count in a linked worktree, or on one of Kite's branches: they are not to be
    // seen from the working copy that it comes from.
    for (file, condition, filter, bell) in [
        ("included", "", "included", "included"),
        (
            "only-there",
            "gitdir:**/worktrees/**",
            "only-there",
            "only-there",
        ),
        (
            "only-branch",
            "onbranch:kite/**",
            "only-branch",
            "only-branch",
        ),
    ] {
        let command = ring(bell);
        desk.write(
            format!("../{file}"),
            format!("[filter \"{filter}\"]\n\tsmudge = \"{command}\"\n\tclean = \"{command}\"\n\trequired\n[core]\n\tfsmonitor = \"{command}\"\n"),
        );
        let path = desk.root().join(file).display().to_string();
        let key = match condition {
            "" => "include.path".to_owned(),
            condition => format!("includeIf.{condition}.path"),
        };
        desk.git(["config", "--add", &key, &path]);
    }
    for bell in bells_of(&desk) {
        fs::remove_file(desk.root().join("bells").join(bell)).expect("silenced");
    }
    desk
}

fn bells_of(desk: &Desk) -> Vec<String> {
    let bells = fs::read_dir(desk.root().join("bells")).expect("bells");
    let mut bells: Vec<String> = bells
        .map(|bell| {
            bell.expect("a bell")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    bells.sort();
    bells
}

#[test]
fn the_bells_ring_for_plain_git() {
    // The control: without the overrides these canaries do sing.
    let desk = hostile();
    try_git(
        &desk.repo(),
        ["worktree", "add", "-q", "-b", "kite/plain", "../plain"],
    );
    // Its checkout fails at the filter that must not fail, and no hook is run after it.
    desk.git(["config", "--unset", "filter.proc.required"]);
    let args = ["worktree", "add", "-q", "-b", "kite/plain-2", "../plain-2"];
    try_git(&desk.repo(), args);
    let rung = bells_of(&desk);
    for bell in [
        "post-checkout",
        "smudge",
        "process",
        "odd-smudge",
        "included",
        "only-there",
        "only-branch",
        "reference-transaction",
    ] {
        assert!(
            rung.iter().any(|it| it == bell),
            "{bell} did not ring: {rung:?}"
        );
    }
}

#[test]
fn no_operation_rings_a_bell() {
    let desk = hostile();
    let plan = desk.plan("x");
    make(&plan).expect("a worktree");
    for name in ["proc", "inc", "only", "branch", "odd"] {
        let file = plan.path().join(format!("{name}.bin"));
        assert_eq!(
            fs::read_to_string(file).expect("as it is stored"),
            format!("{name}\n")
        );
    }
    look(&plan, &disposable()).expect("a look");
    write(&plan.path().join("a.txt"), "changed\n");
    write(&plan.path().join("untracked.txt"), "u\n");
    assert_eq!(desk.losses(&plan).len(), 1);
    let removal = Removal {
        unmerged: true,
        uncommitted: true,
    };
    desk.remove(&plan, removal).expect("removed");
    let plan = desk.make("abandoned");
    assert_eq!(abandon(&plan).expect("abandoned"), Abandoned::Gone);
    let gone = desk.make("gone");
    fs::remove_dir_all(gone.path()).expect("deleted by hand");
    desk.remove(&gone, Removal::default()).expect("forgotten");
    assert_eq!(bells_of(&desk), [""; 0]);
}

#[test]
fn settings_of_one_worktree_ring_no_bell() {
    let desk = hostile();
    desk.git(["config", "extensions.worktreeConfig", "true"]);
    let ring = format!("touch '{}'; cat", desk.root().join("bells/own").display());
    desk.git(["config", "--worktree", "filter.only-there.smudge", &ring]);
    desk.git(["config", "--worktree", "filter.only-there.clean", &ring]);
    for bell in bells_of(&desk) {
        fs::remove_file(desk.root().join("bells").join(bell)).expect("silenced");
    }
    let plan = desk.make("x");
    desk.remove(&plan, Removal::default()).expect("removed");
    assert_eq!(bells_of(&desk), [""; 0]);
}
