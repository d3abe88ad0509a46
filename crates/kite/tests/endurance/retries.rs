//! The same request twice at the same moment, as from a client that did not wait for the answer.

use serde_json::json;

use crate::world::World;

/// How many pairs are tried.
const PAIRS: u64 = 50;

#[test]
fn the_same_request_twice_at_once_acts_once_and_is_answered_alike() {
    let mut world = World::started();
    let session = world.session();
    let (mut one, mut other) = (world.connect(), world.connect());
    for pair in 0..PAIRS {
        for number in 0..3 {
            let title = format!("task {number} of pair {pair}");
            one.ask(json!({"type": "task_create", "title": title, "session_id": session.id}))
                .unwrap();
        }
        let claim = json!({
            "type": "task_claim", "another": true, "session_id": session.id,
            "op_id": format!("pair-{pair}"),
        });
        // Pipelined on one connection, and once more on another.
        let ids = [one.send(claim.clone()), one.send(claim.clone())].map(Result::unwrap);
        let mut answers = vec![other.ask(claim).unwrap()];
        for _ in ids {
            answers.push(one.read().unwrap());
        }
        for answer in &mut answers {
            answer.as_object_mut().unwrap().remove("id");
            assert_eq!(answer["ok"], true, "{answer}");
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
        let tasks = world.ask(&json!({"type": "task_list", "status": "all", "project": "*"}));
        assert_eq!(tasks["counts"]["claimed"], pair + 1, "{answers:?}");
    }
}
