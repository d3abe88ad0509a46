//! A project's own tools, as `.kite/config.toml` declares them: narrow, typed, never a shell line.
//!
//! A definition becomes a JSON Schema for whoever calls, a check of the arguments, and an array of
//! arguments for the program. What is wrong with one is a [`Problem`], and that tool does not exist.
//!
//! **Architecture Invariant:** nothing here runs anything. A value from outside never becomes an
//! option, part of a shell line, or a placeholder.

mod fill;
mod read;
mod schema;
mod template;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Problem;
pub use fill::Filled;
pub use template::Template;

/// Most tools of one project.
pub const TOOLS_MAX: usize = 50;
/// Most parameters of one tool.
pub const PARAMETERS_MAX: usize = 20;
/// Most arguments of its program.
pub const ARGV_MAX: usize = 64;
/// Longest tool name: clients put `mcp__kite__project_` before it and allow 64 characters.
pub const NAME_CHARS_MAX: usize = 40;
/// Longest description of a tool or a parameter.
pub const DESCRIPTION_CHARS_MAX: usize = 400;
/// Longest value of a parameter, unless the definition says less.
pub const VALUE_CHARS_MAX: u64 = 4_000;
/// The longest a tool may run, in seconds.
pub const TIMEOUT_S_MAX: u64 = 14_400;
/// The most of its output that is given back, in bytes.
pub const OUTPUT_BYTES_MAX: u64 = 64 << 10;

const VALUE_CHARS: u64 = 200;
const TIMEOUT_S: u64 = 300;
const OUTPUT_BYTES: u64 = 16 << 10;

/// One tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition {
    pub name: String,
    pub description: String,
    /// By name.
    pub parameters: Vec<Parameter>,
    /// The program, which no parameter names, and its arguments.
    pub argv: Vec<Template>,
    /// Where it runs, below the working copy.
    pub directory: String,
    pub timeout_s: u64,
    pub lock: Option<Template>,
    pub read_only: bool,
    /// Variables of the daemon that it is given beside the usual ones.
    pub environment: Vec<String>,
    pub output_bytes_max: u64,
}

/// What a tool takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub description: String,
    pub kind: Kind,
    pub required: bool,
    pub default: Option<Value>,
}

/// The type of a parameter, with its bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Text {
        chars_max: u64,
        /// A regular expression that the whole value must match.
        pattern: Option<String>,
        /// Where not empty, the only values there are.
        of: Vec<String>,
    },
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    Number {
        min: Option<f64>,
        max: Option<f64>,
    },
    Boolean,
}

/// The tools of a working copy, and what is wrong with the rest.
#[derive(Clone, Debug, Default)]
pub struct Tools {
    /// By name.
    pub definitions: Vec<Definition>,
    pub problems: Vec<Problem>,
}

/// The file that declares a working copy's tools.
#[must_use]
pub fn file(worktree: &Path) -> PathBuf {
    worktree.join(".kite/config.toml")
}

/// Reads the tools of a working copy. No file, no tools.
#[must_use]
pub fn of_repository(worktree: &Path) -> Tools {
    read::file(&file(worktree))
}

impl Definition {
    /// Names this definition: 32 hexadecimal digits that change with whatever it says.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let parameters = self.parameters.iter().map(|parameter| {
            json!([
                parameter.name,
                parameter.schema(),
                parameter.required,
                parameter.default,
            ])
        });
        let all = json!([
            self.name,
            self.description,
            parameters.collect::<Vec<_>>(),
            texts(&self.argv),
            self.directory,
            self.timeout_s,
            self.lock.as_ref().map(Template::text),
            self.read_only,
            self.environment,
            self.output_bytes_max,
        ]);
        hex(&Sha256::digest(all.to_string().as_bytes()))
    }

    /// The program where it is a file of the working copy: what it says belongs to what runs.
    #[must_use]
    pub fn own_program(&self, worktree: &Path) -> Option<PathBuf> {
        let program = self.argv.first()?.text();
        (program.contains('/') && !program.starts_with('/'))
            .then(|| worktree.join(&self.directory).join(program))
    }
}

/// The first half of a digest, which is enough to tell contents apart.
#[must_use]
pub fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    digest.iter().take(16).fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn texts(templates: &[Template]) -> Vec<&str> {
    templates.iter().map(Template::text).collect()
}

#[cfg(test)]
mod tests;
