//! Refusals in words: who, since when, until when, and next steps that work when followed to the
//! letter. One of them always needs no tool of Kite's. None tells how to break another's lock.

use kite_rules::{
    Now, Refusal,
    refusal::InTheWay,
    session::Owner,
    task::{State, TaskId},
};
use kite_store::Ledger;
use kite_wire::reply::Fault;

use super::{
    state_name,
    words::{inline, quoted, time_of_day},
};

/// Where the reader stands: editing hooks are told to retry the edit, others to call again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// A tool call of an agent's client that a hook refuses.
    Edit,
    /// A request: of an MCP tool, of the CLI, of a program.
    Request,
}

/// The refusal as an error for clients.
pub(crate) fn fault(refusal: &Refusal, reader: Reader, ledger: &Ledger, now: Now) -> Fault {
    match refusal {
        Refusal::Locked(in_the_way) => locked(in_the_way, reader, ledger, now),
        Refusal::Busy(in_the_way) => busy(in_the_way, reader, ledger, now),
        Refusal::StaleWrite {
            file,
            by,
            at_wall_ms,
        } => stale_write(file, by, *at_wall_ms, ledger, now),
        Refusal::StaleEpoch { given, current } => Fault::new(
            "stale_epoch",
            match current {
                Some(current) => {
                    format!("The epoch {given} is over; the lock now has epoch {current}.")
                }
                None => format!("The epoch {given} is over: the lock has ended since."),
            },
        )
        .hint("Nothing was changed. Look with kite_sessions, and lock again if you still need it."),
        Refusal::UnknownSession => Fault::new(
            "unknown_session",
            "There is no such session, or it has ended.",
        )
        .hint(r#"Register it first: {"type":"register","session_id":"..."}"#),
        Refusal::Limit { what, max } => {
            Fault::new("limit_reached", format!("{what}: at most {max}."))
                .hint("Use fewer or shorter ones, or end what is no longer needed.")
        }
        Refusal::Invalid { what, why } => {
            Fault::new("invalid_field", format!("{what}: {}", inline(why, 300)))
                .hint("Correct it and ask again.")
        }
        other => task(other, ledger, now),
    }
}

/// `session 3f2a91bc`, with its subagent where it is one's.
fn who(owner: &Owner) -> String {
    match &owner.agent {
        None => format!("session {:.8}", owner.session),
        Some(agent) => format!(
            "subagent {} of session {:.8}",
            inline(agent, 12),
            owner.session
        ),
    }
}

fn about(owner: &Owner, reason: Option<&str>, ledger: &Ledger) -> String {
    let intent = ledger
        .sessions
        .get(&owner.session)
        .and_then(|session| session.intent.as_deref());
    match (reason, intent) {
        (Some(reason), _) => format!(" (for {})", quoted(reason, 80)),
        (None, Some(intent)) => format!(" (editing for {})", quoted(intent, 80)),
        (None, None) => String::new(),
    }
}

fn locked(in_the_way: &[InTheWay], reader: Reader, ledger: &Ledger, now: Now) -> Fault {
    let Some(first) = in_the_way.first() else {
        return Fault::new("locked", "It is locked.").hint("Ask again later.");
    };
    let mut message = format!(
        "File locked by {} since {}{}, until {} at the latest.",
        who(&first.owner),
        time_of_day(first.since_wall_ms, now.wall_ms, true),
        about(&first.owner, first.reason.as_deref(), ledger),
        time_of_day(first.until_wall_ms, now.wall_ms, false),
    );
    message = format!("{message} The lock is on {}.", inline(&first.target, 200));
    if in_the_way.len() > 1 {
        message = format!("{message} {} more are in the way.", in_the_way.len() - 1);
    }
    Fault::new("locked", message).hint(match reader {
        Reader::Edit => {
            "Go on with other files and retry this same edit later: it goes through as soon as the lock ends. \
             Or call kite_file_lock for this file with wait_seconds: 45, which queues for it, and then edit."
        }
        Reader::Request => {
            "Go on with other work and ask again later, or ask with wait_seconds: 45 (kite lock acquire --wait 45) \
             to queue for it. kite_sessions shows what that session is doing."
        }
    })
}

fn busy(in_the_way: &InTheWay, reader: Reader, ledger: &Ledger, now: Now) -> Fault {
    let message = format!(
        "{} is being edited by {} since {}{}, until {} at the latest.",
        inline(&in_the_way.target, 200),
        who(&in_the_way.owner),
        time_of_day(in_the_way.since_wall_ms, now.wall_ms, true),
        about(&in_the_way.owner, None, ledger),
        time_of_day(in_the_way.until_wall_ms, now.wall_ms, true),
    );
    Fault::new("busy", message).hint(match reader {
        Reader::Edit => "Retry this same edit; Kite queues it.",
        Reader::Request => "Ask again; edits take seconds.",
    })
}

fn stale_write(file: &str, by: &Owner, at_wall_ms: u64, ledger: &Ledger, now: Now) -> Fault {
    let message = format!(
        "{} was changed by {} at {}{}, after you last read it. Writing the whole file would undo that change.",
        inline(file, 200),
        who(by),
        time_of_day(at_wall_ms, now.wall_ms, true),
        about(by, None, ledger),
    );
    Fault::new("stale_write", message)
        .hint("Read the file again, then write it with that change kept, or edit only your lines.")
}

fn task(refusal: &Refusal, ledger: &Ledger, now: Now) -> Fault {
    match refusal {
        Refusal::StaleAttempt { task, given, current, kept } => Fault::new(
            "stale_attempt",
            format!(
                "Attempt {given} of task {task:.8} was taken away; it is at attempt {current} now.{}",
                if *kept { " Your result is kept with the task as a late result." } else { "" }
            ),
        )
        .hint("Nothing else was changed. Stop working on it; claim another with kite_task_claim."),
        Refusal::AlreadyClaimed { task, by, since_wall_ms } => Fault::new(
            "already_claimed",
            format!(
                "Task {task:.8} is claimed by {} since {}{}.",
                who(by),
                time_of_day(*since_wall_ms, now.wall_ms, true),
                about(by, None, ledger),
            ),
        )
        .hint("Claim the next ready one with kite_task_claim, without an id."),
        Refusal::NotClaimed { task, state } => {
            Fault::new("not_claimed", format!("You have no claim on task {task:.8}; it is {}.", state_name(*state)))
                .hint("Claim it first with kite_task_claim, or leave it to its holder.")
        }
        Refusal::NotReady { task, state, waits_for } => not_ready(*task, *state, waits_for, ledger),
        Refusal::NothingReady { blocked, claimed } => {
            Fault::new("nothing_ready", format!("No task is ready: {blocked} blocked, {claimed} claimed by others."))
                .hint("Go on with other work and ask again later; kite_task_list shows what they wait for.")
        }
        Refusal::UnknownTask { given, near } => {
            Fault::new("unknown_task", format!("There is no task {}.", quoted(given, 40))).hint(if near.is_empty() {
                "kite_task_list shows the ids.".to_owned()
            } else {
                format!("Near ones: {}.", listed(near, ledger))
            })
        }
        Refusal::AmbiguousTask { given, candidates } => {
            Fault::new("ambiguous_task", format!("{} fits several tasks.", quoted(given, 40)))
                .hint(format!("Give more of the id: {}.", listed(candidates, ledger)))
        }
        Refusal::DependencyCycle(cycle) => {
            let path: Vec<String> = cycle.iter().map(|id| format!("{id:.8}")).collect();
            Fault::new("dependency_cycle", format!("That would close a cycle: {}.", path.join(" -> ")))
                .hint("Leave out one of these dependencies.")
        }
        _ => Fault::new("refused", "Refused.").hint("Ask again later."),
    }
}

fn not_ready(task: TaskId, state: State, waits_for: &[TaskId], ledger: &Ledger) -> Fault {
    let fault = Fault::new(
        "not_ready",
        format!(
            "Task {task:.8} cannot be claimed: it is {}.",
            state_name(state)
        ),
    );
    if waits_for.is_empty() {
        fault.hint("Claim the next ready one with kite_task_claim, without an id.")
    } else {
        fault.hint(format!("It waits for {}.", listed(waits_for, ledger)))
    }
}

/// `1a2b3c4d "title" (state)`, a few of them.
fn listed(ids: &[TaskId], ledger: &Ledger) -> String {
    const SHOWN: usize = 5;
    let mut names: Vec<String> = ids
        .iter()
        .take(SHOWN)
        .map(|id| match ledger.tasks.get(*id) {
            Some(task) => format!(
                "{id:.8} {} ({})",
                quoted(&task.title, 60),
                state_name(task.state)
            ),
            None => format!("{id:.8}"),
        })
        .collect();
    if ids.len() > SHOWN {
        names.push(format!("and {} more", ids.len() - SHOWN));
    }
    names.join(", ")
}
