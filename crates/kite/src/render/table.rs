//! Tables: aligned columns, fitted to the terminal, uncut in a pipe.

use std::io;

use super::{
    line::{Line, Piece, Role},
    terminal::Terminal,
    text::{fit, width},
};

/// Columns between two columns.
const GAP: usize = 2;
/// No column is made narrower than this.
const SHRUNK_MIN: usize = 10;

/// Rows under headings. The widest columns give way first where the terminal is too narrow.
pub(crate) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<Piece>>,
    indent: &'static str,
}

impl Table {
    pub(crate) fn new(headings: &[&'static str]) -> Table {
        Table {
            headings: headings.to_vec(),
            rows: Vec::new(),
            indent: "",
        }
    }

    /// Every line begins with this.
    #[must_use]
    pub(crate) fn indented(mut self, indent: &'static str) -> Table {
        self.indent = indent;
        self
    }

    /// Adds a row; missing cells are empty.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Piece>) {
        let mut row: Vec<Piece> = cells.into_iter().collect();
        row.resize(self.headings.len(), Piece::default());
        self.rows.push(row);
    }

    pub(crate) fn print(mut self, terminal: &mut Terminal) -> io::Result<()> {
        self.drop_empty_columns();
        for line in self.lines(terminal.columns()) {
            terminal.line(line)?;
        }
        Ok(())
    }

    /// A column without a single value says nothing.
    fn drop_empty_columns(&mut self) {
        for at in (0..self.headings.len()).rev() {
            if !self.rows.is_empty() && self.rows.iter().all(|row| row[at].text.is_empty()) {
                self.headings.remove(at);
                for row in &mut self.rows {
                    row.remove(at);
                }
            }
        }
    }

    fn lines(&self, columns: Option<usize>) -> Vec<Line> {
        let widths = self.widths(columns);
        let heading: Vec<Piece> = self
            .headings
            .iter()
            .map(|h| Piece::new(Role::Heading, h))
            .collect();
        let headings = (!self.headings.iter().all(|h| h.is_empty())).then_some(&heading);
        headings
            .into_iter()
            .chain(&self.rows)
            .map(|row| self.line(row, &widths))
            .collect()
    }

    fn line(&self, row: &[Piece], widths: &[usize]) -> Line {
        let last = row
            .iter()
            .rposition(|cell| !cell.text.is_empty())
            .unwrap_or(0);
        let mut line = Line::from(self.indent);
        for (at, (cell, &columns)) in row.iter().zip(widths).enumerate().take(last + 1) {
            let text = fit(&cell.text, columns);
            let gap = if at == last {
                0
            } else {
                columns - width(&text) + GAP
            };
            line.0.push(Piece {
                text,
                role: cell.role,
            });
            line.0.push(Piece {
                text: " ".repeat(gap),
                role: Role::Plain,
            });
        }
        line
    }

    fn widths(&self, columns: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.headings.iter().map(|h| width(h)).collect();
        for row in &self.rows {
            for (column, cell) in widths.iter_mut().zip(row) {
                *column = (*column).max(width(&cell.text));
            }
        }
        if let Some(columns) = columns {
            let gaps = GAP * widths.len().saturating_sub(1) + self.indent.len();
            while widths.iter().sum::<usize>() + gaps > columns {
                match widths.iter_mut().max() {
                    Some(widest) if *widest > SHRUNK_MIN => *widest -= 1,
                    _ => break,
                }
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(table: &Table, columns: Option<usize>) -> Vec<String> {
        let text = |line: &Line| {
            line.0
                .iter()
                .map(|piece| piece.text.as_str())
                .collect::<String>()
        };
        table.lines(columns).iter().map(text).collect()
    }

    #[test]
    fn columns_align_and_the_widest_gives_way() {
        let mut table = Table::new(&["ID", "TITLE"]);
        table.row(["1a2b3c4d".into(), "Add OAuth login to the service".into()]);
        table.row(["ffff0000".into(), "Fix".into()]);
        assert_eq!(
            shown(&table, None),
            [
                "ID        TITLE",
                "1a2b3c4d  Add OAuth login to the service",
                "ffff0000  Fix"
            ]
        );
        assert_eq!(shown(&table, Some(24))[1], "1a2b3c4d  Add OAuth log…");
    }

    #[test]
    fn a_column_without_values_is_left_out() {
        let mut table = Table::new(&["A", "B", "C"]);
        table.row(["1".into(), "".into(), "3".into()]);
        table.drop_empty_columns();
        assert_eq!(shown(&table, None), ["A  C", "1  3"]);
    }
}
