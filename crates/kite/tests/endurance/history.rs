//! What was promised, held against what is there.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};

use crate::{load::Worker, world::World};

/// What was found, all of it as it should be.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) acknowledged: usize,
    pub(crate) repeated: u64,
    pub(crate) tasks: usize,
    pub(crate) attempts: usize,
    pub(crate) finished: usize,
    pub(crate) epochs: usize,
}

/// Checks every promise that the workers ever got. Nobody may be working meanwhile.
pub(crate) fn check(world: &World, workers: &[Worker]) -> Found {
    let tasks = all_tasks(world);
    let mut found = Found {
        tasks: tasks.len(),
        repeated: workers.iter().map(|worker| worker.repeated).sum(),
        ..Found::default()
    };
    let mut attempts = HashSet::new();
    let mut finished = HashSet::new();
    let mut epochs = HashMap::new();
    let mut titles: HashMap<&str, usize> = HashMap::new();
    for task in tasks.values() {
        *titles.entry(task["title"].as_str().unwrap()).or_default() += 1;
    }
    for promise in workers.iter().flat_map(|worker| &worker.promises) {
        found.acknowledged += 1;
        let (request, reply) = (&promise.request, &promise.reply);
        let task = reply["task"]["id"].as_str().unwrap_or_default();
        let now = tasks.get(task).unwrap_or(&Value::Null);
        match request["type"].as_str().unwrap() {
            "task_create" => {
                assert!(now.is_object(), "lost: {reply}");
                let title = request["title"].as_str().unwrap();
                assert_eq!(titles[title], 1, "created more than once: {title}");
            }
            "task_claim" => {
                let attempt = reply["task"]["attempt"].as_u64().unwrap();
                let is_new = attempts.insert((task, attempt));
                assert!(is_new, "attempt {attempt} was handed out twice: {reply}");
                let latest = now["attempt"].as_u64();
                assert!(latest >= Some(attempt), "lost: {reply}, now {now}");
            }
            "task_complete" => {
                assert!(finished.insert(task), "finished twice: {reply}");
                assert_eq!(now["state"], "done", "lost: {reply}");
                for field in ["attempt", "result"] {
                    assert_eq!(now[field], request[field], "lost: {reply}, now {now}");
                }
            }
            "lock" => {
                let lock = &reply["locks"][0];
                let grant = (lock["epoch"].as_str().unwrap(), &request["op_id"]);
                let before = epochs.insert(grant.0, grant.1);
                assert_eq!(before, None, "epoch {} was given twice: {reply}", grant.0);
            }
            _ => {}
        }
    }
    check_claims(workers, &tasks);
    check_locks(world, workers);
    (found.attempts, found.finished, found.epochs) = (attempts.len(), finished.len(), epochs.len());
    found
}

fn check_claims(workers: &[Worker], tasks: &BTreeMap<String, Value>) {
    let claimed = tasks.values().filter(|task| task["state"] == "claimed");
    let claims: usize = workers.iter().map(|worker| worker.claims.len()).sum();
    assert_eq!(claimed.count(), claims, "tasks are claimed by nobody");
    for worker in workers {
        for (id, attempt) in &worker.claims {
            let task = &tasks[id];
            assert_eq!(task["state"], "claimed", "lost claim: {task}");
            assert_eq!(task["session"], worker.session, "lost claim: {task}");
            assert_eq!(task["attempt"], *attempt, "lost claim: {task}");
        }
    }
}

fn check_locks(world: &World, workers: &[Worker]) {
    let reply = world.ask(&json!({"type": "query", "target": "locks", "limit": 1000}));
    let mut held: Vec<(String, String)> = Vec::new();
    for lock in reply["locks"].as_array().unwrap() {
        let text = |field: &str| lock[field].as_str().unwrap().to_owned();
        held.push((text("session"), text("epoch")));
    }
    held.sort();
    let mut promised: Vec<(String, String)> = Vec::new();
    for worker in workers {
        let epochs = worker.locks.values();
        promised.extend(epochs.map(|epoch| (worker.session.clone(), epoch.clone())));
    }
    promised.sort();
    assert_eq!(held, promised, "locks held, and locks promised");
}

/// All tasks of all projects, by id.
fn all_tasks(world: &World) -> BTreeMap<String, Value> {
    let mut tasks = BTreeMap::new();
    let mut request = json!({"type": "task_list", "status": "all", "project": "*", "limit": 200});
    loop {
        let reply = world.ask(&request);
        for task in reply["tasks"].as_array().unwrap() {
            tasks.insert(task["id"].as_str().unwrap().to_owned(), task.clone());
        }
        match reply["next_cursor"].as_str() {
            Some(next) => request["cursor"] = next.into(),
            None => return tasks,
        }
    }
}
