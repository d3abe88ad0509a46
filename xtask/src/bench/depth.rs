//! Does it stay fast when there is much of it? Claims with 100,000 tasks next to 1,000, flat and
//! in an adverse graph; lock checks with 10,000 locks held next to 100. In process: what rules and
//! memory cost, without the socket and the disk that both sides of a ratio would share.

use std::time::Instant;

use kite_rules::{
    Now,
    lock::{LockTable, Request},
    pattern::Target,
    session::{Owner, SessionId},
    task::{NewTask, Priority, TaskGraph, TaskId},
};

use super::{Kite, median, row};

const ROUNDS: usize = 9;
const SAMPLES: usize = 400;
const NOW: Now = Now {
    wall_ms: 1_700_000_000_000,
    mono_ms: 1_000_000,
};

pub(crate) fn run(_: &Kite) {
    let flat = |count| graph(count, false);
    let adverse = |count| graph(count, true);
    compare(
        "claim and give back, 100,000 tasks",
        "1,000 tasks",
        "at most 1.3 x",
        claims(flat(100_000)),
        claims(flat(1_000)),
    );
    compare(
        "claim and give back, 100,000 tasks, 90 % of them blocked and urgent",
        "1,000 such tasks",
        "at most 1.3 x",
        claims(adverse(100_000)),
        claims(adverse(1_000)),
    );
    compare(
        "lock check of a path, 10,000 held",
        "100 held",
        "at most 1.5 x",
        checks(10_000),
        checks(100),
    );
}

fn compare(
    what: &str,
    baseline: &str,
    reach: &str,
    mut large: impl FnMut() -> f64,
    mut small: impl FnMut() -> f64,
) {
    let mut ratios = Vec::new();
    for round in 0..=ROUNDS {
        let (of_large, of_small) = (large(), small());
        if round > 0 {
            ratios.push(of_large / of_small);
        }
    }
    row(what, &mut ratios, baseline, reach);
}

/// Median seconds of one call.
fn p50(mut call: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let began = Instant::now();
        for _ in 0..10 {
            call();
        }
        times.push(began.elapsed().as_secs_f64() / 10.0);
    }
    median(&mut times)
}

fn graph(count: usize, adverse: bool) -> TaskGraph {
    let mut graph = TaskGraph::new();
    let mut make = |number: usize, priority, depends_on| {
        let new = NewTask {
            project: "/p".to_owned(),
            title: format!("task {number}"),
            priority,
            depends_on,
            ..NewTask::default()
        };
        let id = TaskId(((number as u128 + 1) << 64) | (0x5bd1_e995 * (number as u128 + 7)));
        graph.create(id, new, NOW).map(|created| created.task)
    };
    let mut gate = None;
    for number in 0..count {
        let blocked = adverse && number % 10 != 0;
        let depends_on = gate
            .filter(|_| blocked)
            .map(|id: TaskId| id.to_string())
            .into_iter()
            .collect();
        let priority = if blocked {
            Priority::High
        } else {
            Priority::Normal
        };
        if let Ok(id) = make(number, priority, depends_on) {
            gate.get_or_insert(id);
        }
    }
    graph
}

fn claims(mut graph: TaskGraph) -> impl FnMut() -> f64 {
    let owner = Owner::session(SessionId(7));
    move || {
        p50(|| {
            if let Ok(claimed) = graph.claim_next("/p", &owner, true, NOW) {
                let _ = graph.release(claimed.task, &owner, None, None, false, NOW);
            }
        })
    }
}

fn checks(held: usize) -> impl FnMut() -> f64 {
    let mut table = LockTable::new(1);
    for number in 0..held {
        let path = format!("/home/dev/shop/src/module{}/file{number}.rs", number % 97);
        let owner = Owner::session(SessionId(number as u128 / 500 + 10));
        let request = Request {
            owner,
            project: "/p".to_owned(),
            targets: vec![(Target::Path(path.clone()), path)],
            reason: None,
            ttl_ms: 1_800_000,
            keep: false,
        };
        let _ = table.acquire(&request, NOW);
    }
    let me = Owner::session(SessionId(1));
    move || {
        p50(|| {
            std::hint::black_box(
                table.blocking(&me, "/home/dev/shop/src/module5/deeper/inside/free.rs"),
            );
        })
    }
}
