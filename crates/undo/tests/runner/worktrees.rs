//! Two working copies of one repository, compared: what would conflict, and that nothing is
//! touched for it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use kite_undo::worktrees::{self, Comparison};

use crate::{
    canaries::{bells, hostile},
    support::{Desk, plain_git},
};

/// A desk, and a second working copy of its repository on a branch of its own.
struct Two {
    desk: Desk,
}

impl Two {
    fn new() -> Two {
        Two::of(Desk::new())
    }

    fn of(desk: Desk) -> Two {
        desk.git(["worktree", "add", "-q", "-b", "feature", "../tree"]);
        Two { desk }
    }

    fn tree(&self) -> PathBuf {
        self.desk.directory.path().join("tree")
    }

    /// In the first working copy.
    fn here(&self, path: &str, content: &str) {
        self.desk.write(path, content);
    }

    /// In the second one.
    fn there(&self, path: &str, content: &str) {
        self.desk.write(Path::new("../tree").join(path), content);
    }

    fn commit_there(&self) {
        for command in [
            &["add", "-A"][..],
            &[
                "-c",
                "core.hooksPath=/dev/null",
                "-c",
                "commit.gpgSign=false",
                "commit",
                "-qm",
                "x",
            ],
        ] {
            let output = plain_git(&self.tree(), command);
            assert!(output.status.success(), "{output:?}");
        }
    }

    fn compare(&self) -> Comparison {
        worktrees::compare(&self.desk.repo(), &self.tree()).expect("a comparison")
    }

