//! An index of patterns that answers "which of them overlap this one" without looking at all.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    sync::Arc,
};
use core::ops::Bound;

use super::{Pattern, Target};

/// Patterns under keys of the caller's, found by their anchors.
///
/// What can overlap a file has the file's anchor or one of its ancestors: a few point look-ups,
/// however many patterns there are. For a tree or a glob also the range below its anchor.
#[derive(Clone, Debug)]
pub(crate) struct Overlaps<K> {
    files: BTreeMap<String, BTreeMap<K, Arc<Pattern>>>,
    names: BTreeMap<Target, BTreeMap<K, Arc<Pattern>>>,
}

impl<K> Default for Overlaps<K> {
    fn default() -> Self {
        Overlaps {
            files: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Copy> Overlaps<K> {
    pub(crate) fn insert(&mut self, key: K, pattern: Arc<Pattern>) {
        match &pattern.target {
            name @ Target::Name { .. } => self.names.entry(name.clone()).or_default(),
            _ => self.files.entry(pattern.anchor.clone()).or_default(),
        }
        .insert(key, pattern);
    }

    pub(crate) fn remove(&mut self, key: K, pattern: &Pattern) {
        if let name @ Target::Name { .. } = &pattern.target {
            if let Some(keys) = self.names.get_mut(name) {
                keys.remove(&key);
                if keys.is_empty() {
                    self.names.remove(name);
                }
            }
        } else if let Some(keys) = self.files.get_mut(&pattern.anchor) {
            keys.remove(&key);
            if keys.is_empty() {
                self.files.remove(&pattern.anchor);
            }
        }
    }

    /// The keys of exactly this target.
    pub(crate) fn exactly(&self, pattern: &Pattern) -> impl Iterator<Item = K> {
        let keys = match &pattern.target {
            name @ Target::Name { .. } => self.names.get(name),
            _ => self.files.get(&pattern.anchor),
        };
        keys.into_iter()
            .flatten()
            .filter(|(_, other)| other.target == pattern.target)
            .map(|(key, _)| *key)
    }

    /// The keys of all patterns that overlap this one.
    pub(crate) fn overlapping<'a>(&'a self, pattern: &'a Pattern) -> impl Iterator<Item = K> + 'a {
        let is_name = matches!(pattern.target, Target::Name { .. });
        let names = self.names.get(&pattern.target).filter(|_| is_name);
        let above = ancestors(&pattern.anchor)
            .filter(move |_| !is_name)
            .filter_map(|anchor| self.files.get(anchor));
        let has_below = matches!(pattern.target, Target::Tree(_) | Target::Glob(_));
        let below = has_below.then(|| self.below(&pattern.anchor));
        names
            .into_iter()
            .chain(above)
            .chain(below.into_iter().flatten())
            .flatten()
            .filter(|(_, other)| other.overlaps(pattern))
            .map(|(key, _)| *key)
    }

    /// The keys of all patterns that cover this file.
    pub(crate) fn covering<'a>(&'a self, path: &'a str) -> impl Iterator<Item = K> + 'a {
        ancestors(path)
            .filter_map(|anchor| self.files.get(anchor))
            .flatten()
            .filter(|(_, other)| other.covers(path))
            .map(|(key, _)| *key)
    }

    fn below(&self, anchor: &str) -> impl Iterator<Item = &BTreeMap<K, Arc<Pattern>>> {
        // Anchors below begin with `anchor/`, and '0' follows '/'.
        let (first, end) = (anchor.to_string() + "/", anchor.to_string() + "0");
        self.files
            .range((Bound::Included(first), Bound::Excluded(end)))
            .map(|(_, keys)| keys)
    }
}

/// The anchors that a path's ancestors have, from the root to itself.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let path = path.trim_end_matches('/');
    path.match_indices('/')
        .map(|(at, _)| &path[..at])
        .chain(core::iter::once(path))
}
