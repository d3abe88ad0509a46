use alloc::{string::String, vec::Vec};

use super::{HoldTable, Ticket};
use crate::{
    Now,
    limits::{HOLD_GRACE_MS, HOLD_TTL_MS},
    refusal::InTheWay,
    session::{Owner, SessionId},
};

const FILE: &str = "/p/a.rs";

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

fn take(
    table: &mut HoldTable,
    owner: &Owner,
    call: &str,
    ticket: Option<Ticket>,
    now: u64,
) -> Result<(), InTheWay> {
    table.take(FILE, "a.rs", owner, call, ticket, at(now))
}

#[test]
fn an_edit_keeps_others_out_until_its_grace_is_over() {
    let mut table = HoldTable::new();
    let (ann, bob) = (session(1), session(2));
    take(&mut table, &ann, "1", None, 0).unwrap();
    let way = take(&mut table, &bob, "2", None, 10).unwrap_err();
    assert_eq!((way.target.as_str(), way.owner), ("a.rs", ann.clone()));
    assert_eq!(way.since_wall_ms, 1_000_000);
    assert_eq!(way.until_wall_ms, 1_000_000 + HOLD_TTL_MS);
    assert!(
        table
            .take("/p/b.rs", "b.rs", &bob, "2", None, at(10))
            .is_ok()
    );

    table.finished(SessionId(1), "1", HOLD_GRACE_MS, at(50));
    assert_eq!(table.next_expiry(), Some(50 + HOLD_GRACE_MS));
    assert!(table.blocking(FILE, &bob, at(49 + HOLD_GRACE_MS)).is_some());
    assert_eq!(table.expire(at(49 + HOLD_GRACE_MS)), Vec::<String>::new());
    assert_eq!(table.expire(at(50 + HOLD_GRACE_MS)), [FILE]);
    take(&mut table, &bob, "3", None, 60 + HOLD_GRACE_MS).unwrap();
}

#[test]
fn what_has_run_out_is_in_nobodys_way() {
    let mut table = HoldTable::new();
    take(&mut table, &session(1), "1", None, 0).unwrap();
    assert!(table.blocking(FILE, &session(2), at(HOLD_TTL_MS)).is_none());
    take(&mut table, &session(2), "2", None, HOLD_TTL_MS).unwrap();
    assert_eq!(table.len(), 2);
    assert_eq!(table.expire(at(HOLD_TTL_MS)), [FILE]);
    assert_eq!(table.iter().next().unwrap().owner, session(2));
}

#[test]
fn a_repeated_take_renews() {
    let mut table = HoldTable::new();
    let ann = session(1);
    take(&mut table, &ann, "1", None, 0).unwrap();
    table.finished(SessionId(1), "1", HOLD_GRACE_MS, at(5));
    take(&mut table, &ann, "1", None, 10).unwrap();
    assert_eq!(table.len(), 1);
    assert_eq!(table.next_expiry(), Some(10 + HOLD_TTL_MS));
    assert_eq!(table.iter().next().unwrap().since, at(0));
}

#[test]
fn who_waits_first_edits_first() {
    let mut table = HoldTable::new();
    let (ann, bob, cid) = (session(1), session(2), session(3));
    take(&mut table, &ann, "1", None, 0).unwrap();
    let bobs = table.wait(FILE, &bob);
    let cids = table.wait(FILE, &cid);
    table.finished(SessionId(1), "1", HOLD_GRACE_MS, at(5));
    assert_eq!(table.settle(&ann, &[]), [FILE]);
    assert_eq!(
        take(&mut table, &ann, "2", None, 6).unwrap_err().owner,
        bob,
        "no newcomer comes before those who wait"
    );
    assert_eq!(
        take(&mut table, &cid, "3", Some(cids), 6)
            .unwrap_err()
            .owner,
        bob
    );
    take(&mut table, &bob, "4", Some(bobs), 6).unwrap();
    assert_eq!(table.drop_call(SessionId(2), "4"), [FILE]);
    table.leave(bobs);
    table.leave(cids);
    take(&mut table, &ann, "2", None, 8).unwrap();
}

#[test]
fn in_the_middle_of_an_edit_nobody_stands_in_line_again() {
    let mut table = HoldTable::new();
    let (ann, bob) = (session(1), session(2));
    take(&mut table, &ann, "1", None, 0).unwrap();
    let _bobs = table.wait(FILE, &bob);
    take(&mut table, &ann, "2", None, 1).unwrap();
    table.finished(SessionId(1), "1", HOLD_GRACE_MS, at(2));
    table.finished(SessionId(1), "2", HOLD_GRACE_MS, at(2));
    assert!(take(&mut table, &ann, "3", None, 3).is_err());
}

#[test]
fn parent_and_subagent_share_and_siblings_take_turns() {
    let mut table = HoldTable::new();
    let (parent, one, two) = (session(1), agent(1, "one"), agent(1, "two"));
    take(&mut table, &parent, "1", None, 0).unwrap();
    take(&mut table, &one, "2", None, 0).unwrap();
    assert_eq!(take(&mut table, &two, "3", None, 0).unwrap_err().owner, one);
    assert_eq!(table.settle(&one, &["2"]), Vec::<String>::new());
    assert_eq!(table.settle(&one, &[]), [FILE]);
    take(&mut table, &two, "3", None, 0).unwrap();
    assert_eq!(table.len(), 2);
}

#[test]
fn the_end_of_a_session_ends_its_holds_and_waits() {
    let mut table = HoldTable::new();
    let (ann, bob) = (session(1), session(2));
    take(&mut table, &agent(1, "one"), "1", None, 0).unwrap();
    let _anns = table.wait("/p/b.rs", &ann);
    assert!(
        table
            .take("/p/b.rs", "b.rs", &bob, "2", None, at(0))
            .is_err()
    );
    assert_eq!(table.drop_session(SessionId(1)), [FILE]);
    assert!(table.is_empty() && table.next_expiry().is_none());
    assert!(
        table
            .take("/p/b.rs", "b.rs", &bob, "2", None, at(0))
            .is_ok()
    );
    table.drop_session(SessionId(2));
    assert!(table.files.is_empty() && table.tickets.is_empty());
}
