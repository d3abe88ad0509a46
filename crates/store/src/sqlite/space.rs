//! Room on the disk: the ballast that lets releases succeed when there is none, and the question
//! whether there is some again.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use super::files::Files;
use crate::limits::{BALLAST_BYTES, ROOM_BYTES};

/// Bytes of a page of the database.
const PAGE_BYTES: u64 = 4_096;
/// Pages that must be free below a cap for writing to go on.
const ROOM_PAGES: u32 = 64;
/// Less than this is a full disk, whatever the error was called.
const NO_ROOM_BYTES: u64 = 1 << 20;

/// What is known of the room. Shared by the callers' thread and the writer.
#[derive(Debug)]
pub(super) struct Space {
    files: Files,
    full: AtomicBool,
    /// The ballast is there.
    ballast: AtomicBool,
    /// The caller has seen room: the writer puts the ballast back.
    restore: AtomicBool,
    /// Cap on the database's pages; 0 for none. The ballast is then a reserve of pages.
    cap_pages: AtomicU32,
    /// Pages the database had when the writer last looked.
    used_pages: AtomicU32,
}

impl Space {
    pub(super) fn new(files: Files, cap_pages: u32) -> Space {
        Space {
            files,
            full: AtomicBool::new(false),
            ballast: AtomicBool::new(false),
            restore: AtomicBool::new(true),
            cap_pages: AtomicU32::new(cap_pages),
            used_pages: AtomicU32::new(0),
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.full.load(Ordering::Acquire)
    }

    pub(super) fn is_spent(&self) -> bool {
        !self.ballast.load(Ordering::Relaxed)
    }

    pub(super) fn set_full(&self) {
        self.full.store(true, Ordering::Release);
    }

    pub(super) fn set_cap_pages(&self, cap_pages: u32) {
        self.cap_pages.store(cap_pages, Ordering::Relaxed);
    }

    pub(super) fn set_used_pages(&self, pages: u32) {
        self.used_pages.store(pages, Ordering::Relaxed);
    }

    /// The cap in force now: with the reserve once the ballast is spent. `None` for no cap.
    pub(super) fn cap_in_force(&self) -> Option<u32> {
        let cap = self.cap_pages.load(Ordering::Relaxed);
        let reserve = if self.is_spent() {
            (BALLAST_BYTES / PAGE_BYTES) as u32
        } else {
            0
        };
        (cap > 0).then_some(cap.saturating_add(reserve))
    }

    /// Looks whether there is room again; if so, the store is not full any more.
    pub(super) fn look(&self) -> bool {
        let cap = self.cap_pages.load(Ordering::Relaxed);
        let used = self.used_pages.load(Ordering::Relaxed);
        let below_cap = cap == 0 || used.saturating_add(ROOM_PAGES) <= cap;
        let room = below_cap && self.free_bytes().is_none_or(|free| free > ROOM_BYTES);
        if room {
            self.full.store(false, Ordering::Release);
            self.restore.store(true, Ordering::Relaxed);
        }
        room
    }

    /// True where hardly a byte is left on the file system.
    pub(super) fn is_exhausted(&self) -> bool {
        self.free_bytes().is_some_and(|free| free < NO_ROOM_BYTES)
    }

    /// Gives the ballast up. False where it is spent already.
    pub(super) fn spend_ballast(&self) -> bool {
        let there = self.ballast.swap(false, Ordering::Relaxed);
        there && fs::remove_file(self.files.ballast()).is_ok()
    }

    /// Puts the ballast (back) if that is due. Without room the store goes on without it.
    pub(super) fn restore_ballast(&self) {
        if self.restore.swap(false, Ordering::Relaxed) {
            let written = self.write_ballast();
            if written.is_err() {
                // Half a ballast is no reserve, only space taken.
                let _ = fs::remove_file(self.files.ballast());
            }
            self.ballast.store(written.is_ok(), Ordering::Relaxed);
        }
    }

    fn write_ballast(&self) -> io::Result<()> {
        let path = self.files.ballast();
        if fs::metadata(&path).is_ok_and(|meta| meta.len() == BALLAST_BYTES) {
            return Ok(());
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)?;
        // Written rather than reserved: every file system then really sets the space aside.
        let block = [0xa5; 64 << 10];
        for _ in 0..BALLAST_BYTES / block.len() as u64 {
            file.write_all(&block)?;
        }
        file.sync_data()
    }

    fn free_bytes(&self) -> Option<u64> {
        let stat = rustix::fs::statvfs(self.files.directory()).ok()?;
        Some(stat.f_bavail.saturating_mul(stat.f_frsize))
    }
}
