use kite_rules::{
    Refusal,
    session::{Kind, Session, State},
};

use super::{
    Engine, at, feed, id, new_task, owner, request, session, take, task_id, with_sessions, words,
};
use crate::{Acquired, Store};

pub(super) async fn are_found_again_by_their_process(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 2).await;

    // The same process under another id of ours: found, and its attributes brought up to date.
    let again = Session {
        id: id(99),
        client_session_id: Some("resumed".to_owned()),
        intent: Some("Add login".to_owned()),
        ..session(1)
    };
    let found = store.open_session(again, at(1)).await.unwrap();
    assert!(!found.new);
    assert_eq!(found.session.id, id(1));
    assert_eq!(found.session.client_session_id.as_deref(), Some("resumed"));
    assert_eq!(found.session.intent.as_deref(), Some("Add login"));
    assert_eq!(found.session.seen, at(1));

    // The same id of the client's in another process is another session.
    let twin = Session {
        id: id(3),
        client_session_id: Some("claude-2".to_owned()),
        ..session(3)
    };
    assert!(store.open_session(twin, at(1)).await.unwrap().new);

    // Where there is no process, the client's id is all there is.
    let remote = Session {
        id: id(4),
        kind: Kind::Remote,
        process: None,
        ..session(4)
    };
    assert!(store.open_session(remote.clone(), at(2)).await.unwrap().new);
    let found = store
        .open_session(
            Session {
                id: id(5),
                ..remote.clone()
            },
            at(3),
        )
        .await
        .unwrap();
    assert_eq!((found.new, found.session.id), (false, id(4)));
    // Without either, nothing tells two sessions apart, so they are two.
    let nobody = Session {
        id: id(6),
        client_session_id: None,
        ..remote.clone()
    };
    assert!(store.open_session(nobody.clone(), at(3)).await.unwrap().new);
    assert!(
        store
            .open_session(
                Session {
                    id: id(7),
                    ..nobody
                },
                at(3)
            )
            .await
            .unwrap()
            .new
    );

    // One that has ended is not found again.
    store
        .end_session(id(4), State::Ended, "bye", at(4))
        .await
        .unwrap();
    assert!(
        store
            .open_session(
                Session {
                    id: id(8),
                    ..remote
                },
                at(5)
            )
            .await
            .unwrap()
            .new
    );
}

pub(super) async fn keep_their_attributes_and_only_what_changed_is_told(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 1).await;
    let now = |state, second| Session {
        state,
        seen: at(second),
        ..session(1)
    };

    store
        .update_session(now(State::Idle, 1), at(1))
        .await
        .unwrap();
    assert_eq!(store.read(|l| l.sessions[&id(1)].state), State::Idle);
    let intent = Session {
        intent: Some("Fix tests".to_owned()),
        ..now(State::Active, 2)
    };
    store.update_session(intent.clone(), at(2)).await.unwrap();
    // Unknown ones are ignored, and nobody ends by an update.
    store.update_session(session(9), at(2)).await.unwrap();
    store
        .update_session(
            Session {
                state: State::Lost,
                ..intent.clone()
            },
            at(3),
        )
        .await
        .unwrap();
    assert_eq!(store.read(|l| l.sessions.len()), 1);
    assert_eq!(store.read(|l| l.sessions[&id(1)].clone()), intent);
    assert_eq!(
        words(&feed(&store, 0).await.unwrap()),
        ["session opened", "session updated"]
    );

    let Some(store) = engine.reopen(store, at(9)).await else {
        return;
    };
    let kept = store.read(|l| l.sessions[&id(1)].clone());
    assert_eq!(kept.intent.as_deref(), Some("Fix tests"));
    assert!(kept.state.is_live());
    assert_eq!(
        kept.seen.mono_ms,
        at(9).mono_ms,
        "it gets its whole time again"
    );
}

