//! The rules for names: a name is visible, and has no characters that control the screen.

/// True if the text is a name of at most `max_bytes` bytes.
pub fn is_name(text: &str, max_bytes: usize) -> bool {
    text.len() <= max_bytes && is_shown(text)
}

/// Describes what a name must be, for a text that is not a name.
pub(crate) fn not_a_name(text: &str, max_bytes: usize) -> String {
    format!("a name must have 1 to {max_bytes} bytes, and characters that can be seen; it is {text:?}")
}

/// True if the text has a visible character, and none that controls the screen.
pub fn is_shown(text: &str) -> bool {
    !text.chars().all(shows_nothing) && !text.chars().any(controls_the_screen)
}

/// True for an invisible character: a blank, or one that Unicode calls ignorable.
pub fn shows_nothing(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// True for line breaks and for characters that change the direction of the text: a ticket would show another name.
fn controls_the_screen(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_seen() {
        for text in ["A", "가", "7", "\u{200f}א", "👩\u{200d}🎤"] {
            assert!(is_name(text, 100), "{text:?}");
        }
        for text in [
            "",
            " ",
            "\t",
            "\u{200b}",
            "\u{202e}",
            "\u{3164}\u{a0}",
            "a\nb",
            "a\u{202e}b",
            "a\u{2028}b",
            "\u{7f}",
            "a\0b",
        ] {
            assert!(!is_name(text, 100), "{text:?}");
        }
    }

    #[test]
    fn a_name_has_a_limit() {
        assert!(is_name("xxx", 3));
        assert!(!is_name("xxxx", 3));
    }
}
