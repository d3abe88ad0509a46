//! Whole stories with the real daemon.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    process::ChildStdout,
    sync::mpsc,
    time::Duration,
};

use serde_json::json;

use super::world::{PATIENCE, World, eventually};

#[test]
fn a_task_is_created_claimed_and_completed() {
    let mut world = World::with_daemon();
    let (ada, ben) = (world.agent(), world.agent());
    let created = world
        .kite(&["task", "create", "Add login", "--json"])
        .inside(&ada)
        .run()
        .ends(0)
        .json();
    let id = created["task"]["id"].as_str().unwrap().to_owned();
    world
        .kite(&["task", "create", "Add login"])
        .inside(&ada)
        .run()
        .ends(0)
        .prints(&format!("Task exists already: {} — Add login\n", &id[..8]));
    world
        .kite(&["task", "list"])
        .inside(&ben)
        .run()
        .ends(0)
        .mentions("Add login");
    world
        .kite(&["task", "claim"])
        .inside(&ada)
        .run()
        .ends(0)
        .mentions(&format!("Task claimed: {}", &id[..8]));
    world
        .kite(&["task", "claim", &id[..8]])
        .inside(&ben)
        .run()
        .ends(3)
        .complains("claimed by");
    world.kite(&["task", "claim"]).inside(&ben).run().ends(5);
    world
        .kite(&["task", "complete", &id[..8], "--result", "merged"])
        .inside(&ada)
        .run()
        .ends(0);
    let shown = world
        .kite(&["task", "show", &id[..8], "--json"])
        .inside(&ben)
        .run()
        .ends(0)
        .json();
    assert_eq!(
        (&shown["task"]["state"], &shown["task"]["result"]),
        (&json!("done"), &json!("merged"))
    );
    world
        .kite(&["task", "show", "nope"])
        .inside(&ben)
        .run()
        .ends(5);
}

#[test]
fn a_lock_is_exclusive_until_it_is_released() {
    let mut world = World::with_daemon();
    let (ada, ben) = (world.agent(), world.agent());
    world.file("a.rs", "x");
    world
        .kite(&["lock", "acquire", "a.rs"])
        .inside(&ada)
        .run()
        .ends(0)
        .mentions("Lock acquired: a.rs");
    world
        .kite(&["lock", "acquire", "./a.rs"])
        .inside(&ada)
        .run()
        .ends(0)
        .mentions("Lock already held: a.rs");
    world
        .kite(&["lock", "acquire", "a.rs"])
        .inside(&ben)
        .run()
        .ends(3)
        .complains("locked by session");
    world
        .kite(&["lock", "release", "a.rs"])
        .inside(&ben)
        .run()
        .ends(0)
        .complains("nothing to release");
    world
        .kite(&["lock", "list"])
        .inside(&ben)
        .run()
        .ends(0)
        .mentions("a.rs");
    world
        .kite(&["lock", "release", "a.rs"])
        .inside(&ada)
        .run()
        .ends(0)
        .prints("Lock released: a.rs\n");
    world
        .kite(&["lock", "acquire", "a.rs"])
        .inside(&ben)
        .run()
        .ends(0)
        .mentions("Lock acquired: a.rs");
}

#[test]
fn who_waits_gets_the_lock_when_it_is_free() {
    let mut world = World::with_daemon();
    let (ada, ben) = (world.agent(), world.agent());
    world
        .kite(&["lock", "acquire", "--name", "deploy"])
        .inside(&ada)
        .run()
        .ends(0);
    let waiting = world
        .kite(&["lock", "acquire", "--name", "deploy", "--wait", "30s"])
        .inside(&ben)
        .spawn();
    eventually("somebody waits", || {
        let locks = world
            .kite(&["lock", "list", "--json"])
            .inside(&ada)
            .run()
            .json();
        locks["locks"][0]["waiting"]
            .as_array()
            .is_some_and(|waiting| waiting.len() == 1)
    });
    world
        .kite(&["lock", "release", "--name", "deploy"])
        .inside(&ada)
        .run()
        .ends(0);
    let output = waiting.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("Lock acquired: deploy")
    );
}

