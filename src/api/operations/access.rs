//! Access to the operators' routes. Who may open the socket is decided by the rights of its file. On the listener a JWT
//! identifies the operator, and requests of foreign web pages are refused.

use axum::extract::ConnectInfo;
use axum::extract::connect_info::Connected;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, Request, header};
use axum::serve::IncomingStream;
use domain::{Credential, OperatorName, Timestamp};
use tokio::net::UnixListener;

use super::kinds;
use super::problem::Problem;
use crate::identity::{Identity, Role};

/// The roles that may read.
pub const READS: &[Role] = &[Role::Viewer, Role::Operator];
/// The roles that may change something.
pub const CHANGES: &[Role] = &[Role::Operator];

/// The pages that a link on a foreign page may lead to.
const PAGES: [&str; 3] = ["/", "/docs", "/docs/"];
/// Ports that may be left out of an origin.
const DEFAULT_PORTS: [&str; 2] = [":80", ":443"];

/// The way on which a request comes in.
#[derive(Debug, Clone)]
pub enum Door {
    /// The socket in the data folder: everyone who may open it may do everything.
    Socket,
    /// The listener. Without an identity provider everyone who reaches it is an operator.
    Listener(Option<Identity>),
}

/// The system's user at the other end of the socket (`SO_PEERCRED`). `None` if the system does not tell.
#[derive(Debug, Clone, Copy)]
pub struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// The name in the log: `operator`, `operator:<sub>`, or `local:<uid>`.
    pub name: OperatorName,
    /// The time when the JWT expires.
    pub until: Option<Timestamp>,
}

impl Operator {
    /// The credential of the operator's commands.
    pub fn credential(&self) -> Credential {
        Credential::Operator(self.name.clone())
    }
}

impl Door {
    /// Fails if the request may come from a foreign web page.
    ///
    /// # Errors
    /// The host or the origin is not allowed.
    pub fn let_in<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let Self::Listener(identity) = self else { return Ok(()) };
        let headers = request.headers();
        let host = request.uri().authority().map(Authority::as_str).or_else(|| text(headers.get(header::HOST)?));
        if identity.is_none() && !host.is_some_and(is_loopback) {
            let detail = "The header `Host` must be a loopback name or address, such as localhost or 127.0.0.1.";
            return Err(Problem::new(&kinds::HOST_NOT_ALLOWED, detail));
        }
        if is_own(headers, host) || is_visit(request) {
            return Ok(());
        }
        Err(Problem::new(
            &kinds::ORIGIN_NOT_ALLOWED,
            "A page of another origin must not send requests to this listener.",
        ))
    }

    /// Identifies the operator, who must have one of these roles.
    ///
    /// # Errors
    /// The operator is not identified, or has none of these roles.
    pub async fn admit(&self, request: &Parts, roles: &'static [Role], now: Timestamp) -> Result<Operator, Problem> {
        match self {
            Self::Socket => {
                let peer = request.extensions.get::<ConnectInfo<Peer>>().and_then(|ConnectInfo(Peer(uid))| *uid);
                let uid =
                    peer.ok_or_else(|| Problem::internal("the socket does not say which user is at its other end"))?;
                Ok(Operator { name: OperatorName::of_local_user(uid), until: None })
            }
            Self::Listener(None) => Ok(Operator { name: OperatorName::ANYONE, until: None }),
            Self::Listener(Some(identity)) => {
                let identified = identity.verify(&request.headers, now).await?;
                let name = OperatorName::of_subject(identified.staff(roles)?);
                Ok(Operator { name, until: Some(identified.expires_at) })
            }
        }
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

/// True if the headers of a browser name the listener's own page, or there are no such headers.
fn is_own(headers: &HeaderMap, host: Option<&str>) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let is_own = match (origins.next(), origins.next()) {
        (None, _) => true,
        (Some(origin), None) => text(origin).is_some_and(|origin| names(origin, host)),
        (Some(_), Some(_)) => false,
    };
    let foreign = |site: &HeaderValue| site == "cross-site" || site == "same-site";
    is_own && !headers.get_all("sec-fetch-site").iter().any(foreign)
}

