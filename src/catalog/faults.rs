//! What is wrong with a catalogue, each with its place, so that a file is mended at once and not mistake by mistake.

use std::fmt;

/// How many are told; more are only counted.
const TOLD: usize = 16;

/// Mistakes in a file, or what of it contradicts what is published.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    told: Vec<(String, String)>,
    more: usize,
}

impl Faults {
    /// Tells of another.
    pub fn add(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        if self.told.len() < TOLD {
            self.told.push((place.into(), reason.into()));
        } else {
            self.more += 1;
        }
    }

    /// What was found at a place, or `None` and a fault.
    pub fn or_add<T>(&mut self, place: &str, found: Result<T, String>) -> Option<T> {
        found.map_err(|reason| self.add(place, reason)).ok()
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// Each with its place and its reason.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.told.iter().map(|(place, reason)| (place.as_str(), reason.as_str()))
    }

    /// How many more there are.
    pub fn more(&self) -> usize {
        self.more
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (place, reason)) in self.told.iter().enumerate() {
            write!(f, "{}{place}: {reason}", if index > 0 { "; " } else { "" })?;
        }
        if self.more > 0 { write!(f, "; and {} more", self.more) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_told_in_one_line_up_to_a_bound() {
        let mut faults = Faults::default();
        (1..=TOLD).for_each(|number| faults.add(format!("line {number}"), "no"));
        assert!(faults.to_string().starts_with("line 1: no; line 2: no; ") && faults.to_string().ends_with("16: no"));
        faults.add("line 17", "no");
        assert!(faults.to_string().ends_with("line 16: no; and 1 more"));
    }
}
