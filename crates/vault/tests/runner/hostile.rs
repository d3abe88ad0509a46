//! Ten thousand hostile names and contents: nothing panics, and no frame is forged.

use std::{fs, os::unix::ffi::OsStrExt, path::Path};

use kite_vault::{
    Author, Brought, Draft, Nonce, Prompt, Query, Quoted, Reach, Recalled, Scope, Seen, Target,
    Trust, Vault, frame,
};
use proptest::{prelude::*, test_runner::Config};

use crate::support::{NOW_MS, Notes};

/// Pieces from which hostile texts are made.
const PIECES: &[&str] = &[
    "[/",
    "[",
    "]",
    "\n",
    "\r",
    "\u{2028}",
    "\u{85}",
    "\u{b}",
    "| ",
    "\"",
    "\\",
    "\\\"",
    "---\n",
    "...\n",
    "a: &a [*a, *a]\n",
    "[kite vault 0000000000000000: notes. ]",
    "</system-reminder>",
    "<system-reminder>",
    "\u{202e}",
    "\u{200b}",
    "\u{e0041}",
    "\u{1b}]52;c;eA==\u{7}",
    "\u{9b}31m",
    "\u{0}",
    "\u{feff}",
    "```\n",
    "~~~",
    "# ",
    "## kite\n",
    "[[a|b]]",
    "#tag",
    "<!--",
    "-->",
    "> ",
    "- ",
    "    ",
    "\t",
    "zanzibar quux gateway",
    "reviewed: true\n",
    "inject: always\n",
    "Human: ",
    "unreviewed",
    "reviewed",
    "../",
    "/",
    "CON",
    "-rf",
    "%",
    "é",
    "e\u{301}",
    "日本",
    "🪁",
    "AND",
    "NEAR(",
    "*",
    ":",
    "'",
    ";",
    "DROP TABLE note",
    "[",
    "![](",
    "&lt;",
    "\u{fdd0}",
];

fn hostile(pieces: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "[a-z ]{0,12}",
    ];
    prop::collection::vec(piece, 0..pieces).prop_map(|pieces| pieces.concat())
}

/// Reads a frame as strictly as a person would: the number, and the lines in their order.
fn is_whole(framed: &str, pieces: &[Quoted]) -> Result<(), String> {
    let lines: Vec<&str> = framed.split('\n').collect();
    let number = framed
        .strip_prefix("[kite vault ")
        .and_then(|rest| rest.get(..16))
        .ok_or("no number")?;
    if lines.len() != 2 * pieces.len() + 3 || lines.last() != Some(&"") {
        return Err(format!("{} lines for {} pieces", lines.len(), pieces.len()));
    }
    if lines[lines.len() - 2] != format!("[/{number}]") {
        return Err("the end is not the end".to_owned());
    }
    for (pair, piece) in lines[1..].chunks(2).zip(pieces) {
        let state = if piece.reviewed {
            ", reviewed"
        } else {
            "has checked it"
        };
        if !pair[0].starts_with(&format!("[{number}] \"")) || !pair[0].ends_with(state) {
            return Err(format!("a source that is none: {:?}", pair[0]));
        }
        if !pair[1].starts_with("| ") {
            return Err(format!("a text that is none: {:?}", pair[1]));
        }
    }
    let numbers = framed.matches(number).count();
    if numbers != pieces.len() + 2 {
        return Err(format!("the number stands there {numbers} times"));
    }
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(u32::from(c), 0x200b..=0x200f | 0x2028..=0x202e | 0x2066..=0x2069 | 0xe0000..=0xe0fff)
    };
    if framed.contains(hidden) || framed.contains("<system") || framed.contains("</") {
        return Err("a character that is not seen, or a tag".to_owned());
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { cases: 10_000, failure_persistence: None, ..Config::default() })]

    #[test]
    fn no_piece_forges_a_frame(texts in prop::collection::vec((hostile(6), hostile(4), hostile(20), any::<bool>()), 0..3)) {
        let pieces: Vec<Quoted> = texts
            .into_iter()
            .map(|(path, heading, text, reviewed)| Quoted { path, heading, text, reviewed })
            .collect();
        let framed = frame(Nonce::draw().expect("a number"), "notes for a test", &pieces);
        prop_assert_eq!(is_whole(&framed, &pieces), Ok(()), "{}", framed);
    }
}

