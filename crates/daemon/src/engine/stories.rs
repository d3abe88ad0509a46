//! Stories of the engine: who may do what, when, and what everybody is told.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::stage::{denied, hurried, patient, said, story, story_on};
use crate::doors::WaitSender;

#[test]
fn a_lone_session_is_told_nothing() {
    story(patient(), async |world| {
        let a = world.agent("a");
        assert_eq!(
            world
                .hook(&a, "SessionStart", json!({"source": "startup"}))
                .await,
            Value::Null
        );
        assert_eq!(
            world
                .hook(&a, "UserPromptSubmit", json!({"prompt": "Add OAuth login"}))
                .await,
            Value::Null
        );
        assert_eq!(world.edit(&a, "a.rs", "1", "t1").await, Value::Null);
        assert_eq!(world.edit(&a, "a.rs", "2", "t2").await, Value::Null);
    });
}

#[test]
fn racing_edits_follow_each_other_and_nobody_is_refused() {
    story(patient(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        assert_eq!(denied(&world.before(&a, "Edit", "a.rs", "ta").await), None);
        let began = Instant::now();
        let second = {
            let world = Rc::clone(&world);
            tokio::task::spawn_local(
                async move { (world.before(&b, "Edit", "./a.rs", "tb").await, b) },
            )
        };
        while world.engine.prevented_and_cost().0.edits_queued == 0 {
            tokio::task::yield_now().await;
        }
        world.write("a.rs", "by a");
        world.after(&a, "Edit", "a.rs", "ta").await;
        world.batch_end(&a, "ta").await;
        let (answer, _b) = second.await.unwrap();
        assert_eq!(denied(&answer), None);
        assert!(
            began.elapsed() < Duration::from_millis(900),
            "the end of the step ends the hold, not the grace"
        );
        assert!(said(&answer).unwrap().starts_with("a.rs: "), "{answer}");
    });
}

#[test]
fn a_step_whose_end_is_told_before_its_tools_end_is_over_with_both() {
    story(hurried(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world.before(&a, "Edit", "a.rs", "ta").await;
        world.batch_end(&a, "ta").await;
        world.after(&a, "Edit", "a.rs", "ta").await;
        assert_eq!(denied(&world.before(&b, "Edit", "a.rs", "tb").await), None);
    });
}

#[test]
fn an_edit_that_stays_busy_is_refused_with_a_way_on_that_needs_no_tool() {
    story(hurried(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world
            .hook(&a, "UserPromptSubmit", json!({"prompt": "Add OAuth login"}))
            .await;
        world.before(&a, "Edit", "a.rs", "ta").await;
        let answer = world.before(&b, "Edit", "a.rs", "tb").await;
        let reason = denied(&answer).unwrap();
        assert!(
            reason.contains("is being edited by session") && reason.contains("Add OAuth login"),
            "{reason}"
        );
        assert!(reason.contains("Retry this same edit"), "{reason}");
    });
}

#[test]
fn a_hold_that_nothing_confirmed_ends_at_the_sessions_next_event() {
    story(hurried(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world.before(&a, "Edit", "a.rs", "ta").await;
        world
            .hook(&a, "UserPromptSubmit", json!({"prompt": "something else"}))
            .await;
        assert_eq!(denied(&world.before(&b, "Edit", "a.rs", "tb").await), None);
    });
}

#[test]
fn a_lock_refuses_others_edits_in_words_that_lead_on() {
    story(hurried(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world
            .hook(&a, "UserPromptSubmit", json!({"prompt": "Add OAuth login"}))
            .await;
        let granted = world
            .ask(&a, json!({"type": "lock", "paths": ["src/**"]}))
            .await;
        assert_eq!(granted["outcome"], "granted", "{granted}");
        let again = world
            .ask(&a, json!({"type": "lock", "paths": ["src/**"]}))
            .await;
        assert_eq!(again["outcome"], "already_held");
        assert_eq!(again["locks"][0]["epoch"], granted["locks"][0]["epoch"]);
        assert_eq!(
            denied(&world.before(&a, "Write", "src/x.rs", "ta").await),
            None
        );
        let answer = world.before(&b, "Write", "src/y.rs", "tb").await;
        let reason = denied(&answer).unwrap();
        assert!(reason.starts_with("File locked by session "), "{reason}");
        for part in [
            "since ",
            "(editing for \"Add OAuth login\")",
            "until ",
            " at the latest",
            "retry this same edit",
        ] {
            assert!(reason.contains(part), "{part} in {reason}");
        }
        assert!(!reason.contains("force"), "{reason}");
        assert_eq!(
            denied(&world.before(&b, "Write", "other.rs", "tc").await),
            None
        );
        let released = world
            .ask(&a, json!({"type": "unlock", "paths": ["src/**"]}))
            .await;
        assert_eq!(released["outcome"], "released");
        assert_eq!(
            denied(&world.before(&b, "Write", "src/y.rs", "td").await),
            None
        );
        assert_eq!(
            world
                .ask(&a, json!({"type": "unlock", "paths": ["src/**"]}))
                .await["outcome"],
            "not_held"
        );
    });
}

