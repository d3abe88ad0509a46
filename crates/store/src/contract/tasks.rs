use kite_rules::{
    Refusal,
    pattern::Target,
    session::State as SessionState,
    task::{LateResult, NewTask, Priority, State},
};

use super::{
    Engine, PROJECT, at, feed, id, new_task, owner, session, task_id, with_sessions, words,
};
use crate::Store;

pub(super) async fn live_their_life(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 2).await;
    let full = NewTask {
        description: Some("all of it, \"quoted\"\nand more".to_owned()),
        priority: Priority::High,
        paths: vec![
            (Target::Tree("/work/repo/src".to_owned()), "src/".to_owned()),
            (
                Target::Name {
                    project: PROJECT.to_owned(),
                    name: "deploy".to_owned(),
                },
                "deploy".to_owned(),
            ),
        ],
        created_by: Some(id(1)),
        ..new_task("first")
    };
    let first = store
        .create_task(task_id(1), full.clone(), at(1), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((first.task, first.repeated), (task_id(1), false));
    let again = store
        .create_task(task_id(9), full, at(1), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((again.task, again.repeated), (task_id(1), true));
    let after = NewTask {
        depends_on: vec![task_id(1).to_string()],
        ..new_task("second")
    };
    store
        .create_task(task_id(2), after, at(2), None)
        .await
        .unwrap()
        .unwrap();

    let claimed = store
        .claim_next(PROJECT, &owner(1), false, at(3), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(claimed.task, task_id(1));
    let taken = store
        .claim(task_id(1), &owner(2), at(3), None)
        .await
        .unwrap();
    assert!(matches!(taken, Err(Refusal::AlreadyClaimed { .. })));
    let none = store
        .claim_next(PROJECT, &owner(2), false, at(3), None)
        .await
        .unwrap();
    assert!(matches!(none, Err(Refusal::NothingReady { .. })));
    let done = store
        .complete(
            task_id(1),
            &owner(1),
            Some(1),
            Some("it works".to_owned()),
            at(4),
            None,
        )
        .await;
    assert_eq!(done.unwrap().unwrap().woken, [task_id(2)]);

    let told = words(&feed(&store, 2).await.unwrap());
    assert_eq!(
        told,
        [
            "task created",
            "task created",
            "task claimed",
            "task completed",
            "task ready"
        ]
    );
    let before = store.read(|l| l.facts());
    assert_eq!(before.tasks.len(), 2);
    let Some(store) = engine.reopen(store, at(5)).await else {
        return;
    };
    assert_eq!(store.read(|l| l.facts().tasks), before.tasks);
    let claimed = store
        .claim_next(PROJECT, &owner(2), false, at(6), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(claimed.task, task_id(2));
    let third = store
        .create_task(task_id(3), new_task("third"), at(6), None)
        .await
        .unwrap()
        .unwrap();
    let number = |id| store.read(|l| l.tasks.get(id).unwrap().number);
    assert!(number(third.task) > number(task_id(2)), "numbers go on");
}

pub(super) async fn keep_late_results(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 2).await;
    store
        .create_task(task_id(1), new_task("work"), at(1), None)
        .await
        .unwrap()
        .unwrap();
    store
        .claim(task_id(1), &owner(1), at(2), None)
        .await
        .unwrap()
        .unwrap();
    let reason = Some("too hard".to_owned());
    store
        .release_task(task_id(1), &owner(1), Some(1), reason, false, at(3), None)
        .await
        .unwrap()
        .unwrap();
    store
        .claim(task_id(1), &owner(2), at(4), None)
        .await
        .unwrap()
        .unwrap();

    let late = store
        .complete(
            task_id(1),
            &owner(1),
            Some(1),
            Some("done after all".to_owned()),
            at(5),
            None,
        )
        .await;
    assert!(matches!(
        late.unwrap(),
        Err(Refusal::StaleAttempt { kept: true, .. })
    ));
    let check = |store: &_| {
        let task = Store::read(store, |l| l.tasks.get(task_id(1)).unwrap().clone());
        assert_eq!(
            (task.state, task.attempt, task.owner),
            (State::Claimed, 2, Some(owner(2)))
        );
        assert_eq!(task.reasons.len(), 1);
        let kept = LateResult {
            attempt: 1,
            session: id(1),
            result: "done after all".to_owned(),
            at_wall_ms: at(5).wall_ms,
        };
        assert_eq!(task.late_results, [kept]);
    };
    check(&store);
    assert_eq!(
        feed(&store, 0).await.unwrap().last().unwrap().what,
        "late_result"
    );
    if let Some(store) = engine.reopen(store, at(6)).await {
        check(&store);
    }
}

pub(super) async fn of_the_dead_come_back_and_then_fail(engine: &impl Engine) {
    let mut store = engine.fresh(at(0)).await;
    store
        .create_task(task_id(1), new_task("deadly"), at(0), None)
        .await
        .unwrap()
        .unwrap();
    for n in 1..=3 {
        store.open_session(session(n), at(1)).await.unwrap();
        let claimed = store
            .claim_next(PROJECT, &owner(n.into()), false, at(2), None)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(claimed.task, task_id(1));
        assert_eq!(store.read(|l| l.tasks.get(task_id(1)).unwrap().attempt), n);
        let freed = store
            .end_session(id(n.into()), SessionState::Lost, "killed", at(3))
            .await
            .unwrap();
        assert_eq!(freed.tasks.len(), 1);
        let what = feed(&store, 0).await.unwrap().last().unwrap().what.clone();
        assert_eq!(what, if n < 3 { "orphaned" } else { "failed" });
        let before = store.read(|l| l.facts().tasks);
        let (reopened, kept) = match engine.reopen(store, at(4)).await {
            Some(store) => (store, true),
            None => return,
        };
        store = reopened;
        assert!(kept && store.read(|l| l.facts().tasks) == before);
    }
    let task = store.read(|l| l.tasks.get(task_id(1)).unwrap().clone());
    assert_eq!(
        (task.state, task.deaths, task.reasons.len()),
        (State::Failed, 3, 3)
    );
}

pub(super) async fn fail_and_are_cancelled(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 1).await;
    for n in 1..=2 {
        store
            .create_task(task_id(n), new_task(&format!("task {n}")), at(1), None)
            .await
            .unwrap()
            .unwrap();
    }
    store
        .claim(task_id(1), &owner(1), at(2), None)
        .await
        .unwrap()
        .unwrap();
    let why = Some("impossible".to_owned());
    store
        .release_task(task_id(1), &owner(1), None, why.clone(), true, at(3), None)
        .await
        .unwrap()
        .unwrap();
    store
        .cancel_task(task_id(2), why, at(3), None)
        .await
        .unwrap()
        .unwrap();
    let unknown = store
        .cancel_task(task_id(3), None, at(3), None)
        .await
        .unwrap();
    assert!(
        matches!(unknown, Err(Refusal::UnknownTask { .. })),
        "{unknown:?}"
    );
    let states = |store: &_| {
        let facts = Store::read(store, |l| l.facts());
        facts
            .tasks
            .values()
            .map(|t| (t.state, t.reasons.len(), t.ended_wall_ms))
            .collect::<Vec<_>>()
    };
    let ended = Some(at(3).wall_ms);
    assert_eq!(
        states(&store),
        [(State::Failed, 1, ended), (State::Cancelled, 1, ended)]
    );
    if let Some(store) = engine.reopen(store, at(4)).await {
        assert_eq!(states(&store).len(), 2);
        assert_eq!(store.read(|l| l.tasks.counts(None)), [0, 0, 0, 0, 1, 1]);
    }
}

pub(super) async fn come_by_pages(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    for n in 1..=25 {
        store
            .create_task(task_id(n), new_task(&format!("task {n}")), at(1), None)
            .await
            .unwrap()
            .unwrap();
    }
    let check = |store: &_| {
        let mut cursor = 0;
        let mut seen = Vec::new();
        loop {
            let page: Vec<_> = Store::read(store, |l| {
                l.tasks
                    .page(Some(PROJECT), &[State::Ready], cursor, 10)
                    .map(|t| (t.number, t.id))
                    .collect()
            });
            let Some((last, _)) = page.last() else { break };
            cursor = *last;
            seen.extend(page.into_iter().map(|(_, id)| id));
        }
        assert_eq!(seen, (1..=25).map(task_id).collect::<Vec<_>>());
    };
    check(&store);
    if let Some(store) = engine.reopen(store, at(2)).await {
        check(&store);
    }
}
