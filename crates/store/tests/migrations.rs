//! Old bytes stay readable: a store of every released schema opens and shows the same facts.

use std::path::Path;

use kite_rules::{
    Now,
    lock::Epoch,
    pattern::Target,
    session::{Kind, Owner, Process, SessionId, State},
    task::{self, LateResult, TaskId},
};
use kite_store::{Options, Page, SqliteStore, Store};

const NOW: Now = Now {
    wall_ms: 1_800_000_100_000,
    mono_ms: 5_000,
};

/// Makes the file as that schema's Kite left it.
fn restore(dump: &str, directory: &Path) {
    let connection = rusqlite::Connection::open(directory.join("store.db")).unwrap();
    connection.execute_batch(dump).unwrap();
}

#[test]
fn schema_1_opens() {
    opens(include_str!("schema/1.sql"), None);
}

#[test]
fn schema_2_opens() {
    opens(include_str!("schema/2.sql"), Some(r#"{"state":"running"}"#));
}

fn opens(dump: &str, document: Option<&str>) {
    let directory = tempfile::tempdir().unwrap();
    restore(dump, directory.path());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let store = SqliteStore::open(Options::new(directory.path(), "boot-a", NOW)).unwrap();
    let facts = store.read(|l| l.facts());

    let session = &facts.sessions[&SessionId(0x1111_1111_1111_1111_1111_1111_1111_1111)];
    assert_eq!((session.kind, session.state), (Kind::Agent, State::Idle));
    assert_eq!(
        session.process,
        Some(Process {
            pid: 4_242,
            started: 987_654
        })
    );
    assert_eq!(session.intent.as_deref(), Some("Add OAuth login"));
    assert_eq!(session.seen.wall_ms, 1_800_000_000_500);

    let epoch = Epoch {
        generation: 1_800_000_000_000,
        counter: 7,
    };
    let lock = &facts.locks[&epoch];
    assert_eq!(lock.target, Target::Glob("/work/repo/src/*.rs".to_owned()));
    assert_eq!(
        lock.expires_mono_ms(),
        NOW.mono_ms + 1_800_000,
        "a full lease from now"
    );

    let claimed = &facts.tasks[&1];
    assert_eq!(
        claimed.id,
        TaskId(0x1a2b_3c4d_0000_0000_0000_0000_0000_0001)
    );
    let owner = Owner {
        session: session.id,
        agent: Some("sub-1".to_owned()),
    };
    assert_eq!(
        (claimed.state, claimed.owner.as_ref()),
        (task::State::Claimed, Some(&owner))
    );
    assert_eq!(claimed.reasons, ["its process died"]);
    let late = LateResult {
        attempt: 1,
        session: session.id,
        result: "late".to_owned(),
        at_wall_ms: 1_800_000_000_400,
    };
    assert_eq!(claimed.late_results, [late]);
    let name = Target::Name {
        project: "p".to_owned(),
        name: "deploy".to_owned(),
    };
    assert_eq!(claimed.paths, [(name, "deploy".to_owned())]);
    assert_eq!(facts.tasks[&2].depends_on, [claimed.id]);
    assert_eq!(facts.tally["refused"], 3);
    assert_eq!(facts.documents.get("agent", "a1"), document);

    runtime.block_on(async {
        assert_eq!(
            store.answered("op-1").await,
            Ok(Some(b"Task created".to_vec()))
        );
        let Ok(Page::Changes(rows)) = store.changes(41, 10).await else {
            panic!("the feed goes on where it was")
        };
        assert_eq!((rows[0].seq, rows[0].what.as_str()), (42, "claimed"));
        store.close().await.unwrap();
    });
}
