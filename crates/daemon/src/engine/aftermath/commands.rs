//! Shell commands of agents, and when each of them ran: which one a change comes from.

use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
};

use kite_rules::session::{Owner, SessionId};

use super::reading::names;

/// Commands remembered; the oldest make room.
const COMMANDS_MAX: usize = 512;
/// A command that ended is forgotten after so long, in nanoseconds: every look since has seen what
/// it did.
const REMEMBERED_NS: u64 = 300_000_000_000;
/// Characters of a command that are searched for names.
const TEXT_CHARS_MAX: usize = 8_000;
/// The kernel's clock for files goes in steps of up to 10 ms, and so lags behind by as much.
const STEP_NS: u64 = 12_000_000;
/// What happens to a file after another session's edit of it, until the hooks of that edit are
/// over, comes from that edit, for instance from a formatter that its client runs: unless a command
/// names the file. Where nobody says when they are over, it is so long.
const EDIT_GRACE_NS: u64 = 5_000_000_000;

/// A shell command of an agent.
#[derive(Clone, Debug)]
pub(super) struct Command {
    pub(super) owner: Owner,
    /// The working copy that its session stands in.
    pub(super) top: String,
    /// The tool call.
    pub(super) call: String,
    pub(super) text: String,
    pub(super) begin_ns: u64,
    pub(super) end: End,
    /// The snapshot that was taken before it.
    pub(super) snapshot: Option<u64>,
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Running,
    Over(u64),
    /// The call was over then, what it started may not be.
    GoesOn(u64),
    /// Nobody said that it ended; it may never have begun.
    Presumed(u64),
}

/// When and where a file changed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment<'a> {
    pub(super) top: &'a str,
    /// Relative to `top`.
    pub(super) file: &'a Path,
    /// Not before this, and not after `at_ns`.
    pub(super) from_ns: u64,
    pub(super) at_ns: u64,
    /// The last edit of it by a tool: whose, and when.
    pub(super) edited: Option<&'a LastEdit>,
}

/// The last edit of a file by a tool.
#[derive(Clone, Debug)]
pub(super) struct LastEdit {
    pub(super) owner: Owner,
    pub(super) at_ns: u64,
    /// When it and its hooks were over.
    pub(super) over_ns: Option<u64>,
}

/// Where a change comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// No command: a person, an editor.
    Nobody,
    /// A command that still runs; it is looked at again when that has ended.
    NotYetOver,
    /// This call. `named`: its text names the file.
    Call { call: String, named: bool },
}

#[derive(Debug, Default)]
pub(super) struct Commands {
    all: VecDeque<Command>,
}

impl Commands {
    pub(super) fn begin(&mut self, mut command: Command) {
        if let Some((end, _)) = command.text.char_indices().nth(TEXT_CHARS_MAX) {
            command.text.truncate(end);
        }
        if self.all.len() >= COMMANDS_MAX {
            self.all.pop_front();
        }
        self.all.push_back(command);
    }

    /// The session's call is over. Answers the command, unless it is not known. Of a client that
    /// gives no ids, equal commands have one id: the last of them that still runs is meant.
    pub(super) fn end(
        &mut self,
        session: SessionId,
        call: &str,
        goes_on: bool,
        now_ns: u64,
    ) -> Option<Command> {
        let of_call = |it: &&mut Command| it.call == call && it.owner.session == session;
        let own = self.all.iter_mut().rev().filter(of_call);
        let command = own.max_by_key(|it| (it.end == End::Running, it.begin_ns))?;
        command.end = match goes_on {
            true => End::GoesOn(now_ns),
            false => End::Over(now_ns),
        };
        Some(command.clone())
    }

    /// The owner is past all its calls.
    pub(super) fn presume_over(&mut self, owner: &Owner, now_ns: u64) {
        for command in &mut self.all {
            if command.owner == *owner && command.end == End::Running {
                command.end = End::Presumed(now_ns);
            }
        }
    }

    /// Forgets what cannot have changed anything since the last look, and what sessions that are
    /// over have left running.
    pub(super) fn forget(&mut self, now_ns: u64, is_live: impl Fn(SessionId) -> bool) {
        for command in &mut self.all {
            if matches!(command.end, End::Running | End::GoesOn(_))
                && !is_live(command.owner.session)
            {
                command.end = End::Presumed(now_ns);
            }
        }
        self.all.retain(|command| match command.end {
            End::Running | End::GoesOn(_) => true,
            End::Over(at) | End::Presumed(at) => at + REMEMBERED_NS > now_ns,
        });
    }

