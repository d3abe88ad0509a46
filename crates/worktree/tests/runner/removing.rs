//! A worktree goes when nothing is lost with it, and says what would be.

use std::{fs, os::unix::fs::symlink, path::Path};

use kite_worktree::{Error, Found, Loss, Plan, Removal, look};

use crate::support::{Desk, disposable, git, write};

const UNMERGED: Removal = Removal {
    unmerged: true,
    uncommitted: false,
};
const UNCOMMITTED: Removal = Removal {
    unmerged: false,
    uncommitted: true,
};

/// One commit of an agent.
fn work(plan: &Plan, file: &str) {
    write(&plan.path().join(file), "work\n");
    git(plan.path(), ["add", "-A"]);
    git(plan.path(), ["commit", "-q", "-m", "work"]);
}

fn uncommitted(losses: &[Loss]) -> Vec<&str> {
    let paths = losses.iter().find_map(|loss| match loss {
        Loss::Uncommitted { paths, .. } => Some(paths),
        _ => None,
    });
    let paths = paths.map(Vec::as_slice).unwrap_or_default();
    paths
        .iter()
        .map(|path| path.to_str().expect("text"))
        .collect()
}

#[test]
fn what_is_clean_and_merged_goes_with_its_branch() {
    let desk = Desk::new();
    let plan = desk.make("x");
    work(&plan, "new.txt");
    desk.git(["merge", "-q", "--no-ff", "-m", "merged", &plan.branch]);
    let removed = desk.remove(&plan, Removal::default()).expect("removed");
    assert!(!removed.branch_kept);
    assert_eq!(removed.rescue, None);
    assert_eq!(desk.leftovers(), [""; 0]);
    assert!(desk.repo().join("new.txt").exists());
}

#[test]
fn what_the_project_has_counts_as_merged_though_it_came_from_another_branch() {
    let desk = Desk::new();
    let first = desk.make("first");
    work(&first, "first.txt");
    let second = desk.make_from("second", &first.branch);
    work(&second, "second.txt");
    desk.git(["merge", "-q", "--no-ff", "-m", "both", &second.branch]);
    for plan in [&first, &second] {
        let removed = desk.remove(plan, Removal::default()).expect("removed");
        assert!(!removed.branch_kept);
    }
    assert_eq!(desk.leftovers(), [""; 0]);
}

#[test]
fn what_was_pushed_counts_as_merged() {
    let desk = Desk::new();
    desk.git(["clone", "-q", "--bare", ".", "../origin"]);
    desk.git(["remote", "add", "origin", "../origin"]);
    let plan = desk.make("x");
    work(&plan, "new.txt");
    assert_eq!(look(&plan, &disposable()).expect("a look").unmerged(), 1);
    let origin = desk.root().join("origin").display().to_string();
    git(plan.path(), ["remote", "set-url", "origin", &origin]);
    git(plan.path(), ["push", "-q", "-u", "origin", &plan.branch]);
    desk.remove(&plan, Removal::default()).expect("removed");
    assert_eq!(desk.leftovers(), [""; 0]);
    // Neither is a setting left of the branch that it followed.
    assert!(!desk.git(["config", "--list"]).contains("branch.kite/"));
}

#[test]
fn an_unmerged_branch_stays() {
    let desk = Desk::new();
    let plan = desk.make("x");
    work(&plan, "new.txt");
    let losses = desk.losses(&plan);
    let [
        Loss::Unmerged {
            commits: 1, into, ..
        },
    ] = losses.as_slice()
    else {
        panic!("{losses:?}");
    };
    assert_eq!(into.as_deref(), Some("main"));
    assert!(plan.path().join("new.txt").exists());
    let removed = desk.remove(&plan, UNMERGED).expect("removed");
    assert!(removed.branch_kept);
    assert!(!plan.path().exists());
    assert_eq!(
        desk.git(["show", &format!("{}:new.txt", plan.branch)]),
        "work\n"
    );
}

