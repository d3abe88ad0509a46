//! A repository with Kite's git hooks, and two agents at work in it.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use super::world::{Agent, Call, World, eventually};

pub(crate) struct Shop {
    pub(crate) world: World,
    pub(crate) top: PathBuf,
    pub(crate) ada: Agent,
    pub(crate) ben: Agent,
    calls: u32,
}

/// Who does something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Ada,
    Ben,
    /// At a prompt, outside of any agent.
    Person,
}

impl Shop {
    /// With these files committed, and git's hooks installed.
    pub(crate) fn open(files: &[(&str, &str)]) -> Shop {
        let shop = Shop::without_hooks(files);
        shop.kite(&["init", "--git-hooks"]).run().ends(0);
        shop
    }

    pub(crate) fn without_hooks(files: &[(&str, &str)]) -> Shop {
        let mut world = World::with_daemon();
        world.home = world.home.with_file_name("ada's home");
        let top = world.project.join("repository");
        fs::create_dir(&top).unwrap();
        let (ada, ben) = (world.agent(), world.agent());
        let shop = Shop {
            world,
            top,
            ada,
            ben,
            calls: 0,
        };
        shop.git(&["init", "--quiet", "--initial-branch=main"]);
        for (name, text) in files {
            shop.write(name, text);
        }
        shop.git(&["add", "."]);
        shop.git(&["commit", "--quiet", "--message=start"]);
        shop
    }

    pub(crate) fn kite(&self, words: &[&str]) -> Call {
        self.world.kite(words).at(&self.top)
    }

    /// A person's git, which succeeds. What it says.
    #[track_caller]
    pub(crate) fn git(&self, words: &[&str]) -> String {
        let output = self.run(Who::Person, &self.top, "git", words);
        assert!(output.status.success(), "git {words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A command line, as the shell of this somebody runs it.
    pub(crate) fn shell(&self, who: Who, line: &str) -> Output {
        self.shell_in(who, &self.top, line)
    }

    pub(crate) fn shell_in(&self, who: Who, directory: &Path, line: &str) -> Output {
        self.run(who, directory, "sh", &["-c", line])
    }

    fn run(&self, who: Who, directory: &Path, program: &str, words: &[&str]) -> Output {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(directory)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.world.project)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_EDITOR", "false")
            .envs([
                ("GIT_AUTHOR_NAME", "Ada"),
                ("GIT_AUTHOR_EMAIL", "a@localhost"),
                ("GIT_COMMITTER_NAME", "Ada"),
                ("GIT_COMMITTER_EMAIL", "a@localhost"),
            ])
            .stdin(Stdio::null());
        let agent = match who {
            Who::Ada => Some(&self.ada),
            Who::Ben => Some(&self.ben),
            Who::Person => None,
        };
        if let Some(agent) = agent {
            command
                .env("CLAUDE_PID", agent.pid.to_string())
                .env("CLAUDE_CODE_SESSION_ID", &agent.session_id);
        }
        command.output().unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.top.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.top.join(name)).unwrap()
    }

    /// A file as it is committed in this revision.
    pub(crate) fn committed(&self, revision: &str, name: &str) -> String {
        self.git(&["show", &format!("{revision}:{name}")])
    }

    /// An agent's edit through its tool, until Kite has noted it.
    pub(crate) fn edit(&mut self, who: Who, name: &str, text: &str) {
        self.calls += 1;
        let call = format!("toolu_{}", self.calls);
        let tool = json!({
            "tool_name": "Edit", "tool_use_id": call,
            "tool_input": {"file_path": self.top.join(name)},
        });
        self.hook(who, "PreToolUse", &tool);
        self.write(name, text);
        self.hook(who, "PostToolUse", &tool);
        let batch = json!({"tool_calls": [{"tool_name": "Edit", "tool_use_id": call}]});
        self.hook(who, "PostToolBatch", &batch);
        eventually("the edit is noted", || {
            self.entries()
                .iter()
                .any(|it| it["tool_use_id"] == json!(call))
        });
    }

    /// What the agent works on, as its person typed it.
    pub(crate) fn prompt(&self, who: Who, text: &str) {
        self.hook(who, "UserPromptSubmit", &json!({"prompt": text}));
    }

    fn hook(&self, who: Who, event: &str, more: &Value) {
        let agent = if who == Who::Ada {
            &self.ada
        } else {
            &self.ben
        };
        self.world.hook(&self.top, agent, event, more.clone());
    }

    /// What `kite undo --list` has, newest first.
    pub(crate) fn entries(&self) -> Vec<Value> {
        let listed = self
            .kite(&["undo", "--list", "--json"])
            .run()
            .ends(0)
            .json();
        listed["entries"].as_array().unwrap().clone()
    }

    /// The commits that were kept, newest first.
    pub(crate) fn lost(&self) -> Vec<Value> {
        let entries = self.entries().into_iter();
        entries.filter(|entry| entry["kind"] == "lost").collect()
    }
}

/// What was said beside the data.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// It succeeded, and nobody said a word.
#[track_caller]
pub(crate) fn silent(output: &Output) {
    assert!(output.status.success(), "{output:?}");
    assert_eq!(said(output), "");
    assert_eq!(output.status.signal(), None);
}
