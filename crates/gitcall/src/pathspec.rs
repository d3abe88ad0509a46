//! Which files the paths of a command mean.

/// The paths of a command, as git matches them.
#[derive(Debug)]
pub(crate) struct Pathspecs {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    /// Everything was understood.
    pub(crate) understood: bool,
}

#[derive(Debug)]
struct Pattern {
    /// Relative to the top, without a slash at the end; empty is everything.
    path: String,
    glob: bool,
    /// A slash stood at its end: it means a directory.
    directory: bool,
}

impl Pathspecs {
    /// `here` is where the command runs, relative to the top; `None` if that is unknown. No words
    /// mean everything.
    pub(crate) fn new(words: &[&str], here: Option<&str>) -> Pathspecs {
        let mut specs = Pathspecs {
            include: Vec::new(),
            exclude: Vec::new(),
            understood: true,
        };
        for word in words {
            match parse(word, here) {
                Some((pattern, true)) => specs.exclude.push(pattern),
                Some((pattern, false)) => specs.include.push(pattern),
                None => specs.understood = false,
            }
        }
        if specs.include.is_empty() && !specs.exclude.is_empty() {
            // git takes the top or the current directory, by the command: the same at the top.
            specs.understood &= here == Some("");
        }
        specs
    }

    pub(crate) fn covers(&self, path: &str) -> bool {
        (self.include.is_empty() || self.include.iter().any(|pattern| pattern.covers(path)))
            && !self.exclude.iter().any(|pattern| pattern.covers(path))
    }

    /// Whether each path matches one of `paths`: one that matches nothing makes most commands
    /// refuse altogether.
    pub(crate) fn each_found<'p>(&self, paths: impl Iterator<Item = &'p str> + Clone) -> bool {
        self.include.iter().all(|pattern| {
            pattern.path.is_empty() || paths.clone().any(|path| pattern.covers(path))
        })
    }

    /// Some path means a directory, not exactly one of `paths`.
    pub(crate) fn any_directory<'p>(&self, paths: impl Iterator<Item = &'p str> + Clone) -> bool {
        let exact = |pattern: &Pattern| paths.clone().any(|path| path == pattern.path);
        self.include
            .iter()
            .any(|pattern| !pattern.glob && !exact(pattern))
    }
}

impl Pattern {
    fn covers(&self, path: &str) -> bool {
        if self.path.is_empty() {
            return true;
        }
        if self.glob {
            return wildcard(self.path.as_bytes(), path.as_bytes());
        }
        match path.strip_prefix(&self.path) {
            Some("") => !self.directory,
            Some(rest) => rest.starts_with('/'),
            None => false,
        }
    }
}

/// The pattern of one word, and whether it excludes; `None` if it is not understood.
fn parse(word: &str, here: Option<&str>) -> Option<(Pattern, bool)> {
    let (mut top, mut exclude, mut literal) = (false, false, false);
    let mut path = word;
    if let Some(magic) = word.strip_prefix(":(") {
        let (names, rest) = magic.split_once(')')?;
        for name in names.split(',') {
            match name {
                "top" => top = true,
                "exclude" => exclude = true,
                "literal" => literal = true,
                _ => return None,
            }
        }
        path = rest;
    } else if let Some(magic) = word.strip_prefix(':') {
        let length = magic
            .bytes()
            .take_while(|byte| b"/!^".contains(byte))
            .count();
        top = magic[..length].contains('/');
        exclude = magic[..length].contains(['!', '^']);
        path = magic[length..]
            .strip_prefix(':')
            .unwrap_or(&magic[length..]);
        let more_magic = path.starts_with(|letter: char| letter.is_ascii_punctuation());
        if length == 0 || (more_magic && !path.starts_with(['.', '_', '-', '*', '?'])) {
            return None;
        }
    } else if word.is_empty() {
        return None;
    }
    if path.starts_with('/') || path.contains('\\') {
        return None;
    }
    let glob = !literal && path.contains(['*', '?']);
    if !literal && path.contains('[') {
        return None;
    }
    let from = if top { "" } else { here? };
    Some((
        Pattern {
            path: resolve(from, path)?,
            glob,
            directory: path.ends_with('/'),
        },
        exclude,
    ))
}

/// `path` seen from `from`, both below the top, with `.` and `..` taken out. `None` if it leads
/// outside.
pub(crate) fn resolve(from: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// `path`, below the top, as written from `here`.
pub(crate) fn relative(here: &str, path: &str) -> String {
    let mut here: Vec<&str> = here.split('/').filter(|part| !part.is_empty()).collect();
    let mut parts: Vec<&str> = path.split('/').collect();
    while !here.is_empty() && parts.len() > 1 && here[0] == parts[0] {
        here.remove(0);
        parts.remove(0);
    }
    let up = "../".repeat(here.len());
    format!("{up}{}", parts.join("/"))
}

/// `*` stands for any text, slashes too, and `?` for one byte. Time is bounded by the product of
/// the lengths.
fn wildcard(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut to) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while to < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, to));
                at += 1;
            }
            Some(b'?') => (at, to) = (at + 1, to + 1),
            Some(byte) if *byte == text[to] => (at, to) = (at + 1, to + 1),
            _ => {
                let Some((after, from)) = star else {
                    return false;
                };
                star = Some((after, from + 1));
                (at, to) = (after + 1, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::{Pathspecs, relative};

    fn covers(words: &[&str], here: &str, path: &str) -> bool {
        let specs = Pathspecs::new(words, Some(here));
        specs.understood && specs.covers(path)
    }

    #[test]
    fn paths_mean_what_git_takes_them_for() {
        assert!(covers(&[], "", "a"));
        assert!(covers(&["."], "", "a/b"));
        assert!(covers(&["."], "src", "src/b") && !covers(&["."], "src", "a"));
        assert!(covers(&["src"], "", "src/b") && !covers(&["src"], "", "srcs"));
        assert!(covers(&["../a"], "src", "a"));
        assert!(covers(&[":/"], "src", "a") && covers(&[":/a"], "src", "a"));
        assert!(covers(&[":(top)"], "src", "a"));
        assert!(covers(&[".", ":!a"], "", "b") && !covers(&[".", ":!a"], "", "a"));
        assert!(covers(&["*.rs"], "", "src/b.rs") && !covers(&["*.rs"], "", "b.r"));
        assert!(!Pathspecs::new(&[":(icase)a"], Some("")).understood);
        assert!(!Pathspecs::new(&["/abs"], Some("")).understood);
        assert!(!Pathspecs::new(&["../.."], Some("src")).understood);
    }

    #[test]
    fn a_path_is_written_from_where_one_is() {
        assert_eq!(relative("", "a/b"), "a/b");
        assert_eq!(relative("a", "a/b"), "b");
        assert_eq!(relative("a/c", "a/b"), "../b");
        assert_eq!(relative("a/b", "a"), "../../a");
    }
}
