//! The running daemon, and whether it guards.

use std::time::{SystemTime, UNIX_EPOCH};

use kite_wire::{
    home::Home,
    reply::{Event, Events, Sessions, Stats},
    request::Query,
};

use super::Check;
use crate::{connect::Daemon, proof::prove_enforcement, render, wiring::BUILD};

/// Newest events that are looked through for a crash.
const EVENTS_MAX: u32 = 1_000;

pub(super) fn daemon_build(home: &Home, daemon: &Daemon) -> Check {
    const NAME: &str = "daemon";
    let welcome = daemon.welcome();
    let found = format!("pid {}, build {}", welcome.pid, welcome.build);
    let same_home =
        |told: &str| std::fs::canonicalize(told).ok() == std::fs::canonicalize(home.path()).ok();
    if !same_home(&welcome.home) {
        Check::fail(
            NAME,
            format!("{found}, serves another home: {}", welcome.home),
            "kite daemon restart",
        )
    } else if welcome.build != BUILD {
        let found = format!("{found}; this program is build {BUILD}");
        // A restart starts the installed program, which may be the other build.
        Check::warn(
            NAME,
            found,
            "`kite init` with the newer of the two, then `kite daemon restart`",
        )
    } else {
        Check::ok(NAME, found)
    }
}

pub(super) fn daemon_state(daemon: &mut Daemon) -> Vec<Check> {
    let stats: Stats = match daemon.ask(Query {
        target: "stats".to_owned(),
        ..Query::default()
    }) {
        Ok(stats) => stats,
        Err(error) => return vec![Check::failed("daemon_state", &error)],
    };
    let state = match stats.daemon.state.as_str() {
        "ok" => Check::ok("daemon_state", "accepts everything"),
        "storage_full" => Check::fail(
            "daemon_state",
            "the disk is full: writes are refused",
            "free some space",
        ),
        other => Check::warn("daemon_state", other, "ask again in a moment"),
    };
    let faults = stats.faults;
    let count = faults.unreachable + faults.timeouts + faults.other;
    let hooks = if count == 0 {
        Check::ok("hook_faults", "every hook call was answered")
    } else {
        let found = format!(
            "{count} hook calls let the agent go on unguarded: {} found no daemon, {} got no answer in time, {} other",
            faults.unreachable, faults.timeouts, faults.other
        );
        Check::warn(
            "hook_faults",
            found,
            "old ones do no harm; if the number grows, see `kite log`",
        )
    };
    vec![state, hooks]
}

pub(super) fn outdated_sessions(daemon: &mut Daemon) -> Check {
    const NAME: &str = "sessions";
    let query = Query {
        target: "sessions".to_owned(),
        ..Query::default()
    };
    match daemon.ask::<Sessions>(query) {
        Err(error) => Check::failed(NAME, &error),
        Ok(sessions) => {
            let outdated: Vec<&str> = sessions
                .sessions
                .iter()
                .filter(|session| session.outdated)
                .map(|session| render::text::short_id(&session.id))
                .collect();
            if outdated.is_empty() {
                Check::ok(NAME, "all run with the tools of this build")
            } else {
                let found = format!(
                    "run with the tools of another build: {}",
                    outdated.join(", ")
                );
                Check::warn(NAME, found, "restart these agents when it suits")
            }
        }
    }
}

pub(super) fn enforcement(home: &Home) -> Check {
    const NAME: &str = "enforcement";
    match prove_enforcement(home) {
        Ok(proof) => Check::ok(
            NAME,
            format!(
                "a dry edit was refused in {:.1} ms: {}",
                proof.took_ms, proof.refusal
            ),
        ),
        Err(error) => Check::failed(NAME, &error),
    }
}

pub(super) fn stand_aside(home: &Home) -> Check {
    const NAME: &str = "stand_aside";
    let text = std::fs::read_to_string(home.stand_aside()).unwrap_or_default();
    let until: Option<u128> = text.trim().parse().ok();
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.as_millis());
    match until {
        Some(until) if until > now => Check::warn(
            NAME,
            format!(
                "hooks let everything pass for {} s more, since the daemon was too slow",
                (until - now) / 1_000
            ),
            "it ends by itself; `kite log` shows what took long",
        ),
        _ => Check::ok(NAME, "hooks ask about every edit"),
    }
}

/// Whether the daemons before this one ended by themselves, as far as the newest events tell.
pub(super) fn last_stop(daemon: &mut Daemon) -> Check {
    const NAME: &str = "last_stop";
    let query = Query {
        target: "events".to_owned(),
        limit: Some(EVENTS_MAX),
        ..Query::default()
    };
    match daemon.ask::<Events>(query) {
        Err(error) => Check::failed(NAME, &error),
        Ok(events) => match unclean_stop(&events.events) {
            Some(found_at) => Check::warn(
                NAME,
                format!("a daemon did not end by itself; that was found at {found_at}"),
                "nothing is lost; if it happens again, see `kite log --since 1h`",
            ),
            None => Check::ok(NAME, "the daemon before this one ended by itself"),
        },
    }
}

/// When the latest start was that followed no stop.
fn unclean_stop(events: &[Event]) -> Option<&str> {
    let lives = events.iter().filter(|event| {
        event.kind == "daemon" && matches!(event.what.as_str(), "started" | "stopped")
    });
    let lives: Vec<&Event> = lives.collect();
    let unclean = |pair: &&[&Event]| pair.iter().all(|event| event.what == "started");
    lives
        .windows(2)
        .rfind(unclean)
        .map(|pair| pair[1].at.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_that_follows_a_start_tells_of_a_crash() {
        let event = |at: &str, what: &str| Event {
            at: at.to_owned(),
            kind: "daemon".to_owned(),
            what: what.to_owned(),
            ..Event::default()
        };
        let clean = [
            event("1", "started"),
            event("2", "stopped"),
            event("3", "started"),
        ];
        assert_eq!(unclean_stop(&clean), None);
        let crashed = [
            event("1", "started"),
            event("2", "asked to stop"),
            event("3", "started"),
        ];
        assert_eq!(unclean_stop(&crashed), Some("3"));
    }
}
