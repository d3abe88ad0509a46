//! The table of holds against a model that scans lists.

use std::collections::BTreeSet;

use kite_rules::{
    Now,
    hold::{Hold, HoldTable, Ticket},
    limits::{HOLD_GRACE_MS, HOLD_TTL_MS},
    session::{Owner, SessionId},
};
use proptest::{collection::vec, prelude::*, sample::Index};

use crate::world::{at, owner, session};

const FILES: [&str; 2] = ["/p/a", "/p/b"];
const CALLS: [&str; 3] = ["1", "2", "3"];

#[derive(Clone, Debug)]
enum Step {
    Take(&'static str, Owner, &'static str),
    Wait(&'static str, Owner),
    /// Whoever has this ticket asks again.
    TakeWaiting(Index, &'static str),
    Leave(Index),
    Finished(SessionId, &'static str),
    DropCall(SessionId, &'static str),
    Settle(Owner, &'static str),
    DropSession(SessionId),
    /// Time passes; what has run out ends with the next `Expire`.
    Pass(u64),
    Expire,
}

fn step() -> impl Strategy<Value = Step> {
    let file = || prop::sample::select(&FILES);
    let call = || prop::sample::select(&CALLS);
    let index = any::<Index>;
    prop_oneof![
        8 => (file(), owner(), call()).prop_map(|(file, owner, call)| Step::Take(file, owner, call)),
        4 => (file(), owner()).prop_map(|(file, owner)| Step::Wait(file, owner)),
        5 => (index(), call()).prop_map(|(ticket, call)| Step::TakeWaiting(ticket, call)),
        2 => index().prop_map(Step::Leave),
        3 => (session(), call()).prop_map(|(id, call)| Step::Finished(id, call)),
        1 => (session(), call()).prop_map(|(id, call)| Step::DropCall(id, call)),
        2 => (owner(), call()).prop_map(|(owner, call)| Step::Settle(owner, call)),
        1 => session().prop_map(Step::DropSession),
        3 => prop_oneof![0..HOLD_GRACE_MS * 2, 0..HOLD_TTL_MS].prop_map(Step::Pass),
        2 => Just(Step::Expire),
    ]
}

/// The holds with whether they are finished, and the queue of all files.
#[derive(Default)]
struct Model {
    holds: Vec<(Hold, bool)>,
    queue: Vec<(Ticket, &'static str, Owner)>,
}

impl Model {
    /// Whether this owner, with that place in the queue, may edit.
    fn may_take(
        &self,
        file: &str,
        owner: &Owner,
        call: &str,
        place: Option<Ticket>,
        now: Now,
    ) -> bool {
        let lasting = || {
            let holds = self.holds.iter();
            holds.filter(|(hold, _)| hold.file == file && hold.until_mono_ms > now.mono_ms)
        };
        if lasting().any(|(hold, _)| hold.owner.contends_with(owner)) {
            return false;
        }
        let is_inside = lasting().any(|(hold, finished)| {
            let repeats = hold.owner == *owner && hold.tool_use_id == call;
            repeats || !finished
        });
        let mut ahead = self.queue.iter().filter(|(ticket, waits_for, other)| {
            *waits_for == file
                && other.contends_with(owner)
                && place.is_none_or(|place| *ticket < place)
        });
        is_inside || ahead.next().is_none()
    }

    fn take(&mut self, file: &str, owner: &Owner, call: &str, now: Now) {
        let is_this = |hold: &Hold| {
            hold.file == file
                && hold.owner == *owner
                && hold.tool_use_id == call
                && hold.until_mono_ms > now.mono_ms
        };
        let old = self.holds.iter().find(|(hold, _)| is_this(hold));
        let since = old.map_or(now, |(hold, _)| hold.since);
        self.holds.retain(|(hold, _)| !is_this(hold));
        let hold = Hold {
            file: file.into(),
            shown: file.into(),
            owner: owner.clone(),
            tool_use_id: call.into(),
            since,
            until_mono_ms: now.mono_ms + HOLD_TTL_MS,
        };
        self.holds.push((hold, false));
    }

    fn finish(&mut self, session: SessionId, call: &str, now: Now) {
        for (hold, finished) in &mut self.holds {
            if hold.owner.session == session && hold.tool_use_id == call {
                hold.until_mono_ms = hold.until_mono_ms.min(now.mono_ms + HOLD_GRACE_MS);
                *finished = true;
            }
        }
    }

    /// Ends holds; the files they were on, sorted.
    fn end(&mut self, over: impl Fn(&Hold) -> bool) -> Vec<String> {
        let freed: BTreeSet<String> = self
            .holds
            .iter()
            .filter(|(hold, _)| over(hold))
            .map(|(hold, _)| hold.file.clone())
            .collect();
        self.holds.retain(|(hold, _)| !over(hold));
        freed.into_iter().collect()
    }
}

fn play(
    table: &mut HoldTable,
    model: &mut Model,
    step: Step,
    now: &mut Now,
) -> Result<(), TestCaseError> {
    match step {
        Step::Take(file, owner, call) => {
            let got = table.take(file, file, &owner, call, None, *now);
            prop_assert_eq!(got.is_ok(), model.may_take(file, &owner, call, None, *now));
            match got {
                Ok(()) => model.take(file, &owner, call, *now),
                Err(way) => prop_assert!(way.owner.contends_with(&owner)),
            }
        }
        Step::Wait(file, owner) => {
            let ticket = table.wait(file, &owner);
            let last = model.queue.last();
            prop_assert!(last.is_none_or(|(last, _, _)| *last < ticket));
            model.queue.push((ticket, file, owner));
        }
        Step::TakeWaiting(index, call) if !model.queue.is_empty() => {
            let (ticket, file, owner) = index.get(&model.queue).clone();
            let got = table.take(file, file, &owner, call, Some(ticket), *now);
            let expected = model.may_take(file, &owner, call, Some(ticket), *now);
            prop_assert_eq!(got.is_ok(), expected);
            if got.is_ok() {
                model.queue.retain(|(other, _, _)| *other != ticket);
                model.take(file, &owner, call, *now);
            }
        }
        Step::Leave(index) if !model.queue.is_empty() => {
            let ticket = index.get(&model.queue).0;
            table.leave(ticket);
            model.queue.retain(|(other, _, _)| *other != ticket);
        }
        Step::TakeWaiting(..) | Step::Leave(_) => {}
        Step::Finished(id, call) => {
            table.finished(id, call, HOLD_GRACE_MS, *now);
            model.finish(id, call, *now);
        }
        Step::DropCall(id, call) => {
            let freed = model.end(|hold| hold.owner.session == id && hold.tool_use_id == call);
            prop_assert_eq!(table.drop_call(id, call), freed);
        }
        Step::Settle(owner, open) => {
            let freed = model.end(|hold| hold.owner == owner && hold.tool_use_id != open);
            prop_assert_eq!(table.settle(&owner, &[open]), freed);
        }
        Step::DropSession(id) => {
            model.queue.retain(|(_, _, owner)| owner.session != id);
            let freed = model.end(|hold| hold.owner.session == id);
            prop_assert_eq!(table.drop_session(id), freed);
        }
        Step::Pass(ms) => *now = at(now.mono_ms + ms),
        Step::Expire => {
            let freed = model.end(|hold| hold.until_mono_ms <= now.mono_ms);
            prop_assert_eq!(table.expire(*now), freed);
        }
    }
    Ok(())
}

fn check(table: &HoldTable, model: &Model, now: Now) -> Result<(), TestCaseError> {
    let shown: Vec<&Hold> = table.iter().collect();
    let expected: Vec<&Hold> = model.holds.iter().map(|(hold, _)| hold).collect();
    prop_assert_eq!(&shown, &expected);
    prop_assert_eq!(table.len(), shown.len());
    let soonest = shown.iter().map(|hold| hold.until_mono_ms).min();
    prop_assert_eq!(table.next_expiry(), soonest);
    let lasts = |hold: &&&Hold| hold.until_mono_ms > now.mono_ms;
    for one in shown.iter().filter(lasts) {
        for other in shown.iter().filter(lasts) {
            prop_assert!(!(one.file == other.file && one.owner.contends_with(&other.owner)));
        }
        let stranger = Owner::session(SessionId(9));
        prop_assert!(table.blocking(&one.file, &stranger, now).is_some());
        prop_assert!(table.blocking(&one.file, &one.owner, now).is_none());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_table_does_what_the_lists_do(steps in vec(step(), 1..80)) {
        let (mut table, mut model) = (HoldTable::new(), Model::default());
        let mut now = at(0);
        for step in steps {
            play(&mut table, &mut model, step, &mut now)?;
            check(&table, &model, now)?;
        }
    }
}
