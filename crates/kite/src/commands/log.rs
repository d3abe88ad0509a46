//! `kite log`: what happened, and what happens.

use std::time::Duration;

use clap::Args;
use kite_wire::{
    reply::{Done, Events},
    request::{Query, Subscribe},
};

use crate::{
    connect::Daemon,
    error::{Error, Exit},
    render::{self, Terminal, moment::parse_span},
};

/// Most events read at once.
const PAGE: u32 = 1_000;
/// How often a quiet daemon is looked at, in case a push went missing.
const QUIET_MAX: Duration = Duration::from_secs(5);

/// Show the log: hook events, tool calls, grants, refusals, claims.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  kite log
  kite log --follow
  kite log --session 3f2a91bc --since 10m
  kite log --tool Write --json | jq '.events[] | select(.outcome == \"refused\")'
  kite log --follow --json      one event a line")]
pub(crate) struct LogArgs {
    /// Go on showing what happens, until Ctrl-C.
    #[arg(short, long)]
    follow: bool,
    /// Only of this session (id or unique prefix).
    #[arg(short, long, value_name = "ID")]
    session: Option<String>,
    /// Only of this tool.
    #[arg(short, long)]
    tool: Option<String>,
    /// Only the last so long: 30s, 10m, 2h, 1d.
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    since: Option<Duration>,
    /// The newest so many.
    #[arg(short = 'n', long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    limit: u32,
    /// Print one JSON object: {"events": [...]}; with --follow one event a line.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &LogArgs, terminal: &mut Terminal) -> Result<Exit, Error> {
    let mut daemon = Daemon::connect()?;
    if args.follow {
        return follow(args, &mut daemon, terminal);
    }
    let events: Events = daemon.ask(args.query())?;
    if args.json {
        terminal.json(&events)?;
    } else {
        render::events::print(terminal, &events.events)?;
    }
    Ok(Exit::Success)
}

impl LogArgs {
    fn query(&self) -> Query {
        Query {
            target: "events".to_owned(),
            session: self.session.clone(),
            tool: self.tool.clone(),
            since_ms: self
                .since
                .and_then(|since| u64::try_from(since.as_millis()).ok()),
            limit: Some(self.limit),
            ..Query::default()
        }
    }
}

/// A push is only a wake-up: what happened is read from the log, so that nothing is shown twice
/// and nothing is left out, also over a restart of the daemon.
fn follow(args: &LogArgs, daemon: &mut Daemon, terminal: &mut Terminal) -> Result<Exit, Error> {
    let subscription = Subscribe {
        topics: vec!["events".to_owned()],
    };
    daemon.ask::<Done>(subscription.clone())?;
    let mut last_seq = None;
    loop {
        last_seq = Some(show_new(args, last_seq, daemon, terminal)?);
        loop {
            match daemon.next_push(Some(QUIET_MAX)) {
                Ok(Some(push))
                    if push
                        .event
                        .as_ref()
                        .is_some_and(|event| Some(event.seq) <= last_seq) => {}
                Ok(_) => break,
                Err(_) => {
                    daemon.find_again()?;
                    daemon.ask::<Done>(subscription.clone())?;
                    break;
                }
            }
        }
    }
}

/// Shows what came after `last_seq`, or the newest where nothing has been shown yet.
fn show_new(
    args: &LogArgs,
    mut last_seq: Option<u64>,
    daemon: &mut Daemon,
    terminal: &mut Terminal,
) -> Result<u64, Error> {
    loop {
        let mut query = args.query();
        if let Some(after) = last_seq {
            query = Query {
                after: Some(after),
                since_ms: None,
                limit: Some(PAGE),
                ..query
            };
        }
        let page: Events = daemon.ask(query)?;
        if args.json {
            page.events
                .iter()
                .try_for_each(|event| terminal.json_line(event))?;
        } else {
            render::events::print_lines(terminal, &page.events)?;
        }
        terminal.flush()?;
        let full = page.events.len() == PAGE as usize && last_seq.is_some();
        last_seq = Some(page.last_seq.max(last_seq.unwrap_or(0)));
        if !full {
            return Ok(page.last_seq.max(last_seq.unwrap_or(0)));
        }
    }
}
