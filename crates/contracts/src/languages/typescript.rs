//! TypeScript and JavaScript: what is exported, by `export` or CommonJS, and the routes of Express
//! and Fastify.

mod objects;

use std::collections::HashMap;

use tree_sitter::Node;

use super::{DEPTH_MAX, routes};
use crate::{
    Item,
    item::Text,
    tree::{Down, Parsed, child, children, walk},
};

/// Ends of names of what has routes registered. An HTTP client has a `get` too.
const ROUTERS: &[&str] = &["app", "router", "server", "fastify", "routes"];

pub(super) fn exports(parsed: &Parsed<'_>, items: &mut Vec<Item>) {
    let mut reader = Reader {
        parsed,
        items,
        locals: HashMap::new(),
    };
    reader.statements(parsed.root(), None, DEPTH_MAX);
    walk(parsed.root(), |node| {
        if node.kind() == "call_expression" {
            reader.route(node);
        }
        Down::Into
    });
}

struct Reader<'a> {
    parsed: &'a Parsed<'a>,
    items: &'a mut Vec<Item>,
    /// Declarations of the module by name: what `export { a, b }` speaks of.
    locals: HashMap<&'a str, Vec<Node<'a>>>,
}

impl<'a> Reader<'a> {
    fn statements(&mut self, list: Node<'a>, owner: Option<&str>, depth: usize) {
        let statements = children(list);
        if owner.is_none() {
            for node in &statements {
                self.remember(*node);
            }
        }
        for node in statements {
            match node.kind() {
                "export_statement" => self.export(node, owner, depth),
                "ambient_declaration" => {
                    for declared in children(node) {
                        self.declaration(declared, None, owner, depth);
                    }
                }
                "expression_statement" => self.common_js(node),
                _ => {}
            }
        }
    }

    fn remember(&mut self, node: Node<'a>) {
        if let Some(name) = self.parsed.field(node, "name") {
            self.locals.entry(name).or_default().push(node);
        }
        for declarator in children(node) {
            if declarator.kind() == "variable_declarator"
                && let Some(name) = self.parsed.field(declarator, "name")
            {
                self.locals.entry(name).or_default().push(declarator);
            }
        }
    }

    fn export(&mut self, node: Node<'a>, owner: Option<&str>, depth: usize) {
        let is_default = child(node, &["default"]).is_some();
        if let Some(declared) = node.child_by_field_name("declaration") {
            let unnamed = is_default && declared.child_by_field_name("name").is_none();
            let name = unnamed.then_some("default");
            self.declaration(declared, name, owner, depth);
        } else if let Some(value) = node.child_by_field_name("value") {
            match self.locals.get(self.parsed.word(value)).cloned() {
                Some(locals) if value.kind() == "identifier" => self.local(&locals, None, depth),
                _ => self.value("default", value, None, owner),
            }
        } else if let Some(clause) = child(node, &["export_clause"]) {
            let elsewhere = node.child_by_field_name("source").is_some();
            for specifier in children(clause) {
                self.specifier(specifier, elsewhere, depth);
            }
        } else {
            let from = self.parsed.text_at(node, "source");
            let name = child(node, &["namespace_export"]);
            let name = name.map_or("*", |name| self.parsed.word(name));
            self.items.push(Item {
                result: from,
                ..Item::new("export", name)
            });
        }
    }

    fn specifier(&mut self, specifier: Node<'a>, elsewhere: bool, depth: usize) {
        let Some(name) = self.parsed.field(specifier, "name") else {
            return;
        };
        let alias = self.parsed.field(specifier, "alias");
        match self.locals.get(name).filter(|_| !elsewhere).cloned() {
            Some(locals) => self.local(&locals, alias, depth),
            None => self.items.push(Item::new("export", alias.unwrap_or(name))),
        }
    }

