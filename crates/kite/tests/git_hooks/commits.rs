//! Before a commit: an agent does not sweep up another's work, and nobody else is stopped.

use std::{
    fs,
    os::unix::net::UnixListener,
    time::{Duration, Instant},
};

use super::shop::{Shop, Who, said, silent};

const FILES: &[(&str, &str)] = &[
    ("a.rs", "one\n"),
    ("b.rs", "one\n"),
    ("sub/c d.rs", "one\n"),
    (
        "Makefile",
        "all:\n\t@git add -A && git commit -q -m 'all of it'\n",
    ),
];

/// `a.rs` is Ada's, `b.rs` and `sub/c d.rs` are Ben's.
fn both_at_work() -> Shop {
    let mut shop = Shop::open(FILES);
    shop.prompt(Who::Ada, "Add OAuth login");
    shop.edit(Who::Ada, "a.rs", "ada\n");
    shop.edit(Who::Ben, "b.rs", "ben\n");
    shop.edit(Who::Ben, "sub/c d.rs", "ben\n");
    shop
}

/// The command that the refusal says, in as many lines as it has.
#[track_caller]
fn way_on(refusal: &str) -> String {
    let (_, rest) = refusal.split_once("all but those files:\n").expect(refusal);
    let (command, _) = rest.split_once("\nNothing is lost").expect(refusal);
    command.to_owned()
}

/// What no shell command of an agent shows in its words.
const SWEEPS: &[(&str, &str)] = &[
    ("commit.sh", "git commit -qam 'all of it'\n"),
    ("commit.sh", "git add -A\ngit commit -q -m 'all of it'\n"),
    (
        "commit.sh",
        "git add a.rs b.rs 'sub/c d.rs'\ngit commit -qm 'all of it'\n",
    ),
    (
        "commit.sh",
        "cd sub && git commit -q -a -m \"it's\ntwo lines\"\n",
    ),
];

#[test]
fn a_script_that_sweeps_up_anothers_work_is_refused_and_the_way_on_loses_nothing() {
    for (name, text) in SWEEPS {
        let shop = both_at_work();
        shop.write("../commit.sh", text);
        let start = shop.git(&["rev-parse", "HEAD"]);

        let refused = shop.shell(Who::Ben, &format!("sh ../{name}"));
        let words = said(&refused);
        assert!(!refused.status.success(), "{text}: {refused:?}");
        let first = shop.entries().pop().unwrap();
        let ada = &first["session"].as_str().unwrap()[..8];
        for part in [ada, "(\"Add OAuth login\"): a.rs", "git commit --only"] {
            assert!(words.contains(part), "{part} in {words}");
        }
        assert_eq!(shop.git(&["rev-parse", "HEAD"]), start);
        assert_eq!(shop.read("a.rs"), "ada\n");

        let way_on = way_on(&words);
        // From where the script called git.
        let place = if text.starts_with("cd sub") {
            "sub"
        } else {
            "."
        };
        let followed = shop.shell_in(Who::Ben, &shop.top.join(place), &way_on);
        assert!(followed.status.success(), "{way_on}: {followed:?}");
        assert_eq!(shop.committed("HEAD", "b.rs"), "ben\n", "{way_on}");
        assert_eq!(shop.committed("HEAD", "sub/c d.rs"), "ben\n", "{way_on}");
        assert_eq!(shop.committed("HEAD", "a.rs"), "one\n", "{way_on}");
        assert_eq!(shop.read("a.rs"), "ada\n");
        let message = shop.git(&["log", "-1", "--format=%B"]);
        assert!(text.contains(message.trim()), "{message:?} of {text:?}");

        let own = shop.shell(Who::Ada, "git commit -q -m mine -- a.rs");
        silent(&own);
        assert_eq!(shop.git(&["status", "--porcelain"]), "");
    }
}

#[test]
fn a_makefile_is_a_script_too() {
    let mut shop = both_at_work();
    shop.edit(Who::Ada, "new.rs", "ada\n");
    if !shop.shell(Who::Ben, "make --version").status.success() {
        return;
    }
    let refused = shop.shell(Who::Ben, "make");
    assert!(!refused.status.success(), "{refused:?}");
    let words = said(&refused);
    assert!(words.contains("a.rs, new.rs"), "{words}");
    let followed = shop.shell(Who::Ben, &way_on(&words));
    assert!(followed.status.success(), "{followed:?}");
    assert_eq!(shop.read("new.rs"), "ada\n");
    assert_eq!(
        shop.git(&["ls-files", "new.rs"]),
        "new.rs\n",
        "it is staged, as make left it"
    );
}