#[test]
fn what_a_killed_session_held_is_free_within_two_seconds() {
    let mut world = World::with_daemon();
    let (ada, ben) = (world.agent(), world.agent());
    world
        .kite(&["task", "create", "Rework the cart"])
        .inside(&ada)
        .run()
        .ends(0);
    world.kite(&["task", "claim"]).inside(&ada).run().ends(0);
    world
        .kite(&["lock", "acquire", "cart.rs"])
        .inside(&ada)
        .run()
        .ends(0);
    world.kill(&ada);
    let took = eventually("the lock is free", || {
        world
            .kite(&["lock", "acquire", "cart.rs"])
            .inside(&ben)
            .run()
            .code
            == 0
    });
    assert!(took < Duration::from_secs(2), "{took:?}");
    let claimed = world
        .kite(&["task", "claim", "--json"])
        .inside(&ben)
        .run()
        .ends(0)
        .json();
    assert_eq!(claimed["task"]["attempt"], 2);
}

#[test]
fn the_log_is_followed_live_and_over_a_restart() {
    let mut world = World::with_daemon();
    let ada = world.agent();
    world
        .kite(&["task", "create", "Before"])
        .inside(&ada)
        .run()
        .ends(0);
    let mut following = world.kite(&["log", "--follow", "--json"]).spawn();
    let lines = lines_of(following.stdout.take().unwrap());
    let mut seen = Vec::new();
    let mut read_until = |kind: &str, what: &str| {
        loop {
            let line = lines
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("no {kind} {what}"));
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            seen.push(event["seq"].as_u64().unwrap());
            if event["kind"] == kind && event["what"] == what {
                return;
            }
        }
    };
    read_until("task", "created");
    world
        .kite(&["lock", "acquire", "a.rs"])
        .inside(&ada)
        .run()
        .ends(0);
    read_until("lock", "granted");
    world.kite(&["daemon", "restart"]).run().ends(0);
    world
        .kite(&["task", "create", "After"])
        .inside(&ada)
        .run()
        .ends(0);
    read_until("task", "created");
    assert!(
        seen.is_sorted_by(|a, b| a < b),
        "shown twice or out of order: {seen:?}"
    );
    following.kill().unwrap();
    following.wait().unwrap();
}

#[test]
fn the_daemon_is_started_once_and_stopped() {
    let world = World::with_daemon();
    world.kite(&["daemon", "status"]).run().ends(4);
    world
        .kite(&["daemon", "stop"])
        .run()
        .ends(0)
        .prints("Kite daemon was not running\n");
    world
        .kite(&["daemon", "start"])
        .run()
        .ends(0)
        .mentions("Kite daemon started, pid ");
    world
        .kite(&["daemon", "start"])
        .run()
        .ends(0)
        .mentions("Kite daemon is running already, pid ");
    let first = world
        .kite(&["daemon", "status", "--json"])
        .run()
        .ends(0)
        .json()["daemon"]["pid"]
        .clone();
    world.kite(&["daemon", "restart"]).run().ends(0);
    let second = world
        .kite(&["daemon", "status", "--json"])
        .run()
        .ends(0)
        .json()["daemon"]["pid"]
        .clone();
    assert_ne!(first, second);
    world
        .kite(&["daemon", "stop"])
        .run()
        .ends(0)
        .prints("Kite daemon stopped\n");
    world.kite(&["daemon", "status"]).run().ends(4);
}

#[test]
fn status_starts_the_daemon_and_shows_who_is_there() {
    let mut world = World::with_daemon();
    let ada = world.agent();
    world
        .kite(&["status"])
        .run()
        .ends(0)
        .mentions("Prevented nothing yet");
    world
        .kite(&["lock", "acquire", "a.rs"])
        .inside(&ada)
        .run()
        .ends(0);
    let status = world.kite(&["status", "--json"]).run().ends(0).json();
    assert_eq!(status["sessions"][0]["client"], "claude-code");
    assert_eq!(status["locks"][0]["target"], "a.rs");
}

