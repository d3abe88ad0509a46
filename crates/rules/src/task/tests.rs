use alloc::{format, string::String, string::ToString, vec, vec::Vec};

use super::{NewTask, Priority, State, Task, TaskGraph, TaskId};
use crate::{
    Now, Refusal,
    limits::{ATTEMPTS_MAX, CLAIM_LOOKAHEAD, NOTES_PER_TASK_MAX, TITLE_CHARS_MAX},
    pattern::Target,
    session::{Owner, SessionId},
};

const NOW: Now = Now {
    wall_ms: 1_000_000,
    mono_ms: 10,
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

/// An id that begins with this number in hexadecimal.
fn id(n: u128) -> TaskId {
    TaskId(n << 96)
}

fn titled(title: &str) -> NewTask {
    NewTask {
        project: "/p".into(),
        title: title.into(),
        ..NewTask::default()
    }
}

fn after(title: &str, on: &[TaskId]) -> NewTask {
    NewTask {
        depends_on: on.iter().map(ToString::to_string).collect(),
        ..titled(title)
    }
}

/// A graph with tasks 1, 2, ... with these titles.
fn graph(titles: &[&str]) -> TaskGraph {
    let mut graph = TaskGraph::new();
    for (n, title) in titles.iter().enumerate() {
        graph.create(id(n as u128 + 1), titled(title), NOW).unwrap();
    }
    graph
}

fn task(graph: &TaskGraph, n: u128) -> &Task {
    graph.get(id(n)).unwrap()
}

fn complete(graph: &mut TaskGraph, n: u128, owner: &Owner) -> Vec<TaskId> {
    graph
        .complete(id(n), owner, None, Some("done".into()), NOW)
        .unwrap()
        .woken
}

#[test]
fn next_is_by_priority_and_then_by_age() {
    let mut graph = graph(&["first", "second"]);
    for (n, priority) in [(3, Priority::Low), (4, Priority::High)] {
        let new = NewTask {
            priority,
            ..titled("more")
        };
        graph.create(id(n), new, NOW).unwrap();
    }
    let ann = session(1);
    let order: Vec<TaskId> = (0..4)
        .map(|_| graph.claim_next("/p", &ann, true, NOW).unwrap().task)
        .collect();
    assert_eq!(order, [id(4), id(1), id(2), id(3)]);
    assert_eq!(
        graph.claim_next("/p", &ann, true, NOW),
        Err(Refusal::NothingReady {
            blocked: 0,
            claimed: 4
        })
    );
    let again = graph.claim_next("/p", &ann, false, NOW).unwrap();
    assert!(again.repeated && again.task == id(1));
    assert_eq!(graph.claimed_by(SessionId(1)).len(), 4);
    assert!(graph.claim_next("/q", &ann, false, NOW).is_err());
}

#[test]
fn a_claim_has_one_winner_and_kin_repeat_it() {
    let mut graph = graph(&["first"]);
    let ann = session(1);
    assert!(!graph.claim(id(1), &ann, NOW).unwrap().repeated);
    assert_eq!(task(&graph, 1).attempt, 1);
    assert_eq!(
        graph.claim(id(1), &session(2), NOW),
        Err(Refusal::AlreadyClaimed {
            task: id(1),
            by: ann.clone(),
            since_wall_ms: 1_000_000
        })
    );
    assert!(graph.claim(id(1), &agent(1, "one"), NOW).unwrap().repeated);
    assert_eq!(task(&graph, 1).owner, Some(ann.clone()));
    assert!(
        graph
            .claim_next("/p", &agent(1, "one"), false, NOW)
            .is_err(),
        "next is not the parent's"
    );
    assert_eq!(complete(&mut graph, 1, &agent(1, "one")), []);
    let again = graph.complete(id(1), &ann, Some(1), None, NOW).unwrap();
    assert!(again.repeated);
    assert_eq!(task(&graph, 1).result.as_deref(), Some("done"));
    assert_eq!(
        graph.claim(id(1), &ann, NOW),
        Err(Refusal::NotReady {
            task: id(1),
            state: State::Done,
            waits_for: vec![]
        })
    );
}

#[test]
fn finishing_wakes_those_who_wait_for_nothing_else() {
    let mut graph = graph(&["a", "b"]);
    graph
        .create(id(3), after("c", &[id(1), id(2)]), NOW)
        .unwrap();
    graph.create(id(4), after("d", &[id(1)]), NOW).unwrap();
    let ann = session(1);
    assert_eq!(
        graph.claim(id(3), &ann, NOW),
        Err(Refusal::NotReady {
            task: id(3),
            state: State::Blocked,
            waits_for: vec![id(1), id(2)]
        })
    );
    graph.claim(id(1), &ann, NOW).unwrap();
    assert_eq!(complete(&mut graph, 1, &ann), [id(4)]);
    assert_eq!(graph.counts(Some("/p")), [1, 2, 0, 1, 0, 0]);
    graph.cancel(id(2), Some("no need".into()), NOW).unwrap();
    assert_eq!(task(&graph, 3).state, State::Blocked, "it stays blocked");
    assert_eq!(graph.counts(None), [1, 1, 0, 1, 0, 1]);
    graph.create(id(5), after("e", &[id(1)]), NOW).unwrap();
    assert_eq!(task(&graph, 5).state, State::Ready, "done counts as met");
}

#[test]
fn a_late_result_is_kept_and_changes_nothing() {
    let mut graph = graph(&["a"]);
    let (ann, bob) = (session(1), session(2));
    graph.claim(id(1), &ann, NOW).unwrap();
    let orphaned = graph.orphan(SessionId(1), "killed", NOW);
    assert_eq!(orphaned[0].woken, [id(1)]);
    assert_eq!(task(&graph, 1).reasons, ["attempt 1 by 00000000: killed"]);

    // Taken away, though nobody else has it yet; then by an older attempt.
    for current in [1, 2] {
        let late = graph.complete(id(1), &ann, Some(1), Some("late".into()), NOW);
        assert_eq!(
            late,
            Err(Refusal::StaleAttempt {
                task: id(1),
                given: 1,
                current,
                kept: true
            })
        );
        if current == 1 {
            assert!(graph.complete(id(1), &ann, None, None, NOW).is_err());
            graph.claim(id(1), &bob, NOW).unwrap();
        }
    }
    assert_eq!(task(&graph, 1).late_results.len(), 1, "the same once");
    assert!(
        graph
            .release(id(1), &ann, Some(1), None, true, NOW)
            .is_err()
    );
    assert!(graph.complete(id(1), &bob, Some(3), None, NOW).is_err());
    assert!(graph.complete(id(1), &ann, Some(2), None, NOW).is_err());
    assert_eq!(task(&graph, 1).state, State::Claimed);
    for n in 0..2 * NOTES_PER_TASK_MAX {
        let result = Some(format!("late {n}"));
        graph
            .complete(id(1), &ann, Some(1), result, NOW)
            .unwrap_err();
    }
    assert_eq!(task(&graph, 1).late_results.len(), NOTES_PER_TASK_MAX);
    complete(&mut graph, 1, &bob);
    assert_eq!(task(&graph, 1).result.as_deref(), Some("done"));
}

#[test]
fn a_task_fails_after_so_many_deaths_with_the_reasons() {
    let mut graph = graph(&["a"]);
    for n in 1..=u128::from(ATTEMPTS_MAX) {
        assert_eq!(task(&graph, 1).state, State::Ready);
        graph.claim(id(1), &agent(n, "one"), NOW).unwrap();
        graph.orphan(SessionId(n), "killed", NOW);
    }
    assert_eq!(task(&graph, 1).state, State::Failed);
    assert_eq!(task(&graph, 1).reasons.len(), ATTEMPTS_MAX as usize);
    assert!(graph.orphan(SessionId(1), "killed", NOW).is_empty());
}

#[test]
fn what_is_given_back_is_ready_and_what_failed_is_over() {
    let mut graph = graph(&["a"]);
    let ann = session(1);
    graph.claim(id(1), &ann, NOW).unwrap();
    assert!(
        graph
            .release(id(1), &session(2), None, None, false, NOW)
            .is_err()
    );
    let back = graph.release(id(1), &ann, Some(1), Some("busy".into()), false, NOW);
    assert_eq!(back.unwrap().woken, [id(1)]);
    assert_eq!(
        graph.release(id(1), &ann, None, None, false, NOW),
        Err(Refusal::NotClaimed {
            task: id(1),
            state: State::Ready
        })
    );
    assert_eq!(
        graph.claim_next("/p", &ann, false, NOW).unwrap().task,
        id(1)
    );
    assert_eq!(task(&graph, 1).attempt, 2);
    let failed = |graph: &mut TaskGraph| graph.release(id(1), &ann, Some(2), None, true, NOW);
    assert!(!failed(&mut graph).unwrap().repeated);
    assert!(failed(&mut graph).unwrap().repeated);
    assert!(graph.cancel(id(1), None, NOW).is_err());
    assert_eq!(task(&graph, 1).reasons, ["busy"]);
}

#[test]
fn next_avoids_files_that_others_work_on() {
    let on = |title: &str, glob: &str| NewTask {
        paths: vec![(Target::Glob(glob.into()), glob.into())],
        ..titled(title)
    };
    let mut graph = TaskGraph::new();
    graph.create(id(1), on("a", "/p/src/**"), NOW).unwrap();
    graph.create(id(2), on("b", "/p/**/a.rs"), NOW).unwrap();
    graph.create(id(3), on("c", "/p/doc/*"), NOW).unwrap();
    let (ann, bob) = (session(1), session(2));
    let next =
        |graph: &mut TaskGraph, owner| graph.claim_next("/p", owner, true, NOW).unwrap().task;
    assert_eq!(next(&mut graph, &ann), id(1));
    assert_eq!(next(&mut graph, &bob), id(3), "not b, which overlaps a");
    assert_eq!(
        next(&mut graph, &bob),
        id(2),
        "the first if nothing is free"
    );

    let mut crowd = TaskGraph::new();
    for n in 1..=CLAIM_LOOKAHEAD as u128 + 1 {
        crowd
            .create(id(n), on(&format!("{n}"), "/p/same"), NOW)
            .unwrap();
    }
    crowd.create(id(99), on("free", "/p/other"), NOW).unwrap();
    next(&mut crowd, &ann);
    assert_eq!(next(&mut crowd, &bob), id(2), "only so many are looked at");
}

#[test]
fn identical_creation_finds_the_task_and_a_similar_one_is_named() {
    let mut graph = graph(&["Add OAuth login"]);
    let again = graph
        .create(id(2), titled("  Add OAuth login\n"), NOW)
        .unwrap();
    assert!(again.repeated && again.task == id(1) && again.touched.is_empty());
    let other = NewTask {
        description: Some("with Google".into()),
        ..titled("Add OAuth login")
    };
    let similar = graph.create(id(2), other.clone(), NOW).unwrap();
    assert_eq!((similar.task, similar.similar), (id(2), Some(id(1))));
    graph.cancel(id(1), None, NOW).unwrap();
    graph.cancel(id(2), None, NOW).unwrap();
    let fresh = graph.create(id(3), other, NOW).unwrap();
    assert_eq!((fresh.repeated, fresh.similar), (false, None));
}

#[test]
fn circles_are_refused_and_named() {
    let mut graph = graph(&["a", "b", "c"]);
    assert!(!graph.add_dependency(id(1), id(2)).unwrap().repeated);
    assert!(graph.add_dependency(id(1), id(2)).unwrap().repeated);
    graph.add_dependency(id(2), id(3)).unwrap();
    assert_eq!(
        graph.add_dependency(id(3), id(1)),
        Err(Refusal::DependencyCycle(vec![id(3), id(1), id(2)]))
    );
    assert_eq!(
        graph.add_dependency(id(3), id(3)),
        Err(Refusal::DependencyCycle(vec![id(3)]))
    );
    assert_eq!(
        graph.create(id(9), after("d", &[id(9)]), NOW),
        Err(Refusal::DependencyCycle(vec![id(9)]))
    );
    assert_eq!(graph.counts(None), [2, 1, 0, 0, 0, 0]);
}

#[test]
fn a_task_is_found_by_a_unique_beginning() {
    let mut graph = TaskGraph::new();
    for n in [0x1a2b_3c4d, 0x1a2b_3c4e, 0xffff_ffff] {
        graph.create(id(n), titled(&format!("{n}")), NOW).unwrap();
    }
    assert_eq!(graph.find("1a2b3c4d"), Ok(id(0x1a2b_3c4d)));
    assert_eq!(graph.find("FFFF"), Ok(id(0xffff_ffff)));
    assert_eq!(
        graph.find(&id(0xffff_ffff).to_string()),
        Ok(id(0xffff_ffff))
    );
    assert_eq!(
        graph.find("1a2b"),
        Err(Refusal::AmbiguousTask {
            given: "1a2b".into(),
            candidates: vec![id(0x1a2b_3c4d), id(0x1a2b_3c4e)]
        })
    );
    assert!(matches!(graph.find("1a2"), Err(Refusal::Invalid { .. })));
    assert_eq!(
        graph.find("1a2b3fff"),
        Err(Refusal::UnknownTask {
            given: "1a2b3fff".into(),
            near: vec![id(0x1a2b_3c4d), id(0x1a2b_3c4e)]
        })
    );
    graph.create(id(8), titled("Add login"), NOW).unwrap();
    assert_eq!(
        graph.find("Add login"),
        Err(Refusal::UnknownTask {
            given: "Add login".into(),
            near: vec![id(8)]
        })
    );
    let odd = graph.create(id(7), after("x", &[id(0x1a2b_ffff)]), NOW);
    assert!(matches!(odd, Err(Refusal::UnknownTask { near, .. }) if near.len() == 2));
}

#[test]
fn wrong_texts_and_foreign_dependencies_are_refused() {
    let mut graph = graph(&["a"]);
    let mut refused = |new: NewTask| graph.create(id(9), new, NOW).expect_err("refused");
    assert!(matches!(refused(titled(" \n")), Refusal::Invalid { .. }));
    let long = "x".repeat(TITLE_CHARS_MAX + 1);
    assert!(matches!(refused(titled(&long)), Refusal::Limit { .. }));
    let foreign = NewTask {
        project: "/q".into(),
        ..after("b", &[id(1)])
    };
    assert!(matches!(refused(foreign), Refusal::Invalid { .. }));
    let bad_path = NewTask {
        paths: vec![(Target::Glob("/p/[".into()), "[".into())],
        ..titled("b")
    };
    assert!(matches!(refused(bad_path), Refusal::Invalid { .. }));
    let unknown = graph.claim(id(9), &session(1), NOW);
    assert!(matches!(unknown, Err(Refusal::UnknownTask { .. })));
}

#[test]
fn pages_go_by_number_over_several_states() {
    let mut graph = graph(&["a", "b", "c", "d"]);
    graph.claim(id(2), &session(1), NOW).unwrap();
    graph.cancel(id(3), None, NOW).unwrap();
    let page = |states: &[State], after: u64, limit: usize| -> Vec<String> {
        graph
            .page(Some("/p"), states, after, limit)
            .map(|task| task.title.clone())
            .collect()
    };
    let open = [State::Ready, State::Claimed];
    assert_eq!(page(&open, 0, 2), ["a", "b"]);
    assert_eq!(page(&open, 2, 2), ["d"]);
    assert_eq!(page(&[State::Cancelled], 0, 2), ["c"]);
    assert_eq!(graph.page(None, &open, 0, 9).count(), 3);
    assert_eq!(graph.page(Some("/q"), &open, 0, 9).count(), 0);
}

#[test]
fn a_restored_graph_goes_on_where_it_was() {
    let mut graph = graph(&["a", "b"]);
    graph
        .create(id(3), after("c", &[id(1), id(2)]), NOW)
        .unwrap();
    let ann = session(1);
    graph.claim(id(1), &ann, NOW).unwrap();
    complete(&mut graph, 1, &ann);
    graph.claim(id(2), &ann, NOW).unwrap();

    let mut restored = TaskGraph::new();
    let mut records: Vec<Task> = graph.iter().cloned().collect();
    records.reverse();
    records.into_iter().for_each(|task| restored.restore(task));
    restored.rewire();
    assert_eq!(restored.counts(None), graph.counts(None));
    assert!(restored.iter().eq(graph.iter()));
    assert_eq!(restored.claimed_by(SessionId(1)), [id(2)]);
    assert_eq!(complete(&mut restored, 2, &ann), [id(3)]);
    let next = restored.create(id(4), titled("d"), NOW).unwrap().task;
    assert_eq!(restored.get(next).unwrap().number, 4);
}
