//! The project's own tools, with the real daemon: trusted by a person, run under their locks.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, ChildStdout, Command},
};

use kite_wire::{
    client::Client,
    reply::trust::Trust,
    request::{Caller, TrustSet, TrustShow},
};
use serde_json::{Value, json};

use super::world::{Agent, Call, World, eventually};

const TOOLS: &str = r#"
[tools.deploy_branch]
description = "Deploy a branch."
argv = ["./deploy", "--env={env}", "{branch}"]
lock = "deploy:{env}"
timeout_s = 60

[tools.deploy_branch.parameters.env]
type = "string"
enum = ["staging", "prod"]
required = true

[tools.deploy_branch.parameters.branch]
type = "string"
required = true

[tools.count]
description = "Count."
argv = ["seq", "{to}"]
read_only = true
output_bytes_max = 2000

[tools.count.parameters.to]
type = "integer"
min = 1
max = 1000000
required = true
"#;

struct Shop {
    world: World,
}

impl Shop {
    /// A project with these tools, whose `deploy` is that shell text.
    fn new(deploy: &str) -> Shop {
        let shop = Shop {
            world: World::with_daemon(),
        };
        fs::create_dir(shop.world.project.join(".kite")).unwrap();
        let mut git = Command::new("git");
        git.args(["init", "-q"]).current_dir(&shop.world.project);
        assert!(git.status().unwrap().success());
        shop.world.file(".kite/config.toml", TOOLS);
        shop.deploys_by(deploy);
        shop
    }

