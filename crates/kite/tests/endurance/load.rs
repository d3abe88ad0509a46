//! Clients that work at random and write down what they were promised.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};

use crate::{
    client::Stubborn,
    random::Chance,
    world::{Session, World},
};

/// Files that everybody wants to lock.
const FILES: u64 = 6;
/// Most tasks that one worker has claimed at a time.
const CLAIMS_MAX: usize = 3;
/// One in so many requests is sent again after its answer.
const REPEAT_EVERY: u64 = 6;

/// A request that was acknowledged, with the answer.
pub(crate) struct Promise {
    pub(crate) request: Value,
    pub(crate) reply: Value,
}

/// One session at work.
pub(crate) struct Worker {
    number: u64,
    client_id: String,
    /// The id that Kite gave the session.
    pub(crate) session: String,
    project: PathBuf,
    pub(crate) client: Stubborn,
    chance: Chance,
    requests: u64,
    /// Tasks that it has claimed, with the attempt.
    pub(crate) claims: Vec<(String, u64)>,
    /// Files that it has locked, with the epoch.
    pub(crate) locks: BTreeMap<String, String>,
    pub(crate) promises: Vec<Promise>,
    /// How many of the promises were asked for again and answered alike.
    pub(crate) repeated: u64,
    /// How many promises there are, for those who watch.
    pub(crate) kept: Arc<AtomicU64>,
}

/// So many workers, each with a process of its own.
pub(crate) fn workers(world: &mut World, count: u64, seed: u64) -> Vec<Worker> {
    let sessions: Vec<Session> = (0..count).map(|_| world.session()).collect();
    let numbered = (0..count).zip(sessions);
    numbered
        .map(|(number, session)| Worker::new(world, number, session, seed))
        .collect()
}

impl Worker {
    fn new(world: &World, number: u64, session: Session, seed: u64) -> Worker {
        let known = world.ask(&session.registration(&world.project));
        Worker {
            number,
            session: known["you"].as_str().unwrap().to_owned(),
            client_id: session.id,
            project: world.project.clone(),
            client: Stubborn::new(world.socket()),
            chance: Chance::new(seed.wrapping_mul(1_000).wrapping_add(number)),
            requests: 0,
            claims: Vec::new(),
            locks: BTreeMap::new(),
            promises: Vec::new(),
            repeated: 0,
            kept: Arc::default(),
        }
    }

    /// One request, chosen at random, and now and then an earlier one again.
    pub(crate) fn step(&mut self) {
        match self.chance.below(12) {
            0..3 => self.create(),
            3..5 => self.claim(),
            5..7 => self.finish(),
            7..10 => self.lock(),
            _ => self.unlock(),
        }
        if self.chance.below(REPEAT_EVERY) == 0 && !self.promises.is_empty() {
            let which = self.chance.below(self.promises.len() as u64);
            self.repeat(usize::try_from(which).unwrap());
        }
    }

    fn create(&mut self) {
        let title = format!("task {} of worker {}", self.requests, self.number);
        self.promised(json!({"type": "task_create", "title": title, "project": self.project}));
    }

    fn claim(&mut self) {
        if self.claims.len() >= CLAIMS_MAX {
            return self.finish();
        }
        let request = json!({"type": "task_claim", "project": self.project, "another": true});
        if let Some(reply) = self.promised(request) {
            let task = reply["task"]["id"].as_str().unwrap().to_owned();
            let attempt = reply["task"]["attempt"].as_u64().unwrap();
            self.claims.push((task, attempt));
        }
    }

    fn finish(&mut self) {
        let Some((task, attempt)) = self.claims.pop() else {
            return self.create();
        };
        let request = match self.chance.below(4) {
            0 => json!({"type": "task_release", "task": task, "attempt": attempt}),
            _ => json!({
                "type": "task_complete", "task": task, "attempt": attempt,
                "result": format!("done by worker {}", self.number),
            }),
        };
        let reply = self.promised(request);
        assert!(reply.is_some(), "the holder of {task} could not finish it");
    }

    fn lock(&mut self) {
        let file = format!("src/file{}.rs", self.chance.below(FILES));
        if self.locks.contains_key(&file) {
            return self.unlock();
        }
        let request = json!({
            "type": "lock", "paths": [file], "keep": true, "wait_s": self.chance.below(2),
        });
        if let Some(reply) = self.promised(request) {
            let epoch = reply["locks"][0]["epoch"].as_str().unwrap().to_owned();
            self.locks.insert(file, epoch);
        }
    }

    fn unlock(&mut self) {
        let Some((file, epoch)) = self.locks.pop_first() else {
            return self.create();
        };
        let reply = self.promised(json!({"type": "unlock", "paths": [file], "epoch": epoch}));
        let reply = reply.unwrap_or_else(|| panic!("the holder of {file} could not unlock it"));
        assert_eq!(reply["outcome"], "released", "{file} at {epoch}: {reply}");
    }

    /// Asks until there is an answer. `None`: a refusal, which promises nothing.
    fn promised(&mut self, mut request: Value) -> Option<Value> {
        self.requests += 1;
        request["session_id"] = self.client_id.as_str().into();
        request["op_id"] = format!("worker-{}-{}", self.number, self.requests).into();
        let reply = self.client.ask(&request);
        if reply["ok"] != true {
            let code = reply["error"]["code"].as_str().unwrap_or_default();
            let expected = ["nothing_ready", "locked", "timed_out_waiting", "cancelled"];
            assert!(expected.contains(&code), "{request} was answered {reply}");
            return None;
        }
        self.promises.push(Promise {
            request,
            reply: reply.clone(),
        });
        self.kept.fetch_add(1, Ordering::Relaxed);
        Some(reply)
    }

    /// Asks once more what was answered before.
    fn repeat(&mut self, which: usize) {
        let Promise { request, reply } = &self.promises[which];
        let again = self.client.ask(request);
        assert_eq!(again, *reply, "{request} was answered differently");
        self.repeated += 1;
    }

    /// Asks once more for all of the last `count` promises.
    pub(crate) fn repeat_latest(&mut self, count: usize) {
        let all = self.promises.len();
        (all.saturating_sub(count)..all).for_each(|which| self.repeat(which));
    }
}
