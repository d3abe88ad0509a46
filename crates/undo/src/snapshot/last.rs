//! The newest snapshot of one working copy, noted in its git directory so that an unchanged state is
//! recognised without reading refs.

use std::{fs, path::Path};

use crate::{error::Error, git::Oid};

/// The newest snapshot of one working copy.
pub(super) struct Last {
    pub(super) number: u64,
    pub(super) at_ms: u64,
    pub(super) commit: Oid,
    pub(super) state: String,
}

impl Last {
    pub(super) fn read(file: &Path) -> Option<Last> {
        let text = fs::read_to_string(file).ok()?;
        let mut words = text.strip_suffix('\n')?.split(' ');
        Some(Last {
            number: words.next()?.parse().ok()?,
            at_ms: words.next()?.parse().ok()?,
            commit: Oid::parse(words.next()?.as_bytes())?,
            state: words.next()?.to_owned(),
        })
    }

    pub(super) fn keep(&self, file: &Path) -> Result<(), Error> {
        let text = format!(
            "{} {} {} {}\n",
            self.number, self.at_ms, self.commit, self.state
        );
        fs::write(file, text).map_err(Error::io("write", file))
    }
}
