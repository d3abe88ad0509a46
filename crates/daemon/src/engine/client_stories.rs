//! Stories of Codex, Gemini CLI and opencode beside Claude Code and each other.

use std::rc::Rc;

use serde_json::{Value, json};

use super::stage::{World, denied, hurried, patient, said, story};

async fn patch(world: &World, session: &str, event: &str, call: &str, patch: &str) -> Value {
    let input = json!({"tool_name": "apply_patch", "tool_use_id": call,
        "tool_input": {"command": format!("*** Begin Patch\n{patch}*** End Patch\n")}});
    world.hook_of("codex", session, event, input).await
}

async fn gemini(world: &World, session: &str, event: &str, tool: &str, input: Value) -> Value {
    let input =
        json!({"tool_name": tool, "tool_input": input, "tool_response": {"llmContent": "ok"}});
    world.hook_of("gemini", session, event, input).await
}

async fn opencode(world: &World, session: &str, event: &str, tool: &str, input: Value) -> Value {
    let input = json!({"tool_name": tool, "tool_use_id": "call_1", "tool_input": input});
    world.hook_of("opencode", session, event, input).await
}

fn refusal(answer: &Value) -> Option<&str> {
    (answer["decision"] == "deny").then(|| answer["reason"].as_str().unwrap())
}

#[test]
fn a_locked_file_is_refused_to_every_client_in_its_own_words() {
    story(patient(), async |world| {
        let a = world.agent("a");
        world.hook(&a, "SessionStart", json!({})).await;
        let lock = json!({"type": "lock", "id": 1, "op_id": "l", "paths": ["a.rs"]});
        assert!(world.ask(&a, lock).await["error"].is_null());

        let both = "*** Update File: b.rs\n+x\n*** Update File: a.rs\n+x\n";
        let answer = patch(&world, "cx", "PreToolUse", "c1", both).await;
        assert!(denied(&answer).unwrap().contains("a.rs"), "{answer}");
        let edit = json!({"file_path": world.file("a.rs"), "old_string": "x", "new_string": "y"});
        let answer = gemini(&world, "gm", "PreToolUse", "replace", edit).await;
        assert!(refusal(&answer).unwrap().contains("a.rs"), "{answer}");
        let edit = json!({"filePath": world.file("a.rs"), "oldString": "x", "newString": "y"});
        let answer = opencode(&world, "oc", "PreToolUse", "edit", edit).await;
        assert!(denied(&answer).unwrap().contains("a.rs"), "{answer}");

        // What the refused patch would have edited beside it is free.
        assert_eq!(denied(&world.before(&a, "Edit", "b.rs", "t1").await), None);
    });
}

#[test]
fn racing_edits_of_two_clients_follow_each_other() {
    story(patient(), async |world| {
        let both = "*** Update File: a.rs\n+x\n*** Update File: b.rs\n+x\n";
        assert_eq!(
            patch(&world, "cx", "PreToolUse", "c1", both).await,
            Value::Null
        );
        let edit = json!({"file_path": world.file("b.rs"), "old_string": "x", "new_string": "y"});
        let second = {
            let (world, edit) = (Rc::clone(&world), edit.clone());
            tokio::task::spawn_local(async move {
                gemini(&world, "gm", "PreToolUse", "replace", edit).await
            })
        };
        while world.engine.prevented_and_cost().0.edits_queued == 0 {
            tokio::task::yield_now().await;
        }
        world.write("b.rs", "by codex");
        patch(&world, "cx", "PostToolUse", "c1", both).await;
        patch(&world, "cx", "Stop", "", "").await;
        assert_eq!(
            second.await.unwrap(),
            Value::Null,
            "not refused, and told after it"
        );
        world.write("b.rs", "by gemini");
        let told = gemini(&world, "gm", "PostToolUse", "replace", edit).await;
        assert!(said(&told).unwrap().starts_with("b.rs: "), "{told}");
    });
}

#[test]
fn an_edit_that_stays_busy_is_refused() {
    story(hurried(), async |world| {
        let one = "*** Update File: a.rs\n+x\n";
        assert_eq!(
            patch(&world, "cx", "PreToolUse", "c1", one).await,
            Value::Null
        );
        let edit = json!({"file_path": world.file("a.rs"), "content": "y"});
        let answer = gemini(&world, "gm", "PreToolUse", "write_file", edit).await;
        assert!(refusal(&answer).unwrap().contains("a.rs"), "{answer}");
    });
}

