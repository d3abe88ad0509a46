//! What a lock is on, and whether two of them overlap: decided exactly, not by text equality.
//!
//! Paths arrive canonical (absolute, symlinks and `..` resolved, folded where the file system
//! ignores case), so two paths are one file exactly when they are equal. Globs know `*` and `?`
//! (not `/`), `**` as a whole segment (any number of segments; as the last one at least one),
//! `[abc]`, `[a-z]`, `[!x]`, and `{a,b}` (nested too). A backslash makes the next character
//! literal.
//!
//! Overlap of two globs is the emptiness of the intersection of two regular languages: both
//! patterns are compiled to small automata, and their product is searched.
//!
//! **Architecture Invariant:** nothing here knows who owns what; it compares sets of files.

mod automaton;
mod glob;
mod index;

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use crate::{limits, refusal::Refusal};

use glob::Alternative;
pub(crate) use index::Overlaps;

/// What one lock covers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// One file, by canonical absolute path.
    Path(String),
    /// A directory and everything below it; canonical absolute path without trailing slash.
    Tree(String),
    /// All files that match; the literal leading directories are canonical and absolute.
    Glob(String),
    /// A name that belongs to a project, such as `deploy:prod`.
    Name { project: String, name: String },
}

/// A target that has been checked and compiled, ready to be compared.
#[derive(Clone, Debug)]
pub struct Pattern {
    pub target: Target,
    /// The deepest directory, or the file, that everything covered is or lies below. Without
    /// trailing slash: the root is empty. Two patterns can overlap only if one's anchor is the
    /// other's or an ancestor of it. Not used for names.
    anchor: String,
    /// What a glob stands for once its braces are expanded. Empty for other targets.
    alternatives: Vec<Alternative>,
}

impl Pattern {
    /// Checks and compiles a target. Refuses bad globs and over-long ones, saying where; and
    /// paths that are not canonical, because comparing those would answer wrongly.
    pub fn compile(target: Target) -> Result<Pattern, Refusal> {
        let text = match &target {
            Target::Path(text) | Target::Tree(text) | Target::Glob(text) => text,
            Target::Name { name, .. } => name,
        };
        if text.chars().nth(limits::TARGET_CHARS_MAX).is_some() {
            return Err(Refusal::Limit {
                what: "characters of a path, glob or lock name",
                max: limits::TARGET_CHARS_MAX as u64,
            });
        }
        let (anchor, alternatives) = match &target {
            Target::Path(path) | Target::Tree(path) => {
                check_canonical(path)?;
                (path.trim_end_matches('/').to_string(), Vec::new())
            }
            Target::Glob(glob) => {
                let alternatives = glob::parse(glob)?;
                (common_directory(&alternatives), alternatives)
            }
            Target::Name { name, .. } if name.is_empty() => {
                return Err(Refusal::Invalid {
                    what: "lock name",
                    why: "it is empty".into(),
                });
            }
            Target::Name { .. } => (String::new(), Vec::new()),
        };
        Ok(Pattern {
            target,
            anchor,
            alternatives,
        })
    }

    /// Compiles a target that was accepted once. Should its glob not be understood any more, the
    /// directory above it stands for it: too much is covered then, never too little.
    pub(crate) fn compile_kept(target: Target) -> Pattern {
        Pattern::compile(target.clone()).unwrap_or_else(|_| {
            let text = match &target {
                Target::Path(text) | Target::Tree(text) | Target::Glob(text) => text.as_str(),
                Target::Name { .. } => "",
            };
            let literal = text.find(glob::SPECIAL).map_or(text, |at| &text[..at]);
            let everything = Alternative::everything_below(literal);
            Pattern {
                anchor: everything.directory().to_string(),
                alternatives: Vec::from([everything]),
                target,
            }
        })
    }

    /// Whether any file (or name) is covered by both.
    #[must_use]
    pub fn overlaps(&self, other: &Pattern) -> bool {
        use Target::{Glob, Name, Path, Tree};
        if let (Name { .. }, _) | (_, Name { .. }) = (&self.target, &other.target) {
            return self.target == other.target;
        }
        let (here, there) = (self.anchor.as_str(), other.anchor.as_str());
        match (&self.target, &other.target) {
            (Path(_), Path(_)) => here == there,
            (Path(_), Tree(_)) => is_within(there, here),
            (Tree(_), Path(_)) => is_within(here, there),
            (Tree(_), Tree(_)) => is_within(here, there) || is_within(there, here),
            (Path(path), Glob(_)) => other.alternatives.iter().any(|glob| glob.matches(path)),
            (Glob(_), Path(path)) => self.alternatives.iter().any(|glob| glob.matches(path)),
            (Tree(_), Glob(_)) => other
                .alternatives
                .iter()
                .any(|glob| glob.reaches_into(here)),
            (Glob(_), Tree(_)) => self
                .alternatives
                .iter()
                .any(|glob| glob.reaches_into(there)),
            _ => self.alternatives.iter().any(|mine| {
                other
                    .alternatives
                    .iter()
                    .any(|theirs| mine.intersects(theirs))
            }),
        }
    }

    /// Whether this covers the file with that canonical path.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        match &self.target {
            Target::Path(own) => own == path,
            Target::Tree(_) => is_within(&self.anchor, path.trim_end_matches('/')),
            Target::Glob(_) => self.alternatives.iter().any(|glob| glob.matches(path)),
            Target::Name { .. } => false,
        }
    }
}

/// Whether `path` is `directory` or lies below it; both without trailing slash.
fn is_within(directory: &str, path: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The deepest directory that holds everything these can match, without trailing slash.
fn common_directory(alternatives: &[Alternative]) -> String {
    let mut bases = alternatives.iter().map(Alternative::directory);
    let mut common = bases.next().unwrap_or_default();
    for base in bases {
        while !is_within(common, base) {
            common = &common[..common.rfind('/').unwrap_or(0)];
        }
    }
    common.to_string()
}

/// Refuses what is not an absolute path with plain segments.
fn check_canonical(path: &str) -> Result<(), Refusal> {
    let refuse = |why: String| {
        Err(Refusal::Invalid {
            what: "lock path",
            why,
        })
    };
    let Some(below_root) = path.strip_prefix('/') else {
        return refuse(format!("'{path}' is not absolute"));
    };
    if path.contains('\0') {
        return refuse("it contains a NUL character".into());
    }
    if below_root.is_empty() {
        return Ok(());
    }
    match below_root
        .split('/')
        .find(|name| matches!(*name, "" | "." | ".."))
    {
        Some("") => refuse(format!("'{path}' has an empty segment or a trailing slash")),
        Some(name) => refuse(format!("'{path}' has a '{name}' segment")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
