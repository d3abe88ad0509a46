//! Worktrees, as those who ask for them see it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

use kite_store::Store;
use kite_worktree::Plan;
use serde_json::{Value, json};

use super::{
    Removal, Wanted,
    record::{Record, State},
};
use crate::{
    config::Config,
    engine::{
        stage::{World, story},
        trust::stories::ask_as_person,
    },
};

/// Git with an identity and without anybody's settings.
fn git(directory: impl AsRef<Path>, args: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(directory)
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org"])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn repository(world: &World) -> PathBuf {
    let shop = PathBuf::from(world.shop());
    git(&shop, &["init", "-q", "-b", "main"]);
    fs::write(shop.join(".gitignore"), ".env\ntarget/\n").unwrap();
    git(&shop, &["add", "-A"]);
    git(&shop, &["commit", "-q", "-m", "first"]);
    shop
}

fn wanted(about: &str) -> Wanted {
    Wanted {
        agent: Some("a".repeat(32)),
        about: about.into(),
        base: None,
    }
}

fn branches(shop: &Path) -> String {
    git(shop, &["branch", "--format=%(refname:short)"])
}

#[test]
fn a_worktree_is_made_listed_and_removed_when_nothing_is_lost() {
    story(Config::default(), |world| async move {
        let shop = repository(&world);
        let agent = world.agent("one");
        let made = world
            .engine
            .make_checkout(&shop, wanted("Add OAuth"))
            .await
            .unwrap();
        assert!(made.branch.starts_with("kite/add-oauth-"));
        assert_eq!(world.engine.checkout(&made.id), Some(made.clone()));
        assert!(world.engine.checkout_is_merged_and_clean(&made.id).await);

        fs::write(made.path.join(".env"), "SECRET=1").unwrap();
        fs::create_dir(made.path.join("target")).unwrap();
        assert!(!world.engine.checkout_is_merged_and_clean(&made.id).await);
        let listed = world.ask(&agent, json!({"type": "worktree_list"})).await;
        let listed = &listed["worktrees"][0];
        assert_eq!(listed["state"], "ready");
        assert_eq!(listed["base_branch"], "main");
        assert_eq!(listed["uncommitted"], json!([".env"]));
        let elsewhere = json!({"type": "worktree_list", "project": "/"});
        assert_eq!(world.ask(&agent, elsewhere).await["worktrees"], json!([]));

        let remove = json!({"type": "worktree_remove", "worktree": made.branch});
        // It is not of an agent of this session's.
        let refused = world.ask(&agent, remove.clone()).await;
        assert_eq!(refused["error"]["code"], "not_allowed");
        let shell = world.agent("shell");
        let refused = ask_as_person(&world, &shell, remove.clone()).await;
        assert_eq!(refused["error"]["code"], "work_would_be_lost");
        assert!(
            refused["error"]["message"]
                .as_str()
                .unwrap()
                .contains(".env"),
            "{refused}"
        );
        assert!(made.path.join(".env").exists());

        fs::remove_file(made.path.join(".env")).unwrap();
        let again = json!({"type": "worktree_remove", "worktree": made.path, "op_id": "op-1"});
        let removed = ask_as_person(&world, &shell, again.clone()).await;
        assert_eq!(removed["worktree"], made.id.as_str());
        assert_eq!(removed["disposed"], json!(["target"]));
        // A client that did not hear the answer asks again.
        assert_eq!(ask_as_person(&world, &shell, again).await, removed);
        let unknown = ask_as_person(&world, &shell, remove).await;
        assert_eq!(unknown["error"]["code"], "unknown_worktree");
        assert_eq!(branches(&shop), "main\n");
        assert!(!made.path.exists());
    });
}

#[test]
fn on_request_work_is_kept_and_the_worktree_goes() {
    story(Config::default(), |world| async move {
        let shop = repository(&world);
        let made = world
            .engine
            .make_checkout(&shop, wanted("x"))
            .await
            .unwrap();
        fs::write(made.path.join("new"), "work\n").unwrap();
        git(&made.path, &["add", "-A"]);
        git(&made.path, &["commit", "-q", "-m", "work"]);
        fs::write(made.path.join(".env"), "SECRET=1\n").unwrap();
        let all = Removal {
            unmerged: true,
            uncommitted: true,
        };
        let removed = world.engine.remove_checkout(&made.id, all).await.unwrap();
        assert!(removed.branch_kept);
        let kept = format!("refs/kite/rescue/{}:.env", removed.rescue.unwrap());
        assert_eq!(git(&shop, &["show", &kept]), "SECRET=1\n");
        assert_eq!(
            git(&shop, &["show", &format!("{}:new", made.branch)]),
            "work\n"
        );
    });
}

