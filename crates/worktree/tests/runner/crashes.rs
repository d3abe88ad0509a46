//! Whatever is killed in between, nothing leaks.

use std::{
    env, fs,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use kite_worktree::{Abandoned, Plan, abandon, make};

use crate::support::{Desk, git, write};

/// Where the child finds its plan.
const PLAN: &str = "KITE_TEST_PLAN";

/// Kills at so many moments, from before the first step to after the last.
const KILLS: u32 = 24;

#[test]
#[ignore = "it is the child of the story below"]
fn the_child() {
    let plan = fs::read(env::var_os(PLAN).expect("a plan")).expect("a plan");
    let plan: Plan = serde_json::from_slice(&plan).expect("a plan");
    make(&plan).expect("a worktree");
    // Killed before it could confirm.
    thread::sleep(Duration::from_mins(1));
}

#[test]
fn a_plan_whose_maker_was_killed_leaves_nothing() {
    let desk = Desk::new();
    for number in 0..200 {
        desk.write(format!("many/{number}"), "x\n".repeat(2_000));
    }
    desk.commit("many files");
    let took = {
        let began = Instant::now();
        let plan = desk.make("measured");
        abandon(&plan).expect("abandoned");
        began.elapsed()
    };
    let (mut begun, mut whole) = (0, 0);
    for kill in 0..KILLS {
        let plan = desk.plan("killed");
        let file = desk.root().join("plan.json");
        fs::write(&file, serde_json::to_vec(&plan).expect("JSON")).expect("a plan");
        let mut child = Command::new(env::current_exe().expect("this test"))
            .args(["--ignored", "--exact", "crashes::the_child"])
            .env(PLAN, &file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        thread::sleep(took * 2 * kill / KILLS);
        child.kill().expect("killed");
        child.wait().expect("ended");
        begun += u32::from(desk.leftovers() != [""; 0]);
        whole += u32::from(plan.path().join("many/199").exists());
        // Git, which was not killed, may still be at it: it is waited for.
        assert_eq!(abandon(&plan).expect("abandoned"), Abandoned::Gone);
        assert_eq!(desk.leftovers(), [""; 0], "after kill {kill}");
    }
    // The kills did hit something.
    assert!(begun > 0 && whole < KILLS, "{begun} begun, {whole} whole");
}

#[test]
fn a_git_that_was_killed_half_way_leaves_nothing() {
    let desk = Desk::new();
    for step in 0..6 {
        let plan = desk.plan("half");
        if step > 0 {
            let note = format!("kite: worktree {}", plan.id);
            git(
                &desk.repo(),
                [
                    "update-ref",
                    "--create-reflog",
                    "-m",
                    &note,
                    &format!("refs/heads/{}", plan.branch),
                    "HEAD",
                ],
            );
        }
        let name = plan.path().file_name().expect("a name");
        let entry: PathBuf = desk.repo().join(".git/worktrees").join(name);
        // In the order in which git writes them.
        if step > 1 {
            fs::create_dir_all(&entry).expect("a directory");
        }
        if step > 2 {
            let reason = format!(
                "made by Kite, id {}: `kite worktree remove` looks after it",
                plan.id
            );
            write(&entry.join("locked"), format!("{reason}\n"));
        }
        if step > 3 {
            write(
                &entry.join("gitdir"),
                format!("{}/.git\n", plan.path().display()),
            );
            write(
                &plan.path().join(".git"),
                format!("gitdir: {}\n", entry.display()),
            );
        }
        if step > 4 {
            write(&entry.join("commondir"), "../..\n");
            write(
                &entry.join("HEAD"),
                format!("ref: refs/heads/{}\n", plan.branch),
            );
            write(&entry.join("index.lock"), "");
            write(&plan.path().join("a.txt"), "o");
        }
        assert_eq!(abandon(&plan).expect("abandoned"), Abandoned::Gone);
        assert_eq!(desk.leftovers(), [""; 0], "step {step}");
    }
}

#[test]
fn what_was_whole_and_worked_in_stays() {
    let desk = Desk::new();
    let (dirty, ahead, clean) = (desk.make("dirty"), desk.make("ahead"), desk.make("clean"));
    write(&dirty.path().join("untracked"), "work");
    write(&ahead.path().join("new"), "work");
    git(ahead.path(), ["add", "-A"]);
    git(ahead.path(), ["commit", "-q", "-m", "work"]);
    assert_eq!(abandon(&dirty).expect("looked at"), Abandoned::Kept);
    assert_eq!(abandon(&ahead).expect("looked at"), Abandoned::Kept);
    assert_eq!(abandon(&clean).expect("looked at"), Abandoned::Gone);
    assert!(dirty.path().join("untracked").exists() && ahead.path().join("new").exists());
}

#[test]
fn a_branch_that_kite_did_not_make_or_that_has_moved_stays() {
    let desk = Desk::new();
    let (theirs, moved) = (desk.plan("theirs"), desk.plan("moved"));
    desk.git(["branch", &theirs.branch]);
    make(&moved).expect("a worktree");
    fs::remove_dir_all(moved.path()).expect("deleted by hand");
    desk.write("a.txt", "two\n");
    desk.commit("second");
    desk.git([
        "update-ref",
        &format!("refs/heads/{}", moved.branch),
        "HEAD",
    ]);
    for plan in [&theirs, &moved] {
        abandon(plan).expect("abandoned");
    }
    assert_eq!(
        desk.leftovers(),
        [moved.branch.as_str(), theirs.branch.as_str()]
    );
}
