//! How daemons begin, are found and end: with real processes. This test program runs itself again
//! as the daemon, by way of a small script, and serves with a stand-in for the engine.

mod support;

use std::{
    env, fs,
    io::{Read, Write},
    os::unix::{
        fs::{FileTypeExt, MetadataExt, PermissionsExt},
        net::UnixStream,
    },
    path::{Path, PathBuf},
    rc::Rc,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use kite_daemon::{
    hands::processes,
    lifecycle::{self, Probe, Record, RunOptions, Running, StartError, Surroundings},
};
use kite_wire::home::{Home, SOCKET_PATH_BYTES_MAX};
use rustix::process::{Pid, Signal, kill_process};
use support::StandIn;

const PATIENCE: Duration = Duration::from_secs(30);

/// Not a test: what the script runs.
#[test]
fn daemon_process() {
    if env::var_os("KITE_TEST_DAEMON").is_none() {
        return;
    }
    let home = Home::find().expect("KITE_HOME is set");
    let options = RunOptions {
        build: "test".into(),
        ready_fd: Some(0),
        ..RunOptions::default()
    };
    let code = lifecycle::run(&home, options, open);
    std::process::exit(if code == std::process::ExitCode::SUCCESS {
        0
    } else {
        1
    });
}

async fn open(surroundings: Surroundings) -> Result<Rc<StandIn>, StartError> {
    let home = surroundings.home.path();
    if home.join("fail").exists() {
        return Err(StartError {
            code: "store_too_new".into(),
            message: "the store is newer than this program".into(),
            hint: "install the newer Kite".into(),
        });
    }
    assert!(
        !home.join("panic").exists(),
        "a daemon that dies while starting"
    );
    Ok(Rc::new(StandIn {
        stop: surroundings.stop,
        ..StandIn::default()
    }))
}

struct House {
    directory: tempfile::TempDir,
    home: Home,
    executable: PathBuf,
}

impl House {
    fn new() -> House {
        House::below("home")
    }

    fn below(path: &str) -> House {
        let directory = tempfile::tempdir().expect("a directory");
        let home = Home::at(directory.path().join(path));
        let executable = directory.path().join("kite");
        let me = env::current_exe().expect("this program");
        let script = format!(
            "#!/bin/sh\nKITE_TEST_DAEMON=1 exec '{}' --exact daemon_process --nocapture\n",
            me.display()
        );
        fs::write(&executable, script).expect("written");
        fs::set_permissions(&executable, fs::Permissions::from_mode(0o755)).expect("executable");
        House {
            directory,
            home,
            executable,
        }
    }

    /// A home in which no daemon has run yet.
    fn mark(&self) {
        fs::create_dir(self.home.path()).expect("made");
        fs::write(self.home.marker(), "").expect("marked");
    }

    fn ensure(&self) -> Result<Running, StartError> {
        lifecycle::ensure(&self.home, &self.executable)
    }

    fn record(&self) -> Record {
        Record::read(&self.home).expect("a record")
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.record().pid).expect("a pid");
        kill_process(Pid::from_raw(pid).expect("a pid"), signal).expect("sent");
    }

    /// Kills the daemon. Until its last thread is gone, the system still takes connections for it.
    fn kill(&self) {
        self.signal(Signal::KILL);
        until("nobody listens", || {
            lifecycle::probe(&self.home) == Probe::Absent
        });
    }

    fn ask(&self, title: &str) -> std::io::Result<String> {
        let mut stream = UnixStream::connect(self.home.socket())?;
        writeln!(stream, "{{\"type\":\"task_create\",\"title\":\"{title}\"}}")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply)?;
        Ok(reply)
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(record) = Record::read(&self.home).filter(Record::is_running) {
            self.signal(Signal::CONT);
            self.signal(Signal::KILL);
            until("it is dead", || !record.is_running());
        }
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < PATIENCE, "in vain: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).expect("there").mode() & 0o777
}

