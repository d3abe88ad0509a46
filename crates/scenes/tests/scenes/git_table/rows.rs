//! The commands of the table: each verb in six spellings, and more forms that are dangerous.

/// One command that is run beside another session's work.
pub(super) struct Row {
    /// Name of the row, of its directory and of its alias.
    pub(super) label: String,
    pub(super) verb: &'static str,
    pub(super) spelling: &'static str,
    pub(super) command: String,
    /// What `git LABEL` means in this repository.
    pub(super) alias: String,
    pub(super) served: Served,
    /// The other's work is in a linked worktree, `trees/LABEL`.
    pub(super) elsewhere: bool,
}

/// What the one who runs the command wants for its own files, and gets by the alternative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Served {
    /// Its changed file is as committed again.
    Reverted,
    /// Its new file is gone.
    Cleaned,
    /// Its change is committed.
    Committed,
    /// Its change is in the index.
    Staged,
    /// Its file is gone.
    Removed,
    /// Nothing that the command covers is its own: no alternative.
    Nothing,
    /// The alternative tries without force, and git itself refuses.
    NotForced,
}

use Served::{Cleaned, Committed, NotForced, Nothing, Removed, Reverted, Staged};

/// The most dangerous everyday form of each verb. `{d}` is the row's directory, `{t}` the other's
/// tracked file in it, `{w}` the linked worktree.
const VERBS: &[(&str, &str, Served)] = &[
    ("stash", "stash push -u", Reverted),
    ("reset", "reset --hard", Reverted),
    ("checkout", "checkout -- .", Reverted),
    ("switch", "switch --force side", Reverted),
    ("restore", "restore --staged --worktree .", Reverted),
    ("clean", "clean -fd", Cleaned),
    ("rebase", "rebase --autostash topic", Nothing),
    ("merge", "merge --autostash topic", Nothing),
    ("pull", "pull --rebase --autostash origin main", Nothing),
    ("commit", "commit -a -m done", Committed),
    ("add", "add -A", Staged),
    ("rm", "rm -r -f {d}", Removed),
    ("worktree", "worktree remove --force {w}", Nothing),
    ("branch", "branch -D topic", Nothing),
    ("push", "push --force origin main", Nothing),
];

/// More forms, as they are written.
const FORMS: &[(&str, &str, Served)] = &[
    ("stash", "git stash", Reverted),
    ("stash", "git stash save wip", Reverted),
    ("stash", "git stash push -a -m 'all of it'", Reverted),
    ("stash", "git stash --keep-index", Reverted),
    ("stash", "git stash push -u -- {d}", Reverted),
    ("stash", "git stash -q && git stash drop", Reverted),
    (
        "stash",
        "git stash; git pull -q --rebase origin main; git stash pop",
        Reverted,
    ),
    ("stash", "git stash --staged", Nothing),
    ("reset", "git reset", Nothing),
    ("reset", "git reset --merge", Nothing),
    ("reset", "git reset --hard HEAD~1", Reverted),
    ("reset", "git reset --hard topic", NotForced),
    ("reset", "git reset -q --hard && git clean -fdq", Reverted),
    (
        "reset",
        "git fetch -q && git reset --hard FETCH_HEAD",
        NotForced,
    ),
    ("checkout", "git checkout .", Reverted),
    ("checkout", "git checkout {d}", Reverted),
    ("checkout", "git checkout {t}", Nothing),
    ("checkout", "git checkout HEAD -- {d}", Reverted),
    ("checkout", "git checkout topic -- {t}", Nothing),
    ("checkout", "git checkout -f", Reverted),
    ("checkout", "git checkout -f side", Reverted),
    ("checkout", "git checkout -qfB again side", Reverted),
    ("checkout", "git checkout topic", Nothing),
    ("checkout", "git checkout -m topic", Nothing),
    ("switch", "git switch --discard-changes side", Reverted),
    ("switch", "git switch -f topic", NotForced),
    ("switch", "git switch -m topic", Nothing),
    ("switch", "git switch -f -c again side", Reverted),
    ("restore", "git restore .", Reverted),
    ("restore", "git restore {t}", Nothing),
    ("restore", "git restore --staged .", Nothing),
    (
        "restore",
        "git restore --source=HEAD --worktree {d}",
        Reverted,
    ),
    ("restore", "git restore -s topic -- {t}", Nothing),
    ("clean", "git clean -fdx", Cleaned),
    ("clean", "git clean -f {d}", Cleaned),
    ("clean", "git clean -qffd .", Cleaned),
    ("clean", "git -c clean.requireForce=false clean -d", Cleaned),
    ("rebase", "git rebase topic", Nothing),
    ("merge", "git merge topic", Nothing),
    (
        "pull",
        "git pull --no-rebase --autostash origin main",
        Nothing,
    ),
    ("commit", "git commit -m done", Nothing),
    (
        "commit",
        "git add {d}/mine.txt && git commit -m done",
        Committed,
    ),
    ("commit", "git add -u; git commit -m done", Committed),
    (
        "commit",
        "git add -A && git commit -q -m 'all done'",
        Committed,
    ),
    (
        "commit",
        "git add . ; git commit --amend --no-edit",
        Committed,
    ),
    ("commit", "git commit -m done -- {d}", Committed),
    ("commit", "git commit -m done -i {d}", Committed),
    ("commit", "git commit -qam \"$(date)\"", Committed),
    (
        "commit",
        "FOO=1 env BAR=1 git -C . commit -a -m done",
        Committed,
    ),
    ("stash", "FOO=1 env BAR=1 git -C . stash -u", Reverted),
    ("add", "git add .", Staged),
    ("add", "git add -u", Staged),
    ("add", "git add {d}", Staged),
    ("add", "git add {d}/*", Staged),
    ("rm", "git rm -q -r --cached .", Nothing),
    ("rm", "git rm -f {t}", Nothing),
    ("mv", "git mv -f {d}/mine.txt {t}", Nothing),
    ("read-tree", "git read-tree --reset -u HEAD", Reverted),
    ("checkout-index", "git checkout-index -f -a", Reverted),
    ("cherry-pick", "git cherry-pick -n topic", Nothing),
    ("worktree", "git -C {w} reset -q --hard", Nothing),
    ("worktree", "cd {w} && git clean -fdq", Nothing),
    ("worktree", "git -C {w} stash -u", Nothing),
    (
        "worktree",
        "git --git-dir={w}/.git --work-tree={w} checkout -f",
        Nothing,
    ),
    ("branch", "git branch -f topic HEAD~1", Nothing),
    ("push", "git push --mirror --force origin", Nothing),
];