#[test]
fn files_that_are_not_committed_are_named_and_stay() {
    let desk = Desk::new();
    desk.write(".gitignore", ".env\ntarget/\nnode_modules\n*.pyc\nconf/\n");
    desk.commit("ignored");
    let plan = desk.make("x");
    let at = |path: &str| plan.path().join(path);
    write(&at("target/debug/big"), "built");
    write(&at("dir/x.pyc"), "built");
    for (path, content) in [
        ("a.txt", "changed\n"),
        ("untracked", "u"),
        (".env", "SECRET=1"),
        ("conf/local", "c"),
    ] {
        write(&at(path), content);
        let losses = desk.losses(&plan);
        assert_eq!(uncommitted(&losses), [path]);
        assert_eq!(fs::read_to_string(at(path)).expect("it stays"), content);
        match path {
            "a.txt" => write(&at(path), "one\n"),
            _ => fs::remove_file(at(path)).expect("removed"),
        }
    }
    // Staged and put back is not clean either.
    write(&at("a.txt"), "staged\n");
    git(plan.path(), ["add", "a.txt"]);
    write(&at("a.txt"), "one\n");
    assert_eq!(uncommitted(&desk.losses(&plan)), ["a.txt"]);
    git(plan.path(), ["reset", "-q"]);
    // And what git was told not to look at.
    git(plan.path(), ["update-index", "--assume-unchanged", "a.txt"]);
    write(&at("a.txt"), "overlooked\n");
    assert_eq!(uncommitted(&desk.losses(&plan)), ["a.txt"]);
    assert_eq!(
        fs::read_to_string(at("a.txt")).expect("it stays"),
        "overlooked\n"
    );
    write(&at("a.txt"), "one\n");
    // Only what tools make again is left: it goes, and it is said.
    let removed = desk.remove(&plan, Removal::default()).expect("removed");
    let mut disposed = removed.disposed;
    disposed.sort();
    assert_eq!(disposed, [Path::new("dir/x.pyc"), Path::new("target")]);
    assert_eq!(desk.leftovers(), [""; 0]);
}

#[test]
fn a_link_to_somebody_elses_directory_is_not_followed() {
    let desk = Desk::new();
    desk.write(".gitignore", "node_modules\n");
    desk.commit("ignored");
    desk.write("node_modules/precious", "built for an hour");
    let plan = desk.make("x");
    symlink(
        desk.repo().join("node_modules"),
        plan.path().join("node_modules"),
    )
    .expect("a link");
    desk.remove(&plan, Removal::default()).expect("removed");
    assert!(desk.repo().join("node_modules/precious").exists());
}

#[test]
fn on_request_uncommitted_work_is_kept_first() {
    let desk = Desk::new();
    desk.write(".gitignore", ".env\n");
    desk.commit("ignored");
    let plan = desk.make("x");
    write(&plan.path().join("a.txt"), "changed\n");
    write(&plan.path().join("untracked"), "u\n");
    write(&plan.path().join(".env"), "SECRET=1\n");
    write(&plan.path().join("staged"), "s\n");
    git(plan.path(), ["add", "staged"]);
    let removed = desk.remove(&plan, UNCOMMITTED).expect("removed");
    let number = removed.rescue.expect("a snapshot");
    for (path, content) in [
        ("a.txt", "changed\n"),
        ("untracked", "u\n"),
        (".env", "SECRET=1\n"),
        ("staged", "s\n"),
    ] {
        let kept = desk.git(["show", &format!("refs/kite/rescue/{number}:{path}")]);
        assert_eq!(kept, content, "{path}");
    }
    assert_eq!(desk.leftovers(), [""; 0]);
}

#[test]
fn what_cannot_be_kept_stays() {
    let desk = Desk::new();
    let plan = desk.make("x");
    let inner = plan.path().join("inner");
    fs::create_dir(&inner).expect("a directory");
    git(&inner, ["init", "-q"]);
    write(&inner.join("work"), "w");
    let refused = desk
        .remove(&plan, UNCOMMITTED)
        .expect_err("a repository inside");
    let Error::WouldLose { losses, .. } = &refused else {
        panic!("{refused:?}");
    };
    assert!(
        matches!(losses.as_slice(), [Loss::NotKept { .. }]),
        "{losses:?}"
    );
    assert!(inner.join("work").exists());
}

