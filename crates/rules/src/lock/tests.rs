use alloc::{string::String, vec, vec::Vec};

use super::{Epoch, LockTable, Request, Ticket};
use crate::{
    Now, Refusal,
    limits::{LOCK_TTL_MS, LOCK_WAIT_MS_MAX, LOCKS_PER_SESSION_MAX},
    pattern::Target,
    session::{Owner, SessionId},
};

fn session(id: u128) -> Owner {
    Owner::session(SessionId(id))
}

fn agent(id: u128, name: &str) -> Owner {
    Owner {
        session: SessionId(id),
        agent: Some(name.into()),
    }
}

/// The monotonic clock at this time; the wall clock a million ahead.
fn at(mono_ms: u64) -> Now {
    Now {
        wall_ms: mono_ms + 1_000_000,
        mono_ms,
    }
}

fn path(path: &str) -> Target {
    Target::Path(path.into())
}

fn request(owner: &Owner, paths: &[&str]) -> Request {
    Request {
        owner: owner.clone(),
        project: "/p".into(),
        targets: paths
            .iter()
            .map(|text| {
                let target = if text.contains('*') {
                    Target::Glob((*text).into())
                } else {
                    path(text)
                };
                (target, String::from(*text))
            })
            .collect(),
        reason: Some("because".into()),
        ttl_ms: LOCK_TTL_MS,
        keep: false,
    }
}

fn take(table: &mut LockTable, owner: &Owner, paths: &[&str]) -> Vec<Epoch> {
    let granted = table
        .acquire(&request(owner, paths), at(0))
        .expect("granted");
    granted.locks.iter().map(|lock| lock.epoch).collect()
}

fn in_the_way(refusal: Refusal) -> Vec<Owner> {
    match refusal {
        Refusal::Locked(ways) => ways.into_iter().map(|way| way.owner).collect(),
        other => panic!("not locked: {other:?}"),
    }
}

#[test]
fn a_refusal_names_who_since_when_and_until_when() {
    let mut table = LockTable::new(7);
    let (ann, bob) = (session(1), session(2));
    take(&mut table, &ann, &["/p/src/*.rs"]);
    let refusal = table.acquire(&request(&bob, &["/p/b", "/p/src/a.rs"]), at(60_000));
    let Err(Refusal::Locked(ways)) = refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!(ways.len(), 1);
    assert_eq!(ways[0].owner, ann);
    assert_eq!(ways[0].target, "/p/src/*.rs");
    assert_eq!(ways[0].since_wall_ms, 1_000_000);
    assert_eq!(ways[0].until_wall_ms, 1_000_000 + LOCK_TTL_MS);
    assert_eq!(ways[0].reason.as_deref(), Some("because"));
    assert_eq!(table.len(), 1, "all or nothing");
}

#[test]
fn what_is_held_is_answered_with_its_epoch_and_a_new_lease() {
    let mut table = LockTable::new(7);
    let ann = session(1);
    let first = take(&mut table, &ann, &["/p/a", "/p/b"]);
    let again = table.acquire(&request(&ann, &["/p/b"]), at(1_000)).unwrap();
    assert!(again.already_held);
    assert_eq!(again.locks[0].epoch, first[1]);
    assert_eq!(again.locks[0].expires_mono_ms(), 1_000 + LOCK_TTL_MS);

    let partly = table
        .acquire(&request(&ann, &["/p/c", "/p/a", "/p/c"]), at(1_000))
        .unwrap();
    assert!(!partly.already_held);
    assert_eq!(partly.locks[1].epoch, first[0]);
    assert_eq!(partly.locks[0], partly.locks[2], "one lock for a target");
    assert_eq!(table.len(), 3);

    let keep = Request {
        keep: true,
        ..request(&ann, &["/p/a"])
    };
    let raised = table.acquire(&keep, at(1_000)).unwrap();
    assert!(!raised.already_held && raised.locks[0].keep);
    assert_eq!(raised.locks[0].epoch, first[0]);
}

