//! The differences between a file and the published catalogue: the member and both values. Seats that differ in the
//! same way are listed once.

use std::fmt;

use serde::Serialize;

/// How many differences are listed. Further ones are only counted.
const TOLD: usize = 16;

/// A member that is published with another value.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Difference {
    /// The place in the file.
    place: String,
    /// The concert, schedule or seat.
    of: String,
    member: &'static str,
    published: String,
    in_file: String,
    /// How many seats differ in this way.
    #[serde(skip_serializing_if = "Option::is_none")]
    seats: Option<usize>,
}

/// All differences.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Differences {
    told: Vec<Difference>,
    #[serde(skip)]
    more: usize,
}

impl Differences {
    pub fn add(&mut self, place: &str, of: String, member: &'static str, published: String, in_file: String) {
        self.put(Difference { place: place.to_owned(), of, member, published, in_file, seats: None });
    }

    /// Adds a seat. If an earlier seat differs in the same way, only the number grows.
    pub fn add_seat(&mut self, place: &str, of: String, member: &'static str, published: String, in_file: String) {
        let same = |told: &&mut Difference| {
            told.seats.is_some()
                && told.place == place
                && told.member == member
                && told.published == published
                && told.in_file == in_file
        };
        match self.told.iter_mut().find(same) {
            Some(told) => told.seats = told.seats.map(|seats| seats + 1),
            None => self.put(Difference { place: place.to_owned(), of, member, published, in_file, seats: Some(1) }),
        }
    }

    fn put(&mut self, difference: Difference) {
        if self.told.len() < TOLD {
            self.told.push(difference);
        } else {
            self.more += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// The differences in words.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("and {} more", self.more));
        self.told.iter().map(Difference::to_string).chain(more)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, member, published, in_file, .. } = self;
        write!(f, "{of}")?;
        match self.seats {
            Some(1) | None => {}
            Some(seats) => write!(f, " and {} more seats", seats - 1)?,
        }
        write!(f, ": {member}: published is {published}, the file has {in_file}")
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iter().collect::<Vec<_>>().join("; "))
    }
}
