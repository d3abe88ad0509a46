//! However a command is spelled, it is found; what only mentions git is not.

use kite_gitcall::{Call, Verb, calls, expand_alias, mentions_git};

/// A verb's words, spelled in a shell. `{}` is `stash -u` and the like.
const SPELLINGS: &[&str] = &[
    "git {}",
    "git -C . {}",
    "git --no-pager -c a.b=c {}",
    "/usr/bin/git {}",
    "FOO=1 git {}",
    "env FOO=1 git {}",
    "env -u FOO -i git {}",
    "true && git {}",
    "false || git {}",
    "(git {})",
    "{ git {}; }",
    "bash -c 'git {}'",
    "sh -lc \"git {}\"",
    "bash -c 'sh -c \"git {}\"'",
    "command git {}",
    "exec git {}",
    "git {}; ls",
    "git {} | cat",
    "git {} > /dev/null 2>&1",
    "2>/dev/null git {}",
    "git {} &",
    "ls\ngit {}\nls",
    "git \\\n {}",
    "bash <<'EOF'\ngit {}\nEOF",
    "bash -s <<EOF\ngit {}\nEOF",
    "sh <<< 'git {}'",
    "if x; then git {}; fi",
    "if x; then y; else git {}; fi",
    "for f in a b; do git {}; done",
    "while x; do git {}; done",
    "case $x in a|b) git {};; esac",
    "time git {}",
    "time -p git {}",
    "! git {}",
    "nohup git {}",
    "nice -n 5 git {}",
    "timeout -k 5 60 git {}",
    "sudo -u me git {}",
    "g\"\"it {}",
    "\\git {}",
    "'git' {}",
    "$(git {})",
    "x=$(git {})",
    "echo \"$(git {})\"",
    "echo `git {}`",
    "cat <(git {})",
    "cat <<EOF\n$(git {})\nEOF",
    "ls # a comment\ngit {}",
    "[[ a < b && $x =~ (y|z) ]] && git {}",
    "x=$((1 + (2 << 3))); git {}",
    "((i++)); git {}",
    "((git {}); ls)",
    "a=(1 2); git {}",
    "echo ${x:-\"}\"}; git {}",
    "cat <<'EOF' > f\nit's (\nEOF\ngit {}",
    "npm test && git {} && ls",
    "git fetch; git {}",
];

const VERBS: &[(&str, Verb)] = &[
    ("stash -u", Verb::Stash),
    ("reset --hard", Verb::Reset),
    ("checkout .", Verb::Checkout),
    ("switch -f main", Verb::Switch),
    ("restore .", Verb::Restore),
    ("clean -fd", Verb::Clean),
    ("rebase main", Verb::Rebase),
    ("merge main", Verb::Merge),
    ("pull --rebase", Verb::Pull),
    ("commit -am x", Verb::Commit),
    ("add -A", Verb::Add),
    ("rm -rf .", Verb::Rm),
    ("mv a b", Verb::Mv),
    ("apply p", Verb::Apply),
    ("worktree remove --force w", Verb::Worktree),
    ("branch -D b", Verb::Branch),
    ("push --force", Verb::Push),
    ("cherry-pick a", Verb::CherryPick),
    ("revert a", Verb::Revert),
    ("am p", Verb::Am),
    ("bisect reset", Verb::Bisect),
    ("read-tree -u --reset HEAD", Verb::ReadTree),
    ("checkout-index -fa", Verb::CheckoutIndex),
    ("update-index --add a", Verb::UpdateIndex),
    ("gc --prune=now", Verb::Gc),
    ("reflog expire --all", Verb::Reflog),
];

fn spelled(spelling: &str, words: &str) -> String {
    spelling.replace("{}", words)
}

fn only(text: &str) -> Call {
    let reading = calls(text);
    assert!(reading.mentions_git, "{text}");
    assert!(!reading.unparseable, "{text}");
    let found = reading.calls.into_iter();
    let mut found = found.filter(|call| call.verb != Verb::Harmless);
    let call = found.next().unwrap_or_else(|| panic!("no call in {text}"));
    assert_eq!(found.next(), None, "one call in {text}");
    call
}

#[test]
fn every_verb_is_found_in_every_spelling() {
    for (words, verb) in VERBS {
        for spelling in SPELLINGS {
            let text = spelled(spelling, words);
            let call = only(&text);
            assert_eq!(&call.verb, verb, "{text}");
            assert!(call.certain, "{text}");
            let expected: Vec<&str> = words.split(' ').skip(1).collect();
            assert_eq!(call.words, expected, "{text}");
        }
    }
}

