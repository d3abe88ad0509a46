//! Which commits were checked out since a look, by git's own log of `HEAD`.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::Path,
};

use super::nanos;
use crate::git::Oid;

/// The end of the log that is read, in bytes: at most some fifty moves.
const LOG_BYTES_MAX: u64 = 8 << 10;

/// How `HEAD` moved since a look, the first move first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heads {
    moves: Vec<Move>,
    /// When the last of them was, in nanoseconds since 1970.
    last_ns: u64,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Move {
    from: Option<Oid>,
    to: Option<Oid>,
    at_s: u64,
}

impl Heads {
    /// The moves from `before` to `now` in what was added to the log since it had `read` bytes.
    /// Where that does not tell them all, the rest is one move at the last possible time.
    pub(super) fn since(
        git_dir: &Path,
        read: u64,
        before: Option<&Oid>,
        now: Option<&Oid>,
    ) -> (Heads, u64) {
        let (bytes, last_ns, length) = added(git_dir, read).unwrap_or((Vec::new(), u64::MAX, 0));
        let lines = bytes.split(|byte| *byte == b'\n');
        let mut moves: Vec<Move> = lines.filter_map(Move::of).collect();
        let end = moves.last().map_or(before, |last| last.to.as_ref());
        if end != now {
            let (from, to) = (end.cloned(), now.cloned());
            let at_s = last_ns / 1_000_000_000;
            moves.push(Move { from, to, at_s });
        }
        (Heads { moves, last_ns }, length)
    }

    /// The commit that was checked out at that time, if another than before all moves.
    pub(super) fn at(&self, at_ns: u64) -> Option<&Option<Oid>> {
        self.before(at_ns).last().map(|step| &step.to)
    }

    /// All commits that were checked out between the look and that time, if `HEAD` moved.
    pub(super) fn until(&self, at_ns: u64) -> impl Iterator<Item = &Oid> {
        let steps = self.before(at_ns).iter();
        steps.flat_map(|step| [&step.from, &step.to]).flatten()
    }

    /// The log's times are whole seconds: a move of the same second counts as later, unless the
    /// log itself was not written since.
    fn before(&self, at_ns: u64) -> &[Move] {
        let second = at_ns / 1_000_000_000;
        let count = match self.last_ns < at_ns {
            true => self.moves.len(),
            false => self.moves.partition_point(|step| step.at_s < second),
        };
        &self.moves[..count]
    }
}

/// What was added to the log, when, and how long it is now.
fn added(git_dir: &Path, read: u64) -> Option<(Vec<u8>, u64, u64)> {
    let mut file = File::open(git_dir.join("logs").join("HEAD")).ok()?;
    let metadata = file.metadata().ok()?;
    let length = metadata.len();
    // Shorter than before: old lines were taken out. Which are new is not known then.
    let start = if length < read { length } else { read };
    let start = start.max(length.saturating_sub(LOG_BYTES_MAX));
    file.seek(SeekFrom::Start(start)).ok()?;
    let mut bytes = Vec::new();
    file.take(LOG_BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some((bytes, nanos(metadata.modified().ok()?), length))
}

impl Move {
    /// `old new name <mail> seconds zone\tmessage`
    fn of(line: &[u8]) -> Option<Move> {
        let mut parts = line.splitn(2, |byte| *byte == b'\t');
        let mut words = parts.next()?.split(|byte| *byte == b' ');
        let (from, to) = (words.next()?, words.next()?);
        let mut from_end = words.rev();
        from_end.next()?;
        let at_s = std::str::from_utf8(from_end.next()?).ok()?.parse().ok()?;
        Some(Move {
            from: Oid::parse(from),
            to: Oid::parse(to),
            at_s,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(digit: char) -> Oid {
        Oid::parse(digit.to_string().repeat(40).as_bytes()).expect("a name")
    }

    fn log(lines: &[(char, char, u64)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("logs")).expect("logs");
        let line = |(from, to, at): &(char, char, u64)| {
            let name = |digit: &char| digit.to_string().repeat(40);
            format!(
                "{} {} A U <a@b> {at} +0100\tcommit: x\n",
                name(from),
                name(to)
            )
        };
        let text: String = lines.iter().map(line).collect();
        std::fs::write(directory.path().join("logs/HEAD"), text).expect("written");
        directory
    }

    #[test]
    fn the_moves_since_the_last_look_are_found() {
        let directory = log(&[('0', '1', 10), ('1', '2', 20), ('2', '1', 30)]);
        let whole = std::fs::read(directory.path().join("logs/HEAD")).expect("the log");
        let first = whole
            .iter()
            .position(|byte| *byte == b'\n')
            .expect("a line") as u64
            + 1;
        let (heads, read) = Heads::since(directory.path(), first, Some(&oid('1')), Some(&oid('1')));
        assert_eq!(read, whole.len() as u64);
        let until = |at| heads.until(at).cloned().collect::<Vec<Oid>>();
        assert_eq!(until(u64::MAX), ['1', '2', '2', '1'].map(oid));
        assert_eq!(until(25_000_000_000), ['1', '2'].map(oid));
        assert_eq!(heads.at(20_500_000_000), None, "the same second");
        assert_eq!(heads.at(21_000_000_000), Some(&Some(oid('2'))));
        assert_eq!(heads.at(u64::MAX), Some(&Some(oid('1'))));
        let (heads, _) = Heads::since(directory.path(), read, Some(&oid('1')), Some(&oid('1')));
        assert_eq!(heads.at(u64::MAX), None);
    }

    #[test]
    fn without_a_log_there_is_one_move_as_late_as_can_be() {
        let directory = tempfile::tempdir().expect("a directory");
        let (heads, _) = Heads::since(directory.path(), 0, None, Some(&oid('3')));
        assert_eq!(heads.at(1 << 60), None);
        let (heads, _) = Heads::since(directory.path(), 0, Some(&oid('3')), Some(&oid('3')));
        assert_eq!(heads.until(u64::MAX).count(), 0);
    }
}
