//! Makes log text harmless for terminals: no control, escape, bidirectional or invisible characters.

use std::borrow::Cow;

/// Whether a character could change how other text is shown.
fn is_hostile(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{00ad}' | '\u{061c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

/// The text with hostile characters shown as `\u{..}`; line breaks and tabs stay.
pub fn text(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if is_hostile(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// The text on one line: line breaks and tabs become blanks, runs of blanks one.
pub fn line(input: &str) -> String {
    let clean = text(input);
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_bidi_marks_become_visible() {
        assert_eq!(text("a\u{1b}[31mb\u{202e}c\u{0}"), "a\\u{1b}[31mb\\u{202e}c\\u{0}");
        assert_eq!(text("plain\ttext\n"), "plain\ttext\n");
        assert_eq!(line("a\n\tb  c"), "a b c");
    }
}