#[test]
fn a_commit_of_anothers_files_alone_is_told_how_to_let_go_of_them() {
    let shop = both_at_work();
    shop.git(&["add", "a.rs"]);
    let refused = shop.shell(Who::Ben, "sh -c 'git commit -m x'");
    let words = said(&refused);
    assert!(!refused.status.success(), "{refused:?}");
    let (_, rest) = words.split_once("out of the index:\n").expect(&words);
    let command = rest.lines().next().unwrap();
    assert_eq!(command, "git restore --staged -- a.rs");
    assert!(shop.shell(Who::Ben, command).status.success());
    assert_eq!(shop.read("a.rs"), "ada\n");
    assert_eq!(shop.git(&["diff", "--cached", "--name-only"]), "");
}

#[test]
fn a_file_that_both_changed_is_the_committers_too() {
    let mut shop = both_at_work();
    shop.edit(Who::Ada, "b.rs", "ben\nada\n");
    silent(&shop.shell(Who::Ben, "git commit -q -m both -- b.rs"));
}

#[test]
fn a_person_commits_everything_without_a_word() {
    let shop = both_at_work();
    silent(&shop.shell(Who::Person, "git commit -q -a -m everything"));
    assert_eq!(shop.committed("HEAD", "a.rs"), "ada\n");
    assert_eq!(shop.committed("HEAD", "b.rs"), "ben\n");
}

#[test]
fn what_a_dead_session_left_is_anybodys() {
    let mut shop = both_at_work();
    let ada = super::world::Agent {
        pid: shop.ada.pid,
        session_id: shop.ada.session_id.clone(),
    };
    shop.world.kill(&ada);
    super::world::eventually("its death is noted", || {
        let sessions = shop.kite(&["sessions", "--json"]).run().ends(0).json();
        sessions["sessions"].as_array().unwrap().len() == 1
    });
    silent(&shop.shell(Who::Ben, "git commit -q -a -m everything"));
}

#[test]
fn the_end_of_a_merge_is_not_judged() {
    let shop = both_at_work();
    shop.git(&["stash", "--quiet"]);
    shop.git(&["switch", "--quiet", "--create", "side"]);
    shop.write("side.rs", "side\n");
    shop.git(&["add", "side.rs"]);
    shop.git(&["commit", "--quiet", "--message=side"]);
    shop.git(&["switch", "--quiet", "main"]);
    shop.git(&["merge", "--quiet", "--no-ff", "--no-commit", "side"]);
    shop.git(&["stash", "pop", "--quiet"]);
    let merged = shop.shell(Who::Ben, "git add -A && git commit -q --no-edit");
    assert!(merged.status.success(), "{merged:?}");
}

#[test]
fn without_an_answer_the_commit_is_made() {
    let shop = both_at_work();
    shop.kite(&["daemon", "stop"]).run().ends(0);
    silent(&shop.shell(Who::Ben, "git commit -q -a -m 'no daemon'"));

    shop.write("a.rs", "again\n");
    let socket = shop.world.home.join("kite.sock");
    let _ = fs::remove_file(&socket);
    let _deaf = UnixListener::bind(&socket).unwrap();
    let began = Instant::now();
    silent(&shop.shell(Who::Ben, "git commit -q -a -m 'a daemon that says nothing'"));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
    fs::remove_file(&socket).unwrap();

    fs::remove_dir_all(&shop.world.home).unwrap();
    shop.write("a.rs", "and again\n");
    silent(&shop.shell(Who::Ben, "git commit -q -a -m 'no home'"));
    silent(&shop.shell(Who::Ben, "git reset -q --hard HEAD~1"));
}

#[test]
fn a_linked_worktree_is_guarded_like_the_first() {
    let mut shop = Shop::open(FILES);
    let linked = shop.top.with_file_name("linked");
    shop.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    let (first, started) = (shop.top.clone(), shop.git(&["rev-parse", "HEAD"]));
    shop.top = linked;
    shop.edit(Who::Ada, "a.rs", "ada\n");
    shop.edit(Who::Ben, "b.rs", "ben\n");
    let refused = shop.shell(Who::Ben, "sh -c 'git commit -qam x'");
    assert!(said(&refused).contains("a.rs"), "{refused:?}");
    assert!(
        shop.shell(Who::Ben, &way_on(&said(&refused)))
            .status
            .success()
    );
    assert_eq!(shop.committed("HEAD", "a.rs"), "one\n");
    shop.top = first;
    assert_eq!(shop.git(&["rev-parse", "HEAD"]), started);
}

#[test]
fn where_the_guard_is_off_nothing_is_refused() {
    let mut shop = Shop::without_hooks(FILES);
    fs::create_dir_all(&shop.world.home).unwrap();
    shop.kite(&["init", "--git-hooks"]).run().ends(0);
    shop.kite(&["daemon", "stop"]).run().ends(0);
    fs::write(shop.world.home.join("config.toml"), "git_guard = \"off\"\n").unwrap();
    shop.kite(&["daemon", "start"]).run().ends(0);
    shop.edit(Who::Ada, "a.rs", "ada\n");
    shop.edit(Who::Ben, "b.rs", "ben\n");
    silent(&shop.shell(Who::Ben, "sh -c 'git commit -qam x'"));
}