#[test]
fn who_needs_a_daemon_starts_it_and_the_next_finds_it() {
    let house = House::new();
    assert_eq!(lifecycle::probe(&house.home), Probe::Absent);
    let first = house.ensure().expect("started");
    assert!(first.started);
    assert_eq!(first.socket, house.home.path().join("kite.sock"));
    assert!(house.ask("echo").expect("answered").contains("\"ok\":true"));
    let second = house.ensure().expect("found");
    assert!(!second.started);
    let record = house.record();
    assert!(record.is_running());
    assert_eq!(record.build, "test");
    assert!(lifecycle::stop(&house.home).expect("stopped"));
    assert!(!lifecycle::stop(&house.home).expect("nothing to stop"));
    assert_eq!(lifecycle::probe(&house.home), Probe::Absent);
    assert!(!house.home.socket().exists());
    assert!(!record.is_running());
}

#[test]
fn a_daemon_keeps_nothing_of_its_starter() {
    let house = House::new();
    house.ensure().expect("started");
    let pid = house.record().pid;
    let process = PathBuf::from(format!("/proc/{pid}"));
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    assert_eq!(
        rustix::process::getsid(raw).ok(),
        raw,
        "it leads its own session"
    );
    if process.exists() {
        assert_eq!(
            fs::read_link(process.join("cwd")).expect("readable"),
            Path::new("/")
        );
        let target = |number: u32| fs::read_link(process.join(format!("fd/{number}"))).ok();
        assert_eq!(target(0).as_deref(), Some(Path::new("/dev/null")));
        assert_eq!(target(1), Some(house.home.path().join("log/daemon.log")));
        assert_eq!(target(2), target(1));
        let variables = fs::read(process.join("environ")).expect("readable");
        let names: Vec<_> = variables
            .split(|b| *b == 0)
            .map(String::from_utf8_lossy)
            .collect();
        assert!(names.iter().any(|name| name.starts_with("KITE_HOME=")));
        assert!(
            !names.iter().any(|name| name.starts_with("CARGO")),
            "{names:?}"
        );
    }
}

#[test]
fn everything_is_private() {
    let house = House::new();
    fs::create_dir(house.home.path()).expect("made");
    fs::set_permissions(house.home.path(), fs::Permissions::from_mode(0o755)).expect("loose");
    house.ensure().expect("started");
    assert_eq!(mode(house.home.path()), 0o700);
    assert_eq!(mode(&house.home.path().join("log")), 0o700);
    let socket = house.home.socket();
    assert!(
        fs::metadata(&socket)
            .expect("there")
            .file_type()
            .is_socket()
    );
    for file in [
        socket,
        house.home.daemon_lock(),
        house.home.marker(),
        house.home.path().join("daemon.json"),
    ] {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn many_starters_at_once_make_one_daemon() {
    const STARTERS: usize = 64;
    let rounds = env::var("KITE_TEST_ROUNDS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(3);
    let house = House::new();
    for round in 0..rounds {
        let barrier = Barrier::new(STARTERS);
        let started = thread::scope(|scope| {
            let starters: Vec<_> = (0..STARTERS)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        house.ensure().expect("a daemon").started
                    })
                })
                .collect();
            starters
                .into_iter()
                .map(|s| s.join().expect("no panic"))
                .collect::<Vec<_>>()
        });
        let starts = started.iter().filter(|started| **started).count();
        assert_eq!(
            starts, 1,
            "round {round}: so many say that they have started it"
        );
        assert!(house.ask("echo").expect("answered").contains("\"ok\":true"));
        match round % 2 {
            // What a crash leaves behind is in nobody's way.
            0 => house.kill(),
            _ => assert!(lifecycle::stop(&house.home).expect("stopped")),
        }
    }
}