#[test]
fn parent_and_subagent_share_and_siblings_contend() {
    let mut table = LockTable::new(7);
    let (parent, one, two) = (session(1), agent(1, "one"), agent(1, "two"));
    let held = take(&mut table, &parent, &["/p/a"]);
    assert_eq!(take(&mut table, &one, &["/p/a"]), held);
    take(&mut table, &one, &["/p/b"]);
    let refusal = table.acquire(&request(&two, &["/p/b"]), at(0)).unwrap_err();
    assert_eq!(in_the_way(refusal), core::slice::from_ref(&one));
    assert!(table.blocking(&two, "/p/b").is_some());
    assert!(table.blocking(&parent, "/p/b").is_none());

    let all = [path("/p/a"), path("/p/b")];
    let released = table.release(&one, &all, None).unwrap();
    assert_eq!(released.len(), 1, "not the parent's");
    take(&mut table, &one, &["/p/b"]);
    assert_eq!(table.release(&parent, &all, None).unwrap().len(), 2);
    assert_eq!(table.release(&parent, &all, None), Ok(vec![]));
}

#[test]
fn an_old_epoch_is_refused_and_never_comes_back() {
    let mut table = LockTable::new(7);
    let (ann, bob) = (session(1), session(2));
    let old = take(&mut table, &ann, &["/p/a"])[0];
    assert_eq!(table.next_expiry(), Some(LOCK_TTL_MS));
    assert_eq!(table.expire(at(LOCK_TTL_MS - 1)), []);
    assert_eq!(table.expire(at(LOCK_TTL_MS)).len(), 1);
    assert_eq!(table.release(&ann, &[path("/p/a")], Some(old)), Ok(vec![]));
    let new = take(&mut table, &bob, &["/p/a"])[0];
    assert!(new > old);
    assert_eq!(
        table.release(&ann, &[path("/p/a")], Some(old)),
        Err(Refusal::StaleEpoch {
            given: old,
            current: Some(new)
        })
    );
    assert!(table.by_epoch(old).is_none() && table.by_epoch(new).is_some());
}

#[test]
fn a_restart_keeps_locks_gives_a_full_lease_and_goes_on_counting() {
    let mut table = LockTable::new(7);
    take(&mut table, &session(1), &["/p/a"]);
    let lock = table.iter().next().unwrap().clone();
    let mut next = LockTable::new(8);
    next.restore(lock.clone(), at(5));
    assert_eq!(next.next_expiry(), Some(5 + LOCK_TTL_MS));
    let epoch = take(&mut next, &session(2), &["/p/b"])[0];
    assert!(epoch > lock.epoch && epoch.generation == 8);

    let mut rebuilt = LockTable::new(7);
    rebuilt.restore(lock.clone(), at(5));
    assert!(take(&mut rebuilt, &session(2), &["/p/b"])[0] > lock.epoch);
    let mut behind = LockTable::new(6);
    behind.restore(lock.clone(), at(5));
    assert!(take(&mut behind, &session(2), &["/p/b"])[0] > lock.epoch);

    next.forget_locks();
    assert!(next.is_empty() && next.next_expiry().is_none());
    assert!(take(&mut next, &session(2), &["/p/b"])[0] > epoch);
}

