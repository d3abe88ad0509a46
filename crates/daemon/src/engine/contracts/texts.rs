//! Contents that owners saw, by their hash, in memory.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// Bytes of contents that are kept together; the oldest make room.
const BYTES_MAX: usize = 16 << 20;

#[derive(Debug, Default)]
pub(super) struct Texts {
    texts: HashMap<u128, Arc<str>>,
    order: VecDeque<u128>,
    bytes: usize,
}

impl Texts {
    pub(super) fn get(&self, hash: u128) -> Option<Arc<str>> {
        self.texts.get(&hash).cloned()
    }

    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn put(&mut self, hash: u128, text: Arc<str>) {
        let bytes = text.len();
        if bytes > BYTES_MAX || self.texts.insert(hash, text).is_some() {
            return;
        }
        self.order.push_back(hash);
        self.bytes += bytes;
        while self.bytes > BYTES_MAX {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            let gone = self.texts.remove(&oldest);
            self.bytes -= gone.map_or(0, |text| text.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room() {
        let mut texts = Texts::default();
        let third: Arc<str> = "a".repeat(BYTES_MAX / 3).into();
        for hash in 1..=3 {
            texts.put(hash, Arc::clone(&third));
            texts.put(hash, Arc::clone(&third));
        }
        assert!((1..=3).all(|hash| texts.get(hash).is_some()));
        texts.put(4, third);
        assert!(texts.get(1).is_none() && texts.get(4).is_some());
        texts.put(5, "a".repeat(BYTES_MAX + 1).into());
        assert!(texts.get(5).is_none() && texts.get(4).is_some());
    }
}