#[test]
fn what_only_a_shell_knows_is_only_possible() {
    for text in [
        "git stash $x",
        "git $x",
        "git stash \"$x\"",
        "git add *.rs",
        "git add {a,b}",
        "git add ~/x",
        "git checkout -- $(ls)",
        "$GIT stash # git",
        "\"${GIT:-git}\" stash",
        "eval git stash",
        "eval \"git stash\"",
        "ls | xargs git add",
        "xargs -0 git add < list",
        "find . -name x -exec git add {} \\;",
        "find . -exec sh -c 'git add x' \\;",
        "mise exec -- git stash",
        "uv run git stash",
        "su -c 'git stash'",
        "python3 -c 'import os; os.system(\"git stash\")'",
        "python3 - <<'EOF'\nsubprocess.run([\"git\", \"-C\", \".\", \"stash\"])\nEOF",
        "echo 'git stash' | bash",
        "cat <<'EOF' | sh\ngit stash\nEOF",
        "f() { git stash; }; f",
        "function f { git stash; }",
        "trap 'git stash' EXIT",
        "cd \"$x\" && git stash",
        "cd - && git stash",
        "popd; git stash",
        "cd x || git stash",
        "test -d x && cd x; git stash",
        "if x; then cd y; fi; git stash",
        "for d in a b; do git stash; cd c; done",
        "GIT_DIR=x git stash",
        "export GIT_INDEX_FILE=x; git add a",
        "git --git-dir=x stash",
        "git --work-tree x stash",
        "git -c core.worktree=x stash",
        "git -c alias.zap='reset --hard' zap",
        "git -c alias.zap='!git reset --hard' zap",
        "bash -c \"git stash $x\"",
        "bash -c 'git stash' name arg",
        "bash <<EOF\ngit stash $x\nEOF",
        "GIT stash",
        "env -S 'git stash'",
        "env --split-string='git stash' x",
        "docker exec box git stash",
        "watch 'git stash'",
        "git() { command git stash; }",
        "/usr/lib/git-core/git-stash $x",
    ] {
        assert!(!only(text).certain, "{text}");
    }
}

#[test]
fn a_verb_that_only_a_shell_knows_may_be_any() {
    for text in [
        "W='stash -u'; git $W",
        "git \"$x\" --hard",
        "git $(cat verb)",
        "echo stash -u | xargs git",
        "echo checkout -- . | xargs -n 3 git -C .",
        "echo 'git stash' > run.sh && bash run.sh",
        "printf 'git clean -fd\\n' > x && chmod +x x && ./x",
        "cat > t.sh <<'EOF'\ncd x\ngit reset --hard\nEOF\nsh t.sh",
        "echo 'git stash' >> env; . ./env",
        "echo 'git stash' >> env; source env",
    ] {
        let call = only(text);
        assert_eq!(call.verb, Verb::Unknown, "{text}");
        assert!(!call.certain, "{text}");
    }
    assert!(
        !only("ls | xargs git add").words.is_empty(),
        "something is added"
    );
}

#[test]
fn it_is_said_where_nobody_knows_the_working_copy() {
    for text in [
        "cd \"$x\" && git stash",
        "git -C $x stash",
        "GIT_DIR=x git stash",
        "export GIT_WORK_TREE=x; git stash",
        "git --git-dir=x/.git --work-tree=x checkout -f",
        "W=stash; git $W",
        "popd; git stash",
    ] {
        let call = only(text);
        assert!(call.adrift && !call.certain, "{text}");
    }
    for text in ["git stash", "cd x && git stash", "git add *.rs"] {
        assert!(!only(text).adrift, "{text}");
    }
}

#[test]
fn the_worktree_that_is_removed_is_told() {
    for (text, removed) in [
        ("git worktree remove --force trees/a", Some("trees/a")),
        ("git worktree remove trees/a -f", Some("trees/a")),
        ("git worktree remove trees/a", None),
        ("git worktree add -f trees/a", None),
        ("git rm -f remove", None),
    ] {
        assert_eq!(only(text).removes_worktree(), removed, "{text}");
    }
}

#[test]
fn what_only_mentions_git_runs_nothing() {
    for text in [
        "echo \"git stash\"",
        "echo git stash",
        "printf '%s\\n' 'git reset --hard'",
        "grep -rn 'git stash' .",
        "grep git stash",
        "rg \"git (stash|reset)\" docs",
        "cat .git/config",
        "ls .git",
        "# git stash",
        "ls # git stash",
        "which git",
        "command -v git",
        "type git",
        "man git stash",
        "cat <<'EOF'\ngit stash\n$(git stash)\nEOF",
        "cat > notes.md <<'EOF'\nrun `git reset --hard`\nEOF",
        "gh pr create --title x --body 'run git stash'",
        "sed -i 's/git stash/git add/' x",
        "x='git stash'",
        "git --version",
        "git --help stash",
        "alias gs='git stash'",
        "curl https://example.com/git",
        "apt-get install -y git",
        "make git all",
        "ls && cd git && ls",
    ] {
        let reading = calls(text);
        assert_eq!(reading.calls, [], "{text}");
        assert!(!reading.unparseable, "{text}");
    }
}

