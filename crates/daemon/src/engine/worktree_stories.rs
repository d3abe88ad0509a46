//! Stories of sessions in worktrees of one project whose changes would conflict, with real git.

use std::{
    process::Command,
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::stage::{Agent, World, hurried, said, story};
use crate::config::Config;

/// Two worktrees, `shop` and `tree`, and a session in each.
struct Two {
    world: Rc<World>,
    a: Agent,
    b: Agent,
    calls: std::cell::Cell<u32>,
}

impl Two {
    async fn new(world: Rc<World>) -> Two {
        git(&world, "init -q -b main .");
        world.write("a.rs", "one\ntwo\nthree\n");
        world.write("b.rs", "one\ntwo\nthree\n");
        git(&world, "add .");
        git(&world, "commit -qm first");
        git(&world, "worktree add -q -b feature ../tree");
        let (a, b) = (world.agent("a"), world.agent("b"));
        let two = Two {
            world,
            a,
            b,
            calls: std::cell::Cell::default(),
        };
        two.prompt(&two.a, "Add OAuth login", &two.world.shop())
            .await;
        two.prompt(&two.b, "Fix the cart", &two.tree()).await;
        two
    }

    fn tree(&self) -> String {
        self.world.shop().replace("/shop", "/tree")
    }

    async fn prompt(&self, agent: &Agent, text: &str, cwd: &str) {
        let input = json!({"prompt": text, "cwd": cwd});
        self.world.hook(agent, "UserPromptSubmit", input).await;
    }

    /// The session in `shop` edits a file.
    async fn here(&self, file: &str, content: &str) {
        let call = self.call();
        self.world.edit(&self.a, file, content, &call).await;
    }

    /// The session in `tree` edits a file.
    async fn there(&self, file: &str, content: &str) {
        let (call, file) = (self.call(), format!("../tree/{file}"));
        self.world.edit(&self.b, &file, content, &call).await;
    }

    fn call(&self) -> String {
        self.calls.set(self.calls.get() + 1);
        format!("call {}", self.calls.get())
    }

    /// What a session is told before a command that does nothing.
    async fn told(&self, agent: &Agent) -> Option<String> {
        let call = self.call();
        let input = json!({"tool_name": "Bash", "tool_use_id": call, "tool_input": {"command": "true"},
            "cwd": if agent.child.id() == self.b.child.id() { self.tree() } else { self.world.shop() }});
        let answer = self.world.hook(agent, "PreToolUse", input).await;
        said(&answer).map(str::to_owned)
    }

    /// The pairs that `kite status` shows.
    async fn shown(&self) -> Vec<Value> {
        let request = json!({"type": "query", "target": "stats"});
        let stats = self.world.ask(&self.a, request).await;
        let conflicts = stats["worktree_conflicts"].as_array();
        conflicts.cloned().unwrap_or_default()
    }

    fn compared(&self) -> u64 {
        self.world.engine.worktrees.compared.get()
    }

    fn every(&self, time: Duration) {
        self.world.engine.worktrees.every.set(time);
    }

    async fn is_compared(&self, times: u64) {
        self.until(&format!("compared {times} times"), async || {
            self.compared() >= times
        })
        .await;
    }

    async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !holds().await {
            assert!(Instant::now() < deadline, "never: {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn git(world: &World, command: &str) {
    git_in(&world.shop(), command);
}

fn git_in(directory: &str, command: &str) {
    let run = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@t"])
        .args(command.split(' '))
        .current_dir(directory)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{command}: {said}");
}

#[test]
fn what_would_conflict_is_told_both_once_and_shown() {
    story(hurried(), async |world| {
        let two = Two::new(world).await;
        two.here("a.rs", "HERE\ntwo\nthree\n").await;
        two.there("a.rs", "THERE\ntwo\nthree\n").await;
        two.is_compared(1).await;
        for (agent, words) in [
            (&two.a, ["Fix the cart", "/tree would conflict in a.rs"]),
            (&two.b, ["Add OAuth login", "/shop would conflict in a.rs"]),
        ] {
            let note = two.told(agent).await.expect("a note");
            for part in words {
                assert!(note.contains(part), "{part} in {note}");
            }
            assert_eq!(two.told(agent).await, None, "told once");
        }
        let [pair] = &two.shown().await[..] else {
            panic!("{:?}", two.shown().await);
        };
        assert_eq!(pair["files"], json!(["a.rs"]));
        assert_eq!(pair["worktrees"][0]["path"], json!(two.world.shop()));
        assert_eq!(pair["worktrees"][1]["path"], json!(two.tree()));
        assert_eq!(
            pair["worktrees"][1]["sessions"].as_array().map(Vec::len),
            Some(1)
        );
    });
}

#[test]
fn changes_that_go_together_say_nothing() {
    story(hurried(), async |world| {
        let two = Two::new(world).await;
        two.here("a.rs", "HERE\ntwo\nthree\n").await;
        two.there("a.rs", "one\ntwo\nthree\nfour\n").await;
        two.is_compared(1).await;
        assert_eq!(
            (two.told(&two.a).await, two.told(&two.b).await),
            (None, None)
        );
        assert_eq!(two.shown().await, [] as [Value; 0]);
    });
}

#[test]
fn what_is_committed_but_not_merged_counts() {
    story(hurried(), async |world| {
        let two = Two::new(world).await;
        two.there("a.rs", "THERE\ntwo\nthree\n").await;
        git_in(&two.tree(), "commit -qam there");
        two.here("a.rs", "HERE\ntwo\nthree\n").await;
        two.is_compared(1).await;
        assert!(
            two.told(&two.a)
                .await
                .is_some_and(|note| note.contains("a.rs"))
        );
    });
}

#[test]
fn a_pair_is_compared_at_most_once_in_its_time_and_then_with_all_that_came() {
    story(hurried(), async |world| {
        let two = Two::new(world).await;
        two.every(Duration::from_secs(3_600));
        two.here("a.rs", "HERE\ntwo\nthree\n").await;
        two.there("b.rs", "THERE\ntwo\nthree\n").await;
        two.is_compared(1).await;
        two.here("b.rs", "HERE\ntwo\nthree\n").await;
        two.there("a.rs", "THERE\ntwo\nthree\n").await;
        let waits = async || two.world.engine.next_pair().is_some();
        two.until("both changes wait for the end of that time", waits)
            .await;
        let (due, _) = two.world.engine.next_pair().unwrap();
        assert!(due > tokio::time::Instant::now() + Duration::from_secs(3_000));
        assert_eq!(two.compared(), 1);
        two.every(Duration::ZERO);
        two.there("c.rs", "new\n").await;
        two.until("the pair is shown", async || !two.shown().await.is_empty())
            .await;
        assert_eq!(two.shown().await[0]["files"], json!(["a.rs", "b.rs"]));
    });
}

#[test]
fn only_new_files_of_a_conflict_are_told_and_what_is_resolved_is_gone() {
    story(hurried(), async |world| {
        let two = Two::new(world).await;
        two.every(Duration::ZERO);
        two.here("a.rs", "HERE\ntwo\nthree\n").await;
        two.there("a.rs", "THERE\ntwo\nthree\n").await;
        two.until("a conflict", async || !two.shown().await.is_empty())
            .await;
        assert!(two.told(&two.b).await.is_some());

        two.there("b.rs", "THERE\ntwo\nthree\n").await;
        two.here("b.rs", "HERE\ntwo\nthree\n").await;
        let both = async || two.shown().await[0]["files"] == json!(["a.rs", "b.rs"]);
        two.until("a second file", both).await;
        let note = two.told(&two.b).await.expect("a note");
        assert!(
            note.contains("in b.rs,") && !note.contains("a.rs"),
            "{note}"
        );

        // A merge by hand: no file of Kite's changes; the session's next step has it looked at.
        git_in(&two.tree(), "checkout -q -- .");
        two.until("no conflict", async || {
            assert_eq!(two.told(&two.b).await, None);
            two.shown().await.is_empty()
        })
        .await;
    });
}

#[test]
fn odd_changes_are_compared_too() {
    story(hurried(), async |world| {
        let two = Two::new(world).await;
        git(&two.world, "checkout -q --detach");
        two.here("x.bin", "\0here").await;
        two.there("x.bin", "\0there").await;
        two.every(Duration::ZERO);
        let shown = async |files: Value| {
            two.until(&format!("{files} in conflict"), async || {
                two.shown()
                    .await
                    .first()
                    .is_some_and(|pair| pair["files"] == files)
            })
            .await;
        };
        shown(json!(["x.bin"])).await;
        std::fs::rename(two.world.file("a.rs"), two.world.file("moved.rs")).unwrap();
        two.here("moved.rs", "HERE\ntwo\nthree\n").await;
        two.there("a.rs", "THERE\ntwo\nthree\n").await;
        shown(json!(["moved.rs", "x.bin"])).await;
    });
}

#[test]
fn a_worktree_that_goes_away_is_forgotten() {
    story(hurried(), async |world| {
        let two = Two::new(world).await;
        two.every(Duration::ZERO);
        two.here("a.rs", "HERE\ntwo\nthree\n").await;
        two.there("a.rs", "THERE\ntwo\nthree\n").await;
        two.until("a conflict", async || !two.shown().await.is_empty())
            .await;
        git(&two.world, "worktree remove --force ../tree");
        two.until("no conflict", async || {
            two.here("a.rs", "HERE\ntwo\nTHREE\n").await;
            two.shown().await.is_empty()
        })
        .await;
    });
}

#[test]
fn who_is_alone_or_wants_no_notes_costs_nothing() {
    story(hurried(), async |world| {
        let two = Two::new(world).await;
        // One session in both worktrees.
        for (call, file) in ["a.rs", "../tree/a.rs"].into_iter().enumerate() {
            let call = format!("own {call}");
            two.world.edit(&two.a, file, "mine\n", &call).await;
        }
        let known = async || two.world.engine.worktrees.known() == 2;
        two.until("both worktrees are known", known).await;
        assert_eq!(two.world.engine.next_pair(), None);
    });
    let quiet = Config {
        notes: false,
        ..hurried()
    };
    story(quiet, async |world| {
        let two = Two::new(world).await;
        two.here("a.rs", "HERE\ntwo\nthree\n").await;
        two.there("a.rs", "THERE\ntwo\nthree\n").await;
        assert_eq!(
            (two.told(&two.a).await, two.told(&two.b).await),
            (None, None)
        );
        assert_eq!(two.compared(), 0);
    });
}
