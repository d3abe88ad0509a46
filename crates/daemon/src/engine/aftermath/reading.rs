//! What little is read out of a command's text: whether it surely only reads, and whether it
//! names a file. Nothing here pretends to understand shell; both answers only ever choose between
//! careful and more careful.

use std::path::Path;

/// Commands that write no file, whatever their arguments, as long as nothing redirects them.
const READERS: &[&str] = &[
    "[",
    "basename",
    "cat",
    "cd",
    "cmp",
    "column",
    "comm",
    "cut",
    "date",
    "df",
    "diff",
    "dirname",
    "du",
    "echo",
    "egrep",
    "false",
    "fgrep",
    "grep",
    "head",
    "hostname",
    "id",
    "jq",
    "ls",
    "md5sum",
    "nl",
    "printenv",
    "ps",
    "pwd",
    "readlink",
    "realpath",
    "rg",
    "seq",
    "sha256sum",
    "sleep",
    "stat",
    "tail",
    "test",
    "tr",
    "true",
    "type",
    "uname",
    "wc",
    "whereis",
    "which",
    "whoami",
];

/// Redirections that write nothing.
const HARMLESS: &[&str] = &["2>&1", "2>/dev/null", ">/dev/null", "&>/dev/null"];

/// Whether a command surely writes no file: it consists of well-known readers, and nothing in it
/// could be anything else. Separators count within quotes, too, so at worst this says no.
pub(super) fn only_reads(command: &str) -> bool {
    let mut text = command.replace("> /dev/null", ">/dev/null");
    for harmless in HARMLESS {
        text = text.replace(harmless, " ");
    }
    if text.contains(['>', '`', '{', '(']) || text.contains("<<") {
        return false;
    }
    let mut parts = text.split(['|', '&', ';', '\n']).map(str::trim);
    parts.all(|part| match part.split_whitespace().next() {
        None => true,
        Some(word) => READERS.contains(&word),
    })
}

/// Whether it starts something that goes on after it.
pub(super) fn goes_on(command: &str, input: Option<&str>) -> bool {
    let asked = input.is_some_and(|input| {
        input.contains("run_in_background")
            && serde_json::from_str::<serde_json::Value>(input)
                .is_ok_and(|input| input["run_in_background"] == true)
    });
    let mut left_behind = command.match_indices('&').filter(|(at, _)| {
        let around = [
            at.checked_sub(1).and_then(|at| command.as_bytes().get(at)),
            command.as_bytes().get(at + 1),
        ];
        !around
            .into_iter()
            .flatten()
            .any(|byte| b"&>".contains(byte))
    });
    asked || left_behind.next().is_some()
}

/// Whether the command's text names a file, or a directory above it. `file` is relative to `top`,
/// words that are not absolute may be relative to any directory in it.
pub(super) fn names(command: &str, top: &str, file: &Path) -> bool {
    let Some(file) = file.to_str() else {
        return false;
    };
    command
        .split(|c: char| c.is_whitespace() || "'\"`=<>|&;(){},:".contains(c))
        .map(|word| {
            let below = word.strip_prefix(top).unwrap_or(word);
            below.trim_start_matches("./").trim_matches('/')
        })
        // A single letter and `..` name too much.
        .filter(|word| word.len() > 1 && *word != "..")
        .any(|word| is_of(word, file))
}

fn is_of(word: &str, file: &str) -> bool {
    let word = word.trim_start_matches("../");
    let ends_with = |path: &str| {
        path.strip_suffix(word)
            .is_some_and(|before| before.is_empty() || before.ends_with('/'))
    };
    if word.contains('*') {
        let name = file.rsplit('/').next().unwrap_or(file);
        return fits(word.rsplit('/').next().unwrap_or(word), name);
    }
    ends_with(file)
        || Path::new(file)
            .ancestors()
            .skip(1)
            .filter_map(Path::to_str)
            .any(|directory| !directory.is_empty() && ends_with(directory))
}

/// A pattern of literal parts with `*` between them; one that is nothing but stars fits nothing.
fn fits(pattern: &str, name: &str) -> bool {
    let parts: Vec<&str> = pattern.split('*').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return false;
    };
    if parts.iter().all(|part| part.is_empty()) || name.len() < first.len() + last.len() {
        return false;
    }
    let Some(mut rest) = name
        .strip_prefix(first)
        .and_then(|it| it.strip_suffix(last))
    else {
        return false;
    };
    parts[1..parts.len() - 1].iter().all(|part| {
        let found = rest.find(part);
        if let Some(at) = found {
            rest = &rest[at + part.len()..];
        }
        found.is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_surely_only_reads_is_known() {
        for command in [
            "ls -la",
            "cat a.txt | grep -n 'x; y' | head -3",
            "cd src && wc -l *.rs 2>/dev/null",
            "sleep 5; echo done 2>&1",
        ] {
            let quoted = command.contains('\'');
            assert_eq!(only_reads(command), !quoted, "{command}");
        }
        for command in [
            "echo x > a",
            "cat <<EOF\nx\nEOF",
            "ls | tee a",
            "X=1 ls",
            "echo $(rm a)",
            "sed -i s/a/b/ a",
            "grep x a | xargs rm",
            "sort -o a a",
            "env rm a",
            "cat a|(rm a)",
            "echo `rm a`",
            "ls\nrm a",
            "if true; then rm a; fi",
        ] {
            assert!(!only_reads(command), "{command}");
        }
    }

    #[test]
    fn what_goes_on_behind_is_seen() {
        assert!(goes_on("npm run dev &", None));
        assert!(goes_on("(a & b)", None));
        assert!(!goes_on("a && b 2>&1 &>/dev/null", None));
        assert!(goes_on(
            "make",
            Some(r#"{"command":"make","run_in_background":true}"#)
        ));
        assert!(!goes_on(
            "make",
            Some(r#"{"command":"make","run_in_background":false}"#)
        ));
    }

    #[test]
    fn a_file_is_named_by_its_path_its_name_its_directory_or_a_pattern() {
        let named = |command| names(command, "/w/shop", Path::new("src/api/auth.ts"));
        for command in [
            "sed -i s/a/b/ src/api/auth.ts",
            "cd src/api && rm ./auth.ts",
            "cat > 'auth.ts' <<EOF",
            "rm -r src/api",
            "prettier --write src/",
            "mv /w/shop/src/api /elsewhere",
            "sed -i x api/*.ts",
            "x ../api/auth.ts",
        ] {
            assert!(named(command), "{command}");
        }
        for command in [
            "make fmt",
            "rm oauth.ts",
            "sed -i x .",
            "sed -i x *",
            "sed -i x *.rs",
            "rm -r src/ap",
            "cargo test",
        ] {
            assert!(!named(command), "{command}");
        }
    }
}
