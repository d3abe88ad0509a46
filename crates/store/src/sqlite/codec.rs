//! Packs lists into one column, so that a task is one row.
//!
//! A list is its items one after the other. A number is 8 bytes, an id 16, least significant
//! first; a text is its length in bytes as a number, then its bytes. An empty list is NULL.

/// What is being packed.
#[derive(Debug, Default)]
pub(super) struct Packed(Vec<u8>);

impl Packed {
    pub(super) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn id(&mut self, id: u128) {
        self.0.extend_from_slice(&id.to_le_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    /// The column's value.
    pub(super) fn column(self) -> Option<Vec<u8>> {
        (!self.0.is_empty()).then_some(self.0)
    }
}

/// What is left to unpack. Every method gives `None` where the bytes are not what they should be.
#[derive(Debug)]
pub(super) struct Unpack<'a>(pub(super) &'a [u8]);

impl Unpack<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    pub(super) fn id(&mut self) -> Option<u128> {
        self.take().map(u128::from_le_bytes)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        String::from_utf8(text.to_vec()).ok()
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_back_and_half_of_it_does_not() {
        let mut packed = Packed::default();
        packed.number(7);
        packed.text("a, \u{1f}b\0");
        packed.id(u128::MAX - 1);
        let bytes = packed.column().unwrap();

        let mut all = Unpack(&bytes);
        assert_eq!(all.number(), Some(7));
        assert_eq!(all.text().as_deref(), Some("a, \u{1f}b\0"));
        assert_eq!(all.id(), Some(u128::MAX - 1));
        assert!(all.is_empty());

        for cut in 0..bytes.len() {
            let mut half = Unpack(&bytes[..cut]);
            let read = (half.number(), half.text(), half.id());
            assert!(
                read.0.is_none() || read.1.is_none() || read.2.is_none(),
                "cut at {cut}"
            );
        }
        assert_eq!(Packed::default().column(), None);
    }
}
