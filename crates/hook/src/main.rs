//! `kite-hook EVENT [CLIENT]`: the reflex. One small program for every hook event of an agent.
//!
//! It sends its standard input, unread, to the daemon and copies out what comes back. It runs at
//! every step of every session, so it does little and is quick about it: no daemon, a slow one,
//! or a garbled answer lets the agent go on.
//!
//! **Architecture Invariant:** it knows neither JSON nor configuration nor any agent's format.
//! What an event means is the daemon's business.
//!
//! **Architecture Invariant:** it always ends, within [`call::TOTAL_TIME_MAX`] of having its
//! input, and only [`BLOCKING_EVENT`] may end with anything but 0.

mod answer;
mod call;
mod fault;
mod input;
mod load;
mod readiness;
mod stamp;
mod stand_aside;

use std::{env, os::unix::ffi::OsStringExt, process::ExitCode};

use kite_wire::{
    frame::{Header, RECEIPT},
    home::Home,
};

use crate::{answer::Answer, fault::Fault};

/// The only event whose exit code may stop the agent.
const BLOCKING_EVENT: &str = "PreToolUse";

/// The events after which the agent goes on only when the hook has ended.
const WAITED_FOR: &[&str] = &[BLOCKING_EVENT, "SessionStart", "UserPromptSubmit", "Stop"];

/// The client whose dialect the input is in, where the second argument is missing.
const CLIENT_DEFAULT: &str = "claude-code";

/// What the daemon is told of the environment. Nothing else of it leaves this process.
const ENVIRONMENT: &[&str] = &[
    "CLAUDE_PID",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_PROJECT_DIR",
    "CLAUDE_CODE_ENTRYPOINT",
    "AI_AGENT",
    "KITE_SESSION",
    "KITE_AGENT",
];

/// Longest value that is passed on, in bytes: ids and paths fit. A longer one is left out, since
/// half an id is worse than none.
const ENVIRONMENT_VALUE_BYTES_MAX: usize = 8 << 10;

const USAGE: &str = concat!(
    "kite-hook ",
    env!("CARGO_PKG_VERSION"),
    "\n\nUsage: kite-hook EVENT [CLIENT]\n\n",
    "Asks the Kite daemon about one hook event, whose input is read from stdin. Agents run it;\n",
    "`kite init` registers it, `kite doctor` checks it.\n"
);

fn main() -> ExitCode {
    let mut arguments = env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned());
    let event = arguments.next().filter(|event| !event.starts_with('-'));
    let answer = match (event, Home::find()) {
        (None, _) => Answer {
            stderr: USAGE.into(),
            ..Answer::default()
        },
        (Some(_), None) => {
            input::drain();
            Answer::default()
        }
        (Some(event), Some(home)) => {
            let client = arguments
                .next()
                .unwrap_or_else(|| CLIENT_DEFAULT.to_owned());
            let header = Header {
                event,
                client,
                input_len: 0,
                env: environment(),
            };
            react(&home, header)
        }
    };
    answer.give()
}

/// The whole reaction to one event: the daemon's answer, or what stands in for it.
fn react(home: &Home, header: Header) -> Answer {
    let event = header.event.clone();
    let blocking = event == BLOCKING_EVENT;
    if stand_aside::is_on(home) && !(blocking && home.strict().exists()) {
        input::drain();
        return Answer::default();
    }
    let mut answer = ask(home, header).unwrap_or_else(|fault| fault.settle(home, &event));
    if !blocking {
        answer.exit = 0;
    }
    answer
}

fn ask(home: &Home, mut header: Header) -> Result<Answer, Fault> {
    let input = input::read()?;
    header.input_len = input.len();
    let is_waited_for = WAITED_FOR.contains(&header.event.as_str());
    call::ask(&home.socket(), &header.to_line(), &input, is_waited_for)
}

fn environment() -> Vec<(String, Vec<u8>)> {
    let named = |name: &&str| Some(((*name).to_owned(), env::var_os(name)?.into_vec()));
    ENVIRONMENT
        .iter()
        .filter_map(named)
        .filter(|(_, value)| value.len() <= ENVIRONMENT_VALUE_BYTES_MAX)
        .chain([(RECEIPT.to_owned(), b"1".to_vec())])
        .collect()
}
