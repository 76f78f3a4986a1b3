//! TLS with a certificate that is made at the start, signs for itself, and is for `localhost` by that name only.

use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// The only name that the certificate is for.
pub const NAME: &str = "localhost";
/// What is spoken inside.
const HTTP_2: &[u8] = b"h2";

/// A certificate, and the handshake with it.
pub struct Tls {
    pub acceptor: TlsAcceptor,
    /// For those who are to trust it.
    pub certificate_pem: String,
}

impl Tls {
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("it is a name");
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows them")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key);
        let mut config = config.expect("the key is the certificate's");
        config.alpn_protocols = vec![HTTP_2.to_vec()];
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), certificate_pem: made.cert.pem() }
    }
}
