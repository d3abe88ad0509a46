//! What agents' clients would run because a repository says so.
//!
//! Of Claude Code's settings what Kite itself or a click on "always allow" writes does not count:
//! trust would end with every such click otherwise.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{EXTENSION, MCP_SERVER, PARTS_MAX, Part, SETTINGS, content, is_absent, json};

/// Files that count whole.
const WHOLE: &[(&str, &str)] = &[
    (SETTINGS, ".codex/config.toml"),
    (SETTINGS, ".codex/hooks.json"),
    (SETTINGS, ".gemini/.env"),
    (SETTINGS, ".gemini/settings.json"),
    (SETTINGS, ".opencode/opencode.json"),
    (SETTINGS, ".opencode/opencode.jsonc"),
    (SETTINGS, "opencode.json"),
    (SETTINGS, "opencode.jsonc"),
];

/// Folders whose files all count.
const FOLDERS: &[&str] = &[
    ".claude/hooks",
    ".claude/plugins",
    ".codex/hooks",
    ".codex/rules",
    ".gemini/commands",
    ".gemini/extensions",
    ".gemini/hooks",
    ".opencode/plugin",
    ".opencode/plugins",
    ".opencode/tool",
    ".opencode/tools",
];

/// Folders of texts, of which those count that have something run or widen what may.
const TEXTS: &[&str] = &[
    ".agents/skills",
    ".claude/agents",
    ".claude/commands",
    ".claude/skills",
    ".opencode/agent",
    ".opencode/command",
];

/// Words by which such a text is known.
const MARKS: &[&str] = &[
    "!`",
    "allowed-tools",
    "hooks:",
    "mcpServers",
    "permission",
    "tools:",
];

/// Folders are followed so deep.
const DEPTH_MAX: usize = 6;

/// All of them. The error is a sentence.
pub(super) fn parts(worktree: &Path, home: &Path) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let own = json::Own::of(home);
    let settings = |text: Value| own.without(text, false);
    let local = |text: Value| own.without(text, true);
    let servers = |text: Value| own.without_server(text);
    parts.extend(normal(
        SETTINGS,
        worktree,
        ".claude/settings.json",
        settings,
    ));
    parts.extend(normal(
        SETTINGS,
        worktree,
        ".claude/settings.local.json",
        local,
    ));
    parts.extend(normal(MCP_SERVER, worktree, ".mcp.json", servers));
    for (kind, name) in WHOLE {
        parts.extend(Part::file(kind, name, &worktree.join(name)));
    }
    for name in FOLDERS {
        for file in files(worktree, name)? {
            parts.extend(extension(worktree, &file));
        }
    }
    for name in TEXTS {
        for file in files(worktree, name)? {
            if counts(&file) {
                parts.extend(extension(worktree, &file));
            }
        }
    }
    Ok(parts)
}

fn extension(worktree: &Path, file: &Path) -> Option<Part> {
    let what = file.strip_prefix(worktree).unwrap_or(file);
    Part::file(EXTENSION, &what.display().to_string(), file)
}

/// A JSON file without what does not count; none where nothing is left.
fn normal(
    kind: &'static str,
    worktree: &Path,
    name: &str,
    normalise: impl Fn(Value) -> Value,
) -> Option<Part> {
    let bytes = match content(&worktree.join(name)) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) => return None,
        Err(error) => return Some(Part::unreadable(kind, name, &error)),
    };
    // What is no JSON to us may be to a client.
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
        return Part::file(kind, name, &worktree.join(name));
    };
    let mut value = normalise(value);
    if json::is_empty(&value) {
        return None;
    }
    value.sort_all_objects();
    let text = value.to_string();
    Some(Part::new(kind, name, text.as_bytes(), &text))
}

/// Whether a text does more than speak. One that cannot be read counts.
fn counts(file: &Path) -> bool {
    let is_text = file.extension().is_some_and(|it| it == "md");
    match content(file) {
        Ok(bytes) if is_text => {
            let text = String::from_utf8_lossy(&bytes);
            MARKS.iter().any(|mark| text.contains(mark))
        }
        // A skill brings scripts along.
        _ => true,
    }
}

/// The files below a folder, links to folders not followed.
fn files(worktree: &Path, name: &str) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    let folder = worktree.join(name);
    if leads_out(worktree, &folder) {
        // What lies elsewhere is not the repository's; that it is used is. It counts as a file.
        return Ok(vec![folder]);
    }
    let mut folders = vec![(folder, 0)];
    while let Some((folder, depth)) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            match is_folder {
                true if depth < DEPTH_MAX => folders.push((entry.path(), depth + 1)),
                true => {
                    return Err(format!(
                        "`{name}` is nested deeper than {DEPTH_MAX} folders"
                    ));
                }
                false => found.push(entry.path()),
            }
            if found.len() > PARTS_MAX || folders.len() > PARTS_MAX {
                return Err(format!("`{name}` holds more than {PARTS_MAX} files"));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a folder is really one outside of the working copy.
fn leads_out(worktree: &Path, folder: &Path) -> bool {
    match (fs::canonicalize(worktree), fs::canonicalize(folder)) {
        (Ok(worktree), Ok(folder)) => !folder.starts_with(worktree),
        _ => false,
    }
}