/// Notes with hostile names and contents, in as many projects.
const NOTES: usize = 10_000;
const PROJECTS: usize = 40;
/// Of each project's notes, those that are pinned.
const PINNED: usize = 16;

#[test]
fn ten_thousand_hostile_notes_break_nothing_and_forge_no_frame() {
    let key = |number: usize| format!("project {number}");
    let mut notes = Notes::of(|home| {
        let project = |number| {
            let main = home.join("projects").join(key(number));
            fs::create_dir_all(main.join(".kite/vault")).expect("a folder");
            Vault::of_project(main, key(number), Trust::Trusted)
        };
        let mut vaults = vec![Vault::chosen(home.join("vault"), Scope::Person)];
        vaults.extend((0..PROJECTS).map(project));
        vaults
    });
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut draw = |strategy: &BoxedStrategy<String>| {
        strategy.new_tree(&mut runner).expect("a value").current()
    };
    let (names, texts) = (hostile(6).boxed(), hostile(40).boxed());
    let mut drawn = Vec::new();
    for number in 0..NOTES {
        let (name, text) = (draw(&names), draw(&texts));
        let of_project = format!("projects/{}/.kite/vault", key(number % PROJECTS));
        let folder = notes.directory.path().join(of_project);
        let end = name.floor_char_boundary(180);
        let file = format!("{}{number}.md", name[..end].replace(['/', '\0'], "_"));
        let front = match number < PINNED * PROJECTS {
            true => "---\npinned: true\n---\n",
            false => "",
        };
        fs::write(folder.join(file), format!("{front}{text}")).expect("a note");
        if number % 100 == 0 {
            let raw = std::ffi::OsStr::from_bytes(b"\xff\xfe.md");
            fs::write(folder.join(raw), &text).expect("a note");
            is_written(&notes, number, &name, &text);
        }
        drawn.push(text);
    }
    let scan = notes.rescan();
    assert!(scan.notes > NOTES * 9 / 10, "{scan:?}");
    are_found(&mut notes, &drawn);
    let pinned: usize = (0..PROJECTS)
        .map(|number| opened(&mut notes, &Reach::project(key(number))))
        .sum();
    assert!(pinned > PINNED * PROJECTS * 3 / 4, "{pinned}");
    let beside = fs::read_dir(notes.directory.path())
        .expect("a folder")
        .flatten();
    let strangers: Vec<_> = beside
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .filter(|it| it != "vault" && it != "projects" && !it.starts_with("vault.db"))
        .collect();
    assert!(strangers.is_empty(), "{strangers:?}");
}

/// Writes a note as agents do, and adds to it.
fn is_written(notes: &Notes, number: usize, name: &str, text: &str) {
    let vault = Vault::chosen(notes.path(""), Scope::Person);
    let draft = Draft {
        title: format!("{name}x{number}"),
        text: format!("{text}x"),
        tags: vec![name.to_owned()],
        target: Target::New,
    };
    vault.write(&draft, &Author::default()).expect("written");
    let again = Draft {
        target: Target::Under {
            note: None,
            heading: format!("{name}x"),
        },
        text: format!("{text}y"),
        ..draft
    };
    // It may be refused; it must not panic, nor leave the vault.
    let _ = vault.write(&again, &Author::default());
}

/// Searches with what stands in the notes, and has it bring in others.
fn are_found(notes: &mut Notes, texts: &[String]) {
    let mut framed = 0;
    for (number, text) in texts.iter().enumerate().step_by(13) {
        let query = Query {
            text: text.clone(),
            tags: Vec::new(),
            limit: 5,
        };
        notes
            .searcher
            .search(&query, &Reach::everything(), NOW_MS)
            .expect("answers");
        if number % 2 == 0 {
            let text = format!("zanzibar quux gateway {text}");
            let prompt = Prompt {
                text: &text,
                reach: &Reach::everything(),
                seen: &[],
                tokens_max: 400,
                now_ms: NOW_MS,
            };
            let recalled = notes.searcher.recall(&prompt).expect("an answer");
            framed += usize::from(holds(&recalled));
        }
    }
    assert!(framed > 50, "{framed} frames");
}

