//! An address that may hold a password, and never shows it.

use std::fmt;
use std::str::FromStr;

/// A URL as it was given. Printed in any way, it is without its user, its password, and what comes after a `?`, where
/// passwords may stand too.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

/// The error of a text that is not a URL. It does not repeat the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAUrl {
    #[error("it is not a URL: SCHEME://[USER[:PASSWORD]@]HOST[:PORT][/NAME][?OPTION=VALUE] is expected")]
    NoScheme,
    #[error("a /, ?, # or @ within a user, a password or an option is written %2F, %3F, %23 or %40")]
    Ambiguous,
}

impl SecretUrl {
    /// The whole URL, for connecting.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The part before `://`.
    pub fn scheme(&self) -> &str {
        self.parts().0
    }

    /// The parts: scheme, user and password, hosts, and the rest.
    fn parts(&self) -> (&str, Option<&str>, &str, &str) {
        let (scheme, rest) = self.0.split_once("://").expect("it was parsed");
        let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        match authority.rsplit_once('@') {
            Some((user, hosts)) => (scheme, Some(user), hosts, rest),
            None => (scheme, None, authority, rest),
        }
    }

    /// Makes one URL for each of the hosts, which are separated by commas.
    pub fn each_host(&self) -> Vec<Self> {
        let (scheme, user, hosts, rest) = self.parts();
        let user = user.map_or(String::new(), |user| format!("{user}@"));
        hosts.split(',').map(|host| Self(format!("{scheme}://{user}{host}{rest}"))).collect()
    }
}

impl FromStr for SecretUrl {
    type Err = NotAUrl;

    fn from_str(text: &str) -> Result<Self, NotAUrl> {
        let is_scheme = |scheme: &str| {
            !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        };
        if !text.split_once("://").is_some_and(|(scheme, _)| is_scheme(scheme)) {
            return Err(NotAUrl::NoScheme);
        }
        let url = Self(text.to_owned());
        let (_, user, _, rest) = url.parts();
        // If the end of the password is not clear, it cannot be hidden.
        if rest.contains('@') || user.is_some_and(|user| user.contains('@')) {
            return Err(NotAUrl::Ambiguous);
        }
        Ok(url)
    }
}

impl fmt::Display for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, _, hosts, rest) = self.parts();
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        write!(f, "{scheme}://{hosts}{path}")
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> SecretUrl {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_printed_has_no_user_no_password_and_no_options() {
        for (text, shown) in [
            ("postgres://ann:s3cret@db:5432/sales?password=s3cret", "postgres://db:5432/sales"),
            ("postgres://ann:s3cret@h1:1,h2:2/sales", "postgres://h1:1,h2:2/sales"),
            ("postgres:///sales?host=/run/s3cret", "postgres:///sales"),
            ("kurrentdb+discover://ann:s3cret@db?tls=false", "kurrentdb+discover://db"),
            ("postgres://[::1]:5432/sales#s3cret", "postgres://[::1]:5432/sales"),
        ] {
            assert_eq!(url(text).to_string(), shown);
            assert_eq!(format!("{:?}", url(text)), format!("SecretUrl({shown})"));
            assert_eq!(url(text).expose(), text);
        }
    }

    #[test]
    fn where_a_password_ends_must_be_told() {
        for text in ["postgres://ann:s3/cret@db/sales", "postgres://ann:s3?cret@db", "postgres://ann:s3@cret@db/sales"]
        {
            assert_eq!(text.parse::<SecretUrl>(), Err(NotAUrl::Ambiguous));
        }
        url("postgres://ann:s3%2Fcret%40@db/sales");
    }

    #[test]
    fn what_is_no_url_is_not_repeated() {
        for text in ["", "s3cret", "://s3cret", "s3cret ://db"] {
            let refused = text.parse::<SecretUrl>().unwrap_err();
            assert_eq!(refused, NotAUrl::NoScheme);
            assert!(!refused.to_string().contains("s3cret"));
        }
    }

    #[test]
    fn hosts_are_told_apart_and_each_keeps_all_else() {
        let each = url("postgres://ann:pw@h1:1,[::1]:2,h3/sales?sslmode=require").each_host();
        let each: Vec<_> = each.iter().map(SecretUrl::expose).collect();
        let expected = [
            "postgres://ann:pw@h1:1/sales?sslmode=require",
            "postgres://ann:pw@[::1]:2/sales?sslmode=require",
            "postgres://ann:pw@h3/sales?sslmode=require",
        ];
        assert_eq!(each, expected);
        assert_eq!(url("postgres:///sales").each_host(), [url("postgres:///sales")]);
    }
}