    pub(super) fn get(&self, call: &str) -> Option<&Command> {
        self.all.iter().rev().find(|it| it.call == call)
    }

    /// Which command a change comes from. Where several ran at that moment, one that names the
    /// file counts before all others, and then the one that ended first. Of one owner's commands
    /// it is the last that had begun: the news of a command's end comes late.
    pub(super) fn origin(&self, moment: &Moment<'_>) -> Origin {
        let mut ran: Vec<(&Command, bool)> = (self.all.iter())
            // The times first: texts are long, and most commands were over by then.
            .filter(|it| it.may_have_made(moment, true))
            .filter(|it| it.top == moment.top || it.text.contains(moment.top))
            .map(|it| (it, names(&it.text, moment.top, moment.file)))
            .filter(|(it, named)| it.may_have_made(moment, *named))
            .collect();
        if ran.iter().any(|(_, named)| *named) {
            ran.retain(|(_, named)| *named);
        }
        let last_of = |owner: &Owner| {
            let own = ran.iter().filter(|(it, _)| it.owner == *owner);
            own.map(|(it, _)| it.begin_ns).max()
        };
        let last: Vec<bool> = ran
            .iter()
            .map(|(it, _)| last_of(&it.owner) == Some(it.begin_ns))
            .collect();
        let first = ran
            .iter()
            .zip(last)
            .filter(|(_, last)| *last)
            .min_by_key(|((it, _), _)| it.end_ns());
        match first {
            None => Origin::Nobody,
            Some(((it, _), _)) if it.end == End::Running => Origin::NotYetOver,
            Some(((it, named), _)) => Origin::Call {
                call: it.call.clone(),
                named: *named,
            },
        }
    }
}

impl Command {
    fn end_ns(&self) -> u64 {
        match self.end {
            End::Running => u64::MAX,
            End::Over(at) | End::GoesOn(at) | End::Presumed(at) => at,
        }
    }

    fn may_have_made(&self, moment: &Moment<'_>, named: bool) -> bool {
        let begin_ns = self.begin_ns.saturating_sub(STEP_NS);
        let within = begin_ns <= moment.at_ns && moment.at_ns <= self.end_ns();
        let overlaps = begin_ns <= moment.at_ns && moment.from_ns <= self.end_ns();
        let of_an_edit = moment.edited.is_some_and(|edit| {
            let over_ns = edit
                .over_ns
                .unwrap_or(edit.at_ns.saturating_add(EDIT_GRACE_NS));
            edit.owner.contends_with(&self.owner) && moment.at_ns <= over_ns
        });
        let goes_on = matches!(self.end, End::GoesOn(_)) && begin_ns <= moment.at_ns;
        match self.end {
            End::Presumed(_) => overlaps && named,
            _ => (within && !of_an_edit) || ((overlaps || goes_on) && named),
        }
    }
}

