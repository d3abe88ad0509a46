//! The hook's standard input: bytes to pass on, never to read meaning into.

use std::time::{Duration, Instant};

use kite_wire::frame::INPUT_BYTES_MAX;
use rustix::{
    buffer::spare_capacity,
    event::PollFlags,
    io::{self, Errno},
    stdio,
};

use crate::{fault::Fault, readiness};

/// How long the agent may take to hand over its input.
const INPUT_TIME_MAX: Duration = Duration::from_secs(5);

/// Room for the usual input of a few kilobytes, and the step in which more is asked for.
const CHUNK_BYTES: usize = 64 << 10;

/// The whole input. Over [`INPUT_BYTES_MAX`] or after [`INPUT_TIME_MAX`]: [`Fault::Other`].
pub(crate) fn read() -> Result<Vec<u8>, Fault> {
    let deadline = Instant::now() + INPUT_TIME_MAX;
    let mut input = Vec::with_capacity(CHUNK_BYTES);
    while read_some(&mut input, deadline)? {
        if input.len() > INPUT_BYTES_MAX {
            return Err(Fault::Other);
        }
    }
    Ok(input)
}

/// Takes the input and forgets it, so that an agent that is still writing sees no broken pipe.
pub(crate) fn drain() {
    let deadline = Instant::now() + INPUT_TIME_MAX;
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    while read_some(&mut chunk, deadline) == Ok(true) {
        chunk.clear();
    }
}

/// Appends what is there to `input`. False at its end.
fn read_some(input: &mut Vec<u8>, deadline: Instant) -> Result<bool, Fault> {
    let stdin = stdio::stdin();
    readiness::wait_for(stdin, PollFlags::IN, deadline).map_err(|_| Fault::Other)?;
    if input.len() == input.capacity() {
        input.reserve(CHUNK_BYTES);
    }
    match io::read(stdin, spare_capacity(input)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR | Errno::AGAIN) => Ok(true),
        Err(_) => Err(Fault::Other),
    }
}
