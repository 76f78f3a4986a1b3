//! The limits of requests by one user and from one address. Requests beyond a limit are refused early, so that they
//! cost little.

use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::HeaderMap;
use domain::{Hash as SubjectHash, UserId};
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use ipnet::IpNet;

use super::kinds;
use super::problem::Problem;

/// A burst may be so many times the limit of a second.
const BURST: NonZeroU32 = NonZeroU32::new(2).expect("2 is not 0");
/// How often users and addresses that are not near a limit are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(10);
/// The bits of an IPv6 address that identify one customer. A customer may use any values of the other bits.
const IPV6_PREFIX_BITS: u32 = 64;

/// The limits, as options give them.
#[derive(Debug, Clone, Default)]
pub struct Allowed {
    /// The most commands of one user in a second.
    pub by_user: Option<NonZeroU32>,
    /// The most requests from one address in a second.
    pub by_address: Option<NonZeroU32>,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub proxies: Vec<IpNet>,
}

/// The counters of requests.
#[derive(Default)]
pub struct Limits {
    commanders: Option<Counter<Commander>>,
    addresses: Option<Counter<IpAddr>>,
    proxies: Vec<IpNet>,
}

/// The sender of a command, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Commander {
    /// A user whom this node knows.
    User(UserId),
    /// A subject of an identity provider.
    Subject(SubjectHash),
}

type Counter<Key> = RateLimiter<Key, HashMapStateStore<Key>, DefaultClock>;

/// The address at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct PeerAddress(pub IpAddr);

impl Limits {
    /// Makes the counters, and a task that forgets senders that are not near a limit. The task ends when the counters
    /// are dropped.
    pub fn keep(allowed: Allowed) -> Arc<Self> {
        let counter = |a_second: NonZeroU32| Quota::per_second(a_second).allow_burst(a_second.saturating_mul(BURST));
        let limits = Arc::new(Self {
            commanders: allowed.by_user.map(|a_second| RateLimiter::hashmap(counter(a_second))),
            addresses: allowed.by_address.map(|a_second| RateLimiter::hashmap(counter(a_second))),
            proxies: allowed.proxies,
        });
        if limits.commanders.is_some() || limits.addresses.is_some() {
            let kept = Arc::downgrade(&limits);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(PRUNE_EVERY).await;
                    let Some(limits) = kept.upgrade() else { return };
                    prune(limits.commanders.as_ref());
                    prune(limits.addresses.as_ref());
                }
            });
        }
        limits
    }

    /// Fails if the address has sent too many requests. Requests of the socket have no address and are not counted.
    ///
    /// # Errors
    /// The limit of the address is reached.
    pub fn count_request(&self, request: &Request) -> Result<(), Problem> {
        let Some(addresses) = &self.addresses else { return Ok(()) };
        let Some(PeerAddress(peer)) = request.extensions().get() else { return Ok(()) };
        count(addresses, &one_customer(self.address(*peer, request.headers())))
    }

    /// Fails if the sender has sent too many commands.
    ///
    /// # Errors
    /// The limit of the sender is reached.
    pub fn count_command(&self, commander: Commander) -> Result<(), Problem> {
        self.commanders.as_ref().map_or(Ok(()), |commanders| count(commanders, &commander))
    }

    /// True if requests are counted by address.
    pub fn counts_addresses(&self) -> bool {
        self.addresses.is_some()
    }

    /// True if commands are counted by user.
    pub fn counts_users(&self) -> bool {
        self.commanders.is_some()
    }

    /// The address of the client: the peer, or, if that is a proxy, the last address in `X-Forwarded-For` that is not a
    /// proxy.
    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let is_proxy = |address: IpAddr| self.proxies.iter().any(|proxies| proxies.contains(&address));
        let peer = peer.to_canonical();
        if !is_proxy(peer) {
            return peer;
        }
        let lists = headers.get_all("x-forwarded-for").iter().rev();
        let entries = lists.flat_map(|list| list.to_str().unwrap_or_default().rsplit(','));
        for entry in entries {
            match named(entry.trim()) {
                // This is not an address, so a proxy did not write it.
                None => return peer,
                Some(address) if is_proxy(address) => {}
                Some(address) => return address,
            }
        }
        peer
    }
}

/// Parses an address with or without a port.
fn named(entry: &str) -> Option<IpAddr> {
    let without_port = || entry.parse::<SocketAddr>().ok().map(|address| address.ip());
    let bare = entry.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().ok().or_else(without_port).map(|address| address.to_canonical())
}

