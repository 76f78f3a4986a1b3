//! Reads a command's body: JSON (or a catalogue), with a limit of size and time. The rest of a body that no handler
//! reads is read and dropped here.

use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use futures_util::FutureExt;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

use super::kinds;
use super::problem::Problem;
use crate::catalog::{CSV, JSON, MAX_CATALOG_BYTES};

/// The largest body of a command.
pub const MAX_BODY_BYTES: usize = 16 * 1024;
/// How long a body may take to come. For a catalogue file: how long each part may take.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// How much of a refused body is still read, and for how long. A client that still writes when its connection ends
/// would see a reset, not the answer.
const MAX_DRAINED_BYTES: usize = 1024 * 1024;
const DRAIN_DEADLINE: Duration = Duration::from_secs(2);

/// Reads the whole body, which must be JSON by its headers.
///
/// # Errors
/// The body is not JSON by its headers, is too large, does not come in time, or ends early.
pub async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    check(headers, &[JSON])?;
    let mut reading = pin!(read_up_to(MAX_BODY_BYTES, body));
    // Usually the whole body came with the head: then no timer is needed.
    if let Some(read) = reading.as_mut().now_or_never() {
        return read;
    }
    tokio::time::timeout(BODY_DEADLINE, reading).await.map_err(|_| did_not_come())?
}

/// Reads a whole catalogue file, JSON or CSV. There is no limit of time as long as parts of it come.
///
/// # Errors
/// The errors of [`read`].
pub async fn read_catalog(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    check(headers, &[JSON, CSV])?;
    read_up_to(MAX_CATALOG_BYTES, body).await
}

/// Fails unless the headers name one of these types, and no content coding.
fn check(headers: &HeaderMap, types: &'static [&'static str]) -> Result<(), Problem> {
    if !is_one_of(headers, types) {
        let detail = format!("The header `Content-Type` must be given once: {}.", types.join(" or "));
        return Err(Problem::new(&kinds::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Problem::new(
            &kinds::UNSUPPORTED_MEDIA_TYPE,
            "The body must be sent without the header `Content-Encoding`.",
        ));
    }
    Ok(())
}

async fn read_up_to(limit: usize, mut body: Body) -> Result<Bytes, Problem> {
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let mut bytes = Vec::new();
    loop {
        let frame = match body.frame().now_or_never() {
            Some(frame) => frame,
            None => tokio::time::timeout(BODY_DEADLINE, body.frame()).await.map_err(|_| did_not_come())?,
        };
        let Some(frame) = frame else { return Ok(bytes.into()) };
        let broke_off =
            |_| Problem::new(&kinds::MALFORMED_BODY, "The body ended before its announced length.").closing();
        let Ok(chunk) = frame.map_err(broke_off)?.into_data() else { continue };
        if bytes.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
}

/// True if there is exactly one `Content-Type`, and it is one of these. Types based on JSON
/// (`application/problem+json`) mean something else.
fn is_one_of(headers: &HeaderMap, known: &[&str]) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let only = types.next().filter(|_| types.next().is_none());
    let essence = only.and_then(|given| given.to_str().ok()?.split(';').next());
    essence.is_some_and(|essence| known.iter().any(|known| essence.trim().eq_ignore_ascii_case(known)))
}

fn did_not_come() -> Problem {
    Problem::new(&kinds::REQUEST_TIMEOUT, format!("The body did not come within {} seconds.", BODY_DEADLINE.as_secs()))
        .closing()
}

fn too_large(limit: usize) -> Problem {
    Problem::new(&kinds::BODY_TOO_LARGE, format!("The body is too large: at most {limit} bytes are allowed.")).closing()
}

/// Wraps the request's body, so that the rest of it is read when the body is dropped. Otherwise the connection would
/// end while the client is still sending, and the client would see a reset in place of the answer.
pub fn read_on(request: Request) -> Request {
    if request.body().is_end_stream() { request } else { request.map(|body| Body::new(ReadOn(body))) }
}

struct ReadOn(Body);

impl HttpBody for ReadOn {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl Drop for ReadOn {
    fn drop(&mut self) {
        if self.0.is_end_stream() {
            return;
        }
        // There is no runtime when the program is ending.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(DRAIN_DEADLINE, drain(std::mem::take(&mut self.0))));
        }
    }
}

async fn drain(mut body: Body) {
    let mut drained_bytes = 0;
    while let Some(Ok(frame)) = body.frame().await {
        drained_bytes += frame.data_ref().map_or(0, Bytes::len);
        if drained_bytes > MAX_DRAINED_BYTES {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::channel::{Channel, Sender};

    use super::*;

    fn said_to_be(types: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for content_type in types {
            headers.append(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        is_one_of(&headers, &[JSON])
    }

    #[test]
    fn only_json_itself_is_json() {
        assert!(said_to_be(&["application/json"]));
        assert!(said_to_be(&["Application/JSON; charset=utf-8"]));
        assert!(!said_to_be(&[]));
        assert!(!said_to_be(&["application/problem+json"]));
        assert!(!said_to_be(&["application/jsonp"]));
        assert!(!said_to_be(&["text/plain"]));
        assert!(!said_to_be(&["application/json", "application/json"]));
    }

    /// A body whose length nobody has told. More may come as long as the sender lives.
    async fn unmeasured(bytes: usize) -> (Sender<Bytes>, Body) {
        let (mut sender, body) = Channel::new(100);
        for chunk in vec![b' '; bytes].chunks(1_000) {
            sender.send_data(Bytes::copy_from_slice(chunk)).await.unwrap();
        }
        (sender, Body::new(body))
    }

    async fn read_whole(body: Body) -> Result<usize, &'static str> {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, super::super::json::JSON)]);
        read(&headers, body).await.map(|bytes| bytes.len()).map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn a_body_with_a_coding_is_not_read() {
        for coding in ["gzip", "identity", ""] {
            let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, super::super::json::JSON)]);
            headers.insert(header::CONTENT_ENCODING, coding.parse().unwrap());
            let refused = read(&headers, Body::from("{}")).await.map_err(|problem| problem.code());
            assert_eq!(refused, Err("unsupported-media-type"), "{coding}");
        }
    }

    #[tokio::test]
    async fn a_body_of_16_kib_is_read_and_one_byte_more_is_too_large() {
        assert_eq!(read_whole(Body::from(vec![b' '; MAX_BODY_BYTES])).await, Ok(MAX_BODY_BYTES));
        assert_eq!(read_whole(Body::from(vec![b' '; MAX_BODY_BYTES + 1])).await, Err("body-too-large"));
    }

    #[tokio::test]
    async fn a_body_of_unknown_length_is_measured_while_it_is_read() {
        let (sender, body) = unmeasured(MAX_BODY_BYTES).await;
        drop(sender);
        assert_eq!(read_whole(body).await, Ok(MAX_BODY_BYTES));
        let (_more_may_come, body) = unmeasured(MAX_BODY_BYTES + 1).await;
        assert_eq!(read_whole(body).await, Err("body-too-large"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_does_not_come_is_not_waited_for_longer_than_30_seconds() {
        let started = tokio::time::Instant::now();
        let (_more_may_come, body) = unmeasured(10).await;
        assert_eq!(read_whole(body).await, Err("request-timeout"));
        assert_eq!(started.elapsed().as_secs(), 30);
    }
}