#[test]
fn what_lies_above_the_project_cannot_be_locked() {
    story(hurried(), async |world| {
        let a = world.agent("a");
        for paths in ["/", "..", "../*", "/**"] {
            let answer = world
                .ask(&a, json!({"type": "lock", "paths": [paths]}))
                .await;
            assert_eq!(
                answer["error"]["code"], "invalid_field",
                "{paths}: {answer}"
            );
        }
        let own = world.ask(&a, json!({"type": "lock", "paths": ["."]})).await;
        assert_eq!(own["outcome"], "granted", "{own}");
    });
}

#[test]
fn a_stale_whole_file_write_is_refused_once_and_passes_after_reading() {
    story(hurried(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world.write("a.rs", "one");
        world.after(&a, "Read", "a.rs", "r1").await;
        world.after(&b, "Read", "a.rs", "r2").await;
        world.edit(&b, "a.rs", "two", "tb").await;
        let answer = world.before(&a, "Write", "a.rs", "ta").await;
        let reason = denied(&answer).unwrap();
        assert!(
            reason.contains("was changed by session") && reason.contains("Read the file again"),
            "{reason}"
        );
        world.after(&a, "Read", "a.rs", "r3").await;
        assert_eq!(denied(&world.before(&a, "Write", "a.rs", "tc").await), None);
    });
}

#[test]
fn a_persons_change_refuses_nobody() {
    story(hurried(), async |world| {
        let a = world.agent("a");
        world.edit(&a, "a.rs", "one", "t1").await;
        world.write("a.rs", "by a person");
        assert_eq!(denied(&world.before(&a, "Write", "a.rs", "t2").await), None);
    });
}

#[test]
fn what_another_changed_is_told_once() {
    story(patient(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world
            .hook(
                &a,
                "UserPromptSubmit",
                json!({"prompt": "Add \u{1b}[31m\"OAuth\" login"}),
            )
            .await;
        world.edit(&a, "a.rs", "one", "t1").await;
        let answer = world.edit(&b, "a.rs", "two", "t2").await;
        let note = said(&answer).unwrap();
        assert!(
            note.contains("edited it")
                && note.contains("\\u{1b}[31m'OAuth' login")
                && !note.contains('\u{1b}'),
            "{note}"
        );
        assert_eq!(said(&world.edit(&b, "a.rs", "three", "t3").await), None);
    });
}

#[test]
fn a_session_that_is_not_alone_is_greeted_in_one_line() {
    story(patient(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world
            .hook(&a, "UserPromptSubmit", json!({"prompt": "Add OAuth login"}))
            .await;
        world.edit(&a, "a.rs", "one", "t1").await;
        let answer = world
            .hook(&b, "SessionStart", json!({"source": "startup"}))
            .await;
        let greeting = said(&answer).unwrap();
        assert!(
            greeting.contains("\"Add OAuth login\"") && greeting.contains("a.rs"),
            "{greeting}"
        );
        assert!(
            greeting.len() < 480,
            "about 120 tokens at most: {}",
            greeting.len()
        );
    });
}

