//! What sessions are given, told as stories: hooks and requests go in, over real folders of notes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::super::super::stage::{Agent, World, said, story};
use crate::{
    config::{Config, settings::vault::Memory},
    doors::{HookAnswer, WaitSender},
};

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

    /// Waits until it is written down that the session was given something so often, and nothing
    /// is on its way to it.
    async fn has_told(&self, agent: &Agent, times: usize) -> Value {
        let began = Instant::now();
        loop {
            let why = json!({"type": "vault_why", "id": 2, "session": "a"});
            let why = self.ask(agent, why).await;
            let given = why["given"].as_array().map_or(0, Vec::len);
            let is_quiet = self.engine.vaults.memory.telling.borrow().is_empty();
            if given == times && is_quiet {
                return why;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{times}: {why}");
            tokio::task::yield_now().await;
        }
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
            world.note("rules.md", PINNED);
            // Whoever searches finds: only what comes unasked is silenced.
            world.is_indexed(&a, "staging tenant rotate").await;
            let started = world.starts(&a, "startup").await;
            let line = "Kite's vault has 2 notes of the person; kite_vault_search searches them.";
            assert_eq!(said(&started), (memory == Memory::Search).then_some(line));
            assert_eq!(world.is_prompted(&a, ABOUT).await, None);
        });
    }
}

/// The bytes of a pinned note that is about nothing else here.
const PINNED: &str = "---\npinned: true\n---\nNever push on a Friday.";

#[test]
fn a_hook_that_was_killed_has_told_nothing_and_the_note_comes_again() {
    story(Config::default(), |world| async move {
        let a = world.agent("a");
        world.note("tokens.md", NOTE);
        world.note("rules.md", PINNED);
        world.is_indexed(&a, "staging tenant rotate").await;
        let prompt = json!({"prompt": ABOUT});
        for (before, (event, input, part)) in [
            ("SessionStart", json!({"source": "startup"}), "on a Friday"),
            ("UserPromptSubmit", prompt, "staging tenant"),
        ]
        .into_iter()
        .enumerate()
        {
            for _ in 0..2 {
                let nowhere = WaitSender::nowhere();
                let taken = world.answer(&a, event, input.clone(), &nowhere).await;
                let text = String::from_utf8(taken.stdout.clone()).unwrap();
                assert!(text.contains(part) && taken.receipt.is_some(), "{text}");
                // While that hook writes, another is not told the same.
                let meanwhile = world.answer(&a, event, input.clone(), &nowhere).await;
                let text = String::from_utf8(meanwhile.stdout).unwrap();
                assert!(!text.contains(part), "{text}");
                drop::<HookAnswer>(taken);
                world.has_told(&a, before).await;
            }
            let told = world.hook(&a, event, input.clone()).await;
            assert!(said(&told).unwrap().contains(part), "{told}");
            let again = world.hook(&a, event, input).await;
            assert!(said(&again).is_none_or(|it| !it.contains(part)), "{again}");
        }
        world.has_told(&a, 2).await;
    });
}

#[test]
fn a_daemon_that_starts_anew_tells_no_note_again_and_the_budget_stands() {
    let mut config = Config::default();
    config.vault.memory_session_tokens = 150;
    story(config, |world| async move {
        let a = world.agent("a");
        world.note("tokens.md", NOTE);
        world.note(
            "zebra.md",
            "The zebra crossing of quagga needs marmoset first.",
        );
        world.starts(&a, "startup").await;
        world.is_indexed(&a, "needs marmoset").await;
        let given = world.is_prompted(&a, ABOUT).await.unwrap();
        let why = world.has_told(&a, 1).await;
        assert_eq!(why["tokens"], given.len().div_ceil(4), "{why}");

        // What is not in the store, a daemon forgets when it ends.
        world.engine.vaults.memory.records.borrow_mut().clear();
        assert_eq!(world.is_prompted(&a, ABOUT).await, None);
        let zebra = "What does the zebra crossing of quagga need?";
        assert_eq!(
            world.is_prompted(&a, zebra).await,
            None,
            "150 tokens: {given}"
        );
        let again = world.has_told(&a, 1).await;
        assert_eq!(again, why);
    });
}

#[test]
fn codex_and_gemini_hear_it_at_their_prompts() {
    story(Config::default(), |world| async move {
        let a = world.agent("a");
        world.note("tokens.md", NOTE);
        world.is_indexed(&a, "staging tenant rotate").await;
        for client in ["codex", "gemini"] {
            let start = json!({"source": "startup"});
            let started = world.hook_of(client, client, "SessionStart", start).await;
            let text = started.to_string();
            assert!(
                text.contains("Kite's vault has 1 note of"),
                "{client}: {text}"
            );
            let ask = async |prompt: &str| {
                let prompt = json!({"prompt": prompt});
                let answer = world.hook_of(client, client, "UserPromptSubmit", prompt);
                said(&answer.await).map(str::to_owned)
            };
            assert_eq!(ask("Rename the colour of a button").await, None);
            let given = ask(ABOUT).await.unwrap_or_default();
            assert!(given.contains(&format!("| {NOTE}")), "{client}: {given}");
            assert_eq!(ask(ABOUT).await, None, "{client}: once");
        }
    });
}

