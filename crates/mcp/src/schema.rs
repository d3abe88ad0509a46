//! What a tool takes, declared once: the JSON Schema that clients see, the check of each call's
//! arguments ([`crate::arguments`]) and the fingerprint are all read from one [`Declaration`].

use serde_json::{Map, Value, json};

/// Name of the optional parameter that says which version of a tool's schema the caller knows.
pub(crate) const VERSION_PARAM: &str = "_version";

/// Characters of a path, glob or lock name.
pub(crate) const PATH_CHARS_MAX: usize = 4_096;
/// Paths in one call.
pub(crate) const PATHS_MAX: usize = 64;
/// Characters of a task's title.
pub(crate) const TITLE_CHARS_MAX: usize = 200;
/// Characters of a task's description, and of a result.
pub(crate) const TEXT_CHARS_MAX: usize = 8_000;
/// Characters of a reason.
pub(crate) const REASON_CHARS_MAX: usize = 500;
/// Characters of an id or of a prefix of one.
pub(crate) const ID_CHARS_MAX: usize = 64;

/// A tool, as clients see it.
pub(crate) struct Declaration {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// When to use it, and what comes back.
    pub(crate) description: &'static str,
    pub(crate) effect: Effect,
    pub(crate) params: &'static [Param],
    /// What each version of the schema changed, the first first. The last is the current one.
    pub(crate) changes: &'static [Change],
}

/// What a call may do, for clients that treat reading and writing differently.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Changes nothing.
    Read,
    /// Changes something, once: the same call again finds it done.
    Once,
    /// Changes something each time it is called.
    Each,
}

/// One entry of a tool's changelog.
pub(crate) struct Change {
    pub(crate) version: u32,
    pub(crate) what: &'static str,
}

/// The changelog of a tool that has not changed yet.
pub(crate) const FIRST: &[Change] = &[Change {
    version: 1,
    what: "first version",
}];

/// One parameter of a tool.
pub(crate) struct Param {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) description: &'static str,
}

/// Type and bounds of a parameter. Lengths count characters.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Text {
        chars_max: usize,
    },
    Choice {
        of: &'static [&'static str],
        default: &'static str,
    },
    Integer {
        min: u64,
        max: u64,
        default: Option<u64>,
    },
    /// False where it is left out.
    Flag,
    /// A list of texts.
    List {
        items_max: usize,
        chars_max: usize,
    },
}

impl Param {
    pub(crate) const fn required(
        name: &'static str,
        kind: Kind,
        description: &'static str,
    ) -> Param {
        Param {
            name,
            kind,
            required: true,
            description,
        }
    }

    pub(crate) const fn optional(
        name: &'static str,
        kind: Kind,
        description: &'static str,
    ) -> Param {
        Param {
            name,
            kind,
            required: false,
            description,
        }
    }

    fn schema(&self) -> Value {
        let mut schema = self.kind.schema();
        schema.insert("description".to_owned(), self.description.into());
        Value::Object(schema)
    }
}

impl Kind {
    fn schema(self) -> Map<String, Value> {
        let schema = match self {
            Kind::Text { chars_max } => {
                json!({"type": "string", "minLength": 1, "maxLength": chars_max})
            }
            Kind::Choice { of, default } => {
                json!({"type": "string", "enum": of, "default": default})
            }
            Kind::Integer {
                min,
                max,
                default: None,
            } => json!({"type": "integer", "minimum": min, "maximum": max}),
            Kind::Integer {
                min,
                max,
                default: Some(default),
            } => {
                json!({"type": "integer", "minimum": min, "maximum": max, "default": default})
            }
            Kind::Flag => json!({"type": "boolean", "default": false}),
            Kind::List {
                items_max,
                chars_max,
            } => json!({
                "type": "array",
                "items": {"type": "string", "minLength": 1, "maxLength": chars_max},
                "maxItems": items_max,
            }),
        };
        match schema {
            Value::Object(schema) => schema,
            _ => Map::new(),
        }
    }
}

impl Declaration {
    /// Whether it has a parameter of that name.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.params.iter().any(|param| param.name == name)
    }

    /// The version of this tool's schema.
    pub(crate) fn version(&self) -> u32 {
        self.changes.last().map_or(0, |change| change.version)
    }

    /// The JSON Schema of the arguments.
    pub(crate) fn input_schema(&self) -> Map<String, Value> {
        let mut properties = Map::new();
        for param in self.params {
            properties.insert(param.name.to_owned(), param.schema());
        }
        let version = self.version();
        properties.insert(
            VERSION_PARAM.to_owned(),
            json!({"type": "integer", "const": version, "default": version, "description": "Schema version; leave out."}),
        );
        let mut schema = Map::new();
        schema.insert("type".to_owned(), "object".into());
        schema.insert("properties".to_owned(), Value::Object(properties));
        let required: Vec<&str> = self
            .params
            .iter()
            .filter(|p| p.required)
            .map(|p| p.name)
            .collect();
        if !required.is_empty() {
            schema.insert("required".to_owned(), json!(required));
        }
        schema.insert("additionalProperties".to_owned(), false.into());
        schema
    }

    /// `title (required), description, ...`: what may be given.
    pub(crate) fn params_text(&self) -> String {
        if self.params.is_empty() {
            return "none".to_owned();
        }
        let names = self.params.iter().map(|p| {
            if p.required {
                format!("{} (required)", p.name)
            } else {
                p.name.to_owned()
            }
        });
        names.collect::<Vec<_>>().join(", ")
    }
}
