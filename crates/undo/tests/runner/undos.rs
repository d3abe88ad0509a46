//! Plain git destroys, and one undo brings it back.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
};

use kite_undo::{
    Edit, Error, History, Settings,
    journal::{Change, EntryKind, Filter},
    restore::{LeftAlone, Outcome, Selection, Shown, UndoOptions},
};

use crate::support::{Desk, NOW_MS, outcomes, plain_git};

/// Work of every kind: changed, staged, staged and changed again, deleted, new, a link, a script.
fn work(desk: &Desk) {
    desk.write("a.txt", "one\nTWO\nthree\n");
    desk.write("b.txt", "staged\n");
    desk.write("staged.txt", "staged new\n");
    desk.git(["add", "b.txt", "staged.txt"]);
    desk.write("b.txt", "staged, then changed\n");
    fs::remove_file(desk.path("dir/c.txt")).expect("remove");
    desk.write("new/deep/u.txt", "untracked\n");
    desk.write("bin.dat", [0, 159, 146, 150]);
    desk.script("run.sh", "#!/bin/sh\n");
    symlink("new/deep/u.txt", desk.path("link")).expect("link");
}

/// All of `work` is back, whatever the command did to it.
fn all_comes_back(command: &str) {
    let desk = Desk::new();
    work(&desk);
    let before = desk.tree();
    let staged = desk.git(["diff", "--cached"]);
    let number = desk.agent_git(command);
    assert_ne!(
        (desk.tree(), desk.git(["diff", "--cached"])),
        (before.clone(), staged.clone()),
        "{command} destroys nothing"
    );
    let report = desk.undo(number);
    assert_eq!(desk.tree(), before, "{command}: {report:?}");
    let mode = fs::metadata(desk.path("run.sh"))
        .expect("it")
        .permissions()
        .mode();
    assert_eq!(mode & 0o111, 0o111, "{command}");
    if !command.contains("commit") {
        assert_eq!(desk.git(["diff", "--cached"]), staged, "{command}");
        let index = desk.git(["show", ":b.txt"]);
        assert_eq!(index, "staged\n", "{command}");
    }
}

#[test]
fn after_a_stash() {
    all_comes_back("git stash");
    all_comes_back("git stash -u");
    all_comes_back("git stash push -- a.txt");
}

#[test]
fn after_a_reset() {
    all_comes_back("git reset -q --hard");
    all_comes_back("git reset -q");
}

#[test]
fn after_checkout_and_restore() {
    all_comes_back("git checkout -q -f");
    all_comes_back("git checkout -q -f -b other");
    all_comes_back("git restore --staged --worktree .");
    all_comes_back("git restore .");
}

#[test]
fn after_clean_and_rm() {
    all_comes_back("git clean -fdq");
    all_comes_back("git rm -rfq .");
    all_comes_back("git rm -q --cached b.txt -f");
}

#[test]
fn after_a_sweeping_add_or_commit() {
    // The files are all there; what was staged by whom is not.
    let desk = Desk::new();
    work(&desk);
    let before = desk.tree();
    let number = desk.rescue("git commit -am x");
    desk.git(["add", "-A"]);
    desk.git(["commit", "-qm", "swept up"]);
    let report = desk.undo(number);
    assert!(
        report
            .paths
            .iter()
            .all(|it| it.outcome == Outcome::Unchanged),
        "{report:?}"
    );
    assert_eq!(desk.tree(), before);
    assert_eq!(
        desk.git(["status", "--porcelain"]),
        "",
        "nothing is staged against the commit"
    );
}

#[test]
fn after_a_reset_to_an_older_commit() {
    let desk = Desk::new();
    desk.write("a.txt", "second\n");
    desk.git(["commit", "-qam", "second"]);
    let head = desk.git(["rev-parse", "HEAD"]);
    work(&desk);
    let before = desk.tree();
    let number = desk.agent_git("git reset -q --hard HEAD~1");
    let report = desk.undo(number);
    assert_eq!(desk.tree(), before);
    assert_eq!(
        report.head_then,
        Some((head.trim().to_owned(), Some("main".to_owned())))
    );
}

