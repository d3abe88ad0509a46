//! `kite demo`: scripted sessions show, in a throw-away home, what Kite does for real ones.
//!
//! Everything is real but the agents: an installed daemon and hook, processes that live and die,
//! files that are written. What is told is what happened; where something does not go as it
//! should, the demo ends with that as an error.

mod act;
mod actor;
mod interrupt;
mod stage;

use std::time::Instant;

use kite_wire::{reply::Stats, request::Query};

use crate::{
    error::Error,
    render::{Terminal, demo as show},
};

use stage::Stage;

/// What the acts need: where they play, and how they are told.
pub(crate) struct Play<'a> {
    stage: Stage,
    terminal: &'a mut Terminal,
}

/// Plays all acts. Whatever happens, processes, daemon and directory are gone afterwards.
pub(crate) fn play(terminal: &mut Terminal) -> Result<(), Error> {
    interrupt::watch()?;
    let began = Instant::now();
    show::opening(terminal)?;
    let mut play = Play {
        stage: Stage::build()?,
        terminal,
    };
    act::race::play(&mut play)?;
    act::refusal::play(&mut play)?;
    act::tasks::play(&mut play)?;
    act::death::play(&mut play)?;
    let stats = play.stats()?;
    play.stage.strike()?;
    show::ending(play.terminal, &stats, began.elapsed())?;
    Ok(())
}

impl Play<'_> {
    /// Opens an act.
    fn act(&mut self, title: &str) -> Result<(), Error> {
        interrupt::check()?;
        Ok(show::act(self.terminal, title)?)
    }

    /// Tells what one session does.
    fn tell(&mut self, who: &str, what: impl AsRef<str>) -> Result<(), Error> {
        interrupt::check()?;
        Ok(show::step(self.terminal, who, what.as_ref())?)
    }

    /// Tells what Kite does.
    fn kite(&mut self, what: impl AsRef<str>) -> Result<(), Error> {
        interrupt::check()?;
        Ok(show::kite(self.terminal, what.as_ref())?)
    }

    /// Tells what came of the act.
    fn outcome(&mut self, what: impl AsRef<str>) -> Result<(), Error> {
        interrupt::check()?;
        Ok(show::outcome(self.terminal, what.as_ref())?)
    }

    fn stats(&mut self) -> Result<Stats, Error> {
        self.stage.onlooker()?.ask(Query {
            target: "stats".to_owned(),
            ..Query::default()
        })
    }
}

/// Ends the demo where something did not go as it should.
fn expect(holds: bool, what: &str) -> Result<(), Error> {
    if holds {
        return Ok(());
    }
    Err(
        Error::failed(format!("the demo did not go as it should: {what}"))
            .hinted("this is a fault in Kite; `kite doctor` may tell more"),
    )
}
