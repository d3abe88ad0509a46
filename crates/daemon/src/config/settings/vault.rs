//! The vault, and what is brought in from it.

use super::{ANYONE, Kind, Setting, USER, Value, set_number};

/// What was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vault {
    /// Folders of notes beside the home's own, as they were written.
    pub folders: Vec<String>,
    pub memory: Memory,
    /// Most tokens that one prompt brings in.
    pub memory_prompt_tokens: u64,
    /// Most tokens that all prompts of one session bring in.
    pub memory_session_tokens: u64,
}

/// What sessions hear of notes unasked. In the order of how much.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Memory {
    /// Nothing.
    Off,
    /// That there are notes.
    Search,
    /// What pinned notes say, and those that a prompt touches.
    #[default]
    Inject,
}

impl Vault {
    /// The settings of a repository that has its own: they may ask for less, never for more.
    #[must_use]
    pub fn at_most(self, home: &Vault) -> Vault {
        Vault {
            memory: self.memory.min(home.memory),
            memory_prompt_tokens: self.memory_prompt_tokens.min(home.memory_prompt_tokens),
            memory_session_tokens: self.memory_session_tokens.min(home.memory_session_tokens),
            ..self
        }
    }
}

pub(super) const SETTINGS: &[Setting] = &[
    Setting {
        name: "vaults",
        kind: Kind::Names,
        default: "",
        variable: "KITE_VAULTS",
        places: USER,
        doc: "Folders of Markdown notes that are searched beside `$KITE_HOME/vault`, such as an Obsidian \
          vault: absolute, or from `~/`, at most 24. Every project finds their notes. Kite writes \
          nothing into them. In the variable, folders are separated by commas. Takes effect when \
          the daemon starts.",
        apply: |config, value| {
            if let Value::Names(folders) = value {
                config.vault.folders = folders;
            }
        },
    },
    Setting {
        name: "memory",
        kind: Kind::Word(&["inject", "search", "off"]),
        default: "inject",
        variable: "KITE_MEMORY",
        places: ANYONE,
        doc: "What a session hears of notes unasked: pinned notes at its start, and at a prompt what \
          bears on it (`inject`); one line at its start that there are notes to search (`search`); \
          nothing (`off`). It silences nothing else: an agent that calls `kite_vault_search` or \
          `kite_vault_write` is answered all the same. A repository may ask for less than the home \
          allows, never for more.",
        apply: |config, value| {
            config.vault.memory = match value {
                Value::Word(0) => Memory::Inject,
                Value::Word(1) => Memory::Search,
                _ => Memory::Off,
            };
        },
    },
    Setting {
        name: "memory_prompt_tokens",
        kind: Kind::Number { min: 0, max: 2_000 },
        default: "200",
        variable: "KITE_MEMORY_PROMPT_TOKENS",
        places: ANYONE,
        doc: "How many tokens of notes one prompt brings in at most, and of pinned notes the start of \
          a session. Four bytes are counted as one token. A repository may only lower it.",
        apply: |config, value| set_number(&mut config.vault.memory_prompt_tokens, value),
    },
    Setting {
        name: "memory_session_tokens",
        kind: Kind::Number {
            min: 0,
            max: 100_000,
        },
        default: "1000",
        variable: "KITE_MEMORY_SESSION_TOKENS",
        places: ANYONE,
        doc: "How many tokens of notes all prompts of one session bring in at most. A repository may \
          only lower it.",
        apply: |config, value| set_number(&mut config.vault.memory_session_tokens, value),
    },
];
