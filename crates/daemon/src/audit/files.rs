//! The log on disk: `events-YYYYMMDD-NNN.jsonl`, and `seq`, which keeps numbers from being given
//! twice.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use kite_wire::reply::Event;

use super::Retention;

/// A file longer than this is followed by another, in bytes. Less where little is to be kept.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// How many numbers are set aside at a time. After a crash the log goes on behind them.
const SEQ_RESERVED: u64 = 10_000;
/// How much of the end of a file is searched for its last event, in bytes.
const TAIL_BYTES_MAX: u64 = 256 << 10;

/// One file of the log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LogFile {
    day: Date,
    number: u32,
    pub(super) path: PathBuf,
}

/// The files of one log, the newest of them open.
#[derive(Debug)]
pub(super) struct Files {
    directory: PathBuf,
    retention: Retention,
    current: Option<(LogFile, File, u64)>,
    bytes: u64,
    next_seq: u64,
    /// Numbers below this may be given.
    reserved_seq: u64,
}

impl Files {
    pub(super) fn open(directory: &Path, retention: Retention) -> io::Result<Files> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let last = newest_first(directory)
            .iter()
            .find_map(|file| last_seq(&file.path));
        let reserved = fs::read_to_string(directory.join("seq")).ok();
        let reserved = reserved
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(1);
        let next_seq = last.map_or(1, |last| last + 1).max(reserved);
        let mut files = Files {
            directory: directory.to_owned(),
            retention,
            current: None,
            bytes: 0,
            next_seq,
            reserved_seq: next_seq,
        };
        files.retain()?;
        Ok(files)
    }

    pub(super) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Makes sure that `seq` is not given again after a crash. Before anybody sees the event.
    pub(super) fn reserve(&mut self, seq: u64) -> io::Result<()> {
        if seq >= self.reserved_seq {
            self.write_seq(seq + SEQ_RESERVED)?;
            self.reserved_seq = seq + SEQ_RESERVED;
        }
        Ok(())
    }

    /// A clean end: no number is left out.
    pub(super) fn close(&mut self, next_seq: u64) -> io::Result<()> {
        self.write_seq(next_seq)
    }

    fn write_seq(&self, seq: u64) -> io::Result<()> {
        let new = self.directory.join("seq.new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)?;
        file.write_all(format!("{seq}\n").as_bytes())?;
        fs::rename(new, self.directory.join("seq"))
    }

    /// Appends whole lines.
    pub(super) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
        let is_over = self
            .current
            .as_ref()
            .is_none_or(|(file, _, length)| file.day != today || *length >= self.file_bytes_max());
        if is_over {
            self.current = Some(self.next_file(today)?);
            self.retain()?;
        }
        let Some((_, file, length)) = &mut self.current else {
            return Ok(());
        };
        let written = file.write_all(lines);
        if written.is_err() {
            // Part of it may be there. Where it cannot be taken back, another file is begun.
            if file.set_len(*length).is_err() {
                self.current = None;
            }
            return written;
        }
        *length += lines.len() as u64;
        self.bytes += lines.len() as u64;
        Ok(())
    }

    fn file_bytes_max(&self) -> u64 {
        FILE_BYTES_MAX
            .min(self.retention.bytes_max / 8)
            .max(64 << 10)
    }

    /// A new file each time: the end of an old one may have been torn.
    fn next_file(&self, day: Date) -> io::Result<(LogFile, File, u64)> {
        let newest = newest_first(&self.directory)
            .into_iter()
            .find(|file| file.day == day);
        let mut number = newest.map_or(1, |file| file.number + 1);
        loop {
            let path = self.directory.join(format!(
                "events-{}-{number:03}.jsonl",
                day.strftime("%Y%m%d")
            ));
            match OpenOptions::new()
                .append(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
            {
                Ok(file) => return Ok((LogFile { day, number, path }, file, 0)),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(e) => return Err(e),
            }
        }
    }

    /// Deletes what is too old or too much, the oldest first; never the file that is written.
    fn retain(&mut self) -> io::Result<()> {
        let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
        let days = i64::try_from(self.retention.days_max)
            .unwrap_or(i64::MAX)
            .min(100_000);
        let first_day = today.checked_sub(days.days()).unwrap_or(Date::MIN);
        let current = self.current.as_ref().map(|(file, ..)| file.clone());
        let budget = self
            .retention
            .bytes_max
            .saturating_sub(self.file_bytes_max());
        self.bytes = 0;
        let mut is_kept = true;
        for file in newest_first(&self.directory) {
            let length = fs::metadata(&file.path).map_or(0, |metadata| metadata.len());
            is_kept &= file.day >= first_day && self.bytes + length <= budget;
            if is_kept || Some(&file) == current.as_ref() {
                self.bytes += length;
            } else {
                fs::remove_file(&file.path)?;
            }
        }
        Ok(())
    }
}

/// The files of the log in `directory`. Nothing else there is touched.
pub(super) fn newest_first(directory: &Path) -> Vec<LogFile> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.filter_map(|entry| named(entry.path())).collect();
    files.sort_unstable_by(|a, b| b.cmp(a));
    files
}

fn named(path: PathBuf) -> Option<LogFile> {
    let name = path.file_name()?.to_str()?;
    let (day, number) = name
        .strip_prefix("events-")?
        .strip_suffix(".jsonl")?
        .split_once('-')?;
    let day = Date::strptime("%Y%m%d", day).ok()?;
    Some(LogFile {
        day,
        number: number.parse().ok()?,
        path,
    })
}

/// The number of the last whole event in a file.
fn last_seq(path: &Path) -> Option<u64> {
    let mut file = File::open(path).ok()?;
    let length = file.metadata().ok()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES_MAX)))
        .ok()?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES_MAX).read_to_end(&mut tail).ok()?;
    let mut lines = tail.split(|byte| *byte == b'\n').rev();
    lines.find_map(|line| Some(serde_json::from_slice::<Event>(line).ok()?.seq))
}
