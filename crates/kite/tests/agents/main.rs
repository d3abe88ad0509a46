//! Agents that Kite runs, with the real daemon and the real supervisor: an agent here is a shell
//! script that does what its prompt says.
//!
//! Each test has a home of its own.

mod crowds;
mod deaths;
mod faces;
mod life;
mod queue;
mod stopping;
mod world;

/// Every file here is a module above: none is forgotten.
#[test]
fn every_file_is_part_of_this_binary() {
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/agents")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(
            module == "main" || listed.contains(&format!("mod {module};")),
            "{name} is not listed"
        );
    }
}
