//! Secrets that pass through Kite are in none of its files.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use serde_json::{Value, json};

use crate::world::{Session, World, eventually, figure};

/// Secrets of many kinds, each made for this test. The second is what must be found nowhere.
const CANARIES: &[(&str, &str)] = &[
    ("AKIA7QK3ZJW5LMN2PXRS", "7QK3ZJW5LMN2PXRS"),
    (
        "aws_secret_access_key = \"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\"",
        "K7MDENG/bPxRfiCYcanary1234",
    ),
    (
        "ghp_canaryQ2w3E4r5T6y7U8i9O0pA1s2D3f4G5",
        "Q2w3E4r5T6y7U8i9O0pA1s2D3f4G5",
    ),
    (
        "github_pat_11CANARY0q1w2e3r4t5y6_u7i8o9p0a1s2d3f4g5h6j7k8l9z0",
        "u7i8o9p0a1s2d3f4g5h6j7k8l9z0",
    ),
    (
        "sk-ant-api03-canaryX1y2Z3a4B5c6D7e8F9g0H1i2J3k4L5m6",
        "X1y2Z3a4B5c6D7e8F9g0H1i2J3k4L5m6",
    ),
    (
        "sk-proj-canaryN7m8B9v0C1x2Z3a4S5d6F7g8H9j0",
        "N7m8B9v0C1x2Z3a4S5d6F7g8H9j0",
    ),
    (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEcanaryV9w8X7y6Z5a4B3c2D1e0\n-----END RSA PRIVATE KEY-----",
        "V9w8X7y6Z5a4B3c2D1e0",
    ),
    (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c1R5T6y7U8i9O0pL1kJ2hG3fD4",
        "c1R5T6y7U8i9O0pL1kJ2hG3fD4",
    ),
    (
        "https://deploy:hunter2canaryR4t5Y6@git.example.com/shop.git",
        "hunter2canaryR4t5Y6",
    ),
    (
        "password=Tr0ub4dor-canary-P0o9I8u7",
        "Tr0ub4dor-canary-P0o9I8u7",
    ),
    (
        "Authorization: Bearer canaryM1n2B3v4C5x6Z7l8K9j0H1g2F3",
        "M1n2B3v4C5x6Z7l8K9j0H1g2F3",
    ),
    ("xoxb-1234567890-canaryQ1w2E3r4T5y6", "canaryQ1w2E3r4T5y6"),
    (
        "sk_live_canary4eC39HqLyjWDarjtT1zdp7dc",
        "4eC39HqLyjWDarjtT1zdp7dc",
    ),
    ("glpat-canaryF6g7H8j9K0l1Z2x3", "F6g7H8j9K0l1Z2x3"),
    (
        "postgres://app:s3cr3tcanaryW2e3@db.internal:5432/shop",
        "s3cr3tcanaryW2e3",
    ),
    (
        "npm_canaryA1b2C3d4E5f6G7h8I9j0K1l2M3n4",
        "A1b2C3d4E5f6G7h8I9j0K1l2M3n4",
    ),
    (
        "export STRIPE_API_KEY='zzcanaryL9k8J7h6G5f4D3s2'",
        "zzcanaryL9k8J7h6G5f4D3s2",
    ),
    (
        "AIzaSyCanaryD4f5G6h7J8k9L0z1X2c3V4b5N6m",
        "D4f5G6h7J8k9L0z1X2c3V4b5N6m",
    ),
];

#[test]
fn planted_secrets_are_in_no_file_of_the_home() {
    let mut world = World::installed();
    let session = world.session();
    for full in ["off", "on"] {
        let mut restart = world.kite(&["daemon", "restart"]);
        // Also with every tool's input and output in the log.
        assert!(
            restart
                .env("KITE_LOG_FULL", full)
                .output()
                .unwrap()
                .status
                .success()
        );
        for (number, (secret, _)) in CANARIES.iter().enumerate() {
            through_the_socket(&world, &session, number, secret);
            through_hooks(&world, &session, number, secret);
            through_the_command_line(&world, secret);
        }
        through_mcp(&mut world);
        search(&world);
    }
    world.run(&["daemon", "stop"]);
    let files = search(&world);
    figure(format_args!(
        "planted secrets: {} kinds through every way in, found 0 times in {files} files",
        CANARIES.len(),
    ));
}

