//! A terminal's text as an SVG, for the README: `kite demo | cargo xtask picture > docs/demo.svg`.

use std::{
    fmt::Write as _,
    io::{self, Read},
    process::ExitCode,
};

/// Characters in a line before it is folded.
const COLUMNS: usize = 104;
const CHAR_WIDTH: f64 = 7.8;
const LINE_HEIGHT: usize = 19;
const MARGIN: usize = 18;

/// Reads text from stdin and prints the picture.
pub(crate) fn draw() -> ExitCode {
    let mut text = String::new();
    if io::stdin().read_to_string(&mut text).is_err() {
        return ExitCode::FAILURE;
    }
    let lines: Vec<String> = text.lines().flat_map(fold).collect();
    crate::say(svg(&lines).trim_end());
    ExitCode::SUCCESS
}

fn svg(lines: &[String]) -> String {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small picture"
    )]
    let width = (COLUMNS as f64 * CHAR_WIDTH) as usize + 2 * MARGIN;
    let height = lines.len() * LINE_HEIGHT + 2 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"a terminal with the output of kite demo\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#16181d\"/>\n\
         <g font-family=\"ui-monospace, Menlo, Consolas, monospace\" font-size=\"13\" xml:space=\"preserve\">\n"
    );
    for (number, line) in lines.iter().enumerate() {
        let y = MARGIN + (number + 1) * LINE_HEIGHT - 5;
        let _ = writeln!(
            out,
            "<text x=\"{MARGIN}\" y=\"{y}\" fill=\"{}\">{}</text>",
            colour(line),
            escape(line)
        );
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// Outcomes are green, headings white, what actors do grey.
fn colour(line: &str) -> &'static str {
    if line.starts_with("  =>") || line.starts_with("      ") && line.trim_start().starts_with("=>")
    {
        "#8fd694"
    } else if line.starts_with(' ') {
        "#b8bec9"
    } else {
        "#ffffff"
    }
}

fn escape(line: &str) -> String {
    line.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Breaks a long line at spaces, indented as the line is.
fn fold(line: &str) -> Vec<String> {
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut lines = vec![];
    let mut current = indent.clone();
    for word in line.trim_start().split(' ') {
        if current.chars().count() + word.chars().count() > COLUMNS && current.trim() != "" {
            lines.push(std::mem::replace(&mut current, indent.clone()));
        }
        current.push_str(word);
        current.push(' ');
    }
    lines.push(current.trim_end().to_owned());
    lines
}
