//! TLS, which is the default of every URL.

use super::*;
use crate::log::conformance::{chain, passes};

/// A server with a certificate, and the file that proves it.
struct Secure {
    stream: Stream,
    authority: tempfile::NamedTempFile,
}

impl Secure {
    async fn start() -> Self {
        let stream = Stream::on(StandIn::secure().await);
        let authority = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(authority.path(), stream.stand_in().certificate_pem()).unwrap();
        Self { stream, authority }
    }

    fn port(&self) -> u16 {
        self.stream.stand_in().address(0).port()
    }

    fn trusting(&self) -> String {
        format!("tlsCaFile={}", self.authority.path().display())
    }

    async fn refused(&self, hosts: &str, parameters: &str) -> String {
        let url = format!("kurrentdb://ann:s3cret@{hosts}:{}?{parameters}", self.port());
        let told = KurrentLog::open_with(&url, QUICK).await.map(|_| ()).unwrap_err().to_string();
        assert!(told.starts_with("KurrentDB cannot be reached") && !told.contains("s3cret"), "{told}");
        told
    }
}

#[async_trait]
impl Fixture for Secure {
    async fn open(&self) -> Arc<dyn EventLog> {
        let url = format!("{}?{}&stream={}", self.stream.url, self.trusting(), self.stream.name);
        Arc::new(KurrentLog::open(&url.parse().unwrap()).await.unwrap())
    }

    async fn alter(&self, position: Position) {
        self.stream.alter(position).await;
    }

    async fn remove(&self, position: Position) {
        self.stream.remove(position).await;
    }
}

#[tokio::test]
async fn it_conforms_over_tls() {
    passes(Secure::start).await.unwrap();
}

#[tokio::test]
async fn a_secure_server_that_was_lost_is_found_again() {
    let mut secure = Secure::start().await;
    let (log, first) = (secure.open().await, chain(&Head::EMPTY, 1));
    log.append(&Head::EMPTY, &first).await.unwrap();
    let stand_in = secure.stream.stand_in.as_mut().unwrap();
    stand_in.stop(0).await;
    stand_in.restart(0).await.unwrap();
    let (head, next) = (first[0].head(), chain(&first[0].head(), 1));
    assert_eq!(settle(log.as_ref(), &head, &next).await, Settled::Written);
    assert_eq!(whole(log.as_ref()).await, [first, next].concat());
}

#[tokio::test]
async fn who_cannot_prove_who_they_are_is_not_talked_to() {
    let secure = Secure::start().await;
    let told = secure.refused("localhost", "").await;
    assert!(told.contains("over TLS: localhost:") && told.contains("certificate"), "{told}");
    // The certificate is for another name.
    let told = secure.refused("127.0.0.1", &secure.trusting()).await;
    assert!(told.contains("certificate"), "{told}");
}

#[tokio::test]
async fn a_secure_server_is_not_talked_to_in_the_clear() {
    let secure = Secure::start().await;
    let told = secure.refused("localhost", "tls=false").await;
    assert!(told.contains("without TLS: localhost:"), "{told}");
}
