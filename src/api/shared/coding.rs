//! Compresses responses (RFC 9110, 8.4 and 12.5.3).

use std::io::Write;

use axum::http::{HeaderMap, HeaderValue, header};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The only coding, as headers name it.
pub const GZIP: &str = "gzip";

/// Compresses fast rather than well, because the first reader waits for it.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("memory takes whatever is written to it")
}

/// Adds the headers of a response whose coding was chosen: its body, if it has one, is in gzip or not.
pub fn add_headers(headers: &mut HeaderMap, is_gzip: bool) {
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if is_gzip && headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(GZIP));
    }
}

/// True if the client accepts gzip.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let lists = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|list| list.to_str().ok());
    let (mut named, mut any) = (None, None);
    for coding in lists.flat_map(|list| list.split(',')) {
        let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
        let (name, wanted) = (name.trim(), is_wanted(parameters));
        if [GZIP, "x-gzip"].iter().any(|known| known.eq_ignore_ascii_case(name)) {
            named = Some(wanted);
        } else if name == "*" {
            any = Some(wanted);
        }
    }
    named.or(any).unwrap_or(false)
}

/// True if the weight is more than 0.
fn is_wanted(parameters: &str) -> bool {
    let weight = parameters.split(';').find_map(|parameter| {
        let (name, weight) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("q").then(|| weight.trim())
    });
    weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn takes(lists: &[&str]) -> bool {
        let mut headers = HeaderMap::new();
        for list in lists {
            headers.append(header::ACCEPT_ENCODING, list.parse().unwrap());
        }
        takes_gzip(&headers)
    }

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        for lists in [
            &["gzip"][..],
            &["GZip"],
            &["x-gzip"],
            &["br, gzip;q=0.1"],
            &["br", "deflate, gzip ; q=1"],
            &["*"],
            &["br;q=1, *;q=0.5"],
        ] {
            assert!(takes(lists), "{lists:?}");
        }
        for lists in
            [&[][..], &[""], &["br"], &["gzip;q=0"], &["gzip; q=0.000"], &["*, gzip;q=0"], &["gzip;q=x"], &["identity"]]
        {
            assert!(!takes(lists), "{lists:?}");
        }
    }

    #[test]
    fn what_is_compressed_is_smaller_and_comes_back() {
        let body = br#"{"seatId":1,"seatName":"A-1"},"#.repeat(1_000);
        let compressed = gzip(&body);
        assert!(compressed.len() * 10 < body.len());
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(compressed.as_slice()).read_to_end(&mut back).unwrap();
        assert_eq!(back, body);
    }
}
