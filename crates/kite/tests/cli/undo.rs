//! What agents change and lose comes back: the real daemon, the real hook with a made-up Claude
//! Code behind it, real git.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use super::world::{Agent, Call, World, eventually};

/// A repository in a world, and two agents at work in it.
pub(crate) struct Workshop {
    pub(crate) world: World,
    pub(crate) repository: PathBuf,
    ada: Agent,
    ben: Agent,
    calls: u32,
}

impl Workshop {
    /// With Kite wired, and these files committed.
    fn open(files: &[(&str, &str)]) -> Workshop {
        let mut world = World::with_daemon();
        let repository = world.project.join("repository");
        fs::create_dir(&repository).unwrap();
        let (ada, ben) = (world.agent(), world.agent());
        let workshop = Workshop {
            world,
            repository,
            ada,
            ben,
            calls: 0,
        };
        workshop.git(&["init", "--quiet", "--initial-branch=main"]);
        for (name, text) in files {
            workshop.write(name, text);
        }
        workshop.git(&["add", "."]);
        workshop.git(&["commit", "--quiet", "--message=start"]);
        workshop.kite(&["init"]).run().ends(0);
        workshop
    }

    pub(crate) fn kite(&self, words: &[&str]) -> Call {
        self.world.kite(words).at(&self.repository)
    }

    fn git(&self, words: &[&str]) -> String {
        let output = self.shell_of("git", words);
        assert!(output.status.success(), "git {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command line as an agent's shell would.
    fn shell(&self, line: &str) -> Output {
        self.shell_of("sh", &["-c", line])
    }

    fn shell_of(&self, program: &str, words: &[&str]) -> Output {
        Command::new(program)
            .args(words)
            .current_dir(&self.repository)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.world.project)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([
                ("GIT_AUTHOR_NAME", "Ada"),
                ("GIT_AUTHOR_EMAIL", "a@localhost"),
            ])
            .envs([
                ("GIT_COMMITTER_NAME", "Ada"),
                ("GIT_COMMITTER_EMAIL", "a@localhost"),
            ])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.repository.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.repository.join(name)).ok()
    }

    #[track_caller]
    fn holds(&self, name: &str, text: impl AsRef<[u8]>) {
        let (there, wanted) = (self.read(name), text.as_ref());
        assert!(
            there.as_deref() == Some(wanted),
            "{name} holds {:?}, not {:?}",
            there.as_deref().map(String::from_utf8_lossy),
            String::from_utf8_lossy(wanted),
        );
    }

    /// The hook's answer.
    fn hook(&self, agent: &Agent, event: &str, more: Value) -> Value {
        self.world.hook(&self.repository, agent, event, more)
    }

    /// An agent's edit, from before to after. Gives its number.
    fn edit(&mut self, agent: Who, name: &str, text: impl AsRef<[u8]>) -> u64 {
        self.calls += 1;
        let call = format!("toolu_{}", self.calls);
        let tool = json!({
            "tool_name": "Edit", "tool_use_id": call,
            "tool_input": {"file_path": self.repository.join(name)},
        });
        let agent = agent.of(self);
        self.hook(agent, "PreToolUse", tool.clone());
        self.write(name, text);
        self.hook(agent, "PostToolUse", tool);
        let batch = json!({"tool_calls": [{"tool_name": "Edit", "tool_use_id": call}]});
        self.hook(agent, "PostToolBatch", batch);
        let mut number = None;
        eventually("the edit is kept", || {
            number = self.entries().iter().find_map(|entry| {
                let found = entry["tool_use_id"] == json!(call);
                found.then(|| entry["number"].as_u64()).flatten()
            });
            number.is_some()
        });
        number.unwrap()
    }

    /// What an agent is told before this command.
    fn before_shell(&mut self, agent: Who, line: &str) -> Value {
        self.calls += 1;
        let tool = self.bash(line);
        self.hook(agent.of(self), "PreToolUse", tool)
    }