    fn local(&mut self, locals: &[Node<'a>], alias: Option<&str>, depth: usize) {
        for node in locals {
            if node.kind() == "variable_declarator" {
                self.declarator(*node, alias, None);
            } else {
                self.declaration(*node, alias, None, depth);
            }
        }
    }

    /// A declaration that is exported, under this name or its own.
    fn declaration(
        &mut self,
        node: Node<'a>,
        alias: Option<&str>,
        owner: Option<&str>,
        depth: usize,
    ) {
        let own = self.parsed.field(node, "name").unwrap_or_default();
        let name = alias.unwrap_or(own);
        let item = |kind| Item::new(kind, name).of(owner, ".");
        match node.kind() {
            "function_declaration"
            | "generator_function_declaration"
            | "function_signature"
            | "function_expression" => self.function(node, item("function")),
            "class_declaration" | "abstract_class_declaration" | "class" => {
                self.holder(node, &["class_heritage"], item("class"));
                self.members(node.child_by_field_name("body"), name);
            }
            "interface_declaration" => {
                self.holder(node, &["extends_type_clause"], item("interface"));
                self.members(node.child_by_field_name("body"), name);
            }
            "type_alias_declaration" => {
                let value = node.child_by_field_name("value");
                let is_object = value.is_some_and(|value| value.kind() == "object_type");
                let mut item = item("type");
                item.parameters = self.parsed.text_at(node, "type_parameters");
                if !is_object {
                    item.result = self.parsed.text_of(&[value]);
                }
                self.items.push(item);
                self.members(value.filter(|_| is_object), name);
            }
            "enum_declaration" => {
                self.items.push(item("enum"));
                let body = node.child_by_field_name("body");
                for member in body.map(children).unwrap_or_default() {
                    let member = member.child_by_field_name("name").unwrap_or(member);
                    if !member.is_extra() {
                        let member = Item::new("member", self.parsed.word(member));
                        self.items.push(member.of(Some(name), "."));
                    }
                }
            }
            "lexical_declaration" | "variable_declaration" => {
                for declarator in children(node) {
                    if declarator.kind() == "variable_declarator" {
                        self.declarator(declarator, None, owner);
                    }
                }
            }
            // `export declare function f(): void`
            "ambient_declaration" if depth > 0 => {
                for declared in children(node) {
                    self.declaration(declared, alias, owner, depth - 1);
                }
            }
            "internal_module" | "module" if depth > 0 => {
                if let Some(body) = node.child_by_field_name("body") {
                    let name = name.trim_matches(['"', '\'']);
                    self.statements(body, Some(name), depth - 1);
                }
            }
            _ => {}
        }
    }

    fn holder(&mut self, node: Node<'_>, terms: &[&str], item: Item) {
        self.items.push(Item {
            parameters: self.parsed.text_at(node, "type_parameters"),
            terms: self.parsed.text_of(&[child(node, terms)]),
            ..item
        });
    }

    fn function(&mut self, node: Node<'_>, item: Item) {
        let is_async = child(node, &["async"]).is_some();
        let only = node.child_by_field_name("parameter");
        let parts = [
            node.child_by_field_name("type_parameters"),
            node.child_by_field_name("parameters"),
        ];
        let generics = self.parsed.text_of(&parts[..1]);
        let mut parameters = match only {
            Some(only) => Text::plain(format!("({})", self.parsed.word(only))),
            None => self.parsed.text_of(&parts),
        };
        parameters = parameters.by_place(&generics, &self.places(parts[1].or(only)));
        let question = item.parameters;
        if !question.tokens.is_empty() {
            parameters.tokens.insert_str(0, &question.tokens);
            parameters.shown.insert_str(0, &question.shown);
        }
        // With its type, whether the body awaits is nobody's business.
        let result = self.annotation(node, "return_type");
        let marks = is_async && result.tokens.is_empty() && item.modifiers.is_empty();
        self.items.push(Item {
            modifiers: if marks {
                "async".to_owned()
            } else {
                item.modifiers
            },
            parameters,
            result,
            ..item
        });
    }

    /// Of each parameter all but its name; of one that takes an object apart, what it takes.
    fn places(&self, parameters: Option<Node<'_>>) -> Vec<String> {
        let Some(parameters) = parameters else {
            return Vec::new();
        };
        if parameters.kind() == "identifier" {
            return vec!["_".to_owned()];
        }
        let places = children(parameters).into_iter();
        let places = places.filter(|it| !it.is_extra());
        let place = |parameter: Node<'_>| {
            let pattern = parameter.child_by_field_name("pattern");
            let named = pattern.filter(|it| it.kind() == "identifier");
            let mut cursor = parameter.walk();
            let pieces = parameter.children(&mut cursor);
            let pieces = pieces.filter(|it| Some(it.id()) != named.map(|it| it.id()));
            let pieces: Vec<_> = pieces.map(Some).collect();
            format!("_ {}", self.parsed.text_of(&pieces).tokens)
        };
        places.map(place).collect()
    }

