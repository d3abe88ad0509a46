//! A part of a list: from where, how much, of which project.

use serde_json::Value;

use super::{
    CONTENT_BYTES_MAX, escape,
    uri::{Parts, written},
};

/// Entries of a page, usually and at most.
const LIMIT: u64 = 50;
const LIMIT_MAX: u64 = 200;
/// Locks or sessions asked for, of which pages are cut: the daemon gives no more at once.
pub(super) const ENTRIES_MAX: u32 = 1_000;
/// What `incomplete` says of a list.
pub(super) const INCOMPLETE: (&str, &str) = (
    "incomplete",
    "true where the list ends at 1,000 entries in all, of which these are some: there may be more, which no page shows",
);

/// What the parameters of a list say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// What came before: opaque to clients.
    pub(crate) cursor: Option<String>,
    pub(crate) limit: Option<u64>,
    /// A directory in a project, or `*` for all.
    pub(crate) project: Option<String>,
}

/// The parameters, as templates name them.
pub(super) const PARAMETERS: &[&str] = &["cursor", "limit", "project"];

impl Page {
    pub(super) fn parse(parts: &Parts) -> Result<Page, String> {
        parts.only(PARAMETERS)?;
        Ok(Page {
            cursor: parts.get("cursor").map(str::to_owned),
            limit: parts.number("limit", 1, LIMIT_MAX)?,
            project: parts.get("project").map(str::to_owned),
        })
    }

    /// Entries of this page at most.
    pub(super) fn limit(&self) -> usize {
        usize::try_from(self.limit.unwrap_or(LIMIT)).unwrap_or(usize::MAX)
    }

    /// Says so in `content` where there may be more than the `found` entries.
    pub(super) fn tell_end(content: &mut Value, found: usize) {
        if u32::try_from(found).is_ok_and(|found| found < ENTRIES_MAX) {
            return;
        }
        content[INCOMPLETE.0] = true.into();
    }

    /// The URI of the page after this one.
    pub(super) fn next(&self, path: &str, cursor: &str) -> String {
        let limit = self.limit.map(|limit| limit.to_string());
        written(
            path,
            &[
                ("project", self.project.as_deref()),
                ("limit", limit.as_deref()),
                ("cursor", Some(cursor)),
            ],
        )
    }

    /// Of all entries, each with its place in the order, those of this page: after the cursor, as
    /// many as fit. And the cursor of the last one, where more follow.
    pub(super) fn cut(&self, entries: Vec<(String, Value)>) -> (Vec<Value>, Option<String>) {
        let mut rest = entries
            .into_iter()
            .skip_while(|(key, _)| {
                self.cursor
                    .as_ref()
                    .is_some_and(|cursor| key.as_str() <= cursor.as_str())
            })
            .map(|(key, mut entry)| {
                // Before it is measured: escaping makes it longer.
                escape(&mut entry);
                (key, entry)
            })
            .peekable();
        let (mut page, mut last, mut bytes) = (Vec::new(), None, 0);
        while let Some((key, entry)) = rest.next_if(|(_, entry)| {
            bytes += entry.to_string().len() + 1;
            page.len() < self.limit() && (page.is_empty() || bytes <= CONTENT_BYTES_MAX)
        }) {
            page.push(entry);
            last = Some(key);
        }
        (page, last.filter(|_| rest.peek().is_some()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pages_follow_each_other_and_lose_nothing() {
        let all: Vec<(String, Value)> = (0..7).map(|n| (format!("k{n}"), json!(n))).collect();
        let mut page = Page {
            limit: Some(3),
            ..Page::default()
        };
        let mut seen = Vec::new();
        loop {
            let (entries, next) = page.cut(all.clone());
            assert!(entries.len() <= 3);
            seen.extend(entries);
            match next {
                Some(_) => page.cursor = next,
                None => break,
            }
        }
        assert_eq!(seen, (0..7).map(|n| json!(n)).collect::<Vec<_>>());
    }

    #[test]
    fn a_page_is_bounded_in_bytes_and_holds_at_least_one() {
        let huge = json!("x".repeat(CONTENT_BYTES_MAX));
        let all = vec![
            ("a".to_owned(), huge.clone()),
            ("b".to_owned(), huge.clone()),
        ];
        let (entries, next) = Page::default().cut(all);
        assert_eq!((entries.len(), next.as_deref()), (1, Some("a")));
    }
}