/// True if a browser follows a link to a page.
fn is_visit<B>(request: &Request<B>) -> bool {
    let navigates = request.headers().get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    navigates && request.method() == Method::GET && PAGES.contains(&request.uri().path())
}

/// True if `origin` has this host and port. The scheme is not compared, since a proxy may end TLS.
fn names(origin: &str, host: Option<&str>) -> bool {
    let Some((_, origin)) = origin.split_once("://") else { return false };
    host.is_some_and(|host| without_default_port(origin).eq_ignore_ascii_case(without_default_port(host)))
}

fn without_default_port(host: &str) -> &str {
    DEFAULT_PORTS.iter().find_map(|port| host.strip_suffix(port)).unwrap_or(host)
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let address: Option<std::net::IpAddr> = name.parse().ok();
    address.map_or(name == "localhost" || name.ends_with(".localhost"), |address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(door: &Door, method: Method, path: &str, headers: &[(&str, &str)]) -> &'static str {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).unwrap();
        door.let_in(&request).map_or_else(|problem| problem.code(), |()| "in")
    }

    fn asked(headers: &[(&str, &str)]) -> &'static str {
        code(&Door::Listener(None), Method::POST, "/api/operations/pause", headers)
    }

    #[test]
    fn a_listener_without_identities_is_reached_by_loopback_names_only() {
        for host in ["localhost", "LOCALHOST:9090", "a.localhost:1", "127.0.0.1:9090", "127.9.9.9", "[::1]:9090"] {
            assert_eq!(asked(&[("host", host)]), "in", "{host}");
        }
        for host in ["evil.example", "10.0.0.1:9090", "localhost.evil.example", "[::2]", "127.0.0.1.evil.example", ""] {
            assert_eq!(asked(&[("host", host)]), "host-not-allowed", "{host}");
        }
        assert_eq!(asked(&[]), "host-not-allowed");
    }

    #[test]
    fn an_origin_must_be_the_listener_s_own() {
        let own = [("127.0.0.1:9090", "http://127.0.0.1:9090"), ("localhost", "http://localhost:80")];
        for (host, origin) in own.into_iter().chain([("localhost:443", "https://localhost")]) {
            assert_eq!(asked(&[("host", host), ("origin", origin)]), "in", "{origin}");
        }
        for origin in ["http://evil.example", "null", "http://127.0.0.1:9091", "http://127.0.0.1", ""] {
            assert_eq!(asked(&[("host", "127.0.0.1:9090"), ("origin", origin)]), "origin-not-allowed", "{origin}");
        }
        let twice = [("host", "localhost"), ("origin", "http://localhost"), ("origin", "http://localhost")];
        assert_eq!(asked(&twice), "origin-not-allowed");
    }

    #[test]
    fn a_browser_that_says_that_another_site_asks_is_believed_unless_somebody_follows_a_link() {
        let host = ("host", "localhost:9090");
        for (site, said) in [("cross-site", "origin-not-allowed"), ("same-site", "origin-not-allowed")] {
            assert_eq!(asked(&[host, ("sec-fetch-site", site)]), said);
            let visit = [host, ("sec-fetch-site", site), ("sec-fetch-mode", "navigate")];
            for page in ["/", "/docs"] {
                assert_eq!(code(&Door::Listener(None), Method::GET, page, &visit), "in");
            }
            assert_eq!(code(&Door::Listener(None), Method::POST, "/", &visit), said);
            assert_eq!(code(&Door::Listener(None), Method::GET, "/api/operations/room", &visit), said);
        }
        for site in ["same-origin", "none"] {
            assert_eq!(asked(&[host, ("sec-fetch-site", site)]), "in");
        }
    }

    #[test]
    fn the_socket_is_reached_by_whoever_may_open_it() {
        assert_eq!(code(&Door::Socket, Method::POST, "/", &[("origin", "http://evil.example")]), "in");
    }
}
