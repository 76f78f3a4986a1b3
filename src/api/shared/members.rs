//! The members of a body. They are read strictly: each exactly once, of its type and in its range, and no others. Every
//! wrong member is named, so that a client can correct all of them at once. A null member counts as left out.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use domain::limits::{MAX_REASON_CHARACTERS, MAX_SEAT_NAME_BYTES};
use domain::{MAX_SAFE_INTEGER, Timestamp, is_shown};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::kinds;
use super::problem::{FieldError, Problem};
use crate::catalog::tidy;

/// The text of JSON's null.
const NULL: &str = "null";
/// The field name of the whole body, if it is not an object.
const WHOLE_BODY: &str = "body";
/// How many unknown members are named at most, and how much of a name is shown.
pub const MAX_UNKNOWN_NAMED: usize = 16;
const MAX_NAMED_CHARACTERS: usize = 64;
/// The message for a text that shows nothing, or would control a screen.
pub const NOT_SHOWN: &str = "must have characters that can be seen, and no line breaks or other control characters";
/// The name of the member with an operator's reason.
const REASON: &str = "reason";
/// The longest name of a zone in a request. A letter may be written as several characters, and has at least one byte.
pub const MAX_ZONE_NAME_CHARACTERS: usize = 4 * MAX_SEAT_NAME_BYTES;
/// The usual number of members of a body.
const USUAL_MEMBERS: usize = 4;

/// The given members as text, and the faults found so far.
#[derive(Debug)]
pub struct Members<'a> {
    given: Vec<(Cow<'a, str>, &'a RawValue)>,
    errors: Vec<FieldError>,
}

impl<'a> Members<'a> {
    /// Parses a body. A null member counts as left out, except where null is a value.
    ///
    /// # Errors
    /// The body is not JSON in UTF-8, or is not an object.
    pub fn of(body: &'a [u8]) -> Result<Self, Problem> {
        let malformed = |detail: &'static str| Problem::new(&kinds::MALFORMED_BODY, detail);
        let text = std::str::from_utf8(body).map_err(|_| malformed("The body is not UTF-8."))?;
        let whole: &RawValue = serde_json::from_str(text).map_err(|_| malformed("The body is not JSON."))?;
        if !whole.get().starts_with('{') {
            let message = Cow::Borrowed("must be an object");
            return Err(Problem::invalid_request(&[FieldError { field: WHOLE_BODY.to_owned(), message }]));
        }
        let Given(given) =
            serde_json::from_str(whole.get()).map_err(|_| malformed("A member's name is not valid Unicode."))?;
        Ok(Self { given, errors: Vec::new() })
    }

    /// Makes members of a request without a body.
    pub fn none() -> Self {
        Self { given: Vec::new(), errors: Vec::new() }
    }

    /// True if a member is there and not null.
    pub fn has(&self, field: &str) -> bool {
        self.given.iter().any(|(name, value)| name == field && value.get() != NULL)
    }

    /// Reads an id. `None` if it is wrong.
    pub fn id<Id: TryFrom<u64>>(&mut self, field: &str) -> Option<Id> {
        self.integer(field, 1..=MAX_SAFE_INTEGER).and_then(|id| Id::try_from(id).ok())
    }

