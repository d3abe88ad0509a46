//! What the hooks cost: printed, not judged. `cargo test -p kite --test git_hooks cost -- --nocapture`

use std::time::{Duration, Instant};

use super::shop::{Shop, Who, silent};

/// Calls of which the median is taken.
const ROUNDS: usize = 15;

#[test]
fn cost_of_a_commit_with_and_without() {
    let without = Shop::without_hooks(&[("a.rs", "one\n")]);
    let with = Shop::open(&[("a.rs", "one\n")]);
    let lines = [
        ("commit", "git commit -q --allow-empty -m x"),
        ("amend", "git commit -q --amend --allow-empty -m y"),
        ("tag", "git tag -f x >/dev/null"),
    ];
    for (name, line) in lines {
        for who in [Who::Person, Who::Ben] {
            let whose = if who == Who::Ben {
                "an agent's"
            } else {
                "a person's"
            };
            let (before, after) = (median(&without, who, line), median(&with, who, line));
            report(&format!(
                "{whose} {name}: {:.1} ms without, {:.1} ms with the hooks",
                ms(before),
                ms(after)
            ));
        }
    }
}

fn median(shop: &Shop, who: Who, line: &str) -> Duration {
    let mut took: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            silent(&shop.shell(who, line));
            began.elapsed()
        })
        .collect();
    took.sort();
    took[ROUNDS / 2]
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

#[expect(clippy::print_stdout, reason = "figures for whoever runs it")]
fn report(line: &str) {
    println!("{line}");
}
