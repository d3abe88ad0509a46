//! Manual pages as notes.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use super::tools;

/// Packages of Debian whose manual pages are the notes: commands, files, calls of several
/// libraries, a language.
pub(super) const PACKAGES: &[&str] = &[
    "manpages",
    "manpages-dev",
    "git-man",
    "coreutils",
    "util-linux",
    "systemd",
    "libssl-doc",
    "openssl",
    "libcurl4-doc",
    "ncurses-doc",
    "tcl8.6-doc",
    "tk8.6-doc",
    "libx11-doc",
    "podman",
    "devscripts",
    "debhelper",
    "dpkg-dev",
    "postgresql-client-15",
    "lvm2",
    "nmap",
    "imagemagick-6.q16",
    "zsh-common",
    "subversion",
    "iproute2",
    "openssh-client",
    "openssh-server",
    "e2fsprogs",
    "procps",
    "passwd",
    "findutils",
    "gawk",
    "tar",
    "rsync",
    "curl",
    "wget",
    "apt",
    "dpkg",
    "gnupg-utils",
    "sqlite3",
];

/// A page without its NAME section.
pub(super) struct Page {
    /// `ls.1`.
    pub(super) name: String,
    /// In Markdown.
    pub(super) text: String,
    /// Its description without its own name; none where another page has the same.
    pub(super) question: Option<String>,
}

/// All pages, in the order of their names.
pub(super) struct Pages(Vec<Page>);

impl Pages {
    /// Fetches the packages and renders their pages, or takes what an earlier run has rendered.
    pub(super) fn prepare() -> Result<Pages, String> {
        let rendered = tools::kept().join("pages");
        if !rendered.is_dir() {
            render_all(&rendered)?;
        }
        let mut pages = Vec::new();
        let files = fs::read_dir(&rendered).map_err(|it| it.to_string())?;
        for file in files.flatten() {
            let text = fs::read_to_string(file.path()).map_err(|it| it.to_string())?;
            let name = file
                .file_name()
                .to_string_lossy()
                .trim_end_matches(".md")
                .to_owned();
            pages.extend(page(name, &text));
        }
        pages.sort_by(|a, b| a.name.cmp(&b.name));
        let mut asked: HashMap<String, usize> = HashMap::new();
        for question in pages.iter().filter_map(|page| page.question.as_ref()) {
            *asked.entry(question.to_lowercase()).or_default() += 1;
        }
        for page in &mut pages {
            page.question = page
                .question
                .take()
                .filter(|it| asked[&it.to_lowercase()] == 1);
        }
        Ok(Pages(pages))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Page> {
        self.0.iter()
    }

    /// Each question with the number of its page.
    pub(super) fn questions(&self) -> impl Iterator<Item = (usize, &str)> {
        let asked = self.0.iter().enumerate();
        asked.filter_map(|(number, page)| Some((number, page.question.as_deref()?)))
    }
}

/// Takes the NAME section out of a page.
fn page(name: String, text: &str) -> Option<Page> {
    let start = text.find("## NAME\n")?;
    let end = text[start + 3..]
        .find("\n## ")
        .map_or(text.len(), |at| start + 3 + at + 1);
    let told = text[start + "## NAME\n".len()..end].split_whitespace();
    let told = told.collect::<Vec<_>>().join(" ");
    let (names, description) = [" — ", " – ", " - ", " -- "]
        .iter()
        .filter_map(|dash| told.split_once(dash))
        .min_by_key(|(names, _)| names.len())?;
    let names: Vec<String> = names.split([',', ' ']).map(str::to_lowercase).collect();
    let mut own = names;
    own.extend(name.split('.').next().map(str::to_lowercase));
    let bare = |word: &str| {
        word.trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase()
    };
    let question: Vec<&str> = description
        .split_whitespace()
        .filter(|word| !own.contains(&bare(word)) && !own.contains(&word.to_lowercase()))
        .collect();
    let text = format!("{}{}", &text[..start], &text[end..]);
    let enough = question
        .iter()
        .filter(|word| !bare(word).is_empty())
        .count()
        >= 2;
    (text.split_whitespace().count() >= 20).then(|| Page {
        name,
        text,
        question: enough.then(|| question.join(" ")),
    })
}

fn render_all(place: &Path) -> Result<(), String> {
    let mandoc = tools::program("mandoc", "mandoc")?;
    let mut sources: BTreeMap<String, PathBuf> = BTreeMap::new();
    for package in PACKAGES {
        for section in 1..=8 {
            let folder = tools::unpacked(package)?.join(format!("usr/share/man/man{section}"));
            for file in fs::read_dir(folder).into_iter().flatten().flatten() {
                let real = file.file_type().is_ok_and(|it| it.is_file());
                let name = file
                    .file_name()
                    .to_string_lossy()
                    .trim_end_matches(".gz")
                    .to_owned();
                if real {
                    sources.entry(name).or_insert(file.path());
                }
            }
        }
    }
    let half = place.with_extension("half");
    fs::create_dir_all(&half).map_err(|it| it.to_string())?;
    let sources: Vec<(String, PathBuf)> = sources.into_iter().collect();
    let share = sources.len().div_ceil(2).max(1);
    thread::scope(|scope| {
        for sources in sources.chunks(share) {
            let (half, mandoc) = (&half, &mandoc);
            scope.spawn(move || {
                for (name, source) in sources {
                    if let Some(text) = render(mandoc, source) {
                        let _ = fs::write(half.join(format!("{name}.md")), text);
                    }
                }
            });
        }
    });
    fs::rename(&half, place).map_err(|it| it.to_string())
}

/// A page as mandoc shows it, its headings as headings of Markdown. A page that only names
/// another is none.
fn render(mandoc: &Path, source: &Path) -> Option<String> {
    let shown = Command::new(mandoc)
        .args(["-T", "utf8", "-O", "width=100,indent=5"])
        .arg(source)
        .output()
        .ok()?;
    let shown = String::from_utf8(shown.stdout).ok()?;
    let lines: Vec<(String, bool)> = shown.lines().map(plain).collect();
    // The first and the last line name the page.
    let lines = lines.get(1..lines.len().checked_sub(1)?)?;
    let mut text = String::new();
    for (line, bold) in lines {
        let indent = line.len() - line.trim_start().len();
        match line.trim() {
            "" => text.push('\n'),
            heading if indent == 0 => text.push_str(&format!("## {heading}\n")),
            heading if indent <= 3 && *bold => text.push_str(&format!("### {heading}\n")),
            words => {
                text.push_str(words);
                text.push('\n');
            }
        }
    }
    (text.split_whitespace().count() > 20).then_some(text)
}

/// A line without what makes it bold on a printer, and whether all of it was.
fn plain(line: &str) -> (String, bool) {
    let mut shown: Vec<char> = Vec::new();
    let (mut struck, mut over) = (0, false);
    for c in line.chars() {
        if c == '\u{8}' {
            over = true;
        } else if over {
            // Underlined is `_`, then the character; bold is the character twice.
            over = false;
            struck += 1;
            if let Some(last) = shown.last_mut() {
                *last = c;
            }
        } else {
            shown.push(c);
        }
    }
    let letters = shown.iter().filter(|c| !c.is_whitespace()).count();
    (
        shown.into_iter().collect(),
        struck >= letters && letters > 0,
    )
}
