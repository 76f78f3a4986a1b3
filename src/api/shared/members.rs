//! A body's members, read strictly: each exactly once, of its type and in its range, and no other. Every member that is
//! wrong is named, so that a client mends its request at once. One that is null is as if it were left out.

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

/// As JSON writes nothing.
const NULL: &str = "null";
/// What the whole body is called where it is no object at all.
const WHOLE_BODY: &str = "body";
/// How many members that nobody asked for are named at most, and how much of a name.
pub const MAX_UNKNOWN_NAMED: usize = 16;
const MAX_NAMED_CHARACTERS: usize = 64;
/// What is said of a text that shows nothing, or would do something to a screen.
pub const NOT_SHOWN: &str = "must have characters that can be seen, and no line breaks or other control characters";
/// The member that says why an operator changes something.
const REASON: &str = "reason";
/// The longest name of a zone in a request. A letter may be written as several characters, and has at least one byte.
pub const MAX_ZONE_NAME_CHARACTERS: usize = 4 * MAX_SEAT_NAME_BYTES;
/// How many members a body has, mostly.
const USUAL_MEMBERS: usize = 4;

/// The members that were given, as they were written, and what was found wrong so far.
#[derive(Debug)]
pub struct Members<'a> {
    given: Vec<(Cow<'a, str>, &'a RawValue)>,
    errors: Vec<FieldError>,
}

impl<'a> Members<'a> {
    /// Takes a body apart. What is null is as if it were left out, except where it is asked for.
    ///
    /// # Errors
    /// It is not JSON in UTF-8, or JSON that is no object.
    pub fn of(body: &'a [u8]) -> Result<Self, Problem> {
        let malformed = |detail: &'static str| Problem::new(&kinds::MALFORMED_BODY, detail);
        let text = std::str::from_utf8(body).map_err(|_| malformed("The body is not UTF-8."))?;
        let whole: &RawValue = serde_json::from_str(text).map_err(|_| malformed("The body is not JSON."))?;
        if !whole.get().starts_with('{') {
            let message = Cow::Borrowed("must be an object");
            return Err(Problem::invalid_request(&[FieldError { field: WHOLE_BODY.to_owned(), message }]));
        }
        let Given(given) =
            serde_json::from_str(whole.get()).map_err(|_| malformed("A member's name is no Unicode text."))?;
        Ok(Self { given, errors: Vec::new() })
    }

    /// Those of no body at all.
    pub fn none() -> Self {
        Self { given: Vec::new(), errors: Vec::new() }
    }

    /// Whether a member is there.
    pub fn has(&self, field: &str) -> bool {
        self.given.iter().any(|(name, value)| name == field && value.get() != NULL)
    }

    /// An id; `None` where that is wrong.
    pub fn id<Id: TryFrom<u64>>(&mut self, field: &str) -> Option<Id> {
        self.integer(field, 1..=MAX_SAFE_INTEGER).and_then(|id| Id::try_from(id).ok())
    }

