//! The addresses that a server listens on, as people write them.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

/// Where a port alone is listened on.
const LOOPBACK: &str = "127.0.0.1";

/// `ADDRESS:PORT`, `NAME:PORT`, or a port on loopback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    host: String,
    port: u16,
}

/// A text that names no port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address is `ADDRESS:PORT`, `NAME:PORT`, or a port alone for loopback")]
pub struct NotAnAddress;

impl FromStr for ListenAddress {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let (host, port) = text.rsplit_once(':').unwrap_or((LOOPBACK, text));
        let is_whole = !host.is_empty() && (host.starts_with('[') == host.ends_with(']'));
        let is_bare_v6 = host.contains(':') && !host.starts_with('[');
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let port = port.parse().ok().filter(|_| digits && is_whole && !is_bare_v6).ok_or(NotAnAddress)?;
        Ok(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl ListenAddress {
    /// What the name stands for now.
    ///
    /// # Errors
    /// Nobody knows the name.
    pub async fn resolve(&self) -> std::io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host(self.to_string()).await?.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, NotAnAddress> {
        text.parse::<ListenAddress>().map(|address| address.to_string())
    }

    #[test]
    fn an_address_is_written_with_a_name_a_number_or_a_port_alone() {
        for text in ["127.0.0.1:8080", "localhost:8080", "[::1]:0", "0.0.0.0:1", "host.example:65535"] {
            assert_eq!(read(text).as_deref(), Ok(text));
        }
        assert_eq!(read("8080").as_deref(), Ok("127.0.0.1:8080"));
        for text in ["", ":8080", "localhost", "localhost:", "localhost:+1", "localhost:65536", "::1:8080", "[::1:80"] {
            assert_eq!(read(text), Err(NotAnAddress), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_is_an_address() {
        let resolved = "localhost:8080".parse::<ListenAddress>().unwrap().resolve().await.unwrap();
        assert!(resolved.iter().all(|address| address.ip().is_loopback() && address.port() == 8080));
        assert!(!resolved.is_empty());
    }
}
