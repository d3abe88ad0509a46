//! Before references move: commits that would go out of reach are kept and come back.

use serde_json::json;

use super::shop::{Shop, Who, silent};

const FILES: &[(&str, &str)] = &[("a.rs", "one\n"), ("b.rs", "one\n")];

/// Two commits of work on `main`, and one on `side`.
fn with_history() -> Shop {
    let shop = Shop::open(FILES);
    shop.git(&["switch", "--quiet", "--create", "side"]);
    shop.write("side.rs", "side\n");
    shop.git(&["add", "side.rs"]);
    shop.git(&["commit", "--quiet", "--message=work on the side"]);
    shop.git(&["switch", "--quiet", "main"]);
    shop.write("a.rs", "two\n");
    shop.git(&["commit", "--quiet", "--all", "--message=two"]);
    shop
}

fn tip(shop: &Shop, revision: &str) -> String {
    shop.git(&["rev-parse", revision]).trim().to_owned()
}

/// The commit that is kept under the newest number, and that number.
#[track_caller]
fn kept(shop: &Shop) -> (String, u64) {
    let lost = shop.lost();
    let newest = lost.first().expect("something is kept");
    let number = newest["number"].as_u64().unwrap();
    let commit = tip(shop, &format!("refs/kite/rescue/{number}^{{commit}}"));
    assert_eq!(newest["commit"], json!(commit));
    (commit, number)
}

/// Commands after which the commit that a branch had is in none, by an agent, whatever calls git.
const LOSING: &[(&str, &str)] = &[
    ("git reset --quiet --hard HEAD~1", "main"),
    ("git reset --quiet --soft HEAD~1", "main"),
    ("git reset --quiet --keep HEAD~1", "main"),
    ("git commit --quiet --amend --message=other", "main"),
    ("git rebase --quiet --onto side HEAD~1", "main"),
    ("git branch --quiet -D side", "side"),
    ("git branch --force side main", "side"),
    ("git checkout --quiet -B side main", "side"),
    ("git switch --quiet --force-create side main", "side"),
    ("git update-ref refs/heads/side main", "side"),
    ("git update-ref -d refs/heads/side", "side"),
    ("git pack-refs --all && git branch --quiet -D side", "side"),
    ("git fetch --quiet --force . main:side", "side"),
    ("git worktree add --quiet -B side ../linked main", "side"),
];

#[test]
fn a_commit_that_its_branch_loses_is_kept() {
    for (line, branch) in LOSING {
        let shop = with_history();
        let had = tip(&shop, branch);
        // Without a daemon, too.
        shop.kite(&["daemon", "stop"]).run().ends(0);
        silent(&shop.shell(Who::Ben, &format!("sh -c '{line}'")));
        let (commit, number) = kept(&shop);
        assert_eq!(commit, had, "{line}");
        assert_eq!(shop.lost().len(), 1, "{line} keeps it once");
        let entry = &shop.lost()[0];
        assert_eq!(entry["reference"], json!(format!("refs/heads/{branch}")));
        // It outlives what git throws away.
        shop.git(&["reflog", "expire", "--expire=now", "--all"]);
        shop.git(&["gc", "--quiet", "--prune=now"]);
        assert_eq!(shop.lost().len(), 1, "{line}: packing loses nothing");

        let undone = shop.kite(&["undo", &number.to_string()]).run();
        let gone = shop.git(&["branch", "--list", branch]).is_empty();
        if undone.code == 0 {
            assert!(!gone, "{undone:?}");
            assert_eq!(tip(&shop, branch), had, "{line}");
            continue;
        }
        let undone = undone.ends(3).mentions(&format!("a branch {branch}"));
        let (_, command) = undone.stdout.split_once("a branch of it: ").unwrap();
        silent(&shop.shell(Who::Ben, command));
        assert_eq!(tip(&shop, &format!("{branch}-before")), had, "{line}");
    }
}

#[test]
fn a_deleted_branch_comes_back_by_its_number() {
    let shop = with_history();
    let had = tip(&shop, "side");
    silent(&shop.shell(Who::Person, "git branch -qD side"));
    let (_, number) = kept(&shop);
    let number = number.to_string();
    shop.kite(&["undo", "--show", &number])
        .run()
        .ends(0)
        .mentions("branch side, deleted at")
        .mentions("work on the side")
        .mentions("side.rs");
    shop.kite(&["undo", &number, "--dry-run"])
        .run()
        .ends(0)
        .mentions("Would bring back branch side");
    assert_eq!(shop.git(&["branch", "--list", "side"]), "");
    let report = shop.kite(&["undo", &number, "--json"]).run().ends(0).json();
    assert_eq!(
        report["branch"],
        json!({"name": "side", "commit": had, "made": true})
    );
    assert_eq!(tip(&shop, "side"), had);
    shop.kite(&["undo", "--list"]).run().ends(0).mentions("by ");
}

#[test]
fn several_branches_of_one_commit_lose_it_together() {
    let shop = with_history();
    shop.git(&["branch", "twin", "side"]);
    silent(&shop.shell(Who::Ben, "git branch -qD side"));
    assert_eq!(shop.lost().len(), 0, "its twin still has it");
    shop.git(&["branch", "side", "twin"]);
    silent(&shop.shell(Who::Ben, "git branch -qD side twin"));
    assert_eq!(shop.lost().len(), 2);
}

