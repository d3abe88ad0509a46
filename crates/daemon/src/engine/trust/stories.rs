//! Stories of trust: who says yes, to what, and when it ends.

use std::{cell::RefCell, fs, process::Command, rc::Rc};

use kite_wire::request::{Caller, Hello, Request};
use serde_json::{Value, json};

use super::Purpose;
use crate::{
    config::Config,
    doors::{Answers as _, Connection, PushSender},
    engine::stage::{Agent, World, story},
};

/// A request of a person, who sits at the process `shell`.
pub(in crate::engine) async fn ask_as_person(
    world: &World,
    shell: &Agent,
    request: Value,
) -> Value {
    ask(world, "person", shell.child.id(), None, request).await
}

async fn ask(
    world: &World,
    client: &str,
    pid: u32,
    peer_pid: Option<u32>,
    request: Value,
) -> Value {
    let caller = Caller {
        client: client.into(),
        pid: Some(pid),
        cwd: Some(world.shop()),
        ..Caller::default()
    };
    let hello = Hello {
        role: "cli".into(),
        caller: Some(caller),
        protocol: (1, 1),
        ..Hello::default()
    };
    let connection = Rc::new(Connection {
        id: 7,
        peer_pid,
        push: PushSender::nowhere(),
        hello: RefCell::new(Some(hello)),
    });
    let (envelope, request) = Request::parse(request.to_string().as_bytes()).unwrap();
    let line = Rc::clone(&world.engine)
        .request(connection, envelope, request)
        .await;
    serde_json::from_slice(&line).unwrap()
}

fn git(world: &World, words: &[&str]) {
    let git = Command::new("git")
        .args(words)
        .current_dir(world.shop())
        .status();
    assert!(git.unwrap().success());
}

async fn trust(world: &World, shell: &Agent) -> Value {
    let shown = ask_as_person(world, shell, json!({"type": "trust_show"})).await;
    let set = json!({"type": "trust_set", "fingerprint": shown["fingerprint"]});
    ask_as_person(world, shell, set).await
}

async fn agents(world: &World) -> Result<(), String> {
    let project = format!("{}/.git", world.shop());
    let trusted = world.engine.trusts(&project, Purpose::Agents).await;
    trusted.map_err(|fault| {
        assert_eq!(fault.code, "not_trusted");
        fault.to_string()
    })
}

#[test]
fn a_person_trusts_what_they_were_shown_and_no_more() {
    story(Config::default(), |world| async move {
        git(&world, &["init", "-q"]);
        git(&world, &["config", "core.fsmonitor", "./monitor"]);
        let shell = world.agent("shell");
        let refused = agents(&world).await.unwrap_err();
        assert!(refused.contains("Ask the person"), "{refused}");

        let shown = ask_as_person(&world, &shell, json!({"type": "trust_show"})).await;
        assert_eq!(shown["state"], "untrusted");
        assert_eq!(shown["parts"][0]["what"], "core.fsmonitor");
        assert_eq!(shown["parts"][0]["text"], "./monitor");
        let set = json!({"type": "trust_set", "fingerprint": shown["fingerprint"]});
        // Something changes behind the person's back.
        git(&world, &["config", "core.sshCommand", "evil"]);
        let late = ask_as_person(&world, &shell, set).await;
        assert_eq!(late["error"]["code"], "definition_changed");
        assert!(agents(&world).await.is_err());

        assert_eq!(trust(&world, &shell).await["state"], "trusted");
        agents(&world).await.unwrap();
    });
}

#[test]
fn what_is_new_or_different_asks_again_and_is_named() {
    story(Config::default(), |world| async move {
        git(&world, &["init", "-q"]);
        let shell = world.agent("shell");
        trust(&world, &shell).await;
        agents(&world).await.unwrap();
        fs::create_dir(world.file(".claude")).unwrap();
        world.write(
            ".claude/settings.json",
            r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "evil"}]}]}}"#,
        );
        let refused = agents(&world).await.unwrap_err();
        assert!(
            refused.contains("new or changed since it was trusted: `.claude/settings.json`"),
            "{refused}"
        );
        let shown = ask_as_person(&world, &shell, json!({"type": "trust_show"})).await;
        assert_eq!(
            (&shown["state"], &shown["parts"][0]["state"]),
            (&json!("changed"), &json!("new"))
        );
        trust(&world, &shell).await;
        agents(&world).await.unwrap();
        // What the person's own clicks write is no change.
        world.write(
            ".claude/settings.local.json",
            r#"{"permissions": {"allow": ["Bash(make)"]}}"#,
        );
        agents(&world).await.unwrap();
        // Two branches differ: what was trusted stays so.
        world.write(".claude/settings.json", r#"{"env": {"A": "b"}}"#);
        assert!(agents(&world).await.is_err());
        trust(&world, &shell).await;
        world.write(
            ".claude/settings.json",
            r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "evil"}]}]}}"#,
        );
        agents(&world).await.unwrap();
    });
}

#[test]
fn trust_ends_when_the_person_says_so() {
    story(Config::default(), |world| async move {
        git(&world, &["init", "-q"]);
        let shell = world.agent("shell");
        trust(&world, &shell).await;
        let ended = ask_as_person(
            &world,
            &shell,
            json!({"type": "trust_set", "fingerprint": ""}),
        )
        .await;
        assert_eq!(ended["state"], "untrusted");
        assert!(agents(&world).await.is_err());
    });
}

#[test]
fn no_agent_trusts_anything() {
    story(Config::default(), |world| async move {
        git(&world, &["init", "-q"]);
        let ada = world.agent("ada");
        let shown = world.ask(&ada, json!({"type": "trust_show"})).await;
        let set = json!({"type": "trust_set", "fingerprint": shown["fingerprint"]});
        assert_eq!(
            world.ask(&ada, set.clone()).await["error"]["code"],
            "not_allowed"
        );
        // Ada is a session now. What runs below it is no person, whatever it says.
        let shell = world.agent("shell");
        let below = Some(ada.child.id());
        let told = ask(&world, "person", shell.child.id(), below, set.clone()).await;
        assert_eq!(told["error"]["code"], "not_allowed");
        assert!(agents(&world).await.is_err());
        let told = ask(
            &world,
            "person",
            shell.child.id(),
            Some(shell.child.id()),
            set,
        )
        .await;
        assert_eq!(told["state"], "trusted");
    });
}

#[test]
fn looking_runs_nothing() {
    story(Config::default(), |world| async move {
        git(&world, &["init", "-q"]);
        let canary = world.file("fired");
        for name in [
            "core.fsmonitor",
            "core.pager",
            "filter.x.clean",
            "diff.x.textconv",
            "alias.config",
        ] {
            let value = if name.starts_with("alias") {
                format!("!touch {canary}")
            } else {
                format!("touch {canary}")
            };
            git(&world, &["config", name, &value]);
        }
        let shell = world.agent("shell");
        trust(&world, &shell).await;
        agents(&world).await.unwrap();
        assert!(!std::path::Path::new(&canary).exists());
    });
}