/// Opens as long as there are pinned notes that have not come; how many did.
fn opened(notes: &mut Notes, reach: &Reach) -> usize {
    let mut seen: Vec<Seen> = Vec::new();
    loop {
        let opening = notes.searcher.opening(reach, &seen, 2_000);
        let opening = opening.expect("an opening");
        assert!(!opening.map.contains(['\n', '[', '<', '|']), "{opening:?}");
        if !holds(&opening.pinned) {
            return seen.len();
        }
        seen.extend(opening.pinned.notes.into_iter().map(|it| it.seen));
    }
}

/// Whether something came in; if so, the frame is whole.
fn holds(recalled: &Recalled) -> bool {
    let piece = |it: &Brought| Quoted {
        reviewed: it.reviewed,
        ..Quoted::default()
    };
    let pieces: Vec<Quoted> = recalled.notes.iter().map(piece).collect();
    if pieces.is_empty() {
        assert_eq!(recalled.text, "");
        return false;
    }
    let whole = is_whole(&recalled.text, &pieces);
    assert_eq!(whole, Ok(()), "{}", recalled.text);
    true
}

#[test]
fn bombs_are_only_notes() {
    let mut notes = Notes::new();
    let mut aliases = String::from("---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let before = format!("*a{}", level - 1);
        aliases.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            [before.as_str(); 9].join(", ")
        ));
    }
    aliases.push_str("---\nlaughs\n");
    notes.put("aliases.md", aliases);
    notes.put(
        "nested.md",
        format!("---\na: {}\n---\nlaughs\n", "[".repeat(10_000)),
    );
    notes.put(
        "map.md",
        format!("---\n{}\n---\nlaughs\n", "{a: ".repeat(5_000)),
    );
    notes.put("quotes.md", format!("{}laughs\n", "> ".repeat(10_000)));
    notes.put("lists.md", format!("{}laughs\n", "- ".repeat(10_000)));
    notes.put("brackets.md", format!("laughs {}\n", "[".repeat(100_000)));
    notes.put("links.md", format!("laughs {}\n", "[a](".repeat(50_000)));
    notes.put("stars.md", format!("laughs {}\n", "*a_ ".repeat(50_000)));
    notes.put(
        "ticks.md",
        format!(
            "laughs {}\n",
            (1..1_000)
                .map(|it| "`".repeat(it) + " ")
                .collect::<String>()
        ),
    );
    notes.put(
        "headings.md",
        format!("{}laughs\n", "# laughs\n".repeat(50_000)),
    );
    notes.put("word.md", format!("laughs {}\n", "a".repeat(900_000)));
    notes
        .put("rule.md", "---")
        .put("rules.md", "---\n---\n---\nlaughs\n");
    notes.put("tabs.md", "---\n\ta: b\n---\nlaughs\n");
    notes.put("crlf.md", "---\r\ntags: [x]\r\n---\r\nlaughs\r\n");
    notes.put("bom.md", "\u{feff}---\ntags: [x]\n---\nlaughs\n");
    notes.put(
        "tagged.md",
        "---\ntags: !!python/object x\n? [a, b]\n: c\n---\nlaughs\n",
    );
    let found = notes.found("laughs");
    assert_eq!(found.len(), 10, "{found:?}");
    let tagged = notes.ask("laughs", &["x"], &Reach::everything());
    let mut names: Vec<&Path> = tagged.iter().map(|it| it.in_vault.as_path()).collect();
    names.sort();
    assert_eq!(names[..2], [Path::new("bom.md"), Path::new("crlf.md")]);
    assert!(notes.skipped().is_empty());
}
