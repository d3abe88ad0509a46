//! The table of locks against a model that scans lists.

use std::collections::BTreeSet;

use kite_rules::{
    Now, Refusal,
    lock::{Epoch, Granted, Lock, LockTable, Request, Ticket},
    pattern::{Pattern, Target},
    session::{Owner, SessionId},
};
use proptest::{collection::vec, prelude::*};

use crate::world::{at, owner, session};

#[derive(Clone, Debug)]
enum Step {
    Acquire(Request),
    Enqueue(Request),
    /// Leave with one of the tickets given out so far.
    Leave(prop::sample::Index),
    Promote,
    Release(Owner, Vec<Target>, Option<prop::sample::Index>),
    ReleaseAll(SessionId, bool),
    ReleaseAgent(Owner),
    Break(Vec<Target>),
    Renew(SessionId),
    RenewAll,
    /// Time passes, and what has run out ends.
    Pass(u64),
    /// The daemon starts again with what was kept.
    Restart,
}

fn target() -> impl Strategy<Value = Target> {
    let path = |path: &'static str| Just(Target::Path(path.into()));
    let tree = |path: &'static str| Just(Target::Tree(path.into()));
    let glob = |glob: &'static str| Just(Target::Glob(glob.into()));
    let name = |project: &'static str| {
        Just(Target::Name {
            project: project.into(),
            name: "/p/a".into(),
        })
    };
    prop_oneof![
        6 => prop_oneof![path("/p/a"), path("/p/b"), path("/p/d/a"), path("/p/d/b"), path("/q")],
        2 => prop_oneof![tree("/p"), tree("/p/d"), tree("/p/d/a")],
        3 => prop_oneof![
            glob("/p/*"),
            glob("/p/**/a"),
            glob("/p/{a,d/*}"),
            glob("/*/d/?"),
            glob("/p/[!a]"),
        ],
        2 => prop_oneof![name("/p"), name("/q")],
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let ttl_ms = prop_oneof![Just(20_u64), Just(100)];
    (owner(), vec(target(), 1..4), ttl_ms, any::<bool>()).prop_map(
        |(owner, targets, ttl_ms, keep)| Request {
            owner,
            project: "/p".into(),
            targets: targets
                .into_iter()
                .map(|target| (target.clone(), format!("{target:?}")))
                .collect(),
            reason: None,
            ttl_ms,
            keep,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let targets = || vec(target(), 1..3);
    prop_oneof![
        8 => request().prop_map(Step::Acquire),
        4 => request().prop_map(Step::Enqueue),
        1 => any::<prop::sample::Index>().prop_map(Step::Leave),
        4 => Just(Step::Promote),
        3 => (owner(), targets(), any::<Option<prop::sample::Index>>())
            .prop_map(|(owner, targets, epoch)| Step::Release(owner, targets, epoch)),
        1 => (session(), any::<bool>()).prop_map(|(id, kept)| Step::ReleaseAll(id, kept)),
        1 => owner().prop_map(Step::ReleaseAgent),
        1 => targets().prop_map(Step::Break),
        1 => session().prop_map(Step::Renew),
        1 => Just(Step::RenewAll),
        2 => (1..60_u64).prop_map(Step::Pass),
        1 => Just(Step::Restart),
    ]
}

/// What is held and who waits, as plain lists.
#[derive(Default)]
struct Model {
    locks: Vec<Lock>,
    queue: Vec<(Ticket, Request)>,
    issued: BTreeSet<Epoch>,
    tickets: Vec<Ticket>,
}

impl Model {
    fn on(&self, target: &Target) -> Option<&Lock> {
        self.locks.iter().find(|lock| lock.target == *target)
    }

    /// What is held of it already, or who is in the way.
    fn judge(
        &self,
        request: &Request,
        place: Option<Ticket>,
    ) -> Result<Vec<Option<Epoch>>, BTreeSet<Owner>> {
        let owner = &request.owner;
        let mut in_the_way = BTreeSet::new();
        let mut existing = Vec::new();
        for (target, _) in &request.targets {
            let others = self
                .locks
                .iter()
                .filter(|lock| overlap(&lock.target, target) && lock.owner.contends_with(owner));
            in_the_way.extend(others.map(|lock| lock.owner.clone()));
            let held = self
                .on(target)
                .filter(|lock| !lock.owner.contends_with(owner))
                .map(|lock| lock.epoch);
            existing.push(held);
            if held.is_some() {
                continue;
            }
            let earlier = self
                .queue
                .iter()
                .filter(|(ticket, _)| place.is_none_or(|place| *ticket < place))
                .filter(|(_, waiter)| waiter.owner.contends_with(owner))
                .filter(|(_, waiter)| waiter.targets.iter().any(|(t, _)| overlap(t, target)));
            in_the_way.extend(earlier.map(|(_, waiter)| waiter.owner.clone()));
        }
        if in_the_way.is_empty() {
            Ok(existing)
        } else {
            Err(in_the_way)
        }
    }

    /// Notes a grant, after checking that it is what was judged.
    fn grant(
        &mut self,
        request: &Request,
        existing: &[Option<Epoch>],
        granted: Granted,
        now: Now,
    ) -> Result<(), TestCaseError> {
        prop_assert_eq!(granted.locks.len(), request.targets.len());
        let mut changed = false;
        for (at, lock) in granted.locks.into_iter().enumerate() {
            prop_assert_eq!(&lock.target, &request.targets[at].0);
            if let Some(old) = self.locks.iter_mut().find(|old| old.epoch == lock.epoch) {
                prop_assert!(existing[at].is_none_or(|epoch| epoch == lock.epoch));
                changed |= (old.ttl_ms, old.keep) != (lock.ttl_ms, lock.keep);
                prop_assert_eq!(lock.ttl_ms, old.ttl_ms.max(request.ttl_ms));
                prop_assert_eq!(lock.keep, old.keep | request.keep);
                prop_assert_eq!(lock.renewed_mono_ms, now.mono_ms);
                *old = lock;
            } else {
                prop_assert_eq!(existing[at], None);
                prop_assert!(
                    self.issued.last().is_none_or(|last| *last < lock.epoch),
                    "an epoch twice"
                );
                self.issued.insert(lock.epoch);
                changed = true;
                self.locks.push(lock);
            }
        }
        prop_assert_eq!(granted.already_held, !changed);
        Ok(())
    }

    /// Whether somebody whom this request would wait for waits, directly or not, for its owner, by
    /// the closure of who waits for whom.
    fn circles(&self, request: &Request) -> bool {
        let mut edges = BTreeSet::new();
        for (ticket, waiter) in &self.queue {
            for other in self
                .judge(waiter, Some(*ticket))
                .err()
                .into_iter()
                .flatten()
            {
                edges.insert((waiter.owner.clone(), other));
            }
        }
        loop {
            let mut more = edges.clone();
            for (a, b) in &edges {
                let next = edges.iter().filter(|(from, _)| from == b);
                more.extend(next.map(|(_, to)| (a.clone(), to.clone())));
            }
            if more.len() == edges.len() {
                break;
            }
            edges = more;
        }
        let mut waits_for = self.judge(request, None).err().into_iter().flatten();
        waits_for
            .any(|other| other == request.owner || edges.contains(&(other, request.owner.clone())))
    }

    fn remove(&mut self, goes: impl Fn(&Lock) -> bool) -> Vec<Lock> {
        let (gone, left) = self.locks.drain(..).partition(goes);
        self.locks = left;
        gone
    }
}

fn overlap(one: &Target, other: &Target) -> bool {
    let compile = |target: &Target| Pattern::compile(target.clone()).expect("a good target");
    compile(one).overlaps(&compile(other))
}

fn owners(refusal: &Refusal) -> BTreeSet<Owner> {
    match refusal {
        Refusal::Locked(ways) => ways.iter().map(|way| way.owner.clone()).collect(),
        other => panic!("not locked: {other:?}"),
    }
}

fn play(
    table: &mut LockTable,
    model: &mut Model,
    step: Step,
    now: &mut Now,
    starts: &mut u64,
) -> Result<(), TestCaseError> {
    match step {
        Step::Acquire(request) => {
            let judged = model.judge(&request, None);
            match (table.acquire(&request, *now), judged) {
                (Ok(granted), Ok(existing)) => model.grant(&request, &existing, granted, *now)?,
                (Err(refusal), Err(others)) => prop_assert_eq!(owners(&refusal), others),
                (got, expected) => prop_assert!(false, "{:?}, not {:?}", got, expected),
            }
        }
        Step::Enqueue(request) => match table.enqueue(request.clone(), *now) {
            Ok(ticket) => {
                prop_assert!(!model.circles(&request));
                prop_assert!(model.tickets.last().is_none_or(|last| *last < ticket));
                model.tickets.push(ticket);
                model.queue.push((ticket, request));
            }
            Err(refusal) => {
                prop_assert!(model.circles(&request));
                prop_assert_eq!(Err(owners(&refusal)), model.judge(&request, None));
            }
        },
        Step::Leave(ticket) if !model.tickets.is_empty() => {
            let ticket = *ticket.get(&model.tickets);
            let waiter = model.queue.iter().find(|(other, _)| *other == ticket);
            let expected = waiter.map(|(_, request)| model.judge(request, Some(ticket)));
            let left = table.leave(ticket, *now);
            prop_assert_eq!(
                left.as_ref().map(owners),
                expected.map(|judged| judged.err().unwrap_or_default())
            );
            model.queue.retain(|(other, _)| *other != ticket);
        }
        Step::Leave(_) => {}
        Step::Promote => promote(table, model, *now)?,
        Step::Release(owner, targets, epoch) => {
            release(table, model, &owner, &targets, epoch)?;
        }
        Step::ReleaseAll(id, unless_kept) => {
            if !unless_kept {
                model.queue.retain(|(_, waiter)| waiter.owner.session != id);
            }
            let gone = model.remove(|lock| lock.owner.session == id && !(unless_kept && lock.keep));
            prop_assert_eq!(table.release_all(id, unless_kept), gone);
        }
        Step::ReleaseAgent(owner) => {
            model.queue.retain(|(_, waiter)| waiter.owner != owner);
            let gone = model.remove(|lock| lock.owner == owner);
            prop_assert_eq!(table.release_agent(&owner), gone);
        }
        Step::Break(targets) => {
            let gone = model.remove(|lock| targets.contains(&lock.target));
            prop_assert_eq!(table.break_locks(&targets), gone);
        }
        other => return pass(table, model, other, now, starts),
    }
    Ok(())
}

/// Renewals, the passing of time, and a restart.
fn pass(
    table: &mut LockTable,
    model: &mut Model,
    step: Step,
    now: &mut Now,
    starts: &mut u64,
) -> Result<(), TestCaseError> {
    match step {
        Step::Renew(id) => {
            table.renew(id, *now);
            let mine = |lock: &&mut Lock| lock.owner.session == id;
            for lock in model.locks.iter_mut().filter(mine) {
                lock.renewed_mono_ms = now.mono_ms;
            }
        }
        Step::RenewAll => {
            table.renew_all(*now);
            for lock in &mut model.locks {
                lock.renewed_mono_ms = now.mono_ms;
            }
        }
        Step::Pass(ms) => {
            *now = at(now.mono_ms + ms);
            let mut gone = model.remove(|lock| lock.expires_mono_ms() <= now.mono_ms);
            gone.sort_by_key(|lock| (lock.expires_mono_ms(), lock.epoch));
            prop_assert_eq!(table.expire(*now), gone);
        }
        Step::Restart => {
            *starts += 1;
            *table = LockTable::new(*starts);
            model.queue.clear();
            model.tickets.clear();
            for lock in &mut model.locks {
                table.restore(lock.clone(), *now);
                lock.renewed_mono_ms = now.mono_ms;
            }
        }
        other => unreachable!("{other:?} is played elsewhere"),
    }
    Ok(())
}

/// Whoever can be served is, in order, and nobody who could be is left.
fn promote(table: &mut LockTable, model: &mut Model, now: Now) -> Result<(), TestCaseError> {
    let mut promoted = table.promote(now).into_iter();
    for (ticket, request) in model.queue.clone() {
        if let Ok(existing) = model.judge(&request, Some(ticket)) {
            let (served, granted) = promoted.next().expect("a promotion");
            prop_assert_eq!(served, ticket);
            model.queue.retain(|(other, _)| *other != ticket);
            model.grant(&request, &existing, granted, now)?;
        }
    }
    prop_assert_eq!(promoted.next(), None);
    Ok(())
}

fn release(
    table: &mut LockTable,
    model: &mut Model,
    owner: &Owner,
    targets: &[Target],
    epoch: Option<prop::sample::Index>,
) -> Result<(), TestCaseError> {
    let issued: Vec<Epoch> = model.issued.iter().copied().collect();
    let epoch = epoch
        .filter(|_| !issued.is_empty())
        .map(|at| *at.get(&issued));
    let released = table.release(owner, targets, epoch);
    let current: Vec<Epoch> = targets
        .iter()
        .filter_map(|target| Some(model.on(target)?.epoch))
        .collect();
    if let Some(given) = epoch
        && current.iter().any(|current| *current != given)
    {
        let is_stale = matches!(
            released,
            Err(Refusal::StaleEpoch { given: g, current: Some(c) })
                if g == given && c != given && current.contains(&c)
        );
        prop_assert!(is_stale, "{:?}", released);
        return Ok(());
    }
    let gone = model.remove(|lock| {
        let mine =
            lock.owner == *owner || owner.agent.is_none() && lock.owner.session == owner.session;
        mine && targets.contains(&lock.target)
    });
    prop_assert_eq!(released, Ok(gone));
    Ok(())
}

/// What is true at every moment, and that the table shows what the model holds.
fn check(table: &LockTable, model: &Model) -> Result<(), TestCaseError> {
    let shown: Vec<Lock> = table.iter().cloned().collect();
    prop_assert_eq!(&shown, &model.locks);
    prop_assert_eq!(table.len(), model.locks.len());
    let soonest = model.locks.iter().map(Lock::expires_mono_ms).min();
    prop_assert_eq!(table.next_expiry(), soonest);
    for (at, lock) in model.locks.iter().enumerate() {
        prop_assert_eq!(table.by_epoch(lock.epoch), Some(lock));
        for other in &model.locks[at + 1..] {
            prop_assert!(
                !(lock.owner.contends_with(&other.owner) && overlap(&lock.target, &other.target)),
                "{:?} beside {:?}",
                lock,
                other
            );
        }
    }
    for (ticket, waiter) in &model.queue {
        let is_ahead = |(other, earlier): &&(Ticket, Request)| {
            let mut pairs = earlier
                .targets
                .iter()
                .flat_map(|(theirs, _)| waiter.targets.iter().map(move |(mine, _)| (theirs, mine)));
            other < ticket
                && earlier.owner.contends_with(&waiter.owner)
                && pairs.any(|(theirs, mine)| overlap(theirs, mine))
        };
        let place = 1 + model.queue.iter().filter(is_ahead).count();
        prop_assert_eq!(table.place(*ticket), Some(place));
    }
    let left = |ticket: &&Ticket| model.queue.iter().all(|(other, _)| other != *ticket);
    for ticket in model.tickets.iter().filter(left) {
        prop_assert_eq!(table.place(*ticket), None);
    }
    for path in ["/p/a", "/p/d/a", "/p/d", "/q"] {
        let pattern = Pattern::compile(Target::Path(path.into())).expect("a path");
        let asker = Owner::session(SessionId(1));
        let blocking = table.blocking(&asker, path);
        let expected = model.locks.iter().any(|lock| {
            lock.owner.contends_with(&asker)
                && Pattern::compile(lock.target.clone()).is_ok_and(|p| p.overlaps(&pattern))
        });
        prop_assert_eq!(blocking.is_some(), expected);
        if let Some(lock) = blocking {
            prop_assert!(
                lock.owner.contends_with(&asker) && overlap(&lock.target, &pattern.target)
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_table_does_what_the_lists_do(steps in vec(step(), 1..60)) {
        let (mut table, mut model) = (LockTable::new(1), Model::default());
        let (mut now, mut starts) = (at(0), 1);
        for step in steps {
            play(&mut table, &mut model, step, &mut now, &mut starts)?;
            check(&table, &model)?;
        }
    }
}
