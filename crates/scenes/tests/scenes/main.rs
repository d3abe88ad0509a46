//! All scenes, in one test binary. Each file is one story.

mod aftermath;
mod claims;
mod clean_repository;
mod clients;
mod contracts;
mod daemon_death;
mod dispatch;
mod git_guard;
mod git_table;
mod holder_death;
mod locks;
mod mcp_doors;
mod memory;
mod phantom_holds;
mod planner;
mod quiet;
mod racing_edits;
mod registration;
mod resumed_twice;
mod review;
mod spawn;
mod stale_write;
mod subagents;
mod worktree_conflict;
mod worktrees;

/// How long a session may take to get to a point that it will reach.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(15);

/// A scene that is not in the list above would never play.
#[test]
fn every_scene_is_listed() -> std::io::Result<()> {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenes");
    let list = std::fs::read_to_string(here.join("main.rs"))?;
    for entry in std::fs::read_dir(here)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        assert!(
            name == "main" || list.contains(&format!("mod {name};")),
            "{name} is not listed"
        );
    }
    Ok(())
}
