//! Everything uncommitted goes into a snapshot, and nothing else changes.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use kite_undo::{
    DirtyState, Error, Git, Mode,
    snapshot::{self, Keep, LeftOutWhy, Options, Snapshot, Why},
};

use crate::support::{Desk, NOW_MS, plain_git};

fn why() -> Why {
    Why {
        session: Some("77ab02f1".to_owned()),
        command: Some("git stash".to_owned()),
        at_ms: NOW_MS,
    }
}

fn take(desk: &Desk) -> Option<Snapshot> {
    snapshot::take(&desk.repo(), &why(), &Options::default()).expect("a snapshot")
}

fn kept(desk: &Desk, snapshot: &Snapshot, path: &str) -> String {
    desk.git(["show", &format!("{}:{path}", snapshot.commit)])
}

#[test]
fn a_clean_working_copy_needs_none() {
    let desk = Desk::new();
    assert_eq!(take(&desk), None);
    assert_eq!(desk.git(["for-each-ref", "refs/kite"]), "");
}

#[test]
fn index_and_work_tree_are_kept_and_nothing_else_changes() {
    let desk = Desk::new();
    desk.write("a.txt", "staged\n");
    desk.git(["add", "a.txt"]);
    desk.write("a.txt", "changed after staging\n");
    desk.write("new/u.txt", "untracked\n");
    desk.script("run.sh", "#!/bin/sh\n");
    symlink("../outside", desk.path("link")).expect("link");
    fs::remove_file(desk.path("b.txt")).expect("remove");
    let before = fs::read(desk.path(".git/index")).expect("index");
    let time = |desk: &Desk| {
        fs::metadata(desk.path(".git/index"))
            .expect("index")
            .modified()
            .expect("time")
    };
    let (before_time, status) = (time(&desk), desk.git(["status", "--porcelain"]));
    fs::File::open(desk.path(".git/index"))
        .expect("index")
        .set_modified(before_time)
        .expect("time");

    let snapshot = take(&desk).expect("dirty");

    assert_eq!(snapshot.number, 1);
    assert!(snapshot.fresh);
    assert_eq!(fs::read(desk.path(".git/index")).expect("index"), before);
    assert_eq!(time(&desk), before_time);
    assert_eq!(desk.git(["status", "--porcelain"]), status);
    assert_eq!(kept(&desk, &snapshot, "a.txt"), "changed after staging\n");
    assert_eq!(kept(&desk, &snapshot, "new/u.txt"), "untracked\n");
    assert_eq!(kept(&desk, &snapshot, "link"), "../outside");
    let index = desk.git(["show", &format!("{}^2:a.txt", snapshot.commit)]);
    assert_eq!(index, "staged\n");
    let tree = desk.git(["ls-tree", "-r", snapshot.commit.as_str()]);
    assert!(
        tree.contains("100755 blob") && tree.contains("120000 blob"),
        "{tree}"
    );
    assert!(!tree.contains("b.txt"), "{tree}");
    let git = Git::open(&desk.repo()).expect("git");
    let back = snapshot::load(&git, 1).expect("the snapshot");
    assert_eq!(back.why, why());
    let paths: Vec<&Path> = back.files.iter().map(|file| file.path.as_path()).collect();
    assert_eq!(
        paths,
        ["a.txt", "b.txt", "link", "new/u.txt", "run.sh"].map(Path::new)
    );
    assert_eq!(back.files[1].file, None);
    assert_eq!(
        back.files[4].file.as_ref().map(|it| it.mode),
        Some(Mode::Executable)
    );
    desk.git(["fsck", "--strict", "--no-dangling"]);
}

#[test]
fn an_unchanged_state_is_kept_once() {
    let desk = Desk::new();
    desk.write("a.txt", "x\n");
    let first = take(&desk).expect("dirty");
    let again = take(&desk).expect("dirty");
    assert_eq!((again.number, &again.commit), (first.number, &first.commit));
    assert!(!again.fresh);
    desk.write("a.txt", "y\n");
    assert_eq!(take(&desk).expect("dirty").number, 2);
    // A ref that somebody deleted does not count as kept.
    desk.git(["update-ref", "-d", "refs/kite/rescue/2"]);
    assert_eq!(take(&desk).expect("dirty").number, 3);
}

