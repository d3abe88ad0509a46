//! Finding a task by what somebody wrote: an id, or the beginning of one.

use alloc::{borrow::ToOwned, format, vec::Vec};

use super::{State, Task, TaskGraph, TaskId, create::invalid};
use crate::{limits::cut, refusal::Refusal};

/// Digits of a prefix, at least.
const DIGITS_MIN: usize = 4;
const DIGITS: usize = 32;
/// Characters of what was given, as it is repeated in a refusal.
const GIVEN_CHARS_MAX: usize = 64;
/// Tasks named in a refusal.
const NAMED_MAX: usize = 5;
/// An id is near if it shares so many digits with what was given.
const NEAR_DIGITS_MIN: u32 = 2;

impl TaskGraph {
    /// The task with this id or unique prefix. Upper case and dashes are allowed.
    pub fn find(&self, prefix: &str) -> Result<TaskId, Refusal> {
        let given = || cut(prefix.to_owned(), GIVEN_CHARS_MAX);
        let unknown = |near| Refusal::UnknownTask {
            given: given(),
            near,
        };
        let Some((value, digits)) = parse(prefix) else {
            return Err(unknown(self.titled(prefix)));
        };
        if digits < DIGITS_MIN {
            let why = format!("'{}' is shorter than {DIGITS_MIN} digits", given());
            return Err(invalid("task id", why));
        }
        let (first, last) = range(value, digits);
        let found: Vec<TaskId> = self
            .tasks
            .range(first..=last)
            .map(|(id, _)| *id)
            .take(NAMED_MAX)
            .collect();
        match found.as_slice() {
            [] => Err(unknown(self.near(first))),
            [one] => Ok(*one),
            _ => Err(Refusal::AmbiguousTask {
                given: given(),
                candidates: found,
            }),
        }
    }

    pub(super) fn known(&self, id: TaskId) -> Result<&Task, Refusal> {
        self.get(id).ok_or_else(|| Refusal::UnknownTask {
            given: format!("{id}"),
            near: self.near(id),
        })
    }

    /// Why it cannot be claimed or changed.
    pub(super) fn not_ready(&self, id: TaskId) -> Refusal {
        let task = self.get(id);
        let depends_on = task.map_or(&[][..], |task| &task.depends_on);
        Refusal::NotReady {
            task: id,
            state: task.map(|task| task.state).unwrap_or_default(),
            waits_for: depends_on
                .iter()
                .filter(|on| self.get(**on).is_some_and(|on| on.state != State::Done))
                .copied()
                .collect(),
        }
    }

    /// The ids that share the longest beginnings with this one: they are its neighbours.
    fn near(&self, id: TaskId) -> Vec<TaskId> {
        let shared = |other: &TaskId| (id.0 ^ other.0).leading_zeros() / 4;
        let below = self.tasks.range(..id).rev().take(NAMED_MAX);
        let above = self.tasks.range(id..).take(NAMED_MAX);
        let mut near: Vec<TaskId> = below
            .chain(above)
            .map(|(other, _)| *other)
            .filter(|other| shared(other) >= NEAR_DIGITS_MIN)
            .collect();
        near.sort_by_key(|other| (core::cmp::Reverse(shared(other)), *other));
        near.truncate(NAMED_MAX);
        near
    }

    /// Unfinished tasks with this title: what is meant by somebody who gives one.
    fn titled(&self, title: &str) -> Vec<TaskId> {
        let projects = self.projects.keys();
        projects
            .filter_map(|project| self.oldest_titled(project, title.trim()))
            .take(NAMED_MAX)
            .collect()
    }
}

/// Whether this text is the beginning of that id.
pub(super) fn is_prefix_of(prefix: &str, id: TaskId) -> bool {
    parse(prefix).is_some_and(|(value, digits)| {
        let (first, last) = range(value, digits);
        digits >= DIGITS_MIN && first <= id && id <= last
    })
}

/// The digits as a number, and how many they are.
fn parse(prefix: &str) -> Option<(u128, usize)> {
    let mut value = 0_u128;
    let mut digits = 0;
    for c in prefix.trim().chars().filter(|c| *c != '-') {
        let digit = c.to_digit(16)?;
        digits += 1;
        if digits > DIGITS {
            return None;
        }
        value = value << 4 | u128::from(digit);
    }
    (digits > 0).then_some((value, digits))
}

/// The first and the last id that begin with these digits.
fn range(value: u128, digits: usize) -> (TaskId, TaskId) {
    let free_bits = 4 * (DIGITS - digits) as u32;
    let mask = u128::MAX.checked_shr(128 - free_bits).unwrap_or(0);
    let first = value.checked_shl(free_bits).unwrap_or(0);
    (TaskId(first), TaskId(first | mask))
}
