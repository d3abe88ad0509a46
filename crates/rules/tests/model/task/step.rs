//! What may happen to tasks.

use kite_rules::{
    pattern::Target,
    session::{Owner, SessionId},
    task::{NewTask, Priority, Task},
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::world::{owner, session};

pub(super) const PROJECTS: [&str; 2] = ["/p", "/q"];

#[derive(Clone, Debug)]
pub(super) enum Step {
    Create {
        new: NewTask,
        on: Vec<Index>,
    },
    Depend(Index, Index),
    ClaimNext {
        project: &'static str,
        owner: Owner,
        another: bool,
    },
    Claim(Index, Owner),
    Complete {
        task: Index,
        owner: Owner,
        attempt: Attempt,
        result: Option<String>,
    },
    Release {
        task: Index,
        owner: Owner,
        attempt: Attempt,
        failed: bool,
    },
    Cancel(Index),
    Orphan(SessionId),
    /// The daemon starts again with what was kept.
    Restart,
}

/// Which attempt the caller says it has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Attempt {
    Unsaid,
    Current,
    Earlier,
    Later,
}

impl Attempt {
    pub(super) fn of(self, task: &Task) -> Option<u32> {
        match self {
            Attempt::Unsaid => None,
            Attempt::Current => Some(task.attempt),
            Attempt::Earlier => Some(task.attempt.saturating_sub(1)),
            Attempt::Later => Some(task.attempt + 1),
        }
    }
}

pub(super) fn new_task() -> impl Strategy<Value = NewTask> {
    let path = prop_oneof![
        Just(Target::Path("/p/a".into())),
        Just(Target::Path("/p/b".into())),
        Just(Target::Tree("/p".into())),
        Just(Target::Glob("/p/*".into())),
    ];
    (
        prop::sample::select(&PROJECTS),
        "[xyz]",
        prop_oneof![Just(None), Just(Some("text".to_string()))],
        prop_oneof![
            Just(Priority::Low),
            Just(Priority::Normal),
            Just(Priority::High)
        ],
        vec(path, 0..2),
    )
        .prop_map(|(project, title, description, priority, paths)| NewTask {
            project: project.into(),
            title,
            description,
            priority,
            depends_on: vec![],
            paths: paths.into_iter().map(|path| (path, "it".into())).collect(),
            created_by: None,
        })
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let index = any::<Index>;
    let attempt = || {
        prop_oneof![
            3 => Just(Attempt::Unsaid),
            3 => Just(Attempt::Current),
            1 => Just(Attempt::Earlier),
            1 => Just(Attempt::Later),
        ]
    };
    let result = prop_oneof![Just(None), Just(Some("result".to_string()))];
    prop_oneof![
        5 => (new_task(), vec(index(), 0..3)).prop_map(|(new, on)| Step::Create { new, on }),
        3 => (index(), index()).prop_map(|(task, on)| Step::Depend(task, on)),
        6 => (prop::sample::select(&PROJECTS), owner(), any::<bool>()).prop_map(
            |(project, owner, another)| Step::ClaimNext { project, owner, another }
        ),
        3 => (index(), owner()).prop_map(|(task, owner)| Step::Claim(task, owner)),
        8 => (index(), owner(), attempt(), result).prop_map(|(task, owner, attempt, result)| {
            Step::Complete { task, owner, attempt, result }
        }),
        2 => (index(), owner(), attempt(), any::<bool>()).prop_map(
            |(task, owner, attempt, failed)| Step::Release { task, owner, attempt, failed }
        ),
        1 => index().prop_map(Step::Cancel),
        2 => session().prop_map(Step::Orphan),
        1 => Just(Step::Restart),
    ]
}