#[test]
fn what_a_killed_daemon_leaves_behind_is_in_nobodys_way() {
    let house = House::new();
    house.ensure().expect("started");
    let before = house.record();
    house.kill();
    assert!(house.home.socket().exists(), "a stale socket");
    assert_eq!(lifecycle::probe(&house.home), Probe::Absent);
    assert!(house.ensure().expect("started again").started);
    assert_ne!(house.record(), before);
}

#[test]
fn a_stopped_daemon_is_slow_and_not_dead() {
    let house = House::new();
    house.ensure().expect("started");
    let record = house.record();
    house.signal(Signal::STOP);
    // Fill its queue, so that not even a connection is taken in.
    let _queued: Vec<_> = (0..50)
        .map(|_| UnixStream::connect(house.home.socket()))
        .collect();
    assert_eq!(lifecycle::probe(&house.home), Probe::Listening);
    assert!(!house.ensure().expect("found").started);
    house.signal(Signal::CONT);
    assert!(house.ask("echo").expect("answered").contains("\"ok\":true"));
    assert_eq!(house.record(), record);
}

#[test]
fn signals_of_a_terminal_are_harmless() {
    let house = House::new();
    house.ensure().expect("started");
    for signal in [
        Signal::HUP,
        Signal::TSTP,
        Signal::TTOU,
        Signal::TTIN,
        Signal::PIPE,
    ] {
        house.signal(signal);
        assert!(
            house.ask("echo").expect("answered").contains("\"ok\":true"),
            "{signal:?}"
        );
    }
}

#[test]
fn a_long_path_gets_a_short_socket() {
    let house = House::below(&format!("{}/{}", "long".repeat(25), "path".repeat(25)));
    assert!(house.home.path().as_os_str().len() > 200);
    house.ensure().expect("started");
    let socket = house.home.socket();
    assert!(
        socket.as_os_str().len() <= SOCKET_PATH_BYTES_MAX,
        "{}",
        socket.display()
    );
    assert_eq!(mode(socket.parent().expect("a directory")), 0o700);
    assert!(house.ask("echo").expect("answered").contains("\"ok\":true"));
    assert!(!house.ensure().expect("found").started);
    assert!(lifecycle::stop(&house.home).expect("stopped"));
    assert!(!socket.exists());
}

#[test]
fn a_foreign_file_in_the_way_is_refused_and_stays() {
    for kind in ["file", "directory", "link"] {
        let house = House::new();
        house.mark();
        let socket = house.home.socket();
        let elsewhere = house.directory.path().join("precious");
        fs::write(&elsewhere, "precious").expect("written");
        match kind {
            "file" => fs::copy(&elsewhere, &socket).map(drop).expect("copied"),
            "directory" => fs::create_dir(&socket).expect("made"),
            _ => std::os::unix::fs::symlink(&elsewhere, &socket).expect("linked"),
        }
        let refused = house.ensure().expect_err("refused");
        assert_eq!(refused.code, "foreign_socket", "{refused}");
        assert!(fs::symlink_metadata(&socket).is_ok(), "it stays");
        assert_eq!(fs::read_to_string(&elsewhere).expect("there"), "precious");
    }
}

#[test]
fn why_a_daemon_does_not_start_is_told_to_its_starter() {
    let house = House::new();
    house.mark();
    fs::write(house.home.path().join("fail"), "").expect("written");
    let failed = house.ensure().expect_err("it fails");
    assert_eq!(failed.code, "store_too_new");
    assert_eq!(
        failed.to_string(),
        "the store is newer than this program (install the newer Kite)"
    );
    fs::rename(
        house.home.path().join("fail"),
        house.home.path().join("panic"),
    )
    .expect("renamed");
    let died = house.ensure().expect_err("it dies");
    assert_eq!(died.code, "died", "{died}");
    fs::remove_file(house.home.path().join("panic")).expect("removed");
    assert!(house.ensure().expect("started").started);

    let absent = lifecycle::ensure(&House::new().home, Path::new("/absent/kite"));
    assert_eq!(absent.expect_err("no program").code, "not_executable");
    let file = house.directory.path().join("file");
    fs::write(&file, "").expect("written");
    let unsuitable = lifecycle::ensure(&Home::at(file), &house.executable);
    assert_eq!(
        unsuitable.expect_err("a file is no home").code,
        "unsuitable_home"
    );
}

