//! One connection: a whole request goes out, a whole answer is waited for.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// The most headers that an answer has; Reprise sends under ten.
const MAX_HEADERS: usize = 32;

/// A connection that is kept.
pub struct Connection<S = TcpStream> {
    stream: S,
    received: Vec<u8>,
}

/// A whole answer.
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// The bytes after its headers.
    pub body: &'a [u8],
    /// Its `ETag`, where it has one.
    pub etag: Option<String>,
}

/// Where an answer's parts are in what was received.
struct Head {
    status: u16,
    body_from: usize,
    body_bytes: usize,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::over(stream))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// Over a stream that is there.
    pub fn over(stream: S) -> Self {
        Self { stream, received: Vec::with_capacity(4_096) }
    }

    /// Asks, and reads the answer.
    pub async fn ask(&mut self, request: &[u8]) -> io::Result<(u16, &[u8])> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let mut head = None;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if head.is_none() {
                head = parse(&self.received)?;
            }
            if let Some(Head { status, body_from, body_bytes }) = head
                && self.received.len() >= body_from + body_bytes
            {
                return Ok((status, &self.received[body_from..body_from + body_bytes]));
            }
        }
    }

    /// Asks once, and looks at the answer more closely.
    pub async fn look(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        let (status, body) = self.ask(request).await.map(|(status, body)| (status, body.len()))?;
        let etag = header(&self.received, "etag");
        let from = self.received.len() - body;
        Ok(Answer { status, body: &self.received[from..], etag })
    }
}

fn parse(received: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(received).map_err(io::Error::other)?;
    let httparse::Status::Complete(body_from) = parsed else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let length = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| str::from_utf8(header.value).ok()?.parse().ok());
    // What is not modified has no body, whatever it says of its length.
    let body_bytes = if status == 304 { 0 } else { length.ok_or(io::ErrorKind::InvalidData)? };
    Ok(Some(Head { status, body_from, body_bytes }))
}

fn header(received: &[u8], name: &str) -> Option<String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(received).ok()?;
    let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
    Some(String::from_utf8_lossy(header.value).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_once_its_headers_and_its_body_have_come() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nETag: \"7\"\r\n\r\n{}";
        for bytes in 0..whole.len() - 2 {
            assert!(parse(&whole[..bytes]).unwrap().is_none());
        }
        let head = parse(whole).unwrap().unwrap();
        assert_eq!((head.status, head.body_from, head.body_bytes), (200, whole.len() - 2, 2));
        assert_eq!(header(whole, "etag").as_deref(), Some("\"7\""));
    }

    #[test]
    fn what_is_not_modified_has_no_body() {
        let head = parse(b"HTTP/1.1 304 Not Modified\r\n\r\n").unwrap().unwrap();
        assert_eq!((head.status, head.body_bytes), (304, 0));
    }
}
