//! Much of everything: output, and agents that are asked for at the same moment.

use std::{collections::BTreeSet, env, fs, thread};

use serde_json::{Value, json};

use crate::world::{World, eventually};

/// Bytes of log that are kept of one run, with what is kept of its last words.
const KEPT_MAX: u64 = (16 + 5) * 1024 * 1024;

/// Set to 1024 where there is time for it.
fn megabytes() -> u64 {
    let given = env::var("KITE_TEST_OUTPUT_MB").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(64)
}

#[test]
fn a_torrent_of_output_is_kept_bounded_and_its_last_words_are_the_result() {
    let world = World::new();
    let bytes = megabytes() * 1024 * 1024;
    let agent = world.spawn(&format!(
        "yes complaint | head -c {bytes} >&2; yes progress | head -c {bytes}; echo; echo all is well"
    ));
    let ended = world.until(&agent["id"], "done");
    let result = ended["result"].as_str().unwrap();
    assert!(result.ends_with("all is well"), "{result}");
    let run = world
        .home
        .join("agents")
        .join(agent["id"].as_str().unwrap());
    let files = fs::read_dir(run).unwrap();
    let kept: u64 = files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(kept < KEPT_MAX, "{kept} bytes");
}

#[test]
fn agents_that_are_asked_for_at_the_same_moment_all_run() {
    let world = World::with(8);
    let agents: Vec<Value> = thread::scope(|scope| {
        let asking: Vec<_> = (0..20)
            .map(|_| scope.spawn(|| world.spawn("echo here >> crowd")))
            .collect();
        asking.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let ids: BTreeSet<&str> = agents.iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids.len(), 20);
    eventually("all have run", || World::lines(&world.file("crowd")) == 20);
    let kept = world.ask(&json!({"type": "agent_list", "ended": true, "limit": 200}));
    assert_eq!(kept["agents"].as_array().unwrap().len(), 20);
}
