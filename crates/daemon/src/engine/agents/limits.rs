//! How many agents, of which descent, and with which rights.

use kite_wire::reply::Fault;

use super::record::Record;
use crate::{
    config::settings::agents::{Agents, PermissionMode},
    translate::words::quoted,
};

/// Characters of a prompt.
pub(super) const PROMPT_CHARS_MAX: usize = 32_000;
/// Characters of a model's name.
pub(super) const MODEL_CHARS_MAX: usize = 128;
/// Agents that wait for their turn, in the whole home.
pub(super) const QUEUED_MAX: usize = 256;
/// Most turns that may be asked for.
pub(super) const TURNS_MAX: u32 = 10_000;

/// Who asks for an agent.
#[derive(Clone, Debug, Default)]
pub(super) struct Asker<'a> {
    /// Full id of the session, where it is one.
    pub(super) session: Option<String>,
    /// The agent whose session it is, where it is one that Kite runs.
    pub(super) agent: Option<&'a Record>,
    /// What the session itself may do; `None` for a person.
    pub(super) mode: Option<PermissionMode>,
}

/// The descent of a new agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Descent {
    pub(super) root: Option<String>,
    pub(super) depth: u64,
}

/// # Errors
/// `limit_reached` where there are too many generations, descendants or waiting ones.
pub(super) fn descent<'a>(
    asker: &Asker<'_>,
    all: impl Iterator<Item = &'a Record>,
    limits: &Agents,
) -> Result<Descent, Fault> {
    let descent = Descent {
        root: asker
            .agent
            .map_or_else(|| asker.session.clone(), |agent| agent.root.clone()),
        depth: asker.agent.map_or(0, |agent| agent.depth) + 1,
    };
    if descent.depth > limits.depth_max {
        return Err(too_many(format!(
            "an agent of generation {} may not be started: `agent_depth_max` is {}",
            descent.depth, limits.depth_max
        ))
        .hint("Do this work yourself, or create a task for it."));
    }
    let (mut descendants, mut queued) = (0, 0);
    for agent in all.filter(|agent| !agent.state.has_ended()) {
        descendants += u64::from(descent.root.is_some() && agent.root == descent.root);
        queued += usize::from(!agent.state.is_under_way());
    }
    if descendants >= limits.descendants_max {
        return Err(too_many(format!(
            "{descendants} agents of this session have not ended: `agent_descendants_max` is {}",
            limits.descendants_max
        ))
        .hint("Wait until some have ended; `agent_list` shows them."));
    }
    if queued >= QUEUED_MAX {
        return Err(
            too_many(format!("{queued} agents wait for their turn already"))
                .hint("Ask again when some have ended."),
        );
    }
    Ok(descent)
}

fn too_many(message: String) -> Fault {
    Fault::new("limit_reached", message)
}

/// The mode of a new agent: what was asked for, else the most there is.
///
/// # Errors
/// `not_allowed` where more was asked for than the asker, or the person, allows.
pub(super) fn mode(
    asked: Option<&str>,
    asker: Option<PermissionMode>,
    allowed: PermissionMode,
) -> Result<PermissionMode, Fault> {
    let most = asker.map_or(allowed, |own| own.min(allowed));
    let Some(asked) = asked else {
        return Ok(most);
    };
    let wanted = PermissionMode::named(asked).ok_or_else(|| {
        let known = PermissionMode::names().collect::<Vec<_>>().join(", ");
        Fault::new(
            "invalid_field",
            format!("`permission_mode`: there is no mode {}", quoted(asked, 40)),
        )
        .hint(format!("allowed: {known}"))
    })?;
    if wanted <= most {
        return Ok(wanted);
    }
    let why = match asker {
        Some(own) if own < wanted => format!("you have {} yourself", own.name()),
        _ => format!("the person allows {} at most", allowed.name()),
    };
    Err(Fault::new(
        "not_allowed",
        format!("an agent cannot be given {}: {why}", wanted.name()),
    )
    .hint(format!(
        "Leave `permission_mode` out, or ask for {}.",
        most.name()
    )))
}

/// The smaller of what was asked for and what is allowed; 0 allowed is no limit.
pub(super) fn at_most(asked: Option<f64>, allowed: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "whole dollars, few of them")]
    let allowed = (allowed > 0).then_some(allowed as f64);
    match (asked, allowed) {
        (Some(asked), Some(allowed)) => Some(asked.min(allowed)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::record::State, *};

    fn limits() -> Agents {
        Agents {
            depth_max: 2,
            descendants_max: 2,
            ..Agents::default()
        }
    }

    fn of(root: &str, depth: u64) -> Record {
        Record {
            root: Some(root.to_owned()),
            depth,
            ..Record::default()
        }
    }

    #[test]
    fn the_third_generation_is_not_started() {
        let child = of("r", 1);
        let asker = |agent| Asker {
            session: Some("s".to_owned()),
            agent,
            mode: None,
        };
        let first = descent(&asker(None), [].into_iter(), &limits()).unwrap();
        assert_eq!((first.root.as_deref(), first.depth), (Some("s"), 1));
        let second = descent(&asker(Some(&child)), [].into_iter(), &limits()).unwrap();
        assert_eq!((second.root.as_deref(), second.depth), (Some("r"), 2));
        let grandchild = of("r", 2);
        let refused = descent(&asker(Some(&grandchild)), [].into_iter(), &limits()).unwrap_err();
        assert_eq!(refused.code, "limit_reached");
    }

    #[test]
    fn descendants_count_until_they_have_ended() {
        let asker = Asker {
            session: Some("r".to_owned()),
            ..Asker::default()
        };
        let mut all = [of("r", 1), of("r", 2), of("other", 1)];
        assert!(descent(&asker, all.iter(), &limits()).is_err());
        all[0].state = State::Done;
        assert!(descent(&asker, all.iter(), &limits()).is_ok());
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        use PermissionMode as M;
        let ask = |asked, own, allowed| mode(asked, own, allowed);
        assert_eq!(ask(None, None, M::AcceptEdits), Ok(M::AcceptEdits));
        assert_eq!(ask(None, Some(M::Default), M::AcceptEdits), Ok(M::Default));
        assert_eq!(
            ask(Some("plan"), Some(M::Default), M::AcceptEdits),
            Ok(M::Plan)
        );
        let more = ask(Some("acceptEdits"), Some(M::Default), M::BypassPermissions).unwrap_err();
        assert_eq!(more.code, "not_allowed");
        assert!(ask(Some("bypassPermissions"), None, M::AcceptEdits).is_err());
        assert_eq!(
            ask(Some("root"), None, M::AcceptEdits).unwrap_err().code,
            "invalid_field"
        );
    }

    #[test]
    fn a_budget_is_never_more_than_the_persons() {
        assert_eq!(at_most(Some(3.0), 10), Some(3.0));
        assert_eq!(at_most(Some(30.0), 10), Some(10.0));
        assert_eq!(at_most(None, 10), Some(10.0));
        assert_eq!(at_most(Some(3.0), 0), Some(3.0));
        assert_eq!(at_most(None, 0), None);
    }
}
