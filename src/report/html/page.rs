//! The page while it is written: the one border where text becomes markup.
//!
//! Invariant: markup is only what stands literally in the program (`&'static str`); everything else goes through
//! [`Page::text`], which escapes it for elements and for quoted attributes alike.

use crate::report::sanitize;

/// Bytes after which evidence ends with a note, so that there is room for what was read.
const CROWDED: usize = 3_000_000;
/// Bytes after which every list ends with a note. What follows is small, so that a page stays below 5 MB.
const FULL: usize = 4_000_000;
/// Bytes of one text.
const TEXT: usize = 8 << 10;

/// A page that grows.
#[derive(Default)]
pub struct Page {
    html: String,
}

impl Page {
    /// Markup.
    pub fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.html.push_str(markup);
        self
    }

    /// Text: harmless, and cut when it is endless.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let end = text.floor_char_boundary(TEXT);
        for c in sanitize::text(text.get(..end).unwrap_or_default()).chars() {
            match c {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '"' => self.html.push_str("&quot;"),
                '\'' => self.html.push_str("&#39;"),
                c => self.html.push(c),
            }
        }
        if end < text.len() {
            self.html.push_str(" … (cut)");
        }
        self
    }

    /// Text of the catalogue, in which backticks mark code.
    pub fn prose(&mut self, text: &str) -> &mut Self {
        if !text.matches('`').count().is_multiple_of(2) {
            return self.text(text);
        }
        for (index, part) in text.split('`').enumerate() {
            match index % 2 {
                0 => self.text(part),
                _ => self.raw("<code>").text(part).raw("</code>"),
            };
        }
        self
    }

    /// An element with a text of the catalogue in it: `open`, the text, `close`. Nothing when the text is empty.
    pub fn element(&mut self, open: &'static str, text: &str, close: &'static str) -> &mut Self {
        if !text.is_empty() {
            self.raw(open).prose(text).raw(close);
        }
        self
    }

    /// A paragraph that says what a list leaves out. Nothing when that is nothing.
    pub fn more(&mut self, left: usize, what: &str) {
        if left > 0 {
            self.raw("<p class=\"more\">").text(&format!("{left} more {what}")).raw("</p>");
        }
    }

    /// Whether evidence must end.
    pub fn crowded(&self) -> bool {
        self.html.len() >= CROWDED
    }

    /// Whether every list must end.
    pub fn full(&self) -> bool {
        self.html.len() >= FULL
    }

    /// The whole page.
    pub fn finish(self) -> String {
        self.html
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let mut page = Page::default();
        page.text(text);
        page.finish()
    }

    #[test]
    fn text_stays_text_in_elements_and_attributes() {
        assert_eq!(shown("<b a=\"1\" c='2'>&amp;"), "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
        assert_eq!(shown("a\u{202e}b\u{1b}"), "a\\u{202e}b\\u{1b}");
    }

    #[test]
    fn backticks_of_the_catalogue_mark_code_and_unpaired_ones_stay() {
        let mut page = Page::default();
        page.prose("a `<b>` c").prose(" it`s");
        assert_eq!(page.finish(), "a <code>&lt;b&gt;</code> c it`s");
    }

    #[test]
    fn an_endless_text_is_cut_and_said() {
        let text = shown(&"é".repeat(1 << 20));
        assert!(text.len() < TEXT + 20 && text.ends_with("é … (cut)"));
    }
}
