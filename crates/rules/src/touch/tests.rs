use alloc::{format, string::ToString};

use super::{Content, TouchLog};
use crate::{
    Now, Refusal,
    limits::{CHANGES_PER_FILE_MAX, NOTE_AGE_MS_MAX, READERS_PER_FILE_MAX, TOUCHED_FILES_MAX},
    session::{Owner, SessionId},
};

const FILE: &str = "/p/auth.ts";
const V1: Content = Content::Hash(1);
const V2: Content = Content::Hash(2);
const V3: Content = Content::Hash(3);

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

fn change(log: &mut TouchLog, owner: &Owner, content: Content, now: Now) {
    log.changed(FILE, "auth.ts", owner, content, now);
}

#[test]
fn a_write_over_anothers_change_is_refused_once() {
    let mut log = TouchLog::new();
    let (ann, bob) = (session(1), session(2));
    log.saw(FILE, &ann, V1, at(1));
    assert_eq!(log.judge_overwrite(FILE, &ann, V1), Ok(()));
    change(&mut log, &bob, V2, at(5));
    assert_eq!(
        log.judge_overwrite(FILE, &ann, V2),
        Err(Refusal::StaleWrite {
            file: "auth.ts".into(),
            by: bob.clone(),
            at_wall_ms: 1_000_005
        })
    );
    assert_eq!(log.judge_overwrite(FILE, &ann, V2), Ok(()), "said once");
    change(&mut log, &bob, V3, at(6));
    assert!(log.judge_overwrite(FILE, &ann, V3).is_err(), "news again");
    log.saw(FILE, &ann, V3, at(7));
    change(&mut log, &ann, V1, at(8));
    assert_eq!(log.judge_overwrite(FILE, &ann, V1), Ok(()));
    assert_eq!(log.judge_overwrite(FILE, &bob, Content::Absent), Ok(()));
    assert!(log.judge_overwrite(FILE, &bob, V1).is_err());
}

#[test]
fn who_never_looked_has_not_seen_it() {
    let mut log = TouchLog::new();
    change(&mut log, &session(2), V2, at(5));
    assert!(log.judge_overwrite(FILE, &session(1), V2).is_err());
    assert_eq!(log.judge_overwrite("/p/other", &session(1), V2), Ok(()));
}

#[test]
fn a_persons_change_refuses_nobody() {
    let mut log = TouchLog::new();
    let ann = session(1);
    change(&mut log, &session(2), V1, at(1));
    log.saw(FILE, &ann, V1, at(2));
    assert_eq!(log.judge_overwrite(FILE, &ann, V2), Ok(()));
    assert_eq!(log.note_before_edit(FILE, &ann, at(3)), None);
}

#[test]
fn what_was_put_back_is_what_was_seen() {
    let mut log = TouchLog::new();
    let ann = session(1);
    log.saw(FILE, &ann, V1, at(1));
    change(&mut log, &session(2), V2, at(2));
    assert_eq!(log.judge_overwrite(FILE, &ann, V1), Ok(()));
}

#[test]
fn a_formatter_over_anothers_change_does_not_hide_it() {
    let mut log = TouchLog::new();
    let ann = session(1);
    log.saw(FILE, &ann, V1, at(1));
    change(&mut log, &session(2), V2, at(2));
    assert!(log.judge_overwrite(FILE, &ann, V3).is_err());
}

#[test]
fn subagents_contend_with_each_other_and_not_with_their_parent() {
    let mut log = TouchLog::new();
    let (parent, one, two) = (session(1), agent(1, "one"), agent(1, "two"));
    change(&mut log, &session(2), V1, at(1));
    log.saw(FILE, &parent, V1, at(2));
    log.saw(FILE, &two, V1, at(2));
    change(&mut log, &one, V2, at(3));
    assert_eq!(log.judge_overwrite(FILE, &parent, V2), Ok(()));
    assert_eq!(log.note_before_edit(FILE, &parent, at(4)), None);
    assert!(log.judge_overwrite(FILE, &two, V2).is_err());
    assert_eq!(log.note_before_edit(FILE, &two, at(4)).unwrap().by, one);
}

#[test]
fn a_note_is_given_once_and_only_while_it_is_news() {
    let mut log = TouchLog::new();
    let (ann, bob) = (session(1), session(2));
    assert_eq!(log.note_before_edit(FILE, &ann, at(0)), None);
    change(&mut log, &bob, V1, at(5));
    let note = log.note_before_edit(FILE, &ann, at(9)).expect("a note");
    assert_eq!((note.file.as_str(), note.shown.as_str()), (FILE, "auth.ts"));
    assert_eq!((note.by, note.at), (bob.clone(), at(5)));
    assert_eq!(log.note_before_edit(FILE, &ann, at(9)), None, "once");
    change(&mut log, &bob, V2, at(10));
    log.saw(FILE, &ann, V2, at(11));
    assert_eq!(log.note_before_edit(FILE, &ann, at(12)), None, "seen");
    change(&mut log, &bob, V3, at(20));
    let late = at(20 + NOTE_AGE_MS_MAX + 1);
    assert_eq!(log.note_before_edit(FILE, &ann, late), None, "old");
    assert_eq!(log.note_before_edit(FILE, &bob, at(21)), None, "one's own");
}

