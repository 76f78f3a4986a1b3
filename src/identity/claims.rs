//! Checks the claims of a verified token: its time, its issuer, its audience, and its user.

use domain::{MAX_SAFE_INTEGER, Timestamp, UserId};
use serde_json::{Map, Value};

use super::{Reason, Role};

/// The longest `sub` of an operator, which stands in the log as the actor's name.
const MAX_STAFF_CHARACTERS: usize = 128;
const MILLIS_PER_SECOND: f64 = 1_000.0;

/// The claims that tokens must have.
#[derive(Debug, Clone)]
pub struct Expected {
    /// The accepted issuers. The first one is used to map subjects to users.
    pub issuers: Vec<String>,
    /// The audience, which a token must name.
    pub audience: String,
    /// How far the provider's clock may differ.
    pub leeway_seconds: u32,
}

/// The claims of a token.
pub type Claims = Map<String, Value>;

impl Expected {
    /// Fails unless a token is valid now, of an expected issuer, and for this server. Returns the time when it expires.
    ///
    /// # Errors
    /// The first claim that is wrong.
    pub fn check(&self, claims: &Claims, now: Timestamp) -> Result<Timestamp, Reason> {
        let (now, leeway) = (now.millis() as f64, f64::from(self.leeway_seconds) * MILLIS_PER_SECOND);
        let over = millis(claims, "exp")?.ok_or(Reason::Claim)? + leeway;
        if now >= over {
            return Err(Reason::Expired);
        }
        for begins in ["nbf", "iat"] {
            if millis(claims, begins)?.is_some_and(|begin| now + leeway < begin) {
                return Err(Reason::NotYetValid);
            }
        }
        let issuer = claims.get("iss").and_then(Value::as_str).ok_or(Reason::Claim)?;
        if !self.issuers.iter().any(|expected| expected == issuer) {
            return Err(Reason::Issuer);
        }
        if !audiences(claims)?.contains(&self.audience.as_str()) {
            return Err(Reason::Audience);
        }
        Ok(Timestamp::from_millis(over as i64))
    }
}

/// Reads a time, which may have a fraction (RFC 7519, section 2).
fn millis(claims: &Claims, name: &str) -> Result<Option<f64>, Reason> {
    let Some(time) = claims.get(name) else { return Ok(None) };
    let seconds = time.as_f64().ok_or(Reason::Claim)?;
    Ok(Some(seconds * MILLIS_PER_SECOND))
}

fn audiences(claims: &Claims) -> Result<Vec<&str>, Reason> {
    match claims.get("aud") {
        Some(Value::String(audience)) => Ok(vec![audience]),
        Some(Value::Array(audiences)) => audiences.iter().map(|one| one.as_str().ok_or(Reason::Claim)).collect(),
        None | Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Err(Reason::Claim),
    }
}

/// Reads the user's id in this claim, as a number or as digits.
pub fn user_id(claims: &Claims, name: &str) -> Result<UserId, Reason> {
    let number = match claims.get(name) {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(digits)) if is_canonical(digits) => digits.parse().ok(),
        None | Some(Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_)) => None,
    };
    let number = number.filter(|number| (1..=MAX_SAFE_INTEGER).contains(number));
    number.and_then(|number| UserId::try_from(number).ok()).ok_or(Reason::Claim)
}

fn is_canonical(digits: &str) -> bool {
    !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads the subject, as the provider writes it.
pub fn subject(claims: &Claims) -> Result<&str, Reason> {
    claims.get("sub").and_then(Value::as_str).filter(|subject| !subject.is_empty()).ok_or(Reason::Claim)
}

/// Reads the subject of an operator or cashier.
pub fn staff(claims: &Claims) -> Result<&str, Reason> {
    let is_visible = |subject: &&str| subject.bytes().all(|byte| byte.is_ascii_graphic());
    let subject = subject(claims)?;
    Some(subject).filter(is_visible).filter(|subject| subject.len() <= MAX_STAFF_CHARACTERS).ok_or(Reason::Claim)
}

/// Reads the roles that are listed under `path`. Unknown roles are ignored.
pub fn roles(claims: &Claims, path: &str) -> Vec<Role> {
    // The name of a claim may be a URL with dots.
    let listed = claims.get(path).or_else(|| {
        let (first, rest) = path.split_once('.')?;
        rest.split('.').try_fold(claims.get(first)?, |level, name| level.get(name))
    });
    let listed = listed.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    Role::ALL.into_iter().filter(|role| listed.iter().any(|name| name == role.name())).collect()
}
