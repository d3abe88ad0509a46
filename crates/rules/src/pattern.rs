//! What a lock is on, and whether two of them overlap: decided exactly, not by text equality.
//!
//! Paths arrive canonical (absolute, symlinks and `..` resolved, folded where the file system
//! ignores case), so two paths are one file exactly when they are equal. Globs know `*` and `?`
//! (not `/`), `**` as a whole segment (any number of segments), `[abc]`, `[a-z]`, `[!x]`, and
//! `{a,b}` (nested too). A backslash makes the next character literal.
//!
//! Overlap of two globs is the emptiness of the intersection of two regular languages: both
//! patterns are compiled to small automata, and their product is searched.

use alloc::string::String;

use crate::refusal::Refusal;

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
    // the engineer of this room adds what it needs (automaton, literal prefix)
}

impl Pattern {
    /// Checks and compiles a target. Refuses bad globs and over-long ones, saying where.
    pub fn compile(target: Target) -> Result<Pattern, Refusal> {
        let _ = &target;
        todo!()
    }

    /// Whether any file (or name) is covered by both.
    #[must_use]
    pub fn overlaps(&self, other: &Pattern) -> bool {
        let _ = other;
        todo!()
    }

    /// Whether this covers the file with that canonical path.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        let _ = path;
        todo!()
    }
}