#[test]
fn a_shell_that_entered_a_container_is_a_caller_like_any() {
    let world = World::new();
    let Some(call) = world.contained(&["status"], &["daemon", "stop"]) else {
        // Straight to the terminal: the output of a test that passes is not shown.
        let _ = writeln!(io::stderr(), "skipped: this system grants no PID namespace");
        return;
    };
    call.run()
        .ends(0)
        .mentions("Prevented nothing yet")
        .mentions("Kite daemon stopped");
}

#[test]
fn init_ends_with_a_proof_and_the_doctor_agrees() {
    let world = World::with_daemon();
    world
        .kite(&["init"])
        .run()
        .ends(0)
        .mentions("Daemon    running")
        .mentions("Proof     enforced: a made-up edit was refused in ")
        .mentions("Next      ");
    let report = world.kite(&["doctor", "--json"]).run();
    let failed: Vec<_> = report.json()["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["state"] == "fail")
        .cloned()
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    let sessions = world.kite(&["sessions", "--json"]).run().json();
    assert_eq!(
        sessions["sessions"],
        json!([]),
        "the made-up sessions are gone"
    );
}

#[test]
fn the_doctor_proves_each_client_that_is_there_through_its_own_command() {
    let world = World::with_daemon();
    for directory in [".codex", ".gemini", ".config/opencode"] {
        std::fs::create_dir_all(world.project.join(directory)).unwrap();
    }
    let check = |client: &str| {
        let report = world.kite(&["doctor", "--json"]).run().json();
        let checks = report["checks"].as_array().unwrap();
        let found = checks.iter().find(|check| check["name"] == client);
        found.expect(client).clone()
    };
    world.kite(&["init"]).run().ends(0);
    for (client, state) in [("codex", "warn"), ("gemini", "ok"), ("opencode", "ok")] {
        let check = check(client);
        assert_eq!(check["state"], state, "{check}");
        let found = check["found"].as_str().unwrap();
        assert!(
            found.contains("its hook command refused a dry edit in "),
            "{found}"
        );
    }
    assert!(check("codex")["hint"].as_str().unwrap().contains("/hooks"));

    let settings = world.project.join(".gemini/settings.json");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(
        &settings,
        text.replace("kite-hook PreToolUse", "nothing PreToolUse"),
    )
    .unwrap();
    assert_eq!(check("gemini")["state"], "fail", "wired in part");
    world.kite(&["uninit"]).run().ends(0);
    let found = check("opencode")["found"].clone();
    assert_eq!(found, "found, and not wired: nothing is enforced");
}

#[test]
fn the_doctor_names_a_hook_that_is_gone() {
    let world = World::with_daemon();
    world.kite(&["init"]).run().ends(0);
    std::fs::remove_file(world.home.join("bin/kite-hook")).unwrap();
    let report = world.kite(&["doctor", "--json"]).run().ends(1).json();
    let state = |name: &str| {
        report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .find(|check| check["name"] == name)
            .unwrap()["state"]
            .clone()
    };
    assert_eq!(
        (state("hook"), state("enforcement"), state("home")),
        (json!("fail"), json!("fail"), json!("ok"))
    );
}

#[test]
fn the_doctor_names_what_is_wrong_in_the_configuration() {
    let world = World::with_daemon();
    world.kite(&["init"]).run().ends(0);
    let config = world.home.join("config.toml");
    for (text, ends, named) in [
        ("notes = false\n", 0, "understood"),
        ("notse = false\n", 0, "config.toml:1: unknown key `notse`"),
        ("# once\nguard = \"strct\"\n", 1, "config.toml:2: "),
        ("[[[\n", 1, "config.toml:1: "),
    ] {
        std::fs::write(&config, text).unwrap();
        world.kite(&["doctor"]).run().ends(ends).mentions(named);
    }
}

#[test]
fn the_demo_goes_as_told() {
    World::new()
        .kite(&["demo"])
        .run()
        .ends(0)
        .mentions("Both edits are there.")
        .mentions("Four tasks, each done once")
        .mentions("ms after its death.")
        .mentions("What Kite prevented")
        .mentions("Everything has been cleaned up.");
}

/// The lines of an output as they come, so that one that does not come can be told.
fn lines_of(output: ChildStdout) -> mpsc::Receiver<String> {
    let (told, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        lines.try_for_each(|line| told.send(line))
    });
    heard
}
