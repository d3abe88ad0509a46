//! Ctrl-C during the demo: noted, and obeyed at the next step, so that nothing is left behind.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, Kind};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is noted instead of ending the program at once.
pub(super) fn watch() -> Result<(), Error> {
    let cannot = |cause: std::io::Error| Error::failed("cannot listen for Ctrl-C").because(cause);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(cannot)?;
    std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || {
            if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
                INTERRUPTED.store(true, Ordering::Relaxed);
            }
        })
        .map_err(cannot)?;
    Ok(())
}

/// An error once Ctrl-C was pressed.
pub(super) fn check() -> Result<(), Error> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        return Err(Error::new(
            Kind::Interrupted,
            "interrupted; everything has been cleaned up",
        ));
    }
    Ok(())
}
