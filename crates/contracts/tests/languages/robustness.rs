use std::time::{Duration, Instant};

use kite_contracts::{LINE_CHARS_MAX, LINES_MAX, Language, NAMES_MAX, compare, exports};

const PATHS: [&str; 12] = [
    "a.rs", "a.ts", "a.tsx", "a.js", "a.py", "a.go", "a.java", "a.sql", "a.c", "a.rb", "a.json",
    "a.yaml",
];

#[test]
fn garbage_neither_panics_nor_says_much() {
    let nested = "(".repeat(2_000);
    let braces = "mod a { ".repeat(500);
    let garbage = [
        "",
        "\0\0\0",
        "\u{feff}",
        "'",
        "\"",
        "`${",
        "$$",
        "/*",
        "é'é\"é",
        "\r\r\n",
        "pub fn",
        "export default",
        "class",
        "CREATE TABLE",
        "func (",
        "@",
        "}}}}",
        "\u{202e}\u{1b}[31m",
        "CREATE TABLE a (((",
        "export { a as }",
        nested.as_str(),
        braces.as_str(),
    ];
    let sound = "pub fn a() {}\nexport function b() {}\nCREATE TABLE c (d int);\n";
    for path in PATHS {
        for text in garbage {
            for (before, after) in [(sound, text), (text, sound), (text, "")] {
                if let Some(changed) = compare(path, before, after) {
                    assert!(
                        (1..=LINES_MAX).contains(&changed.lines.len()),
                        "{changed:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_said_is_bounded_whatever_the_text() {
    let before: String = (0..1_000)
        .map(|n| format!("pub fn function_{n}(argument: {}) {{}}\n", "T".repeat(20)))
        .collect();
    let after: String = (0..1_000)
        .map(|n| format!("pub fn function_{n}(argument: {}) {{}}\n", "U".repeat(20)))
        .collect();
    let changed = compare("a.rs", &before, &after).unwrap();
    assert_eq!(
        (changed.lines.len(), changed.names.len()),
        (LINES_MAX, NAMES_MAX)
    );

    let long = |with: &str| format!("pub fn f({}b: {with}) {{}}\n", "a: u8, ".repeat(500));
    let changed = compare("a.rs", &long("u8"), &long("u16")).unwrap();
    let [line] = changed.lines.as_slice() else {
        panic!("{changed:?}");
    };
    assert!(line.chars().count() <= LINE_CHARS_MAX, "{line}");
    assert_eq!(line, "f(…, b: u8) -> f(…, b: u16)");
}

#[test]
fn many_that_went_and_many_that_came_are_not_matched() {
    let functions = |name: &str| -> String {
        (0..1_000)
            .map(|n| format!("pub fn {name}_{n}(a: u8) {{}}\n"))
            .collect()
    };
    let began = Instant::now();
    let changed = compare("a.rs", &functions("old"), &functions("new")).unwrap();
    assert_eq!(changed.lines[0], "removed: fn old_0");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_schema_of_many_tables_and_many_drops_takes_no_time_that_counts() {
    let mut text = String::new();
    for n in 0..1_900 {
        text.push_str(&format!("create table t{n}(a int);\n"));
    }
    text.push_str(&"drop table x;\n".repeat(30_000));
    assert!(text.len() < 512 << 10);
    let began = Instant::now();
    assert!(!exports(Language::Sql, &text).is_empty());
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[test]
fn what_is_exported_is_listed_as_it_is_used() {
    let source =
        "pub struct User { pub email: String, id: u8 }\npub fn login(name: &str) -> User {}";
    let listed: Vec<_> = exports(Language::Rust, source)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        listed,
        [
            "User",
            "User.email: String",
            "login(name: &str) returns User"
        ]
    );
}

#[test]
fn what_is_too_large_is_not_looked_at() {
    let large = "pub fn f() {}\n".repeat(1 << 16);
    assert!(exports(Language::Rust, &large).is_empty());
    assert_eq!(compare("a.rs", &large, "pub fn g() {}"), None);
    assert_eq!(compare("a.yaml", &large, "a: 1"), None);
}

#[test]
fn a_large_text_takes_no_time_that_counts() {
    let mut text = String::new();
    for n in 0..1_000 {
        text.push_str(&format!(
            "export interface I{n} {{ a: string; b(x: number): void }}\n"
        ));
    }
    let began = Instant::now();
    let changed = compare("a.ts", &text, &text.replace("I7 {", "J7 {"));
    assert_eq!(changed.unwrap().lines, ["I7 -> J7"]);
    assert!(began.elapsed() < Duration::from_secs(5));
}
