//! Every engine passes the same stories, and any history of operations has the same answers.

mod engines;

use engines::{InMemory, Sqlite, block_on};

#[test]
fn in_memory_keeps_the_contract() {
    block_on(kite_store::contract::run(&InMemory));
}

#[test]
fn sqlite_keeps_the_contract() {
    block_on(kite_store::contract::run(&Sqlite::default()));
}
