//! Names: what comes from outside becomes part of one only after it was made harmless.

use std::path::Path;

use kite_undo::Hash;

/// Longest part of a branch's name that comes from what it is for.
const SLUG_CHARS_MAX: usize = 40;

/// Longest name of something to begin with.
const BASE_CHARS_MAX: usize = 250;

/// A few words as a part of a branch's name: `Add OAuth login!` is `add-oauth-login`.
pub(crate) fn slug(about: &str) -> String {
    let mut slug = String::new();
    for c in about.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() > SLUG_CHARS_MAX {
            break;
        }
    }
    if slug.len() > SLUG_CHARS_MAX {
        // Whole words, where there are several.
        let end = slug[..=SLUG_CHARS_MAX].rfind('-');
        slug.truncate(end.unwrap_or(SLUG_CHARS_MAX));
    }
    let slug = slug.trim_end_matches('-');
    match slug {
        "" => "work".to_owned(),
        slug => slug.to_owned(),
    }
}

/// The directory of a repository's worktrees: its name for people, and a hash that tells it from
/// others of that name.
pub(crate) fn project(common_dir: &Path) -> String {
    let named = match common_dir.file_name() {
        Some(name) if name == ".git" => common_dir.parent().and_then(Path::file_name),
        other => other,
    };
    let name = named.map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let hash = Hash::of(common_dir.as_os_str().as_encoded_bytes()).to_string();
    format!("{}-{}", slug(&name), &hash[..8])
}

/// Why a name from outside is not asked of git at all.
pub(crate) fn refuse_base(name: &str) -> Option<&'static str> {
    let starts_well = name.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    if !starts_well {
        Some("it does not begin with a letter or a digit")
    } else if name.chars().count() > BASE_CHARS_MAX {
        Some("it is longer than 250 characters")
    } else if name.contains("..") || name.contains("@{") {
        Some("a range or a place in the past is no name")
    } else if name.contains(|c: char| c.is_control() || " :?*[\\".contains(c)) {
        Some("it holds a character that no name has")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{project, refuse_base, slug};

    #[test]
    fn a_branch_is_named_by_harmless_words() {
        for (about, name) in [
            ("Add OAuth login!", "add-oauth-login"),
            ("-x", "x"),
            ("--output=/etc/passwd", "output-etc-passwd"),
            ("@{-1}", "1"),
            ("refs/heads/x", "refs-heads-x"),
            ("$(id); `id`\n\0", "id-id"),
            ("x.lock", "x-lock"),
            ("Überlänge", "berl-nge"),
            ("", "work"),
            ("¡¿!", "work"),
        ] {
            assert_eq!(slug(about), name, "{about:?}");
        }
        assert_eq!(slug(&"a".repeat(300)), "a".repeat(40));
        assert_eq!(
            slug("Refactor the database layer so that every query is typed"),
            "refactor-the-database-layer-so-that"
        );
    }

    #[test]
    fn what_is_no_name_is_never_asked_of_git() {
        let long = "x".repeat(300);
        for name in [
            "",
            "-x",
            "--output=f",
            "@{-1}",
            "@",
            "a..b",
            "main@{1}",
            "^x",
            "a b",
            "a\nb",
            "a:b",
            &long,
        ] {
            assert!(refuse_base(name).is_some(), "{name:?}");
        }
        for name in [
            "main",
            "HEAD",
            "HEAD~3",
            "v1.0",
            "origin/main",
            "refs/heads/x",
            "1a2b3c4",
        ] {
            assert_eq!(refuse_base(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_project_is_named_after_its_directory() {
        let shop = project(Path::new("/work/My Shop/.git"));
        assert!(shop.starts_with("my-shop-"), "{shop}");
        assert_ne!(shop, project(Path::new("/other/My Shop/.git")));
        assert!(project(Path::new("/srv/shop.git")).starts_with("shop-git-"));
    }
}
