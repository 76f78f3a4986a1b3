//! Bytes of answers with their ETags. The first reader makes the bytes, at most once per change, and never during a
//! fold.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use domain::{Hash, Head, Position};
use serde::{Deserialize, Serialize};

/// The last event that changed a representation's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// The position of that event; 0 before the first change.
    pub position: Position,
    /// The hash of its record.
    pub hash: Hash,
}

impl Stamp {
    /// A strong ETag, quoted. In one log the position would be enough. The hash distinguishes a rewound log from the
    /// log before, and `version`, the version of the shape, distinguishes programs.
    pub fn etag(&self, version: u32) -> String {
        let first = u64::from_be_bytes(*self.hash.as_bytes().first_chunk().expect("32 bytes have 8"));
        format!("\"{}-{first:016x}-{version}\"", self.position)
    }
}

impl From<Head> for Stamp {
    fn from(head: Head) -> Self {
        Self { position: head.position, hash: head.hash }
    }
}

/// An answer's bytes with their ETag. They are equal on every node, and after a restart.
#[derive(Debug, Clone)]
pub struct Representation {
    /// A strong ETag, quoted. A copy shares the text.
    pub etag: Bytes,
    /// JSON. A copy shares the bytes.
    pub body: Bytes,
    compressed: Lazy<Compressed>,
}

/// A representation in another coding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compressed {
    /// The ETag. It differs from the plain one, since the bytes differ.
    pub etag: Bytes,
    /// The compressed body.
    pub body: Bytes,
}

impl Representation {
    /// Makes a representation.
    pub fn new(etag: impl Into<Bytes>, body: impl Into<Bytes>) -> Self {
        Self { etag: etag.into(), body: body.into(), compressed: Lazy::default() }
    }

    /// Returns the compressed body. The first reader compresses it. There is only one coding, called `coding`.
    pub fn compressed(&self, coding: &str, compress: impl FnOnce(&[u8]) -> Vec<u8>) -> Compressed {
        self.compressed.read(|| {
            let tag = self.etag.strip_suffix(b"\"").unwrap_or(&self.etag);
            let etag = [tag, b"-", coding.as_bytes(), b"\""].concat();
            Compressed { etag: etag.into(), body: compress(&self.body).into() }
        })
    }
}

impl PartialEq for Representation {
    fn eq(&self, other: &Self) -> bool {
        (&self.etag, &self.body) == (&other.etag, &other.body)
    }
}

impl Eq for Representation {}

/// A value that its first reader makes. Copies share it.
#[derive(Debug, Clone)]
pub(crate) struct Lazy<T>(Arc<OnceLock<T>>);

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Lazy<T> {
    pub(crate) fn read(&self, make: impl FnOnce() -> T) -> T {
        self.0.get_or_init(make).clone()
    }
}

/// A representation that its first reader makes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Page {
    stamp: Stamp,
    #[serde(skip)]
    made: Lazy<Representation>,
}

impl Default for Page {
    fn default() -> Self {
        Self::at(Head::EMPTY)
    }
}

impl Page {
    /// Makes an empty page that the event at `head` changed. Copies that were published before keep their bytes.
    pub(crate) fn at(head: Head) -> Self {
        Self { stamp: head.into(), made: Lazy::default() }
    }

    pub(crate) fn read(&self, version: u32, make: impl FnOnce() -> Bytes) -> Representation {
        self.made.read(|| Representation::new(self.stamp.etag(version), make()))
    }
}

/// Serialises to JSON.
pub(crate) fn json(shown: &impl Serialize) -> Bytes {
    serde_json::to_vec(shown).expect("read models hold only what JSON can say").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_tells_position_hash_and_version() {
        let stamp = Stamp { position: Position::new(12), hash: Hash::new([0xab; 32]) };
        assert_eq!(stamp.etag(3), "\"12-abababababababab-3\"");
    }

    #[test]
    fn bytes_are_compressed_once_whichever_copy_is_read_first_under_an_etag_of_their_own() {
        let page = Page::default();
        let shown = page.read(1, || Bytes::from_static(b"[]"));
        let compressed = shown.compressed("gzip", |body| body.repeat(2));
        assert_eq!(compressed.body, "[][]");
        assert_eq!(compressed.etag, "\"0-0000000000000000-1-gzip\"");
        let again = page.clone().read(1, || panic!("made twice"));
        assert_eq!(again.compressed("gzip", |_| panic!("compressed twice")), compressed);
    }

    #[test]
    fn bytes_are_made_once_whichever_copy_is_read_first() {
        let page = Page::default();
        let copy = page.clone();
        let made = copy.read(1, || Bytes::from_static(b"[]"));
        assert_eq!(page.read(1, || panic!("made twice")), made);
    }
}
