//! `docs/mcp.md`, the parts that are written from the code: every tool, resource and prompt.

use std::{fmt::Write, path::Path};

use serde_json::Value;

use crate::{
    catalogue,
    prompts::Prompts,
    resources::{self, TEMPLATES},
};

/// Markdown: a section each on tools, resources and prompts.
pub(crate) fn written() -> String {
    let mut manual = String::new();
    // Writing to a String cannot fail.
    let _ = tools(&mut manual);
    let _ = resources(&mut manual);
    let _ = prompts(&mut manual);
    manual
}

fn tools(out: &mut String) -> std::fmt::Result {
    writeln!(out, "## Tools\n")?;
    writeln!(out, "| Tool | What for | Changes something |\n|-|-|-|")?;
    let list = catalogue::list();
    let all = list["tools"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for tool in all {
        let annotations = &tool["annotations"];
        let changes = match (
            annotations["readOnlyHint"] == true,
            annotations["idempotentHint"] == true,
        ) {
            (true, _) => "no",
            (false, true) => "once: the same call again finds it done",
            (false, false) => "each time",
        };
        writeln!(
            out,
            "| [`{0}`](#{0}) | {1} | {changes} |",
            text(&tool["name"]),
            text(&tool["title"])
        )?;
    }
    for tool in all {
        writeln!(
            out,
            "\n### `{}`\n\n{}\n",
            text(&tool["name"]),
            text(&tool["description"])
        )?;
        let schema = &tool["inputSchema"];
        let required = |name: &str| {
            let required = schema["required"].as_array();
            required.is_some_and(|required| required.iter().any(|word| word == name))
        };
        writeln!(out, "| Parameter | Type | |\n|-|-|-|")?;
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let needed = if required(name) { "Required. " } else { "" };
            let description = text(&property["description"]);
            writeln!(
                out,
                "| `{name}` | {} | {needed}{description} |",
                kind(property)
            )?;
        }
    }
    Ok(())
}

fn kind(property: &Value) -> String {
    let default = match &property["default"] {
        Value::Null => String::new(),
        default => format!(", usually `{}`", default.to_string().trim_matches('"')),
    };
    let kind = match property["type"].as_str() {
        Some("string") if property["enum"].is_array() => {
            let words = property["enum"].as_array().into_iter().flatten();
            words
                .map(|word| format!("`{}`", text(word)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        Some("string") => format!("text, at most {} characters", property["maxLength"]),
        Some("integer") if property["const"].is_u64() => return format!("`{}`", property["const"]),
        Some("integer") => format!("{} to {}", property["minimum"], property["maximum"]),
        Some("array") => format!(
            "at most {} texts of at most {} characters",
            property["maxItems"], property["items"]["maxLength"]
        ),
        Some(other) => other.to_owned(),
        None => String::new(),
    };
    format!("{kind}{default}")
}

fn resources(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n## Resources\n")?;
    writeln!(out, "| URI | What it holds |\n|-|-|")?;
    let all = || resources::fixed().chain(TEMPLATES.iter().copied());
    for declaration in all() {
        writeln!(
            out,
            "| `{}` | {} |",
            declaration.uri, declaration.description
        )?;
    }
    let mut written: Vec<&'static [(&str, &str)]> = Vec::new();
    for declaration in all() {
        if written.contains(&declaration.shape) {
            continue;
        }
        written.push(declaration.shape);
        let alike = all().filter(|other| other.shape == declaration.shape);
        let uris: Vec<String> = alike.map(|other| format!("`{}`", other.uri)).collect();
        writeln!(out, "\n{}:\n", uris.join(", "))?;
        for (field, what) in declaration.shape {
            writeln!(out, "- `{field}`: {what}.")?;
        }
    }
    Ok(())
}

fn prompts(out: &mut String) -> std::fmt::Result {
    writeln!(out, "\n## Prompts\n")?;
    writeln!(out, "| Prompt | What for | Arguments |\n|-|-|-|")?;
    for prompt in Prompts::load(Path::new("/nonexistent"), None).list() {
        let arguments = prompt.arguments.unwrap_or_default();
        let arguments: Vec<String> = arguments
            .iter()
            .map(|argument| {
                let needed = if argument.required == Some(true) {
                    " (required)"
                } else {
                    ""
                };
                let description = argument.description.as_deref().unwrap_or_default();
                format!("`{}`{needed}: {description}", argument.name)
            })
            .collect();
        let description = prompt.description.unwrap_or_default();
        writeln!(
            out,
            "| `{}` | {description} | {} |",
            prompt.name,
            arguments.join(". ")
        )?;
    }
    Ok(())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
