//! Chores of this repository: `cargo xtask bench`, `cargo xtask matrix`, `cargo xtask picture`.

use std::process::ExitCode;

mod bench;
mod matrix;
mod picture;
mod vault_bench;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some("bench") if std::env::args().nth(2).as_deref() == Some("vault") => {
            vault_bench::run(&words.skip(1).collect::<Vec<_>>())
        }
        Some("bench") => bench::run(&words.collect::<Vec<_>>()),
        Some("matrix") => matrix::run(&words.collect::<Vec<_>>()),
        Some("picture") => picture::draw(),
        Some(bench::echo::COMMAND) => bench::echo::serve(&words.next().unwrap_or_default()),
        Some(bench::spawn::COMMAND) => bench::spawn::say_started(&words.next().unwrap_or_default()),
        _ => {
            say(
                "usage: cargo xtask bench [processes] [shell] [sockets] [mcp] [depth] [spawn] [claude]\n       cargo xtask matrix [--check] [--log FILE...]\n       cargo xtask bench vault [find] [speed] [hook] [tune]\n       kite demo | cargo xtask picture > docs/demo.svg",
            );
            ExitCode::from(2)
        }
    }
}

/// A line for the person who reads the figures.
#[expect(clippy::print_stdout, reason = "the output of this program")]
fn say(line: &str) {
    println!("{line}");
}