    /// A type without its colon.
    fn annotation(&self, node: Node<'_>, field: &str) -> Text {
        let Some(annotation) = node.child_by_field_name(field) else {
            return Text::default();
        };
        let inner = match annotation.kind() {
            "type_annotation" => annotation.named_child(0).unwrap_or(annotation),
            _ => annotation,
        };
        self.parsed.text(inner)
    }

    /// The members of a class, an interface or an object type.
    fn members(&mut self, body: Option<Node<'_>>, owner: &str) {
        for member in body.map(children).unwrap_or_default() {
            let name = member.child_by_field_name("name");
            let hidden = child(member, &["accessibility_modifier"])
                .is_some_and(|modifier| self.parsed.word(modifier) == "private");
            let Some(name) = name.filter(|it| it.kind() != "private_property_identifier") else {
                continue;
            };
            if hidden {
                continue;
            }
            let name = self.parsed.word(name).trim_matches(['"', '\'']);
            let kind = match member.kind() {
                "method_definition" | "method_signature" | "abstract_method_signature" => "method",
                "property_signature" | "public_field_definition" => "field",
                _ => continue,
            };
            let mut item = Item::new(kind, name).of(Some(owner), ".");
            let told = ["static", "get", "set"];
            let told = child(member, &told).map(|node| node.kind().to_owned());
            item.modifiers = told.unwrap_or_default();
            if child(member, &["?"]).is_some() {
                item.parameters = Text::plain("?");
            }
            if kind == "method" {
                self.function(member, item);
                continue;
            }
            item.result = self.annotation(member, "type");
            let value = member.child_by_field_name("value");
            match value.filter(|value| is_function(*value)) {
                Some(value) => self.function(value, item),
                None => self.items.push(item),
            }
        }
    }

    fn declarator(&mut self, node: Node<'a>, alias: Option<&str>, owner: Option<&str>) {
        let Some(named) = node.child_by_field_name("name") else {
            return;
        };
        if named.kind() != "identifier" {
            // `const { a, b } = ...`
            walk(named, |node| {
                if matches!(
                    node.kind(),
                    "shorthand_property_identifier_pattern" | "identifier"
                ) {
                    let item = Item::new("const", self.parsed.word(node));
                    self.items.push(item.of(owner, "."));
                }
                Down::Into
            });
            return;
        }
        let name = alias.unwrap_or_else(|| self.parsed.word(named));
        match node.child_by_field_name("value") {
            Some(value) => self.value(name, value, Some(node), owner),
            None => {
                let result = self.annotation(node, "type");
                let item = Item::new("const", name).of(owner, ".");
                self.items.push(Item { result, ..item });
            }
        }
    }

    /// `app.get("/users", handler)`.
    fn route(&mut self, call: Node<'_>) {
        let Some(function) = call.child_by_field_name("function") else {
            return;
        };
        let on = self.parsed.field(function, "object").unwrap_or_default();
        let on = on.to_ascii_lowercase();
        let method = self
            .parsed
            .field(function, "property")
            .and_then(routes::method);
        let arguments = call.child_by_field_name("arguments").map(children);
        let (Some(method), Some([path, _, ..])) = (method, arguments.as_deref()) else {
            return;
        };
        let path = routes::path(self.parsed.word(*path));
        if let Some(path) = path.filter(|_| ROUTERS.iter().any(|router| on.ends_with(router))) {
            self.items.push(routes::route(method, path));
        }
    }
}

fn is_function(node: Node<'_>) -> bool {
    matches!(
        node.kind(),
        "arrow_function" | "function_expression" | "generator_function"
    )
}
