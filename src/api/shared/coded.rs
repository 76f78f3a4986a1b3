//! Files in the program, ready to be sent: plain and compressed.

use std::io::Write;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use projections::Representation;
use sha2::{Digest, Sha256};

use super::{coding, conditional};

/// A browser may keep a file, but must ask again before each use: a new program has new files under the same names.
const CACHE: &str = "public, no-cache";

/// Bytes, plain and compressed, each with its own ETag.
pub struct Coded {
    plain: Representation,
    gzip: Representation,
    media_type: &'static str,
}

impl Coded {
    /// Makes a file of this media type.
    pub fn new(bytes: Bytes, media_type: &'static str) -> Self {
        let digest = Sha256::digest(&bytes);
        let name: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes).expect("memory takes it");
        let compressed = encoder.finish().expect("memory takes it");
        Self {
            plain: Representation::new(format!("\"{name}\""), bytes),
            gzip: Representation::new(format!("\"{name}-gzip\""), compressed),
            media_type,
        }
    }

    /// Answers in a coding that the client accepts, or 304 if the client has the bytes.
    pub fn respond(&self, headers: &HeaderMap) -> Response {
        let is_gzip = coding::takes_gzip(headers);
        let shown = if is_gzip { &self.gzip } else { &self.plain };
        let mut response = conditional::respond(headers, CACHE, shown.clone()).into_response();
        let headers = response.headers_mut();
        coding::add_headers(headers, is_gzip);
        if let Some(media_type) = headers.get_mut(header::CONTENT_TYPE) {
            *media_type = HeaderValue::from_static(self.media_type);
        }
        response
    }
}
