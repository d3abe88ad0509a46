//! Agents from the command line: what a person types, reads, and gets as an exit code.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::world::World;

fn command(world: &World, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kite"));
    command
        .args(words)
        .current_dir(&world.project)
        .env_clear()
        .env("PATH", env::var_os("PATH").unwrap_or_default())
        .env("HOME", &world.project)
        .env("KITE_HOME", &world.home)
        .stdin(Stdio::null());
    command
}

/// What it says, on stdout and then on stderr, where it ends with this exit code.
#[track_caller]
fn says(world: &World, words: &[&str], code: i32) -> String {
    ends(&command(world, words).output().unwrap(), code)
}

#[track_caller]
fn ends(output: &Output, code: i32) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    text
}

#[track_caller]
fn json_of(world: &World, words: &[&str]) -> Value {
    let output = command(world, words).output().unwrap();
    ends(&output, 0);
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn mentions(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}

fn short(id: &Value) -> &str {
    &id.as_str().unwrap()[..8]
}

const SCRIPT: [&str; 3] = ["spawn", "--agent", "script"];

/// Starts an agent that runs these commands; what `--json` prints of it.
#[track_caller]
fn spawned(world: &World, more: &[&str], commands: &str) -> Value {
    let prompt = World::prompt(commands);
    let words = [&SCRIPT[..], more, &["--json", &prompt]].concat();
    json_of(world, &words)
}

#[test]
fn a_prompt_becomes_an_agent_that_is_listed_while_it_runs_and_after() {
    let world = World::new();
    mentions(&says(&world, &["agents"], 0), &["kite spawn"]);
    let prompt = World::prompt("wait_for gate; echo it is done");
    let words = [&SCRIPT[..], &[prompt.as_str()]].concat();
    let said = says(&world, &words, 0);
    mentions(
        &said,
        &["Agent started: ", "session: ", "kite agent follow "],
    );
    let listed = json_of(&world, &["agents", "--json"]);
    let agent = &listed["agents"][0];
    assert_eq!(listed["running"], 1, "{listed}");
    mentions(&said, &[short(&agent["id"])]);
    world.until(&agent["id"], "running");
    let table = says(&world, &["agents"], 0);
    mentions(
        &table,
        &[short(&agent["id"]), "running", "script", "1 of 2 running"],
    );
    world.open("gate");
    world.until(&agent["id"], "done");
    let now = says(&world, &["agents"], 0);
    assert!(!now.contains(short(&agent["id"])), "{now}");
    let all = says(&world, &["agents", "--all"], 0);
    mentions(&all, &[short(&agent["id"]), "done"]);
    let logs = says(&world, &["agent", "logs", short(&agent["id"])], 0);
    assert_eq!(logs, "it is done\n");
}

#[test]
fn a_task_is_given_to_an_agent_and_done() {
    let world = World::with(1);
    let first = world.task("Write the lexer", "wait_for gate; echo lexed", &[]);
    let words = [&SCRIPT[..], &["--task", &first]].concat();
    let started = says(&world, &words, 0);
    mentions(&started, &["Agent started: ", "Write the lexer"]);
    // One is at work already.
    let second = world.task("Write the parser", "echo parsed", &[]);
    let words = [&SCRIPT[..], &["--task", &second]].concat();
    let queued = says(&world, &words, 0);
    mentions(&queued, &["Agent queued: ", "Number 1 in the queue."]);
    mentions(&says(&world, &["agents"], 0), &["1 of 1 running, 1 queued"]);
    // A task has one agent.
    mentions(&says(&world, &words, 3), &["error", "already"]);
    world.open("gate");
    let listed = json_of(&world, &["agents", "--all", "--json"]);
    for agent in listed["agents"].as_array().unwrap() {
        let id = agent["id"].as_str().unwrap();
        says(&world, &["agent", "follow", id], 0);
    }
    for (task, result) in [(first, "lexed"), (second, "parsed")] {
        let task = world.task_now(&task);
        let done = (&task["state"], &task["result"]);
        assert_eq!(done, (&json!("done"), &json!(result)), "{task:#}");
    }
}

#[test]
fn what_an_agent_says_is_followed_to_its_end_and_cannot_steer_the_terminal() {
    let world = World::new();
    let commands =
        r"printf '\033[2Jgone\033]0;owned\007\n'; wait_for gate; printf 'the \033[31mlast';";
    let agent = spawned(&world, &[], commands);
    let id = short(&agent["agent"]["id"]).to_owned();
    let mut follower = command(&world, &["agent", "follow", &id])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap());
    let mut shown = String::new();
    lines.read_line(&mut shown).unwrap();
    assert_eq!(shown, "\\u{1b}[2Jgone\\u{1b}]0;owned\\u{7}\n");
    assert!(follower.try_wait().unwrap().is_none(), "it ended too soon");
    world.open("gate");
    shown.clear();
    lines.read_to_string(&mut shown).unwrap();
    assert_eq!(shown, "the \\u{1b}[31mlast\n");
    let end = follower.wait_with_output().unwrap();
    mentions(&ends(&end, 0), &[&id, "ended: done"]);
    let logs = says(&world, &["agent", "logs", &id], 0);
    assert!(!logs.contains('\u{1b}'), "{logs:?}");
    mentions(&logs, &["\\u{1b}[2Jgone"]);
    let last = says(&world, &["agent", "logs", "--lines", "1", &id], 0);
    assert_eq!(last, "the \\u{1b}[31mlast\n");
}

