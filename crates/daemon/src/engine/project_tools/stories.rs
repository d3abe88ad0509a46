//! Stories of tools that do not run, and of locks that a run keeps. Runs themselves need Kite's own
//! program: their stories are those of the command line.

use serde_json::json;

use super::{Record, State};
use crate::{
    config::Config,
    engine::{
        stage::{Agent, World, story},
        trust::stories::ask_as_person,
    },
};

const TOOLS: &str = r#"
[tools.deploy]
description = "Deploy."
argv = ["true", "{env}"]
lock = "deploy:{env}"
parameters.env = { type = "string", required = true }
"#;

fn declare(world: &World) {
    std::fs::create_dir(world.file(".kite")).unwrap();
    world.write(".kite/config.toml", TOOLS);
}

/// A run that nobody saw the end of, asked for by this session.
fn uncertain(world: &World, session: &str) {
    world.engine.project_tools.put(Record {
        id: "3f2a91bc5d6e4f708192a3b4c5d6e7f8".to_owned(),
        tool: "deploy".to_owned(),
        project: world.shop(),
        lock: Some("deploy:prod".to_owned()),
        session: session.to_owned(),
        state: State::Uncertain,
        ..Record::default()
    });
}

async fn session_of(world: &World, agent: &Agent) -> String {
    let you = world
        .ask(agent, json!({"type": "lock", "name": "anything"}))
        .await;
    you["locks"][0]["session"].as_str().unwrap().to_owned()
}

#[test]
fn a_clone_that_nobody_looked_at_runs_nothing() {
    story(Config::default(), |world| async move {
        declare(&world);
        let ada = world.agent("ada");
        let listed = world.ask(&ada, json!({"type": "tool_list"})).await;
        assert_eq!(listed["tools"][0]["state"], "untrusted");
        let run = json!({"type": "tool_run", "name": "deploy", "arguments": {"env": "prod"}});
        let refused = world.ask(&ada, run).await;
        assert_eq!(refused["error"]["code"], "not_trusted");
        assert!(
            refused["error"]["hint"]
                .as_str()
                .unwrap()
                .contains("Ask the person")
        );
        assert!(!world.home().join("tool-runs").exists());
        let lock = world
            .ask(&ada, json!({"type": "lock", "name": "deploy:prod"}))
            .await;
        assert_eq!(lock["outcome"], "granted", "nothing was locked for it");
    });
}

#[test]
fn a_definition_that_the_caller_does_not_know_is_refused() {
    story(Config::default(), |world| async move {
        declare(&world);
        let (ada, shell) = (world.agent("ada"), world.agent("shell"));
        let shown = ask_as_person(&world, &shell, json!({"type": "trust_show"})).await;
        ask_as_person(
            &world,
            &shell,
            json!({"type": "trust_set", "fingerprint": shown["fingerprint"]}),
        )
        .await;
        let run = json!({"type": "tool_run", "name": "deploy", "arguments": {"env": "prod"}, "definition": "another"});
        let refused = world.ask(&ada, run).await;
        assert_eq!(refused["error"]["code"], "definition_changed");
        let run =
            json!({"type": "tool_run", "name": "deploy", "arguments": {"env": "-x", "evn": 1}});
        let refused = world.ask(&ada, run).await;
        assert_eq!(refused["error"]["code"], "invalid_field");
        let told = refused["error"]["message"].as_str().unwrap();
        assert!(
            told.contains("did you mean `env`?") && told.contains("must not begin with `-`"),
            "{told}"
        );
        let unknown = world
            .ask(&ada, json!({"type": "tool_run", "name": "deplo"}))
            .await;
        assert_eq!(unknown["error"]["code"], "unknown_tool");
        assert!(
            unknown["error"]["hint"]
                .as_str()
                .unwrap()
                .contains("did you mean `deploy`?")
        );
    });
}

#[test]
fn a_lock_stays_closed_until_a_person_has_looked() {
    story(Config::default(), |world| async move {
        declare(&world);
        let (ada, ben, shell) = (world.agent("ada"), world.agent("ben"), world.agent("shell"));
        uncertain(&world, &session_of(&world, &ada).await);
        let lock = json!({"type": "lock", "name": "deploy:prod"});
        for agent in [&ada, &ben] {
            let refused = world.ask(agent, lock.clone()).await;
            assert_eq!(refused["error"]["code"], "uncertain");
            let told = refused["error"].to_string();
            assert!(
                told.contains("run 3f2a91bc of `deploy`") && told.contains("Ask the person"),
                "{told}"
            );
            let settle = json!({"type": "tool_settle", "run": "3f2a91bc"});
            assert_eq!(
                world.ask(agent, settle).await["error"]["code"],
                "not_allowed"
            );
        }
        let other = world
            .ask(&ben, json!({"type": "lock", "name": "deploy:staging"}))
            .await;
        assert_eq!(other["outcome"], "granted");
        let settle = json!({"type": "tool_settle", "run": "3f2a91bc", "reason": "it was deployed"});
        let settled = ask_as_person(&world, &shell, settle.clone()).await;
        assert_eq!(
            (&settled["run"]["state"], &settled["run"]["reason"]),
            (&json!("settled"), &json!("it was deployed"))
        );
        assert_eq!(world.ask(&ben, lock).await["outcome"], "granted");
        assert_eq!(
            ask_as_person(&world, &shell, settle).await["error"]["code"],
            "invalid_field"
        );
    });
}