/// The last edits by tools, by file.
pub(super) type Edited = std::collections::HashMap<PathBuf, LastEdit>;

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn owner(session: u128) -> Owner {
        Owner::session(SessionId(session))
    }

    fn commands(all: &[(u128, &str, u64, End)]) -> Commands {
        let mut commands = Commands::default();
        for (at, (session, text, begin, end)) in all.iter().enumerate() {
            commands.begin(Command {
                owner: owner(*session),
                top: "/w".into(),
                call: format!("c{at}"),
                text: (*text).to_owned(),
                begin_ns: begin * SECOND,
                end: match *end {
                    End::Over(at) => End::Over(at * SECOND),
                    End::GoesOn(at) => End::GoesOn(at * SECOND),
                    End::Presumed(at) => End::Presumed(at * SECOND),
                    End::Running => End::Running,
                },
                snapshot: None,
            });
        }
        commands
    }

    fn origin(commands: &Commands, file: &str, at: u64) -> Origin {
        commands.origin(&Moment {
            top: "/w",
            file: Path::new(file),
            from_ns: at * SECOND,
            at_ns: at * SECOND,
            edited: None,
        })
    }

    fn call(call: &str, named: bool) -> Origin {
        Origin::Call {
            call: call.to_owned(),
            named,
        }
    }

    #[test]
    fn only_what_ran_at_that_moment_counts() {
        let all = commands(&[(1, "make", 10, End::Over(20))]);
        assert_eq!(origin(&all, "a.rs", 9), Origin::Nobody);
        assert_eq!(origin(&all, "a.rs", 15), call("c0", false));
        assert_eq!(origin(&all, "a.rs", 21), Origin::Nobody);
    }

    #[test]
    fn who_names_the_file_comes_before_who_ended_first() {
        let all = commands(&[
            (1, "make", 10, End::Over(20)),
            (2, "sed -i x a.rs", 5, End::Over(30)),
        ]);
        assert_eq!(origin(&all, "a.rs", 15), call("c1", true));
        assert_eq!(origin(&all, "b.rs", 15), call("c0", false));
        assert_eq!(origin(&all, "b.rs", 25), call("c1", false));
    }

    #[test]
    fn what_still_runs_is_waited_for() {
        let all = commands(&[
            (1, "make a.rs", 10, End::Running),
            (2, "make", 5, End::Over(30)),
        ]);
        assert_eq!(origin(&all, "a.rs", 15), Origin::NotYetOver);
        assert_eq!(origin(&all, "b.rs", 15), call("c1", false));
        assert_eq!(origin(&all, "b.rs", 40), Origin::NotYetOver);
    }

    #[test]
    fn the_end_of_a_call_is_that_of_its_last_command_in_that_session() {
        let mut all = commands(&[]);
        for (session, begin, end) in [
            (1, 10, End::Over(20 * SECOND)),
            (1, 30, End::Running),
            (2, 31, End::Running),
        ] {
            all.begin(Command {
                owner: owner(session),
                top: "/w".into(),
                call: "same".to_owned(),
                text: "make".to_owned(),
                begin_ns: begin * SECOND,
                end,
                snapshot: None,
            });
        }
        let ended = all.end(SessionId(1), "same", false, 40 * SECOND);
        assert_eq!(ended.map(|it| it.begin_ns), Some(30 * SECOND));
        assert_eq!(all.all[0].end, End::Over(20 * SECOND));
        assert_eq!(all.all[2].end, End::Running, "it is another session's");
        assert_eq!(origin(&all, "a.rs", 25), Origin::Nobody);
    }

    #[test]
    fn of_one_owners_commands_the_last_that_had_begun() {
        let all = commands(&[
            (1, "make", 10, End::Over(20)),
            (1, "make", 18, End::Over(30)),
        ]);
        assert_eq!(origin(&all, "a.rs", 12), call("c0", false));
        assert_eq!(origin(&all, "a.rs", 19), call("c1", false));
    }

    #[test]
    fn who_goes_on_behind_or_was_never_seen_to_end_must_name_the_file() {
        for (end, within) in [
            (End::GoesOn(11), call("c0", false)),
            (End::Presumed(99), Origin::Nobody),
        ] {
            let all = commands(&[(1, "fmt a.rs &", 10, end)]);
            assert_eq!(origin(&all, "a.rs", 50), call("c0", true));
            assert_eq!(origin(&all, "b.rs", 50), Origin::Nobody);
            assert_eq!(origin(&all, "b.rs", 10), within);
        }
    }

    #[test]
    fn what_follows_anothers_edit_is_that_edits_unless_it_is_named() {
        let all = commands(&[
            (1, "make", 10, End::Over(60)),
            (1, "rm b.rs", 61, End::Over(62)),
        ]);
        let edited = |session, at: u64, over: Option<u64>| LastEdit {
            owner: owner(session),
            at_ns: at * SECOND,
            over_ns: over.map(|at| at * SECOND),
        };
        let of = |file, at: u64, edited: LastEdit| {
            all.origin(&Moment {
                top: "/w",
                file: Path::new(file),
                from_ns: at * SECOND,
                at_ns: at * SECOND,
                edited: Some(&edited),
            })
        };
        assert_eq!(of("a.rs", 22, edited(2, 20, None)), Origin::Nobody);
        assert_eq!(of("a.rs", 30, edited(2, 20, None)), call("c0", false));
        assert_eq!(of("a.rs", 22, edited(2, 20, Some(21))), call("c0", false));
        assert_eq!(of("a.rs", 22, edited(1, 20, None)), call("c0", false));
        assert_eq!(of("b.rs", 62, edited(2, 60, None)), call("c1", true));
    }

    #[test]
    fn a_file_that_is_gone_may_have_gone_earlier_than_its_directory_says() {
        let all = commands(&[
            (1, "rm a.rs", 10, End::Over(20)),
            (2, "make", 22, End::Over(25)),
        ]);
        let gone = |file, at: u64| {
            all.origin(&Moment {
                top: "/w",
                file: Path::new(file),
                from_ns: 5 * SECOND,
                at_ns: at * SECOND,
                edited: None,
            })
        };
        assert_eq!(gone("a.rs", 30), call("c0", true));
        assert_eq!(gone("b.rs", 30), Origin::Nobody);
        assert_eq!(gone("b.rs", 23), call("c1", false));
    }
}