#[test]
fn a_stopped_agent_is_told_apart_from_one_that_was_done() {
    let world = World::new();
    let agent = spawned(&world, &[], "echo begun > begun; sleep 600");
    let id = short(&agent["agent"]["id"]).to_owned();
    world.written("begun");
    let words = ["agent", "stop", "--reason", "not needed any more", &id];
    mentions(&says(&world, &words, 0), &["stop", &id]);
    let followed = says(&world, &["agent", "follow", &id], 1);
    mentions(&followed, &["ended: stopped"]);
    let again = says(&world, &["agent", "stop", &id], 0);
    mentions(&again, &["Agent had ended already: "]);
    mentions(&says(&world, &["agents", "--all"], 0), &[&id, "stopped"]);
}

#[test]
fn an_agent_ends_those_that_it_had_started_and_no_others() {
    let world = World::with(4);
    let other = spawned(&world, &[], "echo begun > begun; sleep 600");
    let other = &other["agent"]["id"];
    world.written("begun");
    // In its own name, and in none.
    let commands = format!(
        "for as in 'env' 'env -u KITE_AGENT'; do\n\
         $as \"$kite\" agent stop {} >> said.part 2>&1; echo \"code $?\" >> said.part\n\
         done; mv said.part said; wait_for gate",
        short(other)
    );
    let one = spawned(&world, &[], &commands);
    let said = world.written("said");
    assert_eq!(said.matches("code 3\n").count(), 2, "{said}");
    assert_eq!(world.agent(other)["state"], "running");
    let caller = json!({"client": "script", "cwd": world.project, "agent": one["agent"]["id"]});
    let prompt = World::prompt("sleep 600");
    let spawn = json!({"type": "agent_spawn", "agent": "script", "prompt": prompt});
    let child = world.ask_as(&spawn, &caller);
    let stop = json!({"type": "agent_stop", "agent": child["agent"]["id"]});
    assert_eq!(world.ask_as(&stop, &caller)["ok"], true, "{child}");
    world.until(&child["agent"]["id"], "stopped");
}

#[test]
fn what_is_not_there_is_refused_with_its_own_exit_code() {
    let world = World::new();
    for words in [
        &["agent", "logs", "0123abcd"][..],
        &["agent", "follow", "0123abcd"],
        &["agent", "stop", "0123abcd"],
        &["worktree", "remove", "0123abcd"],
        &["spawn", "--agent", "script", "--task", "0123abcd"],
    ] {
        mentions(&says(&world, words, 5), &["error", "0123abcd"]);
    }
    let unknown = says(&world, &["spawn", "--agent", "scrpt", "x"], 2);
    mentions(&unknown, &["scrpt", "script"]);
    mentions(&says(&world, &["spawn"], 2), &["PROMPT"]);
    assert_eq!(
        json_of(&world, &["agents", "--all", "--json"])["agents"],
        json!([])
    );
}

#[test]
fn where_nobody_said_trust_an_agent_is_refused_in_words_that_lead_on() {
    let world = World::new();
    let elsewhere = world.home.parent().unwrap().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let words = [&SCRIPT[..], &["echo >> ran"]].concat();
    let mut spawn = command(&world, &words);
    let refused = ends(&spawn.current_dir(&elsewhere).output().unwrap(), 3);
    mentions(&refused, &["not trusted", "kite trust"]);
    assert!(!elsewhere.join("ran").exists());
    // A yes of another kind than a person's at a terminal is none.
    let mut trust = command(&world, &["trust", "--yes"]);
    let refused = ends(&trust.current_dir(&elsewhere).output().unwrap(), 3);
    mentions(&refused, &["only a person at a terminal"]);
}

