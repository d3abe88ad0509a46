//! Patterns against brute force: globs are made as trees and rendered, so that their reading is
//! tested too; names are matched by enumerating all short ones.

use std::sync::LazyLock;

use kite_rules::pattern::{Pattern, Target};
use proptest::{collection::vec, prelude::*};

/// A part of a path's segment.
#[derive(Clone, Debug)]
enum Token {
    Char(char),
    Any,
    Star,
    Set { negated: bool, chars: Vec<char> },
    OneOf(Vec<Vec<Token>>),
}

#[derive(Clone, Debug)]
enum Segment {
    /// Any number of segments, also none.
    Deep,
    Name(Vec<Token>),
}

/// A target as the model sees it: alternatives of segments.
#[derive(Clone, Debug)]
struct Sketch {
    target: Target,
    alternatives: Vec<Vec<Segment>>,
}

/// At most three tokens in a segment, two of them stars: two segments that share a name share
/// one of at most this length.
const NAME_CHARS_MAX: usize = 4;
const ALPHABET: [char; 3] = ['a', 'b', 'c'];
static NAMES: LazyLock<Vec<Vec<char>>> = LazyLock::new(|| names(&ALPHABET, NAME_CHARS_MAX));
static PATHS: LazyLock<Vec<Vec<Vec<char>>>> = LazyLock::new(paths);

fn token() -> impl Strategy<Value = Token> {
    let plain = prop_oneof![
        4 => prop::sample::select(&ALPHABET[..2]).prop_map(Token::Char),
        1 => Just(Token::Any),
        2 => Just(Token::Star),
        1 => (any::<bool>(), vec(prop::sample::select(&ALPHABET[..2]), 1..3))
            .prop_map(|(negated, chars)| Token::Set { negated, chars }),
    ];
    let one_of = vec(vec(plain.clone(), 0..2), 1..3).prop_map(Token::OneOf);
    prop_oneof![6 => plain, 1 => one_of]
}

fn segment() -> impl Strategy<Value = Segment> {
    prop_oneof![
        3 => vec(token(), 1..=3)
            .prop_filter("a segment has a name", |tokens| !can_be_empty(tokens))
            .prop_map(Segment::Name),
        1 => Just(Segment::Deep),
    ]
}

/// Whether braces leave nothing of it: a case of its own, told in the unit tests.
fn can_be_empty(tokens: &[Token]) -> bool {
    let stars = tokens.iter().filter(|t| matches!(t, Token::Star)).count();
    let is_void = |token: &Token| match token {
        Token::OneOf(branches) => branches
            .iter()
            .any(|branch| branch.iter().all(|token| matches!(token, Token::Star))),
        Token::Star => true,
        _ => false,
    };
    tokens.iter().all(is_void) && (stars != 1 || tokens.len() != 1)
}

fn glob() -> impl Strategy<Value = Sketch> {
    vec(vec(segment(), 1..=3), 1..=2).prop_map(|alternatives| {
        let texts: Vec<String> = alternatives.iter().map(|a| render_path(a)).collect();
        let text = match texts.as_slice() {
            [one] => format!("/{one}"),
            more => format!("/{{{}}}", more.join(",")),
        };
        Sketch {
            target: Target::Glob(text),
            alternatives: alternatives.into_iter().map(at_least_one_below).collect(),
        }
    })
}

fn literal() -> impl Strategy<Value = Sketch> {
    (vec("[ab]{1,2}", 1..=3), any::<bool>()).prop_map(|(names, is_tree)| {
        let path = format!("/{}", names.join("/"));
        let name = |name: &String| Segment::Name(name.chars().map(Token::Char).collect());
        let mut segments: Vec<Segment> = names.iter().map(name).collect();
        if is_tree {
            segments.push(Segment::Deep);
        }
        Sketch {
            target: if is_tree {
                Target::Tree(path)
            } else {
                Target::Path(path)
            },
            alternatives: vec![segments],
        }
    })
}

fn sketch() -> impl Strategy<Value = Sketch> {
    prop_oneof![3 => glob(), 1 => literal()]
}

/// As the last segment of a glob, `**` is at least one.
fn at_least_one_below(mut segments: Vec<Segment>) -> Vec<Segment> {
    if let Some(Segment::Deep) = segments.last() {
        segments.push(Segment::Name(vec![Token::Star]));
    }
    segments
}

fn render_path(segments: &[Segment]) -> String {
    let render = |segment: &Segment| match segment {
        Segment::Deep => "**".to_string(),
        Segment::Name(tokens) => render_name(tokens),
    };
    segments.iter().map(render).collect::<Vec<_>>().join("/")
}

fn render_name(tokens: &[Token]) -> String {
    let render = |token: &Token| match token {
        Token::Char(c) => c.to_string(),
        Token::Any => "?".into(),
        Token::Star => "*".into(),
        Token::Set { negated, chars } => {
            let chars: String = chars.iter().collect();
            format!("[{}{chars}]", if *negated { "!" } else { "" })
        }
        Token::OneOf(branches) => {
            let branches: Vec<String> = branches.iter().map(|b| render_name(b)).collect();
            format!("{{{}}}", branches.join(","))
        }
    };
    tokens.iter().map(render).collect()
}