#[test]
fn a_repository_without_a_commit_has_work_to_lose_too() {
    let desk = Desk::unborn();
    assert_eq!(take(&desk), None);
    desk.write("a.txt", "staged\n");
    desk.git(["add", "a.txt"]);
    desk.write("a.txt", "later\n");
    desk.write("b.txt", "b\n");
    let snapshot = take(&desk).expect("dirty");
    assert_eq!(kept(&desk, &snapshot, "a.txt"), "later\n");
    assert_eq!(
        desk.git(["show", &format!("{}^1:a.txt", snapshot.commit)]),
        "staged\n"
    );
    let back = snapshot::load(&Git::open(&desk.repo()).expect("git"), 1).expect("it");
    assert_eq!((back.head, back.files.len()), (None, 2));
}

#[test]
fn any_path_that_a_file_system_allows() {
    let desk = Desk::new();
    let names: Vec<PathBuf> = [
        &b"a b"[..],
        b"new\nline",
        b"-x",
        b"--output=f",
        b"$(id)",
        b"\"q\\",
        b"tab\there",
        b":(glob)x",
        b"git~1",
        b"\xff\xfe",
    ]
    .iter()
    .map(|name| PathBuf::from(OsStr::from_bytes(name)))
    .collect();
    let mut written = Vec::new();
    for name in &names {
        // Some file systems take no names that are not UTF-8.
        if fs::write(desk.path(name), name.as_os_str().as_bytes()).is_ok() {
            written.push(name.clone());
        }
    }
    let snapshot = take(&desk).expect("dirty");
    assert_eq!(snapshot.files.len(), written.len());
    let git = Git::open(&desk.repo()).expect("git");
    let mut back: Vec<PathBuf> = snapshot::load(&git, 1)
        .expect("it")
        .files
        .into_iter()
        .map(|file| file.path)
        .collect();
    back.sort();
    written.sort();
    assert_eq!(back, written);
}

#[test]
fn a_merge_in_progress_keeps_its_stages() {
    let desk = Desk::new();
    desk.git(["checkout", "-q", "-b", "side"]);
    desk.write("a.txt", "side\n");
    desk.git(["commit", "-qam", "side"]);
    desk.git(["checkout", "-q", "main"]);
    desk.write("a.txt", "main\n");
    desk.git(["commit", "-qam", "main"]);
    assert!(!desk.try_git(["merge", "side"]).status.success());
    let marked = desk.text("a.txt");
    let unmerged = desk.git(["ls-files", "-u"]);
    let snapshot = take(&desk).expect("dirty");
    assert_eq!(kept(&desk, &snapshot, "a.txt"), marked);
    assert_eq!(
        desk.git(["show", &format!("{}^3:2/a.txt", snapshot.commit)]),
        "main\n"
    );
    assert_eq!(
        desk.git(["show", &format!("{}^3:3/a.txt", snapshot.commit)]),
        "side\n"
    );
    assert_eq!(desk.git(["ls-files", "-u"]), unmerged);
}

#[test]
fn linked_worktrees_and_a_detached_head_share_the_numbers() {
    let desk = Desk::new();
    let linked = desk.directory.path().join("linked");
    desk.git([
        "worktree",
        "add",
        "-q",
        "--detach",
        linked.to_str().expect("text"),
    ]);
    desk.write("a.txt", "main's\n");
    fs::write(linked.join("a.txt"), "linked's\n").expect("write");
    let first = take(&desk).expect("dirty");
    let second = snapshot::take(&linked, &why(), &Options::default())
        .expect("git")
        .expect("dirty");
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(kept(&desk, &second, "a.txt"), "linked's\n");
    assert!(
        !take(&desk).expect("dirty").fresh,
        "each worktree remembers its own"
    );
    let back = snapshot::load(&Git::open(&linked).expect("git"), 2).expect("it");
    assert_eq!(back.worktree, linked.canonicalize().expect("path"));
    assert_eq!(back.branch, None);
}