/// All rows of the table, verb by verb.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (at, (verb, args, served)) in VERBS.iter().enumerate() {
        for spelling in 0..6 {
            let label = label(rows.len());
            let (name, command) = spelled(spelling, at, args, &label);
            rows.push(row(label, verb, name, command, args, *served));
        }
        forms(&mut rows, |it| it == *verb);
    }
    forms(&mut rows, |it| VERBS.iter().all(|(verb, ..)| *verb != it));
    rows
}

fn forms(rows: &mut Vec<Row>, of: impl Fn(&str) -> bool) {
    for (verb, command, served) in FORMS.iter().filter(|(verb, ..)| of(verb)) {
        let label = label(rows.len());
        let command = filled(command, &label, "");
        rows.push(row(label, verb, "form", command, "status", *served));
    }
}

fn row(
    label: String,
    verb: &'static str,
    spelling: &'static str,
    command: String,
    args: &str,
    served: Served,
) -> Row {
    Row {
        alias: filled(args, &label, ""),
        elsewhere: verb == "worktree",
        label,
        verb,
        spelling,
        command,
        served,
    }
}

/// `git ARGS` in one of six spellings.
fn spelled(spelling: usize, verb: usize, args: &str, label: &str) -> (&'static str, String) {
    let plain = filled(args, label, "");
    match spelling {
        0 => ("plain", format!("git {plain}")),
        1 if args.starts_with("commit") => ("chain", format!("git add -A && git {plain}")),
        1 => {
            let below = filled(args, label, "../");
            ("chain", format!("cd {label} && git {below}"))
        }
        2 => ("bash -c", format!("bash -c 'git {plain}'")),
        3 => ("env", format!("GIT_X=1 env FOO=1 git -C . {plain}")),
        4 => ("alias", format!("git {label}")),
        _ => ("uncertain", uncertain(verb, &plain, label)),
    }
}

/// What only a shell can know.
fn uncertain(way: usize, args: &str, label: &str) -> String {
    match way % 5 {
        0 => format!("W='{args}'; git $W"),
        1 => format!("$(echo git) {args}"),
        2 => format!("echo {args} | xargs git"),
        3 => format!("echo 'git {args}' > {label}/run.sh && bash {label}/run.sh"),
        _ => format!("G=git; $G {args}"),
    }
}

fn filled(text: &str, label: &str, up: &str) -> String {
    text.replace("{t}", &format!("{up}{label}/theirs.txt"))
        .replace("{w}", &format!("{up}trees/{label}"))
        .replace("{d}", &format!("{up}{label}"))
}

fn label(number: usize) -> String {
    format!("r{number:03}")
}
