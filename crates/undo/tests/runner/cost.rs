//! What a snapshot costs. Figures on demand: `cargo test -p kite-undo cost -- --ignored --nocapture`.

use std::time::Instant;

use kite_undo::snapshot::Why;

use crate::support::Desk;

#[test]
#[ignore = "a measurement, not a judgement"]
#[expect(clippy::print_stdout, reason = "its result is what it prints")]
fn a_hundred_dirty_files_of_ten_thousand() {
    let desk = Desk::new();
    for n in 0..10_000 {
        desk.write(
            format!("d{}/e{}/f{n}.txt", n % 20, n % 200),
            format!("file {n}\n").repeat(40),
        );
    }
    desk.git(["add", "-A"]);
    desk.git(["commit", "-qm", "many"]);
    let mut fresh = Vec::new();
    let mut again = Vec::new();
    for round in 0..15 {
        for n in 0..100 {
            desk.write(
                format!("d{}/e{}/f{}.txt", n % 20, n % 200, n),
                format!("round {round} file {n}\n").repeat(40),
            );
        }
        let time = |times: &mut Vec<f64>| {
            let start = Instant::now();
            let why = Why {
                at_ms: round,
                ..Why::default()
            };
            let snapshot = desk.history().rescue(&why).expect("git");
            assert_eq!(snapshot.expect("dirty").files.len(), 100);
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        };
        time(&mut fresh);
        time(&mut again);
    }
    for (name, times) in [("fresh", &mut fresh), ("unchanged", &mut again)] {
        times.sort_by(f64::total_cmp);
        println!(
            "{name}: median {:.1} ms, best {:.1}, worst {:.1}",
            times[times.len() / 2],
            times[0],
            times[times.len() - 1]
        );
    }
}
