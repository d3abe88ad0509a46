//! The facts in memory, indexed the way rules need them.

use std::collections::BTreeMap;

use kite_rules::{
    lock::LockTable,
    session::{Session, SessionId},
    task::TaskGraph,
};

/// Sessions, locks and tasks of one home. Engines decide upon it and readers look at it.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Live sessions, and those that ended lately.
    pub sessions: BTreeMap<SessionId, Session>,
    pub locks: LockTable,
    pub tasks: TaskGraph,
    /// Durable counters, by name.
    pub tally: BTreeMap<String, u64>,
}
