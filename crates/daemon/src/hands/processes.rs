//! Foreign processes: who they are, and the moment they end.
//!
//! A pid alone names nobody, since it is used again. A pid with its start time names one process
//! until the machine is booted again, and the boot id tells boots apart.

use std::time::Duration;

/// How often a process is looked at where the system cannot tell that it ended.
pub const POLL_EVERY: Duration = Duration::from_millis(500);
/// Most ancestors that are followed.
pub const ANCESTORS_MAX: usize = 64;
/// What clients run hooks through.
const SHELLS: &[&str] = &["sh", "bash", "dash", "zsh", "ksh", "fish", "ash"];

/// When process `pid` started, in a unit of the system's own (Linux: clock ticks since boot;
/// elsewhere: seconds since 1970). Only good for comparing. `None` where no such process runs;
/// one that has ended but was not yet reaped does not run.
#[must_use]
pub fn start_time(pid: u32) -> Option<u64> {
    system::stat(pid).map(|stat| stat.started)
}

/// The parents of `pid`, nearest first.
#[must_use]
pub fn ancestors(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let mut next = system::stat(pid).map(|stat| stat.parent);
    while let Some(parent) = next.filter(|p| *p > 0 && found.len() < ANCESTORS_MAX) {
        found.push(parent);
        next = system::stat(parent).map(|stat| stat.parent);
    }
    found
}

/// The client that had the process `hook` run. Looks off the loop, since it may have to start `ps`.
pub async fn client_of(hook: Option<u32>) -> Option<u32> {
    let hook = hook?;
    tokio::task::spawn_blocking(move || above_shells(hook))
        .await
        .ok()?
}

/// The process that had `hook` run: its nearest ancestor that is no shell. Clients run hooks through
/// a shell, which may or may not make way for the hook.
#[must_use]
pub fn above_shells(hook: u32) -> Option<u32> {
    ancestors(hook)
        .into_iter()
        .find(|pid| !system::name(*pid).is_some_and(|name| is_shell(&name)))
        .filter(|pid| *pid > 1)
}

fn is_shell(name: &str) -> bool {
    let program = name.rsplit('/').next().unwrap_or(name);
    SHELLS.contains(&program.trim_start_matches('-'))
}

/// Names this boot of the machine. Empty where the system does not say.
#[must_use]
pub fn boot_id() -> String {
    system::boot_id().unwrap_or_default()
}

/// Ends when the process that started at `started` under the number `pid` has ended; at once
/// where it already has.
pub async fn watch(pid: u32, started: u64) {
    #[cfg(target_os = "linux")]
    if watch_descriptor(pid, started).await.is_ok() {
        return;
    }
    while runs(pid, started).await {
        tokio::time::sleep(POLL_EVERY).await;
    }
}

/// Looks off the loop, since it may have to start `ps`.
async fn runs(pid: u32, started: u64) -> bool {
    let look = move || start_time(pid) == Some(started);
    // A look that failed (the runtime is ending) is no news of the process.
    tokio::task::spawn_blocking(look).await.unwrap_or(true)
}

/// Waits on a pidfd. An error where there is none to be had.
#[cfg(target_os = "linux")]
async fn watch_descriptor(pid: u32, started: u64) -> std::io::Result<()> {
    use rustix::process::{Pid, PidfdFlags, pidfd_open};
    use tokio::io::{Interest, unix::AsyncFd};

    let Some(pid_known) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return Ok(());
    };
    let descriptor = match pidfd_open(pid_known, PidfdFlags::NONBLOCK) {
        Ok(descriptor) => descriptor,
        Err(rustix::io::Errno::SRCH) => return Ok(()),
        Err(other) => return Err(other.into()),
    };
    // Only now: the descriptor keeps the number from being given to another process unseen.
    if start_time(pid) != Some(started) {
        return Ok(());
    }
    #[expect(
        unsafe_code,
        reason = "tokio cannot check that a descriptor stays what it is"
    )]
    // SAFETY: `descriptor` is an `OwnedFd`, open here, moved in, never replaced, and closed by the
    // `AsyncFd` alone, after it has been taken out of the reactor.
    let descriptor = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) }?;
    descriptor.readable().await.map(drop)
}

struct Stat {
    parent: u32,
    started: u64,
}

#[cfg(target_os = "linux")]
mod system {
    use super::Stat;

