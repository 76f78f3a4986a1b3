//! Who somebody is, as an identity provider says it by a JSON Web Token (RFC 7519). Tokens are verified at the edge, once a
//! visit; none is ever logged or stored. What somebody may do is not decided here, but which roles they have is told.

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

/// What somebody may be who runs the sale.
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

    /// As tokens list it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Cashier => "cashier",
        }
    }
}

/// Who puts money into a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Charging {
    /// The wallet's user.
    Own,
    /// Somebody with the role `cashier` or `operator`.
    Cashier,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is no JWT, is too long, has `crit`, another `typ`, or a member twice.
    Malformed,
    /// Its algorithm is not accepted, or not that of its key.
    Algorithm,
    /// Its key is not known.
    Key,
    /// Its signature is not that of its key.
    Signature,
    /// Its time is over.
    Expired,
    /// Its time has not begun.
    NotYetValid,
    /// It is of another issuer.
    Issuer,
    /// It is meant for others.
    Audience,
    /// A claim that is required is missing, or of a wrong type.
    Claim,
}

impl Reason {
    /// As it is answered.
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

/// Why somebody is not let through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// They show nothing.
    Missing,
    /// They show something that is not accepted.
    Invalid(Reason),
    /// They have none of these roles.
    RoleMissing(&'static [Role]),
    /// The keys to judge it by are not to be had for so long.
    Unavailable { retry_after_seconds: u32 },
}

impl From<Reason> for Refusal {
    fn from(reason: Reason) -> Self {
        Self::Invalid(reason)
    }
}

/// What the provider's tokens look like, and where its keys are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its keys are.
    pub keys: KeysPlace,
    /// What `iss` may be: today's issuer, then former ones.
    pub issuers: Vec<String>,
    /// What `aud` must hold.
    pub audience: String,
    /// The claim that holds a user's id; without one, `sub` is mapped to an id.
    pub user_claim: Option<String>,
    /// Where roles are listed; a dot goes one level down.
    pub roles_claim: String,
    /// How far the provider's clock may be off.
    pub leeway_seconds: u32,
}

/// Whom a buyer's token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Buyer {
    /// By our own id.
    User(UserId),
    /// By the provider's name for them, with the issuer by which it is mapped.
    Subject { issuer: String, subject: String },
}

/// Verifies tokens; a clone is another handle on the same keys.
#[derive(Debug, Clone)]
pub struct Identity(Arc<Provider>);

#[derive(Debug)]
struct Provider {
    keys: Arc<Keys>,
    expected: Expected,
    user_claim: Option<String>,
    roles_claim: String,
}

/// Somebody whose token was verified.
#[derive(Debug)]
pub struct Identified {
    provider: Identity,
    claims: Claims,
    /// When the token is over, leeway included.
    pub expires_at: Timestamp,
}

impl Identity {
    /// Reads a file's keys at once; those of a URL come with [`Self::keep_keys`].
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

    /// Keeps the keys current, without end.
    pub async fn keep_keys(self) {
        Arc::clone(&self.0.keys).keep().await;
    }

    /// Whether there are keys to judge by, and why not.
    ///
    /// # Errors
    /// None has been read yet.
    pub fn readiness(&self) -> Result<(), &'static str> {
        if self.0.keys.are_there() { Ok(()) } else { Err("no key of the identity provider could be read yet") }
    }

    /// Whether users come with ids of their own, and not with names that are mapped.
    pub fn has_user_ids(&self) -> bool {
        self.0.user_claim.is_some()
    }

    /// The issuer by which names are mapped, whichever issued the token: a provider that moves renames nobody.
    pub fn first_issuer(&self) -> &str {
        self.0.expected.issuers.first().map_or("", String::as_str)
    }

    /// Who shows this `Authorization`.
    ///
    /// # Errors
    /// None, several, or a token that is not accepted; or the keys to judge it by are not to be had.
    pub async fn verify(&self, headers: &HeaderMap, now: Timestamp) -> Result<Identified, Refusal> {
        let token = Compact::of(presented(headers)?)?;
        self.0.keys.for_token(&token).await?.verify(&token)?;
        let claims = token.claims()?;
        let expires_at = self.0.expected.judge(&claims, now)?;
        Ok(Identified { provider: self.clone(), claims, expires_at })
    }
}

impl Identified {
    /// The user whom it names.
    ///
    /// # Errors
    /// It names none.
    pub fn buyer(&self) -> Result<Buyer, Refusal> {
        if let Some(claim) = &self.provider.0.user_claim {
            return Ok(Buyer::User(claims::user_id(&self.claims, claim)?));
        }
        let subject = claims::subject(&self.claims)?.to_owned();
        Ok(Buyer::Subject { issuer: self.provider.first_issuer().to_owned(), subject })
    }

    /// The name (`sub`) of somebody who has one of these roles.
    ///
    /// # Errors
    /// It has no name that can be an actor's, or none of the roles.
    pub fn staff(&self, roles: &'static [Role]) -> Result<&str, Refusal> {
        let name = claims::staff(&self.claims)?;
        let has_one = self.roles().iter().any(|role| roles.contains(role));
        if has_one { Ok(name) } else { Err(Refusal::RoleMissing(roles)) }
    }

    /// The roles that it lists.
    pub fn roles(&self) -> Vec<Role> {
        claims::roles(&self.claims, &self.provider.0.roles_claim)
    }
}

/// The token in `Authorization`, which is there once, as a bearer's.
fn presented(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut shown = headers.get_all(header::AUTHORIZATION).iter();
    let first = shown.next().ok_or(Refusal::Missing)?;
    let only = if shown.next().is_none() { first.to_str().ok() } else { None };
    let token =
        only.and_then(|only| only.trim().split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME));
    token.map(|(_, token)| token.trim_start()).ok_or(Refusal::Invalid(Reason::Malformed))
}
