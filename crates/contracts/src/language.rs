//! What a file is, by its name.

use std::path::Path;

/// A language whose declarations are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    Rust,
    TypeScript,
    /// TypeScript with JSX, and JavaScript, of which it is a superset.
    Tsx,
    Python,
    Go,
    Java,
    Sql,
}

/// What is looked at in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Its exports.
    Language(Language),
    /// Source in a language that is not known here: changed lines that look like declarations.
    Declarations,
    /// A schema or settings, of which others use any line.
    Settings,
}

/// Source whose declarations are told from bodies by the look of their lines only.
const DECLARATIONS: &[&str] = &[
    "c", "h", "cc", "cpp", "cxx", "hpp", "hh", "hxx", "m", "mm", "cs", "fs", "vb", "rb", "php",
    "swift", "kt", "kts", "scala", "groovy", "dart", "ex", "exs", "erl", "hrl", "hs", "ml", "mli",
    "clj", "cljs", "lua", "pl", "pm", "r", "jl", "zig", "nim", "vue", "svelte", "sol",
];

/// Schemas and settings.
const SETTINGS: &[&str] = &[
    "proto",
    "graphql",
    "gql",
    "prisma",
    "thrift",
    "avsc",
    "xsd",
    "wsdl",
    "toml",
    "yaml",
    "yml",
    "json",
    "jsonc",
    "json5",
    "ini",
    "conf",
    "cfg",
    "properties",
    "tf",
    "hcl",
    "cmake",
    "gradle",
];

/// Names of files without a telling extension.
const SETTINGS_NAMES: &[&str] = &[
    "Makefile",
    "Dockerfile",
    "Justfile",
    "justfile",
    "Jenkinsfile",
];

/// Written by tools: what changed in them, somebody changed elsewhere.
const GENERATED: &[&str] = &[
    "package-lock.json",
    "npm-shrinkwrap.json",
    "pnpm-lock.yaml",
    "composer.lock",
    "packages.lock.json",
];

impl Subject {
    /// What is looked at in the file at `path`; `None` for prose (Markdown, text), data, images,
    /// lock files, and whatever is not known.
    #[must_use]
    pub fn of(path: &str) -> Option<Subject> {
        let path = Path::new(path);
        let name = path.file_name()?.to_str()?;
        if GENERATED.contains(&name) || name.contains(".min.") {
            return None;
        }
        if SETTINGS_NAMES.contains(&name) {
            return Some(Subject::Settings);
        }
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        let known = match extension.as_str() {
            "rs" => Language::Rust,
            "ts" | "mts" | "cts" => Language::TypeScript,
            "tsx" | "js" | "jsx" | "mjs" | "cjs" => Language::Tsx,
            "py" | "pyi" => Language::Python,
            "go" => Language::Go,
            "java" => Language::Java,
            "sql" | "ddl" | "pgsql" => Language::Sql,
            other if DECLARATIONS.contains(&other) => return Some(Subject::Declarations),
            other if SETTINGS.contains(&other) => return Some(Subject::Settings),
            _ => return None,
        };
        Some(Subject::Language(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_name_says() {
        let language = |path| match Subject::of(path) {
            Some(Subject::Language(language)) => Some(language),
            _ => None,
        };
        assert_eq!(language("src/a.rs"), Some(Language::Rust));
        assert_eq!(language("/p/Schema.TS"), Some(Language::TypeScript));
        assert_eq!(language("a.mjs"), Some(Language::Tsx));
        assert_eq!(Subject::of("api/user.proto"), Some(Subject::Settings));
        assert_eq!(Subject::of("Makefile"), Some(Subject::Settings));
        assert_eq!(Subject::of("lib/user.rb"), Some(Subject::Declarations));
    }

    #[test]
    fn prose_data_and_generated_files_are_not_looked_at() {
        for path in [
            "README.md",
            "notes.txt",
            "a.csv",
            "logo.svg",
            "Cargo.lock",
            "yarn.lock",
            "package-lock.json",
            "app.min.js",
            "LICENSE",
            ".env",
            "",
        ] {
            assert_eq!(Subject::of(path), None, "{path}");
        }
    }
}
