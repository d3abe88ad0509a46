//! The touch log against a model that keeps the whole history and reads it from the end.

use kite_rules::{
    Now, Refusal,
    limits::NOTE_AGE_MS_MAX,
    session::{Owner, SessionId},
    touch::{Content, TouchLog},
};
use proptest::{collection::vec, prelude::*};

use crate::world::{at, owner, session};

const FILES: [&str; 2] = ["/p/a", "/p/b"];

#[derive(Clone, Debug)]
enum Step {
    Saw(&'static str, Owner, Content),
    Changed(&'static str, Owner, Content),
    Overwrite(&'static str, Owner, Content),
    Edit(&'static str, Owner),
    Forget(SessionId),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let file = || prop::sample::select(&FILES);
    let content = || {
        prop_oneof![
            1 => Just(Content::Absent),
            6 => (1..4_u128).prop_map(Content::Hash),
        ]
    };
    prop_oneof![
        4 => (file(), owner(), content()).prop_map(|(f, o, c)| Step::Saw(f, o, c)),
        4 => (file(), owner(), content()).prop_map(|(f, o, c)| Step::Changed(f, o, c)),
        5 => (file(), owner(), content()).prop_map(|(f, o, c)| Step::Overwrite(f, o, c)),
        4 => (file(), owner()).prop_map(|(file, owner)| Step::Edit(file, owner)),
        1 => session().prop_map(Step::Forget),
        1 => prop_oneof![Just(1), Just(NOTE_AGE_MS_MAX)].prop_map(Step::Pass),
    ]
}

/// What happened, oldest first.
#[derive(Clone, Debug)]
struct Event {
    file: &'static str,
    owner: Owner,
    what: What,
    now: Now,
}

#[derive(Clone, Debug)]
enum What {
    Saw(Content),
    Changed(Content),
    Refused(Content),
    /// It was told of the change at this place in the history.
    Told(usize),
    /// What it knew was forgotten.
    Forgot,
}

#[derive(Default)]
struct Model(Vec<Event>);

impl Model {
    fn note(&mut self, file: &'static str, owner: &Owner, what: What, now: Now) {
        self.0.push(Event {
            file,
            owner: owner.clone(),
            what,
            now,
        });
    }

    /// What this owner did with the file since its session was last forgotten, latest first.
    fn own<'a>(
        &'a self,
        file: &'a str,
        owner: &'a Owner,
    ) -> impl Iterator<Item = (usize, &'a What)> {
        let history = self.0.iter().enumerate().rev();
        history
            .take_while(move |(_, event)| {
                !(matches!(event.what, What::Forgot) && event.owner.session == owner.session)
            })
            .filter(move |(_, event)| event.file == file && event.owner == *owner)
            .map(|(at, event)| (at, &event.what))
    }

    /// When it last looked, and what it saw then.
    fn look(&self, file: &str, owner: &Owner) -> Option<(usize, Content)> {
        self.own(file, owner).find_map(|(at, what)| match what {
            What::Saw(content) | What::Changed(content) => Some((at, *content)),
            _ => None,
        })
    }

    /// The last change of others, if it lies after that place.
    fn unseen(&self, file: &str, owner: &Owner, after: Option<usize>) -> Option<usize> {
        let is_other = |event: &Event| {
            event.file == file
                && matches!(event.what, What::Changed(_))
                && event.owner.contends_with(owner)
        };
        self.0
            .iter()
            .rposition(is_other)
            .filter(|at| after.is_none_or(|after| *at > after))
    }

    fn stale(&self, file: &str, owner: &Owner, current: Content) -> Option<usize> {
        let look = self.look(file, owner);
        let refused = self.own(file, owner).find_map(|(_, what)| match what {
            What::Refused(content) => Some(*content),
            _ => None,
        });
        let knows_it = look.is_some_and(|(_, saw)| saw == current) || refused == Some(current);
        self.unseen(file, owner, look.map(|(at, _)| at))
            .filter(|_| current != Content::Absent && !knows_it)
    }

    fn news(&self, file: &str, owner: &Owner, now: Now) -> Option<usize> {
        let told = self.own(file, owner).find_map(|(_, what)| match what {
            What::Told(change) => Some(*change),
            _ => None,
        });
        let looked = self.look(file, owner).map(|(at, _)| at);
        self.unseen(file, owner, looked.max(told))
            .filter(|at| now.mono_ms - self.0[*at].now.mono_ms <= NOTE_AGE_MS_MAX)
    }

    /// The files a session changed, latest first.
    fn changed_by(&self, session: SessionId) -> Vec<(String, Now)> {
        let mut files: Vec<(String, Now)> = Vec::new();
        for event in self.0.iter().rev() {
            if matches!(event.what, What::Changed(_))
                && event.owner.session == session
                && files.iter().all(|(file, _)| file != event.file)
            {
                files.push((event.file.into(), event.now));
            }
        }
        files
    }
}

fn play(
    log: &mut TouchLog,
    model: &mut Model,
    step: Step,
    now: &mut Now,
) -> Result<(), TestCaseError> {
    match step {
        Step::Saw(file, owner, content) => {
            log.saw(file, &owner, content, *now);
            model.note(file, &owner, What::Saw(content), *now);
        }
        Step::Changed(file, owner, content) => {
            log.changed(file, file, &owner, content, *now);
            model.note(file, &owner, What::Changed(content), *now);
        }
        Step::Overwrite(file, owner, current) => {
            let expected = model.stale(file, &owner, current).map(|at| &model.0[at]);
            let expected = expected.map(|change| Refusal::StaleWrite {
                file: file.into(),
                by: change.owner.clone(),
                at_wall_ms: change.now.wall_ms,
            });
            let got = log.judge_overwrite(file, &owner, current).err();
            prop_assert_eq!(&got, &expected);
            if got.is_some() {
                model.note(file, &owner, What::Refused(current), *now);
                prop_assert_eq!(log.judge_overwrite(file, &owner, current), Ok(()));
            }
        }
        Step::Edit(file, owner) => {
            let expected = model.news(file, &owner, *now);
            let got = log.note_before_edit(file, &owner, *now);
            let change = expected.map(|at| &model.0[at]);
            prop_assert_eq!(
                got.map(|note| (note.by, note.at)),
                change.map(|change| (change.owner.clone(), change.now))
            );
            if let Some(at) = expected {
                model.note(file, &owner, What::Told(at), *now);
                prop_assert_eq!(log.note_before_edit(file, &owner, *now), None);
            }
        }
        Step::Forget(session) => {
            log.forget_reader(session);
            model.note("", &Owner::session(session), What::Forgot, *now);
        }
        Step::Pass(ms) => *now = at(now.mono_ms + ms),
    }
    for session in (1..=3).map(SessionId) {
        prop_assert_eq!(log.changed_by(session, 9), model.changed_by(session));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_log_says_what_the_history_says(steps in vec(step(), 1..80)) {
        let (mut log, mut model) = (TouchLog::new(), Model::default());
        let mut now = at(0);
        for step in steps {
            play(&mut log, &mut model, step, &mut now)?;
        }
    }
}
