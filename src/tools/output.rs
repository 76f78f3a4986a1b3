//! The output of tools: one JSON document for scripts, aligned lines for people.

use std::process::ExitCode;

use indicatif::HumanCount;
use serde::Serialize;
use serde_json::value::RawValue;
use unicode_width::UnicodeWidthStr;

use super::ToolError;
use crate::failure::NEEDS_A_PERSON;
use crate::{printing, standard_error};

/// The result of a tool.
pub struct Said {
    /// The document for scripts.
    pub json: Box<RawValue>,
    /// The text for people.
    pub text: String,
    /// True if all is well, for a tool that decides this.
    verdict: Option<bool>,
    /// True if it was printed already.
    is_said: bool,
}

impl Said {
    /// Makes a result without a verdict.
    pub fn new(document: &impl Serialize, text: String) -> Self {
        Self { json: raw(document), text, verdict: None, is_said: false }
    }

    /// Makes a result that is on standard output already. `text` goes to standard error.
    pub fn beside(text: &str) -> Self {
        standard_error::say(text);
        Self { is_said: true, ..Self::new(&(), String::new()) }
    }

    /// Makes a result with a verdict.
    pub fn verdict(is_well: bool, document: &impl Serialize, text: String) -> Self {
        Self { verdict: Some(is_well), ..Self::new(document, text) }
    }
}

/// Serialises a value to JSON, ready to be embedded.
pub fn raw(value: &impl Serialize) -> Box<RawValue> {
    serde_json::value::to_raw_value(value).expect("tools say only what JSON can say")
}

/// Prints the result, and returns the exit code. If a verdict could not be printed whole, the tool has failed: an audit
/// that nobody could read has not passed.
pub fn say(said: Result<Said, ToolError>, json: bool) -> ExitCode {
    let wrong =
        if said.as_ref().is_err_and(ToolError::needs_a_person) { NEEDS_A_PERSON.into() } else { ExitCode::FAILURE };
    let (printed, verdict) = match said {
        Ok(said) if said.is_said => (Ok(()), said.verdict),
        Ok(said) => (printing::line(if json { said.json.get() } else { said.text.trim_end() }), said.verdict),
        Err(ToolError::Unprinted(unprinted)) => (Err(unprinted), None),
        Err(error) if json => {
            let document = serde_json::json!({ "error": error.to_string(), "position": error.position() });
            (printing::line(&document.to_string()), Some(false))
        }
        Err(error) => {
            printing::complain(&error);
            (Ok(()), Some(false))
        }
    };
    match printed {
        Ok(()) if verdict == Some(false) => wrong,
        Ok(()) => ExitCode::SUCCESS,
        Err(unprinted) if verdict.is_none() => unprinted.end(),
        Err(unprinted) => {
            unprinted.end();
            ExitCode::FAILURE
        }
    }
}

/// Formats a number with commas between thousands.
pub fn count(number: impl TryInto<u64>) -> String {
    HumanCount(number.try_into().unwrap_or(u64::MAX)).to_string()
}

/// Formats a movement of points with its sign.
pub fn signed(amount: i128) -> String {
    format!("{}{}", if amount < 0 { "-" } else { "+" }, count(amount.unsigned_abs()))
}

/// Formats a sum of movements. It is below zero only if there is a fault.
pub fn plain(amount: i128) -> String {
    signed(amount).trim_start_matches('+').to_owned()
}

/// A table with aligned columns.
#[derive(Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    to_the_right: &'static [usize],
}

impl Table {
    /// Makes a table with these headings. The columns `to_the_right` are aligned to the right.
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
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(cell_width).collect();
        for row in &self.rows {
            let mut line = String::new();
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                let blanks = " ".repeat(width - cell.width());
                let is_right = self.to_the_right.contains(&column);
                let padded = if is_right { [blanks.as_str(), cell] } else { [cell, blanks.as_str()] };
                line.extend(padded);
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
