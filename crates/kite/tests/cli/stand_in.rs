//! A stand-in for the daemon, which answers from a script: for what is shown, not for what is so.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use super::world::World;

/// What it was asked, in order.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<Vec<Value>>>);

impl Asked {
    /// The last request of this type.
    #[track_caller]
    pub(crate) fn last(&self, name: &str) -> Value {
        let asked = self.0.lock().unwrap();
        asked
            .iter()
            .rev()
            .find(|request| request["type"] == name)
            .cloned()
            .expect(name)
    }
}

/// Answers at the socket of `world`: `replies` names a request type, or `query TARGET`, and what is
/// said to it.
pub(crate) fn daemon(world: &World, replies: &[(&str, Value)]) -> Asked {
    fs::create_dir_all(&world.home).unwrap();
    let listener = UnixListener::bind(world.home.join("kite.sock")).unwrap();
    let replies: Arc<HashMap<String, Value>> = Arc::new(
        replies
            .iter()
            .map(|(name, reply)| ((*name).to_owned(), reply.clone()))
            .collect(),
    );
    let asked = Asked::default();
    let told = asked.clone();
    let home = world.home.to_string_lossy().into_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (replies, told, home) = (replies.clone(), told.clone(), home.clone());
            std::thread::spawn(move || serve(stream, &replies, &told, &home));
        }
    });
    asked
}

fn serve(stream: UnixStream, replies: &HashMap<String, Value>, told: &Asked, home: &str) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let request: Value = serde_json::from_str(&line).unwrap();
        told.0.lock().unwrap().push(request.clone());
        let name = request["type"].as_str().unwrap();
        let key = match request["target"].as_str() {
            Some(target) => format!("{name} {target}"),
            None => name.to_owned(),
        };
        let welcome = json!({ "protocol": 1, "build": "stand-in", "pid": 4711, "home": home });
        let body = match replies.get(&key) {
            Some(reply) => reply.clone(),
            None if name == "hello" => welcome,
            None => json!({ "error": { "code": "not_in_the_script", "message": key, "hint": "" } }),
        };
        let mut reply = json!({ "id": request["id"], "ok": body.get("error").is_none() });
        reply
            .as_object_mut()
            .unwrap()
            .extend(body.as_object().unwrap().clone());
        if writer.write_all(format!("{reply}\n").as_bytes()).is_err() {
            return;
        }
    }
}

/// A session as the daemon shows it.
pub(crate) fn session(id: &str, state: &str, intent: &str) -> Value {
    json!({
        "id": id, "client": "claude-code", "pid": 7633, "state": state, "cwd": "/w/shop",
        "project": "/w/shop/.git", "intent": intent, "outdated": false,
        "since": "2026-11-22T12:00:00Z", "last_seen": "2026-11-22T12:05:00Z",
        "locks": [], "holds": [], "tasks": []
    })
}

/// A task as the daemon shows it.
pub(crate) fn task(id: &str, state: &str, title: &str) -> Value {
    json!({
        "id": id, "title": title, "priority": "normal", "project": "/w/shop/.git", "state": state,
        "depends_on": [], "paths": [], "attempt": 0, "created_at": "2026-11-22T12:00:00Z"
    })
}

/// A lock as the daemon shows it.
pub(crate) fn lock(target: &str, session: &str) -> Value {
    json!({
        "target": target, "kind": "lock", "session": session, "project": "/w/shop/.git",
        "epoch": "17.1", "since": "2026-11-22T12:00:00Z", "until": "2026-11-22T12:30:00Z", "keep": false
    })
}

/// Counts of tasks.
pub(crate) fn counts(ready: u64, claimed: u64) -> Value {
    json!({ "blocked": 0, "ready": ready, "claimed": claimed, "done": 0, "failed": 0, "cancelled": 0 })
}

/// The answer to `query stats`.
pub(crate) fn stats(home: &str) -> Value {
    json!({
        "daemon": {
            "pid": 4711, "build": "0.1.0+1", "protocol": 1, "home": home, "since": "2026-11-22T11:00:00Z",
            "state": "ok", "store_bytes": 4096, "log_bytes": 0, "connections": 1, "guard": "open"
        },
        "sessions_active": 1, "sessions_idle": 1, "locks": 1, "holds": 0, "tasks": counts(3, 1),
        "prevented": {
            "edits_queued": 2, "edits_refused": 1, "stale_writes": 0, "double_claims": 0,
            "late_results": 0, "freed_after_death": 0, "notes": 0
        },
        "cost": {
            "hooks": 1024, "hook_ms_p50": 0.21, "hook_ms_p95": 0.9, "hook_ms_max": 4.0,
            "waited_ms_total": 1300, "injected_chars": 0
        },
        "faults": { "unreachable": 0, "timeouts": 0, "other": 0 }
    })
}
