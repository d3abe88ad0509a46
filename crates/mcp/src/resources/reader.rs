//! Who reads, and how a request becomes an answer or a reason.

use std::time::Duration;

use kite_wire::{
    reply::{self, Fault},
    request::{Caller, Envelope, Request},
};
use serde::de::DeserializeOwned;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::daemon::{Daemon, Question, Unanswered};

/// Whoever reads, at the daemon that is asked.
pub(crate) struct Reader<'a> {
    pub(crate) daemon: &'a Daemon,
    pub(crate) caller: &'a Caller,
    /// Cancelled when nobody wants the answer any more.
    pub(crate) withdrawn: CancellationToken,
}

/// Why there is no content.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// Nothing has that id.
    NotFound(String),
    /// The daemon refuses the question.
    Refused(Fault),
    /// No answer came.
    Unanswered(Unanswered),
}

impl Reader<'_> {
    /// Asks the daemon. Changes nothing there.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        request: impl Into<Request>,
    ) -> Result<T, ReadError> {
        let question = Question {
            request: request.into(),
            envelope: Envelope::default(),
            patience: Duration::ZERO,
            place: watch::Sender::new(None),
            withdrawn: self.withdrawn.clone(),
        };
        let reply = self.daemon.ask(self.caller, &question).await;
        reply::read(reply.map_err(ReadError::Unanswered)?).map_err(|fault| {
            match fault.code.as_str() {
                "unknown_task" | "ambiguous_task" | "unknown_session" | "unknown_note" => {
                    ReadError::NotFound(fault.to_string())
                }
                _ => ReadError::Refused(fault),
            }
        })
    }

    /// The directory whose project is meant where none is named.
    pub(crate) fn here(&self) -> Option<String> {
        self.caller.cwd.clone()
    }
}
