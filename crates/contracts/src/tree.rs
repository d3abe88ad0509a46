//! Parsing within limits, and the texts of syntax trees.

use std::{
    ops::ControlFlow,
    time::{Duration, Instant},
};

use tree_sitter::{Node, ParseOptions, Parser, Tree};

use crate::{Language, SOURCE_BYTES_MAX, item::Text};

/// How long one text may be parsed. The largest take a tenth of it; nobody waits for the end.
const PARSE_MAX: Duration = Duration::from_secs(3);
/// Faults that are counted in one text.
const FAULTS_MAX: usize = 100;
/// Characters that are kept to be shown of one piece of a declaration.
const SHOWN_CHARS_MAX: usize = 16_000;

/// A text and its syntax tree.
pub(crate) struct Parsed<'a> {
    source: &'a str,
    tree: Tree,
}

impl<'a> Parsed<'a> {
    /// `None` where the text is too large, no grammar is known, or parsing takes too long.
    pub(crate) fn of(language: Language, source: &'a str) -> Option<Parsed<'a>> {
        if source.len() > SOURCE_BYTES_MAX {
            return None;
        }
        let grammar = match language {
            Language::Rust => tree_sitter_rust::LANGUAGE,
            Language::TypeScript => tree_sitter_typescript::LANGUAGE_TYPESCRIPT,
            Language::Tsx => tree_sitter_typescript::LANGUAGE_TSX,
            Language::Python => tree_sitter_python::LANGUAGE,
            Language::Go => tree_sitter_go::LANGUAGE,
            Language::Java => tree_sitter_java::LANGUAGE,
            Language::Sql => return None,
        };
        let mut parser = Parser::new();
        parser.set_language(&grammar.into()).ok()?;
        let began = Instant::now();
        let mut in_time = |_: &tree_sitter::ParseState| match began.elapsed() {
            took if took > PARSE_MAX => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        };
        let options = ParseOptions::new().progress_callback(&mut in_time);
        let mut read = |at: usize, _| source.as_bytes().get(at..).unwrap_or_default();
        let tree = parser.parse_with_options(&mut read, None, Some(options))?;
        Some(Parsed { source, tree })
    }

    pub(crate) fn root(&self) -> Node<'_> {
        self.tree.root_node()
    }

    /// Places where the text is not of its language, as far as they are counted.
    pub(crate) fn faults(&self) -> usize {
        if !self.root().has_error() {
            return 0;
        }
        let mut count = 0;
        walk(self.root(), |node| {
            count += usize::from(node.is_error() || node.is_missing());
            if node.has_error() && count < FAULTS_MAX {
                Down::Into
            } else {
                Down::Past
            }
        });
        count.max(1)
    }

    /// The text of a name.
    pub(crate) fn word(&self, node: Node<'_>) -> &'a str {
        self.source.get(node.byte_range()).unwrap_or_default()
    }

    /// The text of this field of a node, or nothing.
    pub(crate) fn field(&self, node: Node<'_>, field: &str) -> Option<&'a str> {
        node.child_by_field_name(field).map(|node| self.word(node))
    }

    /// A piece of a declaration: comments and layout do not count.
    pub(crate) fn text(&self, node: Node<'_>) -> Text {
        self.text_of(&[Some(node)])
    }

    /// This field of a node, or nothing.
    pub(crate) fn text_at(&self, node: Node<'_>, field: &str) -> Text {
        self.text_of(&[node.child_by_field_name(field)])
    }

    /// Several pieces, one after the other.
    pub(crate) fn text_of(&self, nodes: &[Option<Node<'_>>]) -> Text {
        let mut leaves = Vec::new();
        for node in nodes.iter().flatten() {
            walk(*node, |node| {
                let is_comment = node.is_extra() && node.kind().contains("comment");
                if is_comment || node.kind() == "attribute_item" {
                    return Down::Past;
                }
                if node.child_count() > 0 {
                    return Down::Into;
                }
                leaves.push(node.byte_range());
                Down::Past
            });
        }
        let mut text = Text::default();
        let mut end = None;
        for (index, leaf) in leaves.iter().enumerate() {
            let word = self.source.get(leaf.clone()).unwrap_or_default();
            let next = leaves.get(index + 1);
            let next = next.and_then(|next| self.source.get(next.clone()));
            if word == "," && next.is_some_and(|next| matches!(next, ")" | "]" | "}" | ">")) {
                continue;
            }
            let gap = end.and_then(|end| self.source.get(end..leaf.start));
            end = Some(leaf.end);
            text.add(word, gap.unwrap_or_default());
        }
        text
    }
}

impl Text {
    /// As it is shown, but of a list of parameters only these pieces are compared: where arguments
    /// go by their place, a parameter's name is its body's business.
    pub(crate) fn by_place(self, generics: &Text, places: &[String]) -> Text {
        let tokens = format!("{} ( {} )", generics.tokens, places.join(" , "));
        Text { tokens, ..self }
    }

    fn add(&mut self, word: &str, gap: &str) {
        if !self.tokens.is_empty() {
            self.tokens.push(' ');
        }
        match word {
            "'" | "`" => self.tokens.push('"'),
            word => self.tokens.push_str(word),
        }
        if self.shown.len() > SHOWN_CHARS_MAX {
            return;
        }
        let tight = self.shown.is_empty()
            || self.shown.ends_with(['(', '['])
            || matches!(word, ")" | "]" | "," | ";");
        if gap.contains(char::is_whitespace) && !tight {
            self.shown.push(' ');
        }
        self.shown.push_str(word);
    }
}

/// Where to go on from a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Down {
    Into,
    Past,
}

/// Visits a node and what is below it, in the order of the text. Nesting costs no stack.
pub(crate) fn walk<'t>(node: Node<'t>, mut visit: impl FnMut(Node<'t>) -> Down) {
    let mut cursor = node.walk();
    let mut depth = 0_usize;
    loop {
        if visit(cursor.node()) == Down::Into && cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        loop {
            if depth == 0 {
                return;
            }
            if cursor.goto_next_sibling() {
                break;
            }
            cursor.goto_parent();
            depth -= 1;
        }
    }
}

/// The named children of a node.
pub(crate) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// The first child of one of these kinds.
pub(crate) fn child<'t>(node: Node<'t>, kinds: &[&str]) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    node.children(&mut cursor)
        .find(|child| kinds.contains(&child.kind()))
}