#[test]
fn a_worktree_in_which_somebody_works_stays() {
    story(Config::default(), |world| async move {
        let shop = repository(&world);
        let made = world
            .engine
            .make_checkout(&shop, wanted("x"))
            .await
            .unwrap();
        let agent = world.agent("one");
        let start = json!({"source": "startup", "cwd": made.path});
        world.hook(&agent, "SessionStart", start).await;
        let refused = world
            .engine
            .remove_checkout(&made.id, Removal::default())
            .await;
        assert_eq!(refused.unwrap_err().code, "worktree_in_use");
        assert!(made.path.exists());
    });
}

#[test]
fn where_none_can_be_made_it_is_said_and_nothing_stays() {
    story(Config::default(), |world| async move {
        let shop = PathBuf::from(world.shop());
        let none = world
            .engine
            .make_checkout(&shop, wanted("x"))
            .await
            .unwrap_err();
        assert_eq!(none.code, "not_a_repository");
        git(&shop, &["init", "-q", "-b", "main"]);
        let unborn = world
            .engine
            .make_checkout(&shop, wanted("x"))
            .await
            .unwrap_err();
        assert_eq!(unborn.code, "not_a_repository");
        repository(&world);
        let mut from = wanted("x");
        from.base = Some("--output=/tmp/x".into());
        let base = world.engine.make_checkout(&shop, from).await.unwrap_err();
        assert_eq!(base.code, "invalid_field");
        git(&shop, &["branch", "kite"]);
        let failed = world
            .engine
            .make_checkout(&shop, wanted("x"))
            .await
            .unwrap_err();
        assert_eq!(failed.code, "worktree_failed");
        assert_eq!(world.engine.checkout_records().len(), 0);
    });
}

#[test]
fn what_an_earlier_daemon_left_half_done_is_cleared_up() {
    story(Config::default(), |world| async move {
        let shop = repository(&world);
        // Killed before it confirmed; while it removed; and one that somebody deleted by hand.
        let half = world
            .engine
            .make_checkout(&shop, wanted("half"))
            .await
            .unwrap();
        let going = world
            .engine
            .make_checkout(&shop, wanted("going"))
            .await
            .unwrap();
        let gone = world
            .engine
            .make_checkout(&shop, wanted("gone"))
            .await
            .unwrap();
        fs::remove_dir_all(&gone.path).unwrap();
        let never = Plan::of(&kite_worktree::Wanted {
            id: &"e".repeat(32),
            directory: &shop,
            worktrees: &world.home().join("worktrees"),
            about: "never",
            base: None,
        });
        let engine = &world.engine;
        let mut record = engine.checkout_record(&half.id).unwrap();
        record.state = State::Making;
        engine.keep_checkout(&record).await.unwrap();
        let plan = never.unwrap();
        engine
            .keep_checkout(&Record { plan, ..record })
            .await
            .unwrap();
        let mut record = engine.checkout_record(&going.id).unwrap();
        record.state = State::Removing;
        engine.keep_checkout(&record).await.unwrap();

        engine.reconcile_checkouts();
        let settled = async {
            while engine.checkout_records().len() > 1 || engine.checkout(&going.id).is_none() {
                tokio::task::yield_now().await;
            }
        };
        let limit = std::time::Duration::from_secs(60);
        tokio::time::timeout(limit, settled)
            .await
            .expect("cleared up");
        assert_eq!(branches(&shop), format!("{}\nmain\n", going.branch));
        assert!(!half.path.exists() && going.path.exists());
        let listed: Value = world
            .ask(&world.agent("one"), json!({"type": "worktree_list"}))
            .await;
        assert_eq!(listed["worktrees"][0]["id"], going.id.as_str());
    });
}

#[test]
fn many_at_once_in_one_repository_are_all_made() {
    story(Config::default(), |world| async move {
        let shop = repository(&world);
        let making = (0..8).map(|number| {
            let (world, shop) = (Rc::clone(&world), shop.clone());
            tokio::task::spawn_local(async move {
                let about = wanted(&format!("number {number}"));
                world.engine.make_checkout(&shop, about).await
            })
        });
        for made in making.collect::<Vec<_>>() {
            assert!(
                made.await
                    .unwrap()
                    .unwrap()
                    .path
                    .join(".gitignore")
                    .exists()
            );
        }
        assert_eq!(
            world
                .engine
                .store
                .read(|ledger| ledger.documents.count("checkout")),
            8
        );
    });
}
