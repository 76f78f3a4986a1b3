//! The provider's current keys: they are read at the start, kept up to date, and fetched when a token names an unknown
//! key.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use reqwest::Url;
use reqwest::redirect::Policy;
use tokio::time::Instant;

use super::compact::Compact;
use super::jwk::{Key, KeySet, Secrets};
use super::{Reason, Refusal};

/// How often a file is checked for changes.
const FILE_LOOK: Duration = Duration::from_secs(1);
/// How often a URL's keys are fetched, also without an unknown key.
const REFRESH: Duration = Duration::from_secs(10 * 60);
/// How often a URL's keys are fetched while there are none.
const RETRY: Duration = Duration::from_secs(5);
/// How long nothing is fetched after a fetch for an unknown key. So made-up key ids cost the provider at most one
/// request in this time.
const QUIET: Duration = Duration::from_secs(30);
/// How long fetching may take.
const FETCH_DEADLINE: Duration = Duration::from_secs(5);
/// The largest set, in bytes.
const MAX_SET_BYTES: usize = 1024 * 1024;

/// The location of a provider's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeysPlace {
    /// A local file, which may hold shared secrets.
    File(PathBuf),
    /// A URL at which the provider publishes its keys.
    Url(Url),
}

/// The error of a URL without TLS: the keys could be changed on their way.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the URL of keys must be https, or http on loopback, without a user's name")]
pub struct NotAPlaceOfKeys;

impl FromStr for KeysPlace {
    type Err = NotAPlaceOfKeys;

    fn from_str(text: &str) -> Result<Self, NotAPlaceOfKeys> {
        if !text.contains("://") {
            return Ok(Self::File(PathBuf::from(text)));
        }
        let url = Url::parse(text).map_err(|_| NotAPlaceOfKeys)?;
        let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        let is_plain = url.username().is_empty() && url.password().is_none();
        if is_safe && is_plain { Ok(Self::Url(url)) } else { Err(NotAPlaceOfKeys) }
    }
}

impl fmt::Display for KeysPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Url(url) => url.fmt(f),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The keys and their source.
#[derive(Debug)]
pub struct Keys {
    current: ArcSwapOption<KeySet>,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File { path: PathBuf, looked: Mutex<Option<Look>> },
    Url(Arc<Published>),
}

/// The source of a set at a URL.
#[derive(Debug)]
struct Published {
    url: Url,
    client: reqwest::Client,
    /// The lock of the task that fetches. All other tasks wait for it.
    fetches: Arc<tokio::sync::Mutex<Fetches>>,
}

/// The state of a file: the time of its last change, its size, and its inode; or the error.
type Look = Result<(SystemTime, u64, u64), ErrorKind>;

/// The state of fetching.
#[derive(Debug, Default)]
struct Fetches {
    last: Option<Fetch>,
    /// The end of the last fetch for an unknown key.
    asked_for_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Fetch {
    ended_at: Instant,
    succeeded: bool,
}

impl Keys {
    /// Makes the keys. A file is read at once.
    ///
    /// # Errors
    /// No client for HTTPS can be made.
    pub fn of(place: KeysPlace) -> Result<Self, reqwest::Error> {
        let source = match place {
            KeysPlace::File(path) => Source::File { path, looked: Mutex::new(None) },
            KeysPlace::Url(url) => {
                // All TLS connections use the same cryptography.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let client = reqwest::Client::builder().redirect(Policy::none()).timeout(FETCH_DEADLINE);
                let client = if is_loopback(&url) { client.no_proxy() } else { client };
                Source::Url(Arc::new(Published { url, client: client.build()?, fetches: Arc::default() }))
            }
        };
        let keys = Self { current: ArcSwapOption::empty(), source };
        if let Source::File { path, looked } = &keys.source {
            keys.look_at(path, looked);
        }
        Ok(keys)
    }

    /// True if there are keys.
    pub fn are_there(&self) -> bool {
        self.current.load().is_some()
    }

    /// Keeps the keys up to date, without end.
    pub async fn keep(self: Arc<Self>) {
        loop {
            match &self.source {
                Source::File { path, looked } => {
                    tokio::time::sleep(FILE_LOOK).await;
                    self.look_at(path, looked);
                }
                Source::Url(published) => {
                    let mut fetches = published.fetches.lock().await;
                    fetches.last = Some(self.fetch(published).await);
                    drop(fetches);
                    tokio::time::sleep(if self.are_there() { REFRESH } else { RETRY }).await;
                }
            }
        }
    }

    /// Finds the key that must have signed a token.
    ///
    /// # Errors
    /// There is no such key, or the keys cannot be fetched.
    pub async fn for_token(self: &Arc<Self>, token: &Compact<'_>) -> Result<Arc<Key>, Refusal> {
        let Some(key_id) = &token.key_id else { return self.without_id(token) };
        if let Some(key) = self.with_id(key_id) {
            return Ok(key);
        }
        match &self.source {
            Source::File { path, looked } => {
                self.look_at(path, looked);
                let none = if self.are_there() { Reason::Key.into() } else { unavailable(FILE_LOOK) };
                self.with_id(key_id).ok_or(none)
            }
            Source::Url(published) => self.fetched(published, key_id).await,
        }
    }

