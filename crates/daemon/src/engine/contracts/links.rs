//! Whether a name in one file has anything to do with another file that exports it.
//!
//! A wrong refusal costs more than a missing one: the note about the change is told in any case.

use std::path::Path;

use kite_contracts::{Language, Name, Subject, mentions};

/// Begin a line that imports.
const IMPORTING: &[&str] = &["import", "from", "use", "mod"];
/// Stand before a table, where SQL is written as such in a string.
const BEFORE_TABLE: &[&str] = &["FROM", "JOIN", "INTO", "UPDATE", "TABLE", "REFERENCES"];
/// Files that are imported by the name of their directory.
const INDEX_STEMS: &[&str] = &["index", "mod", "lib", "__init__"];

/// An edit of a file, with what makes a name in it more than a word.
pub(super) struct Edit<'a> {
    pub(super) path: &'a Path,
    /// What it puts into the file.
    pub(super) new: &'a str,
    /// What the file holds.
    pub(super) around: &'a str,
}

impl Edit<'_> {
    /// Whether this name, which the new text mentions, is the one that the changed file exports.
    ///
    /// A member's needs its owner or the file beside it. A route must be quoted, a table used as one.
    /// Everything else is used in the languages of its file only, and by who imports it or lies in
    /// the same package.
    pub(super) fn uses(&self, name: &Name, changed: &Path) -> bool {
        let word = name.name.as_str();
        if let Some(of) = &name.owner {
            let stem = changed.file_stem().unwrap_or_default().to_string_lossy();
            let links = [of.as_str(), stem.as_ref()];
            return self.texts().iter().any(|it| mentions(it, links).is_some());
        }
        if word.starts_with('/') {
            return stands(self.new, word, |before, _| before.ends_with(QUOTES));
        }
        let family = family(changed);
        if family == Some(Language::Sql) {
            let is_sql = family == self::family(self.path);
            return is_sql || stands(self.new, word, is_table);
        }
        family.is_some()
            && family == self::family(self.path)
            && (self.is_of_package(changed, family) || self.imports(changed))
    }

    fn texts(&self) -> [&str; 2] {
        [self.new, self.around]
    }

    /// In the same directory, where that is enough to use each other's names.
    fn is_of_package(&self, changed: &Path, family: Option<Language>) -> bool {
        let shares = [Language::Go, Language::Java, Language::Rust];
        family.is_some_and(|it| shares.contains(&it)) && self.path.parent() == changed.parent()
    }

    fn imports(&self, changed: &Path) -> bool {
        module(changed).is_some_and(|module| self.texts().iter().any(|it| is_imported(it, &module)))
    }
}

const QUOTES: [char; 3] = ['"', '\'', '`'];

/// What stands for all languages whose files import each other.
fn family(path: &Path) -> Option<Language> {
    match Subject::of(&path.to_string_lossy())? {
        Subject::Language(Language::TypeScript) => Some(Language::Tsx),
        Subject::Language(language) => Some(language),
        Subject::Declarations => match path.extension()?.to_str()? {
            "vue" | "svelte" => Some(Language::Tsx),
            "kt" | "kts" | "scala" | "groovy" => Some(Language::Java),
            _ => None,
        },
        Subject::Settings => None,
    }
}

/// How imports call a file.
fn module(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    if !INDEX_STEMS.contains(&stem) && family(path) != Some(Language::Go) {
        return Some(stem.to_owned());
    }
    let named = path.ancestors().skip(1).filter_map(Path::file_name);
    let name = named
        .map(|it| it.to_string_lossy())
        .find(|it| it != "src")?;
    Some(match family(path) {
        Some(Language::Rust) => name.replace('-', "_"),
        _ => name.into_owned(),
    })
}

/// On a line that imports, as the end of a path (`"./schema"`), or before `::`.
fn is_imported(text: &str, module: &str) -> bool {
    let in_path = |before: &str, after: &str| before.ends_with('/') || after.starts_with("::");
    stands(text, module, in_path)
        || text.lines().any(|line| {
            let first = line.split_whitespace().next().unwrap_or_default();
            IMPORTING.contains(&first) && mentions(line, [module]).is_some()
        })
}

/// Quoted whole, or after a word of SQL.
fn is_table(before: &str, after: &str) -> bool {
    let open = before.trim_end_matches(QUOTES);
    let quoted = open.len() < before.len() && after.starts_with(QUOTES);
    let word = open.split_whitespace().next_back().unwrap_or_default();
    let word = word.trim_start_matches(QUOTES);
    quoted || (BEFORE_TABLE.contains(&word) && open.ends_with(char::is_whitespace))
}

/// Whether the word stands somewhere as itself, between what `fits`.
fn stands(text: &str, word: &str, fits: impl Fn(&str, &str) -> bool) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + word.len()..]);
        !before.ends_with(is_part) && !after.starts_with(is_part) && fits(before, after)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(edited: &str, new: &str, changed: &str, name: &str) -> bool {
        let name = Name {
            name: name.to_owned(),
            owner: None,
        };
        let edit = Edit {
            path: Path::new(edited),
            new,
            around: "",
        };
        edit.uses(&name, Path::new(changed))
    }

    #[test]
    fn an_import_links() {
        for (edited, new, changed) in [
            ("a/b.ts", "} from '../run';", "run.ts"),
            ("a.vue", "import run from './run'", "run.js"),
            ("a.js", "const { run } = require(\"./run.js\");", "run.ts"),
            (
                "a.ts",
                "import { run } from \"@shop/db\";",
                "db/src/index.ts",
            ),
            ("a/b.py", "from shop.run import run", "shop/run.py"),
            ("a/b.py", "import shop; shop.run()", "shop/__init__.py"),
            ("a/b.rs", "use crate::run::run;", "src/run.rs"),
            ("a/b.rs", "    run::{run, walk},", "src/run.rs"),
            ("a/b.rs", "use shop_db::run;", "shop-db/src/lib.rs"),
            ("src/a.rs", "use super::run;", "src/run.rs"),
            (
                "a/b.go",
                "import \"shop/jobs\"\njobs.run()",
                "shop/jobs/all.go",
            ),
            ("b/A.kt", "import shop.run", "shop/run.java"),
        ] {
            assert!(uses(edited, new, changed, "run"), "{edited}: {new}");
        }
    }

    #[test]
    fn a_word_alone_does_not() {
        for (edited, new, changed) in [
            ("a/b.py", "def run(): self.run()", "run.py"),
            ("a/b.py", "# run the run", "run.go"),
            ("a.py", "import run", "run.go"),
            ("a/b.ts", "export function run() {} // run", "run.ts"),
            ("a/b.rs", "pub fn run() { x.run() }", "src/run.rs"),
            ("a.json", "{\"run\": \"./run\"}", "run.ts"),
            ("a.c", "#include \"run.h\"", "run.h"),
        ] {
            assert!(!uses(edited, new, changed, "run"), "{edited}: {new}");
        }
    }

    #[test]
    fn tables_and_routes_are_used_as_such_in_any_language() {
        for (new, is_used) in [
            ("db.all(\"SELECT * FROM users\")", true),
            ("INSERT INTO \"users\" VALUES", true),
            ("table('users')", true),
            ("from users import all", false),
            ("users = [] # UPDATES users", false),
        ] {
            assert_eq!(uses("a.py", new, "all.sql", "users"), is_used, "{new}");
        }
        assert!(uses("b.sql", "select users()", "a.sql", "users"));
        assert!(uses("a.py", "get(\"/users\")", "api.ts", "/users"));
        assert!(!uses("a.ts", "from './users'", "api.ts", "/users"));
    }
}
