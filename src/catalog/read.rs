//! Reads a catalogue from bytes: JSON, or a CSV of seats, from a text editor or a spreadsheet.

use super::faults::Faults;
use super::file::CatalogFile;
use super::{CatalogError, sheet};

/// The media types of catalogue files.
pub const JSON: &str = "application/json";
pub const CSV: &str = "text/csv";

/// The most bytes of a catalogue file, and of a request with one.
pub const MAX_CATALOG_BYTES: usize = 64 * 1024 * 1024;

/// Reads a catalogue: JSON if it begins with a brace, else a CSV.
///
/// # Errors
/// The file is neither, or is not UTF-8, or is too large.
pub fn read(bytes: &[u8]) -> Result<CatalogFile, CatalogError> {
    check_size(bytes)?;
    let text = text(bytes).map_err(CatalogError::Unreadable)?;
    match text.trim_start().chars().next() {
        None => Err(CatalogError::Unreadable("it is empty".to_owned())),
        Some('{' | '[') => serde_json::from_str(text).map_err(unread),
        Some(_) => sheet::read(text),
    }
}

/// Fails if there are too many bytes.
///
/// # Errors
/// The file is too large.
pub fn check_size(bytes: &[u8]) -> Result<(), CatalogError> {
    if bytes.len() <= MAX_CATALOG_BYTES {
        return Ok(());
    }
    Err(CatalogError::Unreadable(format!("it has more than {MAX_CATALOG_BYTES} bytes; import it in parts")))
}

/// The media type of these bytes: JSON if they begin with a brace, else a CSV.
pub fn media_type(bytes: &[u8]) -> &'static str {
    let begin = text(bytes).map(|text| text.trim_start().chars().next());
    if let Ok(Some('{' | '[')) = begin { JSON } else { CSV }
}

/// Converts the error of a file that is not JSON, or not a catalogue.
fn unread(error: serde_json::Error) -> CatalogError {
    if !error.is_data() {
        return CatalogError::Unreadable(error.to_string());
    }
    let mut faults = Faults::default();
    faults.add("the file", error.to_string());
    CatalogError::Unfit(faults)
}

/// The text without the byte order mark that some programs put before it.
fn text(bytes: &[u8]) -> Result<&str, String> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if let [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, _, ..] | [_, 0, ..] = bytes {
        return Err("it is in UTF-16, which some programs call Unicode: save it as UTF-8".to_owned());
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
        format!("line {line}: it is not in UTF-8: save it as UTF-8, which spreadsheets call CSV UTF-8")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"{"concerts":[{"concertName":"A","artist":"B","venue":"C","schedules":null}]}"#;

    fn refused(bytes: &[u8]) -> String {
        read(bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_mark_before_the_text_is_no_part_of_it() {
        for text in [FILE.to_owned(), format!("\u{feff}{FILE}"), format!("\u{feff}\r\n {FILE}\n")] {
            assert_eq!(read(text.as_bytes()).unwrap().concerts.len(), 1, "{text:?}");
        }
    }

    #[test]
    fn utf_16_is_named() {
        let units: Vec<u16> = FILE.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for bytes in [[&[0xff, 0xfe], &little[..]].concat(), [&[0xfe, 0xff], &big[..]].concat(), little, big] {
            assert!(refused(&bytes).contains("UTF-16"), "{}", refused(&bytes));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        assert!(refused(b"").contains("empty"));
        assert!(refused(b" \n").contains("empty"));
        assert!(refused(b"{\"concerts\":[\n\xb0\xa1]}").contains("line 2: it is not in UTF-8"));
        assert!(refused(b"{\"concerts\":[{]}").contains("line 1"));
        assert!(refused(b"{\"concert\":[]}").contains("concert"));
    }

    #[test]
    fn a_file_has_a_limit() {
        let mut file = FILE.to_owned();
        file.push_str(&" ".repeat(MAX_CATALOG_BYTES - file.len()));
        assert!(read(file.as_bytes()).is_ok());
        file.push(' ');
        assert!(refused(file.as_bytes()).contains("67108864 bytes"));
    }
}
