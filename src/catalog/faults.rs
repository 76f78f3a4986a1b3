//! The faults of a catalogue, each with its place, so that all of them can be corrected at once.

use std::fmt;

/// How many faults are listed. Further ones are only counted.
const TOLD: usize = 16;

/// Mistakes in a file, or contradictions to the published catalogue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    told: Vec<(String, String)>,
    more: usize,
}

impl Faults {
    /// Adds a fault.
    pub fn add(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        if self.told.len() < TOLD {
            self.told.push((place.into(), reason.into()));
        } else {
            self.more += 1;
        }
    }

    /// Returns the value, or adds a fault and returns `None`.
    pub fn or_add<T>(&mut self, place: &str, found: Result<T, String>) -> Option<T> {
        found.map_err(|reason| self.add(place, reason)).ok()
    }

    /// True if there is no fault.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The listed faults, each with its place and its reason.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.told.iter().map(|(place, reason)| (place.as_str(), reason.as_str()))
    }

    /// The number of faults that are not listed.
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
