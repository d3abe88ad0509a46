//! A snapshot's commit message: a line for people, then one trailer a fact for programs.

use std::path::PathBuf;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    git::Oid,
    path_text::PathText,
    snapshot::{LeftOut, Why},
};

/// Longest command in a subject line, in characters.
const SUBJECT_CHARACTERS_MAX: usize = 60;

/// Longest command kept, in bytes.
const COMMAND_BYTES_MAX: usize = 4096;

/// Everything that a snapshot says besides its trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) why: Why,
    pub(super) worktree: PathBuf,
    pub(super) head: Option<Oid>,
    pub(super) branch: Option<String>,
    pub(super) unmerged: bool,
    pub(super) left_out: Vec<LeftOut>,
    pub(super) left_out_count: usize,
}

/// The trailers' values, each as one line of JSON: whatever is in them, it stays a line.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Line<T>(T);

impl Message {
    pub(super) fn text(&self) -> String {
        let command = self.why.command.as_deref().unwrap_or("");
        let command = &command[..command.floor_char_boundary(COMMAND_BYTES_MAX)];
        let mut text = String::from("kite: uncommitted work");
        if !command.is_empty() {
            let plain: String = command
                .chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .take(SUBJECT_CHARACTERS_MAX)
                .collect();
            text.push_str(" before ");
            text.push_str(plain.trim());
        }
        text.push_str("\n\n");
        let mut trailer = |name: &str, value: String| {
            text.push_str(&format!("Kite-{name}: {value}\n"));
        };
        trailer("Snapshot", "1".to_owned());
        trailer("At", self.why.at_ms.to_string());
        trailer(
            "Head",
            self.head.as_ref().map_or("unborn", Oid::as_str).to_owned(),
        );
        trailer("Unmerged", self.unmerged.to_string());
        trailer("Worktree", json(&PathText::from(self.worktree.as_path())));
        if let Some(branch) = &self.branch {
            trailer("Branch", json(branch));
        }
        if let Some(session) = &self.why.session {
            trailer("Session", json(session));
        }
        if !command.is_empty() {
            trailer("Command", json(&command));
        }
        if self.left_out_count > 0 {
            trailer("Left-Out-Count", self.left_out_count.to_string());
        }
        for left_out in &self.left_out {
            trailer("Left-Out", json(left_out));
        }
        text
    }

    /// `None` if this is not the message of a snapshot.
    pub(super) fn parse(text: &str) -> Option<Message> {
        let values = |name: &str| {
            let start = format!("Kite-{name}: ");
            text.lines()
                .filter_map(move |line| line.strip_prefix(start.as_str()))
                .collect::<Vec<_>>()
        };
        let value = |name: &str| values(name).first().copied();
        if value("Snapshot")? != "1" {
            return None;
        }
        let left_out: Vec<LeftOut> = values("Left-Out").into_iter().filter_map(parsed).collect();
        Some(Message {
            why: Why {
                session: value("Session").and_then(parsed),
                command: value("Command").and_then(parsed),
                at_ms: value("At")?.parse().ok()?,
            },
            worktree: parsed::<PathText>(value("Worktree")?)?.into(),
            head: Oid::parse(value("Head")?.as_bytes()),
            branch: value("Branch").and_then(parsed),
            unmerged: value("Unmerged")? == "true",
            left_out_count: value("Left-Out-Count")
                .and_then(|count| count.parse().ok())
                .unwrap_or(left_out.len()),
            left_out,
        })
    }
}

fn json(value: &impl Serialize) -> String {
    // Strings, numbers and lists of them always have a JSON form.
    serde_json::to_string(&Line(value)).unwrap_or_default()
}

fn parsed<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_str::<Line<T>>(text)
        .ok()
        .map(|line| line.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::LeftOutWhy;

    #[test]
    fn a_message_reads_back_whatever_is_in_it() {
        let message = Message {
            why: Why {
                session: Some("77ab\nKite-Head: x".to_owned()),
                command: Some("git stash\nKite-At: 5 \u{1b}[31m".to_owned()),
                at_ms: 41,
            },
            worktree: PathBuf::from("/a b/\nKite-Unmerged: true"),
            head: None,
            branch: Some("main".to_owned()),
            unmerged: false,
            left_out: vec![LeftOut {
                path: PathText::from(std::path::Path::new("big\n.iso")),
                why: LeftOutWhy::TooLarge,
            }],
            left_out_count: 3,
        };
        assert_eq!(Message::parse(&message.text()), Some(message));
        assert_eq!(Message::parse("Merge branch 'x'\n"), None);
    }
}