#[test]
fn bare_repositories_and_plain_directories_are_refused() {
    let desk = Desk::new();
    let bare = desk.directory.path().join("bare.git");
    desk.git(["clone", "-q", "--bare", ".", bare.to_str().expect("text")]);
    let refused = snapshot::take(&bare, &why(), &Options::default());
    assert!(matches!(refused, Err(Error::Bare { .. })), "{refused:?}");
    let refused = snapshot::take(desk.directory.path(), &why(), &Options::default());
    assert!(
        matches!(refused, Err(Error::NotAWorktree { .. })),
        "{refused:?}"
    );
    // A worktree of a bare repository is a working copy like any other.
    let linked = desk.directory.path().join("linked");
    assert!(
        plain_git(
            &bare,
            ["worktree", "add", "-q", linked.to_str().expect("text")]
        )
        .status
        .success()
    );
    fs::write(linked.join("a.txt"), "x\n").expect("write");
    assert!(
        snapshot::take(&linked, &why(), &Options::default())
            .expect("git")
            .is_some()
    );
}

#[test]
fn what_cannot_be_kept_is_named() {
    let desk = Desk::new();
    let inner = desk.path("inner");
    fs::create_dir(&inner).expect("inner");
    plain_git(&inner, ["init", "-q"]);
    fs::write(inner.join("x"), "x").expect("write");
    assert_eq!(take(&desk), None, "another repository is not our work");
    desk.write("big.bin", vec![7; 2000]);
    desk.write("small.txt", "s\n");
    let options = Options {
        file_bytes_max: 1000,
        ..Options::default()
    };
    let snapshot = snapshot::take(&desk.repo(), &why(), &options)
        .expect("git")
        .expect("dirty");
    let mut left: Vec<(&Path, LeftOutWhy)> = snapshot
        .left_out
        .iter()
        .map(|it| (it.path.as_path(), it.why))
        .collect();
    left.sort_by_key(|it| it.0);
    assert_eq!(
        left,
        [
            (Path::new("big.bin"), LeftOutWhy::TooLarge),
            (Path::new("inner/"), LeftOutWhy::Repository)
        ]
    );
    assert_eq!(snapshot.files, [PathBuf::from("small.txt")]);
    // So is what a full snapshot has no room for.
    let options = Options {
        files_max: 1,
        ..Options::default()
    };
    let snapshot = snapshot::take(&desk.repo(), &why(), &options)
        .expect("git")
        .expect("dirty");
    assert!(
        snapshot
            .left_out
            .iter()
            .any(|it| it.why == LeftOutWhy::Full)
    );
}

#[test]
fn a_link_instead_of_a_directory_leads_nowhere() {
    let desk = Desk::new();
    let secret = desk.directory.path().join("secret");
    fs::create_dir(&secret).expect("secret");
    fs::write(secret.join("c.txt"), "another's secret\n").expect("write");
    fs::remove_dir_all(desk.path("dir")).expect("remove");
    symlink(&secret, desk.path("dir")).expect("link");
    let snapshot = take(&desk).expect("dirty");
    let tree = desk.git(["ls-tree", "-r", snapshot.commit.as_str()]);
    assert!(
        tree.contains("120000 blob") && !tree.contains("dir/c.txt"),
        "{tree}"
    );
}

#[test]
fn ignored_files_come_along_only_when_named() {
    let desk = Desk::new();
    desk.write(".git/info/exclude", "*.log\n");
    desk.write("x.log", "log\n");
    assert_eq!(take(&desk), None);
    let options = Options {
        also: vec![
            "x.log".into(),
            "a.txt".into(),
            "../repo/x.log".into(),
            ".git/config".into(),
        ],
        ..Options::default()
    };
    let snapshot = snapshot::take(&desk.repo(), &why(), &options)
        .expect("git")
        .expect("kept");
    assert_eq!(snapshot.files, [PathBuf::from("x.log")]);
}

