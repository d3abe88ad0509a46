//! Stories of `kite init` and `kite uninit`, told on imaginary machines in temporary directories.

#[path = "../../src/wiring/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    reason = "the program uses what these stories do not"
)]
mod wiring;

mod clients;
mod git;
mod git_hooks;
mod install;
mod json;
mod refusals;
mod scopes;
mod url;
mod world;
