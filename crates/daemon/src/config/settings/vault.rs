//! The vault, and what is brought in from it.

use super::{Kind, Setting, USER, Value};

/// What was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vault {
    /// Folders of notes beside the home's own, as they were written.
    pub folders: Vec<String>,
}

pub(super) const SETTINGS: &[Setting] = &[Setting {
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
}];