fn through_the_socket(world: &World, session: &Session, number: usize, secret: &str) {
    let ask = |mut request: Value| {
        request["session_id"] = session.id.as_str().into();
        world.ask(&request)
    };
    // With `mcp_tool` a request is logged with its input and output.
    for tool in ["", "kite_task_create"] {
        let mut create = json!({
            "type": "task_create", "title": format!("{number}{tool} use {secret}"),
            "description": format!("first line\n{secret}\nlast line"),
        });
        if !tool.is_empty() {
            create["mcp_tool"] = tool.into();
        }
        let created = ask(create);
        assert_eq!(created["ok"], true, "{created}");
        let id = &created["task"]["id"];
        assert_eq!(
            ask(json!({"type": "task_claim", "task": id, "another": true}))["ok"],
            true
        );
        let why = format!("because of {secret}");
        assert_eq!(
            ask(json!({"type": "task_release", "task": id, "reason": why}))["ok"],
            true
        );
        assert_eq!(
            ask(
                json!({"type": "task_claim", "task": id, "another": true, "mcp_tool": "kite_task_claim"})
            )["ok"],
            true
        );
        let complete = json!({"type": "task_complete", "task": id, "result": why, "mcp_tool": "kite_task_complete"});
        assert_eq!(ask(complete)["ok"], true);
    }
    let cancelled = ask(json!({"type": "task_create", "title": format!("{number} {secret}")}));
    ask(json!({"type": "task_cancel", "task": cancelled["task"]["id"], "reason": secret}));
    for tool in [None, Some("kite_file_lock")] {
        let mut lock = json!({"type": "lock", "paths": [format!("{number}.rs")], "reason": secret});
        if let Some(tool) = tool {
            lock["mcp_tool"] = tool.into();
        }
        let answer = ask(lock);
        assert_eq!(answer["ok"], true, "{answer}");
    }
    world.ask(&json!({"type": "register", "session_id": session.id, "client": "claude-code", "pid": session.process.0, "intent": secret, "cwd": world.project}));
    // Mistakes are logged too.
    ask(json!({"type": "query", "target": secret}));
    ask(json!({"type": secret}));
    ask(json!({"type": "lock", "paths": ["x.rs"], secret: secret}));
    ask(json!({"type": "task_claim", "task": secret}));
    ask(json!({"type": "shutdown_please", "reason": secret}));
}

fn through_hooks(world: &World, session: &Session, number: usize, secret: &str) {
    let call = |tool: &str, input: Value| {
        json!({
            "tool_name": tool, "tool_use_id": format!("toolu_{number}_{tool}"), "tool_input": input,
        })
    };
    let file = world.project.join(format!("{number}.txt"));
    let prompt = format!("{secret} is what you need\nsecond line: {secret}");
    world.hook(session, "UserPromptSubmit", &json!({"prompt": prompt}));
    let calls = [
        call(
            "Bash",
            json!({"command": format!("curl -H 'X-Key: 1' {secret}"), "description": secret}),
        ),
        call(
            "Write",
            json!({"file_path": file, "content": format!("line\n{secret}\n")}),
        ),
        call(
            "Edit",
            json!({"file_path": file, "old_string": secret, "new_string": secret}),
        ),
        call(
            "WebFetch",
            json!({"url": format!("https://example.com/?q={secret}"), "prompt": secret}),
        ),
        call("Grep", json!({"pattern": secret, "path": world.project})),
        call(
            "mcp__other__tool",
            json!({"argument": secret, "nested": {"list": [secret]}}),
        ),
    ];
    for mut call in calls {
        world.hook(session, "PreToolUse", &call);
        call["tool_response"] = json!({"stdout": secret, "stderr": secret, "content": [{"type": "text", "text": secret}]});
        world.hook(session, "PostToolUse", &call);
        call["error"] = format!("failed: {secret}").into();
        world.hook(session, "PostToolUseFailure", &call);
    }
    let stop = json!({"last_assistant_message": secret, "reason": secret, "error": secret});
    for event in ["Stop", "StopFailure", "Notification", "SubagentStop"] {
        world.hook(session, event, &stop);
    }
    // What cannot be understood is not quoted either.
    world.hook_with(session, "PreToolUse", secret.as_bytes());
    world.hook_with(
        session,
        "PreToolUse",
        format!("{{\"tool_input\": {secret}").as_bytes(),
    );
}

