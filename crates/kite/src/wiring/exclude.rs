//! The line in a repository's own exclude file that keeps the personal settings out of
//! `git status`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::machine::Machine;

/// The personal settings file, relative to the top of a checkout.
pub(crate) const SETTINGS: &str = ".claude/settings.local.json";

const LINE: &str = "/.claude/settings.local.json";

/// Patterns that certainly cover [`SETTINGS`]. Git knows many more; where one of those is in
/// force, Kite's line is merely one too many.
const COVERING: &[&str] = &[
    LINE,
    SETTINGS,
    "**/.claude/settings.local.json",
    "settings.local.json",
    "**/settings.local.json",
    ".claude",
    ".claude/",
    "/.claude",
    "/.claude/",
    ".claude/*",
    "/.claude/*",
    ".claude/**",
    ".claude/*.local.json",
    "*.local.json",
];

/// Whether `text` (an ignore file) has Kite's line.
pub(crate) fn has_line(text: &[u8]) -> bool {
    lines(text).any(|line| line == LINE.as_bytes())
}

/// `text` with Kite's line at its end; `None` where it has it already.
pub(crate) fn wire(text: &[u8]) -> Option<Vec<u8>> {
    if has_line(text) {
        return None;
    }
    let mut after = text.to_vec();
    if !after.is_empty() && !after.ends_with(b"\n") {
        after.push(b'\n');
    }
    after.extend_from_slice(LINE.as_bytes());
    after.push(b'\n');
    Some(after)
}

/// `text` without Kite's line; `None` where it has none.
pub(crate) fn unwire(text: &[u8]) -> Option<Vec<u8>> {
    has_line(text).then(|| {
        text.split_inclusive(|byte| *byte == b'\n')
            .filter(|line| line.trim_ascii_end() != LINE.as_bytes())
            .flatten()
            .copied()
            .collect()
    })
}

/// Whether some other ignore file that git reads covers [`SETTINGS`] already.
pub(crate) fn is_covered(root: &Path, machine: &Machine) -> bool {
    let global: PathBuf = machine.user_home.join(".config/git/ignore");
    let local = [root.join(".gitignore"), root.join(".claude/.gitignore")];
    let own_folder: &[&str] = &["settings.local.json", "/settings.local.json", "*"];
    let says =
        |file: &Path, patterns: &[&str]| fs::read(file).is_ok_and(|text| covers(&text, patterns));
    says(&local[0], COVERING) || says(&local[1], own_folder) || says(&global, COVERING)
}

/// A file that takes anything back (`!`) is not trusted to cover.
fn covers(text: &[u8], patterns: &[&str]) -> bool {
    let takes_back = lines(text).any(|line| line.starts_with(b"!"));
    !takes_back && lines(text).any(|line| patterns.iter().any(|p| line == p.as_bytes()))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
}
