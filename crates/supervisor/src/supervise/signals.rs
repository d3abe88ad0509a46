//! Signals, as something a loop can wait for.

use std::{
    io::{self, PipeReader, PipeWriter, Read as _},
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::process::Signal;

/// Ask the supervisor to end its run.
const ASKS: &[Signal] = &[Signal::TERM, Signal::INT, Signal::HUP, Signal::QUIT];
/// Mean nothing to it. A signal that is handled here is back at its default in what is started from
/// here; one that was ignored by whoever started this process would stay ignored.
const MEANS_NOTHING: &[Signal] = &[
    Signal::USR1,
    Signal::USR2,
    Signal::ALARM,
    Signal::TSTP,
    Signal::TTIN,
    Signal::TTOU,
    Signal::WINCH,
];

/// What this process was told by signals.
pub(super) struct Signals {
    asked: Arc<AtomicBool>,
    wake: PipeReader,
}

impl Signals {
    /// Hears signals from now on.
    pub(super) fn hear() -> io::Result<Self> {
        let (wake, waker) = io::pipe()?;
        rustix::io::ioctl_fionbio(&wake, true)?;
        rustix::io::ioctl_fionbio(&waker, true)?;
        let waker = Arc::new(waker);
        let asked = Arc::new(AtomicBool::new(false));
        for signal in ASKS {
            register(*signal, &waker, Some(Arc::clone(&asked)))?;
        }
        for signal in MEANS_NOTHING.iter().chain(&[Signal::CHILD]) {
            register(*signal, &waker, None)?;
        }
        Ok(Self { asked, wake })
    }

    /// Whether the run is to end.
    pub(super) fn asked(&self) -> bool {
        self.asked.load(Ordering::SeqCst)
    }

    /// Makes the descriptor wait for the next signal. Before what is to be done about the last ones.
    pub(super) fn clear(&mut self) {
        let mut bytes = [0; 64];
        while self.wake.read(&mut bytes).is_ok_and(|read| read > 0) {}
    }
}

impl AsFd for Signals {
    /// Readable after any signal, the end of a child among them.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

#[expect(unsafe_code, reason = "a signal handler may do little")]
fn register(
    signal: Signal,
    waker: &Arc<PipeWriter>,
    asked: Option<Arc<AtomicBool>>,
) -> io::Result<()> {
    let waker = Arc::clone(waker);
    let action = move || {
        if let Some(asked) = &asked {
            asked.store(true, Ordering::SeqCst);
        }
        // Where the pipe is full the loop is awake anyway.
        let _ = rustix::io::write(&waker, &[0]);
    };
    // SAFETY: the action stores to an atomic and calls write(2) on a descriptor that does not block.
    // Both may be done in a signal handler; nothing is allocated, freed or locked.
    unsafe { signal_hook_registry::register(signal.as_raw(), action) }.map(drop)
}