fn through_the_command_line(world: &World, secret: &str) {
    for words in [
        [
            "task",
            "create",
            &format!("by hand {secret}"),
            &format!("--description={secret}"),
        ],
        ["lock", "acquire", "hand.rs", &format!("--reason={secret}")],
    ] {
        let output = world.kite(&words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
    }
    let _ = world.kite(&["task", "show", secret]).output();
}

/// The MCP server of an agent, spoken to as its client does.
struct Mcp {
    child: Child,
    reader: BufReader<std::process::ChildStdout>,
    next_id: u64,
}

impl Mcp {
    fn start(world: &World, session: &Session) -> Mcp {
        let mut command = world.kite(&["mcp"]);
        let log = fs::File::create(world.home.join("log/mcp-stderr")).unwrap();
        let mut child = command
            .env("CLAUDE_CODE_SESSION_ID", &session.id)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // Its stderr is a log as well; it lies where the search finds it.
            .stderr(log)
            .spawn()
            .unwrap();
        let reader = BufReader::new(child.stdout.take().unwrap());
        let mut mcp = Mcp {
            child,
            reader,
            next_id: 1,
        };
        let hello = json!({
            "protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "claude-code", "version": "2.1.330"},
        });
        let welcome = mcp.ask("initialize", hello);
        assert!(welcome["result"].is_object(), "{welcome}");
        mcp.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        mcp
    }

    fn send(&mut self, message: &Value) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(format!("{message}\n").as_bytes()).unwrap();
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let mut line = String::new();
            assert_ne!(
                self.reader.read_line(&mut line).unwrap(),
                0,
                "the MCP server has gone"
            );
            let message: Value = serde_json::from_str(&line).unwrap();
            if message["id"] == id {
                return message;
            }
        }
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments}))
    }
}

fn through_mcp(world: &mut World) {
    let session = world.session();
    let mut mcp = Mcp::start(world, &session);
    for (number, (secret, _)) in CANARIES.iter().enumerate() {
        let title = format!("{number} over MCP {secret}");
        let made = mcp.call(
            "kite_task_create",
            json!({"title": title, "description": secret}),
        );
        assert_ne!(made["result"]["isError"], true, "{made}");
        let claimed = mcp.call("kite_task_claim", json!({}));
        assert_ne!(claimed["result"]["isError"], true, "{claimed}");
        mcp.call("kite_task_release", json!({"reason": secret}));
        mcp.call("kite_task_complete", json!({"result": secret}));
        let lock = json!({"file": format!("mcp{number}.rs"), "reason": secret});
        let locked = mcp.call("kite_file_lock", lock);
        assert_ne!(locked["result"]["isError"], true, "{locked}");
        mcp.call("kite_task_claim", json!({"task": secret}));
        mcp.call("kite_task_list", json!({"invented": secret}));
        mcp.call("kite_task_list", json!({"status": secret}));
        mcp.call(secret, json!({"x": secret}));
    }
    drop(mcp.child.stdin.take());
    eventually("the MCP server ends", || {
        mcp.child.try_wait().unwrap().is_some()
    });
}

/// Looks for every canary in every file. How many files there are.
fn search(world: &World) -> usize {
    let mut files = Vec::new();
    list(&world.home, &mut files);
    let mut found = Vec::new();
    let mut looked_at = 0;
    for file in files
        .iter()
        .filter(|file| !file.parent().unwrap().ends_with("bin"))
    {
        let Ok(bytes) = fs::read(file) else { continue };
        looked_at += 1;
        for (secret, canary) in CANARIES {
            let at = bytes
                .windows(canary.len())
                .position(|part| part == canary.as_bytes());
            if let Some(at) = at {
                let around = &bytes[at.saturating_sub(160)..(at + 80).min(bytes.len())];
                let around = String::from_utf8_lossy(around);
                found.push(format!(
                    "{secret:.24} in {}: ...{around}...",
                    file.display()
                ));
            }
        }
    }
    assert!(
        found.is_empty(),
        "{} found:\n{}",
        found.len(),
        found.join("\n")
    );
    looked_at
}

fn list(path: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => list(&path, files),
            false => files.push(path),
        }
    }
}
