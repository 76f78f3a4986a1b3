//! Who comes in by which door: the socket, whose file says who may open it, or the listener, which a web page in somebody's
//! browser must not reach, and where a JWT says who somebody is.

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

/// Those who may read.
pub const READS: &[Role] = &[Role::Viewer, Role::Operator];
/// Those who may change something.
pub const CHANGES: &[Role] = &[Role::Operator];

/// Those who may say that money came in, and from whom.
pub const CHARGES: &[Role] = &[Role::Cashier, Role::Operator];

/// The pages that somebody may come to by a link from elsewhere.
const PAGES: [&str; 3] = ["/", "/docs", "/docs/"];
/// Ports that need not be said.
const DEFAULT_PORTS: [&str; 2] = [":80", ":443"];

/// A way in.
#[derive(Debug, Clone)]
pub enum Door {
    /// The socket in the data folder: whoever may open it may do everything.
    Socket,
    /// The listener. Without an identity provider it believes everyone who reaches it.
    Listener(Option<Identity>),
}

/// The user of the system at the other end of the socket, as the system says (`SO_PEERCRED`); `None` where it does not.
#[derive(Debug, Clone, Copy)]
pub struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|peer| peer.uid()))
    }
}

/// Somebody who runs the sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// As the log names them: `operator`, `operator:<sub>`, or `local:<uid>`.
    pub name: OperatorName,
    /// When they are to show themselves again.
    pub until: Option<Timestamp>,
}

impl Operator {
    /// As commands are asked by.
    pub fn credential(&self) -> Credential {
        Credential::Operator(self.name.clone())
    }
}

impl Door {
    /// That the request does not come from a web page of somebody else's.
    ///
    /// # Errors
    /// It does, or cannot be told from one that does.
    pub fn let_in<B>(&self, request: &Request<B>) -> Result<(), Problem> {
        let Self::Listener(identity) = self else { return Ok(()) };
        let headers = request.headers();
        let host = request.uri().authority().map(Authority::as_str).or_else(|| text(headers.get(header::HOST)?));
        if identity.is_none() && !host.is_some_and(is_loopback) {
            let detail = "Host must be a name or an address of this machine itself, such as localhost or 127.0.0.1.";
            return Err(Problem::new(&kinds::HOST_NOT_ALLOWED, detail));
        }
        if is_own(headers, host) || is_visit(request) {
            return Ok(());
        }
        Err(Problem::new(&kinds::ORIGIN_NOT_ALLOWED, "A page of another origin must not ask here."))
    }

    /// Who asks, of those who were let in, where they have one of these roles.
    ///
    /// # Errors
    /// They may not, or nobody knows who they are.
    pub async fn admit(&self, request: &Parts, roles: &'static [Role], now: Timestamp) -> Result<Operator, Problem> {
        match self {
            Self::Socket => {
                let peer = request.extensions.get::<ConnectInfo<Peer>>().and_then(|ConnectInfo(Peer(uid))| *uid);
                let uid = peer.ok_or_else(|| Problem::internal("the socket does not tell who is at its other end"))?;
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

/// Whether the browser, if it is one, says that the listener's own page asks.
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

/// Somebody follows a link to a page.
fn is_visit<B>(request: &Request<B>) -> bool {
    let navigates = request.headers().get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    navigates && request.method() == Method::GET && PAGES.contains(&request.uri().path())
}

/// Whether `origin` is of this host and port. The scheme is another one where a proxy ends TLS.
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