#[test]
fn an_undo_can_be_undone_and_that_too() {
    let desk = Desk::new();
    work(&desk);
    let before = desk.tree();
    let number = desk.agent_git("git stash -u");
    let stashed = desk.tree();
    let undo = desk.undo(number).number.expect("it changed something");
    assert_eq!(desk.tree(), before);
    let redo = desk.undo(undo).number.expect("it changed something");
    assert_eq!(desk.tree(), stashed);
    assert_eq!(
        desk.git(["status", "--porcelain"]),
        "",
        "the index is as it was, too"
    );
    desk.undo(redo);
    assert_eq!(desk.tree(), before);
    assert_eq!(desk.git(["show", ":b.txt"]), "staged\n");
    // And the latest of all is what stands when nothing is named.
    desk.undo_what(&Selection::default());
    assert_eq!(desk.tree(), stashed);
}

#[test]
fn what_came_after_the_command_is_merged() {
    let desk = Desk::new();
    let lines = |edit: &[(usize, &str)]| {
        let mut lines: Vec<String> = (0..20).map(|n| format!("line {n}")).collect();
        for (at, text) in edit {
            lines[*at] = (*text).to_owned();
        }
        lines.join("\n") + "\n"
    };
    desk.write("a.txt", lines(&[]));
    desk.git(["commit", "-qam", "lines"]);
    desk.write("a.txt", lines(&[(2, "mine")]));
    desk.write("u.txt", "mine\n");
    let number = desk.agent_git("git stash -u");
    desk.write("a.txt", lines(&[(15, "later")]));
    desk.write("u.txt", "later\n");
    desk.git(["commit", "-qam", "later"]);
    let report = desk.undo(number);
    assert_eq!(desk.text("a.txt"), lines(&[(2, "mine"), (15, "later")]));
    assert_eq!(
        outcomes(&report),
        [("a.txt", &Outcome::Merged), ("u.txt", &Outcome::Conflict)]
    );
    let label = format!("<<<<<<< now\nlater\n=======\nmine\n>>>>>>> kite undo {number}\n");
    assert_eq!(desk.text("u.txt"), label);
    desk.undo(report.number.expect("changed"));
    assert_eq!(desk.text("u.txt"), "later\n");
}

#[test]
fn what_was_noted_after_the_command_is_the_base() {
    let desk = Desk::new();
    desk.git(["checkout", "-q", "-b", "other"]);
    desk.write("a.txt", "other's\n1\n2\n3\n4\n");
    desk.git(["commit", "-qam", "other"]);
    desk.git(["checkout", "-q", "main"]);
    desk.write("a.txt", "uncommitted\n1\n2\n3\n4\n");
    let number = desk.agent_git("git checkout -q -f other");
    desk.history().note_after(number, NOW_MS).expect("noted");
    // Later work on top, uncommitted, in another place of the file.
    desk.write("a.txt", "other's\n1\n2\n3\n4\nlater\n");
    let report = desk.undo(number);
    assert_eq!(outcomes(&report)[0].1, &Outcome::Merged);
    assert_eq!(desk.text("a.txt"), "uncommitted\n1\n2\n3\n4\nlater\n");
}

#[test]
fn one_edit_is_taken_back_from_under_later_ones() {
    let desk = Desk::new();
    desk.write("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n");
    let first = desk.edit("a", "a.txt", Some("ONE\n2\n3\n4\n5\n6\n7\n8\n"));
    desk.edit("b", "a.txt", Some("ONE\n2\n3\n4\n5\n6\n7\nEIGHT\n"));
    let report = desk.undo(first);
    assert_eq!(outcomes(&report), [("a.txt", &Outcome::Merged)]);
    assert_eq!(desk.text("a.txt"), "1\n2\n3\n4\n5\n6\n7\nEIGHT\n");
}

