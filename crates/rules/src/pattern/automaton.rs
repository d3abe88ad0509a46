//! A small nondeterministic automaton over characters, and the search of the product of two.

use alloc::{vec, vec::Vec};

/// A set of characters as sorted, disjoint, inclusive ranges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CharSet(Vec<(char, char)>);

impl CharSet {
    pub(super) fn one(c: char) -> CharSet {
        CharSet(vec![(c, c)])
    }

    /// Everything that a file name may be made of: all but the slash.
    pub(super) fn name() -> CharSet {
        CharSet::of(vec![('/', '/')], true)
    }

    /// These ranges, in any order, or all characters but these; never the slash.
    pub(super) fn of(mut ranges: Vec<(char, char)>, negated: bool) -> CharSet {
        ranges.sort_unstable();
        if negated {
            ranges.push(('/', '/'));
            ranges.sort_unstable();
            CharSet(complement(&ranges))
        } else {
            // Twice the complement also merges ranges that touch or overlap.
            let mut outside = complement(&ranges);
            outside.push(('/', '/'));
            outside.sort_unstable();
            CharSet(complement(&outside))
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The only character of this set, if there is only one.
    pub(super) fn single(&self) -> Option<char> {
        match self.0.as_slice() {
            [(first, last)] if first == last => Some(*first),
            _ => None,
        }
    }

    fn contains(&self, c: char) -> bool {
        self.0.iter().any(|&(first, last)| first <= c && c <= last)
    }

    fn intersects(&self, other: &CharSet) -> bool {
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            if a.1 < b.0 {
                mine.next();
            } else if b.1 < a.0 {
                theirs.next();
            } else {
                return true;
            }
        }
        false
    }
}

/// All characters outside of these sorted ranges.
fn complement(sorted: &[(char, char)]) -> Vec<(char, char)> {
    let mut outside = Vec::new();
    let mut next = Some('\0');
    for &(first, last) in sorted {
        if let (Some(start), Some(end)) = (next, before(first))
            && start <= end
        {
            outside.push((start, end));
        }
        next = next.and_then(|start| {
            if last < start {
                Some(start)
            } else {
                after(last)
            }
        });
    }
    if let Some(start) = next {
        outside.push((start, char::MAX));
    }
    outside
}

fn before(c: char) -> Option<char> {
    ('\0'..c).next_back()
}

fn after(c: char) -> Option<char> {
    (c..=char::MAX).nth(1)
}

/// One state: the characters that lead on, and a step that needs none.
#[derive(Clone, Debug, Default)]
struct State {
    steps: Vec<(CharSet, usize)>,
    free: Option<usize>,
}

/// Reads a text from state 0; accepts it in the last state. Every state can reach the last.
#[derive(Clone, Debug)]
pub(super) struct Automaton(Vec<State>);

impl Automaton {
    /// Accepts the empty text only. Grows by the methods below, each of which appends to what is
    /// accepted.
    pub(super) fn new() -> Automaton {
        Automaton(vec![State::default()])
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// One character of this set.
    pub(super) fn then(&mut self, set: CharSet) {
        let next = self.0.len();
        self.0[next - 1].steps.push((set, next));
        self.0.push(State::default());
    }

    /// Any number of characters of a file name.
    pub(super) fn then_any(&mut self) {
        let here = self.0.len() - 1;
        self.0[here].steps.push((CharSet::name(), here));
        self.0[here].free = Some(here + 1);
        self.0.push(State::default());
    }

    /// Any number of whole segments, each with its slash.
    pub(super) fn then_segments(&mut self) {
        let here = self.0.len() - 1;
        self.0[here].steps.push((CharSet::name(), here + 1));
        self.0[here].free = Some(here + 2);
        self.0.push(State {
            steps: vec![(CharSet::name(), here + 1), (CharSet::one('/'), here)],
            free: None,
        });
        self.0.push(State::default());
    }

    /// At least one segment, with slashes between them and none at the end.
    pub(super) fn then_rest(&mut self) {
        let here = self.0.len() - 1;
        self.0[here].steps.push((CharSet::name(), here + 1));
        self.0.push(State {
            steps: vec![(CharSet::name(), here + 1), (CharSet::one('/'), here)],
            free: None,
        });
    }

    /// The states it may be in after this text.
    pub(super) fn run(&self, text: &str) -> Vec<usize> {
        let mut current = vec![false; self.0.len()];
        self.enter(0, &mut current);
        for c in text.chars() {
            let mut next = vec![false; self.0.len()];
            for (state, _) in self.0.iter().zip(&current).filter(|(_, on)| **on) {
                for (_, to) in state.steps.iter().filter(|(set, _)| set.contains(c)) {
                    self.enter(*to, &mut next);
                }
            }
            current = next;
        }
        (0..self.0.len()).filter(|state| current[*state]).collect()
    }

    pub(super) fn accepts(&self, text: &str) -> bool {
        self.run(text).last() == Some(&(self.0.len() - 1))
    }

    /// Marks a state and those that follow it without a character.
    fn enter(&self, state: usize, marked: &mut [bool]) {
        let mut next = Some(state);
        while let Some(state) = next.filter(|state| !marked[*state]) {
            marked[state] = true;
            next = self.0[state].free;
        }
    }

    /// Whether some text is accepted by this from state 0 and by the other from one of `starts`.
    pub(super) fn meets(&self, other: &Automaton, starts: &[usize]) -> bool {
        let width = other.0.len();
        let accepting = (self.0.len() - 1, width - 1);
        let mut seen = vec![0_u64; (self.0.len() * width).div_ceil(64)];
        let mut open: Vec<(usize, usize)> = starts.iter().map(|start| (0, *start)).collect();
        while let Some(pair) = open.pop() {
            let at = pair.0 * width + pair.1;
            let (word, bit) = (at / 64, 1 << (at % 64));
            if seen[word] & bit != 0 {
                continue;
            }
            seen[word] |= bit;
            if pair == accepting {
                return true;
            }
            let (mine, theirs) = (&self.0[pair.0], &other.0[pair.1]);
            open.extend(mine.free.map(|to| (to, pair.1)));
            open.extend(theirs.free.map(|to| (pair.0, to)));
            for (set, to) in &mine.steps {
                let shared = theirs
                    .steps
                    .iter()
                    .filter(|(other, _)| set.intersects(other));
                open.extend(shared.map(|(_, other_to)| (*to, *other_to)));
            }
        }
        false
    }
}
