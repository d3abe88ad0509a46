//! Whole processes: the hook with a decision, and the MCP server up to its list of tools, next
//! to `/bin/true`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    time::Instant,
};

use serde_json::{Value, json};

use super::{Kite, median, row};
use crate::say;

const ROUNDS: usize = 15;
const RUNS_PER_ROUND: usize = 21;

pub(crate) fn run(kite: &Kite) {
    hook(kite);
    mcp(kite);
    memory(kite);
}

fn hook(kite: &Kite) {
    let input = json!({
        "session_id": "bench", "cwd": kite.scratch().join("project"), "hook_event_name": "PreToolUse",
        "tool_name": "Edit", "tool_use_id": "toolu_bench",
        "tool_input": {"file_path": kite.scratch().join("project/a.rs"), "old_string": "x".repeat(900), "new_string": "y".repeat(900)},
    })
    .to_string();
    let mut hook = || {
        let mut command = Command::new(kite.installed("kite-hook"));
        command
            .arg("PreToolUse")
            .env("CLAUDE_PID", std::process::id().to_string())
            .env("KITE_HOME", kite.home());
        timed(&mut command, input.as_bytes())
    };
    let mut truth = || timed(&mut Command::new("/bin/true"), b"");
    let mut ratios = rounds(&mut hook, &mut truth);
    row(
        "whole kite-hook process with a decision, p50",
        &mut ratios,
        "/bin/true",
        "at most 1.5 x",
    );
}

fn mcp(kite: &Kite) {
    let mut server = || {
        let began = Instant::now();
        let mut child = start_mcp(kite);
        let listed = list_tools(&mut child);
        let took = began.elapsed().as_secs_f64();
        let _ = child.kill();
        let _ = child.wait();
        if listed { took } else { f64::NAN }
    };
    let mut truth = || timed(&mut Command::new("/bin/true"), b"");
    let mut ratios = rounds(&mut server, &mut truth);
    row(
        "kite mcp: start to the answer of tools/list, p50",
        &mut ratios,
        "/bin/true",
        "at most 4 x",
    );
}

fn memory(kite: &Kite) {
    let mut child = start_mcp(kite);
    let listed = list_tools(&mut child);
    let smaps =
        fs::read_to_string(format!("/proc/{}/smaps_rollup", child.id())).unwrap_or_default();
    let _ = child.kill();
    let _ = child.wait();
    let private: u64 = smaps
        .lines()
        .filter(|line| line.starts_with("Private_"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum();
    if listed && private > 0 {
        let tenths = private * 10 / 1_024;
        say(&format!(
            "  kite mcp: private memory, idle: {}.{} MiB; reach: at most 6 MiB",
            tenths / 10,
            tenths % 10
        ));
    } else {
        say("  kite mcp: private memory: not measured here (no /proc)");
    }
}

/// Medians of both, round by round, as ratios.
pub(super) fn rounds(a: &mut dyn FnMut() -> f64, b: &mut dyn FnMut() -> f64) -> Vec<f64> {
    let mut ratios = Vec::new();
    for round in 0..=ROUNDS {
        let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
        for _ in 0..RUNS_PER_ROUND {
            of_a.push(a());
            of_b.push(b());
        }
        if round > 0 {
            ratios.push(median(&mut of_a) / median(&mut of_b));
        }
    }
    ratios
}

/// Seconds from start to reaped.
pub(crate) fn timed(command: &mut Command, input: &[u8]) -> f64 {
    let began = Instant::now();
    let child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        return f64::NAN;
    };
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input);
    }
    let _ = child.wait();
    began.elapsed().as_secs_f64()
}

fn start_mcp(kite: &Kite) -> Child {
    let mut command = Command::new(kite.installed("kite"));
    command.arg("mcp").env("KITE_HOME", kite.home());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            say(&format!("error: kite mcp does not start: {error}"));
            std::process::exit(1);
        }
    }
}

fn list_tools(child: &mut Child) -> bool {
    let (Some(stdin), Some(stdout)) = (child.stdin.as_mut(), child.stdout.as_mut()) else {
        return false;
    };
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "0"}});
    let lines = [
        json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}),
    ];
    if lines.iter().any(|line| writeln!(stdin, "{line}").is_err()) {
        return false;
    }
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let Ok(answer) = serde_json::from_str::<Value>(&line) else {
            return false;
        };
        if answer["id"] == 2 {
            return answer["result"]["tools"].is_array();
        }
    }
    false
}
