//! What a repository would have run by itself: by git, by agents' clients, as tools of the project.
//!
//! Each is a [`Part`]: what it is, where it stands, and the hash of what it says. Files are read,
//! git is asked through the runner that runs none of a repository's code.
//!
//! **Architecture Invariant:** nothing that is found here is run, expanded or followed out of
//! curiosity; and whether it is wanted is not for this room to say.

mod clients;
mod git;
mod json;

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest as _, Sha256};

use crate::config::{
    Problem,
    tools::{self, Definition},
};

/// How long looking at a repository may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most parts of one repository.
pub const PARTS_MAX: usize = 1_000;
/// Largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 8 << 20;
/// Characters of a part that are shown.
const TEXT_CHARS_MAX: usize = 400;
/// Characters of a part's name.
const WHAT_CHARS_MAX: usize = 400;

/// A setting of git that names a command, or leads to more settings.
pub const GIT_CONFIG: &str = "git_config";
/// A hook that git would run.
pub const GIT_HOOK: &str = "git_hook";
/// Settings of an agent's client.
pub const SETTINGS: &str = "settings";
/// Servers that a client starts.
pub const MCP_SERVER: &str = "mcp_server";
/// Plug-ins, commands, skills and subagents of a client.
pub const EXTENSION: &str = "extension";
/// A tool of the project.
pub const TOOL: &str = "tool";
/// Notes that are read and written.
pub const VAULT: &str = "vault";

/// One thing that would run, or that says what may.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    pub kind: &'static str,
    /// Unique within its kind.
    pub what: String,
    /// 32 hexadecimal digits of what it says.
    pub hash: String,
    /// The beginning of that, for people.
    pub text: String,
}

/// All parts of a working copy.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    /// By kind and name.
    pub parts: Vec<Part>,
    /// Definitions of tools that are none.
    pub problems: Vec<Problem>,
}

/// Looks at a working copy, for the Kite home `home`, whose own entries are no strangers'.
///
/// # Errors
/// A sentence: it took too long, or there is more than anybody would read.
pub async fn look(worktree: PathBuf, home: PathBuf) -> Result<Parts, String> {
    let looking = tokio::task::spawn_blocking(move || parts(&worktree, &home));
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(Ok(found)) => found,
        _ => Err(format!(
            "the repository could not be looked at within {} s",
            PATIENCE.as_secs()
        )),
    }
}

/// The tool of this name, and the hash by which it is trusted.
pub async fn tool(worktree: PathBuf, name: String) -> Option<(Definition, String)> {
    let reading = tokio::task::spawn_blocking(move || {
        let tools = tools::of_repository(&worktree);
        let tool = tools
            .definitions
            .into_iter()
            .find(|tool| tool.name == name)?;
        let hash = tool_hash(&tool, &worktree);
        Some((tool, hash))
    });
    tokio::time::timeout(PATIENCE, reading).await.ok()?.ok()?
}

/// All tools, each with its hash, and what is wrong with the rest.
pub async fn tools(worktree: PathBuf) -> (Vec<(Definition, String)>, Vec<Problem>) {
    let reading = tokio::task::spawn_blocking(move || {
        let tools = tools::of_repository(&worktree);
        let hashed = |tool: Definition| {
            let hash = tool_hash(&tool, &worktree);
            (tool, hash)
        };
        let definitions = tools.definitions.into_iter().map(hashed).collect();
        (definitions, tools.problems)
    });
    let read = tokio::time::timeout(PATIENCE, reading).await;
    read.ok().and_then(Result::ok).unwrap_or_default()
}

fn parts(worktree: &Path, home: &Path) -> Result<Parts, String> {
    let mut parts = git::parts(worktree);
    parts.extend(clients::parts(worktree, home)?);
    let tools = tools::of_repository(worktree);
    for tool in &tools.definitions {
        let argv: Vec<&str> = tool.argv.iter().map(tools::Template::text).collect();
        parts.push(Part {
            hash: tool_hash(tool, worktree),
            ..Part::new(TOOL, &tool.name, &[], &argv.join(" "))
        });
    }
    if worktree.join(".kite/vault").is_dir() {
        parts.push(Part::new(
            VAULT,
            ".kite/vault",
            &[],
            "notes that sessions read and add to",
        ));
    }
    if parts.len() > PARTS_MAX {
        return Err(format!(
            "there are {} things that would run, more than the {PARTS_MAX} that anybody can look through",
            parts.len()
        ));
    }
    parts.sort();
    parts.dedup_by(|a, b| (a.kind, &a.what) == (b.kind, &b.what));
    let problems = tools.problems;
    Ok(Parts { parts, problems })
}

/// The definition, and what its program says where that is the repository's own.
fn tool_hash(tool: &Definition, worktree: &Path) -> String {
    let mut hasher = Sha256::new_with_prefix(tool.fingerprint());
    if let Some(program) = tool.own_program(worktree) {
        match content(&program) {
            Ok(bytes) => hasher.update(bytes),
            Err(error) => hasher.update(format!("{:?}", error.kind())),
        }
    }
    tools::hex(&hasher.finalize())
}

impl Part {
    fn new(kind: &'static str, what: &str, content: &[u8], text: &str) -> Part {
        Part {
            kind,
            what: what.chars().take(WHAT_CHARS_MAX).collect(),
            hash: tools::hex(&Sha256::digest(content)),
            text: text.chars().take(TEXT_CHARS_MAX).collect(),
        }
    }

    /// A file as it is. One that cannot be read is a part, too: it may be readable for others.
    fn file(kind: &'static str, what: &str, path: &Path) -> Option<Part> {
        match content(path) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                Some(Part::new(kind, what, &bytes, &text))
            }
            Err(error) if is_absent(&error) => None,
            Err(error) => Some(Part::unreadable(kind, what, &error)),
        }
    }

    fn unreadable(kind: &'static str, what: &str, why: &dyn std::fmt::Display) -> Part {
        let text = format!("cannot be read: {why}");
        Part::new(kind, what, text.as_bytes(), &text)
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// The content of a regular file; nothing else is opened.
fn content(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(FILE_BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!(
            "it is longer than {FILE_BYTES_MAX} bytes"
        )));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
