//! How much one user, and one address, may ask; and which other origins' pages may ask at all.

use std::num::NonZeroU32;

use clap::Args;
use ipnet::IpNet;

use crate::api::{Allowed, Origin};

/// Limits of the listeners.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits of requests")]
pub struct LimitOptions {
    /// The most commands of one user in a second; a burst may have twice as many. Without this option there is no
    /// limit.
    #[arg(long, env = "REPRISE_RATE_LIMIT_USER", value_name = "N")]
    pub rate_limit_user: Option<NonZeroU32>,
    /// The most requests from one address in a second; a burst may have twice as many. Without this option there is no
    /// limit. IPv6 addresses of one /64 count as one.
    #[arg(long, env = "REPRISE_RATE_LIMIT_ADDRESS", value_name = "N")]
    pub rate_limit_address: Option<NonZeroU32>,
    /// The proxies in front of this server. The server trusts their `X-Forwarded-For`.
    #[arg(long, env = "REPRISE_TRUSTED_PROXIES", value_name = "CIDR,…", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Other origins whose pages may send requests to the public listener, such as `https://tickets.example`. This
    /// option may be given several times.
    #[arg(long, env = "REPRISE_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origin: Vec<Origin>,
}

impl LimitOptions {
    /// What is allowed.
    pub fn allowed(&self) -> Allowed {
        Allowed {
            by_user: self.rate_limit_user,
            by_address: self.rate_limit_address,
            proxies: self.trusted_proxies.clone(),
        }
    }
}

/// A network; an address alone is one of its own.
fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse().ok().map(|address: std::net::IpAddr| IpNet::from(address));
    let network = text.parse::<IpNet>().ok().or_else(address).ok_or("a network is written as 10.0.0.0/8")?;
    // Addresses of peers are IPv4 where they can be, and so are these.
    match network {
        IpNet::V6(mapped) if mapped.prefix_len() >= 96 && mapped.addr().to_ipv4_mapped().is_some() => {
            let address = mapped.addr().to_ipv4_mapped().expect("it was looked at");
            IpNet::new(address.into(), mapped.prefix_len() - 96).map_err(|error| error.to_string())
        }
        IpNet::V4(_) | IpNet::V6(_) => Ok(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_may_be_one_address_and_is_ipv4_where_it_can_be() {
        for (text, read) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ] {
            assert_eq!(network(text).unwrap().to_string(), read, "{text}");
        }
        for text in ["", "10.0.0.0/33", "ten", "10.0.0.0/8/8"] {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
