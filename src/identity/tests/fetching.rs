//! Keys that are fetched: how often, how long, and what is said meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::jwt::SigningKey;
use super::*;

/// A provider that counts how often it is asked.
struct Published {
    answer: ArcSwap<String>,
    asked: AtomicUsize,
    takes: Duration,
}

fn ok(keys: &[Value]) -> String {
    let body = json!({ "keys": keys }).to_string();
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

impl Published {
    async fn at(answer: String, takes: Duration) -> (Arc<Self>, KeysPlace) {
        let published = Arc::new(Self { answer: ArcSwap::from_pointee(answer), asked: AtomicUsize::new(0), takes });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let place = format!("http://{}/keys", listener.local_addr().unwrap()).parse().unwrap();
        let serving = Arc::clone(&published);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let serving = Arc::clone(&serving);
                tokio::spawn(async move {
                    let mut head = [0; 4_096];
                    let _ = stream.read(&mut head).await;
                    serving.asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(serving.takes).await;
                    let _ = stream.write_all(serving.answer.load().as_bytes()).await;
                });
            }
        });
        (published, place)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn answers(&self, answer: String) {
        self.answer.store(Arc::new(answer));
    }
}

fn by(key: &SigningKey, kid: &str) -> String {
    key.token(&json!({ "alg": "ES256", "kid": kid }), &claims(json!({})))
}

fn seconds_of(refusal: Option<Refusal>) -> u32 {
    match refusal {
        Some(Refusal::Unavailable { retry_after_seconds }) => retry_after_seconds,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn ten_thousand_keys_that_nobody_knows_cause_one_fetch() {
    let key = SigningKey::es256();
    let (published, place) = Published::at(ok(&[key.jwk("a")]), Duration::from_millis(200)).await;
    let identity = Identity::new(settings(place)).unwrap();
    let asking = (0..10_000).map(|number| {
        let (identity, token) = (identity.clone(), by(&key, &format!("made-up-{number}")));
        tokio::spawn(async move { refusal(&identity, &token).await })
    });
    let (mut refused, mut unavailable) = (0, 0);
    for answered in futures_util::future::join_all(asking).await {
        match answered.unwrap() {
            Some(Refusal::Invalid(Reason::Key)) => refused += 1,
            other => {
                assert!((1..=30).contains(&seconds_of(other)));
                unavailable += 1;
            }
        }
    }
    assert_eq!((published.asked(), refused + unavailable), (1, 10_000));
    assert!(refused > 0, "who waited for the fetch knows that it had no such key");
    assert_eq!(refusal(&identity, &by(&key, "a")).await, None);
    assert!((29..=30).contains(&seconds_of(refusal(&identity, &by(&key, "b")).await)));
    assert_eq!(published.asked(), 1);
}

#[tokio::test]
async fn a_key_that_is_new_is_fetched_for_all_who_come_with_it() {
    let (old, new) = (SigningKey::es256(), SigningKey::es256());
    let (published, place) = Published::at(ok(&[old.jwk("old")]), Duration::from_millis(50)).await;
    let identity = Identity::new(settings(place)).unwrap();
    let keeping = tokio::spawn(identity.clone().keep_keys());
    while identity.readiness().is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    published.answers(ok(&[old.jwk("old"), new.jwk("new")]));
    let coming = (0..200).map(|number| {
        let token = if number % 2 == 0 { by(&old, "old") } else { by(&new, "new") };
        let identity = identity.clone();
        tokio::spawn(async move { refusal(&identity, &token).await })
    });
    for answered in futures_util::future::join_all(coming).await {
        assert_eq!(answered.unwrap(), None);
    }
    assert_eq!(published.asked(), 2);
    keeping.abort();
}

#[tokio::test]
async fn a_provider_that_fails_or_answers_nonsense_forgets_nothing_and_refuses_nobody() {
    let key = SigningKey::es256();
    let (published, place) = Published::at(ok(&[key.jwk("a")]), Duration::ZERO).await;
    let answers = [
        "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n".to_owned(),
        format!("HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"),
        ok(&[]),
        ok(&[key.jwk("b"), key.jwk("b")]),
        ok(&[SigningKey::secret([7; 32]).jwk("b")]),
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{".to_owned(),
        format!("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n{}", " ".repeat(1_048_577)),
        String::new(),
    ];
    for answer in answers {
        published.answers(ok(&[key.jwk("a")]));
        let identity = Identity::new(settings(place.clone())).unwrap();
        assert_eq!(refusal(&identity, &by(&key, "a")).await, None);
        published.answers(answer.clone());
        let asked = published.asked();
        // Half a minute later, without waiting for it.
        let identity_without = Identity::new(settings(place.clone())).unwrap();
        assert!((29..=30).contains(&seconds_of(refusal(&identity_without, &by(&key, "b")).await)), "{answer:.40}");
        assert_eq!(published.asked(), asked + 1, "a redirect is not followed");
        assert_eq!(refusal(&identity, &by(&key, "a")).await, None);
    }
}

#[tokio::test]
async fn shared_secrets_are_never_taken_from_a_url() {
    let (secret, key) = (SigningKey::secret([7; 32]), SigningKey::es256());
    let (_published, place) = Published::at(ok(&[secret.jwk("s"), key.jwk("a")]), Duration::ZERO).await;
    let identity = Identity::new(settings(place)).unwrap();
    let token = secret.token(&json!({ "alg": "HS256", "kid": "s" }), &claims(json!({})));
    assert_eq!(refusal(&identity, &token).await, Some(Refusal::Invalid(Reason::Key)));
}

#[tokio::test]
async fn who_goes_away_while_keys_are_fetched_does_not_have_them_fetched_again() {
    let key = SigningKey::es256();
    let (published, place) = Published::at(ok(&[key.jwk("a")]), Duration::from_millis(300)).await;
    let identity = Identity::new(settings(place)).unwrap();
    for number in 0..5 {
        let token = by(&key, &format!("made-up-{number}"));
        let impatient = tokio::time::timeout(Duration::from_millis(20), refusal(&identity, &token)).await;
        assert!(impatient.is_err());
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(refusal(&identity, &by(&key, "a")).await, None);
    assert_eq!(published.asked(), 1);
}
