//! The commands of git, by what they may do to uncommitted work.

/// What a git command is about. Commands that cannot touch uncommitted work or refs that keep
/// commits alive are all [`Verb::Harmless`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Verb {
    Stash,
    Reset,
    Checkout,
    Switch,
    Restore,
    Clean,
    Rebase,
    Merge,
    Pull,
    Commit,
    Add,
    Rm,
    Mv,
    Apply,
    Worktree,
    Branch,
    Push,
    CherryPick,
    Revert,
    Am,
    Bisect,
    ReadTree,
    CheckoutIndex,
    UpdateIndex,
    /// `update-ref` and `symbolic-ref`.
    UpdateRef,
    Reflog,
    /// `gc`, `prune`, `repack` and `maintenance`.
    Gc,
    Submodule,
    SparseCheckout,
    /// `filter-branch`, `replay` and others that rewrite many commits.
    Rewrite,
    /// No command that git ships: perhaps an alias, perhaps a program `git-NAME`.
    Alias(String),
    Harmless,
}

impl Verb {
    /// The verb that git's command `name` stands for. Names are as git has them: lower case.
    #[must_use]
    pub fn of(name: &str) -> Verb {
        match name {
            "stash" => Verb::Stash,
            "reset" => Verb::Reset,
            "checkout" => Verb::Checkout,
            "switch" => Verb::Switch,
            "restore" => Verb::Restore,
            "clean" => Verb::Clean,
            "rebase" => Verb::Rebase,
            "merge" | "merge-recursive" | "merge-resolve" | "merge-ours" | "merge-octopus"
            | "merge-subtree" | "merge-index" | "merge-one-file" => Verb::Merge,
            "pull" => Verb::Pull,
            "commit" => Verb::Commit,
            "add" | "stage" => Verb::Add,
            "rm" => Verb::Rm,
            "mv" => Verb::Mv,
            "apply" => Verb::Apply,
            "worktree" => Verb::Worktree,
            "branch" => Verb::Branch,
            "push" | "send-pack" => Verb::Push,
            "cherry-pick" => Verb::CherryPick,
            "revert" => Verb::Revert,
            "am" | "quiltimport" => Verb::Am,
            "bisect" => Verb::Bisect,
            "read-tree" => Verb::ReadTree,
            "checkout-index" => Verb::CheckoutIndex,
            "update-index" => Verb::UpdateIndex,
            "update-ref" | "symbolic-ref" => Verb::UpdateRef,
            "reflog" => Verb::Reflog,
            "gc" | "prune" | "prune-packed" | "repack" | "maintenance" => Verb::Gc,
            "submodule" => Verb::Submodule,
            "sparse-checkout" => Verb::SparseCheckout,
            "filter-branch" | "filter-repo" | "replay" | "replace" | "history"
            | "fast-import" => Verb::Rewrite,
            name if HARMLESS.contains(&name) => Verb::Harmless,
            name => Verb::Alias(name.to_owned()),
        }
    }

    /// Whether the name alone is a reason to look: not harmless, and known.
    pub(crate) fn is_known_danger(&self) -> bool {
        !matches!(self, Verb::Harmless | Verb::Alias(_))
    }
}

const HARMLESS: [&str; 99] = [
    "annotate", "archive", "backfill", "blame",
    "bugreport", "bundle", "cat-file", "check-attr",
    "check-ignore", "check-mailmap", "check-ref-format", "cherry",
    "clone", "column", "commit-graph", "commit-tree",
    "config", "count-objects", "credential", "cvsserver",
    "daemon", "describe", "diagnose", "diff",
    "diff-files", "diff-index", "diff-pairs", "diff-tree",
    "difftool", "difftool--helper", "fast-export", "fetch",
    "fetch-pack", "fmt-merge-msg", "for-each-ref", "for-each-repo",
    "format-patch", "fsck", "get-tar-commit-id", "grep",
    "gui", "hash-object", "help", "hook",
    "http-backend", "index-pack", "init", "instaweb",
    "interpret-trailers", "last-modified", "log", "ls-files",
    "ls-remote", "ls-tree", "mailinfo", "mailsplit",
    "merge-base", "merge-file", "merge-tree", "mktag",
    "mktree", "multi-pack-index", "name-rev", "notes",
    "pack-objects", "pack-refs", "patch-id", "range-diff",
    "receive-pack", "refs", "remote", "repo",
    "request-pull", "rerere", "rev-list", "rev-parse",
    "send-email", "sh-setup", "shell", "shortlog",
    "show", "show-branch", "show-index", "show-ref",
    "status", "stripspace", "survey", "tag",
    "unpack-file", "unpack-objects", "update-server-info", "upload-pack",
    "var", "verify-commit", "verify-pack", "verify-tag",
    "version", "whatchanged", "write-tree",
];