#[test]
fn it_is_known_who_saw_what_last() {
    let mut log = TouchLog::new();
    let (ann, bob) = (session(1), session(2));
    assert_eq!(log.readers(FILE).count(), 0);
    log.saw(FILE, &ann, V1, at(1));
    log.saw(FILE, &bob, V1, at(1));
    change(&mut log, &bob, V2, at(2));
    assert!(log.judge_overwrite(FILE, &session(3), V2).is_err());
    let readers: alloc::vec::Vec<_> = log.readers(FILE).collect();
    assert_eq!(
        readers,
        [(&ann, V1), (&bob, V2)],
        "who never looked has not"
    );
    assert_eq!(log.seen(FILE, &bob), Some(V2));
    assert_eq!(log.seen(FILE, &session(3)), None);
    assert_eq!(log.seen("/p/other", &ann), None);
}

#[test]
fn a_session_is_asked_what_it_changed() {
    let mut log = TouchLog::new();
    let (ann, her_agent) = (session(1), agent(1, "one"));
    log.changed("/p/a", "a", &ann, V1, at(1));
    log.changed("/p/b", "b", &her_agent, V1, at(2));
    log.changed("/p/a", "a", &her_agent, V2, at(3));
    log.changed("/p/c", "c", &session(2), V1, at(4));
    let both = [("/p/a".to_string(), at(3)), ("/p/b".to_string(), at(2))];
    assert_eq!(log.changed_by(SessionId(1), 9), both);
    assert_eq!(log.changed_by(SessionId(1), 1), both[..1]);
}

#[test]
fn the_end_of_a_session_forgets_what_it_saw_and_not_what_it_did() {
    let mut log = TouchLog::new();
    let (ann, bob) = (session(1), session(2));
    change(&mut log, &bob, V1, at(1));
    log.saw(FILE, &ann, V1, at(2));
    log.forget_reader(SessionId(1));
    log.forget_reader(SessionId(2));
    assert_eq!(log.note_before_edit(FILE, &ann, at(3)).unwrap().by, bob);
    assert_eq!(log.changed_by(SessionId(2), 9).len(), 1);
}

#[test]
fn memory_is_bounded_and_the_longest_untouched_goes() {
    let mut log = TouchLog::new();
    let name = |n: usize| format!("/p/{n}");
    for n in 0..TOUCHED_FILES_MAX {
        log.changed(&name(n), "f", &session(1), V1, at(1));
    }
    log.saw(&name(0), &session(2), V1, at(2));
    log.changed("/p/new", "f", &session(1), V1, at(3));
    let known = |log: &mut TouchLog, n| log.judge_overwrite(&name(n), &session(3), V2).is_err();
    assert!(known(&mut log, 0) && !known(&mut log, 1) && known(&mut log, 2));
    assert_eq!(log.files.len(), TOUCHED_FILES_MAX);
    assert_eq!(log.by_touch.len(), TOUCHED_FILES_MAX);
    assert_eq!(log.by_changer.len(), TOUCHED_FILES_MAX);

    for n in 0..2 * READERS_PER_FILE_MAX as u128 {
        change(&mut log, &session(n), V2, at(4));
    }
    let (_, file) = log.find(FILE).expect("it was changed");
    assert_eq!(file.readers.len(), READERS_PER_FILE_MAX);
    assert_eq!(file.changes.len(), CHANGES_PER_FILE_MAX);
    change(&mut log, &session(1), V3, at(5));
    let changes = log.files.values().map(|file| file.changes.len());
    assert_eq!(log.by_changer.len(), changes.sum::<usize>());
}

#[test]
fn what_is_committed_and_then_changed_by_nobody_is_nobodys() {
    let mut log = TouchLog::new();
    let (ann, bob) = (session(1), session(2));
    change(&mut log, &ann, V1, at(1));
    change(&mut log, &bob, V2, at(2));
    change(&mut log, &ann, V3, at(3));
    assert_eq!(log.latest_change(FILE), Some((&ann, at(3))));
    log.disown(FILE);
    assert_eq!(log.latest_change(FILE), None);
    assert!(log.changers(FILE).is_empty());
    assert!(log.by_changer.is_empty());
    assert_eq!(log.note_before_edit(FILE, &bob, at(4)), None);
    log.disown("/p/unknown");
    change(&mut log, &bob, V1, at(5));
    assert_eq!(log.latest_change(FILE), Some((&bob, at(5))));
}
