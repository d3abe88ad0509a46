//! The stage for stories of the engine: hooks and requests go in as the doors hand them over, over
//! an in-memory store; agents are real processes.

use std::{
    cell::RefCell,
    future::Future,
    process::{Child, Command, Stdio},
    rc::Rc,
};

use kite_store::in_memory::InMemoryStore;
use kite_wire::{
    frame::Header,
    home::Home,
    request::{Caller, Hello, Request},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Engine, Identity};
use crate::{
    audit::{AuditLog, Retention},
    config::Config,
    doors::{Answers, Connection, HookAnswer, PushSender, WaitSender},
    lifecycle::Stop,
};

pub(super) struct World {
    pub(super) engine: Rc<Engine<InMemoryStore>>,
    directory: TempDir,
}

/// Threads for what blocks; as many as a runtime has where nothing is said.
const HELPERS_MAX: usize = 512;

/// A process that stands for an agent.
pub(super) struct Agent {
    pub(super) child: Child,
    name: &'static str,
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a story on a thread of its own kind, as the daemon does.
pub(super) fn story<F: Future<Output = ()>>(config: Config, tell: impl FnOnce(Rc<World>) -> F) {
    story_on(HELPERS_MAX, config, tell);
}

/// A [`story`] on a runtime with so many threads for what blocks.
pub(super) fn story_on<F: Future<Output = ()>>(
    helpers_max: usize,
    config: Config,
    tell: impl FnOnce(Rc<World>) -> F,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(helpers_max)
        .build()
        .unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let directory = tempfile::tempdir().unwrap();
        let log = AuditLog::open(
            &directory.path().join("log"),
            Retention {
                days_max: 1,
                bytes_max: 1 << 20,
            },
        )
        .unwrap();
        let identity = Identity {
            home: Home::at(directory.path()),
            build: "0+0".into(),
            fingerprint: "f".into(),
        };
        let engine = Engine::new(
            InMemoryStore::new(now()),
            log,
            config,
            identity,
            Stop::default(),
        );
        engine.start().await;
        std::fs::create_dir(directory.path().join("shop")).unwrap();
        tell(Rc::new(World { engine, directory })).await;
    });
}

impl World {
    pub(super) fn agent(&self, name: &'static str) -> Agent {
        let child = Command::new("sleep")
            .arg("600")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Agent { child, name }
    }

    pub(super) fn shop(&self) -> String {
        self.directory
            .path()
            .join("shop")
            .canonicalize()
            .unwrap()
            .display()
            .to_string()
    }

    pub(super) fn home(&self) -> std::path::PathBuf {
        self.directory.path().to_owned()
    }

