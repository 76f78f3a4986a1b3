//! The ids in a path.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use domain::{MAX_SAFE_INTEGER, NotAnId, Position};

use super::kinds;
use super::problem::Problem;

/// The parts of the path that the route names. They are parsed only on request, since a fault of the token is reported
/// first.
#[derive(Debug)]
pub struct PathIds(Option<RawPathParams>);

impl PathIds {
    /// Takes the parts of this request's path.
    pub async fn of(parts: &mut Parts) -> Self {
        Self(RawPathParams::from_request_parts(parts, &()).await.ok())
    }

    /// Parses the id that the route calls `name`.
    ///
    /// # Errors
    /// The part is not an id.
    pub fn id<Id: TryFrom<u64, Error = NotAnId>>(&self, name: &str) -> Result<Id, Problem> {
        self.named(name)
            .and_then(id)
            .ok_or_else(|| Problem::new(&kinds::MALFORMED_PATH, format!("`{name}` in the path is wrong: {NotAnId}.")))
    }

    /// Parses the position that the route calls `name`.
    ///
    /// # Errors
    /// The part is not a position.
    pub fn position(&self, name: &str) -> Result<Position, Problem> {
        let detail = || format!("`{name}` in the path must be a position: a whole number up to {MAX_SAFE_INTEGER}.");
        let position = self.named(name).and_then(number).filter(|number| *number <= MAX_SAFE_INTEGER);
        position.map(Position::new).ok_or_else(|| Problem::new(&kinds::MALFORMED_PATH, detail()))
    }

    /// The text that the route calls `name`.
    pub fn text(&self, name: &str) -> &str {
        self.named(name).unwrap_or_default()
    }

    fn named(&self, name: &str) -> Option<&str> {
        self.0.iter().flatten().find(|(known, _)| *known == name).map(|(_, text)| text)
    }
}

/// Parses a number that is written as JSON writes it: without sign and leading zeros.
fn number(text: &str) -> Option<u64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    digits.then(|| text.parse().ok()).flatten()
}

/// Parses an id that is written as JSON writes it.
pub fn id<Id: TryFrom<u64, Error = NotAnId>>(text: &str) -> Option<Id> {
    number(text).and_then(|number| Id::try_from(number).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::UserId;

    #[test]
    fn an_id_is_written_in_one_way() {
        assert_eq!(id::<UserId>("1").map(UserId::get), Some(1));
        assert_eq!(id::<UserId>(&MAX_SAFE_INTEGER.to_string()).map(UserId::get), Some(MAX_SAFE_INTEGER));
        let past = (MAX_SAFE_INTEGER + 1).to_string();
        for wrong in ["", "0", "01", "+1", "-1", "1.0", "1e3", "abc", "1 ", "１", &past, "99999999999999999999"] {
            assert_eq!(id::<UserId>(wrong), None, "{wrong}");
        }
    }
}
