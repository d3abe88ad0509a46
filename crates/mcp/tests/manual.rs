//! `docs/mcp.md` says what the code does.

use std::{env, fs, path::Path};

const DOCUMENT: &str = "../../docs/mcp.md";
const BEGIN: &str = "<!-- from the code: KITE_BLESS=1 cargo test -p kite-mcp -->\n";
const END: &str = "<!-- end of what is from the code -->\n";

/// With `KITE_BLESS=1` the test writes what it would compare.
#[test]
fn every_tool_resource_and_prompt_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let document = fs::read_to_string(&path).expect("docs/mcp.md");
    let (before, rest) = document
        .split_once(BEGIN)
        .expect("where the generated part begins");
    let (written, after) = rest.split_once(END).expect("where it ends");
    let manual = format!("\n{}\n", kite_mcp::manual().trim_end());
    if env::var_os("KITE_BLESS").is_some() {
        fs::write(&path, [before, BEGIN, &manual, END, after].concat()).expect("a file");
        return;
    }
    assert!(
        written == manual,
        "docs/mcp.md differs from the code. Run this test with KITE_BLESS=1 and look at what it wrote."
    );
}