#[test]
fn old_snapshots_go_and_numbers_never_return() {
    let desk = Desk::new();
    let git = Git::open(&desk.repo()).expect("git");
    for n in 0..5_u64 {
        desk.write("a.txt", format!("{n}\n"));
        let at_ms = NOW_MS + n * 1000;
        let why = Why { at_ms, ..why() };
        snapshot::take(&desk.repo(), &why, &Options::default()).expect("git");
    }
    let keep = Keep {
        count_max: 2,
        age_max: Duration::from_secs(60),
    };
    assert_eq!(
        snapshot::prune(&git, NOW_MS + 5000, &keep).expect("prune"),
        3
    );
    assert!(matches!(
        snapshot::load(&git, 3),
        Err(Error::NothingFits { .. })
    ));
    assert!(snapshot::load(&git, 5).is_ok());
    assert_eq!(
        snapshot::prune(&git, NOW_MS + 100_000, &keep).expect("prune"),
        2
    );
    desk.write("a.txt", "again\n");
    assert_eq!(take(&desk).expect("dirty").number, 6);
}

#[test]
fn a_number_file_that_is_damaged_is_made_up_for() {
    let desk = Desk::new();
    desk.write("a.txt", "1\n");
    take(&desk).expect("dirty");
    fs::write(desk.path(".git/kite/rescue.lock"), "rubbish").expect("write");
    desk.write("a.txt", "2\n");
    assert_eq!(take(&desk).expect("dirty").number, 2);
}

#[test]
fn many_at_once_each_get_a_number() {
    let desk = Desk::new();
    desk.write("a.txt", "x\n");
    let numbers: Vec<u64> = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..6)
            .map(|n| {
                let desk = &desk;
                scope.spawn(move || {
                    desk.write(format!("u{n}.txt"), "u\n");
                    take(desk).expect("dirty").number
                })
            })
            .collect();
        takers
            .into_iter()
            .map(|it| it.join().expect("taken"))
            .collect()
    });
    let refs = desk.git(["for-each-ref", "--format=%(refname)", "refs/kite"]);
    let highest = numbers.iter().max().expect("numbers");
    assert_eq!(refs.lines().count() as u64, *highest);
}

#[test]
fn dirty_names_each_path_and_how() {
    let desk = Desk::new();
    desk.write("a.txt", "x\n");
    fs::remove_file(desk.path("b.txt")).expect("remove");
    desk.write("u.txt", "u\n");
    let dirty = snapshot::dirty(&desk.path("dir")).expect("dirty");
    let paths: Vec<&Path> = dirty.iter().map(|it| it.path.as_path()).collect();
    assert_eq!(paths, ["a.txt", "b.txt", "u.txt"].map(Path::new));
    assert!(matches!(
        dirty[0].state,
        DirtyState::Tracked {
            changed: true,
            deleted: false,
            ..
        }
    ));
    assert!(matches!(
        dirty[1].state,
        DirtyState::Tracked { deleted: true, .. }
    ));
    assert_eq!(dirty[2].state, DirtyState::Untracked);
}

#[test]
fn a_submodule_is_never_entered() {
    let desk = Desk::new();
    let other = Desk::new();
    let other_path = other.repo();
    let added = desk.try_git([
        OsStr::new("-c"),
        OsStr::new("protocol.file.allow=always"),
        OsStr::new("submodule"),
        OsStr::new("add"),
        OsStr::new("-q"),
        other_path.as_os_str(),
        OsStr::new("sub"),
    ]);
    assert!(added.status.success(), "{added:?}");
    desk.write("sub/a.txt", "dirty inside\n");
    let snapshot = take(&desk).expect("the submodule is staged");
    let tree = desk.git(["ls-tree", "-r", snapshot.commit.as_str()]);
    assert!(
        tree.contains("160000 commit") && !tree.contains("sub/a.txt"),
        "{tree}"
    );
}

#[test]
fn sha256_repositories_work_too() {
    let desk = Desk::new();
    let repo = desk.directory.path().join("sha256");
    fs::create_dir(&repo).expect("directory");
    if !plain_git(&repo, ["init", "-q", "--object-format=sha256"])
        .status
        .success()
    {
        return;
    }
    fs::write(repo.join("a.txt"), "a\n").expect("write");
    let snapshot = snapshot::take(&repo, &why(), &Options::default())
        .expect("git")
        .expect("dirty");
    assert_eq!(snapshot.commit.as_str().len(), 64);
    assert_eq!(
        snapshot::load(&Git::open(&repo).expect("git"), 1)
            .expect("it")
            .files
            .len(),
        1
    );
}

