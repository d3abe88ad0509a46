//! The daemon is killed at random moments while everybody works.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use rustix::process::Signal;

use crate::{
    history,
    load::{Worker, workers},
    random::{Chance, seed},
    world::{Raise, World, eventually, figure, number},
};

const WORKERS: u64 = 8;
/// The latest moment of a kill, after the work of a round has begun.
const KILL_AFTER_MS_MAX: u64 = 300;
/// How many answers each worker has after the restart, before the round ends.
const ANSWERS_AFTER: u64 = 5;
/// How many promises of each worker are asked for again after a round.
const REPEATED: usize = 20;

#[test]
fn kill_9_of_the_daemon_loses_nothing_that_was_acknowledged() {
    let (seed, rounds) = (seed(), number("KITE_KILLS", 5));
    figure(format_args!(
        "kill -9: seed {seed} (KITE_SEED), {rounds} rounds (KITE_KILLS)"
    ));
    let mut world = World::started();
    let mut workers = workers(&mut world, WORKERS, seed);
    let mut chance = Chance::new(seed);
    for _ in 0..rounds {
        let moment = Duration::from_millis(chance.below(KILL_AFTER_MS_MAX));
        killed_at_work(&world, &mut workers, moment);
        workers
            .iter_mut()
            .for_each(|worker| worker.repeat_latest(REPEATED));
        history::check(&world, &workers);
    }
    let found = history::check(&world, &workers);
    let retries: u64 = workers.iter().map(|worker| worker.client.retries).sum();
    figure(format_args!(
        "kill -9: {rounds} rounds, {} acknowledged, lost 0; {} tasks, {} attempts, {} finished, \
         {} epochs, none twice; {retries} attempts to reach it again, {} answers asked for again, all alike",
        found.acknowledged,
        found.tasks,
        found.attempts,
        found.finished,
        found.epochs,
        found.repeated,
    ));
    assert!(found.acknowledged as u64 > rounds * WORKERS, "{found:?}");
}

/// One round: work, death at that moment, restart, a little more work.
fn killed_at_work(world: &World, workers: &mut [Worker], moment: Duration) {
    let daemon = world.daemon();
    let over = AtomicBool::new(false);
    let answers: Vec<_> = workers.iter().map(|worker| worker.kept.clone()).collect();
    thread::scope(|scope| {
        let _end = Raise(&over);
        for worker in workers {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    worker.step();
                }
            });
        }
        thread::sleep(moment);
        daemon.signal(Signal::KILL);
        world.start();
        let then: Vec<u64> = answers
            .iter()
            .map(|kept| kept.load(Ordering::Relaxed))
            .collect();
        eventually("everybody is answered again", || {
            let now = answers.iter().map(|kept| kept.load(Ordering::Relaxed));
            now.zip(&then)
                .all(|(now, then)| now >= then + ANSWERS_AFTER)
        });
    });
}
