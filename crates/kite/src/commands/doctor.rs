//! `kite doctor`: what is well and what is not. It looks and never changes anything.

use clap::Args;
use serde::Serialize;

use crate::{
    checks::{self, Check, State},
    connect,
    error::{Error, Exit},
    render::{self, Terminal},
};

/// Check that Kite works here. Changes nothing; exit code 1 where something does not work.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite doctor
  kite doctor --json | jq '.checks[] | select(.state != \"ok\")'")]
pub(crate) struct DoctorArgs {
    /// Print one JSON object: {"ok": ..., "checks": [...]}.
    #[arg(long)]
    json: bool,
}

/// All checks, and whether none failed.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) ok: bool,
    pub(crate) checks: Vec<Check>,
}

pub(crate) fn run(args: &DoctorArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let home = connect::home()?;
    let checks = checks::examine(&home);
    let report = Report {
        ok: checks.iter().all(|check| check.state != State::Fail),
        checks,
    };
    if args.json {
        terminal.json(&report)?;
    } else {
        render::doctor::print(terminal, &report)?;
    }
    Ok(if report.ok {
        Exit::Success
    } else {
        Exit::Error
    })
}
