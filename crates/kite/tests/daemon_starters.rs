//! The installed program's daemon: however many start it at once, there is one.

use std::{
    collections::BTreeSet,
    env,
    os::unix::net::UnixStream,
    path::Path,
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const KITE: &str = env!("CARGO_BIN_EXE_kite");
const STARTERS: usize = 64;

fn kite(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(KITE);
    command
        .args(arguments)
        .env("KITE_HOME", home)
        .stdin(Stdio::null());
    command
}

fn pid(home: &Path) -> u64 {
    let record = std::fs::read(home.join("daemon.json")).expect("a record");
    let record: serde_json::Value = serde_json::from_slice(&record).expect("JSON");
    record["pid"].as_u64().expect("a pid")
}

/// How many processes have this home's lock file open: daemons, and those who would be.
#[cfg(target_os = "linux")]
fn lock_holders(home: &Path) -> BTreeSet<u32> {
    let lock = home
        .join("daemon.lock")
        .canonicalize()
        .expect("a lock file");
    let processes = std::fs::read_dir("/proc").expect("/proc").flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers
        .filter(|number| {
            let open = std::fs::read_dir(format!("/proc/{number}/fd"))
                .into_iter()
                .flatten();
            open.flatten()
                .any(|fd| std::fs::read_link(fd.path()).is_ok_and(|path| path == lock))
        })
        .collect()
}

/// Until the last thread of a killed daemon is gone, the system still takes connections for it.
fn await_silence(home: &Path) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while UnixStream::connect(home.join("kite.sock")).is_ok() {
        assert!(Instant::now() < deadline, "it still listens");
        sleep(Duration::from_millis(1));
    }
}

fn said(output: &Output) -> String {
    format!(
        "{} {}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn many_starters_at_once_make_one_daemon() {
    let rounds = env::var("KITE_TEST_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(3);
    let directory = tempfile::tempdir().expect("a directory");
    let home = directory.path().join("home");
    for round in 0..rounds {
        let starters: Vec<_> = (0..STARTERS)
            .map(|_| {
                let mut starter = kite(&home, &["daemon", "start"]);
                starter
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .expect("started")
            })
            .collect();
        for starter in starters {
            let output = starter.wait_with_output().expect("waited for");
            assert!(output.status.success(), "round {round}: {}", said(&output));
            assert!(
                said(&output).contains(&pid(&home).to_string()),
                "{}",
                said(&output)
            );
        }
        #[cfg(target_os = "linux")]
        assert_eq!(lock_holders(&home).len(), 1, "round {round}");
        // Every other daemon dies instead of ending, and leaves its socket behind.
        let end = if round % 2 == 0 {
            Command::new("kill")
                .args(["-KILL", &pid(&home).to_string()])
                .output()
        } else {
            kite(&home, &["daemon", "stop"]).output()
        };
        assert!(end.expect("ended").status.success(), "round {round}");
        await_silence(&home);
    }
    let last = kite(&home, &["daemon", "stop"]).output().expect("ended");
    assert!(last.status.success(), "{}", said(&last));
}
