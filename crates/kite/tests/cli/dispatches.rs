//! `kite dispatch` and `kite dispatches`, with the real daemon.

use serde_json::Value;

use super::world::World;

/// The full id of the session in which this agent's commands act.
fn session(world: &World, agent: &super::world::Agent) -> String {
    world.kite(&["dispatches"]).inside(agent).run().ends(0);
    let listed = world.kite(&["sessions", "--json"]).inside(agent).run();
    let you = listed.ends(0).json()["you"].clone();
    you.as_str().expect("a session").to_owned()
}

fn state(world: &World, dispatch: &str) -> Value {
    let listed = world.kite(&["dispatches", dispatch, "--json"]).run();
    listed.ends(0).json()["dispatches"][0]["state"].clone()
}

#[test]
fn an_assignment_outlasts_a_restart_and_is_taken_by_its_receiver() {
    let mut world = World::with_daemon();
    let (ada, ben) = (world.agent(), world.agent());
    let (of_ada, _) = (session(&world, &ada), session(&world, &ben));
    let created = world
        .kite(&["task", "create", "Add login", "--json"])
        .inside(&ben)
        .run()
        .ends(0)
        .json();
    let task = &created["task"]["id"].as_str().expect("an id")[..8];
    world
        .kite(&["dispatch", &of_ada[..8], "--task", task, "Today."])
        .inside(&ben)
        .run()
        .ends(0)
        .mentions(&format!(" to session {}\n", &of_ada[..8]));
    let listed = world.kite(&["dispatches", "--json"]).inside(&ben).run();
    let sent = listed.ends(0).json()["dispatches"][0].clone();
    let id = sent["id"].as_str().expect("an id");
    assert_eq!(
        (&sent["state"], &sent["standing"]),
        (&"queued".into(), &"session".into())
    );
    world.kite(&["daemon", "restart"]).run().ends(0);
    world
        .kite(&["task", "claim", task])
        .inside(&ben)
        .run()
        .ends(3)
        .complains("claimed by");
    assert_eq!(state(&world, id), "queued");
    world
        .kite(&["task", "claim"])
        .inside(&ada)
        .run()
        .ends(0)
        .mentions(task);
    // What it says is still to be heard.
    assert_eq!(state(&world, id), "queued");
    world
        .kite(&["task", "complete", task])
        .inside(&ada)
        .run()
        .ends(0);
    world
        .kite(&["dispatches", &id[..8]])
        .inside(&ben)
        .run()
        .ends(0)
        .mentions("\n> Today.\n");
}

#[test]
fn what_is_said_is_data_and_what_cannot_be_sent_is_refused() {
    let mut world = World::with_daemon();
    let (ada, ben) = (world.agent(), world.agent());
    let (of_ada, of_ben) = (session(&world, &ada), session(&world, &ben));
    world
        .kite(&["dispatch", &of_ada, "--json", "\u{1b}[31mred"])
        .run()
        .ends(0);
    let said = world.kite(&["dispatches"]).run().ends(0);
    assert!(
        !said.stdout.contains('\u{1b}') && said.stdout.contains("red"),
        "{said:#?}"
    );
    for (arguments, code) in [
        (&["dispatch", "ffffffff", "hello"][..], 5),
        (&["dispatch", &of_ada, "--task", "ffffffff"], 5),
        (&["dispatches", "ffffffff"], 5),
        (&["dispatch", &of_ada], 2),
        (&["dispatch", &of_ada, "hello", "--deadline", "5m"], 2),
        (
            &[
                "dispatch",
                &of_ada,
                "--task",
                "ffffffff",
                "--deadline",
                "25h",
            ],
            2,
        ),
    ] {
        world.kite(arguments).run().ends(code);
    }
    let own = world
        .kite(&["dispatch", &of_ben, "hello"])
        .inside(&ben)
        .run();
    own.ends(2).complains("your own session");
}
