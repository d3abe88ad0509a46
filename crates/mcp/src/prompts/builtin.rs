//! Kite's own prompts, read as any other.

use super::{Known, Source, front};

/// Name and content, in the order in which they are listed.
const FILES: [(&str, &str); 5] = [
    ("plan", include_str!("builtin/plan.md")),
    ("work", include_str!("builtin/work.md")),
    ("review", include_str!("builtin/review.md")),
    ("handoff", include_str!("builtin/handoff.md")),
    ("standup", include_str!("builtin/standup.md")),
];

pub(super) fn all() -> Vec<Known> {
    let read = FILES.iter().map(|(name, content)| Known {
        name: (*name).to_owned(),
        source: Source::Kite,
        written: front::read(content, &format!("kite's own {name}.md")),
    });
    read.collect()
}
