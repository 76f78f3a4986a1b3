//! How tools speak: one JSON document for scripts, aligned lines for people.

use std::io::Write;
use std::process::ExitCode;

use indicatif::HumanCount;
use serde::Serialize;
use serde_json::value::RawValue;

use super::ToolError;

/// What a tool found out.
pub struct Said {
    /// For scripts.
    pub json: Box<RawValue>,
    /// For people.
    pub text: String,
    /// Whether nothing is wrong.
    pub is_well: bool,
}

impl Said {
    /// That all is well.
    pub fn new(document: &impl Serialize, text: String) -> Self {
        Self { json: raw(document), text, is_well: true }
    }
}

/// A value as JSON, ready to be embedded.
pub fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("tools say only what JSON can say")
}

/// Says it, and turns it into the program's end.
pub fn say(said: Result<Said, ToolError>, json: bool) -> ExitCode {
    let is_well = match said {
        Ok(said) => {
            line(if json { said.json.get() } else { said.text.trim_end() });
            said.is_well
        }
        Err(error) if json => {
            line(&serde_json::json!({ "error": error.to_string(), "position": error.position() }).to_string());
            false
        }
        Err(error) => {
            eprintln!("reprise: {error}");
            false
        }
    };
    if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints a line. Where nobody reads any more (`| head`), there is nobody to tell.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A number with its thousands apart.
pub fn count(number: impl TryInto<u64>) -> String {
    HumanCount(number.try_into().unwrap_or(u64::MAX)).to_string()
}

/// A movement of points with its sign.
pub fn signed(amount: i128) -> String {
    format!("{}{}", if amount < 0 { "-" } else { "+" }, count(amount.unsigned_abs()))
}

/// A sum of movements, which is below zero only where something is wrong.
pub fn plain(amount: i128) -> String {
    signed(amount).trim_start_matches('+').to_owned()
}

/// Lines whose columns stand under each other.
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    to_the_right: &'static [usize],
}

impl Table {
    /// A table with these headings; the columns with the numbers `to_the_right` end under each other.
    pub fn new<const N: usize>(headings: [&str; N], to_the_right: &'static [usize]) -> Self {
        let mut table = Self { rows: Vec::new(), to_the_right };
        table.row(headings.map(str::to_owned));
        table
    }

    /// Adds a line.
    pub fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let cell_width = |column: usize| {
            let cells = self.rows.iter().filter_map(move |row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(cell_width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let padded = if self.to_the_right.contains(&column) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                };
                line.push_str(&padded);
                line.push_str("  ");
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let mut table = Table::new(["name", "points"], &[1]);
        table.row(["charge".to_owned(), signed(1_234_567)]);
        table.row(["pay".to_owned(), signed(-900)]);
        assert_eq!(table.to_string(), "name        points\ncharge  +1,234,567\npay           -900\n");
    }
}
