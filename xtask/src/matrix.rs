//! The safety matrix: what can go wrong between sessions, what Kite does about it, and the tests
//! that show it. `cargo xtask matrix` writes it into `docs/guarantees.md`, and in short into the
//! README.
//!
//! With `--log FILE...`, the output of `cargo test`, each test that a row names must have run there,
//! and well. With `--check` nothing is written: the documents must hold the table as it is declared.

mod log;
mod rows;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use self::{
    log::Log,
    rows::{ROWS, Row},
};

const DOCUMENT: &str = "docs/guarantees.md";
const README: &str = "README.md";

/// What the tables stand between.
const BEGIN: &str = "<!-- matrix: cargo xtask matrix -->\n";
const END: &str = "<!-- end of matrix -->\n";

/// What was asked for.
#[derive(Default)]
struct Asked {
    check: bool,
    logs: Vec<PathBuf>,
}

/// Runs `cargo xtask matrix` with these words.
pub(crate) fn run(words: &[String]) -> ExitCode {
    let Some(asked) = Asked::read(words) else {
        crate::say("usage: cargo xtask matrix [--check] [--log FILE...]");
        return ExitCode::from(2);
    };
    let mut faults = Vec::new();
    if !asked.logs.is_empty() {
        match Log::read(&asked.logs) {
            Ok(log) => faults.extend(unproven(&log)),
            Err(fault) => faults.push(fault),
        }
    }
    for (document, table) in [(DOCUMENT, table()), (README, short_table())] {
        if let Err(fault) = bring(&top().join(document), &table, asked.check) {
            faults.push(fault);
        }
    }
    for fault in &faults {
        crate::say(fault);
    }
    if faults.is_empty() {
        let tests: usize = ROWS.iter().map(|row| row.tests.len()).sum();
        let ran = if asked.logs.is_empty() {
            "named"
        } else {
            "passed"
        };
        crate::say(&format!("{} hazards, {tests} tests {ran}", ROWS.len()));
    }
    ExitCode::from(u8::from(!faults.is_empty()))
}

impl Asked {
    fn read(words: &[String]) -> Option<Asked> {
        let mut asked = Asked::default();
        let mut files = false;
        for word in words {
            match word.as_str() {
                "--check" => (asked.check, files) = (true, false),
                "--log" => files = true,
                file if files => asked.logs.push(file.into()),
                _ => return None,
            }
        }
        (!files || !asked.logs.is_empty()).then_some(asked)
    }
}

/// The tests that did not run, or not well.
fn unproven(log: &Log) -> Vec<String> {
    let tests = ROWS
        .iter()
        .flat_map(|row| row.tests.iter().map(move |test| (row, *test)));
    tests
        .filter_map(|(row, test)| {
            let why = match log.passed(test) {
                Some(true) => return None,
                Some(false) => "failed",
                None => "did not run",
            };
            Some(format!("{test} {why}; it stands for: {}", row.hazard))
        })
        .collect()
}

fn table() -> String {
    let mut text = "| Hazard | Prevented | Noticed | Undoable | Test |\n|-|-|-|-|-|\n".to_owned();
    for row in ROWS {
        let tests: Vec<String> = row.tests.iter().map(|test| format!("`{test}`")).collect();
        let yes = |it: bool| if it { "yes" } else { "" };
        let Row {
            hazard, verdict, ..
        } = row;
        let (prevented, noticed, undoable) = (verdict.prevented, verdict.noticed, verdict.undoable);
        text.push_str(&format!(
            "| {hazard} | {} | {} | {} | {} |\n",
            yes(prevented),
            yes(noticed),
            yes(undoable),
            tests.join(", ")
        ));
    }
    text
}

fn short_table() -> String {
    let mut text = "| Hazard | With Kite |\n|-|-|\n".to_owned();
    for row in ROWS {
        if let Some(short) = row.short {
            text.push_str(&format!("| {short} | {} |\n", row.verdict.words()));
        }
    }
    text
}

/// Writes a table into its document; or says that it is another, where that is only to be checked.
fn bring(document: &Path, table: &str, check: bool) -> Result<(), String> {
    let name = document.display();
    let text =
        fs::read_to_string(document).map_err(|cause| format!("cannot read {name}: {cause}"))?;
    let after = replaced(&text, table)
        .ok_or_else(|| format!("{name} has no place for the matrix: {BEGIN}...{END}"))?;
    if after == text {
        return Ok(());
    }
    if check {
        return Err(format!(
            "{name} holds another matrix than is declared: `cargo xtask matrix` writes it"
        ));
    }
    fs::write(document, after).map_err(|cause| format!("cannot write {name}: {cause}"))
}

/// The text with this table between its marks.
fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}{table}{END}{after}"))
}

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_hold_the_matrix_as_it_is_declared() {
        for (document, table) in [(DOCUMENT, table()), (README, short_table())] {
            assert_eq!(bring(&top().join(document), &table, true), Ok(()));
        }
    }

    #[test]
    fn each_row_says_something_and_names_tests_that_exist() {
        for row in ROWS {
            assert!(!row.verdict.words().is_empty(), "{}", row.hazard);
            assert!(!row.tests.is_empty(), "{}", row.hazard);
            for test in row.tests {
                let (path, function) = test.split_once("::").expect("path::function");
                let source = fs::read_to_string(top().join(path)).expect(path);
                assert!(source.contains(&format!("fn {function}(")), "{test}");
            }
        }
    }

    #[test]
    fn a_test_that_did_not_run_or_failed_is_named() {
        let nothing = Log::default();
        assert_eq!(
            unproven(&nothing).len(),
            ROWS.iter().map(|row| row.tests.len()).sum::<usize>()
        );
    }
}