#[test]
fn a_sessions_edits_go_and_others_stay() {
    let desk = Desk::new();
    let lines = |edits: &[(usize, &str)]| {
        let mut lines: Vec<String> = (0..30).map(|n| n.to_string()).collect();
        edits
            .iter()
            .for_each(|(at, text)| lines[*at] = (*text).to_owned());
        lines.join("\n") + "\n"
    };
    desk.write("a.txt", lines(&[]));
    desk.edit("a", "a.txt", Some(&lines(&[(1, "a1")])));
    desk.edit("a", "a.txt", Some(&lines(&[(1, "a1 again")])));
    desk.edit("b", "a.txt", Some(&lines(&[(1, "a1 again"), (15, "b")])));
    desk.edit(
        "a",
        "a.txt",
        Some(&lines(&[(1, "a1 again"), (15, "b"), (28, "a28")])),
    );
    desk.edit("a", "made.txt", Some("made\n"));
    desk.edit("a", "made-changed.txt", Some("made\n"));
    desk.edit("b", "made-changed.txt", Some("made\nand changed\n"));
    desk.edit("a", "b.txt", None);
    let of_a = Selection {
        session: Some("a".to_owned()),
        ..Selection::default()
    };
    let report = desk.undo_what(&of_a);
    assert_eq!(
        outcomes(&report),
        [
            ("a.txt", &Outcome::Merged),
            ("b.txt", &Outcome::Restored),
            (
                "made-changed.txt",
                &Outcome::LeftAlone(LeftAlone::ChangedSince)
            ),
            ("made.txt", &Outcome::Removed),
        ]
    );
    assert_eq!(desk.text("a.txt"), lines(&[(15, "b")]));
    assert_eq!(desk.text("b.txt"), "alpha\nbeta\ngamma\n");
    assert_eq!(desk.read("made.txt"), None);
    // All of it is undone now, so there is nothing left of that session's.
    let options = UndoOptions::default();
    let again = desk.history().undo(&of_a, &options);
    assert!(matches!(again, Err(Error::NothingFits { .. })), "{again:?}");
    // Undone, it is there to undo once more.
    desk.undo(report.number.expect("changed"));
    assert_eq!(desk.undo_what(&of_a).of, report.of);
}

#[test]
fn a_path_alone_is_its_latest_change() {
    let desk = Desk::new();
    desk.edit("a", "a.txt", Some("a\n"));
    desk.edit("b", "b.txt", Some("b\n"));
    desk.undo_what(&Selection {
        path: Some(desk.path("a.txt")),
        ..Selection::default()
    });
    assert_eq!(
        (desk.text("a.txt").as_str(), desk.text("b.txt").as_str()),
        ("one\ntwo\nthree\n", "b\n")
    );
    // Of a snapshot, a directory only.
    desk.write("dir/c.txt", "changed\n");
    let number = desk.agent_git("git reset -q --hard");
    let report = desk.undo_what(&Selection {
        number: Some(number),
        path: Some("dir".into()),
        ..Selection::default()
    });
    assert_eq!(outcomes(&report), [("dir/c.txt", &Outcome::Restored)]);
    assert_eq!(desk.text("b.txt"), "alpha\nbeta\ngamma\n");
}

#[test]
fn a_dry_run_says_and_does_nothing() {
    let desk = Desk::new();
    let number = desk.edit("a", "a.txt", Some("new\n"));
    let refs = desk.git(["for-each-ref"]);
    let selection = Selection {
        number: Some(number),
        ..Selection::default()
    };
    let options = UndoOptions {
        dry_run: true,
        ..UndoOptions::default()
    };
    let report = desk.history().undo(&selection, &options).expect("a report");
    assert_eq!(outcomes(&report), [("a.txt", &Outcome::Restored)]);
    assert_eq!(report.number, None);
    assert_eq!(desk.text("a.txt"), "new\n");
    assert_eq!(desk.git(["for-each-ref"]), refs);
    assert_eq!(
        desk.history()
            .list(&Filter::default())
            .expect("entries")
            .len(),
        1
    );
}