#[test]
fn a_daemon_whose_home_has_gone_ends_by_itself() {
    type Loss = fn(&House);
    let losses: [(&str, Loss); 4] = [
        ("the home is deleted", |house| {
            fs::remove_dir_all(house.home.path()).expect("deleted");
        }),
        ("the home is moved", |house| {
            fs::rename(house.home.path(), house.directory.path().join("elsewhere")).expect("moved");
        }),
        ("the lock is deleted", |house| {
            fs::remove_file(house.home.daemon_lock()).expect("deleted");
        }),
        ("another socket is in its place", |house| {
            fs::remove_file(house.home.socket()).expect("deleted");
            fs::write(house.home.socket(), "").expect("written");
        }),
    ];
    for (what, lose) in losses {
        let house = House::new();
        house.ensure().expect("started");
        let record = house.record();
        let was_there = house.home.path().join("kite.sock");
        lose(&house);
        let lost = Instant::now();
        until(what, || !record.is_running());
        assert!(lost.elapsed() < Duration::from_secs(5), "{what}");
        if what.contains("the home") {
            assert!(!house.home.path().exists(), "{what}: nothing is made again");
        } else if what.contains("socket") {
            assert!(was_there.exists(), "what is not its own stays");
        }
    }
}

#[test]
fn ending_answers_what_was_asked() {
    let house = House::new();
    house.ensure().expect("started");
    thread::scope(|scope| {
        let slow = scope.spawn(|| house.ask("slow 500"));
        let never = scope.spawn(|| house.ask("never"));
        thread::sleep(Duration::from_millis(100));
        let started = Instant::now();
        assert!(lifecycle::stop(&house.home).expect("stopped"));
        assert!(started.elapsed() < Duration::from_secs(5));
        assert!(
            slow.join()
                .expect("no panic")
                .expect("answered")
                .contains("\"ok\":true")
        );
        let unanswered = never.join().expect("no panic");
        assert!(unanswered.is_err() || unanswered.is_ok_and(|text| text.is_empty()));
    });
}

#[test]
fn restarts_under_load_fail_nobody() {
    let house = House::new();
    house.ensure().expect("started");
    let until_then = Instant::now() + Duration::from_secs(3);
    thread::scope(|scope| {
        for client in 0..4 {
            let house = &house;
            scope.spawn(move || {
                while Instant::now() < until_then {
                    // What every client does: where the daemon went away, start it and ask again.
                    let deadline = Instant::now() + Duration::from_secs(10);
                    loop {
                        match house.ask(&format!("echo {client}")) {
                            Ok(reply) if reply.contains("\"ok\":true") => break,
                            Ok(reply) => assert_eq!(reply, "", "no half answers"),
                            Err(_) => drop(house.ensure().expect("a daemon")),
                        }
                        assert!(Instant::now() < deadline, "client {client} waits in vain");
                    }
                }
            });
        }
        scope.spawn(|| {
            while Instant::now() < until_then {
                lifecycle::stop(&house.home).expect("stopped");
                house.ensure().expect("started");
            }
        });
    });
}

#[test]
fn a_number_in_an_old_record_is_not_signalled() {
    let house = House::new();
    house.ensure().expect("started");
    let mut record = house.record();
    let daemon = record.pid;
    // As if the number had been given to another process since: this one.
    record.pid = std::process::id();
    let path = house.home.path().join("daemon.json");
    fs::write(&path, serde_json::to_vec(&record).expect("JSON")).expect("written");
    assert!(!record.is_running());
    assert!(lifecycle::stop(&house.home).expect("stopped by a request instead"));
    until("it has ended", || processes::start_time(daemon).is_none());
}
