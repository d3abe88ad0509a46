//! Agents that Kite runs.

use super::{super::Config, Kind, Setting, USER, Value, set_number};

/// What an agent may do without being asked, the least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PermissionMode {
    /// Reads and plans.
    Plan,
    /// Only what is allowed by name. `manual` and `dontAsk` come to the same where nobody is there
    /// to be asked.
    #[default]
    Default,
    /// Edits files.
    AcceptEdits,
    /// What its client judges to be harmless.
    Auto,
    /// Anything.
    BypassPermissions,
}

impl PermissionMode {
    const NAMES: &[(&str, PermissionMode)] = &[
        ("plan", PermissionMode::Plan),
        ("default", PermissionMode::Default),
        ("manual", PermissionMode::Default),
        ("dontAsk", PermissionMode::Default),
        ("acceptEdits", PermissionMode::AcceptEdits),
        ("auto", PermissionMode::Auto),
        ("bypassPermissions", PermissionMode::BypassPermissions),
    ];

    /// The mode that Claude Code calls so.
    #[must_use]
    pub fn named(name: &str) -> Option<PermissionMode> {
        let found = Self::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, mode)| *mode)
    }

    /// As Claude Code calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::NAMES.iter().find(|(_, mode)| *mode == self);
        found.map_or("default", |(name, _)| name)
    }

    /// The names there are, for a hint.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMES.iter().map(|(name, _)| *name)
    }
}

/// What was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agents {
    /// How many run at once; 0: as many as the machine has cores, 2 at least.
    pub max_agents: u64,
    /// Generations of agents that agents started.
    pub depth_max: u64,
    /// Agents that come from one session, directly or not, and have not ended.
    pub descendants_max: u64,
    pub permission_mode: PermissionMode,
    /// Whether an agent works in a worktree of its own, where nothing else is said.
    pub own_worktree: bool,
    pub timeout_s: u64,
    /// Most US dollars for one run; 0: no limit.
    pub budget_usd: u64,
    /// Names of ignored files and directories that go with their worktree.
    pub worktree_disposable: Vec<String>,
}

impl Agents {
    /// How many run at once.
    #[must_use]
    pub fn running_max(&self) -> usize {
        match usize::try_from(self.max_agents) {
            Ok(0) | Err(_) => {
                std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2))
            }
            Ok(set) => set,
        }
    }
}

const MODES: &[&str] = &[
    "plan",
    "default",
    "acceptEdits",
    "auto",
    "bypassPermissions",
];

fn mode(config: &mut Config, value: &Value) {
    if let Value::Word(at) = value
        && let Some(mode) = MODES.get(*at).and_then(|name| PermissionMode::named(name))
    {
        config.agents.permission_mode = mode;
    }
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "max_agents",
        kind: Kind::Number { min: 0, max: 256 },
        default: "0",
        variable: "KITE_MAX_AGENTS",
        places: USER,
        doc: "How many agents Kite runs at once; the others wait in order. 0 stands for the number \
              of the machine's cores, 2 at least.",
        apply: |config, value| set_number(&mut config.agents.max_agents, value),
    },
    Setting {
        name: "agent_depth_max",
        kind: Kind::Number { min: 1, max: 8 },
        default: "2",
        variable: "KITE_AGENT_DEPTH_MAX",
        places: USER,
        doc: "How many generations of agents there may be: with 1 an agent that Kite started may \
              start none itself.",
        apply: |config, value| set_number(&mut config.agents.depth_max, value),
    },
    Setting {
        name: "agent_descendants_max",
        kind: Kind::Number { min: 1, max: 1_000 },
        default: "16",
        variable: "KITE_AGENT_DESCENDANTS_MAX",
        places: USER,
        doc: "How many agents that have not ended may come from one session, directly or through \
              agents that it started.",
        apply: |config, value| set_number(&mut config.agents.descendants_max, value),
    },
    Setting {
        name: "agent_permission_mode",
        kind: Kind::Word(MODES),
        default: "acceptEdits",
        variable: "KITE_AGENT_PERMISSION_MODE",
        places: USER,
        doc: "The most that an agent which Kite starts may do without being asked, by Claude Code's \
              names. A session cannot give an agent more than it has itself.",
        apply: |config, value| mode(config, &value),
    },
    Setting {
        name: "agent_worktree",
        kind: Kind::Word(&["none", "new"]),
        default: "new",
        variable: "KITE_AGENT_WORKTREE",
        places: USER,
        doc: "Where an agent works if nothing else is said: in a `new` git worktree on a branch of \
              its own, or, with `none`, where it was asked for. What is no git repository has no \
              worktrees.",
        apply: |config, value| config.agents.own_worktree = value == Value::Word(1),
    },
    Setting {
        name: "agent_timeout_s",
        kind: Kind::Number {
            min: 1,
            max: 604_800,
        },
        default: "7200",
        variable: "KITE_AGENT_TIMEOUT_S",
        places: USER,
        doc: "How many seconds an agent may take, at most and where nothing less is said. Then it \
              is ended with all of its processes.",
        apply: |config, value| set_number(&mut config.agents.timeout_s, value),
    },
    Setting {
        name: "agent_budget_usd",
        kind: Kind::Number {
            min: 0,
            max: 10_000,
        },
        default: "10",
        variable: "KITE_AGENT_BUDGET_USD",
        places: USER,
        doc: "How many US dollars one run of an agent may spend, at most and where nothing less is \
              said. 0: no limit. It is the client that counts; of those known, Claude Code does.",
        apply: |config, value| set_number(&mut config.agents.budget_usd, value),
    },
    Setting {
        name: "worktree_disposable",
        kind: Kind::Names,
        default: DISPOSABLE,
        variable: "KITE_WORKTREE_DISPOSABLE",
        places: USER,
        doc: "Names of files and directories that tools make again. Where git ignores them they are no \
              work: they are deleted with the worktree that they are in. All else that is ignored, like \
              `.env`, keeps it from being removed. A name that begins with `*` stands for all that end \
              so.",
        apply: |config, value| {
            if let Value::Names(names) = value {
                config.agents.worktree_disposable = names;
            }
        },
    },
];

/// What the best known tools build, fetch or cache inside a working copy.
const DISPOSABLE: &str = ".DS_Store,.build,.cache,.dart_tool,.eggs,.gradle,.hypothesis,.ipynb_checkpoints,\
                  .mypy_cache,.next,.nox,.nuxt,.nyc_output,.parcel-cache,.pytest_cache,\
                  .ruff_cache,.svelte-kit,.tox,.turbo,.venv,.vite,*.pyc,__pycache__,\
                  bower_components,build,coverage,dist,elm-stuff,htmlcov,node_modules,target,venv";

#[cfg(test)]
mod tests {
    use super::{MODES, PermissionMode};

    #[test]
    fn modes_have_one_name_each_and_an_order() {
        let modes: Vec<_> = MODES
            .iter()
            .filter_map(|name| PermissionMode::named(name))
            .collect();
        assert!(modes.is_sorted());
        for (name, mode) in MODES.iter().zip(&modes) {
            assert_eq!(mode.name(), *name);
        }
        assert!(PermissionMode::named("dontAsk") < PermissionMode::named("acceptEdits"));
        assert_eq!(PermissionMode::named("root"), None);
    }
}
