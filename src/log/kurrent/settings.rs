//! A log's URL: `kurrentdb://user:password@host:port,host:port?tls=…&stream=…`, and what it says.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

/// The stream that holds the log, unless the URL names another one.
const DEFAULT_STREAM: &str = "reprise";
/// The port of a node, unless the URL names another one.
const DEFAULT_PORT: u16 = 2113;
/// The schemes of KurrentDB's URLs. `+discover` may follow.
/// <https://docs.kurrent.io/clients/grpc/getting-started.html#connection-string>
const SCHEMES: [&str; 4] = ["kurrentdb", "kurrent", "kdb", "esdb"];
/// The parameters that have a meaning here.
const OURS: [&str; 6] = ["stream", "tls", "tlsverifycert", "tlscafile", "usercertfile", "userkeyfile"];
/// The parameters that only other clients need. They are ignored.
const OF_OTHER_CLIENTS: [&str; 9] = [
    "maxdiscoverattempts",
    "discoveryinterval",
    "gossiptimeout",
    "nodepreference",
    "keepaliveinterval",
    "keepalivetimeout",
    "defaultdeadline",
    "connectionname",
    "throwonappendfailure",
];

/// The address of a node of KurrentDB.
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

/// The content of a URL. It has no `Debug`, so that nobody prints it by accident.
#[derive(Clone)]
pub struct Settings {
    /// The nodes to ask first. Any of them knows the leader.
    pub nodes: Vec<Node>,
    /// The stream that holds the log.
    pub stream: String,
    /// The settings of TLS, if it is used.
    pub tls: Option<ClientTlsConfig>,
    /// The header with the credentials.
    pub authorization: Option<MetadataValue<Ascii>>,
}

impl Settings {
    /// Parses a URL as KurrentDB's own clients do, so that the same URLs work.
    ///
    /// # Errors
    /// The URL is malformed. The message holds no credentials.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("it has no scheme")?;
        let (authority, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (Some(credentials), hosts),
            None => (None, authority),
        };
        let scheme = scheme.to_ascii_lowercase();
        if !SCHEMES.contains(&scheme.strip_suffix("+discover").unwrap_or(&scheme)) {
            return Err(format!("the scheme is not KurrentDB's: {scheme}"));
        }
        let parameters = Parameters::parse(parameters)?;
        let stream = parameters.get("stream").unwrap_or(DEFAULT_STREAM).to_owned();
        if stream.is_empty() || stream.starts_with('$') {
            return Err(format!("{stream:?} cannot be the stream of a log"));
        }
        Ok(Self {
            nodes: hosts.trim_end_matches('/').split(',').map(node).collect::<Result<_, _>>()?,
            stream,
            tls: tls(&parameters)?,
            authorization: credentials.map(authorization).transpose()?,
        })
    }

    /// The address of a node for HTTP/2.
    pub fn uri(&self, node: &Node) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{node}")
    }
}

/// Parses `host` or `host:port`. An IPv6 address is in brackets.
fn node(text: &str) -> Result<Node, String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            (host, port.parse().map_err(|_| format!("the port is not a number from 1 to 65535: {text}"))?)
        }
        Some(_) | None => (text, DEFAULT_PORT),
    };
    let is_bare_address = host.contains(':') && !host.starts_with('[');
    if host.is_empty() || host.contains('/') || is_bare_address {
        return Err(format!("a host is missing or malformed: {text:?}; HOST or HOST:PORT is expected"));
    }
    Ok(Node { host: host.to_owned(), port })
}

/// The parameters after the `?`. Names are compared without case, as KurrentDB's own clients do.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn parse(text: &str) -> Result<Self, String> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name)?.to_lowercase();
            if !OURS.contains(&name.as_str()) && !OF_OTHER_CLIENTS.contains(&name.as_str()) {
                return Err(format!("the parameter {name:?} is not known"));
            }
            Ok((name, decoded(value)?))
        });
        Ok(Self(pairs.collect::<Result<_, _>>()?))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns true if `name` is on, which is the default.
    fn is_on(&self, name: &str) -> Result<bool, String> {
        match self.get(name).map(str::to_ascii_lowercase).as_deref() {
            None | Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(value) => Err(format!("{name} is true or false, not {value:?}")),
        }
    }
}

fn tls(parameters: &Parameters) -> Result<Option<ClientTlsConfig>, String> {
    if !parameters.is_on("tls")? {
        return Ok(None);
    }
    if !parameters.is_on("tlsverifycert")? {
        return Err("tlsVerifyCert=false lets any machine act as the server; give tlsCaFile".to_owned());
    }
    let read = |path: &str| std::fs::read(path).map_err(|error| format!("{path}: {error}"));
    let config = match parameters.get("tlscafile") {
        Some(path) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(path)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    match (parameters.get("usercertfile"), parameters.get("userkeyfile")) {
        (Some(certificate), Some(key)) => Ok(Some(config.identity(Identity::from_pem(read(certificate)?, read(key)?)))),
        (None, None) => Ok(Some(config)),
        (Some(_), None) | (None, Some(_)) => Err("userCertFile and userKeyFile must be given together".to_owned()),
    }
}

fn authorization(credentials: &str) -> Result<MetadataValue<Ascii>, String> {
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let basic = STANDARD.encode(format!("{}:{}", decoded(user)?, decoded(password)?));
    let mut value = MetadataValue::try_from(format!("Basic {basic}")).map_err(|error| error.to_string())?;
    value.set_sensitive(true);
    Ok(value)
}

/// Decodes a URL's percent-encoding.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.split_first_chunk::<2>());
        let (byte, after) = match escaped {
            None => (*first, after),
            Some(Some((digits, after))) => {
                let digits = std::str::from_utf8(digits).unwrap_or_default();
                (u8::from_str_radix(digits, 16).map_err(|_| "a % needs two hexadecimal digits after it")?, after)
            }
            Some(None) => return Err("a % needs two hexadecimal digits after it".to_owned()),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).map_err(|_| "its escaped bytes are not UTF-8".to_owned())
}
