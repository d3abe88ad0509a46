//! A session plans five tasks and has agents do them, each in a worktree of its own, in the order of
//! what they depend on. One agent is killed, the daemon is killed; in the end all is done and nothing
//! is left.

use std::time::Duration;

use kite_scenes::{
    model::{Call, Script, marker},
    stage::{Fault, Player, Scene, Stage, tell, wait_until, within},
};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// How long an agent may take, its start and its end included.
const AGENT_MAX: Duration = Duration::from_secs(60);

/// Each task, and those it depends on.
const GRAPH: [(&str, &[usize]); 5] = [
    ("Write the schema", &[]),
    ("Build the service", &[0]),
    ("Build the page", &[0]),
    ("Join the two", &[1, 2]),
    ("Write the notes", &[3]),
];

#[test]
fn agents_do_five_tasks_in_order_though_one_and_the_daemon_are_killed() -> Scene {
    let Some(stage) = Stage::set_with_kite(&[("readme.txt", "one\n")])? else {
        return Ok(());
    };
    stage.let_agents_work("max_agents = 2\n")?;
    for number in 0..GRAPH.len() {
        stage.model.learn(worker(number));
    }
    let mut planner = Player::new(&stage, "planner", "Plan the release").prepared(|session| {
        session
            .tools("Read,Write,Edit,Bash,mcp__kite__kite_spawn")
            .arg("--permission-mode")
            .arg("acceptEdits")
    });
    let tasks = plan(&mut planner)?;
    let status = stage.project.status()?;

    spawn(&mut planner, &tasks[0])?;
    done(&stage, &tasks[0])?;

    // Two at once. The one is killed in the middle of its work.
    spawn(&mut planner, &tasks[1])?;
    spawn(&mut planner, &tasks[2])?;
    arrived(&stage, 1)?;
    let victim = agent_of(&stage, &tasks[1])?;
    let pid = victim["pid"]
        .as_i64()
        .and_then(|pid| i32::try_from(pid).ok());
    let pid = pid.and_then(Pid::from_raw).ok_or("it has no process")?;
    kill_process(pid, Signal::KILL)?;
    // The other goes on while there is no daemon, and ends while there is none.
    arrived(&stage, 2)?;
    let before = stage.kill_daemon()?;
    stage.model.open(&cue(2));
    stage.model.open(&cue(1));
    let (again, _) = wait_until("another daemon", AGENT_MAX, || {
        // Any command brings one back.
        stage.try_kite(["status"])?;
        Ok(stage.daemon_pid()?.filter(|pid| *pid != before))
    })?;
    assert_ne!(again, before);
    done(&stage, &tasks[2])?;
    done(&stage, &tasks[1])?;
    let redone = stage.task(&tasks[1])?;
    assert!(redone["attempt"].as_u64() >= Some(2), "{redone}");

    for task in &tasks[3..] {
        spawn(&mut planner, task)?;
        done(&stage, task)?;
    }
    planner.finish()?;
    stage.check_model()?;

    let branches = branches_of(&stage, &tasks)?;
    tell(&format!(
        "planner: {} agents, {branches:?}",
        stage.agents()?.len()
    ));
    for (number, branch) in branches.iter().enumerate() {
        let log = stage.project.git(&["log", "--format=%s", branch])?;
        let did = stage.model.results(&name(number));
        assert!(log.contains(&part(number)), "{branch}: {log} {did:?}");
    }
    assert_eq!(stage.project.status()?, status, "the project was touched");
    nothing_is_left(&stage, &branches)
}

/// Creates the tasks, and returns their ids.
fn plan(planner: &mut Player<'_>) -> Result<Vec<String>, Fault> {
    let mut ids: Vec<String> = Vec::new();
    for (number, (title, needs)) in GRAPH.iter().enumerate() {
        let needs: Vec<&String> = needs.iter().map(|need| &ids[*need]).collect();
        let create = json!({
            "title": title, "depends_on": needs,
            "description": format!("Do it.\n{}", marker(&name(number))),
        });
        let said = planner.plays([Call::kite("kite_task_create", create)])?;
        let text = said.first().map_or("", |result| &result.text);
        let id = text
            .strip_prefix("Task created: ")
            .and_then(|rest| rest.split_whitespace().next());
        ids.push(id.ok_or_else(|| format!("no task in {said:?}"))?.to_owned());
    }
    Ok(ids)
}