/// Whether these tokens can be this name.
fn is_name(tokens: &[Token], name: &[char]) -> bool {
    let Some((first, rest)) = tokens.split_first() else {
        return name.is_empty();
    };
    let one = |fits: &dyn Fn(char) -> bool| {
        name.split_first()
            .is_some_and(|(c, name)| fits(*c) && is_name(rest, name))
    };
    match first {
        Token::Char(own) => one(&|c| c == *own),
        Token::Any => one(&|_| true),
        Token::Set { negated, chars } => one(&|c| chars.contains(&c) != *negated),
        Token::Star => (0..=name.len()).any(|at| is_name(rest, &name[at..])),
        Token::OneOf(branches) => branches
            .iter()
            .any(|branch| is_name(&[branch, rest].concat(), name)),
    }
}

/// Whether these segments can be this path.
fn is_path(segments: &[Segment], path: &[Vec<char>]) -> bool {
    match segments.split_first() {
        None => path.is_empty(),
        Some((Segment::Deep, rest)) => (0..=path.len()).any(|at| is_path(rest, &path[at..])),
        Some((Segment::Name(tokens), rest)) => path
            .split_first()
            .is_some_and(|(name, path)| is_name(tokens, name) && is_path(rest, path)),
    }
}

/// Whether some path is both.
fn meet(one: &[Segment], other: &[Segment], names: &[Vec<char>]) -> bool {
    use Segment::{Deep, Name};
    match (one.split_first(), other.split_first()) {
        (None, None) => true,
        (Some((Deep, rest)), _) => {
            meet(rest, other, names) || (!other.is_empty() && meet(one, &other[1..], names))
        }
        (_, Some((Deep, rest))) => {
            meet(one, rest, names) || (!one.is_empty() && meet(&one[1..], other, names))
        }
        (Some((Name(one), rest)), Some((Name(other), other_rest))) => {
            names
                .iter()
                .any(|name| is_name(one, name) && is_name(other, name))
                && meet(rest, other_rest, names)
        }
        _ => false,
    }
}

/// All names of one to so many characters.
fn names(chars: &[char], len_max: usize) -> Vec<Vec<char>> {
    let mut names: Vec<Vec<char>> = vec![vec![]];
    let mut from = 0;
    for _ in 0..len_max {
        let to = names.len();
        for at in from..to {
            for c in chars {
                names.push([&names[at][..], &[*c]].concat());
            }
        }
        from = to;
    }
    names.remove(0);
    names
}

/// All paths of one to three names of one or two characters.
fn paths() -> Vec<Vec<Vec<char>>> {
    let names = names(&['a', 'b'], 2);
    let mut paths: Vec<Vec<Vec<char>>> = vec![vec![]];
    for depth in 0..3 {
        let longest: Vec<_> = paths.iter().filter(|p| p.len() == depth).cloned().collect();
        for path in longest {
            for name in &names {
                paths.push([&path[..], std::slice::from_ref(name)].concat());
            }
        }
    }
    paths.remove(0);
    paths
}

fn text(path: &[Vec<char>]) -> String {
    path.iter()
        .map(|name| format!("/{}", name.iter().collect::<String>()))
        .collect()
}

fn compile(target: &Target) -> Pattern {
    Pattern::compile(target.clone()).unwrap_or_else(|refusal| panic!("{target:?}: {refusal:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn overlap_is_what_brute_force_finds(one in sketch(), other in sketch()) {
        let (left, right) = (compile(&one.target), compile(&other.target));
        let expected = one
            .alternatives
            .iter()
            .any(|a| other.alternatives.iter().any(|b| meet(a, b, &NAMES)));
        prop_assert_eq!(left.overlaps(&right), expected);
        prop_assert_eq!(right.overlaps(&left), expected);
        prop_assert!(left.overlaps(&left), "everything covers something");
    }

    #[test]
    fn a_pattern_covers_what_brute_force_matches(sketch in sketch()) {
        let pattern = compile(&sketch.target);
        for path in PATHS.iter() {
            let expected = sketch.alternatives.iter().any(|a| is_path(a, path));
            let path = text(path);
            prop_assert_eq!(pattern.covers(&path), expected, "{}", path);
        }
    }

    #[test]
    fn covering_is_overlapping_with_the_path(sketch in sketch(), path in literal()) {
        let (Target::Path(text) | Target::Tree(text)) = &path.target else {
            unreachable!("a literal is a path or a tree");
        };
        let pattern = compile(&sketch.target);
        let path = compile(&Target::Path(text.clone()));
        prop_assert_eq!(pattern.covers(text), pattern.overlaps(&path));
    }

    #[test]
    fn no_text_makes_it_panic(text in "/[ab/*?{},!\\[\\]\\\\^.-]{0,24}") {
        if let Ok(pattern) = Pattern::compile(Target::Glob(text)) {
            let _ = pattern.covers("/a/b");
            prop_assert!(pattern.overlaps(&pattern), "everything covers something");
        }
    }
}
