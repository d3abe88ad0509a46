//! Bytes in and out of one connection.

use std::{
    future::{Future, poll_fn},
    io::{self, BufRead},
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use kite_wire::frame::LINE_BYTES_MAX;
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::UnixStream,
    time::{Instant, Sleep, sleep, timeout},
};

/// How long a client may take to read an answer.
pub(super) const WRITE_PATIENCE: Duration = Duration::from_secs(30);
/// How long what a client still sends is read, so that it can read why it was refused.
const LINGER: Duration = Duration::from_secs(1);
/// How often a client that has only half closed is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// What a buffer grows by, and what it may keep when it is empty.
const READ_BYTES: usize = 4 << 10;
const KEPT_BYTES_MAX: usize = 64 << 10;

/// The stream of one connection, and what has been read of it.
pub(super) struct Exchange {
    stream: UnixStream,
    inbox: Vec<u8>,
    /// How much of `inbox` has been used.
    used: usize,
    /// How much of it is known to hold no newline.
    searched: usize,
    /// Nothing more will come.
    pub(super) ended: bool,
    look: Option<Pin<Box<Sleep>>>,
}

impl Exchange {
    pub(super) fn new(stream: UnixStream) -> Self {
        Exchange {
            stream,
            inbox: Vec::new(),
            used: 0,
            searched: 0,
            ended: false,
            look: None,
        }
    }

    /// What has been read and not yet used.
    pub(super) fn unused(&self) -> &[u8] {
        &self.inbox[self.used..]
    }

    /// True where a line would be longer than it may.
    pub(super) fn is_overlong(&self) -> bool {
        self.unused().len() > LINE_BYTES_MAX && !self.has_line_within_limit()
    }

    fn has_line_within_limit(&self) -> bool {
        self.unused()[..=LINE_BYTES_MAX].contains(&b'\n')
    }

    /// Uses one line, newline included, where a whole one has come.
    pub(super) fn take_line(&mut self) -> Option<&[u8]> {
        self.searched = self.searched.max(self.used);
        let mut rest = &self.inbox[self.searched..];
        let before = rest.len();
        // Cannot fail: it is memory. The standard library searches it word by word.
        let skipped = rest.skip_until(b'\n').unwrap_or(before);
        self.searched += skipped;
        if skipped == 0 || self.inbox[self.searched - 1] != b'\n' {
            return None;
        }
        let line = self.used..self.searched;
        self.used = line.end;
        Some(&self.inbox[line])
    }

    /// Uses everything that has been read.
    pub(super) fn take_all(&mut self) -> Vec<u8> {
        let rest = self.inbox.split_off(self.used);
        self.inbox.clear();
        (self.used, self.searched) = (0, 0);
        rest
    }

    /// Reads what there is. `Ok(0)`: nothing more will come.
    pub(super) fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.make_room();
        let read = ready!(pin!(self.stream.read_buf(&mut self.inbox)).poll(cx))?;
        self.ended |= read == 0;
        Poll::Ready(Ok(read))
    }

    fn make_room(&mut self) {
        if self.used == self.inbox.len() {
            self.inbox.clear();
            self.inbox.shrink_to(KEPT_BYTES_MAX);
            (self.used, self.searched) = (0, 0);
        } else if self.used > KEPT_BYTES_MAX {
            self.inbox.drain(..self.used);
            self.searched = self.searched.saturating_sub(self.used);
            self.used = 0;
        }
        if self.inbox.capacity() - self.inbox.len() < READ_BYTES {
            self.inbox.reserve(READ_BYTES);
        }
    }

    /// Reads until `into` holds `length` bytes. False where they did not come.
    pub(super) async fn read_into(
        &mut self,
        into: &mut Vec<u8>,
        length: usize,
    ) -> io::Result<bool> {
        let missing = length.saturating_sub(into.len());
        let mut rest = (&mut self.stream).take(missing as u64);
        rest.read_to_end(into).await?;
        Ok(into.len() == length)
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    /// Writes everything, at most for [`WRITE_PATIENCE`].
    pub(super) async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        timeout(WRITE_PATIENCE, self.stream.write_all(bytes)).await?
    }

    /// Ready when the client is gone. It may have said that it will write no more and still wait
    /// for an answer (`socat`, `nc -N`): such a client is looked at now and then. With
    /// `may_read`, what it sends meanwhile is read, to notice its end at once.
    pub(super) fn poll_gone(&mut self, cx: &mut Context<'_>, may_read: bool) -> Poll<()> {
        while may_read && !self.ended && self.unused().len() < LINE_BYTES_MAX {
            match self.poll_fill(cx) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
        loop {
            let look = match &mut self.look {
                Some(look) => look,
                None => {
                    if self.is_hung_up() {
                        return Poll::Ready(());
                    }
                    self.look.insert(Box::pin(sleep(LOOK_EVERY)))
                }
            };
            ready!(look.as_mut().poll(cx));
            self.look = None;
        }
    }

    /// True where the other side is closed in both directions, not only in one.
    fn is_hung_up(&self) -> bool {
        let mut looked_at = [PollFd::new(&self.stream, PollFlags::OUT)];
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        match poll(&mut looked_at, Some(&at_once)) {
            Ok(_) => looked_at[0]
                .revents()
                .intersects(PollFlags::HUP | PollFlags::ERR),
            Err(Errno::INTR | Errno::AGAIN) => false,
            Err(_) => true,
        }
    }

    /// Writes the last words to a client that may still be sending. Were the connection closed
    /// over unread bytes, the client would see an error instead of them.
    pub(super) async fn part(&mut self, last_words: &[u8]) {
        let farewell = async {
            self.stream.write_all(last_words).await?;
            self.stream.shutdown().await?;
            self.take_all();
            while poll_fn(|cx| self.poll_fill(cx)).await? > 0 {
                self.take_all();
            }
            io::Result::Ok(())
        };
        // Whatever happens to it, the connection is over.
        let _ = timeout(LINGER, farewell).await;
    }
}

/// A deadline that is only entered into the timer when something really waits for it.
pub(super) struct Deadline {
    at: Instant,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    pub(super) fn after(patience: Duration) -> Self {
        Deadline {
            at: Instant::now() + patience,
            timer: None,
        }
    }

    /// Moves it nearer; never further away.
    pub(super) fn shorten(&mut self, patience: Duration) {
        let at = Instant::now() + patience;
        if at < self.at {
            *self = Deadline { at, timer: None };
        }
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        self.timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)))
            .as_mut()
            .poll(cx)
    }
}