fn spawn(planner: &mut Player<'_>, task: &str) -> Scene {
    let spawn = json!({"task": task, "worktree": "new"});
    let said = planner.plays([Call::kite("kite_spawn", spawn)])?;
    assert!(said.iter().all(|result| !result.is_error), "{said:?}");
    Ok(())
}

/// Makes a file and commits it. Those of the second and the third task wait before that.
fn worker(number: usize) -> Script {
    let script = Script::new(&name(number));
    let script = match number {
        1 | 2 => script.wait_for(&cue(number)),
        _ => script,
    };
    let file = format!("part-{number}.txt");
    script
        .call(Call::bash(&format!("touch {file}")))
        .call(Call::bash(&format!("git add {file}")))
        .call(Call::bash(&format!("git commit -m '{}'", part(number))))
        .say(&format!("{} is there.", part(number)))
}

fn name(number: usize) -> String {
    format!("work-{number}")
}

fn cue(number: usize) -> String {
    format!("{} may go on", name(number))
}

fn part(number: usize) -> String {
    format!("Part {number}")
}

fn arrived(stage: &Stage, number: usize) -> Scene {
    let what = format!("the agent of task {number} is at work");
    within(AGENT_MAX, &what, || {
        Ok(stage.model.arrived(&cue(number)) >= 1)
    })
    .map(drop)
}

fn done(stage: &Stage, task: &str) -> Scene {
    within(AGENT_MAX, &format!("task {task} is done"), || {
        let task = stage.task(task)?;
        let agents = || stage.agents();
        match task["state"].as_str() {
            Some("failed" | "cancelled") => Err(format!("{task} {:?}", agents()?).into()),
            status => Ok(status == Some("done")),
        }
    })
    .map(drop)
    .map_err(|fault| format!("{fault}\n{:#?}", stage.agents().unwrap_or_default()).into())
}

/// The newest agent that is or was at this task.
fn agent_of(stage: &Stage, task: &str) -> Result<Value, Fault> {
    let of_task = |agent: &Value| {
        agent["task"]
            .as_str()
            .is_some_and(|id| id.starts_with(task))
    };
    let found = stage.agents()?.into_iter().find(of_task);
    found.ok_or_else(|| format!("no agent of {task}").into())
}

fn branches_of(stage: &Stage, tasks: &[String]) -> Result<Vec<String>, Fault> {
    let branch = |task: &String| {
        let agent = agent_of(stage, task)?;
        let branch = agent["branch"].as_str().map(str::to_owned);
        branch.ok_or_else(|| format!("no branch: {agent}").into())
    };
    tasks.iter().map(branch).collect()
}

/// The person merges what was made and has the worktrees removed.
fn nothing_is_left(stage: &Stage, branches: &[String]) -> Scene {
    for branch in branches {
        stage
            .project
            .git(&["merge", "--quiet", "--no-edit", branch])?;
        stage.kite(["worktree", "remove", branch])?;
    }
    let worktrees = stage.project.git(&["worktree", "list"])?;
    assert_eq!(worktrees.lines().count(), 1, "{worktrees}");
    let left = stage.project.git(&["branch", "--list", "kite/*"])?;
    assert_eq!(left, "", "a branch is left");
    let locks = stage.kite_json(&["lock", "list"])?;
    assert_eq!(locks["locks"], json!([]), "{locks}");
    let open = stage.kite_json(&["task", "list"])?;
    assert_eq!(open["tasks"], json!([]), "{open}");
    within(AGENT_MAX, "no session and no process is left", || {
        // The person is still there.
        let of_agents = stage.sessions()?.iter().any(|s| s["client"] != "person");
        Ok(!of_agents && stage.agents_processes().is_empty())
    })
    .map(drop)
    .map_err(|fault| {
        let left = (
            stage.sessions().unwrap_or_default(),
            stage.agents_processes(),
        );
        format!("{fault}: {left:?}").into()
    })
}
