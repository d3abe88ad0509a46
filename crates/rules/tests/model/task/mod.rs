//! The task graph against a model that keeps a list and looks at all of it.

mod list;
mod step;

use std::collections::BTreeSet;

use kite_rules::{
    Now, Refusal,
    limits::ATTEMPTS_MAX,
    pattern::Target,
    session::{Owner, SessionId},
    task::{Changed, NewTask, State, Task, TaskGraph, TaskId},
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::world::at;
use list::Model;
use step::{Step, step};

fn is_kin(task: &Task, owner: &Owner) -> bool {
    let holder = task.owner.as_ref();
    holder.is_some_and(|holder| !holder.contends_with(owner))
}

fn set(ids: &[TaskId]) -> BTreeSet<TaskId> {
    ids.iter().copied().collect()
}

fn play(
    graph: &mut TaskGraph,
    model: &mut Model,
    step: Step,
    now: Now,
) -> Result<(), TestCaseError> {
    match step {
        Step::Create { new, on } => create(graph, model, new, on, now),
        Step::Depend(task, on) => depend(graph, model, task, on),
        Step::ClaimNext {
            project,
            owner,
            another,
        } => {
            let got = graph.claim_next(project, &owner, another, now);
            let expected = model.next(project, &owner, another);
            prop_assert_eq!(got.ok().map(|done| (done.repeated, done.task)), expected);
            if let Some((false, id)) = expected {
                model.claim(id, &owner, now);
            }
            Ok(())
        }
        Step::Claim(task, owner) => claim(graph, model, task, &owner, now),
        Step::Complete {
            task,
            owner,
            attempt,
            result,
        } => match model.at(task).cloned() {
            Some(task) => complete(graph, model, &task, &owner, attempt.of(&task), result, now),
            None => Ok(()),
        },
        Step::Release {
            task,
            owner,
            attempt,
            failed,
        } => match model.at(task).cloned() {
            Some(task) => release(graph, model, &task, &owner, attempt.of(&task), failed, now),
            None => Ok(()),
        },
        Step::Cancel(task) => cancel(graph, model, task, now),
        Step::Orphan(session) => orphan(graph, model, session, now),
        Step::Restart => {
            let records: Vec<Task> = graph.iter().cloned().collect();
            *graph = TaskGraph::new();
            records.into_iter().for_each(|task| graph.restore(task));
            graph.rewire();
            Ok(())
        }
    }
}

fn create(
    graph: &mut TaskGraph,
    model: &mut Model,
    mut new: NewTask,
    on: Vec<Index>,
    now: Now,
) -> Result<(), TestCaseError> {
    let number = model.0.len() as u64 + 1;
    let id = TaskId((u128::from(number) * 0x9e37_79b9_7f4a_7c15) << 48 | u128::from(number));
    let depends_on: Vec<TaskId> = on.iter().filter_map(|at| Some(model.at(*at)?.id)).collect();
    new.depends_on = depends_on.iter().map(|id| format!("{id:.28}")).collect();
    let is_foreign = |on: &TaskId| model.get(*on).project != new.project;
    let has_foreign = depends_on.iter().any(is_foreign);
    let alike: Vec<&Task> = model
        .0
        .iter()
        .filter(|task| !task.state.is_finished())
        .filter(|task| (&task.project, &task.title) == (&new.project, &new.title))
        .collect();
    let similar = alike.first().map(|task| task.id);
    let identical = alike.iter().find(|task| {
        let paths = |paths: &[(Target, String)]| -> BTreeSet<Target> {
            paths.iter().map(|(path, _)| path.clone()).collect()
        };
        (&task.description, task.priority) == (&new.description, new.priority)
            && set(&task.depends_on) == set(&depends_on)
            && paths(&task.paths) == paths(&new.paths)
    });
    let identical = identical.map(|task| task.id);
    let got = graph.create(id, new.clone(), now);
    if has_foreign {
        let is_refused = matches!(got, Err(Refusal::Invalid { .. }));
        prop_assert!(is_refused, "{:?}", got);
        return Ok(());
    }
    let got = got.map_err(|refusal| TestCaseError::fail(format!("{refusal:?}")))?;
    if let Some(task) = identical {
        let repeated = Changed {
            task,
            repeated: true,
            ..Changed::default()
        };
        prop_assert_eq!(got, repeated);
        return Ok(());
    }
    prop_assert_eq!((got.task, got.repeated, got.similar), (id, false, similar));
    let record = graph.get(id).expect("just created").clone();
    prop_assert_eq!(set(&record.depends_on), set(&depends_on));
    prop_assert_eq!(record.number, number);
    model.0.push(Task {
        state: State::Blocked,
        ..record
    });
    model.settle();
    Ok(())
}

fn depend(
    graph: &mut TaskGraph,
    model: &mut Model,
    task: Index,
    on: Index,
) -> Result<(), TestCaseError> {
    let (Some(task), Some(on)) = (model.at(task).cloned(), model.at(on).cloned()) else {
        return Ok(());
    };
    let got = graph.add_dependency(task.id, on.id);
    if !matches!(task.state, State::Blocked | State::Ready) || task.project != on.project {
        prop_assert!(got.is_err());
    } else if task.depends_on.contains(&on.id) {
        prop_assert!(got.is_ok_and(|done| done.repeated));
    } else if model.reaches(on.id, task.id) {
        let Err(Refusal::DependencyCycle(cycle)) = got else {
            return Err(TestCaseError::fail(format!("a cycle, and {got:?}")));
        };
        prop_assert_eq!(cycle[0], task.id);
        prop_assert_eq!(set(&cycle).len(), cycle.len());
        for (at, id) in cycle.iter().enumerate() {
            let next = cycle[(at + 1) % cycle.len()];
            let is_edge = model.get(*id).depends_on.contains(&next);
            prop_assert!(is_edge || (*id, next) == (task.id, on.id));
        }
    } else {
        prop_assert!(got.is_ok_and(|done| !done.repeated));
        model.change(task.id, |task| task.depends_on.push(on.id));
        model.settle();
    }
    Ok(())
}

fn claim(
    graph: &mut TaskGraph,
    model: &mut Model,
    task: Index,
    owner: &Owner,
    now: Now,
) -> Result<(), TestCaseError> {
    let Some(task) = model.at(task).cloned() else {
        return Ok(());
    };
    let got = graph.claim(task.id, owner, now);
    match task.state {
        State::Ready => {
            prop_assert!(got.is_ok_and(|done| !done.repeated));
            model.claim(task.id, owner, now);
        }
        State::Claimed if is_kin(&task, owner) => prop_assert!(got.is_ok_and(|d| d.repeated)),
        State::Claimed => {
            let by = task.owner.expect("claimed by somebody");
            let is_named = matches!(got, Err(Refusal::AlreadyClaimed { by: b, .. }) if b == by);
            prop_assert!(is_named);
        }
        state => prop_assert_eq!(
            got,
            Err(Refusal::NotReady {
                task: task.id,
                state,
                waits_for: model.waits_for(&task)
            })
        ),
    }
    Ok(())
}

fn complete(
    graph: &mut TaskGraph,
    model: &mut Model,
    task: &Task,
    owner: &Owner,
    attempt: Option<u32>,
    result: Option<String>,
    now: Now,
) -> Result<(), TestCaseError> {
    let got = graph.complete(task.id, owner, attempt, result.clone(), now);
    let is_current = attempt.is_none_or(|given| given == task.attempt && given > 0);
    match got {
        Ok(done) if done.repeated => {
            prop_assert!(task.state == State::Done && is_kin(task, owner) && is_current);
        }
        Ok(done) => {
            prop_assert!(task.state == State::Claimed && is_kin(task, owner) && is_current);
            model.change(task.id, |task| {
                task.state = State::Done;
                task.owner = Some(owner.clone());
                task.result = result;
                task.ended_wall_ms = Some(now.wall_ms);
            });
            let woken = model.settle();
            prop_assert_eq!(set(&done.woken), woken);
            prop_assert_eq!(done.touched.len(), done.woken.len() + 1);
        }
        Err(Refusal::StaleAttempt { given, kept, .. }) => {
            prop_assert!(!(is_current && task.state == State::Claimed));
            prop_assert_eq!(Some(given), attempt);
            prop_assert_eq!(kept, result.is_some());
            let notes = graph.get(task.id).expect("known").late_results.clone();
            if let Some(result) = result {
                let is_this = |late: &&kite_rules::task::LateResult| {
                    (late.attempt, late.session) == (given, owner.session) && late.result == result
                };
                prop_assert_eq!(notes.iter().filter(is_this).count(), 1);
            }
            model.change(task.id, |task| task.late_results = notes);
        }
        Err(_) => prop_assert!(
            !(is_current
                && is_kin(task, owner)
                && matches!(task.state, State::Claimed | State::Done))
        ),
    }
    Ok(())
}

fn release(
    graph: &mut TaskGraph,
    model: &mut Model,
    task: &Task,
    owner: &Owner,
    attempt: Option<u32>,
    failed: bool,
    now: Now,
) -> Result<(), TestCaseError> {
    let got = graph.release(task.id, owner, attempt, None, failed, now);
    let is_current = attempt.is_none_or(|given| given == task.attempt && given > 0);
    let is_holder = task.state == State::Claimed && is_kin(task, owner) && is_current;
    match got {
        Ok(done) if done.repeated => prop_assert!(failed && task.state == State::Failed),
        Ok(done) => {
            prop_assert!(is_holder);
            prop_assert_eq!(done.woken.is_empty(), failed);
            if failed {
                model.change(task.id, |task| {
                    task.state = State::Failed;
                    task.ended_wall_ms = Some(now.wall_ms);
                });
            } else {
                model.give_back(task.id);
            }
        }
        Err(_) => prop_assert!(!is_holder),
    }
    Ok(())
}

fn cancel(
    graph: &mut TaskGraph,
    model: &mut Model,
    task: Index,
    now: Now,
) -> Result<(), TestCaseError> {
    let Some(task) = model.at(task).cloned() else {
        return Ok(());
    };
    let got = graph.cancel(task.id, None, now);
    match task.state {
        State::Cancelled => prop_assert!(got.is_ok_and(|done| done.repeated)),
        State::Done | State::Failed => prop_assert!(got.is_err()),
        _ => {
            prop_assert!(got.is_ok_and(|done| done.woken.is_empty()));
            model.change(task.id, |task| {
                task.state = State::Cancelled;
                task.owner = None;
                task.ended_wall_ms = Some(now.wall_ms);
            });
        }
    }
    Ok(())
}

fn orphan(
    graph: &mut TaskGraph,
    model: &mut Model,
    session: SessionId,
    now: Now,
) -> Result<(), TestCaseError> {
    let is_theirs = |task: &&Task| {
        let holder = task.owner.as_ref();
        task.state == State::Claimed && holder.is_some_and(|holder| holder.session == session)
    };
    let theirs: Vec<Task> = model.0.iter().filter(is_theirs).cloned().collect();
    let orphaned = graph.orphan(session, "killed", now);
    let ids: Vec<TaskId> = orphaned.iter().map(|changed| changed.task).collect();
    let expected: Vec<TaskId> = theirs.iter().map(|task| task.id).collect();
    prop_assert_eq!(ids, expected);
    for task in theirs {
        model.change(task.id, |task| task.deaths += 1);
        if task.deaths + 1 < ATTEMPTS_MAX {
            model.give_back(task.id);
        } else {
            model.change(task.id, |task| {
                task.state = State::Failed;
                task.ended_wall_ms = Some(now.wall_ms);
            });
        }
        let reasons = graph.get(task.id).expect("known").reasons.clone();
        prop_assert_eq!(reasons.len(), task.reasons.len() + 1);
        model.change(task.id, |task| task.reasons = reasons);
    }
    Ok(())
}

/// No task is lost, and every index tells what the list tells.
fn check(graph: &TaskGraph, model: &Model) -> Result<(), TestCaseError> {
    for task in &model.0 {
        prop_assert_eq!(graph.get(task.id), Some(task));
        prop_assert_eq!(graph.find(&task.id.to_string()), Ok(task.id));
        let dependents = model.0.iter().filter(|t| t.depends_on.contains(&task.id));
        let dependents: BTreeSet<TaskId> = dependents.map(|task| task.id).collect();
        prop_assert_eq!(set(&graph.dependents(task.id)), dependents);
    }
    prop_assert_eq!(graph.iter().count(), model.0.len());
    for project in [Some("/p"), Some("/q"), None] {
        let of_project = |task: &&Task| project.is_none_or(|project| task.project == project);
        let mut counts = [0; 6];
        for task in model.0.iter().filter(of_project) {
            counts[task.state as usize] += 1;
        }
        prop_assert_eq!(graph.counts(project), counts);
        let states = [State::Ready, State::Claimed, State::Done];
        let listed = |task: &&Task| states.contains(&task.state) && task.number > 2;
        let expected: Vec<&Task> = model.0.iter().filter(of_project).filter(listed).collect();
        let page: Vec<&Task> = graph.page(project, &states, 2, usize::MAX).collect();
        prop_assert_eq!(page, expected);
    }
    for session in (1..=3).map(SessionId) {
        let holds = |task: &&Task| {
            let holder = task.owner.as_ref();
            task.state == State::Claimed && holder.is_some_and(|o| o.session == session)
        };
        let expected: Vec<TaskId> = model.0.iter().filter(holds).map(|task| task.id).collect();
        prop_assert_eq!(graph.claimed_by(session), expected);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_graph_does_what_the_list_does(steps in vec(step(), 1..80)) {
        let (mut graph, mut model) = (TaskGraph::new(), Model::default());
        for (moment, step) in steps.into_iter().enumerate() {
            play(&mut graph, &mut model, step, at(moment as u64))?;
            check(&graph, &model)?;
        }
    }
}