    fn conflicts(&self) -> Vec<String> {
        match self.compare() {
            Comparison::Merged(conflicts) => conflicts
                .iter()
                .map(|path| path.to_str().expect("text").to_owned())
                .collect(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_is_uncommitted_on_both_sides_is_compared() {
    let two = Two::new();
    assert_eq!(two.conflicts(), [""; 0], "both are clean");
    two.here("a.txt", "HERE\ntwo\nthree\n");
    assert_eq!(two.conflicts(), [""; 0], "one is clean");
    two.there("a.txt", "THERE\ntwo\nthree\n");
    two.here("b.txt", "ALPHA\nbeta\ngamma\n");
    two.there("b.txt", "alpha\nbeta\ngamma\ndelta\n");
    assert_eq!(two.conflicts(), ["a.txt"]);
    two.there("a.txt", "HERE\ntwo\nthree\n");
    assert_eq!(two.conflicts(), [""; 0], "the same change is no conflict");
}

#[test]
fn what_is_committed_but_not_merged_counts_too() {
    let two = Two::new();
    two.there("a.txt", "THERE\ntwo\nthree\n");
    two.commit_there();
    two.here("a.txt", "HERE\ntwo\nthree\n");
    assert_eq!(two.conflicts(), ["a.txt"]);
    // Where it is staged only, it counts as well.
    two.desk.git(["add", "-A"]);
    assert_eq!(two.conflicts(), ["a.txt"]);
    two.desk.git(["reset", "-q", "--hard", "feature"]);
    two.here("a.txt", "HERE\ntwo\nthree\n");
    assert_eq!(two.conflicts(), [""; 0], "it builds upon what is there");
}

#[test]
fn untracked_deleted_renamed_and_odd_files_are_compared() {
    let two = Two::new();
    two.here("new.txt", "here\n");
    two.there("new.txt", "there\n");
    two.here("n w\n\u{e9}.txt", "here\n");
    two.there("n w\n\u{e9}.txt", "there\n");
    fs::remove_file(two.desk.path("dir/c.txt")).expect("removed");
    two.there("dir/c.txt", "C\n");
    // Renamed here, changed there: git follows the rename.
    fs::rename(two.desk.path("b.txt"), two.desk.path("moved.txt")).expect("moved");
    two.there("b.txt", "alpha\nbeta\nGAMMA\n");
    assert_eq!(two.conflicts(), ["dir/c.txt", "n w\n\u{e9}.txt", "new.txt"]);
    two.here("moved.txt", "alpha\nbeta\ngamma!\n");
    assert!(two.conflicts().contains(&"moved.txt".to_owned()));
}

#[test]
fn attributes_say_how_files_are_merged() {
    let desk = Desk::new();
    desk.write(".gitattributes", "*.log merge=union\n*.bin binary\n");
    desk.write("all.log", "one\n");
    desk.write("x.bin", "\0one\n");
    desk.git(["add", "-A"]);
    desk.git(["commit", "-qm", "attributes"]);
    let two = Two::of(desk);
    two.here("all.log", "one\nhere\n");
    two.there("all.log", "one\nthere\n");
    two.here("x.bin", "\0here\n");
    two.there("x.bin", "\0there\n");
    assert_eq!(two.conflicts(), ["x.bin"]);
}

#[test]
fn line_ends_of_another_system_are_no_conflict() {
    let two = Two::new();
    two.here("a.txt", "ONE\r\ntwo\r\nthree\r\n");
    two.there("a.txt", "one\r\ntwo\r\nthree\r\nfour\r\n");
    assert_eq!(two.conflicts(), [""; 0]);
}

#[test]
fn a_merge_under_way_and_strangers_are_not_compared() {
    let two = Two::new();
    two.there("a.txt", "THERE\ntwo\nthree\n");
    two.commit_there();
    two.here("a.txt", "HERE\ntwo\nthree\n");
    two.desk.git(["commit", "-qam", "here"]);
    assert!(
        !two.desk
            .try_git(["merge", "-q", "feature"])
            .status
            .success()
    );
    assert_eq!(two.compare(), Comparison::UnderWay);
    two.desk.git(["merge", "--abort"]);
    assert_eq!(two.conflicts(), ["a.txt"]);

    two.desk.git(["checkout", "-q", "--orphan", "alone"]);
    assert_eq!(two.compare(), Comparison::Unrelated, "no commit");
    two.desk.git(["commit", "-qm", "alone"]);
    assert_eq!(two.compare(), Comparison::Unrelated, "no common one");
    let other = Desk::new();
    assert!(worktrees::compare(&two.desk.repo(), &other.repo()).is_err());
    fs::remove_dir_all(two.tree()).expect("removed");
    assert!(worktrees::compare(&two.desk.repo(), &two.tree()).is_err());
}

#[test]
fn submodules_are_looked_at_from_outside_only() {
    let desk = Desk::new();
    let inner = desk.path("inner");
    fs::create_dir(&inner).expect("inner");
    for command in [
        &["init", "-q"][..],
        &["commit", "-q", "--allow-empty", "-m", "one"],
    ] {
        assert!(plain_git(&inner, command).status.success());
    }
    desk.git(["add", "-A"]);
    desk.git(["commit", "-qm", "with a submodule"]);
    let two = Two::of(desk);
    two.here("inner/x.txt", "here\n");
    two.there("inner/x.txt", "there\n");
    two.here("a.txt", "HERE\ntwo\nthree\n");
    two.there("a.txt", "THERE\ntwo\nthree\n");
    assert_eq!(two.conflicts(), ["a.txt"]);
}

#[test]
fn nothing_is_written_and_a_detached_head_does_not_matter() {
    let two = Two::new();
    two.desk.git(["checkout", "-q", "--detach"]);
    two.here("a.txt", "HERE\ntwo\nthree\n");
    two.there("a.txt", "THERE\ntwo\nthree\n");
    let state = || {
        (
            fs::read(two.desk.path(".git/index")).expect("index"),
            two.desk.git(["for-each-ref"]),
            two.desk.git(["count-objects", "-v"]),
            two.desk.git(["status", "--porcelain", "--branch"]),
            two.desk.tree(),
        )
    };
    let before = state();
    assert_eq!(two.conflicts(), ["a.txt"]);
    assert_eq!(state(), before);
    assert!(!two.desk.path(".git/kite/scratch").exists());
}

#[test]
fn what_a_killed_comparison_left_does_not_stop_the_next() {
    let two = Two::new();
    two.here("../repo/.git/kite/scratch/objects/x", "left\n");
    two.here("a.txt", "HERE\ntwo\nthree\n");
    two.there("a.txt", "THERE\ntwo\nthree\n");
    assert_eq!(two.conflicts(), ["a.txt"]);
}

#[test]
fn sha256_repositories_are_compared() {
    let directory = tempfile::tempdir().expect("a directory");
    let repo = directory.path().join("repo");
    fs::create_dir(&repo).expect("repo");
    let git = |args: &[&str]| {
        let output = plain_git(&repo, args);
        assert!(output.status.success(), "{args:?}: {output:?}");
    };
    git(&["init", "-q", "--object-format=sha256"]);
    fs::write(repo.join("a.txt"), "one\n").expect("write");
    git(&["add", "."]);
    git(&["commit", "-qm", "x"]);
    git(&["worktree", "add", "-q", "../tree"]);
    let tree = directory.path().join("tree");
    fs::write(repo.join("a.txt"), "here\n").expect("write");
    fs::write(tree.join("a.txt"), "there\n").expect("write");
    let compared = worktrees::compare(&repo, &tree).expect("a comparison");
    assert!(
        matches!(&compared, Comparison::Merged(conflicts) if conflicts == &[Path::new("a.txt")]),
        "{compared:?}"
    );
}

#[test]
fn a_hostile_repositorys_merge_drivers_do_not_run() {
    let two = Two::of(hostile());
    // Both sides name the driver, for text and for what a default driver would take.
    let driver = two.desk.git(["config", "merge.evil.driver"]);
    two.desk.git(["config", "merge.default", "evil"]);
    two.desk.git(["config", "merge.text.driver", driver.trim()]);
    two.desk.git(["config", "merge.renormalize", "true"]);
    two.desk.write(".git/info/attributes", "* merge=evil\n");
    for put in [Two::here, Two::there] {
        put(&two, ".gitattributes", "* merge=evil filter=evil\n");
    }
    two.here("a.txt", "HERE\ntwo\nthree\n");
    two.there("a.txt", "THERE\ntwo\nthree\n");
    // Making the second working copy has run the repository's hooks and filters.
    empty(&two);
    assert_eq!(two.conflicts(), ["a.txt"]);
    assert_eq!(bells(&two.desk), Vec::<String>::new());
}

#[test]
fn the_merge_driver_does_run_for_plain_git() {
    // The control: the canary above sings where git merges by itself.
    let two = Two::of(hostile());
    two.here(".gitattributes", "* merge=evil\n");
    two.here("a.txt", "HERE\ntwo\nthree\n");
    two.there("a.txt", "THERE\ntwo\nthree\n");
    two.commit_there();
    let off = [
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "commit.gpgSign=false",
    ];
    two.desk
        .git([&off[..], &["commit", "-qam", "here"]].concat());
    empty(&two);
    let args = ["merge-tree", "--write-tree", "HEAD", "feature"];
    let _ = two.desk.try_git(args);
    assert!(
        bells(&two.desk).contains(&"merge-driver".to_owned()),
        "{:?}",
        bells(&two.desk)
    );
}

fn empty(two: &Two) {
    let bells = two.desk.directory.path().join("bells");
    fs::remove_dir_all(&bells).expect("removed");
    fs::create_dir(&bells).expect("bells");
}

#[test]
fn a_comparison_of_many_files_is_quick_enough_for_the_background() {
    let desk = Desk::new();
    for number in 0..500 {
        desk.write(format!("many/{number}.txt"), format!("{number}\none\n"));
    }
    desk.git(["add", "-A"]);
    desk.git(["commit", "-qm", "many"]);
    let two = Two::of(desk);
    for number in 0..100 {
        let path = format!("many/{number}.txt");
        two.here(&path, &format!("{number}\nhere\n"));
        two.there(&path, &format!("{number}\nthere\n"));
    }
    let started = std::time::Instant::now();
    assert_eq!(two.conflicts().len(), 100);
    // A bound for a busy machine, not a figure.
    assert!(started.elapsed() < Duration::from_secs(10));
}
