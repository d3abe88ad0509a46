//! Stories of git commands that agents run beside each other's uncommitted work, with real git.

use std::process::Command;

use serde_json::{Value, json};

use super::stage::{Agent, World, denied, hurried, said, story};

/// Two sessions in one repository: `a.rs` is the first one's, `b.rs` the second one's.
async fn both_have_work(world: &World) -> (Agent, Agent) {
    git(world, &["init", "-q", "."]);
    for file in ["a.rs", "b.rs", "c.rs"] {
        world.write(file, "committed\n");
    }
    git(world, &["add", "."]);
    git(
        world,
        &[
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@t",
            "commit",
            "-qm",
            "x",
        ],
    );
    let (a, b) = (world.agent("a"), world.agent("b"));
    world
        .hook(&b, "UserPromptSubmit", json!({"prompt": "Add OAuth login"}))
        .await;
    world.edit(&a, "a.rs", "by a\n", "ta").await;
    world.edit(&b, "b.rs", "by b\n", "tb").await;
    (a, b)
}

fn git(world: &World, arguments: &[&str]) -> String {
    let run = Command::new("git")
        .args(arguments)
        .current_dir(world.shop())
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&run.stderr)
    );
    String::from_utf8(run.stdout).unwrap()
}

async fn shell(world: &World, agent: &Agent, command: &str, call: &str) -> Value {
    let input =
        json!({"tool_name": "Bash", "tool_use_id": call, "tool_input": {"command": command}});
    world.hook(agent, "PreToolUse", input).await
}

fn rescues(world: &World) -> usize {
    git(world, &["for-each-ref", "refs/kite/rescue"])
        .lines()
        .count()
}

#[test]
fn a_stash_that_would_take_anothers_work_is_refused_with_one_that_does_not() {
    story(hurried(), async |world| {
        let (a, _b) = both_have_work(&world).await;
        let answer = shell(&world, &a, "git stash", "g1").await;
        let reason = denied(&answer).unwrap_or_else(|| panic!("{answer}"));
        for part in ["b.rs", "Add OAuth login", "git stash push", "kite undo 3"] {
            assert!(reason.contains(part), "{part} in {reason}");
        }
        assert_eq!(rescues(&world), 1);
        let safe = reason
            .split("leaves that work alone: ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap();
        assert_eq!(denied(&shell(&world, &a, safe, "g2").await), None, "{safe}");
        let run = Command::new("sh")
            .args(["-c", safe])
            .current_dir(world.shop())
            .output()
            .unwrap();
        assert!(run.status.success(), "{safe}: {run:?}");
        assert_eq!(
            std::fs::read_to_string(world.file("b.rs")).unwrap(),
            "by b\n"
        );
        assert_eq!(
            std::fs::read_to_string(world.file("a.rs")).unwrap(),
            "committed\n"
        );
    });
}

#[test]
fn sweeping_anothers_work_into_a_commit_is_refused_and_ones_own_is_not() {
    story(hurried(), async |world| {
        let (a, _b) = both_have_work(&world).await;
        let answer = shell(&world, &a, "git add -A && git commit -m done", "g1").await;
        assert!(
            denied(&answer).is_some_and(|reason| reason.contains("sweep up")),
            "{answer}"
        );
        let own = shell(
            &world,
            &a,
            "git add a.rs && git commit -m done -- a.rs",
            "g2",
        )
        .await;
        assert_eq!((denied(&own), said(&own)), (None, None));
    });
}

#[test]
fn a_session_alone_hears_nothing_but_its_work_is_kept() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        drop(b);
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while world
            .ask(&a, json!({"type": "query", "target": "sessions"}))
            .await["sessions"]
            .as_array()
            .unwrap()
            .len()
            > 1
        {
            assert!(std::time::Instant::now() < deadline);
            tokio::task::yield_now().await;
        }
        assert_eq!(shell(&world, &a, "git stash", "g1").await, Value::Null);
        assert_eq!(rescues(&world), 1);
    });
}

#[test]
fn what_only_reads_or_only_mentions_git_is_not_looked_at() {
    story(hurried(), async |world| {
        let (a, _b) = both_have_work(&world).await;
        for (call, command) in [
            "git status",
            "git log -3",
            "grep -r git .",
            "echo \"git stash\"",
            "ls",
        ]
        .into_iter()
        .enumerate()
        {
            assert_eq!(
                shell(&world, &a, command, &call.to_string()).await,
                Value::Null,
                "{command}"
            );
        }
        assert_eq!(rescues(&world), 0);
    });
}

#[test]
fn what_is_not_certain_goes_on_with_a_snapshot_and_one_line() {
    story(hurried(), async |world| {
        let (a, _b) = both_have_work(&world).await;
        let answer = shell(&world, &a, "git checkout $WHERE -- .", "g1").await;
        assert_eq!(denied(&answer), None);
        let note = said(&answer).unwrap_or_else(|| panic!("{answer}"));
        assert!(
            note.starts_with("Kept 1 file of ") && note.contains("kite undo 3"),
            "{note}"
        );
        assert_eq!(rescues(&world), 1);
    });
}

