//! A log's URL: `kurrentdb://user:password@host:port,host:port?tls=…&stream=…`, and what it says.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use eventstore::ClientSettings;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// The stream that holds the log, unless the URL names another one.
const DEFAULT_STREAM: &str = "reprise";

/// Where a node of KurrentDB is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub host: String,
    pub port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What a URL says. It has no `Debug`: nobody prints it by accident.
#[derive(Clone)]
pub struct Settings {
    /// Where to ask first; any of them knows the leader.
    pub nodes: Vec<Node>,
    /// The stream that holds the log.
    pub stream: String,
    /// How the connection is secured, if it is.
    pub tls: Option<ClientTlsConfig>,
    /// The header that proves who asks.
    pub authorization: Option<MetadataValue<Ascii>>,
}

impl Settings {
    /// Reads a URL as KurrentDB's own client does, so that what works elsewhere works here.
    ///
    /// # Errors
    /// It is no such URL, as a sentence without any credentials.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("it has no scheme")?;
        let (authority, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let parameters = parameters.split('&').filter(|parameter| !parameter.is_empty());
        let (ours, theirs): (Vec<&str>, Vec<&str>) =
            parameters.partition(|parameter| parameter.to_lowercase().starts_with("stream="));
        // The client never sees the credentials: its errors repeat what it was given.
        let parsed: ClientSettings = format!("{scheme}://{hosts}?{}", theirs.join("&"))
            .parse()
            .map_err(|error: eventstore::ClientSettingsParseError| format!("not understood: {}", error.message()))?;
        let nodes = parsed.hosts().iter().map(|host| {
            let port = u16::try_from(host.port).map_err(|_| format!("{} is no port", host.port))?;
            Ok(Node { host: host.host.clone(), port })
        });
        let stream = match ours.as_slice() {
            [] => DEFAULT_STREAM.to_owned(),
            [parameter, ..] => decoded(parameter.split_once('=').map_or("", |(_, name)| name))?,
        };
        if stream.is_empty() || stream.starts_with('$') {
            return Err(format!("{stream:?} cannot be the stream of a log"));
        }
        Ok(Self {
            nodes: nodes.collect::<Result<_, String>>()?,
            stream,
            tls: tls(&parsed)?,
            authorization: credentials.map(authorization).transpose()?,
        })
    }

    /// The address of a node for HTTP/2.
    pub fn uri(&self, node: &Node) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{node}")
    }
}

fn tls(parsed: &ClientSettings) -> Result<Option<ClientTlsConfig>, String> {
    if !parsed.is_secure_mode_enabled() {
        return Ok(None);
    }
    if !parsed.is_tls_certificate_verification_enabled() {
        return Err("tlsVerifyCert=false would let anyone be the server; name the authority with tlsCaFile".to_owned());
    }
    let read = |path: &String| std::fs::read(path).map_err(|error| format!("{path}: {error}"));
    let config = match parsed.tls_ca_file() {
        Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    Ok(Some(match parsed.user_certificate() {
        Some((certificate, key)) => config.identity(Identity::from_pem(read(certificate)?, read(key)?)),
        None => config,
    }))
}

fn authorization(credentials: &str) -> Result<MetadataValue<Ascii>, String> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let basic = STANDARD.encode(format!("{}:{}", decoded(user)?, decoded(password)?));
    let mut value = MetadataValue::try_from(format!("Basic {basic}")).map_err(|error| error.to_string())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Undoes a URL's percent-encoding.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.split_first_chunk::<2>());
        let (byte, after) = match escaped {
            None => (*first, after),
            Some(Some((digits, after))) => {
                let digits = std::str::from_utf8(digits).unwrap_or_default();
                (u8::from_str_radix(digits, 16).map_err(|_| "it has a % that escapes nothing")?, after)
            }
            Some(None) => return Err("it has a % that escapes nothing".to_owned()),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| "it escapes bytes that are no text".to_owned())
}
