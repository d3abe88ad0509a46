//! Waiting for a descriptor, but not for ever.

use std::time::{Duration, Instant};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fd::BorrowedFd,
    io::Errno,
};

use crate::fault::Fault;

/// Waits until `descriptor` is ready for one of `wanted`, or has failed or been closed by the
/// other side. [`Fault::Timeout`] at the deadline.
pub(crate) fn wait_for(
    descriptor: BorrowedFd<'_>,
    wanted: PollFlags,
    deadline: Instant,
) -> Result<PollFlags, Fault> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Fault::Timeout);
        }
        let mut watched = [PollFd::from_borrowed_fd(descriptor, wanted)];
        match poll(&mut watched, Some(&timespec(left))) {
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(watched[0].revents()),
            Err(_) => return Err(Fault::Other),
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: duration.as_secs().cast_signed(),
        tv_nsec: duration.subsec_nanos().into(),
    }
}
