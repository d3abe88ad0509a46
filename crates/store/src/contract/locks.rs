use std::collections::BTreeSet;

use kite_rules::{
    Now, Refusal,
    lock::{Epoch, Ticket},
    pattern::Target,
    session::Owner,
};

use super::{Engine, at, feed, id, owner, request, take, with_sessions, words};
use crate::{Acquired, Release, Store};

pub(super) async fn are_granted_all_or_none(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 2).await;
    take(&store, &owner(1), &["/a", "/b"], at(1)).await;
    let refused = store
        .acquire(request(&owner(2), &["/c", "/b"]), false, at(2), None)
        .await
        .unwrap();
    let Err(Refusal::Locked(in_the_way)) = refused else {
        panic!("/b is locked, yet: {refused:?}");
    };
    assert_eq!(in_the_way[0].owner, owner(1));
    take(&store, &owner(1), &["/c"], at(3)).await;
    assert_eq!(store.read(|l| l.locks.len()), 3);

    let Some(store) = engine.reopen(store, at(100)).await else {
        return;
    };
    let (count, expiry) = store.read(|l| (l.locks.len(), l.locks.next_expiry()));
    assert_eq!(count, 3);
    assert_eq!(expiry, Some(at(160).mono_ms), "a full lease from now");
    let refused = store
        .acquire(request(&owner(2), &["/a"]), false, at(101), None)
        .await
        .unwrap();
    assert!(matches!(refused, Err(Refusal::Locked(_))));
}

pub(super) async fn that_are_held_are_granted_again_unchanged(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 1).await;
    let first = take(&store, &owner(1), &["/a"], at(1)).await;
    let again = store
        .acquire(request(&owner(1), &["/a"]), false, at(30), None)
        .await
        .unwrap();
    let Ok(Acquired::Granted(again)) = again else {
        panic!("one's own lock: {again:?}")
    };
    assert!(again.already_held);
    assert_eq!(again.locks[0].epoch, first[0].epoch);
    assert_eq!(
        store.read(|l| l.locks.next_expiry()),
        Some(at(90).mono_ms),
        "renewed"
    );
    let told = words(&feed(&store, 0).await.unwrap());
    assert_eq!(told, ["session opened", "lock granted"]);

    // Where some are new, only those are told.
    let both = take(&store, &owner(1), &["/a", "/b"], at(31)).await;
    assert_eq!(both[0].epoch, first[0].epoch);
    assert_eq!(words(&feed(&store, 2).await.unwrap()), ["lock granted"]);
}

/// Asks for what is held by another.
async fn wait(store: &impl Store, who: &Owner, paths: &[&str], now: Now) -> Ticket {
    match store.acquire(request(who, paths), true, now, None).await {
        Ok(Ok(Acquired::Queued(ticket))) => ticket,
        other => panic!("{paths:?} should be waited for, not {other:?}"),
    }
}

fn targets(owner: &Owner, paths: &[&str], epoch: Option<Epoch>) -> Release {
    Release::Targets {
        owner: owner.clone(),
        targets: paths
            .iter()
            .map(|path| Target::Path((*path).to_owned()))
            .collect(),
        epoch,
    }
}

pub(super) async fn go_to_those_who_wait_in_order(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 4).await;
    take(&store, &owner(1), &["/a", "/b"], at(1)).await;
    let second = wait(&store, &owner(2), &["/a", "/b"], at(2)).await;
    let third = wait(&store, &owner(3), &["/b"], at(3)).await;
    let fourth = wait(&store, &owner(4), &["/c", "/a"], at(4)).await;
    assert_eq!(store.read(|l| l.locks.place(third)), Some(2));

    // Only one of two is free: the one who waits for both goes on waiting, and nobody passes it.
    let freed = store
        .release(targets(&owner(1), &["/b"], None), at(5), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((freed.locks.len(), freed.promoted.len()), (1, 0));
    let freed = store
        .release(targets(&owner(1), &["/a"], None), at(6), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        freed.promoted.iter().map(|(t, _)| *t).collect::<Vec<_>>(),
        [second]
    );
    assert_eq!(freed.promoted[0].1.locks.len(), 2);
    let freed = store
        .release(targets(&owner(2), &["/a", "/b"], None), at(7), None)
        .await
        .unwrap()
        .unwrap();
    let promoted: BTreeSet<_> = freed.promoted.iter().map(|(t, _)| *t).collect();
    assert_eq!(promoted, BTreeSet::from([third, fourth]));

    let held = |store: &_| {
        Store::read(store, |l| {
            l.locks
                .iter()
                .map(|l| l.shown.clone())
                .collect::<BTreeSet<_>>()
        })
    };
    assert_eq!(
        held(&store),
        BTreeSet::from(["/a".to_owned(), "/b".to_owned(), "/c".to_owned()])
    );
    if let Some(store) = engine.reopen(store, at(8)).await {
        assert_eq!(
            held(&store).len(),
            3,
            "a promoted lock is as durable as any"
        );
    }
}