    /// A whole number in `range`; `None` where that is wrong.
    pub fn integer(&mut self, field: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let integer = integer_in(self.take(field)?.get(), &range);
        if integer.is_none() {
            self.refuse(field, format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        integer
    }

    /// A whole number in `range` or null, which must be there; `None` where that is wrong.
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

    /// A time (RFC 3339); `None` where that is wrong.
    pub fn time(&mut self, field: &str) -> Option<Timestamp> {
        let text: Option<String> = serde_json::from_str(self.take(field)?.get()).ok();
        let time: Option<jiff::Timestamp> = text.and_then(|text| text.parse().ok());
        if time.is_none() {
            self.refuse(field, "must be a time as 2026-12-24T10:30:00Z (RFC 3339)");
        }
        time.map(|time| Timestamp::from_millis(time.as_millisecond()))
    }

    /// What its own type reads of it; `None` where that is wrong, which `message` says.
    pub fn parsed<T: DeserializeOwned>(&mut self, field: &str, message: &'static str) -> Option<T> {
        let parsed = serde_json::from_str(self.take(field)?.get()).ok();
        if parsed.is_none() {
            self.refuse(field, message);
        }
        parsed
    }

    /// A member that may be left out, as `read` reads it; `None` where it is there and wrong.
    pub fn optional<T>(&mut self, field: &str, read: impl FnOnce(&mut Self, &str) -> Option<T>) -> Option<Option<T>> {
        if self.has(field) { read(self, field).map(Some) } else { Some(None) }
    }

    /// What goes up or down by at most `most`, and is not nothing; `None` where that is wrong.
    pub fn movement(&mut self, field: &str, most: i64) -> Option<i64> {
        let raw = self.take(field)?;
        let amount = integer_in(raw.get().strip_prefix('-').unwrap_or(raw.get()), &(1..=most.unsigned_abs()));
        let amount = amount.and_then(|amount| i64::try_from(amount).ok());
        if amount.is_none() {
            self.refuse(field, format!("must be a whole number from -{most} to {most}, and not 0"));
        }
        amount.map(|amount| if raw.get().starts_with('-') { -amount } else { amount })
    }

    /// A text of 1 to `max` characters; `None` where that is wrong.
    pub fn text(&mut self, field: &str, max: usize) -> Option<String> {
        let text: Option<String> = serde_json::from_str(self.take(field)?.get()).ok();
        let text = text.filter(|text| (1..=max).contains(&text.chars().count()));
        if text.is_none() {
            self.refuse(field, format!("must be a text of 1 to {max} characters"));
        }
        text
    }

    /// A text of 1 to `max` characters that people will see, wherever it is printed; `None` where that is wrong.
    pub fn shown_text(&mut self, field: &str, max: usize) -> Option<String> {
        let text = self.text(field, max)?;
        if is_shown(&text) {
            return Some(text);
        }
        self.refuse(field, NOT_SHOWN);
        None
    }

    /// Why an operator changes something; `None` where that is wrong.
    pub fn reason(&mut self) -> Option<String> {
        self.shown_text(REASON, MAX_REASON_CHARACTERS)
    }

    /// A reason or null, one of which must be there; `None` where that is wrong.
    pub fn reason_or_null(&mut self) -> Option<Option<String>> {
        if self.given.iter().any(|(name, raw)| name == REASON && raw.get() == NULL) {
            return self.take_or_null(REASON).map(|_| None);
        }
        self.reason().map(Some)
    }

    /// The name of a zone, spelled as the catalogue spells it; `None` where that is wrong.
    pub fn zone_name(&mut self, field: &str) -> Option<String> {
        self.text(field, MAX_ZONE_NAME_CHARACTERS).map(|zone| tidy(&zone))
    }

    /// A list of distinct ids, at least one and at most `max`; `None` where that is wrong.
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

    /// One of these words, as what it stands for; `None` where that is wrong.
    pub fn word<T: Copy, const N: usize>(&mut self, field: &str, words: [(&str, T); N]) -> Option<T> {
        let word = self.take(field)?.get().trim_matches('"');
        let found = words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning);
        if found.is_none() {
            self.refuse(field, format!("must be {}", words.map(|(known, _)| known).join(" or ")));
        }
        found
    }

    /// Says what is wrong with a member, which is then not looked at any more.
    pub fn refuse(&mut self, field: &str, message: impl Into<Cow<'static, str>>) {
        self.given.retain(|(name, _)| name != field);
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
    }

    /// What was made of the members, where nothing was wrong and none is left.
    ///
    /// # Errors
    /// Every member that is wrong, and every one that nobody asked for.
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

/// A name that is not known may be as long as a body.
pub fn shortened(name: Cow<'_, str>) -> String {
    match name.char_indices().nth(MAX_NAMED_CHARACTERS) {
        None => name.into_owned(),
        Some((end, _)) => format!("{}…", &name[..end]),
    }
}

/// A whole number is written as one: `1.0` and `1e3` are not, and neither is `"1"`.
fn integer_in(digits: &str, range: &RangeInclusive<u64>) -> Option<u64> {
    let digits = digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(digits)?;
    digits.parse().ok().filter(|integer| range.contains(integer))
}

/// Members with their names, the repeated ones too: a map would keep the last of them and say nothing.
struct Given<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A name is copied only where it is written with escapes.
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