#[test]
fn ignored_files_that_cannot_be_built_again_are_kept() {
    let desk = Desk::new();
    desk.write(
        ".gitignore",
        ".env\n*.log\nlocal/\ntarget/\nnode_modules/\ninner/\n",
    );
    desk.git(["add", "-A"]);
    desk.git(["commit", "-qm", "ignores"]);
    for kept in [".env", "dir/x.log", "local/deep/data.db", "local/n w\n.txt"] {
        desk.write(kept, "only here\n");
    }
    for built in [
        "target/debug/x",
        "dir/node_modules/y.js",
        "local/node_modules/z.js",
        "local/deep/target/t",
    ] {
        desk.write(built, "built\n");
    }
    let inner = desk.path("inner");
    fs::create_dir(&inner).expect("inner");
    assert!(plain_git(&inner, ["init", "-q"]).status.success());
    desk.write("inner/x", "another repository\n");
    let history = desk.history();
    let ignored = history.ignored().expect("a list");
    let names: Vec<&str> = ignored.iter().filter_map(|path| path.to_str()).collect();
    assert_eq!(
        names,
        [".env", "dir/x.log", "local/n w\n.txt", "local/deep/data.db"]
    );
    assert!(
        history.rescue(&why()).expect("git").is_none(),
        "not by itself"
    );
    let taken = history.rescue_with(&why(), ignored).expect("git");
    let number = taken.expect("a snapshot").number;
    let before = desk.tree();
    desk.git(["clean", "-fdxq"]);
    assert!(desk.read(".env").is_none());
    desk.undo(number);
    let built = |path: &Path| {
        let path = path.to_str().expect("text");
        path.contains("target/") || path.contains("node_modules/") || path.contains("inner/")
    };
    let after = desk.tree();
    for (path, content) in before.iter().filter(|(path, _)| !built(path)) {
        assert_eq!(after.get(path), Some(content), "{path:?}");
    }
}

#[test]
fn ignored_files_have_a_share_and_what_is_over_it_is_named() {
    let desk = Desk::new();
    desk.write(".gitignore", "*.log\n");
    desk.write("a.txt", "changed\n");
    desk.write("small.log", "small\n");
    desk.write("deep/large.log", vec![b'x'; 4096]);
    let options = Options {
        also: vec!["small.log".into(), "deep/large.log".into()],
        also_bytes_max: 1000,
        ..Options::default()
    };
    let taken = snapshot::take(&desk.repo(), &why(), &options).expect("git");
    let taken = taken.expect("dirty");
    assert!(taken.files.contains(&"small.log".into()));
    assert!(taken.files.contains(&"a.txt".into()));
    assert_eq!(taken.left_out_count, 1);
}

#[test]
fn files_that_git_was_told_not_to_look_at_are_kept_where_they_differ() {
    let desk = Desk::new();
    desk.git(["update-index", "--assume-unchanged", "a.txt", "dir/c.txt"]);
    desk.git(["update-index", "--skip-worktree", "b.txt"]);
    assert!(desk.history().rescue(&why()).expect("git").is_none());
    desk.write("a.txt", "mine alone\n");
    desk.write("b.txt", "mine, too\n");
    let number = desk.rescue("git reset --hard");
    let mut kept = snapshot::load(&Git::open(&desk.repo()).expect("git"), number)
        .expect("it")
        .files;
    kept.retain(|file| file.file.is_some());
    let names: Vec<&Path> = kept.iter().map(|file| file.path.as_path()).collect();
    assert_eq!(names, [Path::new("a.txt"), Path::new("b.txt")]);
    desk.write("a.txt", "one\ntwo\nthree\n");
    desk.undo(number);
    assert_eq!(desk.text("a.txt"), "mine alone\n");
    assert_eq!(desk.text("b.txt"), "mine, too\n");
}