#[test]
fn commits_of_no_branch_are_kept_when_head_leaves_them() {
    let shop = with_history();
    for (line, leaves) in [
        ("git reset -q --hard HEAD~1", true),
        ("git checkout -q main", true),
        ("git checkout -q --detach main", true),
        ("git commit -q --amend --allow-empty -m other", true),
        ("git commit -q --allow-empty -m more", false),
    ] {
        shop.git(&["checkout", "--quiet", "--detach", "main"]);
        let before = shop.lost().len();
        shop.git(&["commit", "--quiet", "--allow-empty", "--message", line]);
        let had = tip(&shop, "HEAD");
        silent(&shop.shell(Who::Ben, line));
        assert_eq!(shop.lost().len() > before, leaves, "{line}");
        if leaves {
            let (commit, number) = kept(&shop);
            assert_eq!(commit, had, "{line}");
            shop.kite(&["undo", &number.to_string()])
                .run()
                .ends(3)
                .mentions(&format!("git branch NAME refs/kite/rescue/{number}"));
        }
    }
}

#[test]
fn work_that_loses_nothing_leaves_nothing_behind() {
    let shop = with_history();
    shop.git(&["init", "--quiet", "--bare", "../origin"]);
    for line in [
        "git commit -q --allow-empty -m x",
        "git tag v1 && git tag -d v1",
        "git remote add origin ../origin && git push -q origin main side && git fetch -q",
        "git branch next && git branch -m next later && git branch -d later",
        "git switch -q side && git switch -q main",
        "git merge -q --no-edit side",
        "git branch -d side",
        "echo x >a.rs && git stash -q && git stash pop -q && git checkout -q a.rs",
        "git worktree add -q ../linked -b linked && git worktree remove ../linked",
        "git gc -q && git pack-refs --all",
        "git commit -q --allow-empty -m y && git push -q origin main && git reset -q --hard HEAD~1",
    ] {
        let output = shop.shell(Who::Ben, line);
        assert!(output.status.success(), "{line}: {output:?}");
        let there = shop.git(&["for-each-ref", "refs/kite"]);
        assert_eq!(there, "", "{line}");
    }
}

/// What of uncommitted work is still there when git calls its hook, verb by verb. The table in
/// `docs/undo.md` is this one.
const WORK_TREE: &[(&str, bool)] = &[
    ("git reset -q --hard HEAD~1", false),
    ("git checkout -q -f -B side main", false),
    ("git switch -q --discard-changes -C side main", false),
    ("git rebase -q --autostash --onto side HEAD~1", false),
    ("git reset -q --keep HEAD~1", true),
    ("git reset -q --soft HEAD~1", true),
    ("git reset -q HEAD~1", true),
    ("git commit -q --amend -m other", true),
    ("git branch -q -D side", true),
    ("git branch -f side main", true),
    ("git checkout -q -B side main", true),
];

#[test]
fn uncommitted_work_is_kept_where_git_has_not_moved_it_yet() {
    for (line, there) in WORK_TREE {
        let shop = with_history();
        shop.write("b.rs", "not committed\n");
        let output = shop.shell(Who::Ben, line);
        assert!(output.status.success(), "{line}: {output:?}");
        assert!(!shop.lost().is_empty(), "{line}");
        let entries = shop.entries();
        let snapshot = entries.iter().find(|entry| entry["kind"] == "snapshot");
        assert_eq!(snapshot.is_some(), *there, "{line}: {entries:?}");
        let Some(snapshot) = snapshot else { continue };
        shop.write("b.rs", "one\n");
        let number = snapshot["number"].as_u64().unwrap().to_string();
        shop.kite(&["undo", &number, "--path", "b.rs"])
            .run()
            .ends(0);
        assert_eq!(shop.read("b.rs"), "not committed\n", "{line}");
    }
}

#[test]
fn a_loss_in_a_linked_worktree_is_kept_for_the_repository() {
    let mut shop = with_history();
    let linked = shop.top.with_file_name("linked");
    shop.git(&[
        "worktree",
        "add",
        "--quiet",
        linked.to_str().unwrap(),
        "side",
    ]);
    let had = tip(&shop, "side");
    let first = std::mem::replace(&mut shop.top, linked);
    silent(&shop.shell(Who::Ben, "git reset -q --hard HEAD~1"));
    assert_eq!(kept(&shop).0, had);
    shop.top = first;
    let (_, number) = (
        had,
        shop.git(&["for-each-ref", "--count=1", "refs/kite/rescue"]),
    );
    assert!(number.contains("refs/kite/rescue/"), "{number}");
}

#[test]
fn a_force_push_into_a_checkout_is_kept_there() {
    let shop = with_history();
    let had = tip(&shop, "side");
    shop.git(&["clone", "--quiet", ".", "../clone"]);
    let clone = shop.top.with_file_name("clone");
    let line = "git checkout -q -B side main && git push -q --force origin side";
    let pushed = shop.shell_in(Who::Ben, &clone, line);
    assert!(pushed.status.success(), "{pushed:?}");
    assert_eq!(kept(&shop).0, had);
}
