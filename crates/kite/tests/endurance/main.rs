//! The real daemon, the real hook and real clients under what goes wrong in earnest: killed,
//! restarted, stopped, flooded, lied to, out of disk.
//!
//! Each test has a home of its own. Figures go to stderr. More of the same by environment:
//! `KITE_KILLS=100` (rounds of `kill -9`), `KITE_SEED=7` (to choose the same random moments
//! again).

mod client;
mod death;
mod full_disk;
mod history;
mod hook_faults;
mod hostile;
mod kill;
mod load;
mod permissions;
mod random;
mod restart;
mod retries;
mod secrets;
mod updates;
mod waiting;
mod world;

/// Every file here is a module above: none is forgotten.
#[test]
fn every_file_is_part_of_this_binary() {
    let listed = include_str!("main.rs");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/endurance")).unwrap()
    {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let module = name.trim_end_matches(".rs");
        assert!(
            module == "main" || listed.contains(&format!("mod {module};")),
            "{name} is not listed"
        );
    }
}