    pub(super) fn stat(pid: u32) -> Option<Stat> {
        parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Reads `pid (name) state ppid ...`: the name may hold anything, so count from its end.
    fn parse(text: &[u8]) -> Option<Stat> {
        let name_end = text.iter().rposition(|b| *b == b')')?;
        let text = core::str::from_utf8(&text[name_end + 1..]).ok()?;
        let mut fields = text.split_ascii_whitespace();
        if matches!(fields.next()?, "Z" | "X" | "x") {
            return None;
        }
        let parent = fields.next()?.parse().ok()?;
        let started = fields.nth(17)?.parse().ok()?;
        Some(Stat { parent, started })
    }

    /// The program's name, cut to what the system keeps of it.
    pub(super) fn name(pid: u32) -> Option<String> {
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        Some(name.trim_end().to_owned())
    }

    pub(super) fn boot_id() -> Option<String> {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(text.trim().to_owned())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_process_may_be_called_anything() {
            let line = b"42 (a) b (\xFF) S 7 42 42 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 5";
            let stat = parse(line).expect("a stat line");
            assert_eq!((stat.parent, stat.started), (7, 987_654));
            assert!(
                parse(b"42 (sh) Z 7 42 42 0").is_none(),
                "ended, not yet reaped"
            );
            assert!(parse(b"").is_none());
        }
    }
}

/// Without `/proc`: `ps` and `sysctl` know. Whole seconds are coarse, but with the pid they name
/// a process well enough.
#[cfg(not(target_os = "linux"))]
mod system {
    use std::process::{Command, Stdio};

    use super::Stat;

    pub(super) fn stat(pid: u32) -> Option<Stat> {
        let line = output(
            "ps",
            &["-o", "ppid=,state=,lstart=", "-p", &pid.to_string()],
        )?;
        let line = line.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let (parent, rest) = line.split_once(' ')?;
        let (state, started) = rest.split_once(' ')?;
        if state.starts_with('Z') {
            return None;
        }
        let started = jiff::civil::DateTime::strptime("%a %b %d %H:%M:%S %Y", started).ok()?;
        let started = started
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()?
            .timestamp()
            .as_second();
        Some(Stat {
            parent: parent.parse().ok()?,
            started: u64::try_from(started).ok()?,
        })
    }

    pub(super) fn name(pid: u32) -> Option<String> {
        output("ps", &["-o", "comm=", "-p", &pid.to_string()])
    }

    pub(super) fn boot_id() -> Option<String> {
        output("sysctl", &["-n", "kern.bootsessionuuid"])
            .or_else(|| output("sysctl", &["-n", "kern.boottime"]))
    }

    fn output(program: &str, arguments: &[&str]) -> Option<String> {
        let output = Command::new(program)
            .args(arguments)
            .env("LC_ALL", "C")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        let text = text.trim();
        (output.status.success() && !text.is_empty()).then(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn here<T>(future: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let limited = async { tokio::time::timeout(Duration::from_secs(20), future).await };
        runtime
            .expect("a runtime")
            .block_on(limited)
            .expect("the watch ends in time")
    }

    #[test]
    fn a_process_is_known_by_pid_and_start() {
        let me = std::process::id();
        assert!(start_time(me).is_some());
        assert_eq!(start_time(me), start_time(me));
        assert_eq!(start_time(u32::MAX), None);
        assert!(!boot_id().is_empty());
    }

    #[test]
    fn a_child_has_this_process_among_its_ancestors() {
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep");
        assert_eq!(ancestors(child.id()).first(), Some(&std::process::id()));
        child.kill().expect("kill");
        child.wait().expect("wait");
    }

    #[test]
    fn shells_between_a_hook_and_its_client_are_passed_over() {
        // Two commands each, so that no shell makes way for its last one.
        let script = "sh -c 'echo $$; cat; :'; :";
        let mut shell = Command::new("sh")
            .args(["-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh");
        let mut line = String::new();
        let mut output = std::io::BufReader::new(shell.stdout.take().expect("piped"));
        std::io::BufRead::read_line(&mut output, &mut line).expect("a line");
        let inner: u32 = line.trim().parse().expect("a pid");
        assert_ne!(inner, shell.id());
        assert_eq!(above_shells(inner), Some(std::process::id()));
        let name = system::name(shell.id()).expect("it runs");
        assert!(is_shell(&name), "{name}");
        assert!(is_shell("-zsh") && is_shell("/bin/bash") && !is_shell("codex"));
        drop(shell.stdin.take());
        shell.wait().expect("wait");
    }

    #[test]
    fn a_watch_ends_with_its_process_and_not_before() {
        let mut child = Command::new("cat")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("cat");
        let (pid, started) = (child.id(), start_time(child.id()).expect("it runs"));
        here(async {
            let mut watch = std::pin::pin!(watch(pid, started));
            let early = tokio::time::timeout(Duration::from_millis(50), &mut watch).await;
            assert!(early.is_err(), "it still runs");
            child.kill().expect("kill");
            // Not reaped: an ended process is an ended process.
            watch.await;
        });
        child.wait().expect("wait");
    }

    #[test]
    fn another_process_under_an_old_number_is_not_the_one_watched() {
        let me = std::process::id();
        let started = start_time(me).expect("I run");
        here(watch(me, started + 1));
        here(watch(u32::MAX, 1));
    }
}
