//! The text of Kite's git hooks: POSIX shell, which decides as much as it can by itself.
//!
//! **Architecture Invariant:** a hook never stops git because Kite is missing or fails. Only the
//! exit code 1 of `kite git-hook pre-commit` does, and that of the hook that was there before.

/// One of git's hooks.
pub(super) struct Hook {
    /// As git calls it.
    pub(super) name: &'static str,
    body: &'static str,
    line: &'static str,
}

pub(super) const HOOKS: &[Hook] = &[
    Hook {
        name: "pre-commit",
        body: PRE_COMMIT,
        line: concat!(
            r#"k="${KITE_HOME:-$HOME/.kite}/bin/kite"; [ ! -x "$k" ] || "#,
            r#""$k" git-hook pre-commit || [ $? -ne 1 ] || exit 1"#
        ),
    },
    Hook {
        name: "reference-transaction",
        body: REFERENCE_TRANSACTION,
        line: concat!(
            r#"k="${KITE_HOME:-$HOME/.kite}/bin/kite"; [ ! -x "$k" ] || "#,
            r#""$k" git-hook reference-transaction "$1" || :"#
        ),
    },
];

/// What a kept hook is called beside its name.
const KEPT: &str = ".before-kite";

const MARK: &str = "# Installed by `kite init --git-hooks`; `kite uninit` takes it out again.";
const MADE: &str = "# Its directory was made for it.";

const PRE_COMMIT: &str = r#"before=${0%/*}/pre-commit.before-kite
if [ -x "$before" ]; then
    "$before" "$@" || exit
fi
[ -x "$home/bin/kite" ] || exit 0
KITE_HOME=$home "$home/bin/kite" git-hook pre-commit
[ $? -ne 1 ]
"#;

/// Git calls this for every reference that it writes, `HEAD` and `AUTO_MERGE` included, three times
/// each: most of it must end here, and soon.
const REFERENCE_TRANSACTION: &str = r#"before=${0%/*}/reference-transaction.before-kite
[ -x "$before" ] || before=
[ -n "$before" ] || [ "$1" = prepared ] || exit 0

# What git says on stdin is needed twice. A long list is not read line by line.
updates=
count=0
newline='
'
while [ "$count" -lt 100 ] && IFS= read -r update; do
    updates=$updates$update$newline
    count=$((count + 1))
done
if [ "$count" -eq 100 ]; then
    rest=$(cat; printf x)
    updates=$updates${rest%x}
fi
if [ -n "$before" ]; then
    printf %s "$updates" 2>/dev/null | "$before" "$@" || exit
fi
[ "$1" = prepared ] || exit 0

# Tags, remote branches, the stash and what Kite keeps are none of its business.
case $updates in
    *' HEAD'* | *' refs/heads/'*) ;;
    *) exit 0 ;;
esac
[ -x "$home/bin/kite" ] || exit 0

# A commit on top of a branch loses nothing: one question to git instead of a start of Kite.
if [ "$count" -lt 4 ]; then
    lost=
    branch=
    IFS= read -r head 2>/dev/null <"${GIT_DIR:-.git}/HEAD" || head=
    case $head in
        'ref: '*) branch=yes ;;
    esac
    while IFS=' ' read -r old new ref; do
        case $ref in
            HEAD) [ -z "$branch" ] || continue ;;
            refs/heads/*) ;;
            *) continue ;;
        esac
        # Made, moved by force, deleted, or HEAD goes to another branch: not for a shell to judge.
        case $old:$new in
            *[!0]*:*[!0]*) ;;
            *) lost=yes && break ;;
        esac
        [ "$old" = "$new" ] || git merge-base --is-ancestor "$old" "$new" 2>/dev/null || lost=yes
    done <<UPDATES
$updates
UPDATES
    [ -n "$lost" ] || exit 0
fi
printf %s "$updates" | KITE_HOME=$home "$home/bin/kite" git-hook reference-transaction "$1"
exit 0
"#;

impl Hook {
    /// The name under which a hook that was there before is kept, beside it.
    pub(super) fn kept(&self) -> String {
        format!("{}{KEPT}", self.name)
    }

    /// The whole text. `home`: the home's path as one word of a shell.
    pub(super) fn script(&self, home: &str, made_dir: bool) -> String {
        let made = if made_dir {
            format!("{MADE}\n")
        } else {
            String::new()
        };
        format!(
            "#!/bin/sh\n{MARK}\n# A hook that was here before is {}, and runs first.\n{made}home={home}\n{}",
            self.kept(),
            self.body
        )
    }

    /// A line that does the same within a hook of somebody else, whatever home its reader has.
    pub(super) fn line(&self) -> &'static str {
        self.line
    }
}

/// Whether this is the text of a hook of Kite's, of this version or another.
pub(super) fn is_kites(bytes: &[u8]) -> bool {
    has_line(bytes, MARK)
}

pub(super) fn made_its_directory(bytes: &[u8]) -> bool {
    has_line(bytes, MADE)
}

pub(super) fn is_of_home(bytes: &[u8], home: &str) -> bool {
    has_line(bytes, &format!("home={home}"))
}

fn has_line(bytes: &[u8], line: &str) -> bool {
    /// The lines that say something of a hook stand at its beginning.
    const LINES: usize = 8;
    let mut lines = bytes.split(|byte| *byte == b'\n').take(LINES);
    lines.any(|it| it == line.as_bytes())
}
