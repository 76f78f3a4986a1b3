//! The parameters after the path's question mark. Every wrong parameter is named. Queries ignore an unknown parameter.
//! Some commands refuse it, since a typing error in `?only=hold` would refund a payment.

use std::borrow::Cow;

use axum::extract::Query;
use axum::http::Uri;
use domain::{MAX_SAFE_INTEGER, NotAnId, Position, is_shown};

use projections::sql::store::Order;

use super::members::{MAX_UNKNOWN_NAMED, NOT_SHOWN, shortened};
use super::path;
use super::problem::{FieldError, Problem};

/// The most lines of a page.
pub const MAX_PAGE: u32 = 200;

/// The parameters of a request, and the faults found so far.
#[derive(Debug)]
pub struct Parameters {
    given: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

impl Parameters {
    /// Parses the parameters of this address.
    pub fn of(uri: &Uri) -> Self {
        let given = uri.query().and_then(|_| Query::<Vec<(String, String)>>::try_from_uri(uri).ok());
        Self { given: given.map(|Query(given)| given).unwrap_or_default(), errors: Vec::new() }
    }

    /// Reads `minPosition`: the answer must be served from this position or a later one. It may be left out.
    pub fn min_position(&mut self) -> Position {
        let position = self.read("minPosition", "must be a whole number", |text| {
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            // A number beyond all positions is never reached.
            digits.then(|| Position::new(text.parse().unwrap_or(u64::MAX)))
        });
        position.unwrap_or(Position::START)
    }

    /// Reads `status=all`: every seat, not only the free ones.
    pub fn all_seats(&mut self) -> bool {
        self.read("status", "must be `all`", |text| (text == "all").then_some(())).is_some()
    }

    /// Reads `only=hold`: a payment is not refunded.
    pub fn only_hold(&mut self) -> bool {
        self.read("only", "must be `hold`", |text| (text == "hold").then_some(())).is_some()
    }

    /// Reads `true` or `false`. A missing parameter is `false`.
    pub fn flag(&mut self, name: &'static str) -> bool {
        self.read(name, "must be true or false", |text| text.parse().ok()).unwrap_or(false)
    }

    /// Reads `limit`: how many lines a page has.
    pub fn limit(&mut self) -> Option<u32> {
        self.read("limit", format!("must be a whole number from 1 to {MAX_PAGE}"), |text| {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
            digits.then(|| text.parse().ok()).flatten().filter(|limit| (1..=MAX_PAGE).contains(limit))
        })
    }

    /// Reads `order`: the newest first, or the oldest.
    pub fn order(&mut self) -> Option<Order> {
        self.read("order", "must be `desc` or `asc`", |text| match text {
            "desc" => Some(Order::Descending),
            "asc" => Some(Order::Ascending),
            _ => None,
        })
    }