#[test]
fn binary_files_are_put_beside_and_nothing_is_overwritten() {
    let desk = Desk::new();
    desk.write("x.bin", b"old\0");
    let number = desk.edit("a", "x.bin", Some("new\0"));
    desk.write("x.bin", b"later\0");
    let beside = PathBuf::from(format!("x.bin.kite-undo-{number}"));
    desk.write(&beside, b"somebody's");
    let report = desk.undo(number);
    let second = PathBuf::from(format!("x.bin.kite-undo-{number}-2"));
    assert_eq!(
        outcomes(&report),
        [("x.bin", &Outcome::Beside(second.clone()))]
    );
    assert_eq!(desk.read("x.bin").as_deref(), Some(&b"later\0"[..]));
    assert_eq!(desk.read(&beside).as_deref(), Some(&b"somebody's"[..]));
    assert_eq!(desk.read(&second).as_deref(), Some(&b"old\0"[..]));
}

#[test]
fn secrets_are_not_copied_but_a_snapshot_saves_them_from_clean() {
    let desk = Desk::new();
    desk.write(".env", "PASSWORD=1\n");
    let number = desk.edit("a", ".env", Some("PASSWORD=2\n"));
    let report = desk.undo(number);
    assert_eq!(
        outcomes(&report),
        [(".env", &Outcome::LeftAlone(LeftAlone::NotKept))]
    );
    assert_eq!(report.number, None);
    let cleaned = desk.agent_git("git clean -fdq");
    assert_eq!(desk.read(".env"), None);
    let undo = desk.undo(cleaned).number.expect("back");
    assert_eq!(desk.text(".env"), "PASSWORD=2\n");
    // Overwritten by an undo, it comes back from the safety snapshot, for no image holds it.
    desk.write(".env", "PASSWORD=3\n");
    let over = desk.undo(cleaned);
    assert_eq!(outcomes(&over)[0].1, &Outcome::Conflict);
    desk.undo(over.number.expect("changed"));
    assert_eq!(desk.text(".env"), "PASSWORD=3\n");
    assert!(undo > cleaned);
}

#[test]
fn a_link_in_the_way_is_not_followed() {
    let desk = Desk::new();
    let number = desk.edit("a", "dir/c.txt", Some("changed\n"));
    let outside = desk.directory.path().join("outside");
    fs::create_dir(&outside).expect("outside");
    fs::write(outside.join("c.txt"), "changed\n").expect("write");
    fs::remove_dir_all(desk.path("dir")).expect("remove");
    symlink(&outside, desk.path("dir")).expect("link");
    let report = desk.undo(number);
    assert_eq!(
        outcomes(&report),
        [("dir/c.txt", &Outcome::LeftAlone(LeftAlone::InTheWay))]
    );
    assert_eq!(fs::read(outside.join("c.txt")).expect("read"), b"changed\n");
    // The file itself as a link: it is replaced, not written through.
    let number = desk.edit("a", "a.txt", Some("new\n"));
    fs::write(outside.join("a.txt"), "new\n").expect("write");
    fs::remove_file(desk.path("a.txt")).expect("remove");
    symlink(outside.join("a.txt"), desk.path("a.txt")).expect("link");
    let report = desk.undo(number);
    assert!(
        matches!(outcomes(&report)[0].1, Outcome::Beside(_)),
        "{report:?}"
    );
    assert_eq!(fs::read(outside.join("a.txt")).expect("read"), b"new\n");
}

#[test]
fn a_path_that_leads_outside_is_refused() {
    let desk = Desk::new();
    let history = desk.history();
    for path in [
        "../x",
        "/etc/passwd",
        ".git/config",
        "dir/../../x",
        "a/.GIT/config",
        "",
    ] {
        let refused = history.keep(Path::new(path));
        assert!(
            matches!(refused, Err(Error::Escapes { .. })),
            "{path}: {refused:?}"
        );
    }
    assert_eq!(
        history.relative(&desk.path("dir/c.txt")).expect("inside"),
        Path::new("dir/c.txt")
    );
}

