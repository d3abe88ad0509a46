//! What programs say and are told: kept bounded, and nobody is waited for.

use std::{env, fs, os::unix::fs::symlink};

use kite_supervisor::{Follower, OUTPUT_FILE, Reason, STDOUT_BYTES_MAX, stdout, stop, tail};

use crate::stage::{Stage, bytes_in, until};

/// Set to 1024 where there is time for it.
const MEGABYTES: &str = "KITE_TEST_OUTPUT_MB";

fn megabytes() -> u64 {
    let given = env::var(MEGABYTES).ok().and_then(|text| text.parse().ok());
    given.unwrap_or(64)
}

#[test]
fn a_torrent_of_output_costs_a_bounded_log_and_little_memory() {
    let bytes = megabytes() * 1024 * 1024;
    let script = format!(
        "head -c {bytes} /dev/zero | tr '\\0' x; echo; echo '{{\"result\":1}}'; echo ready; read go"
    );
    let mut stage = Stage::shell(&script);
    // Never reaches the end of it, so that the program waits.
    stage.run.input = String::new();
    stage.run.argv[2] = script.replace("read go", "while [ ! -e go ]; do sleep 0.05; done");
    let (supervisor, _) = stage.start_until("ready");
    #[cfg(target_os = "linux")]
    {
        let status =
            fs::read_to_string(format!("/proc/{}/status", supervisor.pid)).expect("status");
        let most = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("memory");
        let kilobytes: u64 = most
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("a number");
        assert!(kilobytes < 32 * 1024, "{kilobytes} kB");
    }
    let _ = supervisor;
    fs::write(stage.work("go"), "").expect("a file");
    let exit = stage.end();
    assert_eq!((exit.reason, exit.output_bytes_lost), (Reason::Exited, 0));
    assert!(exit.output_bytes > bytes);
    let kept = bytes_in(&stage.directory());
    let limit = stage.run.output_bytes_max + STDOUT_BYTES_MAX + 64 * 1024;
    assert!(kept <= limit, "{kept} bytes of at most {limit}");
    assert_eq!(
        tail(&stage.directory(), 2).expect("a tail"),
        "{\"result\":1}\nready"
    );
}

#[test]
fn a_result_on_standard_output_survives_a_torrent_of_complaints() {
    let stage = Stage::shell("echo '{\"result\":1}'; head -c 8388608 /dev/zero >&2");
    let exit = stage.play();
    assert_eq!(exit.output_bytes, 8_388_608 + 13);
    let result = stdout(&stage.directory()).expect("standard output");
    assert_eq!(result, b"{\"result\":1}\n");
}

#[test]
fn the_next_run_in_a_directory_has_a_result_of_its_own() {
    let mut stage = Stage::shell("echo first");
    stage.play();
    stage.run.argv[2] = "echo second".to_owned();
    stage.play();
    assert_eq!(
        stdout(&stage.directory()).expect("standard output"),
        b"second\n"
    );
    assert_eq!(
        tail(&stage.directory(), 9).expect("a tail"),
        "first\nsecond"
    );
}

#[test]
fn a_full_disk_neither_holds_up_nor_hides_the_end() {
    let stage = Stage::shell("head -c 8388608 /dev/zero; exit 5");
    stage.prepare();
    for name in [OUTPUT_FILE, "stdout.log"] {
        symlink("/dev/full", stage.directory().join(name)).expect("a link");
    }
    let exit = stage.play();
    assert_eq!((exit.reason, exit.code), (Reason::Exited, Some(5)));
    assert_eq!(exit.output_bytes, 8_388_608);
}

#[test]
fn a_program_reads_all_of_its_input() {
    let mut stage = Stage::shell("wc -c");
    stage.run.input = "0123456789".repeat(1024 * 1024);
    stage.play();
    assert_eq!(stage.output().trim(), "10485760");
    stage.run.input = String::new();
    stage.play();
    assert_eq!(tail(&stage.directory(), 1).expect("a tail").trim(), "0");
}

#[test]
fn a_program_that_never_reads_its_input_runs_and_ends() {
    let mut stage = Stage::shell("echo ready; sleep 120");
    stage.run.input = "x".repeat(10 * 1024 * 1024);
    stage.start_until("ready");
    stop(&stage.directory()).expect("asked to end");
    assert_eq!(stage.end().reason, Reason::Stopped);

    let mut stage = Stage::shell("exec 0<&-; exit 6");
    stage.run.input = "x".repeat(10 * 1024 * 1024);
    assert_eq!(stage.play().code, Some(6));
}

#[test]
fn a_program_that_closes_its_outputs_runs_on() {
    let stage = Stage::shell("exec >&- 2>&-; while [ ! -e go ]; do sleep 0.05; done; exit 8");
    let (_, child) = stage.start();
    fs::write(stage.work("go"), "").expect("a file");
    assert_eq!(stage.end().code, Some(8));
    assert!(!child.runs());
}

#[test]
fn what_comes_can_be_followed() {
    let stage = Stage::shell("echo one; while [ ! -e go ]; do sleep 0.05; done; echo two >&2");
    stage.start_until("one");
    let mut follower = Follower::new(&stage.directory()).expect("a follower");
    fs::write(stage.work("go"), "").expect("a file");
    let mut heard = Vec::new();
    until("the next line", || {
        heard.extend(follower.read().expect("bytes"));
        heard.ends_with(b"\n").then_some(())
    });
    assert_eq!(heard, b"two\n");
    stage.end();
}