#[test]
fn the_way_back_is_told_although_the_same_state_was_kept_before() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        assert!(denied(&shell(&world, &b, "git stash", "g1").await).is_some());
        let answer = shell(&world, &a, "git checkout $WHERE -- .", "g2").await;
        assert!(
            said(&answer).is_some_and(|note| note.contains("kite undo 3")),
            "{answer}"
        );
        assert_eq!(rescues(&world), 1);
    });
}

#[test]
fn a_shell_that_goes_elsewhere_is_not_judged_by_these_files() {
    story(hurried(), async |world| {
        let (a, _b) = both_have_work(&world).await;
        let elsewhere = tempfile::tempdir().unwrap();
        let command = format!(
            "cd {} && git init -q . && git add -A",
            elsewhere.path().display()
        );
        assert_eq!(denied(&shell(&world, &a, &command, "g1").await), None);
    });
}

#[test]
fn a_working_copy_with_anothers_work_is_not_removed() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        git(&world, &["worktree", "add", "-q", "--detach", "trees/b"]);
        world.edit(&b, "trees/b/b.rs", "by b, there\n", "tw").await;
        let command = "git worktree remove --force trees/b";
        let answer = shell(&world, &a, command, "g1").await;
        let reason = denied(&answer).unwrap_or_else(|| panic!("{answer}"));
        for part in ["destroy", "b.rs", "Add OAuth login", "kite undo "] {
            assert!(reason.contains(part), "{part} in {reason}");
        }
        let unforced = shell(&world, &a, "git worktree remove trees/b", "g2").await;
        assert_eq!(denied(&unforced), None, "git itself refuses");
    });
}

#[test]
fn what_is_uncommitted_where_a_command_goes_is_kept_too() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        git(&world, &["worktree", "add", "-q", "--detach", "trees/b"]);
        world.edit(&b, "trees/b/b.rs", "by b, there\n", "tw").await;
        for (call, command) in [
            "git -C trees/b reset --hard",
            "cd trees/b && git checkout .",
            "W=trees/b; git -C $W stash",
            "git --git-dir=trees/b/.git --work-tree=trees/b checkout -f",
        ]
        .into_iter()
        .enumerate()
        {
            let answer = shell(&world, &a, command, &call.to_string()).await;
            assert_eq!(denied(&answer), None, "{command}");
            let note = said(&answer).unwrap_or_else(|| panic!("{command}: {answer}"));
            assert!(note.contains("Kept 1 file of "), "{command}: {note}");
            let of_tree = git(
                &world,
                &["log", "-1", "--all", "--format=%B", "--grep=trees/b"],
            );
            assert!(of_tree.contains("Kite-Snapshot"), "{command}");
        }
    });
}

#[test]
fn a_secret_in_a_command_is_not_kept_where_the_command_is_cut_either() {
    story(hurried(), async |world| {
        let (a, _b) = both_have_work(&world).await;
        let token = format!("ghp_{}", "a1B2".repeat(9));
        let start = "git checkout $WHERE -- . # ";
        let padding = "x ".repeat((490 - start.len()) / 2);
        let command = format!("{start}{padding}{token}");
        shell(&world, &a, &command, "g1").await;
        let message = git(&world, &["log", "-1", "--format=%B", "refs/kite/rescue/3"]);
        assert!(message.contains("git checkout $WHERE"), "{message}");
        assert!(!message.contains("ghp_"), "{message}");
    });
}

#[test]
fn a_command_that_begins_outside_of_any_repository_is_looked_at_where_it_goes() {
    story(hurried(), async |world| {
        let (_a, b) = both_have_work(&world).await;
        git(&world, &["config", "alias.drop-all", "checkout ."]);
        let above = world.home().canonicalize().unwrap();
        let from_above = async |command: &str, call: &str| {
            let input = json!({
                "tool_name": "Bash", "tool_use_id": call, "tool_input": {"command": command},
                "cwd": above,
            });
            world.hook(&b, "PreToolUse", input).await
        };
        for (call, command) in [
            "cd shop && git checkout .",
            "git -C shop reset --hard",
            "git -C shop drop-all",
        ]
        .into_iter()
        .enumerate()
        {
            let answer = from_above(command, &call.to_string()).await;
            assert_eq!(denied(&answer), None, "{command}");
            let note = said(&answer).unwrap_or_else(|| panic!("{command}: {answer}"));
            assert!(note.contains("Kept 1 file of "), "{command}: {note}");
            assert!(note.contains("/shop)"), "{command}: {note}");
        }
        assert_eq!(rescues(&world), 1, "the same state is kept once");
        for harmless in ["git init elsewhere", "cd shop && git status", "git stash"] {
            let answer = from_above(harmless, harmless).await;
            assert_eq!((denied(&answer), said(&answer)), (None, None), "{harmless}");
        }
    });
}

