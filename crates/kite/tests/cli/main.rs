//! The conversation with `kite`, as people and scripts see it.

mod color;
mod dispatches;
mod errors;
mod help;
mod hostile;
mod json;
mod project_tools;
mod reviews;
mod screens;
mod stand_in;
mod stories;
mod trust;
mod undo;
mod undo_errors;
mod vault;
mod world;

/// Every file here is a module above: none is forgotten.
#[test]
fn every_file_is_part_of_this_binary() {
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(
            module == "main" || listed.contains(&format!("mod {module};")),
            "{name} is not listed"
        );
    }
}
