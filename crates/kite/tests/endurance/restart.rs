//! `kite daemon restart` while everybody works.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use serde_json::json;

use crate::{
    history,
    load::workers,
    random::seed,
    world::{Raise, World, eventually, figure},
};

const WORKERS: u64 = 8;
const RESTARTS: usize = 3;
/// How many answers all workers together have between two restarts.
const ANSWERS_BETWEEN: u64 = 50;
/// Longest that anybody may have waited. Generous: test machines are busy.
const STALL_MAX: Duration = Duration::from_secs(10);

#[test]
fn a_restart_under_load_fails_nobody() {
    let seed = seed();
    let mut world = World::started();
    let mut workers = workers(&mut world, WORKERS, seed);
    let answers: Vec<_> = workers.iter().map(|worker| worker.kept.clone()).collect();
    let answered = || -> u64 {
        answers
            .iter()
            .map(|kept| kept.load(Ordering::Relaxed))
            .sum()
    };
    let over = AtomicBool::new(false);
    let commands = AtomicU64::new(0);
    thread::scope(|scope| {
        let _end = Raise(&over);
        for worker in &mut workers {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    worker.step();
                }
            });
        }
        // The command line is a client like any other; no call of it may fail either.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let title = format!("by hand {}", commands.fetch_add(1, Ordering::Relaxed));
                world.run(&["task", "create", &title]);
            }
        });
        for _ in 0..RESTARTS {
            let before = (answered(), commands.load(Ordering::Relaxed));
            eventually("everybody works", || {
                answered() > before.0 + ANSWERS_BETWEEN
                    && commands.load(Ordering::Relaxed) > before.1
            });
            world.run(&["daemon", "restart"]);
        }
        let before = answered();
        eventually("everybody works again", || {
            answered() > before + ANSWERS_BETWEEN
        });
    });
    let found = history::check(&world, &workers);
    let by_hand = commands.into_inner();
    let created = world.ask(&json!({"type": "task_list", "status": "all", "project": "*"}));
    let counted: u64 = created["counts"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(|n| n.as_u64())
        .sum();
    assert_eq!(counted, found.tasks as u64, "{created}");
    let longest = workers
        .iter()
        .map(|worker| worker.client.longest)
        .max()
        .unwrap();
    figure(format_args!(
        "restart: seed {seed}, {RESTARTS} restarts, {} acknowledged and {by_hand} calls of `kite`, \
         failed 0, lost 0; longest stall {} ms",
        found.acknowledged,
        longest.as_millis(),
    ));
    assert!(longest < STALL_MAX, "{longest:?}");
}