#[test]
fn a_file_that_became_a_directory_and_back() {
    let desk = Desk::new();
    fs::remove_file(desk.path("a.txt")).expect("remove");
    desk.write("a.txt/inner", "inner\n");
    let before = desk.tree();
    let number = desk.agent_git("git stash -u");
    assert_eq!(desk.text("a.txt"), "one\ntwo\nthree\n");
    let report = desk.undo(number);
    assert_eq!(desk.tree(), before, "{report:?}");
}

#[test]
fn permissions_of_a_file_stay() {
    let desk = Desk::new();
    fs::set_permissions(desk.path("a.txt"), fs::Permissions::from_mode(0o640)).expect("mode");
    let number = desk.edit("a", "a.txt", Some("new\n"));
    desk.undo(number);
    let mode = fs::metadata(desk.path("a.txt"))
        .expect("it")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
}

#[test]
fn an_entry_of_another_worktree_is_undone_there() {
    let desk = Desk::new();
    let linked = desk.directory.path().join("linked");
    desk.git(["worktree", "add", "-q", linked.to_str().expect("text")]);
    fs::write(linked.join("a.txt"), "linked work\n").expect("write");
    let why = kite_undo::snapshot::Why::default();
    let taken = desk
        .history_at(&linked)
        .rescue(&why)
        .expect("git")
        .expect("dirty");
    assert!(plain_git(&linked, ["checkout", "-q", "."]).status.success());
    desk.undo(taken.number);
    assert_eq!(
        fs::read(linked.join("a.txt")).expect("read"),
        b"linked work\n"
    );
    assert_eq!(desk.text("a.txt"), "one\ntwo\nthree\n");
    // Gone with its directory, it is still in the repository: the working copy comes back, too.
    desk.git([
        "worktree",
        "remove",
        "--force",
        linked.to_str().expect("text"),
    ]);
    let selection = Selection {
        number: Some(taken.number),
        ..Selection::default()
    };
    let dry = UndoOptions {
        dry_run: true,
        ..UndoOptions::default()
    };
    let gone = desk.history().undo(&selection, &dry);
    assert!(matches!(gone, Err(Error::WorktreeGone { .. })), "{gone:?}");
    desk.undo(taken.number);
    assert_eq!(
        fs::read(linked.join("a.txt")).expect("read"),
        b"linked work\n"
    );
    // Something else in its place is left alone.
    fs::remove_dir_all(&linked).expect("remove");
    fs::write(&linked, "else\n").expect("write");
    let gone = desk.history().undo(&selection, &UndoOptions::default());
    assert!(matches!(gone, Err(Error::WorktreeGone { .. })), "{gone:?}");
    assert_eq!(fs::read(&linked).expect("read"), b"else\n");
}

#[test]
fn snapshots_outlive_the_journal() {
    let desk = Desk::new();
    desk.write("a.txt", "work\n");
    let number = desk.agent_git("git checkout -q .");
    fs::remove_dir_all(desk.directory.path().join("home")).expect("remove");
    desk.undo(number);
    assert_eq!(desk.text("a.txt"), "work\n");
}

#[test]
fn numbers_are_shared_by_entries_and_snapshots() {
    let desk = Desk::new();
    assert_eq!(desk.edit("a", "a.txt", Some("1\n")), 1);
    assert_eq!(desk.rescue("git stash"), 2);
    assert_eq!(desk.edit("a", "a.txt", Some("2\n")), 3);
    assert_eq!(desk.undo(3).number, Some(4));
    assert_eq!(desk.edit("a", "a.txt", Some("3\n")), 5);
    let refs = desk.git(["for-each-ref", "--format=%(refname)", "refs/kite"]);
    assert_eq!(refs, "refs/kite/rescue/2\nrefs/kite/rescue/4\n");
}

#[test]
fn a_number_means_one_thing() {
    let desk = Desk::new();
    let edit = desk.edit("a", "a.txt", Some("1\n"));
    let undo = desk.undo(edit).number.expect("changed");
    desk.write("b.txt", "work\n");
    let back = desk.undo(undo).number.expect("changed");
    // The state before `back` again: its snapshot stands for that undo, not for this command.
    desk.undo(back);
    let number = desk.agent_git("git checkout -q .");
    assert!(number > back, "{number}");
    desk.undo(number);
    assert_eq!(desk.text("b.txt"), "work\n");
    // An undo that changes nothing takes no number, and leaves no snapshot.
    let refs = desk.git(["for-each-ref"]);
    assert_eq!(desk.undo(number).number, None);
    assert_eq!(desk.git(["for-each-ref"]), refs);
}