#[test]
fn a_verb_that_only_the_shell_knows_goes_on_with_a_snapshot_and_one_line() {
    story(hurried(), async |world| {
        let (a, _b) = both_have_work(&world).await;
        for (call, command) in [
            "W='stash -u'; git $W",
            "echo checkout -- . | xargs git",
            "echo 'git stash' > run.sh && bash run.sh",
        ]
        .into_iter()
        .enumerate()
        {
            let answer = shell(&world, &a, command, &call.to_string()).await;
            let note = said(&answer).unwrap_or_else(|| panic!("{command}: {answer}"));
            assert!(
                note.starts_with("Kept 1 file of ") && note.contains("before your git command"),
                "{command}: {note}"
            );
        }
    });
}

#[test]
fn what_an_edit_replaced_can_be_brought_back() {
    story(hurried(), async |world| {
        let (_a, _b) = both_have_work(&world).await;
        let home = world.home();
        let shop = std::path::PathBuf::from(world.shop());
        let history =
            kite_undo::History::open(&home, &shop, kite_undo::Settings::default()).unwrap();
        let recorded = history
            .list(&kite_undo::journal::Filter::default())
            .unwrap();
        assert_eq!(
            recorded.len(),
            2,
            "both edits are in the journal that git's users find"
        );
        let selection = kite_undo::restore::Selection {
            path: Some("a.rs".into()),
            ..kite_undo::restore::Selection::default()
        };
        history
            .undo(&selection, &kite_undo::restore::UndoOptions::default())
            .unwrap();
        let content = std::fs::read_to_string(world.file("a.rs")).unwrap();
        assert_eq!(content, "committed\n");
    });
}

#[test]
fn what_is_too_old_for_undo_goes_once_a_day_and_the_log_says_so() {
    story(hurried(), async |world| {
        let (a, _b) = both_have_work(&world).await;
        shell(&world, &a, "git checkout $WHERE -- .", "g1").await;
        assert_eq!(rescues(&world), 1);
        let days = |days: u64| std::time::Duration::from_secs(days * 24 * 60 * 60);
        let now = std::time::SystemTime::now();
        world.engine.upkeep(now).await;
        assert_eq!(rescues(&world), 1);
        world.engine.upkeep(now + days(15)).await;
        assert_eq!(rescues(&world), 0);
        let query = json!({"type": "query", "target": "events"});
        let events = world.ask(&a, query).await;
        let events = events["events"].as_array().unwrap();
        let said: Vec<&str> = (events.iter())
            .filter(|event| event["what"] == "pruned")
            .filter_map(|event| event["outcome"].as_str())
            .collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said[1].contains("1 journals, 1 snapshots of 1 repositories"),
            "{said:?}"
        );
    });
}

#[test]
fn ignored_files_are_kept_before_a_command_takes_them() {
    story(hurried(), async |world| {
        let (a, b) = both_have_work(&world).await;
        world.write(".gitignore", "*.local\ntarget/\n");
        world.write("mine.local", "only here\n");
        std::fs::create_dir(world.file("target")).unwrap();
        world.write("target/built", "again and again\n");
        shell(&world, &a, "git clean -fdx $ONLY", "g1").await;
        let kept = |number: usize| {
            let name = format!("refs/kite/rescue/{number}");
            git(&world, &["ls-tree", "-r", "--name-only", &name])
        };
        assert!(kept(3).contains("mine.local"), "{}", kept(3));
        assert!(!kept(3).contains("target/built"), "{}", kept(3));

        // Another's ignored file is as certainly lost as any.
        world.edit(&b, "b.local", "by b\n", "tl").await;
        let answer = shell(&world, &a, "git clean -fdX", "g2").await;
        let reason = denied(&answer).unwrap_or_else(|| panic!("{answer}"));
        assert!(reason.contains("b.local"), "{reason}");
    });
}

#[test]
fn what_is_ignored_in_a_working_copy_that_is_removed_is_kept() {
    story(hurried(), async |world| {
        let (a, _b) = both_have_work(&world).await;
        git(&world, &["worktree", "add", "-q", "--detach", "trees/b"]);
        world.write(".git/info/exclude", ".env\ntrees/\n");
        world.write("trees/b/.env", "SECRET=only here\n");
        let command = "git worktree remove trees/b";
        assert_eq!(denied(&shell(&world, &a, command, "g1").await), None);
        git(&world, &["worktree", "remove", "trees/b"]);
        let home = world.home();
        let shop = std::path::PathBuf::from(world.shop());
        let limits = kite_undo::Settings::default();
        let history = kite_undo::History::open(&home, &shop, limits).unwrap();
        let snapshot = history
            .list(&kite_undo::journal::Filter::default())
            .unwrap()
            .swap_remove(0);
        let selection = kite_undo::restore::Selection {
            number: Some(snapshot.entry.number),
            ..kite_undo::restore::Selection::default()
        };
        history
            .undo(&selection, &kite_undo::restore::UndoOptions::default())
            .unwrap();
        let content = std::fs::read_to_string(world.file("trees/b/.env")).unwrap();
        assert_eq!(content, "SECRET=only here\n");
    });
}
