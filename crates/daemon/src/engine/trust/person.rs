//! Whether it is a person who asks.

use std::{collections::BTreeMap, rc::Rc};

use kite_rules::session::{Kind, Owner, SessionId};
use kite_store::Store;
use kite_supervisor::Found;
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
        let kind = self.store.read(|ledger| {
            let session = ledger.sessions.get(&owner.session);
            session.map(|it| it.kind)
        });
        match kind {
            Some(Kind::Person) if self.agent_above(connection).await?.is_none() => Ok(owner),
            _ => Err(no_person()),
        }
    }

    /// The session of the agent that started whoever asks, whatever they say of themselves.
    ///
    /// # Errors
    /// `not_allowed` where it cannot be said.
    pub(in crate::engine) async fn agent_above(
        &self,
        connection: &Connection,
    ) -> Result<Option<SessionId>, Fault> {
        let mut agents: BTreeMap<u32, SessionId> = self.store.read(|ledger| {
            let live = ledger.sessions.values().filter(|it| it.state.is_live());
            let agents = live.filter(|it| it.kind == Kind::Agent);
            agents
                .filter_map(|it| Some((it.process?.pid, it.id)))
                .collect()
        });
        let (peer, runs) = (connection.peer_pid, self.runs_under_way());
        let looking = tokio::task::spawn_blocking(move || {
            for (directory, session) in runs {
                if let Ok(Found::Alive { supervisor, .. }) = kite_supervisor::find(&directory) {
                    agents.insert(supervisor.pid, session);
                }
            }
            let peer = peer.into_iter();
            let mut upwards =
                peer.flat_map(|pid| [pid].into_iter().chain(processes::ancestors(pid)));
            upwards.find_map(|pid| agents.get(&pid).copied())
        });
        looking.await.map_err(|_| no_person())
    }
}

fn no_person() -> Fault {
    Fault::new("not_allowed", "Only a person at a terminal may do that.")
        .hint("Ask the person who runs this session.")
}
