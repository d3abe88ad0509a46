//! How busy this machine is: on an overloaded one, a late answer says nothing about the daemon.
//!
//! Looked at only where an answer is late already. Only Linux says it in a file; elsewhere a
//! machine counts as idle.

use std::{fs, num::NonZero, thread};

/// Runnable tasks for each processor, from which on a machine is overloaded.
const TASKS_PER_PROCESSOR: f64 = 2.0;

/// True where, over the last minute, more waited for a processor than ran on one.
pub(crate) fn is_high() -> bool {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    fs::read_to_string("/proc/loadavg").is_ok_and(|text| is_above(&text, processors))
}

/// `text` is that of `/proc/loadavg`: the mean number of runnable tasks over 1, 5 and 15 minutes,
/// and after a slash-joined pair of counts the last process id. The fourth word is what runs now.
fn is_above(text: &str, processors: usize) -> bool {
    let mut words = text.split_ascii_whitespace();
    let minute = words.next().and_then(|word| word.parse::<f64>().ok());
    let running = words
        .nth(2)
        .and_then(|word| word.split('/').next()?.parse::<f64>().ok());
    let limit = TASKS_PER_PROCESSOR * f64::from(u32::try_from(processors).unwrap_or(u32::MAX));
    [minute, running]
        .into_iter()
        .flatten()
        .any(|tasks| tasks >= limit)
}

#[cfg(test)]
mod tests {
    use super::is_above;

    #[test]
    fn a_machine_is_overloaded_by_its_last_minute_or_by_what_runs_now() {
        assert!(is_above("20.73 19.33 16.31 3/512 4711\n", 2));
        assert!(is_above("0.50 0.10 0.01 9/512 4711\n", 4));
        assert!(!is_above("3.90 9.00 9.00 3/512 4711\n", 2));
        assert!(!is_above("20.73 19.33 16.31 3/512 4711\n", 64));
    }

    #[test]
    fn what_cannot_be_read_is_no_load() {
        assert!(!is_above("", 1));
        assert!(!is_above("nan lots of it\n", 1));
    }
}
