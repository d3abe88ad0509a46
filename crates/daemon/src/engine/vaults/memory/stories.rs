//! What sessions are given, told as stories: hooks and requests go in, over real folders of notes.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use super::super::super::stage::{Agent, World, said, story};
use crate::config::{Config, settings::vault::Memory};

const ABOUT: &str = "Why do refresh tokens of the staging tenant rotate twice?";
const NOTE: &str = "Refresh tokens of the staging tenant rotate twice: the proxy repeats the call.";

impl World {
    fn note(&self, name: &str, text: &str) -> PathBuf {
        let folder = self.home().join("vault");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    async fn starts(&self, agent: &Agent, source: &str) -> Value {
        self.hook(agent, "SessionStart", json!({"source": source}))
            .await
    }

    async fn is_prompted(&self, agent: &Agent, prompt: &str) -> Option<String> {
        let answer = self.hook(agent, "UserPromptSubmit", json!({"prompt": prompt}));
        said(&answer.await).map(str::to_owned)
    }

    /// Asks until the index says what the note does: a search waits for it, half a second at most.
    async fn is_indexed(&self, agent: &Agent, words: &str) {
        for _ in 0..40 {
            let search = json!({"type": "vault_search", "id": 1, "query": format!("\"{words}\"")});
            let found = self.ask(agent, search).await;
            if found["notes"].as_array().is_some_and(|it| !it.is_empty()) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("{words} is not found");
    }
}

#[test]
fn what_one_session_learnt_is_given_to_the_next_one_once() {
    story(Config::default(), |world| async move {
        let (a, b) = (world.agent("a"), world.agent("b"));
        world.starts(&a, "startup").await;
        let write = json!({"type": "vault_write", "id": 1, "op_id": "00000000-0000-4000-8000-000000000001",
            "title": "Token refresh", "text": NOTE});
        let written = world.ask(&a, write).await;
        assert_eq!(written["outcome"], "created", "{written}");
        world.is_indexed(&a, "staging tenant rotate").await;

        world.starts(&b, "startup").await;
        assert_eq!(
            world.is_prompted(&b, "Rename the colour of a button").await,
            None
        );
        let given = world.is_prompted(&b, ABOUT).await.unwrap();
        assert!(given.starts_with("[kite vault "), "{given}");
        assert!(given.contains(&format!("| {NOTE}")), "{given}");
        assert!(given.contains("unreviewed: an agent wrote this"), "{given}");
        assert!(given.len() <= 800, "at most 200 tokens: {}", given.len());
        assert_eq!(world.is_prompted(&b, ABOUT).await, None, "once");

        let why = json!({"type": "vault_why", "id": 2, "session": "b"});
        let why = world.ask(&b, why).await;
        let told = &why["given"][0];
        assert_eq!(told["bytes"], given.len(), "{why}");
        assert_eq!(told["on"], "prompt");
        assert!(
            told["notes"][0]["path"]
                .as_str()
                .unwrap()
                .ends_with("/Token refresh.md")
        );
        let words = told["notes"][0]["words"].as_array().unwrap();
        assert!(words.contains(&json!("tenant")), "{why}");
    });
}

#[test]
fn a_note_comes_again_when_it_changed_or_was_compacted_away() {
    story(Config::default(), |world| async move {
        let a = world.agent("a");
        let note = world.note("tokens.md", NOTE);
        world.starts(&a, "startup").await;
        world.is_indexed(&a, "staging tenant rotate").await;
        assert!(world.is_prompted(&a, ABOUT).await.is_some());
        assert_eq!(world.is_prompted(&a, ABOUT).await, None);

        fs::write(&note, NOTE.replace("twice:", "twice, since June:")).unwrap();
        world.is_indexed(&a, "since June").await;
        let again = world.is_prompted(&a, ABOUT).await.unwrap();
        assert!(again.contains("since June"), "{again}");
        assert_eq!(world.is_prompted(&a, ABOUT).await, None);

        world.starts(&a, "compact").await;
        assert!(world.is_prompted(&a, ABOUT).await.is_some());
        world.starts(&a, "resume").await;
        assert_eq!(
            world.is_prompted(&a, ABOUT).await,
            None,
            "it is there still"
        );
    });
}

#[test]
fn a_start_tells_what_there_is_and_what_is_pinned_and_nothing_where_nothing_is() {
    story(Config::default(), |world| async move {
        let (a, b) = (world.agent("a"), world.agent("b"));
        assert_eq!(world.starts(&a, "startup").await, Value::Null);
        world
            .hook(&a, "SessionEnd", json!({"reason": "other"}))
            .await;
        world.note(
            "rules.md",
            "---\npinned: true\n---\nNever push on a Friday.",
        );
        world.note("tokens.md", NOTE);
        let started = world.starts(&b, "startup").await;
        let text = said(&started).unwrap_or_else(|| panic!("{started}"));
        assert!(
            text.contains("Kite's vault has 2 notes of the person"),
            "{text}"
        );
        assert!(text.contains("| Never push on a Friday."), "{text}");
        let asked = "Never push on a Friday: does that rule hold for hotfix releases?";
        assert_eq!(world.is_prompted(&b, asked).await, None, "it was pinned");
    });
}

#[test]
fn a_session_is_given_no_more_than_its_budget_and_nothing_where_memory_is_off() {
    let mut config = Config::default();
    config.vault.memory_session_tokens = 150;
    story(config, |world| async move {
        let a = world.agent("a");
        for number in 0..4 {
            world.note(
                &format!("{number}.md"),
                &format!(
                    "The zebra{number} crossing of quagga{number} needs marmoset{number} first."
                ),
            );
        }
        world.starts(&a, "startup").await;
        world.is_indexed(&a, "needs marmoset3").await;
        let mut bytes = 0;
        for number in 0..4 {
            let prompt = format!("What does the zebra{number} crossing of quagga{number} need?");
            bytes += world
                .is_prompted(&a, &prompt)
                .await
                .map_or(0, |it| it.len());
        }
        assert!(bytes > 0 && bytes <= 600, "{bytes}");
    });
    for memory in [Memory::Search, Memory::Off] {
        let mut config = Config::default();
        config.vault.memory = memory;
        story(config, |world| async move {
            let a = world.agent("a");
            world.note("tokens.md", NOTE);
            assert_eq!(world.starts(&a, "startup").await, Value::Null);
            assert_eq!(world.is_prompted(&a, ABOUT).await, None);
        });
    }
}

#[test]
fn a_damaged_index_keeps_no_step() {
    story(Config::default(), |world| async move {
        let a = world.agent("a");
        world.note("tokens.md", NOTE);
        world.starts(&a, "startup").await;
        world.is_indexed(&a, "staging tenant rotate").await;
        fs::write(world.home().join("vault.index"), "no index at all").unwrap();
        // Whatever comes: an answer, and no error.
        world.is_prompted(&a, ABOUT).await;
        world.starts(&a, "compact").await;
    });
}
