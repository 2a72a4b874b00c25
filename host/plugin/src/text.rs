//! Text that guests wrote: cut to a bound, and without what could forge lines or drive a terminal.

/// The beginning of a text, at most `bytes` long, at a letter's edge.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let end = (0..=bytes.saturating_sub(3)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// Without control characters.
pub(crate) fn printable(line: &str) -> String {
    line.chars().map(|letter| if letter.is_control() && letter != '\t' { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_a_letters_edge() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcdef", 5), "ab…");
        assert_eq!(cut("ääää", 6), "ä…");
        assert!(cut(&"x".repeat(10_000), 4096).len() <= 4096);
    }

    #[test]
    fn control_characters_become_spaces() {
        assert_eq!(printable("a\n\u{1b}[2Jb\tc"), "a  [2Jb\tc");
    }
}
