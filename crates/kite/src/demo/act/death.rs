//! A session is killed, and what it held is free.

use std::{
    thread,
    time::{Duration, Instant},
};

use kite_wire::{
    reply::{Locks, OneTask},
    request::{Lock, Query, TaskClaim, TaskCreate, TaskShow},
};

use crate::{
    connect::Daemon,
    demo::{Play, expect},
    error::Error,
};

/// Longest time for all to be free.
const FREE_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(2);

pub(in crate::demo) fn play(play: &mut Play<'_>) -> Result<(), Error> {
    play.act("A session is killed in the middle of its work")?;
    let file = play.stage.file("cart.txt", "empty\n")?;
    let mut cleo = play.stage.enter("Cleo", "Rework the cart")?;
    let mut onlooker = play.stage.onlooker()?;

    let task: OneTask = cleo.tools.ask(TaskCreate {
        title: "Rework the cart".to_owned(),
        ..TaskCreate::default()
    })?;
    let id = task.task.id;
    cleo.tools.ask::<OneTask>(TaskClaim {
        task: Some(id.clone()),
        ..TaskClaim::default()
    })?;
    let paths = vec![file.to_string_lossy().into_owned()];
    cleo.tools.ask::<Locks>(Lock {
        paths,
        ..Lock::default()
    })?;
    expect(
        !is_free(&mut onlooker, &id)?,
        "a claim and a lock do not show",
    )?;
    play.tell(cleo.name, "claims \"Rework the cart\" and locks cart.txt")?;

    let killed = Instant::now();
    cleo.kill()?;
    while !is_free(&mut onlooker, &id)? {
        expect(
            killed.elapsed() < FREE_WITHIN,
            "a dead session's lock or task was not free within 2 s",
        )?;
        thread::sleep(LOOK_EVERY);
    }
    let took = killed.elapsed();
    play.tell(cleo.name, "is killed (SIGKILL): no farewell, no clean-up")?;

    let mut ada = play.stage.enter("Ada", "Take over the cart")?;
    let taken: OneTask = ada.tools.ask(TaskClaim {
        task: Some(id),
        ..TaskClaim::default()
    })?;
    play.tell(
        ada.name,
        format!("claims the task: attempt {}", taken.task.attempt),
    )?;
    ada.leave();
    play.outcome(format!(
        "Its lock and its task were free {} ms after its death.",
        took.as_millis()
    ))
}

/// True where nothing is locked and the task is ready again.
fn is_free(onlooker: &mut Daemon, task: &str) -> Result<bool, Error> {
    let locks: Locks = onlooker.ask(Query {
        target: "locks".to_owned(),
        ..Query::default()
    })?;
    let shown: OneTask = onlooker.ask(TaskShow {
        task: task.to_owned(),
    })?;
    Ok(locks.locks.is_empty() && shown.task.state == "ready")
}