#[test]
fn who_comes_first_is_served_first() {
    let mut table = LockTable::new(7);
    let (ann, bob, cid) = (session(1), session(2), session(3));
    take(&mut table, &ann, &["/p/a"]);
    let bobs = table.enqueue(request(&bob, &["/p/*"]), at(10)).unwrap();
    let cids = table.enqueue(request(&cid, &["/p/b"]), at(20)).unwrap();
    assert_eq!((table.place(bobs), table.place(cids)), (Some(1), Some(2)));
    let refusal = table
        .acquire(&request(&cid, &["/p/c"]), at(30))
        .unwrap_err();
    let Refusal::Locked(ways) = &refusal else {
        panic!("{refusal:?}");
    };
    assert_eq!(ways[0].owner, bob, "an earlier waiter comes first");
    assert_eq!(ways[0].until_wall_ms, 1_000_010 + LOCK_WAIT_MS_MAX);
    assert!(table.acquire(&request(&cid, &["/q/c"]), at(30)).is_ok());
    let lock = table.iter().next().unwrap().clone();
    assert_eq!(table.waiting_for(&lock), [bob]);

    assert!(table.promote(at(40)).is_empty());
    table.release(&ann, &[path("/p/a")], None).unwrap();
    let served: Vec<Ticket> = table.promote(at(50)).into_iter().map(|(t, _)| t).collect();
    assert_eq!(served, [bobs]);
    assert_eq!((table.place(bobs), table.place(cids)), (None, Some(1)));
    assert_eq!(table.release_all(SessionId(2), false).len(), 1);
    assert_eq!(table.promote(at(60))[0].0, cids);
}

#[test]
fn a_wait_that_would_close_a_circle_is_refused_at_once() {
    let mut table = LockTable::new(7);
    let (ann, bob) = (session(1), session(2));
    take(&mut table, &ann, &["/p/a"]);
    take(&mut table, &bob, &["/p/b"]);
    let waits = table.enqueue(request(&ann, &["/p/b"]), at(0)).unwrap();
    let refusal = table.enqueue(request(&bob, &["/p/a"]), at(0)).unwrap_err();
    assert_eq!(in_the_way(refusal), [ann]);
    let gave_up = table.leave(waits, at(0)).expect("it still waited");
    assert_eq!(in_the_way(gave_up), core::slice::from_ref(&bob));
    assert!(table.enqueue(request(&bob, &["/p/a"]), at(0)).is_ok());
}

#[test]
fn the_end_of_a_turn_spares_what_is_kept_and_the_end_of_a_session_nothing() {
    let mut table = LockTable::new(7);
    let ann = session(1);
    take(&mut table, &ann, &["/p/a"]);
    take(&mut table, &agent(1, "one"), &["/p/c"]);
    let keep = Request {
        keep: true,
        ..request(&ann, &["/p/b"])
    };
    table.acquire(&keep, at(0)).unwrap();
    take(&mut table, &session(2), &["/p/d"]);
    let waits = table.enqueue(request(&ann, &["/p/d"]), at(0)).unwrap();
    assert_eq!(table.release_agent(&agent(1, "one")).len(), 1);
    let ended = table.release_all(SessionId(1), true);
    assert_eq!(ended[0].shown, "/p/a");
    assert!(table.place(waits).is_some());
    assert_eq!(table.release_all(SessionId(1), false).len(), 1);
    assert!(table.place(waits).is_none());
    assert_eq!(table.break_locks(&[path("/p/d"), path("/p/e")]).len(), 1);
}

#[test]
fn requests_of_a_wrong_form_and_too_many_locks_are_refused() {
    let mut table = LockTable::new(7);
    let ann = session(1);
    let none = table.acquire(&request(&ann, &[]), at(0));
    assert!(matches!(none, Err(Refusal::Invalid { .. })));
    for ttl_ms in [0, u64::MAX] {
        let odd = Request {
            ttl_ms,
            ..request(&ann, &["/p/a"])
        };
        assert!(table.acquire(&odd, at(0)).is_err());
    }
    let many = vec!["/p/a"; 65];
    assert!(table.acquire(&request(&ann, &many), at(0)).is_err());
    for n in 0..LOCKS_PER_SESSION_MAX {
        take(&mut table, &ann, &[&alloc::format!("/p/{n}")]);
    }
    let full = table.acquire(&request(&ann, &["/p/a"]), at(0));
    assert!(matches!(full, Err(Refusal::Limit { .. })));
    take(&mut table, &ann, &["/p/7"]);
}
