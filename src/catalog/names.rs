//! Names, compared as people see them: a seat is one seat, however its name was typed.

use std::borrow::Cow;

use domain::is_name;
use unicode_normalization::UnicodeNormalization;

/// Normalises a name for storage: blanks around it are removed, and each letter has only one form (NFC).
pub fn tidy(name: &str) -> String {
    name.trim().nfc().collect()
}

/// Normalises a name for comparison. Names that look the same become equal: blanks of any kind and number become one,
/// invisible characters are removed, and full-width and other forms of a letter become that letter (NFKC).
pub fn seen(name: &str) -> Cow<'_, str> {
    // A fast path: most names are plain ASCII, and there are hundreds of thousands.
    if name.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Cow::Borrowed(name);
    }
    let mut seen = String::with_capacity(name.len());
    let letters = name.nfkc().filter(|letter| letter.is_whitespace() || !domain::shows_nothing(*letter));
    for letter in letters {
        match letter {
            _ if letter.is_whitespace() => {
                if !seen.ends_with(' ') {
                    seen.push(' ');
                }
            }
            '\u{2010}' | '\u{2011}' | '\u{2212}' => seen.push('-'),
            _ => seen.push(letter),
        }
    }
    Cow::Owned(seen.trim().to_owned())
}

/// Normalises a member's name, and checks it.
///
/// # Errors
/// The text is not a name.
pub fn checked(member: &str, name: &str, max_bytes: usize) -> Result<String, String> {
    let name = tidy(name);
    if is_name(&name, max_bytes) {
        return Ok(name);
    }
    let said = format!("{member} {name:?} is not a name");
    Err(match name.len() {
        0 => format!("{member} is empty"),
        bytes if bytes > max_bytes => format!("{said}: it has {bytes} bytes; at most {max_bytes} are allowed"),
        _ if name.chars().all(domain::shows_nothing) => format!("{said}: none of its characters can be seen"),
        _ => format!("{said}: it has control characters"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_are_the_same() {
        let same = [
            ("A-1", "A-1 "),
            ("A-1", "\u{a0}A-1"),
            ("A 1", "A  \u{2003}1"),
            ("\u{c9}1", "E\u{301}1"),
            ("A-1", "A\u{200b}-1"),
            ("A-1", "\u{feff}A-1"),
            ("A-1", "\u{ff21}-\u{ff11}"),
            ("A-1", "A\u{2011}1"),
            ("가1", "\u{1100}\u{1161}1"),
        ];
        for (one, other) in same {
            assert_eq!(seen(one), seen(other), "{one:?} and {other:?}");
        }
        for (one, other) in [("A-1", "A-2"), ("A1", "A-1"), ("A1", "A 1"), ("a-1", "A-1")] {
            assert_ne!(seen(one), seen(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn a_name_is_kept_without_what_stands_around_it_and_written_in_one_way() {
        assert_eq!(tidy(" E\u{301}1\t"), "\u{c9}1");
        assert_eq!(tidy("Row  7"), "Row  7");
    }

    #[test]
    fn a_name_that_shows_nothing_is_none() {
        let hidden =
            ["", " ", "\u{3000}", "\u{200b}", "\u{202e}", "\u{200b} \u{2060}", "\u{115f}", "\u{3164}", "\u{ad}"];
        for name in hidden.into_iter().chain(["A\u{202e}1", "A\n1", "\u{2066}A", "A\u{2028}1"]) {
            assert!(checked("seatName", name, 100).is_err(), "{name:?}");
        }
        for name in ["A", "1", "가", "👩\u{200d}🎤", "Row  7", "\u{200f}א1"] {
            assert!(checked("seatName", name, 100).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn a_name_has_a_limit() {
        assert!(checked("seatName", &"x".repeat(100), 100).is_ok());
        let refused = checked("seatName", &"x".repeat(101), 100).unwrap_err();
        assert!(refused.contains("101 bytes") && refused.contains("at most 100"), "{refused}");
    }
}
