//! By URL instead of by program: the entry of the older kind is replaced, and all goes away again.

use std::fs;

use serde_json::json;

use super::{
    wiring::{Scope, wire_by_url},
    world::World,
};

#[test]
fn wiring_by_url_names_no_token_and_is_undone_byte_for_byte() {
    let mut world = World::new();
    let state = r#"{"theme": "dark",   "numStartups": 7}"#;
    fs::write(world.state(), state).expect("write");
    world.init().expect("init");
    let (project, machine) = (world.project.clone(), world.machine.clone());
    wire_by_url(&project, Scope::Personal, 3001, &machine, &mut world.heard).expect("wired");

    let key = world.project.to_str().expect("text").to_owned();
    let entry = world.json(&world.state())["projects"][&key]["mcpServers"]["kite"].clone();
    let program = machine.home.bin().join("kite");
    assert_eq!(
        entry,
        json!({"type": "http", "url": "http://127.0.0.1:3001/mcp",
            "headersHelper": format!("{} serve --headers", program.display())})
    );
    assert!(world.inspect().personal.is_complete());
    assert!(!world.project.join(".mcp.json").exists());

    // An upgrade leaves it; another port replaces it; the same one changes nothing.
    world.init().expect("init");
    assert_eq!(
        world.json(&world.state())["projects"][&key]["mcpServers"]["kite"],
        entry
    );
    wire_by_url(&project, Scope::Personal, 3002, &machine, &mut world.heard).expect("wired");
    let said = world.heard.lines.len();
    wire_by_url(&project, Scope::Personal, 3002, &machine, &mut world.heard).expect("wired");
    assert_eq!(world.heard.lines.len(), said, "{:?}", world.heard.lines);
    assert!(world.read(&world.state()).contains("127.0.0.1:3002"));

    world.uninit().expect("uninit");
    assert_eq!(world.read(&world.state()), state);
}