#[test]
fn what_only_a_worktree_holds_and_nobody_trusts_keeps_an_agent_from_starting() {
    let world = World::new();
    let root = world.home.parent().unwrap();
    let (other, ran) = (root.join("other"), root.join("ran"));
    let path = other.to_str().unwrap();
    world.git(&["worktree", "add", "-q", "-b", "other", path]);
    fs::create_dir(other.join(".claude")).unwrap();
    let settings =
        json!({"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": "make"}]}]}});
    fs::write(other.join(".claude/settings.json"), settings.to_string()).unwrap();
    world.git(&["-C", path, "add", "."]);
    world.git(&["-C", path, "commit", "-q", "-m", "a hook"]);
    let prompt = World::prompt(&format!("echo >> {}", ran.display()));
    for worktree in ["none", "new", path] {
        let words = [&SCRIPT[..], &["--json", "--worktree", worktree, &prompt]].concat();
        let said = command(&world, &words)
            .current_dir(&other)
            .output()
            .unwrap();
        let spawned: Value = serde_json::from_slice(&said.stdout).unwrap();
        let failed = world.until(&spawned["agent"]["id"], "failed");
        mentions(
            failed["reason"].as_str().unwrap(),
            &[".claude/settings.json"],
        );
    }
    assert!(!ran.exists());
}

#[test]
fn a_worktree_is_listed_with_its_losses_and_goes_when_there_are_none() {
    let world = World::new();
    let commands = "echo 'fn lex() {}' > lex.rs; git add lex.rs\n\
         git -c user.name=Bob -c user.email=bob@example.org commit -q -m 'The lexer'\n\
         echo remember > notes.txt";
    let agent = spawned(&world, &["--worktree", "new"], commands);
    let branch = agent["agent"]["branch"].as_str().unwrap().to_owned();
    let directory = agent["agent"]["directory"].as_str().unwrap().to_owned();
    let words = ["agent", "follow", short(&agent["agent"]["id"])];
    mentions(&says(&world, &words, 0), &["ended: done"]);
    let listed = says(&world, &["worktree", "list"], 0);
    mentions(&listed, &[&branch, "1 uncommitted file, 1 commit"]);
    let remove = ["worktree", "remove", &branch];
    mentions(&says(&world, &remove, 3), &["notes.txt"]);
    let notes = Path::new(&directory).join("notes.txt");
    assert_eq!(fs::read_to_string(&notes).unwrap(), "remember\n");
    fs::remove_file(&notes).unwrap();
    mentions(&says(&world, &remove, 3), &["1 commit", "unmerged"]);
    world.git(&["merge", "-q", "--no-edit", &branch]);
    mentions(&says(&world, &remove, 0), &["Worktree removed: "]);
    assert!(!Path::new(&directory).exists());
    let list = json_of(&world, &["worktree", "list", "--json"]);
    assert_eq!(list["worktrees"], json!([]));
    let mut git = Command::new("git");
    git.args(["branch", "--list", "kite/*"])
        .current_dir(&world.project);
    assert_eq!(ends(&git.output().unwrap(), 0), "");
    assert!(world.file("lex.rs").exists());
}

/// What a preset names is kept by the daemon that a command starts; all else of the environment is not.
#[test]
fn a_preset_is_given_the_variables_that_it_names() {
    let world = World::new();
    says(&world, &["daemon", "stop"], 0);
    let config = fs::read_to_string(world.home.join("config.toml")).unwrap();
    let named = config.replace(
        "[agents.missing]",
        "environment = [\"SHOP_*\"]\n[agents.missing]",
    );
    fs::write(world.home.join("config.toml"), named).unwrap();
    let mut start = command(&world, &["daemon", "start"]);
    start.env("SHOP_KEY", "sesame").env("OTHER_KEY", "sesame");
    ends(&start.output().unwrap(), 0);
    let file = world.file("seen");
    let agent = world.spawn(&format!(
        "echo \"$SHOP_KEY/$OTHER_KEY\" > '{}'",
        file.display()
    ));
    world.until(&agent["id"], "done");
    assert_eq!(fs::read_to_string(file).unwrap(), "sesame/\n");
}
