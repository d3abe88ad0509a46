//! Whether it is a person who asks.

use std::rc::Rc;

use kite_rules::session::{Kind, Owner};
use kite_store::Store;
use kite_wire::{reply::Fault, request::Envelope};

use crate::{doors::Connection, engine::Engine, hands::processes};

impl<S: Store> Engine<S> {
    /// The person who asks. What an agent started is no person, whatever it says of itself.
    ///
    /// # Errors
    /// `not_allowed`.
    pub(in crate::engine) async fn person(
        self: &Rc<Self>,
        connection: &Connection,
        envelope: &Envelope,
    ) -> Result<Owner, Fault> {
        let owner = self.owner(connection, envelope).await?;
        let (kind, agents) = self.store.read(|ledger| {
            let kind = ledger.sessions.get(&owner.session).map(|it| it.kind);
            let live = ledger.sessions.values().filter(|it| it.state.is_live());
            let agents = live.filter(|it| it.kind == Kind::Agent);
            let pids: Vec<u32> = agents.filter_map(|it| Some(it.process?.pid)).collect();
            (kind, pids)
        });
        let peer = connection.peer_pid;
        let looking = tokio::task::spawn_blocking(move || {
            let peer = peer.into_iter();
            let mut above = peer.flat_map(|pid| processes::ancestors(pid).into_iter().chain([pid]));
            above.any(|pid| agents.contains(&pid))
        });
        let is_inside_an_agent = looking.await.unwrap_or(true);
        match kind {
            Some(Kind::Person) if !is_inside_an_agent => Ok(owner),
            _ => Err(
                Fault::new("not_allowed", "Only a person at a terminal may do that.")
                    .hint("Ask the person who runs this session."),
            ),
        }
    }
}
