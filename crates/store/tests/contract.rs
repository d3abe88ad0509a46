//! Every engine passes the same stories.

mod engines;

use engines::{Sqlite, block_on};
use kite_rules::Now;
use kite_store::{
    InMemoryStore,
    contract::{self, Engine},
};

struct InMemory;

impl Engine for InMemory {
    type Store = InMemoryStore;

    async fn fresh(&self, now: Now) -> InMemoryStore {
        InMemoryStore::new(now)
    }

    async fn reopen(&self, _: InMemoryStore, _: Now) -> Option<InMemoryStore> {
        None
    }

    async fn reboot(&self, _: InMemoryStore, _: Now) -> Option<InMemoryStore> {
        None
    }
}

#[test]
fn in_memory_keeps_the_contract() {
    block_on(contract::run(&InMemory));
}

#[test]
fn sqlite_keeps_the_contract() {
    block_on(contract::run(&Sqlite::default()));
}