/// The address, or for IPv6 the prefix that stands for one customer.
fn one_customer(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => {
            let kept = u128::MAX << (u128::BITS - IPV6_PREFIX_BITS);
            Ipv6Addr::from_bits(address.to_bits() & kept).into()
        }
    }
}

fn count<Key: Hash + Eq + Clone>(counter: &Counter<Key>, key: &Key) -> Result<(), Problem> {
    counter.check_key(key).map_err(|not_until| {
        let wait = not_until.wait_time_from(DefaultClock::default().now());
        let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
        Problem::new(&kinds::RATE_LIMITED, "Too many requests were sent in a short time.").retry_after(seconds)
    })
}

fn prune<Key: Hash + Eq + Clone>(counter: Option<&Counter<Key>>) {
    if let Some(counter) = counter {
        counter.retain_recent();
        counter.shrink_to_fit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(by_address: u32, proxies: &[&str]) -> Limits {
        let proxies = proxies.iter().map(|proxies| proxies.parse().unwrap()).collect();
        let quota = Quota::per_second(NonZeroU32::new(by_address).unwrap());
        Limits { commanders: None, addresses: Some(RateLimiter::hashmap(quota)), proxies }
    }

    fn address(proxies: &[&str], peer: &str, forwarded_for: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for list in forwarded_for {
            headers.append("x-forwarded-for", list.parse().unwrap());
        }
        limits(1, proxies).address(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn whoever_is_no_proxy_asks_for_themselves() {
        assert_eq!(address(&[], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(address(&["10.0.0.0/8"], "192.0.2.1", &["198.51.100.7"]), "192.0.2.1");
        assert_eq!(address(&["10.0.0.0/8"], "::ffff:192.0.2.1", &[]), "192.0.2.1");
    }

    #[test]
    fn behind_a_proxy_it_is_the_last_who_is_none() {
        let proxies = ["10.0.0.0/8", "2001:db8:1::/48"];
        for (forwarded_for, expected) in [
            (&["198.51.100.7"][..], "198.51.100.7"),
            (&["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
            (&["198.51.100.7, 10.1.1.1 ,10.2.2.2"], "198.51.100.7"),
            (&["198.51.100.7", "203.0.113.9, 10.1.1.1"], "203.0.113.9"),
            (&["203.0.113.9", "10.1.1.1", "2001:db8:1::5"], "203.0.113.9"),
            (&["::ffff:198.51.100.7"], "198.51.100.7"),
            (&["198.51.100.7:4711"], "198.51.100.7"),
            (&["[2001:db8::7]:4711"], "2001:db8::7"),
            (&["[2001:db8::7]"], "2001:db8::7"),
            (&["10.1.1.1, 10.2.2.2"], "10.9.9.9"),
            (&["198.51.100.7, nonsense"], "10.9.9.9"),
            (&[""], "10.9.9.9"),
            (&[], "10.9.9.9"),
        ] {
            assert_eq!(address(&proxies, "10.9.9.9", forwarded_for), expected, "{forwarded_for:?}");
            assert_eq!(address(&proxies, "::ffff:10.9.9.9", forwarded_for), expected, "{forwarded_for:?}");
        }
    }

    #[test]
    fn a_customer_of_ipv6_has_64_bits() {
        let one = |address: &str| one_customer(address.parse().unwrap()).to_string();
        assert_eq!(one("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(one("2001:db8:1:2:ffff:ffff:ffff:ffff"), "2001:db8:1:2::");
        assert_eq!(one("2001:db8:1:3::"), "2001:db8:1:3::");
        assert_eq!(one("192.0.2.1"), "192.0.2.1");
    }

    #[test]
    fn whoever_has_asked_too_often_is_told_when_to_come_again_and_others_are_not_turned_away() {
        let limits = limits(1, &[]);
        let from = |address: &str| {
            let mut request = Request::new(axum::body::Body::empty());
            request.extensions_mut().insert(PeerAddress(address.parse().unwrap()));
            limits.count_request(&request).map_err(|problem| problem.code())
        };
        assert_eq!((from("192.0.2.1"), from("192.0.2.1"), from("192.0.2.2")), (Ok(()), Err("rate-limited"), Ok(())));
        assert_eq!((from("2001:db8::1"), from("2001:db8::2")), (Ok(()), Err("rate-limited")));
        assert_eq!(limits.count_request(&Request::new(axum::body::Body::empty())), Ok(()), "the socket has no address");
    }
}
