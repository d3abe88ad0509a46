//! Two sessions work a small graph of tasks; nobody does the same work twice.

use kite_wire::{
    reply::{OneTask, Task, Tasks},
    request::{TaskClaim, TaskComplete, TaskCreate, TaskList},
};

use crate::{
    demo::{Play, actor::Actor, expect},
    error::{Error, Kind},
};

pub(in crate::demo) fn play(play: &mut Play<'_>) -> Result<(), Error> {
    play.act("Two sessions work a small graph of tasks")?;
    let mut ada = play.stage.enter("Ada", "Work the queue")?;
    let mut ben = play.stage.enter("Ben", "Work the queue, too")?;

    let schema = create(&mut ada, "Design the schema", &[])?;
    let api = create(&mut ada, "Write the API", &[&schema])?;
    let docs = create(&mut ada, "Write the docs", &[&schema])?;
    let release = create(&mut ada, "Release it", &[&api, &docs])?;
    play.tell(ada.name, "creates: schema → API and docs → release")?;

    let first = claim(&mut ada, None)?;
    expect(
        first.task.id == schema.id,
        "the only ready task was not the next one",
    )?;
    play.tell(ada.name, format!("claims \"{}\"", first.task.title))?;

    let refused = match claim(&mut ben, Some(&schema)) {
        Err(error) if error.kind == Kind::Refused => error.what,
        _ => return expect(false, "one task was claimed twice"),
    };
    play.tell(ben.name, "claims the same, and is told:")?;
    play.kite(refused)?;

    let woken = complete(&mut ada, &first.task, "three tables")?;
    play.tell(
        ada.name,
        format!("completes it; {} more are ready", woken.len()),
    )?;
    expect(
        woken.len() == 2,
        "finishing a task did not wake what waited for it",
    )?;

    let (a, b) = (claim(&mut ada, None)?, claim(&mut ben, None)?);
    expect(a.task.id != b.task.id, "one task was claimed twice")?;
    for (actor, claimed) in [(&ada, &a), (&ben, &b)] {
        let from = claimed
            .dependencies
            .first()
            .and_then(|done| done.result.as_deref())
            .unwrap_or("nothing");
        play.tell(
            actor.name,
            format!(
                "claims \"{}\", and is given what came before: {from}",
                claimed.task.title
            ),
        )?;
    }
    complete(&mut ada, &a.task, "done")?;
    let woken = complete(&mut ben, &b.task, "done")?;
    expect(
        woken.iter().any(|task| task.id == release.id),
        "the last task did not become ready",
    )?;
    let last = claim(&mut ben, None)?;
    complete(&mut ben, &last.task, "v1")?;
    play.tell(
        ben.name,
        format!("claims and completes \"{}\"", last.task.title),
    )?;

    let all: Tasks = ada.tools.ask(TaskList {
        status: Some("done".to_owned()),
        ..TaskList::default()
    })?;
    expect(all.tasks.len() == 4, "not all tasks are done")?;
    play.outcome("Four tasks, each done once, each after what it waited for.")
}

fn create(actor: &mut Actor, title: &str, after: &[&Task]) -> Result<Task, Error> {
    let depends_on = after.iter().map(|task| task.id.clone()).collect();
    let created: OneTask = actor.tools.ask(TaskCreate {
        title: title.to_owned(),
        depends_on,
        ..TaskCreate::default()
    })?;
    Ok(created.task)
}

fn claim(actor: &mut Actor, task: Option<&Task>) -> Result<OneTask, Error> {
    actor.tools.ask(TaskClaim {
        task: task.map(|task| task.id.clone()),
        ..TaskClaim::default()
    })
}

fn complete(actor: &mut Actor, task: &Task, result: &str) -> Result<Vec<Task>, Error> {
    let request = TaskComplete {
        task: task.id.clone(),
        attempt: Some(task.attempt),
        result: Some(result.to_owned()),
        learnt: None,
    };
    Ok(actor.tools.ask::<OneTask>(request)?.woken)
}