    /// Reads a whole number in `range`. `None` if it is wrong.
    pub fn integer(&mut self, field: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let integer = integer_in(self.take(field)?.get(), &range);
        if integer.is_none() {
            self.refuse(field, format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        integer
    }

    /// Reads a member that must be there: a whole number in `range`, or null. `None` if it is wrong.
    pub fn nullable(&mut self, field: &str, range: RangeInclusive<u64>) -> Option<Option<u64>> {
        let raw = self.take_or_null(field)?;
        if raw.get() == NULL {
            return Some(None);
        }
        let integer = integer_in(raw.get(), &range);
        if integer.is_none() {
            self.refuse(field, format!("must be null or a whole number from {} to {}", range.start(), range.end()));
        }
        integer.map(Some)
    }

    /// Reads a time (RFC 3339). `None` if it is wrong.
    pub fn time(&mut self, field: &str) -> Option<Timestamp> {
        let text: Option<String> = serde_json::from_str(self.take(field)?.get()).ok();
        let time: Option<jiff::Timestamp> = text.and_then(|text| text.parse().ok());
        if time.is_none() {
            self.refuse(field, "must be a time as 2026-12-24T10:30:00Z (RFC 3339)");
        }
        time.map(|time| Timestamp::from_millis(time.as_millisecond()))
    }

    /// Reads a member with the type's own parser. `None` if it is wrong; `message` says what is right.
    pub fn parsed<T: DeserializeOwned>(&mut self, field: &str, message: &'static str) -> Option<T> {
        let parsed = serde_json::from_str(self.take(field)?.get()).ok();
        if parsed.is_none() {
            self.refuse(field, message);
        }
        parsed
    }

    /// Reads a member that may be left out, with `read`. `None` if it is there and wrong.
    pub fn optional<T>(&mut self, field: &str, read: impl FnOnce(&mut Self, &str) -> Option<T>) -> Option<Option<T>> {
        if self.has(field) { read(self, field).map(Some) } else { Some(None) }
    }

    /// Reads a number from -`most` to `most` that is not 0. `None` if it is wrong.
    pub fn movement(&mut self, field: &str, most: i64) -> Option<i64> {
        let raw = self.take(field)?;
        let amount = integer_in(raw.get().strip_prefix('-').unwrap_or(raw.get()), &(1..=most.unsigned_abs()));
        let amount = amount.and_then(|amount| i64::try_from(amount).ok());
        if amount.is_none() {
            self.refuse(field, format!("must be a whole number from -{most} to {most}, and not 0"));
        }
        amount.map(|amount| if raw.get().starts_with('-') { -amount } else { amount })
    }

    /// Reads a text of 1 to `max` characters. `None` if it is wrong.
    pub fn text(&mut self, field: &str, max: usize) -> Option<String> {
        let text: Option<String> = serde_json::from_str(self.take(field)?.get()).ok();
        let text = text.filter(|text| (1..=max).contains(&text.chars().count()));
        if text.is_none() {
            self.refuse(field, format!("must be a text of 1 to {max} characters"));
        }
        text
    }

    /// Reads a text of 1 to `max` characters that is visible wherever it is printed. `None` if it is wrong.
    pub fn shown_text(&mut self, field: &str, max: usize) -> Option<String> {
        let text = self.text(field, max)?;
        if is_shown(&text) {
            return Some(text);
        }
        self.refuse(field, NOT_SHOWN);
        None
    }

    /// Reads an operator's reason. `None` if it is wrong.
    pub fn reason(&mut self) -> Option<String> {
        self.shown_text(REASON, MAX_REASON_CHARACTERS)
    }

    /// Reads a member that must be there: an operator's reason, or null. `None` if it is wrong.
    pub fn reason_or_null(&mut self) -> Option<Option<String>> {
        if self.given.iter().any(|(name, raw)| name == REASON && raw.get() == NULL) {
            return self.take_or_null(REASON).map(|_| None);
        }
        self.reason().map(Some)
    }

    /// Reads the name of a zone, and spells it as the catalogue does. `None` if it is wrong.
    pub fn zone_name(&mut self, field: &str) -> Option<String> {
        self.text(field, MAX_ZONE_NAME_CHARACTERS).map(|zone| tidy(&zone))
    }

    /// Reads a list of 1 to `max` distinct ids. `None` if it is wrong.
    pub fn distinct_ids<Id: TryFrom<u64> + PartialEq>(&mut self, field: &str, max: usize) -> Option<Vec<Id>> {
        let listed = serde_json::from_str::<Vec<&RawValue>>(self.take(field)?.get()).unwrap_or_default();
        let id = |raw: &RawValue| Id::try_from(integer_in(raw.get(), &(1..=MAX_SAFE_INTEGER))?).ok();
        let ids: Option<Vec<Id>> = listed.iter().take(max + 1).map(|raw| id(raw)).collect();
        let distinct = |ids: &Vec<Id>| ids.iter().enumerate().all(|(index, id)| !ids[..index].contains(id));
        let ids = ids.filter(|ids| (1..=max).contains(&ids.len()) && distinct(ids));
        if ids.is_none() {
            self.refuse(field, format!("must be a list of 1 to {max} distinct ids"));
        }
        ids
    }

    /// Reads one of these words, and returns its value. `None` if it is wrong.
    pub fn word<T: Copy, const N: usize>(&mut self, field: &str, words: [(&str, T); N]) -> Option<T> {
        let word = self.take(field)?.get().trim_matches('"');
        let found = words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning);
        if found.is_none() {
            self.refuse(field, format!("must be {}", words.map(|(known, _)| known).join(" or ")));
        }
        found
    }

    /// Adds a fault of a member, which is not read any more.
    pub fn refuse(&mut self, field: &str, message: impl Into<Cow<'static, str>>) {
        self.given.retain(|(name, _)| name != field);
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// Returns what was made from the members, if no member is wrong or unknown.
    ///
    /// # Errors
    /// Every wrong member, and every unknown one.
    pub fn complete<T>(mut self, made: Option<T>) -> Result<T, Problem> {
        let mut unknown: Vec<_> =
            self.given.into_iter().filter(|(_, value)| value.get() != NULL).map(|(name, _)| shortened(name)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown.truncate(MAX_UNKNOWN_NAMED);
        let unknown =
            unknown.into_iter().map(|field| FieldError { field, message: "is not a member of this request".into() });
        self.errors.extend(unknown);
        made.filter(|_| self.errors.is_empty()).ok_or_else(|| Problem::invalid_request(&self.errors))
    }

    fn take(&mut self, field: &str) -> Option<&'a RawValue> {
        self.take_where(field, |value| value.get() != NULL)
    }

    fn take_or_null(&mut self, field: &str) -> Option<&'a RawValue> {
        self.take_where(field, |_| true)
    }

    fn take_where(&mut self, field: &str, counts: impl Fn(&RawValue) -> bool) -> Option<&'a RawValue> {
        let mut named = self.given.iter().enumerate().filter(|(_, (name, value))| name == field && counts(value));
        match (named.next(), named.next()) {
            (Some((index, _)), None) => return Some(self.given.swap_remove(index).1),
            (Some(_), Some(_)) => self.refuse(field, "is given more than once"),
            (None, _) => self.refuse(field, "is missing"),
        }
        None
    }
}

/// Shortens a name, since an unknown one may be as long as the body.
pub fn shortened(name: Cow<'_, str>) -> String {
    match name.char_indices().nth(MAX_NAMED_CHARACTERS) {
        None => name.into_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

/// Parses a whole number. `1.0`, `1e3` and `"1"` are not whole numbers.
fn integer_in(digits: &str, range: &RangeInclusive<u64>) -> Option<u64> {
    let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
    digits.parse().ok().filter(|integer| range.contains(integer))
}

/// Members with their names. Repeated ones are kept: a map would silently keep only the last.
struct Given<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A name, which is copied only if it is written with escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Given<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Given<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Given<'de>, A::Error> {
                let mut given = Vec::with_capacity(USUAL_MEMBERS);
                while let Some((Name(name), value)) = map.next_entry::<Name, &RawValue>()? {
                    given.push((name, value));
                }
                Ok(Given(given))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests;