#[test]
fn a_subagent_is_given_nothing_and_takes_nothing_from_its_session() {
    story(Config::default(), |world| async move {
        let a = world.agent("a");
        world.note("tokens.md", NOTE);
        world.starts(&a, "startup").await;
        world.is_indexed(&a, "staging tenant rotate").await;
        let prompt = json!({"prompt": ABOUT, "agent_id": "agent-1", "agent_type": "Explore"});
        let answer = world.hook(&a, "UserPromptSubmit", prompt).await;
        assert_eq!(said(&answer), None);
        assert!(world.is_prompted(&a, ABOUT).await.is_some());
    });
}

#[test]
fn a_note_that_is_not_to_be_injected_is_only_found() {
    story(Config::default(), |world| async move {
        let a = world.agent("a");
        let kept = format!("---\ninject: never\npinned: true\n---\n{NOTE}");
        world.note("tokens.md", &kept);
        world.is_indexed(&a, "staging tenant rotate").await;
        let started = world.starts(&a, "startup").await;
        assert_eq!(started, Value::Null, "not even counted");
        assert_eq!(world.is_prompted(&a, ABOUT).await, None);
    });
}

#[test]
fn a_repository_lowers_what_comes_and_never_raises_it() {
    for (home, repository, bytes) in [
        (
            200,
            "memory_prompt_tokens = 2000\nmemory_session_tokens = 9000",
            400..=800,
        ),
        (200, "memory_prompt_tokens = 120", 1..=480),
        (200, "memory_session_tokens = 120", 1..=480),
        (200, "memory_session_tokens = 0", 0..=0),
        (200, "memory = \"search\"", 0..=0),
        (0, "memory = \"inject\"\nmemory_prompt_tokens = 200", 0..=0),
    ] {
        let mut config = Config::default();
        config.vault.memory_prompt_tokens = home;
        story(config, |world| async move {
            is_repository(Path::new(&world.shop()));
            fs::create_dir(world.file(".kite")).unwrap();
            world.write(".kite/config.toml", repository);
            let a = world.agent("a");
            for number in 0..9 {
                let more = format!("{NOTE} Seen in rack {number}, twice a day.");
                world.note(&format!("{number}.md"), &more);
            }
            world.starts(&a, "startup").await;
            world.is_indexed(&a, "rack 8").await;
            let given = world.is_prompted(&a, ABOUT).await.unwrap_or_default();
            assert!(bytes.contains(&given.len()), "{repository}: {given}");
        });
    }
}

#[test]
fn what_an_agent_wrote_in_another_project_comes_only_once_a_person_has_reviewed_it() {
    story(Config::default(), |world| async move {
        let (a, b, c) = (world.agent("a"), world.agent("b"), world.agent("c"));
        let bank = world.home().join("bank");
        fs::create_dir(&bank).unwrap();
        is_repository(&bank);
        let start = json!({"source": "startup", "cwd": bank});
        world.hook(&b, "SessionStart", start).await;
        let asked_at_bank = async || {
            let prompt = json!({"prompt": ABOUT, "cwd": bank});
            let answer = world.hook(&b, "UserPromptSubmit", prompt).await;
            said(&answer).map(str::to_owned)
        };
        world.starts(&a, "startup").await;
        let write = json!({"type": "vault_write", "id": 1, "op_id": "00000000-0000-4000-8000-000000000002",
            "title": "Token refresh", "text": NOTE});
        let written = world.ask(&a, write).await;
        let path = PathBuf::from(written["path"].as_str().unwrap());
        world.is_indexed(&a, "staging tenant rotate").await;
        assert_eq!(asked_at_bank().await, None);
        world.starts(&c, "startup").await;
        assert!(world.is_prompted(&c, ABOUT).await.is_some());

        let text = fs::read_to_string(&path).unwrap();
        let looked_at = text.replace("reviewed: false", "reviewed: true");
        assert_ne!(looked_at, text);
        fs::write(&path, looked_at + "\nSince June.\n").unwrap();
        world.is_indexed(&a, "since June").await;
        let given = asked_at_bank().await.unwrap();
        assert!(given.contains(", reviewed\n"), "{given}");
    });
}

fn is_repository(directory: &Path) {
    let made = Command::new("git")
        .args(["init", "-q"])
        .current_dir(directory)
        .status();
    assert!(made.unwrap().success());
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