    fn deploys_by(&self, text: &str) {
        let file = self.world.file("deploy", &format!("#!/bin/sh\n{text}\n"));
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// What a person at a terminal does with `kite trust`.
    fn trust(&self) -> Trust {
        self.world.kite(&["daemon", "start"]).run().ends(0);
        let caller = Caller {
            client: "person".to_owned(),
            pid: Some(std::process::id()),
            cwd: Some(self.world.project.display().to_string()),
            ..Caller::default()
        };
        let socket = kite_wire::home::Home::at(&self.world.home).socket();
        let mut client = Client::connect(&socket, "cli", "test", Some(caller)).unwrap();
        let shown: Trust = client.ask(TrustShow::default()).unwrap();
        let fingerprint = shown.fingerprint;
        client
            .ask(TrustSet {
                fingerprint,
                ..TrustSet::default()
            })
            .unwrap()
    }

    fn run(&self, who: Option<&Agent>, words: &[&str]) -> Call {
        let call = self.world.kite(&[&["run"], words].concat());
        match who {
            Some(agent) => call.inside(agent),
            None => call,
        }
    }

    fn lines(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.world.project.join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The processes that a run's directory names: its supervisor and its child.
    fn processes(&self) -> Value {
        let runs = fs::read_dir(self.world.home.join("tool-runs")).unwrap();
        let mut files: Vec<PathBuf> = runs
            .map(|it| it.unwrap().path().join("process.json"))
            .collect();
        assert_eq!(files.len(), 1);
        serde_json::from_slice(&fs::read(files.remove(0)).unwrap()).unwrap()
    }
}

fn kill(pid: &Value) {
    let killed = Command::new("kill").args(["-9", &pid.to_string()]).status();
    assert!(killed.unwrap().success());
}

const DEPLOY: [&str; 3] = ["deploy_branch", "--env=prod", "--branch=main"];

#[test]
fn nothing_runs_before_a_person_has_looked() {
    let mut shop = Shop::new("echo \"$@\" >> ran");
    let ada = shop.world.agent();
    let refused = shop.run(Some(&ada), &DEPLOY).run().ends(3);
    assert!(
        refused
            .stderr
            .contains("Nobody trusts the project's tool `deploy_branch`"),
        "{refused:#?}"
    );
    // Neither an agent nor a script says yes.
    for words in [&["trust"][..], &["trust", "--yes"]] {
        shop.world
            .kite(words)
            .inside(&ada)
            .run()
            .ends(3)
            .complains("only a person");
        shop.world.kite(words).run().ends(3);
    }
    shop.world
        .kite(&["trust", "--show"])
        .inside(&ada)
        .run()
        .ends(0)
        .mentions("deploy_branch")
        .mentions("Not trusted");
    assert_eq!(shop.lines("ran"), Vec::<String>::new());
    assert_eq!(shop.trust().state, "trusted");
    shop.run(Some(&ada), &DEPLOY).run().ends(0);
    assert_eq!(shop.lines("ran"), ["--env=prod main"]);
    shop.run(None, &[])
        .run()
        .ends(0)
        .mentions("deploy_branch  Deploy a branch.")
        .mentions("exit code 0");
    // Its program changes: it asks again.
    shop.deploys_by("echo other >> ran");
    shop.run(Some(&ada), &DEPLOY)
        .run()
        .ends(3)
        .complains("its definition or its program changed");
    shop.trust();
    shop.run(Some(&ada), &DEPLOY).run().ends(0);
    assert_eq!(shop.lines("ran"), ["--env=prod main", "other"]);
}

#[test]
fn values_reach_the_program_as_they_are_or_not_at_all() {
    let shop = Shop::new("for it; do printf '%s\\n' \"$it\" >> ran; done");
    shop.trust();
    for value in [
        "$(touch fired)",
        "a b; touch fired",
        "../../x",
        "`touch fired`",
    ] {
        let branch = format!("--branch={value}");
        shop.run(None, &["deploy_branch", "--env=prod", &branch])
            .run()
            .ends(0);
        assert_eq!(shop.lines("ran").last().unwrap(), value);
    }
    let ran = shop.lines("ran").len();
    for value in ["-x", "--output=f", "a\nb", ""] {
        let branch = format!("--branch={value}");
        shop.run(None, &["deploy_branch", "--env=prod", &branch])
            .run()
            .ends(2);
    }
    shop.run(None, &["deploy_branch", "--env=prd", "--brunch=x"])
        .run()
        .ends(2)
        .complains("did you mean `prod`?")
        .complains("did you mean `branch`?");
    shop.run(None, &["deploy_brunch"])
        .run()
        .ends(5)
        .complains("did you mean `deploy_branch`?");
    assert_eq!(shop.lines("ran").len(), ran);
    assert!(!shop.world.project.join("fired").exists());
}

#[test]
fn a_long_output_is_cut_in_its_middle_and_a_bad_end_is_told() {
    let shop = Shop::new("echo oops >&2; exit 7");
    shop.trust();
    let said = shop.run(None, &["count", "--to=100000"]).run().ends(0);
    assert!(said.stdout.starts_with("1\n2\n"), "{said:#?}");
    assert!(said.stdout.ends_with("99999\n100000\n"), "{said:#?}");
    assert!(said.stdout.contains("bytes left out"), "{said:#?}");
    assert!(said.stdout.len() < 3_000);
    shop.run(None, &DEPLOY)
        .run()
        .ends(1)
        .mentions("oops")
        .complains("exit code 7");
}

#[test]
fn one_lock_serves_tool_command_line_and_agents() {
    let mut shop =
        Shop::new("echo in >> ran; while [ ! -e go ]; do sleep 0.05; done; echo out >> ran");
    shop.trust();
    let (ada, ben) = (shop.world.agent(), shop.world.agent());
    shop.world
        .kite(&["lock", "acquire", "--name", "deploy:prod"])
        .inside(&ada)
        .run()
        .ends(0);
    shop.run(Some(&ben), &DEPLOY)
        .run()
        .ends(3)
        .complains("deploy:prod");
    shop.world
        .kite(&["lock", "release", "--name", "deploy:prod"])
        .inside(&ada)
        .run()
        .ends(0);
    let first = shop.run(Some(&ben), &DEPLOY).spawn();
    eventually("the first runs", || shop.lines("ran") == ["in"]);
    shop.world
        .kite(&["lock", "acquire", "--name", "deploy:prod"])
        .inside(&ada)
        .run()
        .ends(3);
    shop.run(Some(&ada), &DEPLOY).run().ends(3);
    // The same session does not run it twice at once either.
    shop.run(Some(&ben), &DEPLOY)
        .run()
        .ends(3)
        .complains("goes on");
    let second = shop
        .run(
            Some(&ada),
            &["--wait", "30s", DEPLOY[0], DEPLOY[1], DEPLOY[2]],
        )
        .spawn();
    let third = shop
        .run(
            Some(&ben),
            &["--wait", "30s", DEPLOY[0], DEPLOY[1], DEPLOY[2]],
        )
        .spawn();
    shop.world.file("go", "");
    for run in [first, second, third] {
        assert!(run.wait_with_output().unwrap().status.success());
    }
    assert_eq!(shop.lines("ran"), ["in", "out", "in", "out", "in", "out"]);
    shop.world
        .kite(&["lock", "acquire", "--name", "deploy:prod"])
        .inside(&ada)
        .run()
        .ends(0);
}

#[test]
fn a_run_outlives_the_daemon_and_its_session() {
    let mut shop =
        Shop::new("echo in >> ran; while [ ! -e go ]; do sleep 0.05; done; echo out >> ran");
    shop.trust();
    let (ada, ben) = (shop.world.agent(), shop.world.agent());
    let mut first = shop.run(Some(&ada), &DEPLOY).spawn();
    eventually("it runs", || shop.lines("ran") == ["in"]);
    let status = shop
        .world
        .kite(&["daemon", "status", "--json"])
        .run()
        .ends(0)
        .json();
    kill(&status["daemon"]["pid"]);
    first.kill().unwrap();
    first.wait().unwrap();
    shop.world.kill(&ada);
    // The next daemon knows of it, and keeps its name although nobody is left who asked.
    shop.run(Some(&ben), &DEPLOY)
        .run()
        .ends(3)
        .complains("deploy:prod");
    shop.world
        .kite(&["lock", "acquire", "--name", "deploy:prod"])
        .inside(&ben)
        .run()
        .ends(3);
    shop.world.file("go", "");
    eventually("its end is seen", || {
        let tools = shop.run(None, &["--json"]).run().ends(0).json();
        tools["runs"][0]["state"] == "exited"
    });
    assert_eq!(shop.lines("ran"), ["in", "out"]);
    shop.run(Some(&ben), &DEPLOY).run().ends(0);
}

#[test]
fn an_end_that_nobody_saw_asks_instead_of_repeating() {
    let mut shop = Shop::new("echo in >> ran; exec sleep 600");
    shop.trust();
    let (ada, ben) = (shop.world.agent(), shop.world.agent());
    let first = shop.run(Some(&ada), &DEPLOY).spawn();
    eventually("it runs", || shop.lines("ran") == ["in"]);
    let processes = shop.processes();
    kill(&processes["supervisor"]["pid"]);
    // Where its program is still alive, it is waited for.
    let _ = Command::new("kill")
        .args(["-9", &processes["child"]["pid"].to_string()])
        .output();
    let said = first.wait_with_output().unwrap();
    let told = String::from_utf8(said.stderr).unwrap();
    assert!(told.contains("nobody saw how it ended"), "{told}");
    for agent in [&ada, &ben] {
        let refused = shop.run(Some(agent), &DEPLOY).run().ends(3);
        assert!(
            refused.stderr.contains("Nobody saw how run")
                && refused.stderr.contains("Ask the person"),
            "{refused:#?}"
        );
        assert!(!refused.stderr.contains("--settle"), "{refused:#?}");
    }
    shop.world
        .kite(&["lock", "acquire", "--name", "deploy:prod"])
        .inside(&ben)
        .run()
        .ends(3)
        .complains("Nobody saw");
    // Also the next daemon remembers.
    shop.world.kite(&["daemon", "restart"]).run().ends(0);
    shop.run(Some(&ben), &DEPLOY)
        .run()
        .ends(3)
        .complains("Nobody saw");
    // Another environment is another lock.
    let tools = shop.run(None, &["--json"]).run().ends(0).json();
    let run = tools["runs"][0]["id"].as_str().unwrap()[..8].to_owned();
    assert_eq!(tools["runs"][0]["state"], "uncertain");
    shop.world
        .kite(&["run", "--settle", &run])
        .inside(&ben)
        .run()
        .ends(3)
        .complains("Only a person");
    shop.deploys_by("echo again >> ran");
    shop.trust();
    shop.world
        .kite(&["run", "--settle", &run, "--reason", "it was not deployed"])
        .run()
        .ends(0)
        .mentions("Settled");
    shop.run(Some(&ben), &DEPLOY).run().ends(0);
    assert_eq!(shop.lines("ran"), ["in", "again"]);
}

#[test]
fn a_tool_that_takes_too_long_is_ended_with_all_it_started() {
    let shop = Shop::new("sleep 611 & echo $! > child; wait");
    let text = TOOLS.replace("timeout_s = 60", "timeout_s = 1");
    shop.world.file(".kite/config.toml", &text);
    shop.trust();
    shop.run(None, &DEPLOY).run().ends(1).complains("timed out");
    let child = shop.lines("child").remove(0);
    assert!(
        !PathBuf::from(format!("/proc/{child}/cmdline")).exists()
            || fs::read(format!("/proc/{child}/cmdline"))
                .unwrap_or_default()
                .is_empty()
    );
}

#[test]
fn bad_definitions_are_told_and_harm_nothing_else() {
    let shop = Shop::new("true");
    shop.world
        .file(".kite/config.toml", &TOOLS.replace("lock = ", "lok = "));
    shop.run(None, &[])
        .run()
        .ends(0)
        .complains(".kite/config.toml:5: `tools.deploy_branch`: unknown key `lok`")
        .mentions("count");
    shop.trust();
    shop.run(None, &DEPLOY)
        .run()
        .ends(5)
        .complains("not declared rightly");
    shop.run(None, &["count", "--to=2"])
        .run()
        .ends(0)
        .prints("1\n2\n");
}

/// `kite mcp` as an agent runs it, in one of the protocol's eras.
struct Mcp {
    server: Child,
    output: BufReader<ChildStdout>,
    is_modern: bool,
    id: u64,
}

impl Mcp {
    fn start(shop: &Shop, is_modern: bool) -> Mcp {
        let mut server = shop.world.kite(&["mcp"]).by_an_agent().spawn();
        let output = BufReader::new(server.stdout.take().unwrap());
        let mut mcp = Mcp {
            server,
            output,
            is_modern,
            id: 0,
        };
        if !is_modern {
            mcp.ask(
                "initialize",
                json!({"protocolVersion": "2025-11-25", "capabilities": {},
                "clientInfo": {"name": "claude-code", "version": "2.1.0"}}),
            );
            mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        }
        mcp
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.server.stdin.as_mut().unwrap(), "{message}").unwrap();
    }

    /// The result of a request; what comes before it is progress.
    fn ask(&mut self, method: &str, mut params: Value) -> Value {
        self.id += 1;
        if self.is_modern {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": {"name": "claude-code", "version": "2.1.330"},
                "io.modelcontextprotocol/clientCapabilities": {},
            });
        }
        let id = self.id;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let mut line = String::new();
            assert_ne!(
                self.output.read_line(&mut line).unwrap(),
                0,
                "the server ended"
            );
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == id {
                return message["result"].clone();
            }
        }
    }

    fn tool(&mut self, name: &str) -> Option<Value> {
        let list = self.ask("tools/list", json!({}));
        list["tools"]
            .as_array()
            .unwrap()
            .iter()
            .find(|tool| tool["name"] == name)
            .cloned()
    }

    /// The text of a call's answer, and whether it is an error.
    fn call(&mut self, name: &str, arguments: Value) -> (String, bool) {
        let result = self.ask("tools/call", json!({"name": name, "arguments": arguments}));
        let text = result["content"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("{result}"));
        (text.to_owned(), result["isError"] == true)
    }
}

