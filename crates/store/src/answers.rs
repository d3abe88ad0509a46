//! The answers to requests that may be repeated, as far as they are known in memory.

use std::{
    collections::{HashMap, VecDeque},
    rc::Rc,
};

use crate::{
    limits::{ANSWER_AGE_MS, ANSWERS_MAX},
    write::Answer,
};

/// Which requests have an answer, oldest first, and the text of the latest.
#[derive(Debug)]
pub(crate) struct Answers {
    known: HashMap<Rc<str>, Kept>,
    order: VecDeque<(Rc<str>, u64)>,
    /// Those whose text is held, oldest first.
    held: VecDeque<Rc<str>>,
    held_max: usize,
}

/// Where an answer's text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Here(Rc<[u8]>),
    /// To be read from disk.
    Away,
}

impl Answers {
    /// Holds the text of at most so many answers.
    pub(crate) fn holding(held_max: usize) -> Answers {
        Answers {
            known: HashMap::new(),
            order: VecDeque::new(),
            held: VecDeque::new(),
            held_max,
        }
    }

    pub(crate) fn get(&self, op_id: &str) -> Option<Kept> {
        self.known.get(op_id).cloned()
    }

    /// Adds an answer; the first one given under a key stays.
    pub(crate) fn insert(&mut self, answer: &Answer) {
        if self.known.contains_key(answer.op_id.as_str()) {
            return;
        }
        let op_id = self.remember(
            &answer.op_id,
            answer.at_wall_ms,
            Kept::Here(answer.body.as_slice().into()),
        );
        self.held.push_back(op_id);
        if self.held.len() > self.held_max
            && let Some(oldest) = self.held.pop_front()
            && let Some(kept) = self.known.get_mut(&oldest)
        {
            *kept = Kept::Away;
        }
    }

    /// Adds the key of an answer that is on disk.
    pub(crate) fn insert_key(&mut self, op_id: &str, at_wall_ms: u64) {
        self.remember(op_id, at_wall_ms, Kept::Away);
    }

    fn remember(&mut self, op_id: &str, at_wall_ms: u64, kept: Kept) -> Rc<str> {
        let op_id: Rc<str> = op_id.into();
        self.known.insert(Rc::clone(&op_id), kept);
        self.order.push_back((Rc::clone(&op_id), at_wall_ms));
        let oldest_ms = at_wall_ms.saturating_sub(ANSWER_AGE_MS);
        while self.order.len() > ANSWERS_MAX
            || self.order.front().is_some_and(|(_, at)| *at < oldest_ms)
        {
            if let Some((old, _)) = self.order.pop_front() {
                self.known.remove(&old);
            }
        }
        op_id
    }
}