pub(super) async fn that_end_give_everything_back(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 3).await;
    take(&store, &owner(1), &["/a"], at(1)).await;
    let Ok(Ok(Acquired::Queued(second))) = store
        .acquire(request(&owner(2), &["/a"]), true, at(2), None)
        .await
    else {
        panic!("a lock that is held is waited for");
    };
    let Ok(Ok(Acquired::Queued(third))) = store
        .acquire(request(&owner(3), &["/a"]), true, at(3), None)
        .await
    else {
        panic!("a lock that is held is waited for");
    };
    store
        .create_task(task_id(1), new_task("work"), at(3), None)
        .await
        .unwrap()
        .unwrap();
    store
        .claim(task_id(1), &owner(1), at(3), None)
        .await
        .unwrap()
        .unwrap();

    // The one that waits first ends: its place goes with it.
    let freed = store
        .end_session(id(2), State::Ended, "bye", at(4))
        .await
        .unwrap();
    assert_eq!((freed.locks.len(), freed.promoted.len()), (0, 0));
    assert_eq!(store.read(|l| l.locks.place(second)), None);

    let freed = store
        .end_session(id(1), State::Lost, "its process died", at(5))
        .await
        .unwrap();
    assert_eq!(freed.locks.len(), 1);
    assert_eq!(freed.tasks.len(), 1);
    assert_eq!(freed.promoted.len(), 1);
    let (ticket, granted) = &freed.promoted[0];
    assert_eq!(*ticket, third);
    assert!(granted.locks[0].epoch > freed.locks[0].epoch);

    // Once over, it is over.
    let again = store
        .end_session(id(1), State::Lost, "again", at(6))
        .await
        .unwrap();
    assert_eq!(again, crate::Freed::default());
    let check = |store: &_| {
        let facts = Store::read(store, |l| l.facts());
        assert_eq!(facts.sessions[&id(1)].state, State::Lost);
        assert_eq!(
            facts.sessions[&id(1)].end_reason.as_deref(),
            Some("its process died")
        );
        assert_eq!(
            facts.locks.values().map(|l| &l.owner).collect::<Vec<_>>(),
            [&owner(3)]
        );
        assert_eq!(
            facts.tasks[&facts.tasks.keys().next().copied().unwrap()].state,
            kite_rules::task::State::Ready
        );
    };
    check(&store);
    if let Some(store) = engine.reopen(store, at(20)).await {
        check(&store);
    }
}

pub(super) async fn end_when_the_machine_restarts(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 2).await;
    take(&store, &owner(1), &["/a", "/b"], at(1)).await;
    store
        .create_task(task_id(1), new_task("work"), at(1), None)
        .await
        .unwrap()
        .unwrap();
    store
        .claim(task_id(1), &owner(2), at(1), None)
        .await
        .unwrap()
        .unwrap();
    store
        .end_session(id(2), State::Ended, "bye", at(2))
        .await
        .unwrap();
    let told = feed(&store, 0).await.unwrap().len() as u64;

    let Some(store) = engine.reboot(store, at(60)).await else {
        return;
    };
    let facts = store.read(|l| l.facts());
    assert_eq!(facts.sessions[&id(1)].state, State::Lost);
    assert_eq!(
        facts.sessions[&id(1)].end_reason.as_deref(),
        Some("the machine restarted")
    );
    assert_eq!(facts.sessions[&id(2)].end_reason.as_deref(), Some("bye"));
    assert!(facts.locks.is_empty());
    let told = words(&feed(&store, told).await.unwrap());
    assert_eq!(told, ["session lost", "lock released", "lock released"]);
    with_sessions(&store, 1).await;
    take(&store, &owner(1), &["/a"], at(61)).await;
}

pub(super) async fn that_are_gone_can_take_nothing(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 1).await;
    store
        .create_task(task_id(1), new_task("work"), at(1), None)
        .await
        .unwrap()
        .unwrap();
    store
        .end_session(id(1), State::Ended, "bye", at(1))
        .await
        .unwrap();
    for who in [owner(1), owner(2)] {
        let lock = store
            .acquire(request(&who, &["/a"]), true, at(2), None)
            .await
            .unwrap();
        assert_eq!(lock, Err(Refusal::UnknownSession));
        let next = store
            .claim_next(super::PROJECT, &who, false, at(2), None)
            .await
            .unwrap();
        assert_eq!(next, Err(Refusal::UnknownSession));
        let claimed = store.claim(task_id(1), &who, at(2), None).await.unwrap();
        assert_eq!(claimed, Err(Refusal::UnknownSession));
    }
}
