//! Scripts: what the model of one session says, turn by turn.

use serde_json::{Value, json};

use super::Call;

/// What one session's model says. After its last turn it says "Done." and the session ends.
#[derive(Clone, Debug)]
pub struct Script {
    pub(super) name: String,
    turns: Vec<Turn>,
    next_cue: Option<(String, usize)>,
}

/// One answer of the model.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) blocks: Vec<Value>,
    /// Wait, before answering, until so many have come to the cue of this name.
    pub(super) cue: Option<(String, usize)>,
}

impl Script {
    /// An empty script. The name is what [`marker`] puts into a prompt.
    #[must_use]
    pub fn new(name: &str) -> Script {
        Script {
            name: name.to_owned(),
            turns: Vec::new(),
            next_cue: None,
        }
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next turn waits until `number` sessions have come to this cue.
    #[must_use]
    pub fn meet(mut self, cue: &str, number: usize) -> Script {
        self.next_cue = Some((cue.to_owned(), number));
        self
    }

    /// The next turn waits until the scene opens this cue.
    #[must_use]
    pub fn wait_for(self, cue: &str) -> Script {
        self.meet(cue, usize::MAX)
    }

    /// A turn that calls one tool.
    #[must_use]
    pub fn call(self, call: Call) -> Script {
        self.call_at_once([call])
    }

    /// A turn that calls several tools at once.
    #[must_use]
    pub fn call_at_once(self, calls: impl IntoIterator<Item = Call>) -> Script {
        let block =
            |Call { tool, input }| json!({"type": "tool_use", "name": tool, "input": input});
        self.turn(calls.into_iter().map(block).collect())
    }

    /// A turn that says something and so ends the session's work.
    #[must_use]
    pub fn say(self, text: &str) -> Script {
        self.turn(Turn::says(text).blocks)
    }

    /// Whether any turn calls this tool.
    #[must_use]
    pub fn calls(&self, tool: &str) -> bool {
        let blocks = self.turns.iter().flat_map(|turn| &turn.blocks);
        blocks.into_iter().any(|block| block["name"] == tool)
    }

    fn turn(mut self, blocks: Vec<Value>) -> Script {
        let cue = self.next_cue.take();
        self.turns.push(Turn { blocks, cue });
        self
    }

    pub(super) fn turn_at(&self, number: usize) -> Turn {
        self.turns.get(number).cloned().unwrap_or_else(|| Turn {
            cue: self.next_cue.clone().filter(|_| number == self.turns.len()),
            ..Turn::says("Done.")
        })
    }
}

impl Turn {
    pub(super) fn says(text: &str) -> Turn {
        Turn {
            blocks: vec![json!({"type": "text", "text": text})],
            cue: None,
        }
    }
}

/// The words in a prompt that choose a script.
#[must_use]
pub fn marker(script: &str) -> String {
    format!("[script {script}]")
}

/// The script that a text chooses, if it has a marker.
pub(super) fn chosen_by(text: &str) -> Option<&str> {
    let (_, after) = text.rsplit_once("[script ")?;
    after.split_once(']').map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::{Script, chosen_by, marker};

    #[test]
    fn a_prompt_chooses_its_script() {
        assert_eq!(
            chosen_by(&format!("Add login\n{}", marker("login"))),
            Some("login")
        );
        assert_eq!(chosen_by("Add login"), None);
        assert_eq!(chosen_by("[script half"), None);
    }

    #[test]
    fn the_cue_belongs_to_the_turn_that_follows_it() {
        let script = Script::new("s")
            .say("one")
            .meet("here", 2)
            .say("two")
            .wait_for("end");
        assert_eq!(script.turn_at(0).cue, None);
        assert_eq!(script.turn_at(1).cue, Some(("here".to_owned(), 2)));
        assert_eq!(script.turn_at(2).cue, Some(("end".to_owned(), usize::MAX)));
        assert_eq!(script.turn_at(3).cue, None);
    }
}
