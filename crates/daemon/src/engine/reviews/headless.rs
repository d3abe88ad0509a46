//! Reviews by a headless agent, which spends money: only where the person has switched it on.

use std::rc::Rc;

use kite_store::Store;
use kite_wire::{
    reply::Fault,
    request::{Envelope, ReviewRun},
};

use super::record::State;
use crate::{doors::Connection, engine::Engine};

impl<S: Store> Engine<S> {
    pub(in crate::engine) async fn review_run(
        self: &Rc<Self>,
        _connection: &Connection,
        envelope: &Envelope,
        request: ReviewRun,
    ) -> Result<Vec<u8>, Fault> {
        let record = self.review_named(&request.review)?;
        match record.state {
            State::Recorded => {
                return self
                    .remembered(envelope, &self.review_line(record, "already_recorded"))
                    .await;
            }
            State::Running => return Ok(self.review_line(record, "running")),
            State::Failed => return Ok(self.review_line(record, "failed")),
            State::Open => {}
        }
        if !self.settings.of_home().reviews.headless {
            return Err(Fault::new(
                "not_allowed",
                "Headless reviews are switched off here: they spend money.",
            )
            .hint(
                "Have a subagent review it, or ask the person to set `review_headless = \"on\"`.",
            ));
        }
        Err(Fault::new(
            "not_built",
            "headless reviews are not built yet",
        ))
    }
}