    pub(super) fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.shop())
    }

    pub(super) fn write(&self, name: &str, content: &str) {
        std::fs::write(self.file(name), content).unwrap();
    }

    /// One hook call; the answer's JSON, or null where nothing is said.
    pub(super) async fn hook(&self, agent: &Agent, event: &str, input: Value) -> Value {
        self.hook_that_waits(agent, event, input, &WaitSender::nowhere())
            .await
    }

    /// One hook call that can be asked for more time.
    pub(super) async fn hook_that_waits(
        &self,
        agent: &Agent,
        event: &str,
        input: Value,
        extend: &WaitSender,
    ) -> Value {
        let answer = self.answer(agent, event, input, extend).await;
        if let Some(receipt) = answer.receipt {
            receipt.give();
        }
        serde_json::from_slice(&answer.stdout).unwrap_or(Value::Null)
    }

    /// One hook call whose hook has not yet written out what it was answered.
    pub(super) async fn answer(
        &self,
        agent: &Agent,
        event: &str,
        mut input: Value,
        extend: &WaitSender,
    ) -> HookAnswer {
        input["session_id"] = json!(agent.name);
        if input["cwd"].is_null() {
            input["cwd"] = json!(self.shop());
        }
        let env = vec![(
            "CLAUDE_PID".to_owned(),
            agent.child.id().to_string().into_bytes(),
        )];
        let header = Header {
            event: event.into(),
            client: "claude-code".into(),
            input_len: 0,
            env,
        };
        let input = input.to_string().into_bytes();
        let answer = Rc::clone(&self.engine)
            .hook(connection(None, None), header, input, extend.clone())
            .await;
        assert_eq!(answer.exit, 0);
        answer
    }

    /// One hook call of another client, whose session is known by its name alone.
    pub(super) async fn hook_of(
        &self,
        client: &str,
        session: &str,
        event: &str,
        mut input: Value,
    ) -> Value {
        input["session_id"] = json!(session);
        input["cwd"] = json!(self.shop());
        let header = Header {
            event: event.into(),
            client: client.into(),
            ..Header::default()
        };
        let input = input.to_string().into_bytes();
        let answer = Rc::clone(&self.engine)
            .hook(connection(None, None), header, input, WaitSender::nowhere())
            .await;
        assert_eq!(answer.exit, 0);
        if let Some(receipt) = answer.receipt {
            receipt.give();
        }
        serde_json::from_slice(&answer.stdout).unwrap_or(Value::Null)
    }

    pub(super) async fn before(&self, agent: &Agent, tool: &str, file: &str, call: &str) -> Value {
        self.hook(agent, "PreToolUse", json!({"tool_name": tool, "tool_use_id": call, "tool_input": {"file_path": self.file(file)}})).await
    }

    pub(super) async fn after(&self, agent: &Agent, tool: &str, file: &str, call: &str) {
        self.hook(agent, "PostToolUse", json!({"tool_name": tool, "tool_use_id": call, "tool_input": {"file_path": self.file(file)}, "tool_response": {}})).await;
    }

    pub(super) async fn batch_end(&self, agent: &Agent, call: &str) {
        self.hook(
            agent,
            "PostToolBatch",
            json!({"tool_calls": [{"tool_use_id": call}]}),
        )
        .await;
    }

    pub(super) async fn edit(&self, agent: &Agent, file: &str, content: &str, call: &str) -> Value {
        let answer = self.before(agent, "Edit", file, call).await;
        self.write(file, content);
        self.after(agent, "Edit", file, call).await;
        self.batch_end(agent, call).await;
        answer
    }

    /// A request of the agent's MCP server.
    pub(super) async fn ask(&self, agent: &Agent, request: Value) -> Value {
        let caller = Caller {
            client: "claude-code".into(),
            pid: Some(agent.child.id()),
            ..Caller::default()
        };
        let caller = Caller {
            cwd: Some(self.shop()),
            client_session_id: Some(agent.name.into()),
            ..caller
        };
        self.ask_as("mcp", caller, None, request).await
    }

    /// A request of a command line in a person's shell, which `shell` stands for. `peer` is the
    /// process that really calls.
    pub(super) async fn ask_by_hand(
        &self,
        shell: &Agent,
        peer: Option<u32>,
        request: Value,
    ) -> Value {
        let caller = Caller {
            client: "person".into(),
            pid: Some(shell.child.id()),
            cwd: Some(self.shop()),
            ..Caller::default()
        };
        self.ask_as("cli", caller, peer, request).await
    }

    async fn ask_as(&self, role: &str, caller: Caller, peer: Option<u32>, request: Value) -> Value {
        let hello = Hello {
            role: role.into(),
            caller: Some(caller),
            protocol: (1, 1),
            ..Hello::default()
        };
        let (envelope, request) = Request::parse(request.to_string().as_bytes()).unwrap();
        let line = Rc::clone(&self.engine)
            .request(connection(Some(hello), peer), envelope, request)
            .await;
        serde_json::from_slice(&line).unwrap()
    }
}

fn now() -> kite_rules::Now {
    let now = crate::hands::clock::Clock::default().now();
    kite_rules::Now {
        wall_ms: now.wall_ms,
        mono_ms: now.mono_ms,
    }
}

fn connection(hello: Option<Hello>, peer_pid: Option<u32>) -> Rc<Connection> {
    Rc::new(Connection {
        id: 1,
        peer_pid,
        push: PushSender::nowhere(),
        hello: RefCell::new(hello),
    })
}

pub(super) fn denied(answer: &Value) -> Option<&str> {
    (answer["hookSpecificOutput"]["permissionDecision"] == "deny").then(|| {
        answer["hookSpecificOutput"]["permissionDecisionReason"]
            .as_str()
            .unwrap()
    })
}

pub(super) fn said(answer: &Value) -> Option<&str> {
    answer["hookSpecificOutput"]["additionalContext"].as_str()
}

pub(super) fn patient() -> Config {
    Config {
        hold_wait_ms: 2_000,
        ..Config::default()
    }
}

pub(super) fn hurried() -> Config {
    Config {
        hold_wait_ms: 50,
        ..Config::default()
    }
}
