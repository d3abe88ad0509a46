//! The task graph against a model that keeps a list and looks at all of it.

use std::collections::BTreeSet;

use kite_rules::{
    Now, Refusal,
    limits::{ATTEMPTS_MAX, CLAIM_LOOKAHEAD},
    pattern::{Pattern, Target},
    session::{Owner, SessionId},
    task::{Changed, NewTask, Priority, State, Task, TaskGraph, TaskId},
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::world::{at, owner, session};

const PROJECTS: [&str; 2] = ["/p", "/q"];

#[derive(Clone, Debug)]
enum Step {
    Create {
        new: NewTask,
        on: Vec<Index>,
    },
    Depend(Index, Index),
    ClaimNext {
        project: &'static str,
        owner: Owner,
        another: bool,
    },
    Claim(Index, Owner),
    Complete {
        task: Index,
        owner: Owner,
        attempt: Attempt,
        result: Option<String>,
    },
    Release {
        task: Index,
        owner: Owner,
        attempt: Attempt,
        failed: bool,
    },
    Cancel(Index),
    Orphan(SessionId),
    /// The daemon starts again with what was kept.
    Restart,
}

/// Which attempt the caller says it has.
#[derive(Clone, Copy, Debug)]
enum Attempt {
    Unsaid,
    Current,
    Earlier,
    Later,
}

impl Attempt {
    fn of(self, task: &Task) -> Option<u32> {
        match self {
            Attempt::Unsaid => None,
            Attempt::Current => Some(task.attempt),
            Attempt::Earlier => Some(task.attempt.saturating_sub(1)),
            Attempt::Later => Some(task.attempt + 1),
        }
    }
}

fn new_task() -> impl Strategy<Value = NewTask> {
    let path = prop_oneof![
        Just(Target::Path("/p/a".into())),
        Just(Target::Path("/p/b".into())),
        Just(Target::Tree("/p".into())),
        Just(Target::Glob("/p/*".into())),
    ];
    (
        prop::sample::select(&PROJECTS),
        "[xyz]",
        prop_oneof![Just(None), Just(Some("text".to_string()))],
        prop_oneof![
            Just(Priority::Low),
            Just(Priority::Normal),
            Just(Priority::High)
        ],
        vec(path, 0..2),
    )
        .prop_map(|(project, title, description, priority, paths)| NewTask {
            project: project.into(),
            title,
            description,
            priority,
            depends_on: vec![],
            paths: paths.into_iter().map(|path| (path, "it".into())).collect(),
            created_by: None,
        })
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    let attempt = || {
        prop_oneof![
            3 => Just(Attempt::Unsaid),
            3 => Just(Attempt::Current),
            1 => Just(Attempt::Earlier),
            1 => Just(Attempt::Later),
        ]
    };
    let result = prop_oneof![Just(None), Just(Some("result".to_string()))];
    prop_oneof![
        5 => (new_task(), vec(index(), 0..3)).prop_map(|(new, on)| Step::Create { new, on }),
        3 => (index(), index()).prop_map(|(task, on)| Step::Depend(task, on)),
        6 => (prop::sample::select(&PROJECTS), owner(), any::<bool>()).prop_map(
            |(project, owner, another)| Step::ClaimNext { project, owner, another }
        ),
        3 => (index(), owner()).prop_map(|(task, owner)| Step::Claim(task, owner)),
        8 => (index(), owner(), attempt(), result).prop_map(|(task, owner, attempt, result)| {
            Step::Complete { task, owner, attempt, result }
        }),
        2 => (index(), owner(), attempt(), any::<bool>()).prop_map(
            |(task, owner, attempt, failed)| Step::Release { task, owner, attempt, failed }
        ),
        1 => index().prop_map(Step::Cancel),
        2 => session().prop_map(Step::Orphan),
        1 => Just(Step::Restart),
    ]
}

/// The records, oldest first.
#[derive(Default)]
struct Model(Vec<Task>);

impl Model {
    fn at(&self, index: Index) -> Option<&Task> {
        (!self.0.is_empty()).then(|| index.get(&self.0))
    }

    fn get(&self, id: TaskId) -> &Task {
        self.0.iter().find(|task| task.id == id).expect("known")
    }

    fn change(&mut self, id: TaskId, change: impl FnOnce(&mut Task)) {
        change(self.0.iter_mut().find(|task| task.id == id).expect("known"));
    }

    fn waits_for(&self, task: &Task) -> Vec<TaskId> {
        let is_open = |on: &&TaskId| self.get(**on).state != State::Done;
        task.depends_on.iter().filter(is_open).copied().collect()
    }

    /// Moves every unclaimed task to where its dependencies put it; the ones that became ready.
    fn settle(&mut self) -> BTreeSet<TaskId> {
        let mut woken = BTreeSet::new();
        for at in 0..self.0.len() {
            let is_free = self.waits_for(&self.0[at]).is_empty();
            let task = &mut self.0[at];
            match task.state {
                State::Blocked if is_free => {
                    task.state = State::Ready;
                    woken.insert(task.id);
                }
                State::Ready if !is_free => task.state = State::Blocked,
                _ => {}
            }
        }
        woken
    }

    /// Whether `from` depends on `to`, however far.
    fn reaches(&self, from: TaskId, to: TaskId) -> bool {
        let mut reached = BTreeSet::from([from]);
        loop {
            let next: BTreeSet<TaskId> = reached
                .iter()
                .flat_map(|id| self.get(*id).depends_on.iter().copied())
                .chain(reached.iter().copied())
                .collect();
            if next.len() == reached.len() {
                return reached.contains(&to);
            }
            reached = next;
        }
    }

    /// What claim-next has to answer: repeated or not, and which.
    fn next(&self, project: &str, owner: &Owner, another: bool) -> Option<(bool, TaskId)> {
        let of_project = || self.0.iter().filter(|task| task.project == project);
        let is_own =
            |task: &&Task| task.state == State::Claimed && task.owner.as_ref() == Some(owner);
        if let Some(own) = of_project().find(is_own).filter(|_| !another) {
            return Some((true, own.id));
        }
        let mut ready: Vec<&Task> = of_project()
            .filter(|task| task.state == State::Ready)
            .collect();
        ready.sort_by_key(|task| (std::cmp::Reverse(task.priority), task.number));
        ready.truncate(CLAIM_LOOKAHEAD);
        let free = ready.iter().find(|task| !self.is_in_use(task, owner));
        free.or(ready.first()).map(|task| (false, task.id))
    }

    fn is_in_use(&self, task: &Task, owner: &Owner) -> bool {
        let others = self.0.iter().filter(|other| {
            let holder = other.owner.as_ref();
            other.state == State::Claimed && holder.is_some_and(|o| o.contends_with(owner))
        });
        let theirs: Vec<&Target> = others
            .flat_map(|other| other.paths.iter().map(|(path, _)| path))
            .collect();
        task.paths
            .iter()
            .any(|(path, _)| theirs.iter().any(|other| overlap(path, other)))
    }

    fn claim(&mut self, id: TaskId, owner: &Owner, now: Now) {
        self.change(id, |task| {
            task.state = State::Claimed;
            task.attempt += 1;
            task.owner = Some(owner.clone());
            task.claimed_wall_ms = Some(now.wall_ms);
        });
    }

    fn give_back(&mut self, id: TaskId) {
        self.change(id, |task| {
            task.state = State::Ready;
            task.owner = None;
            task.claimed_wall_ms = None;
        });
    }
}

fn overlap(one: &Target, other: &Target) -> bool {
    let compile = |target: &Target| Pattern::compile(target.clone()).expect("a good target");
    compile(one).overlaps(&compile(other))
}

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