    fn without_id(&self, token: &Compact<'_>) -> Result<Arc<Key>, Refusal> {
        match self.current.load().as_ref() {
            Some(keys) => Ok(Arc::clone(keys.only_for(token.algorithm)?)),
            None => Err(unavailable(RETRY)),
        }
    }

    fn with_id(&self, key_id: &str) -> Option<Arc<Key>> {
        self.current.load().as_ref()?.with_id(key_id).cloned()
    }

    /// Finds an unknown key after one fetch, for which all waiting requests wait.
    async fn fetched(self: &Arc<Self>, published: &Arc<Published>, key_id: &str) -> Result<Arc<Key>, Refusal> {
        let asked_at = Instant::now();
        let mut fetches = Arc::clone(&published.fetches).lock_owned().await;
        if let Some(key) = self.with_id(key_id) {
            return Ok(key);
        }
        let while_waiting = fetches.last.filter(|last| last.ended_at >= asked_at);
        let last = match (while_waiting, fetches.asked_for_at) {
            (Some(last), _) => last,
            (None, Some(ended_at)) if ended_at.elapsed() < QUIET => {
                return Err(unavailable(QUIET - ended_at.elapsed()));
            }
            (None, _) => {
                // Spawned: the request may be dropped meanwhile, and then each of the other waiting requests would
                // fetch again.
                let (keys, published) = (Arc::clone(self), Arc::clone(published));
                let fetching = tokio::spawn(async move {
                    let fetch = keys.fetch(&published).await;
                    (fetches.last, fetches.asked_for_at) = (Some(fetch), Some(fetch.ended_at));
                    fetch
                });
                fetching.await.unwrap_or(Fetch { ended_at: asked_at, succeeded: false })
            }
        };
        match self.with_id(key_id) {
            Some(key) => Ok(key),
            None if last.succeeded => Err(Reason::Key.into()),
            None => Err(unavailable(QUIET.saturating_sub(last.ended_at.elapsed()))),
        }
    }

    /// Fetches the set. If that fails, or the set cannot be used, the keys stay.
    async fn fetch(&self, Published { url, client, .. }: &Published) -> Fetch {
        let fetched = tokio::time::timeout(FETCH_DEADLINE, whole(client, url)).await;
        let set =
            fetched.unwrap_or_else(|_| Err(format!("there was no answer within {} seconds", FETCH_DEADLINE.as_secs())));
        let set = set.and_then(|text| KeySet::read(&text, Secrets::Skipped).map_err(|problem| problem.to_string()));
        let succeeded = match set {
            Ok(set) => {
                self.current.store(Some(Arc::new(set)));
                true
            }
            Err(why) => {
                tracing::warn!("the keys cannot be read from {url}: {why}; the known keys stay in use");
                false
            }
        };
        Fetch { ended_at: Instant::now(), succeeded }
    }

    /// Reads the file if it has changed. A fault is logged once.
    fn look_at(&self, path: &Path, looked: &Mutex<Option<Look>>) {
        let file = std::fs::metadata(path).and_then(|file| Ok((file.modified()?, file.len(), file.ino())));
        let look = file.map_err(|error| error.kind());
        // A panic while the lock was held has not changed the value.
        let mut looked = looked.lock().unwrap_or_else(PoisonError::into_inner);
        if looked.replace(look) == Some(look) {
            return;
        }
        match read(path).and_then(|text| KeySet::read(&text, Secrets::Allowed).map_err(|problem| problem.to_string())) {
            Ok(set) => self.current.store(Some(Arc::new(set))),
            Err(why) => tracing::warn!("{}: {why}; the known keys stay in use", path.display()),
        }
    }
}

fn unavailable(rest: Duration) -> Refusal {
    let seconds = u32::try_from(rest.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
    Refusal::Unavailable { retry_after_seconds: seconds.max(1) }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(MAX_SET_BYTES as u64 + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if text.len() > MAX_SET_BYTES { Err(too_large()) } else { Ok(text) }
}

fn too_large() -> String {
    format!("it has more than {MAX_SET_BYTES} bytes")
}

async fn whole(client: &reqwest::Client, url: &Url) -> Result<Vec<u8>, String> {
    let told = |error: reqwest::Error| {
        let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("{}{cause}", error.without_url())
    };
    let mut response = client.get(url.clone()).send().await.map_err(told)?;
    if response.status() != reqwest::StatusCode::OK {
        return Err(format!("it answers {}", response.status()));
    }
    let mut text = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(told)? {
        if text.len() + chunk.len() > MAX_SET_BYTES {
            return Err(too_large());
        }
        text.extend_from_slice(&chunk);
    }
    Ok(text)
}
