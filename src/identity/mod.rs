//! Identity, as an identity provider proves it with a JSON Web Token (RFC 7519). The HTTP layer verifies a buyer's
//! token once per visit. Tokens are never logged or stored. This module reads the roles of a token; it does not decide
//! what they allow.

mod claims;
mod compact;
mod jwk;
mod keys;
mod ring_provider;
mod strict_json;
#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use axum::http::{HeaderMap, header};
use domain::{Timestamp, UserId};

use self::claims::{Claims, Expected};
use self::compact::Compact;
use self::keys::Keys;
pub use self::keys::{KeysPlace, NotAPlaceOfKeys};
pub use self::ring_provider::install as install_provider;

/// The scheme before a token.
const SCHEME: &str = "bearer";

/// The roles of operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads and changes.
    Operator,
    /// Charges, and nothing else.
    Cashier,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Cashier];

    /// The role's name in tokens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Cashier => "cashier",
        }
    }
}

/// Who may charge a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Charging {
    /// The user of the wallet.
    Own,
    /// People with the role `cashier` or `operator`.
    Cashier,
}

/// The reason why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The text is not a JWT, is too long, or has `crit`, another `typ`, or a member twice.
    Malformed,
    /// The algorithm is not accepted, or does not fit the key.
    Algorithm,
    /// The key is not known.
    Key,
    /// The signature is wrong.
    Signature,
    /// The token has expired.
    Expired,
    /// The token is not valid yet.
    NotYetValid,
    /// The issuer is another one.
    Issuer,
    /// The audience is another one.
    Audience,
    /// A required claim is missing, or has a wrong type.
    Claim,
}

impl Reason {
    /// The name in the problem.
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Claim => "claim",
        }
    }
}

/// The reason why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no token.
    Missing,
    /// The token is not accepted.
    Invalid(Reason),
    /// The token has none of these roles.
    RoleMissing(&'static [Role]),
    /// The keys cannot be fetched now. Another try makes sense after so many seconds.
    Unavailable { retry_after_seconds: u32 },
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::Invalid(reason)
    }
}

/// The settings of the provider's tokens and keys.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The location of the keys.
    pub keys: KeysPlace,
    /// The accepted values of `iss`: today's issuer, then former ones.
    pub issuers: Vec<String>,
    /// The value that `aud` must hold.
    pub audience: String,
    /// The claim with a user's id. `None`: `sub` is mapped to an id.
    pub user_claim: Option<String>,
    /// The claim with the roles. A dot goes one level down.
    pub roles_claim: String,
    /// How far the provider's clock may differ.
    pub leeway_seconds: u32,
}

/// The user that a buyer's token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Buyer {
    /// A user's id.
    User(UserId),
    /// The provider's name for the user, with the issuer that is used for the mapping.
    Subject { issuer: String, subject: String },
}

/// Verifies tokens. A clone is another handle on the same keys.
#[derive(Debug, Clone)]
pub struct Identity(Arc<Provider>);

#[derive(Debug)]
struct Provider {
    keys: Arc<Keys>,
    expected: Expected,
    user_claim: Option<String>,
    roles_claim: String,
}

/// The claims of a verified token.
#[derive(Debug)]
pub struct Identified {
    provider: Identity,
    claims: Claims,
    /// The time when the token expires, with the leeway.
    pub expires_at: Timestamp,
}

impl Identity {
    /// Makes the verifier. A file's keys are read at once; those of a URL are fetched by [`Self::keep_keys`].
    ///
    /// # Errors
    /// No client for HTTPS can be made.
    pub fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        install_provider();
        let Settings { keys, issuers, audience, user_claim, roles_claim, leeway_seconds } = settings;
        let expected = Expected { issuers, audience, leeway_seconds };
        let keys = Arc::new(Keys::of(keys)?);
        Ok(Self(Arc::new(Provider { keys, expected, user_claim, roles_claim })))
    }

    /// Keeps the keys up to date, without end.
    pub async fn keep_keys(self) {
        Arc::clone(&self.0.keys).keep().await;
    }

    /// Fails if there are no keys yet, and says why.
    ///
    /// # Errors
    /// No key has been read yet.
    pub fn readiness(&self) -> Result<(), &'static str> {
        if self.0.keys.are_there() { Ok(()) } else { Err("no key of the identity provider could be read yet") }
    }

    /// True if tokens hold users' ids. False if subjects are mapped.
    pub fn has_user_ids(&self) -> bool {
        self.0.user_claim.is_some()
    }

    /// The issuer that is used for the mapping, whichever issued the token. So users stay the same if the provider gets
    /// a new address.
    pub fn first_issuer(&self) -> &str {
        self.0.expected.issuers.first().map_or("", String::as_str)
    }

    /// Verifies the token in `Authorization`.
    ///
    /// # Errors
    /// There is no token, there are several, or it is not accepted; or the keys cannot be fetched.
    pub async fn verify(&self, headers: &HeaderMap, now: Timestamp) -> Result<Identified, Refusal> {
        let token = Compact::of(presented(headers)?)?;
        self.0.keys.for_token(&token).await?.verify(&token)?;
        let claims = token.claims()?;
        let expires_at = self.0.expected.check(&claims, now)?;
        Ok(Identified { provider: self.clone(), claims, expires_at })
    }
}

impl Identified {
    /// Reads the user of the token.
    ///
    /// # Errors
    /// The token names no user.
    pub fn buyer(&self) -> Result<Buyer, Refusal> {
        if let Some(claim) = &self.provider.0.user_claim {
            return Ok(Buyer::User(claims::user_id(&self.claims, claim)?));
        }
        let subject = claims::subject(&self.claims)?.to_owned();
        Ok(Buyer::Subject { issuer: self.provider.first_issuer().to_owned(), subject })
    }

    /// Reads the `sub` of an operator or cashier who has one of these roles.
    ///
    /// # Errors
    /// The `sub` cannot be an actor's name, or the token has none of the roles.
    pub fn staff(&self, roles: &'static [Role]) -> Result<&str, Refusal> {
        let name = claims::staff(&self.claims)?;
        let has_one = self.roles().iter().any(|role| roles.contains(role));
        if has_one { Ok(name) } else { Err(Refusal::RoleMissing(roles)) }
    }

    /// Reads the roles of the token.
    pub fn roles(&self) -> Vec<Role> {
        claims::roles(&self.claims, &self.provider.0.roles_claim)
    }
}

/// Reads the token in `Authorization`, which must be there once, with the scheme `Bearer`.
fn presented(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut shown = headers.get_all(header::AUTHORIZATION).iter();
    let first = shown.next().ok_or(Refusal::Missing)?;
    let only = if shown.next().is_none() { first.to_str().ok() } else { None };
    let token =
        only.and_then(|only| only.trim().split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME));
    token.map(|(_, token)| token.trim_start()).ok_or(Refusal::Invalid(Reason::Malformed))
}
