use kite_rules::{session::State, task::Changed};

use super::{Engine, at, feed, id, new_task, owner, session, take, task_id, with_sessions};
use crate::{Page, Retry, Store, StoreError};

pub(super) async fn has_no_gaps_and_goes_on_after_reopening(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    assert_eq!(store.changes(0, 10).await, Ok(Page::Changes(Vec::new())));
    with_sessions(&store, 3).await;
    for n in 1..=10 {
        store
            .create_task(task_id(n), new_task(&format!("task {n}")), at(1), None)
            .await
            .unwrap()
            .unwrap();
    }
    let rows = feed(&store, 0).await.unwrap();
    assert_eq!(rows.len(), 13);
    assert_eq!(rows[0].session, Some(id(1)));
    assert_eq!(rows[0].entity, id(1).to_string());
    assert_eq!((rows[3].seq, rows[3].at_wall_ms), (4, at(1).wall_ms));
    assert_eq!(rows[3].entity, task_id(1).to_string());

    let Some(store) = engine.reopen(store, at(2)).await else {
        return;
    };
    take(&store, &owner(1), &["/a"], at(3)).await;
    let after = feed(&store, 0).await.unwrap();
    assert_eq!(after[..13], rows);
    assert_eq!((after[13].seq, after[13].what.as_str()), (14, "granted"));
}

pub(super) async fn says_when_a_cursor_is_of_no_use(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 2).await;
    assert_eq!(store.changes(2, 10).await, Ok(Page::Changes(Vec::new())));
    for beyond in [3, u64::MAX] {
        assert_eq!(
            store.changes(beyond, 10).await,
            Ok(Page::Resync { oldest: 1 })
        );
    }
}

fn answer(changed: &Changed) -> Vec<u8> {
    format!("Task created: {:.8}", changed.task).into_bytes()
}

pub(super) async fn answers_a_repeated_request_as_before(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    assert_eq!(store.answered("op-1").await, Ok(None));
    let retry = |op_id| {
        Some(Retry {
            op_id,
            answer: &answer,
        })
    };
    store
        .create_task(task_id(1), new_task("work"), at(1), retry("op-1"))
        .await
        .unwrap()
        .unwrap();
    let told = Some(b"Task created: 00000001".to_vec());
    assert_eq!(store.answered("op-1").await, Ok(told.clone()));
    // A refusal is not kept: it may end otherwise next time.
    store
        .claim(task_id(1), &owner(1), at(1), retry("op-2"))
        .await
        .unwrap()
        .unwrap_err();
    assert_eq!(store.answered("op-2").await, Ok(None));
    store.remember("op-3", b"granted").await.unwrap();
    store.remember("op-3", b"something else").await.unwrap();
    assert_eq!(store.answered("op-3").await, Ok(Some(b"granted".to_vec())));

    let Some(store) = engine.reopen(store, at(2)).await else {
        return;
    };
    assert_eq!(store.answered("op-1").await, Ok(told));
    assert_eq!(store.answered("op-2").await, Ok(None));
    assert_eq!(store.answered("op-3").await, Ok(Some(b"granted".to_vec())));
}

pub(super) async fn answers_may_look_at_the_facts(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    let answer = |changed: &Changed| {
        store.read(|l| {
            l.tasks
                .get(changed.task)
                .unwrap()
                .title
                .clone()
                .into_bytes()
        })
    };
    let retry = Some(Retry {
        op_id: "op",
        answer: &answer,
    });
    store
        .create_task(task_id(1), new_task("work"), at(1), retry)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(store.answered("op").await, Ok(Some(b"work".to_vec())));
}

pub(super) async fn counters_add_up(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    store.tally(&[("refused", 2), ("stale", 0)]).await.unwrap();
    store.tally(&[("refused", 3)]).await.unwrap();
    assert_eq!(store.read(|l| l.tally.get("refused").copied()), Some(5));
    assert_eq!(store.read(|l| l.tally.len()), 1);
    let Some(store) = engine.reopen(store, at(1)).await else {
        return;
    };
    store.tally(&[("refused", 1)]).await.unwrap();
    assert_eq!(store.read(|l| l.tally.get("refused").copied()), Some(6));
}

pub(super) async fn closed_means_closed(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 1).await;
    store.close().await.unwrap();
    store.close().await.unwrap();
    assert!(matches!(
        store.open_session(session(2), at(1)).await,
        Err(StoreError::Failed(_))
    ));
    assert!(matches!(
        store.end_session(id(1), State::Ended, "", at(1)).await,
        Err(StoreError::Failed(_))
    ));
}
