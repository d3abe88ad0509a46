//! A worktree is made as asked, whatever the repository is like, or it is said why not.

use std::{fs, os::unix::fs::PermissionsExt};

use kite_worktree::{Error, Found, Plan, Wanted, look, make};

use crate::support::{Desk, disposable, git, try_git};

#[test]
fn a_worktree_stands_where_it_was_planned_with_a_branch_of_its_own() {
    let desk = Desk::new();
    let plan = desk.make("Add OAuth login");
    assert!(
        plan.branch.starts_with("kite/add-oauth-login-"),
        "{}",
        plan.branch
    );
    assert!(plan.path().starts_with(desk.home().join("worktrees")));
    assert_eq!(
        fs::read_to_string(plan.path().join("a.txt")).expect("a file"),
        "one\n"
    );
    assert_eq!(git(plan.path(), ["status", "--porcelain"]), "");
    assert_eq!(
        git(plan.path(), ["branch", "--show-current"]).trim(),
        plan.branch
    );
    assert_eq!(plan.base_branch(), Some("main"));
    // Nothing of it is left to chance: git leaves it alone, and nothing is followed.
    let listed = desk.git(["worktree", "list", "--porcelain"]);
    assert!(listed.contains("locked made by Kite"), "{listed}");
    let followed = try_git(&desk.repo(), ["config", "--get-regexp", r"^branch\."]);
    assert!(!followed.status.success());
    let mode =
        |path: &std::path::Path| fs::metadata(path).expect("it").permissions().mode() & 0o777;
    assert_eq!(mode(&desk.home().join("worktrees")), 0o700);
    assert_eq!(mode(&desk.repo().join(".git/kite-worktree.lock")), 0o600);
    let look = look(&plan, &disposable()).expect("a look");
    assert!(look.is_merged_and_clean(), "{look:?}");
}

#[test]
fn names_from_outside_are_harmless_or_refused() {
    let desk = Desk::new();
    let long = "x".repeat(300);
    for about in [
        "-x",
        "@{-1}",
        "refs/heads/x",
        "--output=f",
        "$(touch x)",
        &long,
        "",
        "../../x",
    ] {
        let plan = desk.make(about);
        assert!(plan.path().join("a.txt").exists(), "{about:?}");
        git(&desk.repo(), ["check-ref-format", "--branch", &plan.branch]);
    }
    for base in [
        "-x",
        "--all",
        "@{-1}",
        "main@{0}",
        "a..b",
        "",
        &long,
        "not-there",
        "main:a.txt",
    ] {
        let refused = desk.try_plan(&desk.repo(), "x", Some(base));
        assert!(
            matches!(refused, Err(Error::Base { .. })),
            "{base:?}: {refused:?}"
        );
    }
}

#[test]
fn it_begins_with_what_was_named() {
    let desk = Desk::new();
    desk.git(["branch", "release"]);
    desk.git(["tag", "v1"]);
    desk.write("a.txt", "two\n");
    desk.commit("second");
    let first = desk.git(["rev-parse", "release"]);
    for (base, branch) in [
        ("release", Some("release")),
        ("refs/heads/release", Some("release")),
        ("v1", None),
        (first.trim(), None),
        ("HEAD~1", None),
    ] {
        let plan = desk
            .try_plan(&desk.repo(), "x", Some(base))
            .expect("a plan");
        make(&plan).expect("a worktree");
        assert_eq!(plan.base.as_str(), first.trim(), "{base}");
        assert_eq!(plan.base_branch(), branch, "{base}");
        assert_eq!(
            fs::read_to_string(plan.path().join("a.txt")).expect("a file"),
            "one\n"
        );
    }
}

#[test]
fn a_branch_that_is_there_is_not_taken() {
    let desk = Desk::new();
    let plan = desk.plan("x");
    desk.git(["branch", &plan.branch]);
    let refused = make(&plan);
    assert!(
        matches!(refused, Err(Error::BranchInTheWay { .. })),
        "{refused:?}"
    );
    assert_eq!(desk.branches(), [plan.branch.as_str(), "main"]);

    // Git keeps a branch `kite` where `kite/...` would have to be.
    let desk = Desk::new();
    desk.git(["branch", "kite"]);
    let refused = make(&desk.plan("x")).expect_err("no room");
    assert!(
        matches!(refused, Error::BranchInTheWay { .. }),
        "{refused:?}"
    );
    assert!(
        refused.hint().contains("git branch -m"),
        "{}",
        refused.hint()
    );
    assert_eq!(desk.leftovers(), ["kite"]);
}

#[test]
fn what_stands_in_the_way_is_left_alone() {
    let desk = Desk::new();
    let plan = desk.plan("x");
    crate::support::write(&plan.path().join("mine"), "work");
    let refused = make(&plan);
    assert!(
        matches!(refused, Err(Error::PathTaken { .. })),
        "{refused:?}"
    );
    assert_eq!(
        fs::read_to_string(plan.path().join("mine")).expect("it"),
        "work"
    );
    assert_eq!(desk.branches(), ["main"]);
}