#[test]
fn a_lock_that_a_dead_git_left_keeps_no_file_from_coming_back() {
    let desk = Desk::new();
    work(&desk);
    let before = desk.tree();
    let number = desk.agent_git("git stash -u");
    desk.write(".git/index.lock", "");
    let report = desk.undo(number);
    assert_eq!(desk.tree(), before);
    assert!(
        report
            .index_failed
            .is_some_and(|said| said.contains("index.lock"))
    );
    assert_eq!(report.staged, Vec::<PathBuf>::new());
    // A snapshot does not need the index's lock at all.
    desk.write("more.txt", "more\n");
    desk.rescue("git reset --hard");
}

#[test]
fn edits_can_be_recorded_without_starting_git() {
    let desk = Desk::new();
    let history = desk.history();
    let git = history.git().expect("a working copy");
    let home = desk.directory.path().join("home");
    let recorder = History::recorder(&home, git.top(), git.common_dir(), Settings::default());
    let before = recorder.keep(&desk.path("a.txt")).expect("kept");
    desk.write("a.txt", "new\n");
    let change = Change {
        path: Path::new("a.txt").into(),
        before,
        after: recorder.keep(&desk.path("a.txt")).expect("kept"),
    };
    let edit = Edit {
        changes: vec![change.clone()],
        command: None,
        session: None,
        tool: None,
        tool_use_id: Some("toolu_1".to_owned()),
        at_ms: NOW_MS,
    };
    recorder.record(&edit).expect("recorded").expect("a change");
    desk.undo_what(&Selection {
        tool_use_id: Some("toolu_1".to_owned()),
        ..Selection::default()
    });
    assert_eq!(desk.text("a.txt"), "one\ntwo\nthree\n");
    // What changed nothing is no entry.
    let same = Change {
        after: change.before.clone(),
        ..change
    };
    let nothing = Edit {
        changes: vec![same],
        ..edit
    };
    assert_eq!(recorder.record(&nothing).expect("recorded"), None);
}

#[test]
fn an_entry_can_be_looked_at() {
    let desk = Desk::new();
    let edit = desk.edit("a", "a.txt", Some("new\n"));
    let shown = desk.history().show(edit).expect("shown");
    assert_eq!(
        shown[0].before,
        Shown::Content(b"one\ntwo\nthree\n".to_vec())
    );
    assert_eq!(shown[0].after, Shown::Content(b"new\n".to_vec()));
    desk.write("u.txt", "u\n");
    let number = desk.rescue("git stash");
    let shown = desk.history().show(number).expect("shown");
    assert_eq!(shown[1].path, Path::new("u.txt"));
    assert_eq!(
        (&shown[1].before, &shown[1].after),
        (&Shown::Absent, &Shown::Content(b"u\n".to_vec()))
    );
    let unknown = desk.history().show(99);
    assert!(matches!(unknown, Err(Error::NothingFits { .. })));
    let listed = desk.history().list(&Filter::default()).expect("listed");
    assert!(matches!(
        &listed[0].entry.kind,
        EntryKind::Snapshot { files_count: 2, .. }
    ));
}

#[test]
fn without_git_edits_can_still_be_undone() {
    let desk = Desk::new();
    fs::remove_dir_all(desk.path(".git")).expect("remove");
    let number = desk.edit("a", "a.txt", Some("new\n"));
    let report = desk.undo(number);
    assert_eq!(desk.text("a.txt"), "one\ntwo\nthree\n");
    desk.undo(report.number.expect("changed"));
    assert_eq!(desk.text("a.txt"), "new\n");
    let refused = desk.history().rescue(&kite_undo::snapshot::Why::default());
    assert!(matches!(refused, Err(Error::NotAWorktree { .. })));
}