impl Drop for Mcp {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn agents_are_given_the_trusted_tools_in_both_eras() {
    for is_modern in [false, true] {
        let shop = Shop::new("echo \"$@\"");
        let mut early = Mcp::start(&shop, is_modern);
        assert_eq!(
            early.tool("project_deploy_branch"),
            None,
            "nobody trusts it"
        );
        let (told, is_error) = early.call(
            "project_deploy_branch",
            json!({"env": "prod", "branch": "a"}),
        );
        assert!(is_error && told.contains("Ask the person"), "{told}");
        shop.trust();

        let mut mcp = Mcp::start(&shop, is_modern);
        let tool = mcp.tool("project_deploy_branch").unwrap();
        assert_eq!(
            tool["inputSchema"]["properties"]["env"]["enum"],
            json!(["staging", "prod"])
        );
        assert_eq!(tool["inputSchema"]["required"], json!(["branch", "env"]));
        assert_eq!(tool["annotations"]["readOnlyHint"], false);
        assert_eq!(tool["annotations"]["destructiveHint"], true);
        let count = mcp.tool("project_count").unwrap();
        assert_eq!(count["annotations"]["readOnlyHint"], true);
        assert_eq!(
            count["inputSchema"]["properties"]["wait_seconds"],
            Value::Null,
            "it has no lock"
        );
        let (told, is_error) = mcp.call(
            "project_deploy_branch",
            json!({"env": "prod", "branch": "main"}),
        );
        assert!(!is_error && told.contains("exit code 0"), "{told}");
        assert!(told.contains("> --env=prod main"), "{told}");
        let (told, is_error) = mcp.call(
            "project_deploy_branch",
            json!({"env": "prd", "branch": "--x"}),
        );
        assert!(
            is_error && told.contains("did you mean `prod`?") && told.contains("begin with `-`"),
            "{told}"
        );
    }
}

#[test]
fn a_session_calls_the_tool_that_it_was_given_or_none() {
    for is_modern in [false, true] {
        let shop = Shop::new("echo \"$@\" >> ran");
        shop.trust();
        let mut before = Mcp::start(&shop, is_modern);
        let given = before.tool("project_deploy_branch").unwrap();
        let text = TOOLS
            .replace("\"--env={env}\"", "\"--now\", \"--env={env}\"")
            .replace("Deploy a branch.", "Deploy it.");
        shop.world.file(".kite/config.toml", &text);
        let prod = json!({"env": "prod", "branch": "main"});
        let (told, is_error) = before.call("project_deploy_branch", prod.clone());
        assert!(
            is_error && told.contains("changed since this session was given it"),
            "{told}"
        );
        shop.trust();
        let (told, is_error) = before.call("project_deploy_branch", prod.clone());
        assert!(is_error && told.contains("Nothing was run"), "{told}");
        assert_eq!(
            before.tool("project_deploy_branch").unwrap(),
            given,
            "its list does not change"
        );
        assert_eq!(shop.lines("ran"), Vec::<String>::new());
        // A session that starts now is given the new one.
        let mut after = Mcp::start(&shop, is_modern);
        assert_eq!(
            after.tool("project_deploy_branch").unwrap()["description"],
            "Deploy it."
        );
        assert!(!after.call("project_deploy_branch", prod).1);
        assert_eq!(shop.lines("ran"), ["--now --env=prod main"]);
    }
}

#[test]
fn a_call_that_is_repeated_runs_once() {
    let shop = Shop::new("echo in >> ran");
    shop.trust();
    let caller = || Caller {
        client: "person".to_owned(),
        pid: Some(std::process::id()),
        cwd: Some(shop.world.project.display().to_string()),
        ..Caller::default()
    };
    let socket = kite_wire::home::Home::at(&shop.world.home).socket();
    let ask = || {
        let mut client = Client::connect(&socket, "cli", "test", Some(caller())).unwrap();
        let request = kite_wire::request::ToolRun {
            name: "deploy_branch".to_owned(),
            arguments: json!({"env": "prod", "branch": "a"})
                .as_object()
                .unwrap()
                .clone(),
            ..Default::default()
        };
        let envelope = kite_wire::request::Envelope {
            op_id: Some("once-and-no-more".to_owned()),
            ..Default::default()
        };
        let run: kite_wire::reply::project_tools::OneToolRun =
            client.ask_with(request, envelope).unwrap();
        run.run
    };
    let first = ask();
    assert_eq!((first.state.as_str(), first.exit_code), ("exited", Some(0)));
    assert_eq!(ask(), first);
    shop.world.kite(&["daemon", "restart"]).run().ends(0);
    assert_eq!(ask().id, first.id);
    assert_eq!(shop.lines("ran"), ["in"]);
}