#[test]
fn repositories_of_every_kind_work_or_say_why_not() {
    let desk = Desk::unborn(&std::env::temp_dir());
    let refused = desk
        .try_plan(&desk.repo(), "x", None)
        .expect_err("no commit");
    assert!(matches!(refused, Error::NoCommit { .. }), "{refused:?}");
    let refused = desk
        .try_plan(&desk.root(), "x", None)
        .expect_err("no repository");
    assert!(
        matches!(refused, Error::NotARepository { .. }),
        "{refused:?}"
    );

    // Bare: no, but from a worktree of it, yes.
    let desk = Desk::new();
    desk.git(["clone", "-q", "--bare", ".", "../bare"]);
    let bare = desk.root().join("bare");
    let refused = desk.try_plan(&bare, "x", None).expect_err("bare");
    assert!(matches!(refused, Error::Bare { .. }), "{refused:?}");
    git(&bare, ["worktree", "add", "-q", "../of-bare", "main"]);
    let plan = desk
        .try_plan(&desk.root().join("of-bare"), "x", None)
        .expect("a plan");
    make(&plan).expect("a worktree of a bare repository");
    assert!(plan.path().join("a.txt").exists());

    // Detached.
    desk.git(["checkout", "-q", "--detach"]);
    let plan = desk.make("x");
    assert_eq!(plan.base_branch(), None);

    // Shallow, and without the objects that another commit needs.
    desk.git(["checkout", "-q", "main"]);
    desk.write("a.txt", "two\n");
    desk.commit("second");
    let url = format!("file://{}", desk.repo().display());
    git(
        &desk.root(),
        ["clone", "-q", "--depth", "1", &url, "shallow"],
    );
    let plan = desk
        .try_plan(&desk.root().join("shallow"), "x", None)
        .expect("a plan");
    make(&plan).expect("a worktree of a shallow clone");
    assert_eq!(
        fs::read_to_string(plan.path().join("a.txt")).expect("it"),
        "two\n"
    );
}

#[test]
fn a_partial_clone_says_what_it_lacks_and_leaves_nothing() {
    let desk = Desk::new();
    desk.git(["config", "uploadpack.allowFilter", "true"]);
    desk.write("a.txt", "two\n");
    desk.commit("second");
    let url = format!("file://{}", desk.repo().display());
    git(
        &desk.root(),
        ["clone", "-q", "--filter=blob:none", &url, "partial"],
    );
    let partial = desk.root().join("partial");
    let plan = desk
        .try_plan(&partial, "x", Some("HEAD~1"))
        .expect("a plan");
    let refused = make(&plan).expect_err("its files were never fetched");
    assert!(matches!(refused, Error::Incomplete { .. }), "{refused:?}");
    assert!(!plan.path().exists());
    assert_eq!(git(&partial, ["branch", "--list", "kite/*"]), "");
}

#[test]
fn a_sparse_checkout_stays_sparse() {
    let desk = Desk::new();
    desk.write("other/d.txt", "d\n");
    desk.commit("second");
    desk.git(["sparse-checkout", "set", "dir"]);
    let plan = desk.make("x");
    assert!(plan.path().join("dir/c.txt").exists());
    assert!(!plan.path().join("other").exists());
    desk.remove(&plan, kite_worktree::Removal::default())
        .expect("removed");
    assert_eq!(desk.leftovers(), [""; 0]);
}

#[test]
fn submodules_are_empty_directories() {
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
    desk.git(["config", "submodule.recurse", "true"]);
    let plan = desk.make("x");
    assert_eq!(
        fs::read_dir(plan.path().join("lib"))
            .expect("a directory")
            .count(),
        0
    );
}

#[test]
fn a_worktree_of_a_worktree_comes_from_that_ones_branch() {
    let desk = Desk::new();
    let parent = desk.make("parent");
    let child = Plan::of(&Wanted {
        id: "0123456789abcdef0123456789abcdef",
        directory: &parent.path().join("dir"),
        worktrees: &desk.home().join("worktrees"),
        about: "child",
        base: None,
    })
    .expect("a plan");
    make(&child).expect("a worktree");
    assert_eq!(child.base_branch(), Some(parent.branch.as_str()));
    assert_eq!(child.path().parent(), parent.path().parent());
}

#[test]
fn lock_files_left_behind_are_passed_by_or_named() {
    let desk = Desk::new();
    // The repository's settings are not needed to make or remove a worktree, so this one is no matter.
    desk.write(".git/config.lock", "");
    let plan = desk.make("x");
    desk.remove(&plan, kite_worktree::Removal::default())
        .expect("removed");
    assert_eq!(desk.leftovers(), [""; 0]);

    // This one is in the way of the branch.
    let plan = desk.plan("x");
    let lock = format!(".git/refs/heads/{}.lock", plan.branch);
    desk.write(&lock, "");
    let refused = make(&plan).expect_err("locked");
    let Error::LockedByGit { file } = &refused else {
        panic!("{refused:?}");
    };
    assert_eq!(*file, desk.repo().join(&lock));
    assert!(refused.hint().contains("remove"), "{}", refused.hint());
    fs::remove_file(file).expect("removed");
    make(&plan).expect("as if nothing had been");

    // This one is in the way of deleting it; the worktree goes, and the rest follows later.
    desk.write(".git/packed-refs.lock", "");
    let refused = desk.remove(&plan, kite_worktree::Removal::default());
    assert!(
        matches!(refused, Err(Error::LockedByGit { .. })),
        "{refused:?}"
    );
    assert_eq!(
        look(&plan, &disposable()).expect("a look").found,
        Found::Missing
    );
    fs::remove_file(desk.repo().join(".git/packed-refs.lock")).expect("removed");
    desk.remove(&plan, kite_worktree::Removal::default())
        .expect("the rest");
    assert_eq!(desk.leftovers(), [""; 0]);
}
