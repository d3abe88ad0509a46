//! The clients beside Claude Code: what is enforced for each, and what it is only advised of.

use kite_wire::home::Home;

use super::Check;
use crate::{
    connect::Daemon,
    proof::prove_client,
    wiring::{Client, ClientWiring, Machine, inspect_clients},
};

/// One check for each client that this machine has.
pub(super) fn clients(home: &Home, machine: &Machine) -> Vec<Check> {
    let is_running = Daemon::connect_running(home.clone()).is_ok();
    inspect_clients(machine)
        .iter()
        .map(|wiring| client(home, wiring, is_running))
        .collect()
}

fn client(home: &Home, wiring: &ClientWiring, is_running: bool) -> Check {
    const HINT: &str = "run `kite init` in a project: it wires the clients that it finds";
    let name = wiring.client.program();
    if !wiring.faults.is_empty() {
        let hint = "correct the file, then run `kite init`";
        return Check::warn(name, wiring.faults.join("; "), hint);
    }
    let hook = match (&wiring.hook, wiring.is_complete, wiring.is_present) {
        (_, false, false) => {
            return Check::warn(name, "found, and not wired: nothing is enforced", HINT);
        }
        (_, false, true) | (None, ..) => return Check::fail(name, "wired in part", HINT),
        (Some(hook), true, _) => hook,
    };
    if !is_running {
        return Check::ok(
            name,
            "wired; whether it enforces is proven while the daemon runs",
        );
    }
    let proof = match prove_client(home, wiring.client, hook) {
        Ok(proof) => proof,
        Err(error) => return Check::failed(name, &error),
    };
    let proven = format!(
        "its hook command refused a dry edit in {:.1} ms; {}",
        proof.took_ms,
        enforced(wiring.client)
    );
    if wiring.is_trusted {
        return Check::ok(name, proven);
    }
    let hint = "start `codex`, open /hooks, and trust those of Kite";
    Check::warn(
        name,
        format!("nothing is enforced until its person trusts the hooks; then: {proven}"),
        hint,
    )
}

/// In the words of the table in README.md.
fn enforced(client: Client) -> &'static str {
    match client {
        Client::Codex => {
            "enforced: edits by apply_patch, locks, git guard; advised: files that its shell writes"
        }
        Client::Gemini => {
            "enforced: edits, locks, git guard; advised: notes (after the tool), files that its shell writes"
        }
        Client::Opencode => {
            "enforced through its plugin: edits, locks, git guard; advised: notes (after the tool), files that its shell writes"
        }
    }
}