#[test]
fn commits_on_no_branch_and_unfinished_merges_stay() {
    let desk = Desk::new();
    let plan = desk.make("x");
    git(plan.path(), ["checkout", "-q", "--detach"]);
    work(&plan, "new.txt");
    for removal in [Removal::default(), UNMERGED] {
        let refused = desk.remove(&plan, removal).expect_err("detached");
        assert!(
            refused.hint().contains("git branch NAME"),
            "{refused}: {}",
            refused.hint()
        );
    }
    // Not even where the directory is gone by hand.
    let elsewhere = desk.root().join("elsewhere");
    fs::rename(plan.path(), &elsewhere).expect("moved");
    assert!(matches!(
        desk.losses(&plan).as_slice(),
        [Loss::Detached { .. }]
    ));
    fs::rename(&elsewhere, plan.path()).expect("moved back");
    git(plan.path(), ["checkout", "-q", "-B", "mine"]);
    desk.remove(&plan, Removal::default()).expect("removed");
    assert_eq!(desk.leftovers(), ["mine"]);

    let desk = Desk::new();
    let plan = desk.make("x");
    work(&plan, "a.txt");
    desk.write("a.txt", "other\n");
    desk.commit("other");
    let merged = crate::support::try_git(plan.path(), ["merge", "-q", "main"]);
    assert!(!merged.status.success());
    let losses = desk.losses(&plan);
    assert!(
        losses.contains(&Loss::UnderWay { what: "merge" }),
        "{losses:?}"
    );
}

#[test]
fn refs_of_one_worktree_alone_stay() {
    let desk = Desk::new();
    let plan = desk.make("x");
    git(plan.path(), ["update-ref", "refs/worktree/mine", "HEAD"]);
    let losses = desk.losses(&plan);
    assert!(
        matches!(losses.as_slice(), [Loss::OwnRefs { .. }]),
        "{losses:?}"
    );
}

#[test]
fn submodules_are_for_the_person() {
    let desk = Desk::new();
    let library = Desk::new();
    let url = library.repo().display().to_string();
    desk.git([
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        &url,
        "lib",
    ]);
    desk.commit("a submodule");
    let plan = desk.make("x");
    let losses = desk.losses(&plan);
    assert_eq!(losses, [Loss::Submodules]);
    assert!(plan.path().join("a.txt").exists());
}

#[test]
fn a_directory_deleted_by_hand_is_forgotten_and_its_commits_stay() {
    let desk = Desk::new();
    let (empty, worked) = (desk.make("empty"), desk.make("worked"));
    // Somebody else's that looks deleted, too: it lies on a disk that is not there just now.
    desk.git(["worktree", "add", "-q", "../theirs"]);
    fs::rename(desk.root().join("theirs"), desk.root().join("unmounted")).expect("moved");
    work(&worked, "new.txt");
    for plan in [&empty, &worked] {
        fs::remove_dir_all(plan.path()).expect("deleted by hand");
        assert_eq!(
            look(plan, &disposable()).expect("a look").found,
            Found::Missing
        );
    }
    assert!(
        !desk
            .remove(&empty, Removal::default())
            .expect("forgotten")
            .branch_kept
    );
    assert!(
        desk.remove(&worked, Removal::default())
            .expect("forgotten")
            .branch_kept
    );
    assert_eq!(desk.branches(), [worked.branch.as_str(), "main", "theirs"]);
    assert!(desk.repo().join(".git/worktrees/theirs").exists());
    assert!(
        !desk
            .repo()
            .join(".git/worktrees")
            .join(empty.path().file_name().expect("a name"))
            .exists()
    );
}

#[test]
fn a_branch_that_is_checked_out_elsewhere_stays() {
    let desk = Desk::new();
    let plan = desk.make("x");
    desk.git(["checkout", "-q", "--ignore-other-worktrees", &plan.branch]);
    let removed = desk.remove(&plan, Removal::default()).expect("removed");
    assert!(removed.branch_kept);
    assert_eq!(desk.git(["branch", "--show-current"]).trim(), plan.branch);
}

#[test]
fn where_the_repository_is_gone_nothing_is_touched() {
    let desk = Desk::new();
    let plan = desk.make("x");
    write(&plan.path().join("untracked"), "u");
    fs::rename(desk.repo(), desk.root().join("moved")).expect("moved");
    let refused = desk.remove(&plan, UNCOMMITTED).expect_err("gone");
    assert!(
        matches!(refused, Error::RepositoryGone { .. }),
        "{refused:?}"
    );
    assert!(plan.path().join("untracked").exists());
    fs::rename(desk.root().join("moved"), desk.repo()).expect("moved back");
    assert_eq!(uncommitted(&desk.losses(&plan)), ["untracked"]);
}

#[test]
fn a_directory_that_git_does_not_know_any_more_is_left_alone() {
    let desk = Desk::new();
    let plan = desk.make("x");
    fs::remove_file(plan.path().join(".git")).expect("removed");
    let refused = desk.remove(&plan, UNCOMMITTED).expect_err("no worktree");
    assert!(matches!(refused, Error::NotAWorktree { .. }), "{refused:?}");
    assert!(plan.path().join("a.txt").exists());
}
