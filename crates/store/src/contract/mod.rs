//! What every engine must do: stories told to any [`Store`], with the same ending.
//!
//! An engine's own tests say how it is opened ([`Engine`]) and call [`run`]. The stories assert;
//! they know nothing of how an engine keeps what it keeps.

mod documents;
mod feed;
mod locks;
mod sessions;
mod tasks;

use kite_rules::{
    Now,
    lock::Request,
    pattern::Target,
    session::{Kind, Owner, Process, Session, SessionId},
    task::{NewTask, TaskId},
};

use crate::{Acquired, Change, Page, Store, StoreError};

/// How an engine is opened.
#[expect(
    async_fn_in_trait,
    reason = "the suite runs on one thread; no bounds are wanted"
)]
pub trait Engine {
    type Store: Store;

    /// An empty store.
    async fn fresh(&self, now: Now) -> Self::Store;

    /// Closes a store and opens again what it has kept. `None` where nothing outlives a store.
    async fn reopen(&self, store: Self::Store, now: Now) -> Option<Self::Store>;

    /// Like `reopen`, after the machine itself has restarted.
    async fn reboot(&self, store: Self::Store, now: Now) -> Option<Self::Store>;
}

/// Tells all stories.
///
/// # Panics
///
/// Where the engine breaks the contract.
pub async fn run(engine: &impl Engine) {
    sessions::are_found_again_by_their_process(engine).await;
    sessions::keep_their_attributes_and_only_what_changed_is_told(engine).await;
    sessions::that_end_give_everything_back(engine).await;
    sessions::end_when_the_machine_restarts(engine).await;
    sessions::that_are_gone_can_take_nothing(engine).await;
    locks::are_granted_all_or_none(engine).await;
    locks::that_are_held_are_granted_again_unchanged(engine).await;
    locks::go_to_those_who_wait_in_order(engine).await;
    locks::that_run_out_go_to_the_next(engine).await;
    locks::are_released_in_every_way(engine).await;
    locks::of_a_left_place_go_to_the_next_behind_it(engine).await;
    locks::have_epochs_that_never_come_twice(engine).await;
    tasks::live_their_life(engine).await;
    tasks::keep_late_results(engine).await;
    tasks::of_the_dead_come_back_and_then_fail(engine).await;
    tasks::fail_and_are_cancelled(engine).await;
    tasks::come_by_pages(engine).await;
    feed::has_no_gaps_and_goes_on_after_reopening(engine).await;
    feed::says_when_a_cursor_is_of_no_use(engine).await;
    feed::answers_a_repeated_request_as_before(engine).await;
    feed::answers_may_look_at_the_facts(engine).await;
    feed::counters_add_up(engine).await;
    documents::are_kept_whole_or_not_at_all(engine).await;
    feed::closed_means_closed(engine).await;
}

const PROJECT: &str = "/work/repo/.git";

/// The n-th moment of a story: a second apart, on both clocks.
fn at(second: u64) -> Now {
    Now {
        wall_ms: 1_800_000_000_000 + second * 1_000,
        mono_ms: 50_000 + second * 1_000,
    }
}

fn id(n: u128) -> SessionId {
    SessionId(0xabcd_0000_0000_0000_0000_0000_0000_0000 + n)
}

fn task_id(n: u128) -> TaskId {
    TaskId((n << 96) + 0x1111)
}

fn session(n: u32) -> Session {
    Session {
        id: id(n.into()),
        kind: Kind::Agent,
        client: "claude-code".to_owned(),
        client_session_id: Some(format!("claude-{n}")),
        process: Some(Process {
            pid: 1_000 + n,
            started: 77,
        }),
        cwd: "/work/repo".to_owned(),
        project: PROJECT.to_owned(),
        since_wall_ms: at(0).wall_ms,
        ..Session::default()
    }
}

fn owner(n: u128) -> Owner {
    Owner::session(id(n))
}

fn request(who: &Owner, paths: &[&str]) -> Request {
    Request {
        owner: who.clone(),
        project: PROJECT.to_owned(),
        targets: paths
            .iter()
            .map(|path| (Target::Path((*path).to_owned()), (*path).to_owned()))
            .collect(),
        reason: Some("editing".to_owned()),
        ttl_ms: 60_000,
        keep: false,
    }
}

fn new_task(title: &str) -> NewTask {
    NewTask {
        project: PROJECT.to_owned(),
        title: title.to_owned(),
        ..NewTask::default()
    }
}

/// Opens sessions 1 to n.
async fn with_sessions(store: &impl Store, n: u32) {
    for n in 1..=n {
        let opened = store
            .open_session(session(n), at(0))
            .await
            .expect("a session opens");
        assert!(opened.new, "session {n} is new");
    }
}

/// Takes paths that must be free.
async fn take(
    store: &impl Store,
    who: &Owner,
    paths: &[&str],
    now: Now,
) -> Vec<kite_rules::lock::Lock> {
    match store.acquire(request(who, paths), false, now, None).await {
        Ok(Ok(Acquired::Granted(granted))) => granted.locks,
        other => panic!("{paths:?} should be granted, not {other:?}"),
    }
}

/// The whole feed after a cursor, checked to be without gaps.
async fn feed(store: &impl Store, after: u64) -> Result<Vec<Change>, StoreError> {
    let mut rows: Vec<Change> = Vec::new();
    loop {
        let cursor = rows.last().map_or(after, |row| row.seq);
        let Page::Changes(page) = store.changes(cursor, 7).await? else {
            panic!("the cursor {cursor} is within the feed");
        };
        if page.is_empty() {
            return Ok(rows);
        }
        for row in page {
            assert_eq!(
                row.seq,
                rows.last().map_or(after, |row| row.seq) + 1,
                "no gap"
            );
            rows.push(row);
        }
    }
}

/// What happened, as `kind what`.
fn words(rows: &[Change]) -> Vec<String> {
    rows.iter()
        .map(|row| format!("{} {}", row.kind, row.what))
        .collect()
}
