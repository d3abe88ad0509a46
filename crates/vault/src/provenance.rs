//! Who wrote to a note: a line in its front matter for each time.

use crate::escape;

/// Who writes, for the note's front matter: an agent, unless it says otherwise. Texts are shortened to what a line can hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// Kite's short id of the session.
    pub session: String,
    pub task: Option<String>,
    /// The commit that was checked out.
    pub commit: Option<String>,
    /// The project's key, for notes of vaults that are not the project's own.
    pub project: Option<String>,
    /// Wall clock, in milliseconds since 1970.
    pub wall_ms: i64,
    /// The operation: a second write with the same key changes nothing.
    pub op: String,
    /// A person writes. Their new note counts as reviewed, and one that they add to stays what it
    /// was.
    pub person: bool,
}

/// A line of `kite-written`: words in pairs, after the time.
pub(crate) struct Line;

/// Longest value in a line.
const VALUE_BYTES_MAX: usize = 256;
/// Longest project: it is compared, so it stands there whole.
const PROJECT_BYTES_MAX: usize = 8_192;

impl Line {
    /// `2026-11-22T09:44:00Z session 3f2a91bc task 1a2b3c4d commit 1234abcd op 77`
    pub(crate) fn of(author: &Author) -> String {
        let time = jiff::Timestamp::from_millisecond(author.wall_ms).unwrap_or_default();
        let mut line = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let mut add = |name: &str, value: String| {
            if !value.is_empty() {
                line.push_str(&format!(" {name} {value}"));
            }
        };
        add("session", value_of(&author.session));
        add("task", value_of(author.task.as_deref().unwrap_or_default()));
        add(
            "commit",
            value_of(author.commit.as_deref().unwrap_or_default()),
        );
        add("op", value_of(&author.op));
        let project = word(author.project.as_deref().unwrap_or_default());
        add(
            "project",
            escape::cut(&project, PROJECT_BYTES_MAX).to_owned(),
        );
        line
    }

    /// Whether a line tells of this operation.
    pub(crate) fn is_of(line: &str, op: &str) -> bool {
        !op.is_empty() && field(line, "op").as_deref() == Some(&value_of(op))
    }

    pub(crate) fn project_of(line: &str) -> Option<String> {
        field(line, "project").map(|value| value.replace("%20", " ").replace("%25", "%"))
    }
}

fn field(line: &str, name: &str) -> Option<String> {
    let mut words = line.split(' ').skip(1);
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        if key == name {
            return Some(value.to_owned());
        }
    }
    None
}

/// A value as one word, shortened.
fn value_of(value: &str) -> String {
    escape::cut(&word(value), VALUE_BYTES_MAX).to_owned()
}

fn word(value: &str) -> String {
    escape::line(value).replace('%', "%25").replace(' ', "%20")
}