#[test]
fn a_stale_whole_file_write_is_refused_once_to_gemini() {
    story(patient(), async |world| {
        let a = world.agent("a");
        world.write("a.rs", "0");
        let file = json!({"file_path": world.file("a.rs")});
        gemini(&world, "gm", "PostToolUse", "read_file", file).await;
        world.edit(&a, "a.rs", "1", "t1").await;
        let write = json!({"file_path": world.file("a.rs"), "content": "2"});
        let answer = gemini(&world, "gm", "PreToolUse", "write_file", write.clone()).await;
        assert!(refusal(&answer).unwrap().contains("a.rs"), "{answer}");
        let file = json!({"file_path": world.file("a.rs")});
        gemini(&world, "gm", "PostToolUse", "read_file", file).await;
        let answer = gemini(&world, "gm", "PreToolUse", "write_file", write).await;
        assert_eq!(refusal(&answer), None, "after reading again it passes");
    });
}

#[test]
fn a_file_that_codex_adds_or_deletes_over_anothers_change_is_refused_once() {
    story(patient(), async |world| {
        let a = world.agent("a");
        world.edit(&a, "a.rs", "1", "t1").await;
        for action in ["Add", "Delete"] {
            let session = format!("cx-{action}");
            let over = format!("*** {action} File: a.rs\n");
            let answer = patch(&world, &session, "PreToolUse", "c1", &over).await;
            assert!(denied(&answer).unwrap().contains("a.rs"), "{answer}");
            let answer = patch(&world, &session, "PreToolUse", "c2", &over).await;
            assert_eq!(denied(&answer), None, "it was told");
            patch(&world, &session, "Stop", "", "").await;
            world
                .hook_of("codex", &session, "SessionEnd", json!({}))
                .await;
        }
    });
}

#[test]
fn what_another_changed_is_told_to_each_client_where_it_hears() {
    story(patient(), async |world| {
        let a = world.agent("a");
        world.edit(&a, "a.rs", "1", "t1").await;
        let one = "*** Update File: a.rs\n+x\n";
        let answer = patch(&world, "cx", "PreToolUse", "c1", one).await;
        assert!(said(&answer).unwrap().starts_with("a.rs: "), "{answer}");
        world.hook_of("codex", "cx", "SessionEnd", json!({})).await;

        let edit = json!({"filePath": world.file("a.rs"), "oldString": "1", "newString": "2"});
        let before = opencode(&world, "oc", "PreToolUse", "edit", edit.clone()).await;
        assert_eq!(before, Value::Null);
        let after = opencode(&world, "oc", "PostToolUse", "edit", edit).await;
        assert!(said(&after).unwrap().starts_with("a.rs: "), "{after}");
    });
}

#[test]
fn all_files_of_a_patch_can_be_brought_back_together() {
    story(patient(), async |world| {
        world.write("a.rs", "a");
        world.write("b.rs", "b");
        let both = "*** Update File: a.rs\n+x\n*** Delete File: b.rs\n";
        patch(&world, "cx", "PreToolUse", "c1", both).await;
        world.write("a.rs", "x");
        std::fs::remove_file(world.file("b.rs")).unwrap();
        patch(&world, "cx", "PostToolUse", "c1", both).await;

        let (home, shop) = (world.home(), std::path::PathBuf::from(world.shop()));
        let history =
            kite_undo::History::open(&home, &shop, kite_undo::Settings::default()).unwrap();
        let recorded = history
            .list(&kite_undo::journal::Filter::default())
            .unwrap();
        assert_eq!(recorded.len(), 1, "one call, one entry");
        let selection = kite_undo::restore::Selection::default();
        let options = kite_undo::restore::UndoOptions::default();
        history.undo(&selection, &options).unwrap();
        let read = |name: &str| std::fs::read_to_string(world.file(name)).unwrap();
        assert_eq!((read("a.rs"), read("b.rs")), ("a".into(), "b".into()));
    });
}
