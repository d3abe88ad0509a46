//! The death of the process that started this one.
//!
//! End of input says it too, unless another process has inherited the other end of the pipe.
//! Linux tells of it through a pidfd. `PR_SET_PDEATHSIG` would not do: it fires when the starting
//! *thread* ends, which in a client with a thread pool happens while the client lives. Elsewhere,
//! and where the kernel refuses a pidfd, the parent's id is looked at five times a second.

use std::time::Duration;

use rustix::process::{Pid, getppid};
use tokio::time::sleep;

/// Between two looks at the parent's id.
const POLL: Duration = Duration::from_millis(200);

/// The parent at the start of this process.
pub(crate) struct Parent {
    pid: Option<Pid>,
}

impl Parent {
    pub(crate) fn observe() -> Parent {
        Parent { pid: getppid() }
    }

    /// Returns when the parent has died. Never, where it cannot be seen (another pid namespace).
    pub(crate) async fn died(self) {
        let Some(pid) = self.pid else {
            return std::future::pending().await;
        };
        #[cfg(target_os = "linux")]
        if watched(pid).await {
            return;
        }
        while getppid() == Some(pid) {
            sleep(POLL).await;
        }
    }
}

/// Waits for the end of a process through a pidfd. False where that cannot be done.
#[cfg(target_os = "linux")]
async fn watched(pid: Pid) -> bool {
    use rustix::process::{PidfdFlags, pidfd_open};
    use tokio::io::{Interest, unix::AsyncFd};

    let Ok(pidfd) = pidfd_open(pid, PidfdFlags::NONBLOCK) else {
        return false;
    };
    // It may have died, and its number been given away, before the pidfd was there.
    if getppid() != Some(pid) {
        return true;
    }
    #[expect(unsafe_code, reason = "tokio asks for a promise about the descriptor")]
    // SAFETY: the pidfd is open, owned by the `AsyncFd`, and stays open until that is dropped.
    let registered = unsafe { AsyncFd::register_with_interest(pidfd, Interest::READABLE) };
    let Ok(pidfd) = registered else { return false };
    pidfd.readable().await.is_ok()
}
