//! `kite review` with the real daemon.

use super::world::World;

#[test]
fn a_person_reviews_a_task_and_an_agent_cannot_in_their_name() {
    let mut world = World::with_daemon();
    let ada = world.agent();
    let created = world
        .kite(&["task", "create", "Add login", "--json"])
        .inside(&ada)
        .run()
        .ends(0)
        .json();
    let id = created["task"]["id"].as_str().unwrap()[..8].to_owned();
    world
        .kite(&["task", "claim", &id])
        .inside(&ada)
        .run()
        .ends(0);
    world.kite(&["review", &id]).run().ends(0).remarks(&format!(
        "Nobody has reviewed {id}. `kite review {id} --brief` shows what a reviewer is given.\n"
    ));
    world
        .kite(&["review", &id, "--brief"])
        .run()
        .ends(0)
        .mentions("| Add login");
    world
        .kite(&["review", &id, "--approve"])
        .inside(&ada)
        .run()
        .ends(3)
        .complains("only be given by a person");
    world
        .kite(&["review", &id, "--changes", "src/a.rs:3: off by one"])
        .run()
        .ends(0)
        .mentions("changes_needed");
    let shown = world
        .kite(&["review", &id, "--json"])
        .inside(&ada)
        .run()
        .ends(0)
        .json();
    let review = shown["reviews"].as_array().unwrap().last().unwrap();
    assert_eq!(review["via"], "person");
    assert_eq!(review["findings"][0]["line"], 3);
}