    /// The command ends, and what came of it is noted.
    fn after_shell(&self, agent: Who, line: &str) {
        let noted = self.noted();
        let mut tool = self.bash(line);
        tool["tool_response"] = json!({"stdout": "", "stderr": "", "interrupted": false});
        self.hook(agent.of(self), "PostToolUse", tool);
        eventually("the end of the command is noted", || self.noted() > noted);
    }

    fn bash(&self, line: &str) -> Value {
        json!({
            "tool_name": "Bash", "tool_use_id": format!("toolu_{}", self.calls),
            "tool_input": {"command": line},
        })
    }

    fn entries(&self) -> Vec<Value> {
        let listed = self
            .kite(&["undo", "--list", "--json"])
            .run()
            .ends(0)
            .json();
        listed["entries"].as_array().unwrap().clone()
    }

    /// How many commands' ends are in the journal.
    fn noted(&self) -> usize {
        let undo = fs::read_dir(self.world.home.join("undo")).unwrap();
        undo.filter_map(|entry| fs::read_to_string(entry.unwrap().path().join("journal")).ok())
            .map(|journal| journal.matches(r#""kind":"after""#).count())
            .sum()
    }
}

/// Which agent.
#[derive(Clone, Copy)]
enum Who {
    Ada,
    Ben,
}

impl Who {
    fn of(self, workshop: &Workshop) -> &Agent {
        match self {
            Who::Ada => &workshop.ada,
            Who::Ben => &workshop.ben,
        }
    }
}

/// Why the hook refuses.
fn refused(answer: &Value) -> Option<&str> {
    let output = &answer["hookSpecificOutput"];
    (output["permissionDecision"] == "deny")
        .then(|| output["permissionDecisionReason"].as_str())
        .flatten()
}

/// The number in `kite undo 41`.
fn number_in(text: &str) -> u64 {
    let (_, rest) = text.split_once("kite undo ").unwrap();
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap();
    digits.parse().unwrap()
}

fn undo_of(number: u64) -> [String; 2] {
    ["undo".to_owned(), number.to_string()]
}

#[track_caller]
fn undone(workshop: &Workshop, number: u64) -> super::world::Said {
    let [undo, number] = undo_of(number);
    workshop.kite(&[&undo, &number]).run()
}

const BINARY: &[u8] = b"\x00\xff\r\nno text\x1b[31m";

#[test]
fn what_a_git_command_destroys_comes_back_whole_and_goes_again() {
    let mut shop = Workshop::open(&[
        ("a.rs", "one\n"),
        ("b.rs", "one\n"),
        (".gitattributes", "*.rs text\n"),
    ]);
    shop.edit(Who::Ada, "a.rs", "one\r\nby ada\r\n");
    shop.write("new/image.bin", BINARY);
    shop.edit(Who::Ben, "b.rs", "by ben\n");

    let answer = shop.before_shell(Who::Ben, "git stash --include-untracked");
    let reason = refused(&answer).unwrap_or_else(|| panic!("{answer}"));
    assert!(reason.contains("a.rs"), "{reason}");

    // What was kept for the refused command is still the newest; only after a change is there more.
    shop.edit(Who::Ben, "b.rs", "by ben\ntoo\n");
    let line = "git checkout $NOTHING -- . && git clean -fdq";
    let answer = shop.before_shell(Who::Ben, line);
    assert_eq!(refused(&answer), None, "{answer}");
    let number = number_in(&answer.to_string());
    assert!(shop.shell(line).status.success());
    shop.after_shell(Who::Ben, line);
    shop.holds("a.rs", "one\n");
    assert_eq!(shop.read("new/image.bin"), None);

    shop.world.kite(&["daemon", "stop"]).run().ends(0);
    let said = undone(&shop, number).ends(0).mentions("restored    a.rs");
    shop.holds("a.rs", "one\r\nby ada\r\n");
    shop.holds("b.rs", "by ben\ntoo\n");
    shop.holds("new/image.bin", BINARY);
    let again = number_in(&said.stdout);
    undone(&shop, again)
        .ends(0)
        .mentions(&format!("undo of {number}"));
    shop.holds("a.rs", "one\n");
    assert_eq!(shop.read("new/image.bin"), None);
    shop.world.kite(&["daemon", "status"]).run().ends(4);
}

#[test]
fn a_snapshot_is_undone_by_the_repository_alone_and_staged_again() {
    let mut shop = Workshop::open(&[("a.rs", "one\n"), ("b.rs", "one\n")]);
    shop.edit(Who::Ada, "a.rs", "staged\n");
    shop.git(&["add", "a.rs"]);
    shop.edit(Who::Ada, "a.rs", "not staged\n");
    let answer = shop.before_shell(Who::Ben, "git reset --hard $NOTHING");
    let number = number_in(&answer.to_string());
    shop.git(&["reset", "--quiet", "--hard"]);
    // As with another home, or after the journal was lost.
    fs::remove_dir_all(shop.world.home.join("undo")).unwrap();
    undone(&shop, number)
        .ends(0)
        .mentions("a snapshot that is only in this repository")
        .mentions("restored    a.rs")
        .mentions("staged as before: 1 file");
    shop.holds("a.rs", "not staged\n");
    assert_eq!(shop.git(&["show", ":a.rs"]), "staged\n");
}

#[test]
fn one_edit_is_taken_back_and_later_ones_stay() {
    let text = |first: &str, last: &str| format!("{first}\n2\n3\n4\n5\n6\n7\n{last}\n");
    let mut shop = Workshop::open(&[("a.rs", &text("1", "8"))]);
    let first = shop.edit(Who::Ada, "a.rs", text("ada", "8"));
    let second = shop.edit(Who::Ben, "a.rs", text("ada", "ben"));
    undone(&shop, first).ends(0).mentions("merged      a.rs");
    shop.holds("a.rs", text("1", "ben"));
    undone(&shop, second).ends(0).mentions("merged      a.rs");
    shop.holds("a.rs", text("1", "8"));
}

#[test]
fn a_conflict_is_marked_as_git_marks_it_and_is_told_by_the_exit_code() {
    let mut shop = Workshop::open(&[("a.rs", "one\n")]);
    let first = shop.edit(Who::Ada, "a.rs", "ada\n");
    shop.edit(Who::Ben, "a.rs", "ben\n");
    let dry = shop
        .kite(&["undo", &first.to_string(), "--dry-run"])
        .run()
        .ends(3)
        .mentions("Would undo ")
        .mentions("CONFLICT    a.rs");
    assert!(!dry.stdout.contains("undo this with"), "{dry:#?}");
    shop.holds("a.rs", "ben\n");
    let said = undone(&shop, first).ends(3).mentions("CONFLICT    a.rs");
    let there = String::from_utf8(shop.read("a.rs").unwrap()).unwrap();
    for part in ["<<<<<<< ", "ben\n", "=======\n", "one\n", ">>>>>>> "] {
        assert!(there.contains(part), "{part:?} in {there}");
    }
    undone(&shop, number_in(&said.stdout)).ends(0);
    shop.holds("a.rs", "ben\n");
}

#[test]
fn without_a_number_it_goes_back_step_by_step() {
    let mut shop = Workshop::open(&[("a.rs", "one\n")]);
    shop.edit(Who::Ada, "a.rs", "two\n");
    shop.edit(Who::Ada, "a.rs", "three\n");
    // A snapshot is not the latest change, and does not bring back what has been undone.
    assert_eq!(
        refused(&shop.before_shell(Who::Ben, "git stash $NOTHING")),
        None
    );
    shop.kite(&["undo"])
        .run()
        .ends(2)
        .prints("")
        .complains("the latest is 2")
        .complains("kite undo 2");
    shop.kite(&["undo", "--yes"]).run().ends(0);
    shop.holds("a.rs", "two\n");
    shop.kite(&["undo", "--yes"]).run().ends(0);
    shop.holds("a.rs", "one\n");
    shop.kite(&["undo", "--yes"])
        .run()
        .ends(5)
        .complains("nothing to undo");
    let listed = shop.kite(&["undo", "--list", "--limit", "2"]).run().ends(0);
    assert_eq!(listed.stdout.lines().count(), 3, "{listed:#?}");
    listed.mentions("undo of 1").complains("3 older");
}

#[test]
fn a_sessions_edits_are_undone_by_its_first_digits() {
    let mut shop = Workshop::open(&[("a.rs", "one\n"), ("b.rs", "one\n"), ("c.rs", "one\n")]);
    shop.edit(Who::Ada, "a.rs", "ada\n");
    shop.edit(Who::Ben, "b.rs", "ben\n");
    shop.edit(Who::Ada, "c.rs", "ada\n");
    let ada = shop.entries()[0]["session"].as_str().unwrap()[..8].to_owned();
    let undo = ["undo", "--session", &ada];
    shop.kite(&undo).run().ends(2).complains("add --yes");
    shop.kite(&[&undo[..], &["--path", "c.rs", "--yes"]].concat())
        .run()
        .ends(0);
    shop.holds("c.rs", "one\n");
    shop.holds("a.rs", "ada\n");
    shop.kite(&[&undo[..], &["--yes"]].concat()).run().ends(0);
    for (name, text) in [("a.rs", "one\n"), ("b.rs", "ben\n"), ("c.rs", "one\n")] {
        shop.holds(name, text);
    }
}

#[test]
fn a_number_is_shown_file_by_file_and_hostile_text_as_codes() {
    let mut shop = Workshop::open(&[("a.rs", "one\n"), ("sub/b.rs", "one\n")]);
    let number = shop
        .edit(Who::Ada, "a.rs", "one\n\u{1b}[2Jtwo\n")
        .to_string();
    shop.kite(&["undo", "--show", &number])
        .run()
        .ends(0)
        .mentions("edited a.rs by Edit")
        .mentions("  +\\u{1b}[2Jtwo\n");
    let shown = shop
        .kite(&["undo", "--show", &number, "--json"])
        .run()
        .ends(0)
        .json();
    assert_eq!(shown["files"][0]["path"], "a.rs");
    assert_eq!(
        shown["files"][0]["after"],
        json!({"state": "kept", "bytes": 12})
    );
    // A path is meant from where one stands.
    let below = shop.repository.join("sub");
    shop.kite(&["undo", &number, "--path", "../a.rs"])
        .at(&below)
        .run()
        .ends(0);
    shop.holds("a.rs", "one\n");
}

#[test]
fn an_agent_may_undo_and_is_never_asked() {
    let mut shop = Workshop::open(&[("a.rs", "one\n")]);
    let number = shop.edit(Who::Ada, "a.rs", "two\n").to_string();
    shop.kite(&["undo"]).inside(&shop.ben).run().ends(2);
    shop.kite(&["undo", &number])
        .inside(&shop.ben)
        .run()
        .ends(0);
    shop.holds("a.rs", "one\n");
}

#[test]
fn a_secret_is_not_kept_and_undo_says_so() {
    let mut shop = Workshop::open(&[("a.rs", "one\n"), (".env", "KEY=1\n")]);
    let number = shop.edit(Who::Ada, ".env", "KEY=2\n");
    undone(&shop, number)
        .ends(3)
        .mentions("left alone  .env: its old content is not kept");
    shop.holds(".env", "KEY=2\n");
    let shown = shop
        .kite(&["undo", "--show", &number.to_string()])
        .run()
        .ends(0);
    assert!(!shown.stdout.contains("KEY"), "{shown:#?}");
    assert!(!anywhere(&shop.world.home.join("undo"), b"KEY=1"));
}

fn anywhere(directory: &Path, part: &[u8]) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return anywhere(&path, part);
        }
        let bytes = fs::read(path).unwrap();
        bytes.windows(part.len()).any(|window| window == part)
    })
}