#[test]
fn a_message_may_say_anything() {
    for text in [
        "git commit -m 'git reset --hard'",
        "git commit -m \"$(cat <<'EOF'\nfix: it's (done)\n\ngit stash; git add -A\nEOF\n)\"",
        "git commit -m \"about $x\"",
        "git commit --message=\"$(date)\"",
        "git commit -qm \"$x\"",
        "git commit -F - <<'EOF'\ngit stash\nEOF",
        "git commit --author=\"$me\" -m x",
    ] {
        let call = only(text);
        assert_eq!(call.verb, Verb::Commit, "{text}");
        assert!(call.certain, "{text}");
    }
    assert!(!only("git commit -m x $files").certain);
    assert!(!only("git commit -m x -- $files").certain);
    assert!(!only("git commit \"$x\" -m x").certain);
}

#[test]
fn the_directory_is_followed() {
    for (text, directory) in [
        ("cd sub && git checkout .", Some("sub")),
        ("cd sub\ngit checkout .", Some("sub")),
        ("cd sub; cd ../x && git checkout .", Some("sub/../x")),
        ("pushd sub && git checkout .", Some("sub")),
        ("git -C a -C b checkout .", Some("a/b")),
        ("cd sub && git -C x checkout .", Some("sub/x")),
        ("cd /abs && git checkout .", Some("/abs")),
        ("(cd sub && make); git checkout .", None),
        ("x=$(cd sub && pwd); git checkout .", None),
        ("cd sub | git checkout .", None),
        ("bash -c 'cd sub && git checkout .'", Some("sub")),
        ("bash -c 'cd sub'; git checkout .", None),
        ("cd sub || exit 1\ngit checkout .", Some("sub")),
        ("env -C sub git checkout .", Some("sub")),
        ("cd -- sub && git checkout .", Some("sub")),
        ("if cd sub; then git checkout .; fi", Some("sub")),
    ] {
        let call = only(text);
        assert_eq!(call.directory.as_deref(), directory, "{text}");
        assert!(call.certain, "{text}");
    }
}

#[test]
fn conditions_are_told() {
    assert!(!only("git stash").conditional);
    assert!(!only("ls; git stash").conditional);
    assert!(only("x && git stash").conditional);
    assert!(only("if x; then git stash; fi").conditional);
    assert!(only("x && bash -c 'git stash'").conditional);
}

#[test]
fn what_cannot_be_read_is_said() {
    for text in [
        "git stash 'open",
        "git stash \"open",
        "git stash $(open",
        "git stash; (",
        "git stash; if x; then",
        "git stash; case x in",
        "git stash )",
        "git stash `open",
        "git stash ${open",
    ] {
        let reading = calls(text);
        assert!(reading.unparseable, "{text}");
        assert!(reading.calls.iter().all(|call| !call.certain), "{text}");
    }
}

#[test]
fn git_is_noticed_as_a_word() {
    for text in [
        "git",
        "a;git b",
        "/usr/bin/git x",
        "g\"i\"t x",
        "\\git x",
        "g\\it x",
        "bash -c 'git x'",
        "(git x)",
        "$(git x)",
        "gi\\\nt stash",
        "git-stash",
        "'git'",
        "x=git",
    ] {
        assert!(mentions_git(text), "{text}");
    }
    for text in [
        "",
        "ls",
        "digit",
        "github.com",
        "legit x",
        "cat .gitignore",
        "ls .git",
        "foo.git",
        "gi t",
        "gîtgit_x",
        "widget git_x",
        "agit",
    ] {
        assert!(!mentions_git(text), "{text}");
        assert_eq!(calls(text).calls, [], "{text}");
    }
}

#[test]
fn aliases_are_expanded() {
    let alias = only("git zap now");
    let expanded = |definition: &str| expand_alias(&alias, definition).calls;

    let plain = expanded("reset --hard");
    assert_eq!(plain.len(), 1);
    assert_eq!(plain[0].verb, Verb::Reset);
    assert_eq!(plain[0].words, ["--hard", "now"]);
    assert!(plain[0].certain);

    let quoted = expanded("commit -m \"a message\"");
    assert_eq!(quoted[0].words, ["-m", "a message", "now"]);

    let shell = expanded("!git add -A && git commit -m");
    assert_eq!(shell.len(), 2);
    assert!(shell.iter().all(|call| call.from_top && call.certain));
    assert_eq!(shell[1].words, ["-m", "now"]);

    let function = expanded("!f() { git stash \"$@\"; }; f");
    assert_eq!(function[0].verb, Verb::Stash);
    assert!(!function[0].certain);

    assert_eq!(expanded("other")[0].verb, Verb::Alias("other".to_owned()));
    assert!(expand_alias(&alias, "stash 'open").unparseable);
    assert!(expanded("-c a.b=c stash")[0].certain);
}

#[test]
fn absolute_paths_below_the_top_become_relative() {
    let call = only("cd /w/p/sub && git add /w/p/a.rs /w/pq x").relative_to("/w/p");
    assert_eq!(call.directory.as_deref(), Some("sub"));
    assert!(call.from_top);
    assert_eq!(call.words, [":(top)a.rs", "/w/pq", "x"]);
}
