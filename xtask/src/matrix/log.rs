//! What ran, by the output of `cargo test`.
//!
//! Cargo says which binary runs (`Running tests/cli/main.rs (target/debug/deps/cli-1a2b)`), and the
//! binary each of its tests (`test undo::a_test ... ok`). Both together are the place of a test.

use std::{collections::HashMap, fs, path::PathBuf};

/// Tests, by binary and name, and whether all their runs were good.
#[derive(Debug, Default)]
pub(super) struct Log {
    tests: HashMap<(String, String), bool>,
}

impl Log {
    /// Reads all of these files.
    pub(super) fn read(files: &[PathBuf]) -> Result<Log, String> {
        let mut log = Log::default();
        for file in files {
            let text = fs::read(file)
                .map_err(|cause| format!("cannot read {}: {cause}", file.display()))?;
            log.add(&String::from_utf8_lossy(&text));
        }
        Ok(log)
    }

    fn add(&mut self, text: &str) {
        let mut binary = String::new();
        for line in text.lines() {
            if let Some(running) = line.trim_start().strip_prefix("Running ") {
                binary = binary_of(running);
            } else if let Some((name, outcome)) = test_of(line) {
                let good = self
                    .tests
                    .entry((binary.clone(), name.to_owned()))
                    .or_insert(true);
                *good &= outcome;
            }
        }
    }

    /// Whether a test named `path::function` ran well; `None` where it did not run.
    pub(super) fn passed(&self, test: &str) -> Option<bool> {
        let (path, function) = test.split_once("::")?;
        let places = places(path)?;
        let mut found = None;
        for ((binary, name), good) in &self.tests {
            let here = places
                .iter()
                .any(|place| place.binary == *binary && place.holds(name, function));
            if here {
                found = Some(found.unwrap_or(true) && *good);
            }
        }
        found
    }
}

/// Where a source file's tests run: a binary as [`binary_of`] names it, and a module in it.
struct Place {
    binary: String,
    module: String,
}

impl Place {
    /// Whether this is the name of that function, in the file itself or in its inner `tests`.
    fn holds(&self, name: &str, function: &str) -> bool {
        let start = match self.module.as_str() {
            "" => String::new(),
            module => format!("{module}::"),
        };
        name.strip_prefix(&start)
            .is_some_and(|rest| rest == function || rest == format!("tests::{function}"))
    }
}

fn places(path: &str) -> Option<Vec<Place>> {
    let mut parts: Vec<&str> = path.strip_suffix(".rs")?.split('/').collect();
    let package = match *parts.first()? {
        "crates" => {
            parts.remove(0);
            match parts.remove(0) {
                "kite" => "kite".to_owned(),
                other => format!("kite_{other}"),
            }
        }
        _ => parts.remove(0).to_owned(),
    };
    if matches!(*parts.last()?, "mod" | "main" | "lib") && parts.len() > 2 {
        parts.pop();
    }
    let place = |binary: String, module: &[&str]| Place {
        binary,
        module: module.join("::"),
    };
    match parts.as_slice() {
        ["src", "lib" | "main"] => Some(vec![place(package, &[])]),
        ["src", module @ ..] => Some(vec![place(package, module)]),
        ["tests", binary, module @ ..] => Some(vec![
            place(format!("tests/{binary}.rs"), module),
            place(format!("tests/{binary}/main.rs"), module),
        ]),
        _ => None,
    }
}

/// `unittests src/lib.rs (target/debug/deps/kite_undo-1a2b)` is `kite_undo`; `tests/cli/main.rs
/// (...)` is `tests/cli/main.rs`. Packages have no two integration tests of one name.
fn binary_of(running: &str) -> String {
    let (source, program) = running.split_once(" (").unwrap_or((running, ""));
    if !source.starts_with("unittests ") {
        return source.to_owned();
    }
    let program = program.trim_end_matches(')');
    let program = program.rsplit('/').next().unwrap_or(program);
    let (package, _) = program.rsplit_once('-').unwrap_or((program, ""));
    package.to_owned()
}

/// The name of a test, and whether it was good. One that was ignored did not run.
fn test_of(line: &str) -> Option<(&str, bool)> {
    let (name, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let name = name.strip_suffix(" - should panic").unwrap_or(name);
    match outcome.trim_end() {
        "FAILED" => Some((name, false)),
        outcome => (outcome == "ok" || outcome.starts_with("ok <")).then_some((name, true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "
   Compiling kite-undo v0.1.0
     Running unittests src/lib.rs (target/debug/deps/kite_undo-0f1e2d)
test git::config::tests::drivers_are_found ... ok
test journal::tests::a_torn_line ... FAILED
test hash::tests::slow ... ignored
     Running tests/runner/main.rs (/t/deps/runner-99)
test undos::after_a_stash ... ok
     Running tests/real_git.rs (/t/deps/real_git-1)
test judgement_holds ... ok
";

    #[test]
    fn a_test_is_found_by_its_path() {
        let mut log = Log::default();
        log.add(OUTPUT);
        for (test, passed) in [
            (
                "crates/undo/src/git/config.rs::drivers_are_found",
                Some(true),
            ),
            ("crates/undo/src/journal/tests.rs::a_torn_line", Some(false)),
            ("crates/undo/src/hash.rs::slow", None),
            ("crates/undo/src/config.rs::drivers_are_found", None),
            (
                "crates/undo/tests/runner/undos.rs::after_a_stash",
                Some(true),
            ),
            ("crates/undo/tests/runner/main.rs::after_a_stash", None),
            (
                "crates/gitcall/tests/real_git.rs::judgement_holds",
                Some(true),
            ),
            ("crates/wire/src/git/config.rs::drivers_are_found", None),
        ] {
            assert_eq!(log.passed(test), passed, "{test}");
        }
        log.add("     Running tests/real_git.rs (/t/deps/real_git-1)\ntest judgement_holds ... FAILED\n");
        let again = log.passed("crates/gitcall/tests/real_git.rs::judgement_holds");
        assert_eq!(again, Some(false), "one bad run is enough");
    }
}
