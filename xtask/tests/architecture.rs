//! The picture in ARCHITECTURE.md is true: its arrows are the crates' dependencies, its paths
//! exist, and each room knows only what it may.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which of our rooms each room knows. There are no other arrows.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "kite",
        &[
            "kite-daemon",
            "kite-mcp",
            "kite-supervisor",
            "kite-undo",
            "kite-wire",
        ],
    ),
    (
        "kite-daemon",
        &[
            "kite-contracts",
            "kite-gitcall",
            "kite-redact",
            "kite-rules",
            "kite-store",
            "kite-supervisor",
            "kite-undo",
            "kite-vault",
            "kite-wire",
            "kite-worktree",
        ],
    ),
    ("kite-contracts", &[]),
    ("kite-gitcall", &[]),
    ("kite-hook", &["kite-wire"]),
    ("kite-mcp", &["kite-redact", "kite-wire"]),
    ("kite-redact", &[]),
    ("kite-rules", &[]),
    ("kite-scenes", &[]),
    ("kite-store", &["kite-rules"]),
    ("kite-supervisor", &[]),
    ("kite-undo", &[]),
    ("kite-vault", &[]),
    ("kite-wire", &[]),
    ("kite-worktree", &["kite-undo"]),
    ("xtask", &["kite-rules", "kite-vault", "kite-wire"]),
];

/// Words that may stand only in some rooms.
const ONLY_IN: &[(&str, &[&str])] = &[
    (
        "rusqlite",
        &["crates/store", "crates/vault", "xtask/src/vault_bench"],
    ),
    ("rmcp", &["crates/mcp"]),
    ("tree_sitter", &["crates/contracts"]),
    (
        "kite_rules",
        &["crates/rules", "crates/store", "crates/daemon", "xtask"],
    ),
    ("clap", &["crates/kite"]),
];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the workspace")
        .to_owned()
}

#[test]
fn the_arrows_are_the_dependencies() {
    let metadata = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(top())
        .output()
        .expect("cargo metadata");
    let metadata: Value = serde_json::from_slice(&metadata.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let ours: BTreeSet<&str> = packages
        .iter()
        .filter_map(|package| package["name"].as_str())
        .collect();
    let mut arrows = BTreeMap::new();
    for package in packages {
        let normal = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter();
        let known: BTreeSet<&str> = normal
            .filter(|dependency| dependency["kind"].is_null())
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| ours.contains(name))
            .collect();
        arrows.insert(package["name"].as_str().expect("name"), known);
    }
    let drawn: BTreeMap<&str, BTreeSet<&str>> = ARROWS
        .iter()
        .map(|(room, known)| (*room, known.iter().copied().collect()))
        .collect();
    assert_eq!(
        arrows, drawn,
        "an arrow that is not drawn, or a drawn one that is not there"
    );
}

#[test]
fn rules_depend_on_nothing_and_have_no_std() {
    let manifest = fs::read_to_string(top().join("crates/rules/Cargo.toml")).expect("manifest");
    assert!(
        !manifest.contains("[dependencies]"),
        "rules have no dependencies"
    );
    let lib = fs::read_to_string(top().join("crates/rules/src/lib.rs")).expect("lib.rs");
    assert!(lib.contains("#![no_std]"));
}

#[test]
fn words_stay_in_their_rooms() {
    for (word, rooms) in ONLY_IN {
        for file in sources(&top()) {
            let inside = rooms.iter().any(|room| file.starts_with(top().join(room)));
            if inside || file.ends_with("xtask/tests/architecture.rs") {
                continue;
            }
            let text = fs::read_to_string(&file).expect("source");
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            let named = code.into_iter().any(|line| {
                line.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|w| w == *word)
            });
            assert!(!named, "{} names {word}", file.display());
        }
    }
}

#[test]
fn every_path_in_the_documents_exists() {
    for document in [
        "ARCHITECTURE.md",
        "README.md",
        "CONTRIBUTING.md",
        "docs/guarantees.md",
    ] {
        let text = fs::read_to_string(top().join(document)).expect(document);
        let paths = text.split('`').filter(|word| {
            ["crates/", "docs/", "xtask/", ".ci/"]
                .iter()
                .any(|start| word.starts_with(start))
                && !word.contains([' ', '*', '<'])
        });
        for path in paths {
            let (path, test) = path.split_once("::").unwrap_or((path, ""));
            assert!(
                top().join(path).exists(),
                "{document} names {path}, which is not there"
            );
            let source = || fs::read_to_string(top().join(path)).expect("source");
            assert!(
                test.is_empty() || source().contains(&format!("fn {test}(")),
                "{document} names {test}, which is not in {path}"
            );
        }
    }
}

#[test]
fn no_room_is_too_big_to_hold() {
    const LINES_MAX: usize = 650;
    for file in sources(&top()) {
        let lines = fs::read_to_string(&file).expect("source").lines().count();
        assert!(
            lines <= LINES_MAX,
            "{} has {lines} lines; look for the noun to split it by",
            file.display()
        );
    }
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "target" && name != ".git" {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}