    /// Reads one of these words. `None` if it is missing or wrong.
    pub fn word(&mut self, name: &str, words: &[&'static str]) -> Option<&'static str> {
        let known = |text: &str| words.iter().copied().find(|word| *word == text);
        self.read(name, format!("must be {}", words.join(" or ")), known)
    }

    /// Reads `after`: the cursor of the page before.
    pub fn after<T>(&mut self, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.read("after", "must be the cursor of a `next` link, unchanged", parse)
    }

    /// Reads an id that must be there. `None` if it is missing or wrong.
    pub fn id<Id: TryFrom<u64, Error = NotAnId>>(&mut self, name: &'static str) -> Option<Id> {
        if !self.has(name) {
            self.errors.push(FieldError { field: name.to_owned(), message: "is missing".into() });
            return None;
        }
        self.optional_id(name)
    }

    /// Reads an id that may be left out.
    pub fn optional_id<Id: TryFrom<u64, Error = NotAnId>>(&mut self, name: &'static str) -> Option<Id> {
        self.read(name, format!("must be an id: a whole number from 1 to {MAX_SAFE_INTEGER}"), path::id)
    }

    /// Reads a text of 1 to `max` characters that must be there. `None` if it is missing or wrong.
    pub fn text(&mut self, name: &'static str, max: usize) -> Option<String> {
        let mut named = self.given.iter().filter(|(given, _)| given == name);
        let message = match (named.next(), named.next()) {
            (Some((_, text)), None) if (1..=max).contains(&text.chars().count()) => return Some(text.clone()),
            (None, _) => "is missing".to_owned(),
            (Some(_), _) => format!("must be given once, as a text of 1 to {max} characters"),
        };
        self.errors.push(FieldError { field: name.to_owned(), message: message.into() });
        None
    }

    /// Reads a text of 1 to `max` characters that is visible wherever it is printed. `None` if it is missing or wrong.
    pub fn shown_text(&mut self, name: &'static str, max: usize) -> Option<String> {
        let text = self.text(name, max)?;
        if is_shown(&text) {
            return Some(text);
        }
        self.errors.push(FieldError { field: name.to_owned(), message: NOT_SHOWN.into() });
        None
    }

    /// Adds a fault for each parameter that is not one of these.
    pub fn allow_only(&mut self, known: &[&str]) {
        let mut unknown: Vec<&str> = self.given.iter().map(|(name, _)| name.as_str()).collect();
        unknown.retain(|name| !known.contains(name));
        unknown.sort_unstable();
        unknown.dedup();
        let message = "is not a parameter of this request";
        let unknown = unknown.into_iter().take(MAX_UNKNOWN_NAMED);
        self.errors.extend(unknown.map(|name| FieldError { field: shortened(name.into()), message: message.into() }));
    }

    /// True if a parameter is there.
    pub fn has(&self, name: &str) -> bool {
        self.given.iter().any(|(given, _)| given == name)
    }

    /// Fails if a parameter is wrong.
    ///
    /// # Errors
    /// Every parameter that was read and is wrong.
    pub fn complete(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid_request(&self.errors)) }
    }

    /// Returns what was made from the parameters, if none is wrong.
    ///
    /// # Errors
    /// Every parameter that was read and is wrong.
    pub fn complete_with<T>(self, made: Option<T>) -> Result<T, Problem> {
        let errors = self.errors;
        made.filter(|_| errors.is_empty()).ok_or_else(|| Problem::invalid_request(&errors))
    }

    /// Reads a parameter with `parse`. `None` if it is missing or wrong; `rule` says what is right.
    pub fn read<T>(
        &mut self,
        name: &str,
        rule: impl Into<Cow<'static, str>>,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let mut named = self.given.iter().filter(|(given, _)| given == name);
        let (_, text) = named.next()?;
        let parsed = if named.next().is_none() { parse(text) } else { None };
        if parsed.is_none() {
            self.errors.push(FieldError { field: name.to_owned(), message: rule.into() });
        }
        parsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<(u64, bool), &'static str> {
        let uri = format!("/path?{query}").parse().unwrap();
        let mut parameters = Parameters::of(&uri);
        let read = (parameters.min_position().get(), parameters.all_seats());
        parameters.complete().map(|()| read).map_err(|problem| problem.code())
    }

    #[test]
    fn known_parameters_are_read_and_others_ignored() {
        assert_eq!(read(""), Ok((0, false)));
        assert_eq!(read("minPosition=12&other=%ff&status=all"), Ok((12, true)));
        assert_eq!(read("minPosition=99999999999999999999999"), Ok((u64::MAX, false)));
    }

    #[test]
    fn a_wrong_parameter_is_refused() {
        let wrong = ["minPosition=", "minPosition=-1", "minPosition=+1", "minPosition=1.0", "minPosition=x"];
        for query in wrong.into_iter().chain(["minPosition=1&minPosition=1", "status=", "status=ALL", "status=HELD"]) {
            assert_eq!(read(query), Err("invalid-request"), "{query}");
        }
    }
}
