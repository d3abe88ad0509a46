//! What Kite adds to a tool call inside real Claude Code: measured by the scenes, which know how
//! to drive it.

use std::process::Command;

use super::Kite;
use crate::say;

pub(crate) fn run(_: &Kite) {
    let test = [
        "test",
        "--release",
        "--quiet",
        "--package",
        "kite-scenes",
        "--test",
        "overhead",
        "--",
        "--ignored",
        "--nocapture",
    ];
    match Command::new("cargo").args(test).status() {
        Ok(status) if status.success() => {}
        _ => say(
            "  not measured: the scene `overhead` did not run (is Claude Code installed? see CONTRIBUTING.md)",
        ),
    }
}
