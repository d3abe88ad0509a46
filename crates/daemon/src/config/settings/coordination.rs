//! Guarding, holding, keeping and logging.

use super::{
    super::{Durability, Guard, Hold},
    ANYONE, Kind, SWITCH, Setting, USER, Value, set_number,
};

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "guard",
        kind: Kind::Word(&["open", "strict"]),
        default: "open",
        variable: "KITE_GUARD",
        places: USER,
        doc: "What a hook does that gets no answer from the daemon. `open` lets the agent go on \
              and counts it; `strict` refuses the step. Takes effect when the daemon starts.",
        apply: |config, value| {
            config.guard = if value == Value::Word(1) {
                Guard::Strict
            } else {
                Guard::Open
            };
        },
    },
    Setting {
        name: "hold",
        kind: Kind::Word(&["edit", "turn"]),
        default: "edit",
        variable: "KITE_HOLD",
        places: ANYONE,
        doc: "How long a file stays with the session that edits it: for the `edit` itself, or \
              until the end of the `turn`. `turn` refuses many edits that would have been safe.",
        apply: |config, value| {
            config.hold = if value == Value::Word(1) {
                Hold::Turn
            } else {
                Hold::Edit
            };
        },
    },
    Setting {
        name: "hold_wait_ms",
        kind: Kind::Number { min: 0, max: 4_500 },
        default: "2000",
        variable: "KITE_HOLD_WAIT_MS",
        places: ANYONE,
        doc: "How many milliseconds an edit waits for another session's edit of the same file \
              before it is refused. A hook waits 5 s at most, and with no answer lets the edit go on.",
        apply: |config, value| set_number(&mut config.hold_wait_ms, value),
    },
    Setting {
        name: "lock_ttl_s",
        kind: Kind::Number {
            min: 10,
            max: 86_400,
        },
        default: "1800",
        variable: "KITE_LOCK_TTL_S",
        places: ANYONE,
        doc: "How many seconds a lock lasts without a sign of life of its session, where the \
              request for it does not say.",
        apply: |config, value| set_number(&mut config.lock_ttl_s, value),
    },
    Setting {
        name: "session_ttl_s",
        kind: Kind::Number {
            min: 5,
            max: 86_400,
        },
        default: "60",
        variable: "KITE_SESSION_TTL_S",
        places: USER,
        doc: "How many seconds a session lives from its last sign of life where there is no \
              process to watch.",
        apply: |config, value| set_number(&mut config.session_ttl_s, value),
    },
    Setting {
        name: "intent",
        kind: SWITCH,
        default: "on",
        variable: "KITE_INTENT",
        places: ANYONE,
        doc: "Whether the first line of a session's latest prompt (80 characters) is kept and \
              shown to others as what the session is about.",
        apply: |config, value| config.intent = value == Value::Word(1),
    },
    Setting {
        name: "git_guard",
        kind: SWITCH,
        default: "on",
        variable: "KITE_GIT_GUARD",
        places: USER,
        doc: "Whether git commands of agents are looked at: uncommitted work is kept in a snapshot \
              before they may touch it, and what would certainly destroy or sweep up another live \
              session's uncommitted work is refused.",
        apply: |config, value| config.git_guard = value == Value::Word(1),
    },
    Setting {
        name: "undo_max_mib",
        kind: Kind::Number {
            min: 1,
            max: 1_048_576,
        },
        default: "1024",
        variable: "KITE_UNDO_MAX_MIB",
        places: USER,
        doc: "How many MiB the contents may take that are kept from before and after edits, for all \
              projects together, compressed. The oldest go first.",
        apply: |config, value| set_number(&mut config.undo_max_mib, value),
    },
    Setting {
        name: "undo_days",
        kind: Kind::Number { min: 1, max: 3_650 },
        default: "14",
        variable: "KITE_UNDO_DAYS",
        places: USER,
        doc: "How many days contents and snapshots are kept, and the journals of projects in which \
              nothing has happened since.",
        apply: |config, value| set_number(&mut config.undo_days, value),
    },
    Setting {
        name: "undo_snapshots",
        kind: Kind::Number {
            min: 1,
            max: 100_000,
        },
        default: "200",
        variable: "KITE_UNDO_SNAPSHOTS",
        places: USER,
        doc: "How many snapshots of uncommitted work are kept in one repository. The oldest go \
              first.",
        apply: |config, value| set_number(&mut config.undo_snapshots, value),
    },
    Setting {
        name: "notes",
        kind: SWITCH,
        default: "on",
        variable: "KITE_NOTES",
        places: ANYONE,
        doc: "Whether a session is told, in one line and once, that another session has changed \
              a file it is working with, or that its changes would conflict with those in another \
              worktree. Where the home says `off`, worktrees are not compared at all.",
        apply: |config, value| config.notes = value == Value::Word(1),
    },
    Setting {
        name: "durability",
        kind: Kind::Word(&["normal", "power"]),
        default: "normal",
        variable: "KITE_DURABILITY",
        places: USER,
        doc: "`normal`: what was acknowledged survives the death of any program. `power`: loss of \
              power too, which costs a disk flush for each group of changes. Takes effect when \
              the daemon starts.",
        apply: |config, value| {
            config.durability = if value == Value::Word(1) {
                Durability::Power
            } else {
                Durability::Normal
            };
        },
    },
    Setting {
        name: "log_days",
        kind: Kind::Number { min: 1, max: 3_650 },
        default: "14",
        variable: "KITE_LOG_DAYS",
        places: USER,
        doc: "How many days the audit log is kept.",
        apply: |config, value| set_number(&mut config.log_days, value),
    },
    Setting {
        name: "log_max_mib",
        kind: Kind::Number {
            min: 1,
            max: 1_048_576,
        },
        default: "256",
        variable: "KITE_LOG_MAX_MIB",
        places: USER,
        doc: "How many MiB the audit log may take. The oldest is deleted first.",
        apply: |config, value| set_number(&mut config.log_max_mib, value),
    },
    Setting {
        name: "log_full",
        kind: Kind::Names,
        default: "",
        variable: "KITE_LOG_FULL",
        places: USER,
        doc: "Tools whose full input and output is logged, redacted and capped; `*` for all. Of \
              other tools only name, target and outcome are logged; Kite's own are always logged \
              in full. In the variable, names are separated by commas.",
        apply: |config, value| {
            if let Value::Names(names) = value {
                config.log_full = names;
            }
        },
    },
];