pub(super) async fn that_run_out_go_to_the_next(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 2).await;
    take(&store, &owner(1), &["/a"], at(0)).await;
    let waiting = wait(&store, &owner(2), &["/a"], at(30)).await;
    // A sign of life keeps it, and so does a wake-up of the machine.
    store.seen(id(1), at(40));
    assert_eq!(store.expire(at(61)).await.unwrap(), crate::Freed::default());
    store.renew_all(at(90));
    assert_eq!(
        store.expire(at(149)).await.unwrap(),
        crate::Freed::default()
    );
    let freed = store.expire(at(150)).await.unwrap();
    assert_eq!(freed.locks.len(), 1);
    assert_eq!(freed.promoted[0].0, waiting);
    let told = words(&feed(&store, 2).await.unwrap());
    assert_eq!(told, ["lock granted", "lock expired", "lock granted"]);
}

pub(super) async fn are_released_in_every_way(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 2).await;
    let agent = Owner {
        agent: Some("sub".to_owned()),
        ..owner(1)
    };
    let first = take(&store, &owner(1), &["/a"], at(1)).await;
    let mut kept = request(&owner(1), &["/kept"]);
    kept.keep = true;
    assert!(matches!(
        store.acquire(kept, false, at(1), None).await,
        Ok(Ok(Acquired::Granted(_)))
    ));
    take(&store, &agent, &["/sub"], at(1)).await;
    take(&store, &owner(1), &["/turn"], at(1)).await;

    let old = Epoch {
        generation: 1,
        counter: 0,
    };
    let refused = store
        .release(targets(&owner(1), &["/a"], Some(old)), at(2), None)
        .await
        .unwrap();
    assert!(
        matches!(refused, Err(Refusal::StaleEpoch { .. })),
        "{refused:?}"
    );
    let epoch = Some(first[0].epoch);
    let freed = store
        .release(targets(&owner(1), &["/a"], epoch), at(2), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(freed.locks.len(), 1);
    // What is free is no error, and what is another's is not touched.
    let freed = store
        .release(targets(&owner(1), &["/a", "/x"], None), at(2), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(freed, crate::Freed::default());
    let freed = store
        .release(targets(&owner(2), &["/turn"], None), at(2), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(freed, crate::Freed::default());

    let freed = store
        .release(Release::Agent(agent), at(3), None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(freed.locks[0].shown, "/sub");
    let turn_end = Release::Session {
        session: id(1),
        unless_kept: true,
    };
    let freed = store.release(turn_end, at(4), None).await.unwrap().unwrap();
    assert_eq!(
        freed
            .locks
            .iter()
            .map(|l| l.shown.as_str())
            .collect::<Vec<_>>(),
        ["/turn"]
    );
    let broken = Release::Broken {
        targets: vec![Target::Path("/kept".to_owned())],
    };
    let freed = store.release(broken, at(5), None).await.unwrap().unwrap();
    assert_eq!(freed.locks[0].owner, owner(1));
    assert_eq!(
        feed(&store, 0).await.unwrap().last().unwrap().what,
        "broken"
    );
    assert!(store.read(|l| l.locks.is_empty()));
    if let Some(store) = engine.reopen(store, at(6)).await {
        assert!(store.read(|l| l.locks.is_empty()));
    }
}

pub(super) async fn of_a_left_place_go_to_the_next_behind_it(engine: &impl Engine) {
    let store = engine.fresh(at(0)).await;
    with_sessions(&store, 3).await;
    take(&store, &owner(1), &["/a"], at(1)).await;
    let second = wait(&store, &owner(2), &["/a", "/b"], at(2)).await;
    let third = wait(&store, &owner(3), &["/b"], at(3)).await;
    assert!(matches!(
        store.leave(second, at(4)),
        Some(Refusal::Locked(_))
    ));
    assert_eq!(store.leave(second, at(4)), None);
    let freed = store.expire(at(5)).await.unwrap();
    assert_eq!(freed.promoted[0].0, third);
}

pub(super) async fn have_epochs_that_never_come_twice(engine: &impl Engine) {
    let mut store = engine.fresh(at(0)).await;
    with_sessions(&store, 1).await;
    let mut seen = BTreeSet::new();
    let mut newest = Epoch::default();
    // The wall clock stands still, then goes back: generations grow all the same.
    for (round, now) in [at(1), at(1), at(0), Now::default(), at(2)]
        .into_iter()
        .enumerate()
    {
        for path in 0..3 {
            let locks = take(&store, &owner(1), &[&format!("/{round}/{path}")], now).await;
            assert!(
                seen.insert(locks[0].epoch),
                "{} was issued before",
                locks[0].epoch
            );
            assert!(locks[0].epoch > newest);
            newest = locks[0].epoch;
        }
        match engine.reopen(store, now).await {
            Some(reopened) => store = reopened,
            None => return,
        }
    }
}
