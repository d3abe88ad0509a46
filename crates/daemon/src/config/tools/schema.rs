//! A definition as JSON Schema.

use serde_json::{Map, Value, json};

use super::{Definition, Kind, Parameter};

impl Definition {
    /// The JSON Schema of the arguments.
    #[must_use]
    pub fn input_schema(&self) -> Map<String, Value> {
        let property = |parameter: &Parameter| (parameter.name.clone(), parameter.schema());
        let properties: Map<String, Value> = self.parameters.iter().map(property).collect();
        let required = self.parameters.iter().filter(|p| p.required);
        let required: Vec<&str> = required.map(|parameter| parameter.name.as_str()).collect();
        let mut schema = Map::new();
        schema.insert("type".into(), "object".into());
        schema.insert("properties".into(), properties.into());
        if !required.is_empty() {
            schema.insert("required".into(), json!(required));
        }
        schema.insert("additionalProperties".into(), false.into());
        schema
    }
}

impl Parameter {
    pub(super) fn schema(&self) -> Value {
        let mut schema = self.kind.schema();
        if let Some(default) = &self.default {
            schema.insert("default".into(), default.clone());
        }
        if !self.description.is_empty() {
            schema.insert("description".into(), self.description.clone().into());
        }
        schema.into()
    }
}

impl Kind {
    /// What a value of this type is called.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Kind::Text { .. } => "string",
            Kind::Integer { .. } => "integer",
            Kind::Number { .. } => "number",
            Kind::Boolean => "boolean",
        }
    }

    fn schema(&self) -> Map<String, Value> {
        let mut schema = Map::new();
        schema.insert("type".into(), self.word().into());
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                schema.insert(name.to_owned(), value);
            }
        };
        match self {
            Kind::Text { of, .. } if !of.is_empty() => set("enum", Some(json!(of))),
            Kind::Text {
                chars_max, pattern, ..
            } => {
                set("minLength", Some(1.into()));
                set("maxLength", Some((*chars_max).into()));
                let whole = |pattern: &String| Value::from(format!("^(?:{pattern})$"));
                set("pattern", pattern.as_ref().map(whole));
            }
            Kind::Integer { min, max } => {
                set("minimum", min.map(Value::from));
                set("maximum", max.map(Value::from));
            }
            Kind::Number { min, max } => {
                set("minimum", min.map(Value::from));
                set("maximum", max.map(Value::from));
            }
            Kind::Boolean => {}
        }
        schema
    }
}