#[test]
fn what_a_killed_session_held_is_free_at_once() {
    story(hurried(), async |world| {
        let (mut a, b) = (world.agent("a"), world.agent("b"));
        world
            .ask(&a, json!({"type": "lock", "paths": ["a.rs"], "keep": true}))
            .await;
        let task = world
            .ask(&a, json!({"type": "task_create", "title": "Login"}))
            .await;
        let claimed = world.ask(&a, json!({"type": "task_claim"})).await;
        assert_eq!(claimed["outcome"], "claimed", "{claimed}");
        assert_eq!(
            world.ask(&b, json!({"type": "task_claim"})).await["error"]["code"],
            "nothing_ready"
        );
        a.child.kill().unwrap();
        let deadline = Instant::now() + Duration::from_secs(2);
        loop {
            let again = world.ask(&b, json!({"type": "task_claim"})).await;
            if again["ok"] == true {
                assert_eq!(again["task"]["id"], task["task"]["id"]);
                assert_eq!(again["task"]["attempt"], 2);
                break;
            }
            assert!(Instant::now() < deadline, "{again}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(denied(&world.before(&b, "Write", "a.rs", "tb").await), None);
        let late = world
            .ask(&b, json!({"type": "query", "target": "sessions"}))
            .await;
        assert_eq!(late["sessions"].as_array().unwrap().len(), 1);
        a.child.wait().unwrap();
    });
}

#[test]
fn of_too_many_sessions_the_newest_are_listed() {
    story(hurried(), async |world| {
        let agents: Vec<_> = ["a", "b", "c", "d"].map(|name| world.agent(name)).into();
        for agent in &agents {
            world.hook(agent, "SessionStart", json!({})).await;
            // The next one opens at a later millisecond.
            let opened = world.engine.now().wall_ms;
            while world.engine.now().wall_ms == opened {
                tokio::task::yield_now().await;
            }
        }
        let query = json!({"type": "query", "target": "sessions", "limit": 2});
        let listed = world.ask(&agents[0], query).await;
        let pids: Vec<u64> = listed["sessions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|session| session["pid"].as_u64())
            .collect();
        let newest = agents[2..].iter().map(|agent| agent.child.id().into());
        assert_eq!(pids, newest.collect::<Vec<u64>>(), "{listed}");
    });
}

#[test]
fn two_subagents_contend_and_their_parent_does_not() {
    story(hurried(), async |world| {
        let a = world.agent("a");
        let sub = |agent: &str, tool: &str, call: &str| json!({"agent_id": agent, "tool_name": tool, "tool_use_id": call, "tool_input": {"file_path": world.file("a.rs")}});
        // A subagent locks through MCP: its call is joined to it by the hook's tool_use_id.
        world.hook(&a, "PreToolUse", json!({"agent_id": "one", "tool_name": "mcp__kite__kite_file_lock", "tool_use_id": "m1", "tool_input": {}})).await;
        let granted = world
            .ask(
                &a,
                json!({"type": "lock", "paths": ["a.rs"], "tool_use_id": "m1"}),
            )
            .await;
        assert_eq!(granted["locks"][0]["agent"], "one", "{granted}");
        assert!(denied(&world.hook(&a, "PreToolUse", sub("two", "Edit", "t2")).await).is_some());
        assert!(denied(&world.hook(&a, "PreToolUse", sub("one", "Edit", "t1")).await).is_none());
        assert!(denied(&world.before(&a, "Edit", "a.rs", "t0").await).is_none());
        world
            .hook(&a, "SubagentStop", json!({"agent_id": "one"}))
            .await;
        world.batch_end(&a, "t0").await;
        let free = world
            .ask(&a, json!({"type": "query", "target": "locks"}))
            .await;
        assert!(
            !free["locks"]
                .as_array()
                .unwrap()
                .iter()
                .any(|lock| lock["kind"] == "lock"),
            "{free}"
        );
    });
}

#[test]
fn the_end_of_a_turn_frees_what_is_not_kept() {
    story(hurried(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world
            .ask(&a, json!({"type": "lock", "paths": ["turn.rs"]}))
            .await;
        world
            .ask(
                &a,
                json!({"type": "lock", "paths": ["kept.rs"], "keep": true}),
            )
            .await;
        world.hook(&a, "Stop", json!({})).await;
        let waited = world
            .ask(
                &b,
                json!({"type": "lock", "paths": ["turn.rs"], "wait_s": 10}),
            )
            .await;
        assert_eq!(waited["outcome"], "granted", "{waited}");
        let kept = world
            .ask(&b, json!({"type": "lock", "paths": ["kept.rs"]}))
            .await;
        assert_eq!(kept["error"]["code"], "locked", "{kept}");
    });
}

#[test]
fn a_wait_that_is_given_up_leaves_the_queue() {
    story(hurried(), async |world| {
        let (a, b, c) = (world.agent("a"), world.agent("b"), world.agent("c"));
        world
            .ask(&a, json!({"type": "lock", "paths": ["a.rs"]}))
            .await;
        let request = json!({"type": "lock", "paths": ["a.rs"], "wait_s": 30});
        let given_up =
            tokio::time::timeout(Duration::from_millis(50), world.ask(&b, request)).await;
        assert!(given_up.is_err());
        world.ask(&a, json!({"type": "unlock", "all": true})).await;
        assert_eq!(
            world
                .ask(&c, json!({"type": "lock", "paths": ["a.rs"]}))
                .await["outcome"],
            "granted"
        );
    });
}

#[test]
fn who_waits_behind_a_waiter_that_leaves_moves_up() {
    story(hurried(), async |world| {
        let (a, b, c) = (world.agent("a"), world.agent("b"), world.agent("c"));
        world
            .ask(&a, json!({"type": "lock", "paths": ["a.rs"]}))
            .await;
        let both = json!({"type": "lock", "paths": ["a.rs", "b.rs"], "wait_s": 30});
        let second = tokio::time::timeout(Duration::from_millis(100), world.ask(&b, both));
        let third = world.ask(&c, json!({"type": "lock", "paths": ["b.rs"], "wait_s": 30}));
        let (second, third) = tokio::join!(second, third);
        assert!(second.is_err());
        assert_eq!(third["outcome"], "granted", "{third}");
    });
}

#[test]
fn a_repeated_request_acts_once_and_answers_the_same() {
    story(hurried(), async |world| {
        let a = world.agent("a");
        let request = json!({"type": "task_create", "title": "Login", "op_id": "k1", "id": 1});
        let first = world.ask(&a, request.clone()).await;
        let mut again = request;
        again["id"] = json!(2);
        let second = world.ask(&a, again).await;
        assert_eq!(
            (&second["task"], &second["outcome"]),
            (&first["task"], &json!("created"))
        );
        assert_eq!(second["id"], 2);
    });
}

#[test]
fn an_attempt_that_was_taken_away_changes_nothing_and_its_result_is_kept() {
    story(hurried(), async |world| {
        let (a, b) = (world.agent("a"), world.agent("b"));
        let id = world
            .ask(&a, json!({"type": "task_create", "title": "Login"}))
            .await["task"]["id"]
            .clone();
        world.ask(&a, json!({"type": "task_claim"})).await;
        world
            .ask(&a, json!({"type": "task_release", "task": id}))
            .await;
        world.ask(&b, json!({"type": "task_claim"})).await;
        let late = world
            .ask(
                &a,
                json!({"type": "task_complete", "task": id, "attempt": 1, "result": "mine"}),
            )
            .await;
        assert_eq!(late["error"]["code"], "stale_attempt", "{late}");
        let shown = world
            .ask(&b, json!({"type": "task_show", "task": id}))
            .await;
        assert_eq!(shown["task"]["state"], "claimed");
        assert_eq!(shown["task"]["late_results"][0]["result"], "mine");
    });
}

#[test]
fn equal_ids_of_two_sessions_calls_do_not_meet() {
    story(hurried(), async |world| {
        let (a, b, c) = (world.agent("a"), world.agent("b"), world.agent("c"));
        world.before(&a, "Edit", "a.rs", "call_1").await;
        world.before(&b, "Edit", "b.rs", "call_1").await;
        // The end of a's first call was not seen yet, so its file is still held.
        world.before(&a, "Edit", "other.rs", "call_2").await;
        let answer = world.before(&c, "Edit", "a.rs", "call_1").await;
        assert!(denied(&answer).is_some(), "{answer}");
    });
}

#[test]
fn a_slow_judgement_asks_its_hook_for_time_and_a_usual_one_does_not() {
    story_on(1, hurried(), async |world| {
        let a = world.agent("a");
        let edit = json!({"tool_name": "Write", "tool_use_id": "t1",
            "tool_input": {"file_path": world.file("a.rs"), "content": "x"}});
        world.hook(&a, "SessionStart", json!({})).await;
        let extend = WaitSender::nowhere();
        let began = Instant::now();
        world
            .hook_that_waits(&a, "PreToolUse", edit.clone(), &extend)
            .await;
        if began.elapsed() < Duration::from_millis(50) {
            assert_eq!(extend.asked_ms(), None);
        }
        // The only thread that could look at the file is busy.
        let (go_on, busy) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || busy.recv());
        world.hook_that_waits(&a, "PreToolUse", edit, &extend).await;
        assert_eq!(extend.asked_ms(), Some(2_000));
        let extend = WaitSender::nowhere();
        // A notice that nobody waits for asks for nothing, though it takes as long.
        let read = json!({"tool_name": "Read", "tool_use_id": "t2",
            "tool_input": {"file_path": world.file("a.rs")}, "tool_response": {}});
        world
            .hook_that_waits(&a, "PostToolUse", read, &extend)
            .await;
        assert_eq!(extend.asked_ms(), None);
        drop(go_on);
        assert!(busy.await.unwrap().is_err());
    });
}
